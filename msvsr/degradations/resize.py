"""Change of size with a random interpolation."""

from dataclasses import dataclass

import cv2
import numpy as np

from msvsr.degradations.checks import check_choices, check_probability, check_range
from msvsr.degradations.types import FloatArray, Frames

__all__ = ["INTERPOLATIONS", "Resize", "ResizeConfig", "resize_frame", "resize_frames"]

INTERPOLATIONS = {
    "area": cv2.INTER_AREA,
    "bilinear": cv2.INTER_LINEAR,
    "bicubic": cv2.INTER_CUBIC,
}


@dataclass(frozen=True, kw_only=True)
class ResizeConfig:
    """How the size of a clip changes.

    Attributes:
        probability: How often the size changes at all.
        scale_range: New side over old side, drawn uniformly per clip.
        modes: Interpolations, drawn uniformly per clip: area, bilinear or bicubic.
    """

    probability: float = 0.35
    scale_range: tuple[float, float] = (0.3, 1.1)
    modes: tuple[str, ...] = ("area", "bilinear", "bicubic")

    def __post_init__(self) -> None:
        """Check the ranges.

        Raises:
            ConfigError: A value is out of range.
        """
        check_probability("resize.probability", self.probability)
        check_range("resize.scale_range", self.scale_range, low=1e-3)
        check_choices("resize.modes", self.modes, list(INTERPOLATIONS))


def resize_frame(frame: FloatArray, size: tuple[int, int], mode: str) -> FloatArray:
    """Resize an image; values that bicubic overshoots are clipped.

    Args:
        frame: ``(h, w, 3)``, RGB float32 in [0, 1].
        size: New ``(h, w)`` in pixels.
        mode: ``area``, ``bilinear`` or ``bicubic``.

    Returns:
        The image, ``(*size, 3)``.
    """
    height, width = size
    if frame.shape[:2] == size:
        return frame
    resized = cv2.resize(frame, (width, height), interpolation=INTERPOLATIONS[mode])
    return np.asarray(resized, np.float32).clip(0, 1)


def resize_frames(frames: Frames, size: tuple[int, int], mode: str) -> Frames:
    """Resize every frame to one size, as `resize_frame` does."""
    return [resize_frame(frame, size, mode) for frame in frames]


class Resize:
    """Scales a clip by a random factor."""

    def __init__(self, config: ResizeConfig) -> None:
        self.config = config

    def __call__(self, frames: Frames, rng: np.random.Generator) -> Frames:
        """Resize frames ``(h, w, 3)``, RGB float32 in [0, 1], or return them as they are."""
        if rng.random() >= self.config.probability:
            return frames
        scale = rng.uniform(*self.config.scale_range)
        height, width = (max(1, round(side * scale)) for side in frames[0].shape[:2])
        return resize_frames(frames, (height, width), str(rng.choice(self.config.modes)))
