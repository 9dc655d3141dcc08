"""What the original project's inference script does, on the package's own engine."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path

from msvsr.app.jobs import Job, Progress, VideoReport, WorkCounter, run_job
from msvsr.app.lending import Lender
from msvsr.compat.named_images import joined_folder, result_names
from msvsr.compat.original_config import read_generator_config
from msvsr.engine.options import EngineOptions
from msvsr.engine.upscale import upscale_frames
from msvsr.errors import ConfigError, VideoError
from msvsr.frame import Frame, VideoInfo
from msvsr.models.checkpoints import load_weights, read_checkpoint
from msvsr.models.devices import choose_device, choose_dtype
from msvsr.models.realbasicvsr import RealBasicVSR, build_network
from msvsr.video import FrameSink, OutputOptions, SourceOptions, open_sink, probe
from msvsr.video.base import FrameSource
from msvsr.video.encoding import is_video_name
from msvsr.video.image_writing import NamedImageWriter

__all__ = ["InferenceOptions", "load_original_model", "run_inference"]

_DEFAULT_RATE = Fraction(25)


@dataclass(frozen=True, kw_only=True)
class InferenceOptions:
    """The options of the original script.

    Attributes:
        max_seq_len: Frames that are processed at a time, independently of all others. ``None``
            propagates over the whole clip, as the script does, but in bounded memory.
        is_save_as_png: A folder of images becomes one of PNGs; otherwise its formats stay.
        fps: Frames per second of an output video. ``None`` is 25 for images, and a video's own
            timestamps, where the script takes 25 as well. Any other rate than a video's own shows
            every frame at that rate, without sound, as the script does.
    """

    max_seq_len: int | None = None
    is_save_as_png: bool = True
    fps: Fraction | None = None

    def __post_init__(self) -> None:
        length, rate = self.max_seq_len, self.fps
        if length is not None and (isinstance(length, bool) or length < 1):
            raise ConfigError(f"max_seq_len must be a whole number of at least 1, got {length!r}")
        if rate is not None and not 0 < rate <= 1000:
            raise ConfigError(f"fps must lie above 0 and at most at 1000, got {rate}")

    @property
    def engine(self) -> EngineOptions:
        """The same for the engine: no context around a window, no look at cuts."""
        return EngineOptions(max_frames=self.max_seq_len, overlap=0, detect_cuts=False)


def load_original_model(
    config: Path, checkpoint: Path, *, device: str = "auto", dtype: str = "auto"
) -> RealBasicVSR:
    """Load a model as the original project keeps it.

    Args:
        config: Its Python configuration; read, never executed.
        checkpoint: Its weights, with or without ``generator.`` before the names, averaged ones
            preferred.
        device: Name of the device, see `msvsr.models.devices.choose_device`.
        dtype: Name of the type, see `msvsr.models.devices.choose_dtype`.

    Raises:
        ConfigError: The configuration cannot be read.
        CheckpointError: The weights are missing or belong to another network.
    """
    place = choose_device(device)  # before anything large is read
    choose_dtype(dtype, place)
    generator = read_generator_config(config)
    network = build_network(generator)
    load_weights(network, read_checkpoint(checkpoint), str(checkpoint))
    return RealBasicVSR(
        network, device=place, dtype=dtype, refine_threshold=generator.dynamic_refine_thres
    )


def run_inference(
    model: RealBasicVSR,
    source: str | Path,
    output: str | Path,
    options: InferenceOptions | None = None,
    *,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> VideoReport:
    """Upscale as the original script does.

    An output that is there already is replaced; in a folder only the files of the same names are.

    Args:
        model: The model.
        source: A folder of images or a video.
        output: A video file; a path without a video extension is a folder of images, named after
            those of the source, or 00000000.png and so on for the frames of a video.
        options: The script's options.
        on_progress: Called several times per frame.

    Returns:
        What was done.

    Raises:
        ConfigError: An option is wrong.
        VideoError: The source cannot be read or the output cannot be written.
    """
    options, target = options or InferenceOptions(), Path(output)
    info = probe(source)
    is_retimed = not info.is_image_folder and options.fps not in (None, info.frame_rate)
    run = partial(
        run_job,
        source,
        plan=partial(_plan, model, options, options.fps if is_retimed else None),
        reading=SourceOptions(
            frame_rate=(options.fps or _DEFAULT_RATE) if info.is_image_folder else None
        ),
        writing=OutputOptions(overwrite=True),
        on_progress=on_progress,
    )
    if is_video_name(target):
        return run(target, open_output=_open_without_sound if is_retimed else open_sink)
    if info.is_image_folder and target.exists() and target.samefile(source):
        raise VideoError(f"{target}: the output is the input; name another output.")
    with joined_folder(target) as place:
        open_output = partial(_open_images, _names(source, info, options))
        return replace(run(place, open_output=open_output), output=target)


def _names(source: str | Path, info: VideoInfo, options: InferenceOptions) -> dict[int, str] | None:
    if not info.is_image_folder:
        return None
    return dict(result_names(Path(source), as_png=options.is_save_as_png))


def _plan(
    model: RealBasicVSR, options: InferenceOptions, new_rate: Fraction | None, info: VideoInfo
) -> Job:
    rate = new_rate or info.frame_rate

    def make_frames(frames: Iterable[Frame], on_work: WorkCounter) -> Iterator[Frame]:
        timed = frames if new_rate is None else _at_rate(frames, new_rate)
        return upscale_frames(timed, model, options.engine, frame_rate=rate, on_work=on_work)

    lost = bool(info.audio_streams or info.subtitle_streams) and new_rate is not None
    note = (
        f"{info.location}: sound and subtitles are left out, because its frames are shown at "
        f"{float(rate):g} instead of {float(info.frame_rate):.5g} per second; leave --fps out to "
        "keep them."
    )
    return Job(
        make_frames=make_frames,
        mark=f"x{model.scale}",
        scale=model.scale,
        frame_rate=rate,
        notes=(note,) if lost else (),
    )


def _at_rate(frames: Iterable[Frame], rate: Fraction) -> Iterator[Frame]:
    """Every frame, at a constant rate from zero on."""
    for number, frame in enumerate(frames):
        yield replace(frame, pts=number, time_base=1 / rate, duration=1)


def _open_without_sound(
    output: Path,
    source: FrameSource,
    *,
    size: tuple[int, int],
    options: OutputOptions,
    frame_rate: Fraction,
) -> FrameSink:
    """A video whose clock is not the source's, so that sound and chapters have no place in it."""
    info = replace(
        source.info,
        audio_streams=(),
        subtitle_streams=(),
        chapters=(),
        other_streams=tuple(
            stream for stream in source.info.other_streams if stream.kind == "video"
        ),
    )
    silent = replace(options, keep_audio=False, keep_subtitles=False)
    return open_sink(output, Lender(info=info), size=size, options=silent, frame_rate=frame_rate)


def _open_images(
    names: dict[int, str] | None,
    output: Path,
    source: FrameSource,
    *,
    size: tuple[int, int],
    options: OutputOptions,
    frame_rate: Fraction,
) -> FrameSink:
    """A folder of images with names of their own, or with numbers."""
    if names is None:
        return open_sink(output, source, size=size, options=options, frame_rate=frame_rate)
    writer = NamedImageWriter(options, names=names)
    return FrameSink(output, writer, options, source=source, size=size)
