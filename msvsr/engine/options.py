"""What a user can ask of the engine."""

from dataclasses import dataclass
from typing import Literal, get_args

import psutil

from msvsr.errors import ConfigError

__all__ = ["EngineOptions", "RefineScope"]

RefineScope = Literal["shot", "frame"]

_DEFAULT_SHARE_OF_MEMORY = 0.25
_GIBIBYTE = 1024**3


@dataclass(frozen=True, kw_only=True)
class EngineOptions:
    """How a video is cut into pieces for the model.

    Attributes:
        window: Frames between two checkpoints of backward propagation; changes memory and speed,
            never the result. ``None`` takes the model's own value.
        max_shot_frames: Longer shots go in pieces of this many frames. Forward propagation is
            carried on exactly; backward propagation starts ``look_ahead`` frames beyond.
        look_ahead: Frames beyond a piece in which backward propagation warms up.
        max_frames: Cheap mode: independent windows of this many frames with ``overlap`` frames of
            context on both sides, instead of propagation over whole shots.
        overlap: Frames of context in cheap mode.
        detect_cuts: Find cuts, and never propagate across one.
        refine_threshold: Clean again while the mean absolute residue is at least this, in 0-255
            units. ``None`` takes the model's own value.
        refine_scope: Decide refinement once per shot, or for each frame on its own.
        tile: Longest side of a tile in input pixels; ``None`` chooses by ``memory_gib``.
        memory_gib: Budget for features and buffers; ``None`` is a quarter of the free memory.
    """

    window: int | None = None
    max_shot_frames: int = 300
    look_ahead: int = 30
    max_frames: int | None = None
    overlap: int = 4
    detect_cuts: bool = True
    refine_threshold: float | None = None
    refine_scope: RefineScope = "shot"
    tile: int | None = None
    memory_gib: float | None = None

    def __post_init__(self) -> None:
        _at_least(1, window=self.window, max_shot_frames=self.max_shot_frames)
        _at_least(1, max_frames=self.max_frames)
        _at_least(0, look_ahead=self.look_ahead, overlap=self.overlap)
        _at_least(16, tile=self.tile)
        if self.refine_threshold is not None and not 0 <= self.refine_threshold <= 255:
            raise ConfigError(
                "refine_threshold must lie in [0, 255] (mean absolute residue in grey levels), "
                f"got {self.refine_threshold}"
            )
        if self.refine_scope not in get_args(RefineScope):
            raise ConfigError(
                f"refine_scope must be one of {', '.join(get_args(RefineScope))}, "
                f"got {self.refine_scope!r}"
            )
        if self.memory_gib is not None and not self.memory_gib > 0:
            raise ConfigError(f"memory_gib must be above 0, got {self.memory_gib}")

    def memory_bytes(self) -> int:
        """The memory budget in bytes, measured now when none was given."""
        if self.memory_gib is not None:
            return int(self.memory_gib * _GIBIBYTE)
        return int(psutil.virtual_memory().available * _DEFAULT_SHARE_OF_MEMORY)


def _at_least(minimum: int, **options: int | None) -> None:
    for name, value in options.items():
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or value < minimum:
            raise ConfigError(f"{name} must be a whole number of at least {minimum}, got {value!r}")
