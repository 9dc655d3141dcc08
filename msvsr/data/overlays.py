"""Lettering that stands still over a moving picture, as logos and subtitles do."""

import string
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from msvsr.data.sampling import ByteClip
from msvsr.errors import ConfigError

__all__ = ["OverlayConfig", "draw_overlay"]

_FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
    cv2.FONT_HERSHEY_SCRIPT_COMPLEX,
)
_ALPHABET = string.ascii_letters + string.digits


@dataclass(frozen=True, kw_only=True)
class OverlayConfig:
    """How often and how lettering is put on top.

    Attributes:
        probability: How often a window gets some.
        max_lines: Most lines of letters.
        min_opacity: Least opacity; some logos shine through.
    """

    probability: float = 0.2
    max_lines: int = 2
    min_opacity: float = 0.5

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: A value is out of range.
        """
        if not (0 <= self.probability <= 1 and 0 < self.min_opacity <= 1 and self.max_lines >= 1):
            raise ConfigError(
                "overlay needs probability in [0, 1], min_opacity in (0, 1] and max_lines >= 1, "
                f"got {self.probability}, {self.min_opacity} and {self.max_lines}"
            )


def draw_overlay(clip: ByteClip, config: OverlayConfig, rng: np.random.Generator) -> ByteClip:
    """Put the same lettering onto all frames, or none.

    Args:
        clip: ``(t, h, w, 3)``, RGB uint8.
        config: How often and how.
        rng: Source of randomness.

    Returns:
        The clip, or a copy of it with lettering.
    """
    if rng.random() >= config.probability:
        return clip
    layer = np.zeros(clip.shape[1:], np.uint8)
    mask = np.zeros(clip.shape[1:3], np.uint8)
    for _ in range(int(rng.integers(1, config.max_lines + 1))):
        _draw_line(layer, mask, rng)
    alpha = mask[..., None] / np.float32(255) * rng.uniform(config.min_opacity, 1)
    blended = clip + alpha.astype(np.float32) * (layer.astype(np.float32) - clip)
    result: ByteClip = np.rint(blended).astype(np.uint8)
    return result


def _draw_line(
    layer: npt.NDArray[np.uint8], mask: npt.NDArray[np.uint8], rng: np.random.Generator
) -> None:
    """Draw one line of letters, often with an outline, into colours and mask."""
    height, width = mask.shape
    text = "".join(rng.choice(list(_ALPHABET), size=int(rng.integers(2, 12))))
    font = int(rng.choice(_FONTS))
    scale = float(rng.uniform(0.4, 1.6))
    thickness = int(rng.integers(1, 4))
    origin = (int(rng.integers(-width // 8, width // 2)), int(rng.integers(height // 8, height)))
    inner = rng.choice([0, 255, *rng.integers(0, 256, 2)], 3).astype(int)
    strokes = [(thickness + 3, 255 - inner)] if rng.random() < 0.5 else []
    for stroke, colour in [*strokes, (thickness, inner)]:
        shade = tuple(int(value) for value in colour)
        cv2.putText(layer, text, origin, font, scale, shade, stroke, cv2.LINE_8)
        cv2.putText(mask, text, origin, font, scale, 255, stroke, cv2.LINE_AA)
