"""What every job on a video does: open, make frames, write them, tell how far it is."""

import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from msvsr.errors import VideoError
from msvsr.frame import Frame, VideoInfo
from msvsr.video import FrameSink, OutputOptions, SourceOptions, open_sink, open_source
from msvsr.video.base import FrameSource
from msvsr.video.opening import is_url

__all__ = [
    "Job",
    "OpenOutput",
    "Progress",
    "VideoReport",
    "WorkCounter",
    "default_output",
    "expected_frames",
    "rate_mark",
    "run_job",
]

WorkCounter = Callable[[float], None]
"""Takes the work done since the last call, in frames of the source."""

_KEPT_SUFFIXES = (".mp4", ".mkv", ".mov", ".webm")


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a job is.

    Attributes:
        frames_done: Work done, in frames of the source; a fraction because a frame goes through
            several stages.
        num_frames: Frames of the source, as the header tells; ``None`` when it does not.
        seconds: Time since the job began.
        last_frame: The frame of the output that was written last; ``None`` before the first.
    """

    frames_done: float
    num_frames: int | None
    seconds: float
    last_frame: Frame | None = None

    @property
    def frames_per_second(self) -> float:
        """Frames per second since the job began."""
        return self.frames_done / self.seconds if self.seconds > 0 else 0.0


@dataclass(frozen=True, kw_only=True)
class VideoReport:
    """What a job did.

    Attributes:
        output: The file or folder that was written.
        num_frames: Frames written.
        input_size: Height and width of the upright input in pixels.
        output_size: Height and width of the output in pixels.
        input_frame_rate: Average frames per second of the input, as well as its header tells.
        output_frame_rate: The same of the output.
        seconds: Wall-clock time.
        warnings: What could not be read or kept, one line each.
    """

    output: Path
    num_frames: int
    input_size: tuple[int, int]
    output_size: tuple[int, int]
    input_frame_rate: Fraction
    output_frame_rate: Fraction
    seconds: float
    warnings: tuple[str, ...]

    @property
    def frames_per_second(self) -> float:
        """Frames written per second."""
        return self.num_frames / self.seconds if self.seconds > 0 else 0.0


@dataclass(frozen=True, kw_only=True)
class Job:
    """How the frames of an opened source become those of an output.

    Attributes:
        make_frames: Turns the source's frames into those of the output, and counts its work.
        mark: What an output that nobody named has in its name.
        scale: Spatial factor.
        output_size: Height and width of the output, where it is not ``scale`` times the input.
        frame_rate: Frames per second of the output.
        notes: What the person should know beforehand, one line each.
    """

    make_frames: Callable[[Iterable[Frame], WorkCounter], Iterator[Frame]]
    mark: str
    scale: int = 1
    output_size: tuple[int, int] | None = None
    frame_rate: Fraction
    notes: tuple[str, ...] = ()


class OpenOutput(Protocol):
    """Prepares an output, as `msvsr.video.open_sink` does."""

    def __call__(
        self,
        output: Path,
        source: FrameSource,
        *,
        size: tuple[int, int],
        options: OutputOptions,
        frame_rate: Fraction,
    ) -> FrameSink:
        """Give the sink, to be used in a ``with`` block."""


def run_job(
    source: str | Path,
    output: str | Path | None,
    plan: Callable[[VideoInfo], Job],
    *,
    reading: SourceOptions | None,
    writing: OutputOptions | None,
    on_progress: Callable[[Progress], None],
    open_output: OpenOutput = open_sink,
) -> VideoReport:
    """Run a job from a source to an output.

    Args:
        source: A video file, an http(s) URL, or a folder of images.
        output: A video file; a path without a video extension is a folder of PNGs. ``None`` puts
            it beside the source, see `default_output`.
        plan: Says what to do with the source that was opened.
        reading: Which part of the source, and the rate of an image folder.
        writing: Codec, quality and what is kept.
        on_progress: Called several times per frame.
        open_output: Prepares the output.

    Returns:
        What was done.

    Raises:
        ConfigError: The options contradict each other or do not suit the source.
        VideoError: The source cannot be read or the output cannot be written; nothing is left of
            an output that was begun.
    """
    began = time.monotonic()
    writing = writing or OutputOptions()
    with open_source(source, reading) as frames:
        info, job = frames.info, plan(frames.info)
        target = Path(output) if output is not None else default_output(source, info, job.mark)
        size = job.output_size or (info.height * job.scale, info.width * job.scale)
        tracker = _Tracker(expected_frames(frames), began, on_progress)
        sink = open_output(target, frames, size=size, options=writing, frame_rate=job.frame_rate)
        with sink:
            for frame in job.make_frames(_up_to_the_cut(frames), tracker.advance):
                sink.write(frame)
                tracker.last_frame = frame
        return VideoReport(
            output=sink.path,
            num_frames=sink.num_frames,
            input_size=info.size,
            output_size=size,
            input_frame_rate=info.frame_rate,
            output_frame_rate=writing.constant_frame_rate or job.frame_rate,
            seconds=time.monotonic() - began,
            warnings=(*job.notes, *frames.warnings, *sink.warnings),
        )


def _up_to_the_cut(source: FrameSource) -> Iterator[Frame]:
    """The frames, with none shown beyond the instant where the source and its sound are cut."""
    stop = source.stop_seconds
    for frame in source:
        if stop is None or frame.duration is None:
            yield frame
            continue
        ticks_left = math.ceil((stop - frame.time_seconds) / frame.time_base)
        yield replace(frame, duration=max(min(frame.duration, ticks_left), 1))


def default_output(source: str | Path, info: VideoInfo, mark: str) -> Path:
    """Where the output goes when nobody says: beside the source, with a mark in its name.

    Args:
        source: The input; the output of a URL goes to the working directory.
        info: What is known about the input; a folder of images gives a folder.
        mark: What follows the source's name.

    Raises:
        VideoError: The source has no name.
    """
    path = Path(Path(urlsplit(str(source)).path).name if is_url(str(source)) else source)
    name = path.resolve().name if path.name in ("", ".", "..") else path.name
    if not name:
        raise VideoError(f"'{source}' gives no name for the output: name one")
    if info.is_image_folder:
        return path.resolve().with_name(f"{Path(name).stem}_{mark}")
    suffix = path.suffix.lower()
    return path.with_name(
        f"{Path(name).stem}_{mark}{suffix if suffix in _KEPT_SUFFIXES else '.mp4'}"
    )


def rate_mark(frame_rate: Fraction) -> str:
    """A frame rate in the name of an output.

    Example:
        >>> rate_mark(Fraction(60)), rate_mark(Fraction(60000, 1001))
        ('60fps', '59.94fps')
    """
    return f"{float(frame_rate):.3f}".rstrip("0").rstrip(".") + "fps"


class _Tracker:
    """Sums the work that the engine reports."""

    def __init__(
        self, num_frames: int | None, began: float, on_progress: Callable[[Progress], None]
    ) -> None:
        self._num_frames = num_frames
        self._began = began
        self._on_progress = on_progress
        self._done = 0.0
        self.last_frame: Frame | None = None

    def advance(self, work: float) -> None:
        self._done += work
        self._on_progress(
            Progress(
                frames_done=self._done,
                num_frames=self._num_frames,
                seconds=time.monotonic() - self._began,
                last_frame=self.last_frame,
            )
        )


def expected_frames(source: FrameSource) -> int | None:
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
