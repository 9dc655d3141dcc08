"""Gaussian blur whose kernel drifts slowly over the clip."""

from dataclasses import dataclass

import cv2
import numpy as np

from msvsr.degradations.checks import check_kernel_sizes, check_probability, check_range
from msvsr.degradations.kernels import gaussian_kernel
from msvsr.degradations.types import FloatArray, Frames
from msvsr.degradations.walk import random_walk

__all__ = ["Blur", "BlurConfig", "filter_frames"]


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
        check_kernel_sizes("blur.kernel_sizes", self.kernel_sizes)


def filter_frames(frames: Frames, kernels: list[FloatArray]) -> Frames:
    """Filter each frame with its own kernel; past the border the image is mirrored.

    Args:
        frames: ``(h, w, 3)`` each, RGB float32 in [0, 1].
        kernels: As many, ``(size, size)`` each.

    Returns:
        Frames of the same sizes, clipped to [0, 1]: some kernels overshoot.
    """
    pairs = zip(frames, kernels, strict=True)
    return [_filter(frame, kernel) for frame, kernel in pairs]


def _filter(frame: FloatArray, kernel: FloatArray) -> FloatArray:
    filtered = cv2.filter2D(frame, -1, kernel, borderType=cv2.BORDER_REFLECT_101)
    return np.asarray(filtered, np.float32).clip(0, 1)


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

    def __call__(self, frames: Frames, rng: np.random.Generator) -> Frames:
        """Blur a clip, or return it as it is.

        Args:
            frames: ``(h, w, 3)`` each, RGB float32 in [0, 1].
            rng: Source of randomness.

        Returns:
            Frames of the same sizes and range.
        """
        if rng.random() >= self.config.probability:
            return frames
        return filter_frames(frames, self.sample(len(frames), rng))
