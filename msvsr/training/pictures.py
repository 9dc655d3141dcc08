"""Pictures that show how far a training is: what goes in, what comes out, what is true."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

__all__ = ["Pictures", "side_by_side", "write_pictures"]

ByteImage = npt.NDArray[np.uint8]
Pictures = Mapping[str, ByteImage]
"""RGB uint8 ``(h, w, 3)`` by name."""

_GAP = 4


def side_by_side(images: Sequence[ByteImage]) -> ByteImage:
    """Put images of one size beside each other, with a white line between.

    Args:
        images: RGB uint8, ``(h, w, 3)``.

    Example:
        >>> side_by_side([np.zeros((2, 3, 3), np.uint8)] * 2).shape
        (2, 10, 3)
    """
    gap = np.full((images[0].shape[0], _GAP, 3), 255, np.uint8)
    row = [part for image in images for part in (gap, image)]
    joined: ByteImage = np.concatenate(row[1:], axis=1)
    return joined


def write_pictures(folder: Path, step: int, pictures: Pictures) -> list[Path]:
    """Write pictures as PNG, each under a temporary name first.

    Args:
        folder: Where to; made when missing.
        step: The step they show; part of the names.
        pictures: The pictures.

    Returns:
        The files.
    """
    written = []
    for name, image in pictures.items():
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{step:07d}_{Path(name).stem}.png"
        bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
        temporary = path.with_suffix(".tmp")
        temporary.write_bytes(cv2.imencode(".png", bgr)[1].tobytes())
        temporary.replace(path)
        written.append(path)
    return written
