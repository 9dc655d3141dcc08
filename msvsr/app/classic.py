"""Classical enhancement of a video file, an image folder or an image: read, filter, write."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from msvsr.app.jobs import Job, Progress, VideoReport, WorkCounter, run_job
from msvsr.classical import Step, apply_steps, parse_steps, planned_size
from msvsr.errors import ConfigError, VideoError
from msvsr.frame import Frame, VideoInfo
from msvsr.video import FrameSink, OutputOptions, SourceOptions, open_sink
from msvsr.video.base import FrameSource
from msvsr.video.image_writing import ImageFileWriter
from msvsr.video.images import IMAGE_SUFFIXES

__all__ = ["classic_video"]

_MARK = "classic"
_DEEP = 8  # bits per sample, above which PNGs get 16


def classic_video(
    source: str | Path,
    output: str | Path | None = None,
    *,
    steps: str | Sequence[Step],
    reading: SourceOptions | None = None,
    writing: OutputOptions | None = None,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> VideoReport:
    """Run filters over a video frame by frame, with its sound, its subtitles and its timestamps.

    Args:
        source: A video file, an http(s) URL, a folder of images, or an image.
        output: A video file; a path without a video extension is a folder of PNGs. An image may
            become an image: ``.png``, ``.jpg`` and so on. ``None`` puts it beside the source, with
            ``_classic`` in its name.
        steps: What to do, in order: steps of `msvsr.classical`, or a text such as
            ``unsharp:amount=0.8,upscale:factor=2``.
        reading: Which part of the source, and the rate of an image folder.
        writing: Codec, quality and what is kept. PNGs get 16 bits when the source has more than 8.
        on_progress: Called once per frame.

    Returns:
        What was done.

    Raises:
        ConfigError: A step is unknown, or an option wrong.
        VideoError: The source cannot be read or the output cannot be written; nothing is left of
            an output that was begun.
    """
    chosen = parse_steps(steps) if isinstance(steps, str) else tuple(steps)
    if not chosen:
        raise ConfigError("there is no step: expected at least one, such as sharpen")

    def make_frames(frames: Iterable[Frame], on_work: WorkCounter) -> Iterator[Frame]:
        for frame in frames:
            yield frame.with_image(apply_steps(frame.image, chosen))
            on_work(1)

    def plan(info: VideoInfo) -> Job:
        return Job(
            make_frames=make_frames,
            mark=_MARK,
            output_size=planned_size(info.size, chosen),
            frame_rate=info.frame_rate,
        )

    if output is None and _is_image(source):
        output = Path(source).with_name(f"{Path(source).stem}_{_MARK}.png")
    return run_job(
        source,
        output,
        plan,
        reading=reading,
        writing=writing,
        on_progress=on_progress,
        open_output=_open_output,
    )


def _is_image(source: str | Path) -> bool:
    path = Path(source)
    return path.suffix.lower() in IMAGE_SUFFIXES and path.is_file()


def _open_output(
    output: Path,
    source: FrameSource,
    *,
    size: tuple[int, int],
    options: OutputOptions,
    frame_rate: Fraction,
) -> FrameSink:
    """A file for an image that becomes one, otherwise as always."""
    suffix = output.suffix.lower()
    if suffix in IMAGE_SUFFIXES and _is_image(source.info.location):
        if output.exists() and output.samefile(source.info.location):
            raise VideoError(f"{output}: the output is the input; name another output.")
        return FrameSink(output, ImageFileWriter(suffix), options, source=source, size=size)
    if source.info.bit_depth > _DEEP:
        options = replace(options, png_bit_depth=16)
    return open_sink(output, source, size=size, options=options, frame_rate=frame_rate)
