"""What the names of a folder's images tell about missing and foreign ones."""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from msvsr.video.images import IMAGE_SUFFIXES, natural_key

__all__ = ["odd_names"]

_SHOWN = 5  # missing numbers that are named


def odd_names(folder: Path) -> Iterator[str]:
    """Say where the numbers of images jump, repeat, or belong to different names.

    Args:
        folder: The images.

    Yields:
        What is odd, one line each.
    """
    files = (path.name for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES)
    names = sorted((name for name in files if not name.startswith(".")), key=natural_key)
    parts = [re.fullmatch(r"(.*?)(\d+)(\D*)", Path(name).stem) for name in names]
    numbers = [int(part[2]) for part in parts if part]
    frames_of = {(part[1], part[3]) for part in parts if part}
    if len(numbers) < len(names) or len(frames_of) > 1:
        if len(names) > 1:
            yield (
                f"{folder}: the images are not named alike ({names[0]}, {names[-1]}); they follow "
                "each other in natural order."
            )
        return
    steps = [second - first for first, second in pairwise(sorted(numbers))]
    if 0 in steps:
        yield f"{folder}: two images have the same number, and both are shown; sort one out."
    usual = min((step for step in steps if step), default=1)
    expected = set(range(min(numbers, default=0), max(numbers, default=0), usual))
    missing = sorted(expected - set(numbers))
    if missing and any(step > usual for step in steps):
        shown = ", ".join(map(str, missing[:_SHOWN]))
        rest = f" and {len(missing) - _SHOWN} more" if missing[_SHOWN:] else ""
        yield (
            f"{folder}: numbers are missing between {min(numbers)} and {max(numbers)}: "
            f"{shown}{rest}; the images after a gap follow on without a pause."
        )
