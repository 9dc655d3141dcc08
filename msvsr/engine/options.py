"""What a user can ask of the engine."""

from dataclasses import dataclass
from fractions import Fraction
from numbers import Rational
from typing import Literal, get_args

import psutil

from msvsr.errors import ConfigError

__all__ = ["AtCuts", "EngineOptions", "InterpolationOptions", "RefineScope"]

RefineScope = Literal["shot", "frame"]
AtCuts = Literal["repeat", "blend"]

_DEFAULT_SHARE_OF_MEMORY = 0.25
_GIBIBYTE = 1024**3
_DEFAULT_RATIO = Fraction(2)
_MAX_RATIO = 1000
_MAX_FRAME_RATE = 10_000


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


@dataclass(frozen=True, kw_only=True)
class InterpolationOptions:
    """Which frames interpolation makes.

    Attributes:
        interp_ratio: Frames out over frames in, above 1. Wins when ``out_fps`` is given as well.
            Without either it is 2.
        out_fps: Frames per second of the output: any, also below twice the source's or lower than
            it.
        keep_rhythm: Multiply the source's own rhythm, constant or not, by ``interp_ratio``.
            Without it, the output has a constant rate.
        detect_cuts: Find cuts, and never interpolate across one.
        at_cuts: What is shown between the two frames beside a cut: the first of them, or a blend.
        replace_duplicates: Replace frames that repeat the one before (pull-up, animation on twos)
            by frames in between.
        hold_last: Fill the time that the last frame is shown. Without it, the output ends at the
            instant of the last frame: two frames at ratio 2 give three.
    """

    interp_ratio: Fraction | None = None
    out_fps: Fraction | None = None
    keep_rhythm: bool = False
    detect_cuts: bool = True
    at_cuts: AtCuts = "repeat"
    replace_duplicates: bool = False
    hold_last: bool = True

    def __post_init__(self) -> None:
        _expect_exact(interp_ratio=self.interp_ratio, out_fps=self.out_fps)
        if self.interp_ratio is not None and self.interp_ratio <= 1:
            raise ConfigError(
                f"interp_ratio must be above 1, got {self.interp_ratio}: "
                "to lower the frame rate give out_fps"
            )
        if self.interp_ratio is not None and self.interp_ratio > _MAX_RATIO:
            raise ConfigError(f"interp_ratio must be at most {_MAX_RATIO}, got {self.interp_ratio}")
        if self.out_fps is not None and not 0 < self.out_fps <= _MAX_FRAME_RATE:
            raise ConfigError(
                f"out_fps must lie above 0 and at most at {_MAX_FRAME_RATE} frames per second, "
                f"got {self.out_fps}"
            )
        if self.keep_rhythm and self.interp_ratio is None and self.out_fps is not None:
            raise ConfigError(
                "keep_rhythm multiplies the source's own rhythm and cannot meet out_fps: "
                "give interp_ratio"
            )
        if self.at_cuts not in get_args(AtCuts):
            raise ConfigError(
                f"at_cuts must be one of {', '.join(get_args(AtCuts))}, got {self.at_cuts!r}"
            )

    def output_rate(self, frame_rate: Fraction) -> Fraction:
        """Frames per second that come out, on average when the rhythm is kept.

        Args:
            frame_rate: Frames per second of the source.

        Example:
            >>> InterpolationOptions(out_fps=Fraction(60)).output_rate(Fraction(24000, 1001))
            Fraction(60, 1)
        """
        if self.interp_ratio is None and self.out_fps is not None:
            return Fraction(self.out_fps)
        return self.rate_factor(frame_rate) * frame_rate

    def rate_factor(self, frame_rate: Fraction) -> Fraction:
        """Frames out over frames in.

        Args:
            frame_rate: Frames per second of the source.
        """
        if self.interp_ratio is not None:
            return Fraction(self.interp_ratio)
        return _DEFAULT_RATIO if self.out_fps is None else self.out_fps / frame_rate


def _expect_exact(**options: object) -> None:
    for name, value in options.items():
        if value is not None and (isinstance(value, bool) or not isinstance(value, Rational)):
            raise ConfigError(
                f"{name} must be an exact number, got {value!r}: give a Fraction, "
                "such as Fraction(5, 2) or Fraction('2.5')"
            )
