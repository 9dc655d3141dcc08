"""The demonstration: what both embedded models do, on a drawn clip or on the beginning of a file.

A small, noisy, compressed clip is upscaled and set beside bicubic interpolation. Of the drawn clip
the truth is known, so that the gain can be measured. Then every other frame is left out, made
again, and compared with the one that was left out.
"""

import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from msvsr.app.demo_clip import DEMO_FRAME_RATE, render_demo_clip
from msvsr.app.demo_compare import Comparison, Scores, as_bytes, compare
from msvsr.app.demo_interpolate import Interpolate, Remade, can_remake, remake
from msvsr.app.demo_panels import Detail
from msvsr.app.interpolate import interpolate_video
from msvsr.app.jobs import Progress, VideoReport
from msvsr.app.upscale import upscale_video
from msvsr.degradations import (
    BlurConfig,
    DegradationConfig,
    Degrader,
    JpegConfig,
    NoiseConfig,
    ResizeConfig,
)
from msvsr.errors import VideoError
from msvsr.frame import Frame
from msvsr.models.catalog import default_model_folder
from msvsr.models.realbasicvsr import RealBasicVSR
from msvsr.video import OutputOptions, SourceOptions, open_sink, open_source, probe

__all__ = ["DemoResult", "Upscale", "run_demo", "show_demo"]

Image = npt.NDArray[np.uint8]
Upscale = Callable[[str | Path, Path, SourceOptions], VideoReport]
"""Upscales part of a video into a folder of PNGs."""

_SCALE = 4
_CRF = 25  # of the low-quality clip: about what a messenger leaves of a video
_PIXELS_OF_A_FILE = 72 * 320 * 180  # how much of a file is upscaled: seconds, not minutes
_LONGEST_SIDE = 960  # of the frames that are left out and made again
_DETAILS_OF_THE_CLIP = (  # of its middle frame
    Detail(x=208, y=30, width=260, height=104),  # a sign
    Detail(x=196, y=470, width=260, height=104),  # spokes and bricks
    Detail(x=800, y=520, width=260, height=104),  # lettering in motion
)

_DEGRADATION = DegradationConfig(
    scale=_SCALE,
    blur=BlurConfig(probability=1, anisotropic_probability=0, sigma_range=(1.2, 1.6)),
    early_resize=ResizeConfig(probability=0),
    early_noise=NoiseConfig(probability=0),
    early_jpeg=JpegConfig(probability=0),
    final_modes=("area",),
    noise=NoiseConfig(probability=1, gaussian_probability=1, gaussian_sigma_range=(3, 5)),
    codec_probability=0,  # the clip is written as a real video afterwards
    jpeg=JpegConfig(probability=0),
)


@dataclass(frozen=True, kw_only=True)
class DemoResult:
    """What the demonstration made.

    Attributes:
        source: The low-quality clip.
        report: How the upscaling went.
        comparison: The pictures, videos and scores.
        remade: What came of making every other frame again; ``None`` where there are too few.
    """

    source: str | Path
    report: VideoReport
    comparison: Comparison
    remade: Remade | None


