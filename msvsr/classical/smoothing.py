"""Steps that take noise away."""

from dataclasses import dataclass
from typing import ClassVar, cast

import cv2
import numpy as np

from msvsr.classical.levels import FloatArray, from_levels, levels_per_unit, to_levels
from msvsr.classical.sharpening import gaussian_side
from msvsr.classical.step import Step, limited
from msvsr.frame import ImageArray

__all__ = ["Bilateral", "Gaussian", "Mean", "Median", "NonLocalMeans"]

_LARGEST_MEDIAN_OF_16_BITS = 5  # that OpenCV computes
_VALUES_AT_ONCE = 1 << 24


@dataclass(frozen=True, kw_only=True)
class Mean(Step):
    """Replace each pixel by the mean of the square around it.

    Attributes:
        size: Side of the square in pixels.
    """

    name: ClassVar[str] = "mean"

    size: int = limited(3, low=3, high=99, is_odd=True)

    def __call__(self, image: ImageArray) -> ImageArray:
        """Smooth an image."""
        return cast(ImageArray, cv2.blur(image, (self.size, self.size)))


@dataclass(frozen=True, kw_only=True)
class Gaussian(Step):
    """Replace each pixel by a mean in which near pixels count more.

    Attributes:
        sigma: Standard deviation in pixels.
        size: Side of the kernel in pixels; 0 reaches three standard deviations to each side.
    """

    name: ClassVar[str] = "gaussian"

    sigma: float = limited(1.0, low=0.1, high=50)
    size: int = limited(0, low=3, high=301, is_odd=True, also=0)

    def __call__(self, image: ImageArray) -> ImageArray:
        """Smooth an image."""
        side = self.size or gaussian_side(self.sigma)
        return cast(ImageArray, cv2.GaussianBlur(image, (side, side), self.sigma))


@dataclass(frozen=True, kw_only=True)
class Median(Step):
    """Replace each value by the median of the square around it; takes lone specks out.

    Images of 16 bits are slow above the size 5.

    Attributes:
        size: Side of the square in pixels.
    """

    name: ClassVar[str] = "median"

    size: int = limited(3, low=3, high=31, is_odd=True)

    def __call__(self, image: ImageArray) -> ImageArray:
        """Smooth an image."""
        if image.dtype == np.uint16 and self.size > _LARGEST_MEDIAN_OF_16_BITS:
            return _median_by_sorting(image, self.size)
        return cast(ImageArray, cv2.medianBlur(image, self.size))


def _median_by_sorting(image: ImageArray, size: int) -> ImageArray:
    """The median of any size, a few rows at a time; borders are repeated as OpenCV does."""
    around = size // 2
    padded = np.pad(image, ((around, around), (around, around), (0, 0)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size), axis=(0, 1))
    result = np.empty_like(image)
    count, row_values = size * size, windows[0].size
    step = max(_VALUES_AT_ONCE // row_values, 1)
    for start in range(0, image.shape[0], step):
        rows = windows[start : start + step]
        values = rows.reshape(*rows.shape[:3], count)  # (rows, w, 3, size, size) to one axis
        result[start : start + step] = np.partition(values, count // 2, axis=-1)[..., count // 2]
    return result


@dataclass(frozen=True, kw_only=True)
class Bilateral(Step):
    """Replace each pixel by a mean of those that are near and alike; edges stay sharp.

    Attributes:
        color: How unlike pixels may be: standard deviation in grey levels of 255.
        space: How far they may be: standard deviation in pixels.
    """

    name: ClassVar[str] = "bilateral"

    color: float = limited(25.0, low=0.1, high=255)
    space: float = limited(2.0, low=0.1, high=20)

    def __call__(self, image: ImageArray) -> ImageArray:
        """Smooth an image."""
        if image.dtype == np.uint8:
            return cast(ImageArray, cv2.bilateralFilter(image, -1, self.color, self.space))
        levels = cv2.bilateralFilter(to_levels(image), -1, self.color, self.space)
        return from_levels(np.asarray(levels, np.float32), image)


@dataclass(frozen=True, kw_only=True)
class NonLocalMeans(Step):
    """Replace each pixel by a mean of those whose surroundings look alike; for strong noise.

    Luma and the two colour differences are smoothed by themselves, and what changes in them is
    added to the image.

    Attributes:
        strength: How unlike surroundings may be, in grey levels of 255; about the noise's own
            standard deviation. 0 leaves luma alone.
        color: The same for the colour differences.
        patch: Side of the surroundings in pixels.
        search: Side of the square that is searched, in pixels; the time grows with its area.

    Source:
        Buades, Coll, Morel: A Non-Local Algorithm for Image Denoising, CVPR 2005.
    """

    name: ClassVar[str] = "nlmeans"

    strength: float = limited(5.0, low=0, high=100)
    color: float = limited(5.0, low=0, high=100)
    patch: int = limited(5, low=3, high=21, is_odd=True)
    search: int = limited(13, low=3, high=51, is_odd=True)

    def __call__(self, image: ImageArray) -> ImageArray:
        """Smooth an image."""
        planes = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb))
        change = np.zeros(planes.shape, np.float32)
        for index, strength in enumerate((self.strength, self.color, self.color)):
            if strength > 0:
                plane = cast(ImageArray, np.ascontiguousarray(planes[..., index]))
                change[..., index] = self._smooth(plane, strength) - plane
        change /= np.float32(levels_per_unit(image))
        return from_levels(to_levels(image) + _to_rgb(change), image)

    def _smooth(self, plane: ImageArray, strength: float) -> FloatArray:
        levels = strength * levels_per_unit(plane)
        smoothed = cv2.fastNlMeansDenoising(
            plane,
            [levels],
            templateWindowSize=self.patch,
            searchWindowSize=self.search,
            normType=cv2.NORM_L1,  # the only one for 16 bits, and as good as the other for 8
        )
        return np.asarray(smoothed, np.float32)


def _to_rgb(change: FloatArray) -> FloatArray:
    """A change of luma and colour differences ``(h, w, 3)`` as a change of R, G and B (BT.601)."""
    luma, red, blue = change[..., 0], change[..., 1], change[..., 2]
    green = luma - 0.714 * red - 0.344 * blue
    return np.stack([luma + 1.403 * red, green, luma + 1.773 * blue], axis=-1).astype(np.float32)
