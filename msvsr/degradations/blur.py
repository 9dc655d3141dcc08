"""Gaussian blur whose kernel drifts slowly over the clip."""

from dataclasses import dataclass

import cv2
import numpy as np

from msvsr.degradations.checks import check_probability, check_range
from msvsr.degradations.types import Clip, FloatArray
from msvsr.degradations.walk import random_walk
from msvsr.errors import ConfigError

__all__ = ["Blur", "BlurConfig", "gaussian_kernel"]


@dataclass(frozen=True, kw_only=True)
class BlurConfig:
    """What kernels are drawn.

    Attributes:
        probability: How often a clip is blurred at all.
        kernel_sizes: Odd side lengths in pixels, drawn uniformly per clip.
        anisotropic_probability: How often the two axes get different widths and an angle.
        sigma_range: Standard deviation in pixels of the image that is blurred.
        sigma_step: Largest change of a standard deviation from frame to frame.
        angle_step: Largest change of the angle from frame to frame, in radians.
    """

    probability: float = 0.9
    kernel_sizes: tuple[int, ...] = (7, 9, 11, 13)
    anisotropic_probability: float = 0.3
    sigma_range: tuple[float, float] = (0.2, 3.0)
    sigma_step: float = 0.02
    angle_step: float = 0.31416

    def __post_init__(self) -> None:
        """Check the ranges.

        Raises:
            ConfigError: A value is out of range.
        """
        check_probability("blur.probability", self.probability)
        check_probability("blur.anisotropic_probability", self.anisotropic_probability)
        check_range("blur.sigma_range", self.sigma_range, low=1e-3)
        if not self.kernel_sizes or any(size < 1 or size % 2 == 0 for size in self.kernel_sizes):
            raise ConfigError(f"blur.kernel_sizes must be odd numbers, got {self.kernel_sizes}")


def gaussian_kernel(size: int, sigma_x: float, sigma_y: float, angle: float = 0.0) -> FloatArray:
    """Sample ``exp(-x^T S^-1 x / 2)`` on a grid and normalise it to sum 1.

    Args:
        size: Side length in pixels, odd.
        sigma_x: Standard deviation along the first axis of the ellipse, in pixels.
        sigma_y: Standard deviation along its second axis, in pixels.
        angle: Angle of the first axis to the image's x axis, in radians.

    Returns:
        The kernel, ``(size, size)``.

    Example:
        >>> gaussian_kernel(3, 1.0, 1.0).round(3).tolist()[1]
        [0.12399999797344208, 0.20399999618530273, 0.12399999797344208]
    """
    offsets = np.arange(size) - (size - 1) / 2
    x, y = np.meshgrid(offsets, offsets)
    along = x * np.cos(angle) + y * np.sin(angle)
    across = y * np.cos(angle) - x * np.sin(angle)
    kernel = np.exp(-0.5 * ((along / sigma_x) ** 2 + (across / sigma_y) ** 2))
    normalised: FloatArray = (kernel / kernel.sum()).astype(np.float32)
    return normalised


class Blur:
    """Filters each frame with its own, slowly changing Gaussian kernel."""

    def __init__(self, config: BlurConfig) -> None:
        self.config = config

    def sample(self, num_frames: int, rng: np.random.Generator) -> list[FloatArray]:
        """Draw one kernel per frame."""
        config = self.config
        size = int(rng.choice(config.kernel_sizes))
        sigma_x = self._sigmas(num_frames, rng)
        if rng.random() >= config.anisotropic_probability:
            return [gaussian_kernel(size, sigma, sigma) for sigma in sigma_x]
        sigma_y = self._sigmas(num_frames, rng)
        angle = random_walk(
            num_frames, start_range=(-np.pi, np.pi), step=config.angle_step, rng=rng
        )
        return [gaussian_kernel(size, *each) for each in zip(sigma_x, sigma_y, angle, strict=True)]

    def _sigmas(self, num_frames: int, rng: np.random.Generator) -> FloatArray:
        config = self.config
        return random_walk(
            num_frames, start_range=config.sigma_range, step=config.sigma_step, rng=rng
        ).astype(np.float32)

    def __call__(self, clip: Clip, rng: np.random.Generator) -> Clip:
        """Blur a clip, or return it as it is.

        Args:
            clip: ``(t, h, w, 3)``, RGB float32 in [0, 1].
            rng: Source of randomness.

        Returns:
            A clip of the same shape and range.
        """
        if rng.random() >= self.config.probability:
            return clip
        kernels = self.sample(len(clip), rng)
        frames = [
            cv2.filter2D(frame, -1, kernel, borderType=cv2.BORDER_REFLECT_101)
            for frame, kernel in zip(clip, kernels, strict=True)
        ]
        return np.stack(frames)
