"""What a job of the page is, and how it is done with the package's own functions."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal, get_args

import psutil

from msvsr.app.classic import classic_video
from msvsr.app.enhance import enhance_video
from msvsr.app.interpolate import interpolate_video
from msvsr.app.jobs import Progress, VideoReport
from msvsr.app.upscale import upscale_video
from msvsr.classical import parse_steps
from msvsr.engine.options import EngineOptions, InterpolationOptions
from msvsr.errors import ConfigError
from msvsr.frame import VideoInfo
from msvsr.models.catalog import FRAME_INTERPOLATION_TASK, SUPER_RESOLUTION_TASK
from msvsr.models.raft_interpolation import RaftInterpolation
from msvsr.models.realbasicvsr import RealBasicVSR
from msvsr.plugin.hub import resolve_model
from msvsr.video import OutputOptions, SourceOptions

__all__ = ["JobRequest", "ModelShelf", "OutputKind", "Task", "read_rate", "run_request"]

Task = Literal["upscale", "interpolate", "both", "classic"]
OutputKind = Literal["video", "images"]

_UPSCALING: frozenset[Task] = frozenset({"upscale", "both"})
_INTERPOLATING: frozenset[Task] = frozenset({"interpolate", "both"})
_NTSC_RATES = tuple(Fraction(whole * 1000, 1001) for whole in (24, 30, 48, 60, 120))
_TIMES = "xX"


@dataclass(frozen=True, kw_only=True)
class JobRequest:
    """What somebody asks for on the page.

    Attributes:
        source: A video, an image or a folder of images.
        task: What is to be done.
        upscale_model: Folder, shipped name or Hub id; ``None`` is the embedded model.
        interpolate_model: The same for interpolation.
        device: As in `msvsr.models.devices.choose_device`.
        refine_threshold: Clean again while the mean residue is at least this, in 0-255 units;
            ``None`` takes the model's own value.
        timing: The instants of the output, where frames are made.
        steps: What classical enhancement does, as `msvsr classic --steps` takes it.
        image_rate: Frames per second of a folder of images; ``None`` is 25.
        crf: Constant quality of a video, lower is better.
        output_kind: A video, or PNGs.
    """

    source: Path
    task: Task = "upscale"
    upscale_model: str | None = None
    interpolate_model: str | None = None
    device: str = "auto"
    refine_threshold: float | None = None
    timing: InterpolationOptions | None = None
    steps: str = ""
    image_rate: Fraction | None = None
    crf: int = 18
    output_kind: OutputKind = "video"

    def __post_init__(self) -> None:
        if self.task not in get_args(Task):
            raise ConfigError(f"task must be one of {', '.join(get_args(Task))}, got {self.task!r}")
        EngineOptions(refine_threshold=self.refine_threshold)
        OutputOptions(crf=self.crf)
        if self.task == "classic":
            parse_steps(self.steps)

    @property
    def upscales(self) -> bool:
        """Whether a network makes the frames larger."""
        return self.task in _UPSCALING

    @property
    def interpolates(self) -> bool:
        """Whether a network makes frames between frames."""
        return self.task in _INTERPOLATING

    def output_rate(self, info: VideoInfo) -> Fraction:
        """Frames per second that come out of a source."""
        rate = self.image_rate if info.is_image_folder and self.image_rate else info.frame_rate
        timing = self.timing or InterpolationOptions()
        return timing.output_rate(rate) if self.interpolates else rate


class ModelShelf:
    """Keeps the model that was used last for each task, so that the next job need not load it.

    Attributes:
        process_bytes: Memory of the process before it loaded any model.
    """

    def __init__(self) -> None:
        self.process_bytes = int(psutil.Process().memory_info().rss)
        self._key: dict[str, tuple[Path, str]] = {}
        self._upscaler: RealBasicVSR | None = None
        self._interpolator: RaftInterpolation | None = None

    def upscaler(self, model: str | None, device: str) -> RealBasicVSR:
        """A model that makes frames larger.

        Raises:
            ConfigError: There is no such model or device.
            CheckpointError: Its weights are missing or damaged.
        """
        key = (resolve_model(model), device)
        if self._upscaler is None or self._key.get(SUPER_RESOLUTION_TASK) != key:
            self._upscaler = None  # first, so that two never stand in memory
            self._upscaler = RealBasicVSR.from_folder(key[0], device=device)
            self._key[SUPER_RESOLUTION_TASK] = key
        return self._upscaler

    def interpolator(self, model: str | None, device: str) -> RaftInterpolation:
        """A model that makes frames between frames.

        Raises:
            ConfigError: There is no such model or device.
            CheckpointError: Its weights are missing or damaged.
        """
        key = (resolve_model(model, FRAME_INTERPOLATION_TASK), device)
        if self._interpolator is None or self._key.get(FRAME_INTERPOLATION_TASK) != key:
            self._interpolator = None
            self._interpolator = RaftInterpolation.from_folder(key[0], device=device)
            self._key[FRAME_INTERPOLATION_TASK] = key
        return self._interpolator


def run_request(
    request: JobRequest,
    output: Path,
    shelf: ModelShelf,
    on_progress: Callable[[Progress], None],
) -> VideoReport:
    """Do what a request asks for.

    Args:
        request: The request.
        output: A video file, or a path without a video extension for a folder of PNGs.
        shelf: Where models come from.
        on_progress: Called several times per frame.

    Raises:
        MsvsrError: It cannot be done; nothing is left of an output that was begun.
    """
    if request.task == "classic":
        return _run_classic(request, output, on_progress)
    reading = SourceOptions(frame_rate=request.image_rate)
    writing = OutputOptions(crf=request.crf)
    engine = EngineOptions(refine_threshold=request.refine_threshold)
    if request.task == "upscale":
        return upscale_video(
            request.source,
            output,
            model=shelf.upscaler(request.upscale_model, request.device),
            engine=engine,
            reading=reading,
            writing=writing,
            on_progress=on_progress,
        )
    interpolator = shelf.interpolator(request.interpolate_model, request.device)
    if request.task == "interpolate":
        return interpolate_video(
            request.source,
            output,
            model=interpolator,
            timing=request.timing,
            reading=reading,
            writing=writing,
            on_progress=on_progress,
        )
    return enhance_video(
        request.source,
        output,
        upscaler=shelf.upscaler(request.upscale_model, request.device),
        interpolator=interpolator,
        engine=engine,
        timing=request.timing,
        reading=reading,
        writing=writing,
        on_progress=on_progress,
    )


def read_rate(text: str) -> InterpolationOptions:
    """Read an output rate: a number of frames per second, or a multiple of the source's.

    Example:
        >>> read_rate("59.94").out_fps, read_rate("2.5x").interp_ratio
        (Fraction(60000, 1001), Fraction(5, 2))
    """
    stripped = text.strip()
    is_ratio = stripped.strip(_TIMES) != stripped
    try:
        value = Fraction(stripped.strip(_TIMES))
    except (ValueError, ZeroDivisionError) as error:
        raise ConfigError(
            f"'{text}' is no output rate: expected frames per second, such as 60, or a multiple, "
            "such as 2x"
        ) from error
    if is_ratio:
        return InterpolationOptions(interp_ratio=value)
    short_forms = {round(exact, digits): exact for exact in _NTSC_RATES for digits in (2, 3)}
    return InterpolationOptions(out_fps=short_forms.get(value, value))


def _run_classic(
    request: JobRequest, output: Path, on_progress: Callable[[Progress], None]
) -> VideoReport:
    return classic_video(
        request.source,
        output,
        steps=parse_steps(request.steps),
        reading=SourceOptions(frame_rate=request.image_rate),
        writing=OutputOptions(crf=request.crf),
        on_progress=on_progress,
    )
