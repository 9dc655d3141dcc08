"""Upscale a video file or an image folder: read, run the engine, write."""

from collections.abc import Callable
from pathlib import Path

from msvsr.app.jobs import Job, Progress, VideoReport, run_job
from msvsr.engine.options import EngineOptions
from msvsr.engine.upscale import upscale_frames
from msvsr.frame import VideoInfo
from msvsr.models.catalog import default_model_folder
from msvsr.models.contract import RecurrentUpscaler
from msvsr.models.realbasicvsr import RealBasicVSR
from msvsr.video import OutputOptions, SourceOptions

__all__ = ["upscale_video"]


def upscale_video(
    source: str | Path,
    output: str | Path | None = None,
    *,
    model: RecurrentUpscaler | None = None,
    engine: EngineOptions | None = None,
    reading: SourceOptions | None = None,
    writing: OutputOptions | None = None,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> VideoReport:
    """Upscale a video by the model's factor, with its sound, its subtitles and its timestamps.

    Args:
        source: A video file, an http(s) URL, or a folder of images.
        output: A video file; a path without a video extension is a folder of PNGs. ``None`` puts
            it beside the source, with ``_x4`` in its name.
        model: The model; ``None`` is the embedded one.
        engine: How the video is cut into pieces for the model.
        reading: Which part of the source, and the rate of an image folder.
        writing: Codec, quality and what is kept.
        on_progress: Called several times per frame.

    Returns:
        What was done.

    Raises:
        VideoError: The source cannot be read or the output cannot be written; nothing is left of
            an output that was begun.
    """
    upscaler = model or RealBasicVSR.from_folder(default_model_folder())

    def plan(info: VideoInfo) -> Job:
        return Job(
            make_frames=lambda frames, on_work: upscale_frames(
                frames, upscaler, engine, frame_rate=info.frame_rate, on_work=on_work
            ),
            mark=f"x{upscaler.scale}",
            scale=upscaler.scale,
            frame_rate=info.frame_rate,
        )

    return run_job(source, output, plan, reading=reading, writing=writing, on_progress=on_progress)
