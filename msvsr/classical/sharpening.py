"""Steps that raise details."""

from dataclasses import dataclass
from typing import ClassVar, Literal, cast

import cv2
import numpy as np

from msvsr.classical.levels import from_levels, to_levels
from msvsr.classical.step import Step, limited
from msvsr.frame import ImageArray

__all__ = ["Laplacian", "UnsharpMask", "gaussian_side"]


@dataclass(frozen=True, kw_only=True)
class Laplacian(Step):
    """Sharpen by subtracting the Laplacian, each channel by itself: ``x - amount * L(x)``.

    ``L`` is the sum of the neighbours minus as many times the pixel; with the amount 1 and four
    neighbours this is the kernel ``0 -1 0, -1 5 -1, 0 -1 0``.

    Attributes:
        amount: Strength; 0 changes nothing.
        neighbours: Those beside and above (4), or the diagonal ones as well (8).
    """

    name: ClassVar[str] = "laplacian"

    amount: float = limited(1.0, low=0, high=10)
    neighbours: Literal[4, 8] = 4

    def __call__(self, image: ImageArray) -> ImageArray:
        """Sharpen an image."""
        corner = float(self.neighbours == 8)
        around = np.array([[corner, 1, corner], [1, 0, 1], [corner, 1, corner]], np.float32)
        kernel = -self.amount * around
        kernel[1, 1] = 1 + self.amount * around.sum()
        return cast(ImageArray, cv2.filter2D(image, -1, kernel))


@dataclass(frozen=True, kw_only=True)
class UnsharpMask(Step):
    """Sharpen by adding what a Gaussian blur ``G`` takes away: ``x + amount * (x - G(x))``.

    Attributes:
        amount: Strength; 0 changes nothing.
        radius: Standard deviation of the blur in pixels.
        threshold: Details of at most this many grey levels of 255 stay as they are.
    """

    name: ClassVar[str] = "unsharp"

    amount: float = limited(1.0, low=0, high=10)
    radius: float = limited(1.5, low=0.1, high=50)
    threshold: float = limited(0.0, low=0, high=255)

    def __call__(self, image: ImageArray) -> ImageArray:
        """Sharpen an image."""
        levels = to_levels(image)
        side = gaussian_side(self.radius)
        detail = levels - np.asarray(cv2.GaussianBlur(levels, (side, side), self.radius))
        if self.threshold > 0:
            detail[np.abs(detail) <= self.threshold] = 0
        return from_levels(levels + np.float32(self.amount) * detail, image)


def gaussian_side(sigma: float) -> int:
    """Side of a kernel that reaches three standard deviations to each side, odd."""
    return 2 * int(np.ceil(3 * sigma)) + 1
