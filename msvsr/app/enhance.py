"""Upscale and interpolate a video in one pass: read once, run both engines, write once."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, get_args

from msvsr.app.interpolate import check_writing, plan_timing
from msvsr.app.jobs import Job, Progress, VideoReport, WorkCounter, rate_mark, run_job
from msvsr.engine.interpolate import interpolate_frames
from msvsr.engine.options import EngineOptions, InterpolationOptions
from msvsr.engine.upscale import upscale_frames
from msvsr.errors import ConfigError
from msvsr.frame import Frame, VideoInfo
from msvsr.models.catalog import (
    FRAME_INTERPOLATION_TASK,
    SUPER_RESOLUTION_TASK,
    default_model_folder,
)
from msvsr.models.contract import FrameInterpolator, RecurrentUpscaler
from msvsr.models.raft_interpolation import RaftInterpolation
from msvsr.models.realbasicvsr import RealBasicVSR
from msvsr.video import OutputOptions, SourceOptions

__all__ = ["EnhanceOrder", "enhance_video"]

EnhanceOrder = Literal["auto", "upscale-first", "interpolate-first"]

_BETTER_ORDER: EnhanceOrder = "interpolate-first"
"""As good in PSNR and three to eight times as fast (eval/enhance_order.py); besides, repeated
frames can only be recognised before upscaling."""

_SHARE_OF_UPSCALING = 0.5  # of the work, for the progress


def enhance_video(
    source: str | Path,
    output: str | Path | None = None,
    *,
    upscaler: RecurrentUpscaler | None = None,
    interpolator: FrameInterpolator[Any, Any] | None = None,
    engine: EngineOptions | None = None,
    timing: InterpolationOptions | None = None,
    order: EnhanceOrder = "auto",
    reading: SourceOptions | None = None,
    writing: OutputOptions | None = None,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> VideoReport:
    """Make a video larger and give it another frame rate, with its sound and subtitles in step.

    Args:
        source: A video file, an http(s) URL, or a folder of images.
        output: A video file; a path without a video extension is a folder of PNGs. ``None`` puts
            it beside the source, with ``_x4_60fps`` (or whatever its rate is) in its name.
        upscaler: The model that makes frames larger; ``None`` is the embedded one.
        interpolator: The model that makes frames between frames; ``None`` is the embedded one.
        engine: How the video is cut into pieces for the upscaler.
        timing: The instants of the output, and what happens at cuts; twice the rate by default.
        order: Which of both comes first. ``auto`` interpolates first, which is as good and several
            times as fast.
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
    chosen = _choose_order(order)
    large = upscaler or RealBasicVSR.from_folder(default_model_folder(SUPER_RESOLUTION_TASK))
    smooth = interpolator or RaftInterpolation.from_folder(
        default_model_folder(FRAME_INTERPOLATION_TASK)
    )

    def plan(info: VideoInfo) -> Job:
        planned = plan_timing(timing, info)
        engines = _Engines(
            upscaler=large,
            interpolator=smooth,
            engine=engine,
            timing=planned.options,
            input_frame_rate=info.frame_rate,
            output_frame_rate=planned.frame_rate,
        )
        is_upscaled_first = chosen == "upscale-first"
        return Job(
            make_frames=engines.upscale_first if is_upscaled_first else engines.interpolate_first,
            mark=f"x{large.scale}_{rate_mark(planned.frame_rate)}",
            scale=large.scale,
            frame_rate=planned.frame_rate,
            notes=planned.notes,
        )

    return run_job(source, output, plan, reading=reading, writing=writing, on_progress=on_progress)


@dataclass(frozen=True, kw_only=True)
class _Engines:
    """Both engines, to be joined in either order; frames stream through them one by one."""

    upscaler: RecurrentUpscaler
    interpolator: FrameInterpolator[Any, Any]
    engine: EngineOptions | None
    timing: InterpolationOptions
    input_frame_rate: Fraction
    output_frame_rate: Fraction

    def upscale_first(self, frames: Iterable[Frame], on_work: WorkCounter) -> Iterator[Frame]:
        upscaling = _weighted(on_work, _SHARE_OF_UPSCALING)
        interpolating = _weighted(on_work, 1 - _SHARE_OF_UPSCALING)
        return self._interpolate(
            self._upscale(frames, self.input_frame_rate, upscaling), interpolating
        )

    def interpolate_first(self, frames: Iterable[Frame], on_work: WorkCounter) -> Iterator[Frame]:
        interpolating = _weighted(on_work, 1 - _SHARE_OF_UPSCALING)
        rate_factor = float(self.output_frame_rate / self.input_frame_rate)
        upscaling = _weighted(on_work, _SHARE_OF_UPSCALING / rate_factor)
        return self._upscale(
            self._interpolate(frames, interpolating), self.output_frame_rate, upscaling
        )

    def _upscale(
        self, frames: Iterable[Frame], frame_rate: Fraction, on_work: WorkCounter
    ) -> Iterator[Frame]:
        return upscale_frames(
            frames, self.upscaler, self.engine, frame_rate=frame_rate, on_work=on_work
        )

    def _interpolate(self, frames: Iterable[Frame], on_work: WorkCounter) -> Iterator[Frame]:
        return interpolate_frames(
            frames,
            self.interpolator,
            self.timing,
            frame_rate=self.input_frame_rate,
            on_work=on_work,
        )


def _choose_order(order: str) -> str:
    if order not in get_args(EnhanceOrder):
        raise ConfigError(
            f"order must be one of {', '.join(get_args(EnhanceOrder))}, got {order!r}"
        )
    return _BETTER_ORDER if order == "auto" else order


def _weighted(on_work: WorkCounter, weight: float) -> WorkCounter:
    return lambda work: on_work(work * weight)
