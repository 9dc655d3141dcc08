"""Unsharp masking, by which ground truth is sharpened before a network is trained on it."""

from dataclasses import dataclass

import cv2
import numpy as np

from msvsr.data.sampling import ByteClip
from msvsr.errors import ConfigError

__all__ = ["SharpeningConfig", "sharpen"]


@dataclass(frozen=True, kw_only=True)
class SharpeningConfig:
    """How strongly details are raised.

    Attributes:
        kernel_size: Side of the Gaussian kernel in pixels, odd. Its standard deviation is
            ``0.3 * ((kernel_size - 1) / 2 - 1) + 0.8`` pixels, 8 for 51.
        weight: Share of a detail that is added to it.
        threshold: Details are where a pixel differs from its blurred surroundings by more than
            this many grey levels.
    """

    kernel_size: int = 51
    weight: float = 0.5
    threshold: float = 10.0

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: A value is out of range.
        """
        if self.kernel_size < 3 or self.kernel_size % 2 == 0:
            raise ConfigError(f"kernel_size must be odd and at least 3, got {self.kernel_size}")
        if self.weight < 0 or self.threshold < 0:
            raise ConfigError(
                f"weight and threshold must be at least 0, got {self.weight} and {self.threshold}"
            )

    @property
    def sigma(self) -> float:
        """Standard deviation of the kernel in pixels."""
        return 0.3 * ((self.kernel_size - 1) / 2 - 1) + 0.8


def sharpen(clip: ByteClip, config: SharpeningConfig) -> ByteClip:
    """Raise details, each channel of each frame by itself.

    With ``x`` in grey levels, ``G`` the Gaussian blur (borders mirrored about the outermost pixel),
    ``r = x - G(x)`` and ``m = G(|r| > threshold)``, the result is
    ``m * clip(x + weight * r, 0, 255) + (1 - m) * x``, rounded to the nearest level.

    Args:
        clip: ``(t, h, w, 3)``, RGB uint8.
        config: How strongly.

    Returns:
        ``(t, h, w, 3)``, RGB uint8.

    Source:
        Wang et al., Real-ESRGAN, ICCV Workshops 2021; the same in RealBasicVSR's recipe.

    Example:
        >>> flat = np.full((1, 8, 8, 3), 90, dtype=np.uint8)
        >>> int(np.ptp(sharpen(flat, SharpeningConfig())))
        0
    """
    side = (config.kernel_size, config.kernel_size)
    result = np.empty_like(clip)
    for number, frame in enumerate(clip):
        image = frame.astype(np.float32)
        detail = image - cv2.GaussianBlur(image, side, config.sigma)
        mask = (np.abs(detail) > config.threshold).astype(np.float32)
        mask = np.asarray(cv2.GaussianBlur(mask, side, config.sigma), np.float32)
        raised = np.clip(image + config.weight * detail, 0, 255)
        result[number] = np.rint(image + mask * (raised - image))
    return result
