"""Pictures of a comparison as a video."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain
from pathlib import Path

from msvsr.app.compare.clips import Clips
from msvsr.app.compare.options import CompareOptions, Mode
from msvsr.app.compare.pictures import (
    Picture,
    Scene,
    num_pictures,
    side_by_side_pictures,
    slider_pictures,
)
from msvsr.app.compare.scoring import Scoring
from msvsr.app.compare.slider import plan_slider
from msvsr.app.lending import Lender
from msvsr.errors import ConfigError, VideoError
from msvsr.frame import Frame
from msvsr.video import FrameSink, OutputOptions, open_sink
from msvsr.video.timestamps import common_time_base, nearest_tick

__all__ = ["Work", "Written", "encode", "moving_pictures"]

Size = tuple[int, int]

_WIDE = 4096  # many players show nothing wider
_MICROSECOND = Fraction(1, 1_000_000)


@dataclass(frozen=True, kw_only=True)
class Written:
    """What was written.

    Attributes:
        num_frames: Pictures in it.
        size: Height and width of them; on a page of one panel.
        frame_rate: Of a moving output; else that of the left clip.
        warnings: What the person should know, one line each.
    """

    num_frames: int
    size: Size
    frame_rate: Fraction
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Work:
    """What all outputs need to know.

    Attributes:
        clips: What is compared.
        size: Height and width that frames are brought to.
        options: How they are compared.
        writing: How a video is written.
        scoring: Measures; ``None`` without ground truth.
    """

    clips: Clips
    size: Size
    options: CompareOptions
    writing: OutputOptions
    scoring: Scoring | None

    @property
    def left_rate(self) -> Fraction:
        """Frames per second of the left clip."""
        return self.clips.panels[0].frame_rate

    @property
    def rate(self) -> Fraction:
        """Frames per second of the comparison."""
        return self.clips.leader.frame_rate

    @property
    def lends_streams(self) -> bool:
        """Whether sound or subtitles of the left clip are kept."""
        info, writing = self.clips.panels[0].source.info, self.writing
        has_sound = bool(info.audio_streams) and writing.keep_audio
        return has_sound or (bool(info.subtitle_streams) and writing.keep_subtitles)


def _mode_of(work: Work) -> Mode:
    count = len(work.clips.panels)
    mode = work.options.mode or ("slider" if count == 2 else "side-by-side")
    if mode == "slider" and count != 2:
        raise ConfigError(f"a slider shows two clips, got {count}; ask for side-by-side.")
    if mode != "slider" and work.options.slider.is_given:
        raise ConfigError("start, pause, step and line are for a slider, not for side-by-side.")
    return mode


def moving_pictures(work: Work, source: Iterator[Scene], *, freezes: bool) -> Iterator[Picture]:
    """The pictures of a moving comparison.

    Args:
        work: What is compared, and how.
        source: The scenes.
        freezes: Frames are repeated while a divider pauses; otherwise they play on.

    Raises:
        ConfigError: The options do not suit the clips.
    """
    if _mode_of(work) == "side-by-side":
        return side_by_side_pictures(work.clips, source)
    plan = plan_slider(
        work.options.slider,
        num_frames=num_pictures(work.clips),
        width=work.size[1],
        frame_rate=work.rate,
        freezes=freezes,
    )
    return slider_pictures(work.clips, source, plan)


def encode(
    target: Path,
    work: Work,
    pictures: Iterator[Picture],
    writing: OutputOptions,
    on_frame: Callable[[int], None] = lambda _: None,
) -> Written:
    """Write pictures with the sound and the subtitles of the left clip.

    Args:
        target: A video, or a folder of PNGs.
        work: What is compared.
        pictures: In order, on the clock of the comparison.
        writing: Codec and quality.
        on_frame: Called with the number of frames written so far.

    Returns:
        What was written.

    Raises:
        VideoError: Reading or writing fails.
    """
    first = next(pictures, None)
    if first is None:
        raise VideoError(f"{target}: there is no picture to write.")
    height, width = first.image.shape[:2]
    sink = _open(target, work, (height, width), writing)
    clock = _clock(work)
    zero = work.clips.panels[0].zero_seconds
    with sink:
        for picture in chain([first], pictures):
            start = nearest_tick(zero + picture.seconds, clock)
            end = nearest_tick(zero + picture.seconds + picture.duration_seconds, clock)
            sink.write(
                Frame(
                    image=picture.image,
                    pts=start,
                    time_base=clock,
                    duration=max(end - start, 1),
                )
            )
            on_frame(sink.num_frames)
    note = f"{target}: {width} pixels are wider than many players show; --panel-width makes less."
    return Written(
        num_frames=sink.num_frames,
        size=(height, width),
        frame_rate=writing.constant_frame_rate or work.rate,
        warnings=(*sink.warnings, *([note] if width > _WIDE else [])),
    )


def _open(target: Path, work: Work, size: Size, writing: OutputOptions) -> FrameSink:
    source = work.clips.panels[0].source
    lender = Lender(
        info=replace(source.info, sample_aspect_ratio=Fraction(1), bit_depth=8),
        origin_seconds=source.origin_seconds,
        stop_seconds=source.stop_seconds,
        options=source.options,
    )
    return open_sink(
        target,
        lender,
        size=size,
        options=writing,
        frame_rate=work.rate,
        time_base=_clock(work),
    )


def _clock(work: Work) -> Fraction:
    """A clock for the instants of all clips, or a fine one where there is none."""
    leader, left = work.clips.leader, work.clips.panels[0]
    instants = [leader.source.info.time_base, 1 / work.rate]
    return (
        common_time_base([*instants, abs(leader.zero_seconds), abs(left.zero_seconds)])
        or common_time_base(instants)
        or _MICROSECOND
    )
