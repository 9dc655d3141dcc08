"""Upscale a video file or an image folder: read, run the engine, write."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from msvsr.engine.options import EngineOptions
from msvsr.engine.upscale import upscale_frames
from msvsr.errors import VideoError
from msvsr.frame import VideoInfo
from msvsr.models.catalog import default_model_folder
from msvsr.models.contract import RecurrentUpscaler
from msvsr.models.realbasicvsr import RealBasicVSR
from msvsr.video import OutputOptions, SourceOptions, open_sink, open_source
from msvsr.video.base import FrameSource
from msvsr.video.opening import is_url

__all__ = ["Progress", "UpscaleReport", "default_output", "upscale_video"]


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a job is.

    Attributes:
        frames_done: Work done, in frames; a fraction because a frame goes through several stages.
        num_frames: Frames in all, as the header tells; ``None`` when it does not.
        seconds: Time since the job began.
    """

    frames_done: float
    num_frames: int | None
    seconds: float

    @property
    def frames_per_second(self) -> float:
        """Frames per second since the job began."""
        return self.frames_done / self.seconds if self.seconds > 0 else 0.0


@dataclass(frozen=True, kw_only=True)
class UpscaleReport:
    """What a job did.

    Attributes:
        output: The file or folder that was written.
        num_frames: Frames written.
        input_size: Height and width of the upright input in pixels.
        output_size: Height and width of the output in pixels.
        seconds: Wall-clock time.
        warnings: What could not be read or kept, one line each.
    """

    output: Path
    num_frames: int
    input_size: tuple[int, int]
    output_size: tuple[int, int]
    seconds: float
    warnings: tuple[str, ...]

    @property
    def frames_per_second(self) -> float:
        """Frames written per second."""
        return self.num_frames / self.seconds if self.seconds > 0 else 0.0


def upscale_video(
    source: str | Path,
    output: str | Path | None = None,
    *,
    model: RecurrentUpscaler | None = None,
    engine: EngineOptions | None = None,
    reading: SourceOptions | None = None,
    writing: OutputOptions | None = None,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> UpscaleReport:
    """Upscale a video by the model's factor, with its sound, its subtitles and its timestamps.

    Args:
        source: A video file, an http(s) URL, or a folder of images.
        output: A video file; a path without a video extension is a folder of PNGs. ``None`` puts
            it beside the source, see `default_output`.
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
    began = time.monotonic()
    model = model or RealBasicVSR.from_folder(default_model_folder())
    with open_source(source, reading or SourceOptions()) as frames:
        target = Path(output) if output is not None else default_output(source, frames.info)
        height, width = (side * model.scale for side in frames.info.size)
        tracker = _Tracker(_expected_frames(frames), began, on_progress)
        with open_sink(target, frames, size=(height, width), options=writing) as sink:
            for frame in upscale_frames(
                frames, model, engine, frame_rate=frames.info.frame_rate, on_work=tracker.advance
            ):
                sink.write(frame)
        return UpscaleReport(
            output=sink.path,
            num_frames=sink.num_frames,
            input_size=frames.info.size,
            output_size=(height, width),
            seconds=time.monotonic() - began,
            warnings=(*frames.warnings, *sink.warnings),
        )


def default_output(source: str | Path, info: VideoInfo) -> Path:
    """Where the output goes when nobody says: beside the source, with ``_x4`` in its name.

    Args:
        source: The input; the output of a URL goes to the working directory.
        info: What is known about the input; a folder of images gives a folder.
    """
    path = Path(Path(urlsplit(str(source)).path).name if is_url(str(source)) else source)
    name = path.resolve().name if path.name in ("", ".", "..") else path.name
    if not name:
        raise VideoError(f"'{source}' gives no name for the output: name one")
    if info.is_image_folder:
        return path.resolve().with_name(f"{Path(name).stem}_x4")
    suffix = path.suffix.lower()
    return path.with_name(f"{Path(name).stem}_x4{suffix if suffix in _KEPT_SUFFIXES else '.mp4'}")


_KEPT_SUFFIXES = (".mp4", ".mkv", ".mov", ".webm")


class _Tracker:
    """Sums the work that the engine reports."""

    def __init__(
        self, num_frames: int | None, began: float, on_progress: Callable[[Progress], None]
    ) -> None:
        self._num_frames = num_frames
        self._began = began
        self._on_progress = on_progress
        self._done = 0.0

    def advance(self, work: float) -> None:
        self._done += work
        self._on_progress(
            Progress(
                frames_done=self._done,
                num_frames=self._num_frames,
                seconds=time.monotonic() - self._began,
            )
        )


def _expected_frames(source: FrameSource) -> int | None:
    """Frames that will come, as well as the header tells."""
    info, options = source.info, source.options
    duration = info.duration_seconds_from_header
    if (
        options.start_seconds is None
        and options.end_seconds is None
        and info.num_frames_from_header
    ):
        return info.num_frames_from_header
    if duration is None and options.end_seconds is None:
        return None
    start = options.start_seconds or 0
    end = min(x for x in (options.end_seconds, duration) if x is not None)
    return max(round((end - start) * info.frame_rate), 1)
