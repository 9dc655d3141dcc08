"""Moving pictures as a GIF, which is the one output that is held in memory."""

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import PIL.Image

from msvsr.app.compare.pictures import Picture
from msvsr.errors import VideoError

__all__ = ["MAX_PIXELS", "write_gif"]

MAX_PIXELS = 120_000_000  # of all pictures together, a byte each
_TICKS = 100  # per second: a GIF knows hundredths
_PALETTE_SIZE = (160, 160)  # of the pictures that colours are chosen from
_SHORTEST = 2  # ticks; browsers show what is shorter at a tenth of a second


def write_gif(pictures: Iterable[Picture], target: Path) -> tuple[int, int]:
    """Write an endless GIF, each picture with the 256 colours that suit it.

    Args:
        pictures: The pictures; of those that follow on faster than 50 per second some are left
            out.
        target: The file.

    Returns:
        Pictures in it, and pictures that were left out.

    Raises:
        VideoError: They are too many or too large, or the file cannot be written.
    """
    frames, starts, end, num_lost = _collect(pictures)
    ends = [*starts[1:], max(end, starts[-1] + _SHORTEST)]
    lengths = [10 * (after - start) for start, after in zip(starts, ends, strict=True)]
    first, *rest = frames
    first.save(
        target,
        format="GIF",
        save_all=True,
        append_images=rest,
        duration=lengths,
        loop=0,
        disposal=1,
    )
    return len(frames), num_lost


def _collect(pictures: Iterable[Picture]) -> tuple[list[PIL.Image.Image], list[int], int, int]:
    """The pictures in 256 colours, their instants and the end in ticks, and how many are lost."""
    frames: list[PIL.Image.Image] = []
    starts: list[int] = []
    origin, end, total = Fraction(0), 0, 0
    num_lost, before = 0, None
    for picture in pictures:
        origin = origin if frames else picture.seconds
        start = round((picture.seconds - origin) * _TICKS)
        end = round((picture.seconds + picture.duration_seconds - origin) * _TICKS)
        if picture.image is before:  # it is shown longer
            continue
        if starts and start - starts[-1] < _SHORTEST:
            num_lost += 1
            continue
        before = picture.image
        total += picture.image.shape[0] * picture.image.shape[1]
        if total > MAX_PIXELS:
            height, width = picture.image.shape[:2]
            raise VideoError(
                f"a GIF holds at most {MAX_PIXELS // (height * width)} pictures of "
                f"{width}x{height} and there are more; give --end or --panel-width, or name an "
                ".mp4."
            )
        frames.append(_reduce(picture))
        starts.append(start)
    if not frames:
        raise VideoError("there is no picture to write.")
    return frames, starts, end, num_lost


def _reduce(picture: Picture) -> PIL.Image.Image:
    """A picture in the colours of a thumbnail of it; the whole takes six times as long."""
    image = PIL.Image.fromarray(picture.image)
    thumbnail = image.copy()
    thumbnail.thumbnail(_PALETTE_SIZE, PIL.Image.Resampling.NEAREST)
    palette = thumbnail.quantize(256, method=PIL.Image.Quantize.MEDIANCUT)
    return image.quantize(palette=palette, dither=PIL.Image.Dither.NONE)
