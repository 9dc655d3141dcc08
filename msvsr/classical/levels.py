"""Images as grey levels of 255, whatever their depth, and their luma."""

from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from msvsr.frame import ImageArray

__all__ = [
    "FloatArray",
    "change_luma",
    "from_levels",
    "grey_image",
    "levels_per_unit",
    "luma_of",
    "to_levels",
]

FloatArray = npt.NDArray[np.float32]

_WHITE = 255.0


def levels_per_unit(image: ImageArray) -> float:
    """Values of an image per grey level of 255: 1 for uint8, 257 for uint16."""
    return float(np.iinfo(image.dtype).max) / _WHITE


def to_levels(image: ImageArray) -> FloatArray:
    """An image in grey levels: float32 in [0, 255]."""
    levels = image.astype(np.float32)
    return levels if image.dtype == np.uint8 else levels / np.float32(levels_per_unit(image))


def from_levels(levels: FloatArray, like: ImageArray) -> ImageArray:
    """Grey levels as an image of another one's depth, rounded to its nearest value and clipped."""
    white = float(np.iinfo(like.dtype).max)
    values = levels if like.dtype == np.uint8 else levels * np.float32(white / _WHITE)
    return cast(ImageArray, np.rint(values.clip(0, white)).astype(like.dtype))


def luma_of(image: ImageArray) -> ImageArray:
    """``0.299 R + 0.587 G + 0.114 B``, rounded, black 0 and white full: ``(h, w)``.

    This is OpenCV's grey, not the luma of the metrics, whose black is 16.
    """
    return cast(ImageArray, cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))


def change_luma(image: ImageArray, old: ImageArray, new: ImageArray) -> ImageArray:
    """Add a change of luma to the three channels, so that colour differences stay.

    Args:
        image: RGB ``(h, w, 3)``.
        old: Its luma ``(h, w)``.
        new: What its luma is to be.
    """
    change = new.astype(np.int32) - old
    changed = image.astype(np.int32) + change[..., None]
    return cast(ImageArray, changed.clip(0, int(np.iinfo(image.dtype).max)).astype(image.dtype))


def grey_image(levels: FloatArray, like: ImageArray) -> ImageArray:
    """Grey levels ``(h, w)`` as an RGB image ``(h, w, 3)`` of another one's depth."""
    return cast(ImageArray, cv2.cvtColor(from_levels(levels, like), cv2.COLOR_GRAY2RGB))
