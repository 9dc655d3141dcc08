"""Steps that show edges."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import cv2
import numpy as np

from msvsr.classical.levels import grey_image, luma_of, to_levels
from msvsr.classical.step import Step, limited
from msvsr.errors import ConfigError
from msvsr.frame import ImageArray

__all__ = ["Canny", "Sobel"]

Aperture = Literal[3, 5, 7]


@dataclass(frozen=True, kw_only=True)
class Sobel(Step):
    """Show how steep the luma is, as grey: ``strength * sqrt(gx^2 + gy^2)``.

    The kernels are scaled so that an upright edge from black to white gives white.

    Attributes:
        size: Side of the kernels in pixels.
        strength: Factor on the steepness.
    """

    name: ClassVar[str] = "sobel"

    size: Aperture = 3
    strength: float = limited(1.0, low=0.01, high=100)

    def __call__(self, image: ImageArray) -> ImageArray:
        """Draw the edges of an image."""
        luma, side = to_levels(luma_of(image)), self.size
        derivative, smoothing = cv2.getDerivKernels(1, 0, side, ktype=cv2.CV_32F)
        scale = self.strength / float(np.abs(derivative).sum() / 2 * smoothing.sum())
        across = np.asarray(cv2.Sobel(luma, cv2.CV_32F, 1, 0, ksize=side, scale=scale))
        down = np.asarray(cv2.Sobel(luma, cv2.CV_32F, 0, 1, ksize=side, scale=scale))
        return grey_image(np.hypot(across, down), image)


@dataclass(frozen=True, kw_only=True)
class Canny(Step):
    """Show edges as white lines of one pixel on black, found in the luma in 8 bits.

    The thresholds are on the gradient as the kernels give it, which grows with their size: a step
    of 25 grey levels measures 100 with the size 3.

    Attributes:
        low: Gradient that carries a line on.
        high: Gradient that begins a line.
        size: Side of the gradient's kernels in pixels.

    Source:
        Canny: A Computational Approach to Edge Detection, IEEE PAMI 1986.
    """

    name: ClassVar[str] = "canny"

    low: float = limited(100.0, low=0, high=100_000)
    high: float = limited(200.0, low=0, high=100_000)
    size: Aperture = 3

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.low > self.high:
            raise ConfigError(
                f"{self.name}: low must be at most high, got low={self.low:g} and "
                f"high={self.high:g}: exchange them"
            )

    def __call__(self, image: ImageArray) -> ImageArray:
        """Draw the edges of an image."""
        luma = np.rint(to_levels(luma_of(image))).astype(np.uint8)
        edges = cv2.Canny(luma, self.low, self.high, apertureSize=self.size, L2gradient=True)
        return grey_image(edges.astype(np.float32), image)
