"""What a caller can ask of a comparison, and what it gets to know."""

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Literal, get_args

from msvsr.app.demo_panels import Detail
from msvsr.app.jobs import VideoReport
from msvsr.errors import ConfigError

__all__ = ["ClipScores", "CompareOptions", "ComparisonReport", "Mode", "Resize", "SliderOptions"]

Mode = Literal["slider", "side-by-side"]
Resize = Literal["nearest", "bicubic"]

_MAX_STILLS = 24


@dataclass(frozen=True, kw_only=True)
class SliderOptions:
    """How a divider moves over two clips; what is ``None`` is chosen for the length of the clip.

    Attributes:
        start_frame: The divider enters at this frame; before it the left clip is shown alone.
        pause_frame: The divider pauses at this frame.
        pause_repeats: Frames that a pause lasts.
        slide_step: Pixels that the divider moves per frame.
        line_width: Width of the divider in pixels; 0 draws none.

    Source:
        The parameters of ``generate_video_demo.py`` of ckkelvinchan/RealBasicVSR, Apache-2.0.
    """

    start_frame: int | None = None
    pause_frame: int | None = None
    pause_repeats: int | None = None
    slide_step: int | None = None
    line_width: int | None = None

    def __post_init__(self) -> None:
        for name in ("start_frame", "pause_frame", "pause_repeats", "line_width"):
            value = getattr(self, name)
            if value is not None and value < 0:
                raise ConfigError(f"{name} must be 0 or more, got {value}.")
        if self.slide_step is not None and self.slide_step < 1:
            raise ConfigError(f"slide_step must be at least 1 pixel, got {self.slide_step}.")

    @property
    def is_given(self) -> bool:
        """Whether anything was asked for."""
        return self != SliderOptions()


@dataclass(frozen=True, kw_only=True)
class CompareOptions:
    """How clips are set beside each other.

    Attributes:
        mode: How a video shows them; ``None`` is a slider for two clips, else side by side.
        labels: A name for each clip; ``None`` takes the files' names.
        show_labels: Draw the names.
        resize: How frames are brought to one size.
        ground_truth: A clip that the others are measured against; ``None`` measures nothing.
        panel_width: Width of each clip in the output; ``None`` is that of the largest, or less
            for a GIF or a page.
        slider: How the divider moves.
        num_stills: Frames on a contact sheet.
        num_crops: Enlarged parts below each of them, found by their structure.
        crops: The parts to enlarge instead.
        start_seconds: Frames before this instant of each clip are left out.
        end_seconds: Frames from this instant on are left out.
        frame_rate: Frames per second of image folders; ``None`` takes that of a video among the
            clips, else 25.
    """

    mode: Mode | None = None
    labels: tuple[str, ...] | None = None
    show_labels: bool = True
    resize: Resize = "bicubic"
    ground_truth: str | Path | None = None
    panel_width: int | None = None
    slider: SliderOptions = field(default_factory=SliderOptions)
    num_stills: int = 3
    num_crops: int = 2
    crops: tuple[Detail, ...] = ()
    start_seconds: Fraction | None = None
    end_seconds: Fraction | None = None
    frame_rate: Fraction | None = None

    def __post_init__(self) -> None:
        for name, choice, kind in (("mode", self.mode, Mode), ("resize", self.resize, Resize)):
            if choice is not None and choice not in get_args(kind):
                known = " or ".join(get_args(kind))
                raise ConfigError(f"{name} must be {known}, got {choice!r}.")
        if self.panel_width is not None and self.panel_width < 16:
            raise ConfigError(f"panel_width must be at least 16 pixels, got {self.panel_width}.")
        if not 1 <= self.num_stills <= _MAX_STILLS:
            raise ConfigError(
                f"num_stills must lie between 1 and {_MAX_STILLS}, got {self.num_stills}."
            )
        if self.num_crops < 0:
            raise ConfigError(f"num_crops must be 0 or more, got {self.num_crops}.")


@dataclass(frozen=True, kw_only=True)
class ClipScores:
    """Means over the frames of a clip against the ground truth, on luma, without a border.

    Attributes:
        label: The clip.
        psnr: In dB; infinite where every frame is equal.
        ssim: Up to 1; ``None`` for frames that are too small for it.
        num_frames: Frames that were measured.
    """

    label: str
    psnr: float
    ssim: float | None
    num_frames: int


@dataclass(frozen=True, kw_only=True)
class ComparisonReport(VideoReport):
    """What a comparison made.

    Attributes:
        labels: The clips.
        scores: One of each clip; empty without ground truth.
    """

    labels: tuple[str, ...]
    scores: tuple[ClipScores, ...] = ()
