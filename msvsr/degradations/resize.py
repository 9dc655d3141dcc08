"""Change of size with a random interpolation."""

from dataclasses import dataclass

import cv2
import numpy as np

from msvsr.degradations.checks import check_choices, check_probability, check_range
from msvsr.degradations.types import Clip

__all__ = ["INTERPOLATIONS", "Resize", "ResizeConfig", "resize_clip"]

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


def resize_clip(clip: Clip, size: tuple[int, int], mode: str) -> Clip:
    """Resize every frame; values that bicubic overshoots are clipped.

    Args:
        clip: ``(t, h, w, 3)``, RGB float32 in [0, 1].
        size: New ``(h, w)`` in pixels.
        mode: ``area``, ``bilinear`` or ``bicubic``.

    Returns:
        The clip, ``(t, *size, 3)``.
    """
    height, width = size
    if clip.shape[1:3] == size:
        return clip
    frames = [
        cv2.resize(frame, (width, height), interpolation=INTERPOLATIONS[mode]) for frame in clip
    ]
    resized: Clip = np.clip(np.stack(frames), 0, 1)
    return resized


class Resize:
    """Scales a clip by a random factor."""

    def __init__(self, config: ResizeConfig) -> None:
        self.config = config

    def __call__(self, clip: Clip, rng: np.random.Generator) -> Clip:
        """Resize a clip ``(t, h, w, 3)``, RGB float32 in [0, 1], or return it as it is."""
        if rng.random() >= self.config.probability:
            return clip
        scale = rng.uniform(*self.config.scale_range)
        height, width = (max(1, round(side * scale)) for side in clip.shape[1:3])
        return resize_clip(clip, (height, width), str(rng.choice(self.config.modes)))