def run_demo(
    source: str | Path | None = None,
    output_dir: Path = Path("demo"),
    *,
    num_frames: int = 24,
    upscale: Upscale | None = None,
    interpolate: Interpolate | None = None,
    on_step: Callable[[str], None] = lambda _: None,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> DemoResult:
    """Upscale a clip, set the result beside bicubic interpolation, and make its frames again.

    Args:
        source: A video or a folder of images, of which the beginning is taken; ``None`` draws a
            clip and degrades it.
        output_dir: Where the pictures and videos go; files of an earlier run are replaced.
        num_frames: Length of the drawn clip.
        upscale: What upscales; the embedded model by default.
        interpolate: What makes frames; the embedded model by default.
        on_step: Told what happens next.
        on_progress: Called several times per upscaled frame by the embedded model.

    Returns:
        Where everything is, and the scores when the ground truth is known.

    Raises:
        VideoError: The source cannot be read, or nothing can be written to the folder.
    """
    try:
        output_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise VideoError(f"{output_dir}: no folder can be made there ({error.strerror})") from error
    upscale = upscale or partial(_upscale_with_embedded_model, on_progress=on_progress)
    with tempfile.TemporaryDirectory(prefix=".scratch-", dir=output_dir) as name:
        scratch = Path(name)
        ground_truth: list[Image] = []
        if source is None:
            on_step("drawing a clip and degrading it")
            ground_truth = list(render_demo_clip(num_frames))
            source = _write_low_quality(ground_truth, output_dir / "low_quality.mp4")
            reading = SourceOptions()
        else:
            reading = _beginning(source)
        on_step("upscaling")
        report = upscale(source, scratch / "upscaled", reading)
        on_step("comparing with bicubic interpolation")
        comparison = compare(
            source,
            reading,
            report.output,
            output_dir,
            ground_truth=ground_truth,
            details=_DETAILS_OF_THE_CLIP if ground_truth else (),
        )
        images, frame_rate = ground_truth, Fraction(DEMO_FRAME_RATE)
        if not images:
            images, frame_rate = _read(source, reading)
        remade = None
        if can_remake(images):
            on_step("making every other frame again")
            remade = remake(
                [_shrink(image) for image in images],
                frame_rate,
                interpolate or _interpolate_with_embedded_model,
                output_dir,
                scratch,
            )
    return DemoResult(source=source, report=report, comparison=comparison, remade=remade)


def _read(source: str | Path, reading: SourceOptions) -> tuple[list[Image], Fraction]:
    with open_source(source, reading) as frames:
        return [as_bytes(frame) for frame in frames], frames.info.frame_rate


def _shrink(image: Image) -> Image:
    """Shrink a large frame by a whole number, so that frames are made in seconds."""
    height, width = image.shape[:2]
    factor = -(-max(height, width) // _LONGEST_SIDE)
    size = (width // factor, height // factor)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _write_low_quality(ground_truth: Sequence[Image], target: Path) -> Path:
    """Write the clip as a phone would send it on: blurred, small, noisy, compressed."""
    clip = Degrader(_DEGRADATION)(np.stack(ground_truth), np.random.default_rng(0))
    writing = OutputOptions(crf=_CRF, overwrite=True)
    with open_sink(target, size=clip.shape[1:3], options=writing) as sink:
        for index, image in enumerate(clip):
            tick = Fraction(1, DEMO_FRAME_RATE)
            sink.write(Frame(image=image, pts=index, time_base=tick, duration=1))
    return target


def _beginning(source: str | Path) -> SourceOptions:
    """Take as much of a file as takes seconds to upscale."""
    info = probe(source)
    num_frames = max(8, min(72, _PIXELS_OF_A_FILE // (info.height * info.width)))
    # Half a frame less: the last frame's instant may be rounded upwards.
    end_seconds = (num_frames - Fraction(1, 2)) / info.frame_rate
    return SourceOptions(end_seconds=end_seconds)


def _upscale_with_embedded_model(
    source: str | Path,
    target: Path,
    reading: SourceOptions,
    *,
    on_progress: Callable[[Progress], None],
) -> VideoReport:
    return upscale_video(
        source,
        target,
        model=RealBasicVSR.from_folder(default_model_folder()),
        reading=reading,
        writing=OutputOptions(keep_audio=False, keep_subtitles=False),
        on_progress=on_progress,
    )


def _interpolate_with_embedded_model(
    source: Path, target: Path, reading: SourceOptions
) -> VideoReport:
    return interpolate_video(source, target, reading=reading)


def show_demo(result: DemoResult) -> None:
    """Write to stdout what the demonstration found, and where everything is."""
    sys.stdout.write("\n".join(_describe(result)) + "\n")


def _describe(result: DemoResult) -> Iterator[str]:
    report, comparison = result.report, result.comparison
    height, width = report.input_size
    yield (
        f"{report.num_frames} frames of {width}x{height} upscaled to "
        f"{report.output_size[1]}x{report.output_size[0]} in {report.seconds:.1f} s "
        f"({report.frames_per_second:.2f} frames/s)"
    )
    yield from (f"warning: {warning}" for warning in report.warnings)
    if comparison.bicubic is not None and comparison.model is not None:
        yield from _table("bicubic", comparison.bicubic, comparison.model)
    remade = result.remade
    if remade is not None:
        height, width = remade.report.output_size
        yield ""
        yield (
            f"every other frame left out and made again: {remade.num_made} of {width}x{height} "
            f"in {remade.report.seconds:.1f} s"
        )
        yield from _table("blend", remade.blend, remade.model)
    yield ""
    yield f"input    {result.source}"
    yield f"output   {comparison.upscaled}"
    yield f"pictures {comparison.picture}"
    if remade is not None:
        yield f"         {remade.picture}"
    yield f"videos   {comparison.video}"
    if remade is not None:
        yield f"         {remade.video}"


def _table(plain_name: str, plain: Scores, model: Scores) -> Iterator[str]:
    yield ""
    yield f"{'':8} {'PSNR (Y)':>11} {'PSNR (RGB)':>13}"
    for name, scores in ((plain_name, plain), ("msvsr", model)):
        yield f"{name:8} {scores.psnr_y:8.2f} dB {scores.psnr_rgb:10.2f} dB"
    if model != plain:  # of what stands still both are perfect
        gain_y, gain_rgb = model.psnr_y - plain.psnr_y, model.psnr_rgb - plain.psnr_rgb
        yield f"{'gain':8} {gain_y:+8.2f} dB {gain_rgb:+10.2f} dB"
