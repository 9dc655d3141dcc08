"""Change of size by a factor that drifts over the clip, as RealBasicVSR is trained with."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from msvsr.degradations.checks import (
    check_choices,
    check_probabilities,
    check_probability,
    check_range,
    check_steps,
)
from msvsr.degradations.resize import INTERPOLATIONS, resize_frame
from msvsr.degradations.types import Frames
from msvsr.degradations.walk import walk_from
from msvsr.errors import ConfigError

__all__ = ["DIRECTIONS", "Rescale", "RescaleConfig", "RescaleSample"]

Direction = Literal["up", "down", "keep"]
DIRECTIONS: tuple[Direction, ...] = ("up", "down", "keep")


@dataclass(frozen=True, kw_only=True)
class RescaleConfig:
    """How the size of the frames changes; the defaults are those of the first round.

    Attributes:
        probability: How often the size changes at all.
        direction_probabilities: How often a clip starts above 1, below 1 or at 1: up, down, keep.
        scale_range: New side over old side; uniform in the part above or below 1.
        scale_step: Its largest change from frame to frame, wherever it started.
        modes: Interpolations, drawn uniformly per clip: area, bilinear or bicubic.

    Source:
        RealBasicVSR (arXiv 2111.12704), configuration of its training in MMEditing (Apache-2.0).
    """

    probability: float = 1.0
    direction_probabilities: tuple[float, float, float] = (0.2, 0.7, 0.1)
    scale_range: tuple[float, float] = (0.15, 1.5)
    scale_step: float = 0.015
    modes: tuple[str, ...] = ("bilinear", "area", "bicubic")

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: A value is out of range.
        """
        check_probability("resize.probability", self.probability)
        check_probabilities("resize.direction_probabilities", self.direction_probabilities, 3)
        check_range("resize.scale_range", self.scale_range, low=1e-3)
        if not self.scale_range[0] <= 1 <= self.scale_range[1]:
            raise ConfigError(f"resize.scale_range must contain 1, got {self.scale_range}")
        check_steps({"resize.scale_step": self.scale_step})
        check_choices("resize.modes", self.modes, list(INTERPOLATIONS))


@dataclass(frozen=True, kw_only=True)
class RescaleSample:
    """The sizes of the frames of one clip.

    Attributes:
        direction: Where the first factor lies: above 1 (up), below (down) or at 1 (keep).
        mode: Interpolation.
        scales: New side over old side, one per frame.
    """

    direction: Direction
    mode: str
    scales: npt.NDArray[np.float64]

    def sizes(self, size: tuple[int, int]) -> list[tuple[int, int]]:
        """The frames' new ``(h, w)``, rounded down to even numbers, which video encoders need.

        Args:
            size: The first frame's ``(h, w)`` in pixels.

        Example:
            >>> sample = RescaleSample(direction="down", mode="area", scales=np.array([0.5, 0.49]))
            >>> sample.sizes((64, 90))
            [(32, 44), (30, 44)]
        """
        height, width = size
        return [(_even(height * scale), _even(width * scale)) for scale in self.scales]


def _even(side: float) -> int:
    return max(2, 2 * int(side // 2))


class Rescale:
    """Scales each frame by its own factor, so that the frames' sizes differ afterwards."""

    def __init__(self, config: RescaleConfig) -> None:
        self.config = config

    def sample(self, num_frames: int, rng: np.random.Generator) -> RescaleSample | None:
        """Draw the sizes of a clip, or nothing."""
        config = self.config
        if rng.random() >= config.probability:
            return None
        probabilities = np.array(config.direction_probabilities)
        direction = DIRECTIONS[rng.choice(3, p=probabilities / probabilities.sum())]
        low, high = config.scale_range
        start_range = {"up": (1.0, high), "down": (low, 1.0), "keep": (1.0, 1.0)}[direction]
        mode = str(rng.choice(config.modes))
        scales = walk_from(
            rng.uniform(*start_range),
            num_frames,
            value_range=config.scale_range,
            step=config.scale_step,
            rng=rng,
        )
        return RescaleSample(direction=direction, mode=mode, scales=scales)

    def __call__(self, frames: Frames, rng: np.random.Generator) -> Frames:
        """Resize frames ``(h, w, 3)``, RGB float32 in [0, 1], or return them as they are."""
        sample = self.sample(len(frames), rng)
        if sample is None:
            return frames
        height, width = frames[0].shape[:2]
        return [
            resize_frame(frame, size, sample.mode)
            for frame, size in zip(frames, sample.sizes((height, width)), strict=True)
        ]
