"""Change the frame rate of a video file or an image folder: read, run the engine, write."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from msvsr.app.jobs import Job, Progress, VideoReport, rate_mark, run_job
from msvsr.engine.interpolate import interpolate_frames
from msvsr.engine.options import InterpolationOptions
from msvsr.errors import ConfigError
from msvsr.frame import VideoInfo
from msvsr.models.catalog import FRAME_INTERPOLATION_TASK, default_model_folder
from msvsr.models.contract import FrameInterpolator
from msvsr.models.raft_interpolation import RaftInterpolation
from msvsr.video import OutputOptions, SourceOptions

__all__ = ["Timing", "check_writing", "interpolate_video", "plan_timing"]


def interpolate_video(
    source: str | Path,
    output: str | Path | None = None,
    *,
    model: FrameInterpolator[Any, Any] | None = None,
    timing: InterpolationOptions | None = None,
    reading: SourceOptions | None = None,
    writing: OutputOptions | None = None,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> VideoReport:
    """Give a video another frame rate, with its sound and its subtitles in step.

    Args:
        source: A video file, an http(s) URL, or a folder of images. The last image of a folder
            ends the output: two images at ratio 2 give three.
        output: A video file; a path without a video extension is a folder of PNGs. ``None`` puts
            it beside the source, with ``_60fps`` (or whatever its rate is) in its name.
        model: The model; ``None`` is the embedded one.
        timing: The instants of the output, and what happens at cuts; twice the rate by default.
        reading: Which part of the source, and the rate of an image folder.
        writing: Codec, quality and what is kept.
        on_progress: Called several times per frame of the source.

    Returns:
        What was done.

    Raises:
        ConfigError: The options contradict each other.
        VideoError: The source cannot be read or the output cannot be written; nothing is left of
            an output that was begun.
    """
    check_writing(writing)
    interpolator = model or RaftInterpolation.from_folder(
        default_model_folder(FRAME_INTERPOLATION_TASK)
    )

    def plan(info: VideoInfo) -> Job:
        planned = plan_timing(timing, info)
        return Job(
            make_frames=lambda frames, on_work: interpolate_frames(
                frames, interpolator, planned.options, frame_rate=info.frame_rate, on_work=on_work
            ),
            mark=rate_mark(planned.frame_rate),
            frame_rate=planned.frame_rate,
            notes=planned.notes,
        )

    return run_job(source, output, plan, reading=reading, writing=writing, on_progress=on_progress)


@dataclass(frozen=True, kw_only=True)
class Timing:
    """What the timing options mean for a source.

    Attributes:
        options: The options, as the engine takes them.
        frame_rate: Frames per second of the output.
        notes: What the person should know, one line each.
    """

    options: InterpolationOptions
    frame_rate: Fraction
    notes: tuple[str, ...] = ()


def plan_timing(timing: InterpolationOptions | None, info: VideoInfo) -> Timing:
    """Fit the timing options to a source.

    Args:
        timing: What was asked for.
        info: What is known about the source. An image has an instant but no length, so the output
            of a folder ends with the last one.
    """
    options = timing or InterpolationOptions()
    if info.is_image_folder:
        options = replace(options, hold_last=False)
    notes: tuple[str, ...] = ()
    if options.out_fps is not None and options.interp_ratio is not None:
        notes = (
            "both a ratio and a frame rate were asked for: "
            f"the ratio {options.interp_ratio} counts.",
        )
    return Timing(options=options, frame_rate=options.output_rate(info.frame_rate), notes=notes)


def check_writing(writing: OutputOptions | None) -> None:
    """Refuse to repeat and drop frames for a rate that frames are made for.

    Raises:
        ConfigError: The options of writing ask for a constant rate.
    """
    if writing is not None and writing.constant_frame_rate is not None:
        raise ConfigError(
            "constant_frame_rate repeats and drops frames, which interpolation is to avoid: "
            f"ask for out_fps={writing.constant_frame_rate} instead (--fps)"
        )
