"""Bringing frames of different clips to one size."""

import cv2
import numpy as np
import numpy.typing as npt

from msvsr.app.compare.moments import Moment
from msvsr.app.compare.options import Resize
from msvsr.frame import ImageArray
from msvsr.video.color import to_uint8

__all__ = ["Fitter", "fit", "scaled_size"]

Image = npt.NDArray[np.uint8]
Size = tuple[int, int]

_SAME_SHAPE = 0.02  # sides that differ in their ratio by more are not stretched


def scaled_size(size: Size, width: int) -> Size:
    """A size of another width and the same shape, with an even height as encoders want it.

    Example:
        >>> scaled_size((720, 1280), 640), scaled_size((720, 1080), 320)
        ((360, 640), (214, 320))
    """
    return max(2 * round(size[0] * width / size[1] / 2), 2), width


def fit(image: ImageArray, shape: Size, size: Size, resize: Resize) -> Image:
    """Bring an image to a size; bars fill what its shape leaves free.

    Args:
        image: RGB, ``(h, w, 3)``.
        shape: Height and width that it has with square pixels.
        size: Height and width to bring it to.
        resize: How it is enlarged; shrinking takes the mean of the pixels unless it is nearest.

    Returns:
        RGB, 8 bits.
    """
    pixels = to_uint8(image)
    ratio = (shape[1] * size[0]) / (shape[0] * size[1])
    if abs(ratio - 1) <= _SAME_SHAPE:
        return _scale(pixels, size, resize)
    width = min(size[1], max(round(size[1] * ratio), 1))
    height = min(size[0], max(round(size[0] / ratio), 1))
    top, left = (size[0] - height) // 2, (size[1] - width) // 2
    framed = np.zeros((*size, 3), np.uint8)
    framed[top : top + height, left : left + width] = _scale(pixels, (height, width), resize)
    return framed


def _scale(image: Image, size: Size, resize: Resize) -> Image:
    if image.shape[:2] == size:
        return image
    is_smaller = size[0] <= image.shape[0] and size[1] <= image.shape[1]
    if resize == "nearest":
        method = cv2.INTER_NEAREST_EXACT
    else:
        method = cv2.INTER_AREA if is_smaller else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, (size[1], size[0]), interpolation=method), np.uint8)


class Fitter:
    """Brings the frames of all clips to one size, each of them once."""

    def __init__(self, shapes: tuple[Size, ...], size: Size, resize: Resize) -> None:
        """Prepare.

        Args:
            shapes: Height and width of each clip with square pixels.
            size: Height and width to bring frames to.
            resize: How.
        """
        self._shapes, self._size, self._resize = shapes, size, resize
        self._fitted: list[Image | None] = [None] * len(shapes)

    def __call__(self, moment: Moment) -> list[Image]:
        """The frames of a moment; those that were shown before are not scaled again."""
        images = []
        for place, image in enumerate(moment.images):
            fitted = self._fitted[place]
            if moment.is_new[place] or fitted is None:
                fitted = fit(image, self._shapes[place], self._size, self._resize)
                self._fitted[place] = fitted
            images.append(fitted)
        return images
