"""What a job will need: its time from a short trial, its memory from what the engines keep.

A trial does the very request on a few small frames of its own source, so that decoding, the
network, the device and encoding are all in it. Time per pixel and frame hardly depends on the size
of the frames, so that a small trial tells what a large video takes.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice
from pathlib import Path

import cv2
import psutil
from torch import nn

from msvsr.engine.options import EngineOptions
from msvsr.errors import VideoError
from msvsr.frame import Frame, ImageArray, VideoInfo
from msvsr.models.realbasicvsr import RealBasicVSR
from msvsr.ui.requests import JobRequest, ModelShelf, run_request
from msvsr.ui.worker import Reporter
from msvsr.video import OutputOptions, SourceOptions, open_sink, open_source

__all__ = ["Estimate", "Need", "TrialOrder", "estimate", "measure_seconds_per_pixel"]

_TRIAL_PIXELS = (12_000, 60_000, 240_000, 920_000)
"""Sizes of a trial's frames; a larger one follows while a smaller one was too quick to tell."""

_NUM_TRIAL_FRAMES = 5
_ENOUGH_SECONDS = 0.8
_MIN_SIDE = 16

_MEBIBYTE = 2**20
_UPSCALING_BYTES = 80 * _MEBIBYTE
_INTERPOLATION_BYTES = 30 * _MEBIBYTE
_INTERPOLATION_BYTES_PER_PIXEL = 1200
"""Of the networks' layers and tables, measured on a CPU from 160x96 to 1280x720 with networks of
the embedded and of the official size."""

_KEPT_IMAGE_BYTES = 3 * 4 + 2 * 4  # a cleaned frame and a flow, float32
_STAGE_BYTES = 96 * _MEBIBYTE  # of a stage at work on a CPU, see msvsr.engine.tiles
_ENCODER_BYTES_PER_PIXEL = 4
_NUM_FRAMES_IN_ENCODER = 50
_CLASSIC_BYTES_PER_PIXEL = 60
_MAX_SHOT_FRAMES = EngineOptions().max_shot_frames


@dataclass(frozen=True, kw_only=True)
class Need:
    """What a trial found out about a request.

    Attributes:
        seconds_per_pixel: Per pixel of a frame of the source.
        process_bytes: Memory of the process with its models, before any frame.
        kept_bytes_per_pixel: What upscaling keeps of each frame of a shot, per pixel.
        scale: Height of the output over that of the source.
    """

    seconds_per_pixel: float
    process_bytes: int
    kept_bytes_per_pixel: int = 0
    scale: Fraction = Fraction(1)


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What a job will need.

    Attributes:
        seconds: Wall-clock time; ``None`` when the number of frames is unknown.
        memory_bytes: Largest memory of the process.
        free_bytes: Memory that is free now.
        output_size: Height and width of the output in pixels.
        output_rate: Frames per second of the output.
        num_output_frames: Frames of the output; ``None`` when unknown.
    """

    seconds: float | None
    memory_bytes: int
    free_bytes: int
    output_size: tuple[int, int]
    output_rate: Fraction
    num_output_frames: int | None


@dataclass(frozen=True, kw_only=True)
class TrialOrder:
    """Try a request on a few small frames.

    Attributes:
        request: The request.
    """

    request: JobRequest

    def run(self, shelf: ModelShelf, reporter: Reporter) -> Need:
        """Do it, in the process that does the work."""
        request, kept = self.request, 0
        process_bytes = shelf.process_bytes
        if request.upscales:
            upscaler = shelf.upscaler(request.upscale_model, request.device)
            kept = _kept_bytes_per_pixel(upscaler)
            process_bytes += _weight_bytes(upscaler.network)
        if request.interpolates:
            interpolator = shelf.interpolator(request.interpolate_model, request.device)
            process_bytes += _weight_bytes(interpolator.networks)
        scales: list[Fraction] = []

        def run(source: Path, output: Path) -> None:
            report = run_request(
                replace(request, source=source, image_rate=None, output_kind="video"),
                output,
                shelf,
                lambda _: None,
            )
            scales.append(Fraction(report.output_size[0], report.input_size[0]))

        seconds = measure_seconds_per_pixel(request.source, run, request.image_rate)
        return Need(
            seconds_per_pixel=seconds,
            process_bytes=process_bytes,
            kept_bytes_per_pixel=kept,
            scale=scales[-1],
        )


def measure_seconds_per_pixel(
    source: Path, run: Callable[[Path, Path], None], image_rate: Fraction | None = None
) -> float:
    """Time a job on small frames of its source, on larger ones until the time says something.

    Args:
        source: Where frames come from.
        run: Does the job from a file to a file.
        image_rate: Frames per second of a folder of images.

    Returns:
        Seconds per pixel of a frame of the source.
    """
    with tempfile.TemporaryDirectory(prefix="msvsr-") as name:
        for number, num_pixels in enumerate(_TRIAL_PIXELS):
            clip = Path(name) / f"trial{number}.mkv"
            work = _write_trial(source, clip, num_pixels, image_rate)
            began = time.monotonic()
            run(clip, Path(name) / f"output{number}.mp4")
            seconds = time.monotonic() - began
            if seconds >= _ENOUGH_SECONDS:
                break
    return seconds / work


def _write_trial(source: Path, clip: Path, num_pixels: int, image_rate: Fraction | None) -> int:
    """Write the first frames of a source at another size; tell how many pixels they have in all."""
    with open_source(source, SourceOptions(frame_rate=image_rate)) as frames:
        size = _scaled_size(frames.info.size, num_pixels)
        rate = frames.info.frame_rate
        images = [frame.image for frame in islice(frames, _NUM_TRIAL_FRAMES)]
    if not images:
        raise VideoError(f"{source}: not one frame can be decoded; check the file")
    images += [images[-1]] * (_NUM_TRIAL_FRAMES - len(images))
    with open_sink(clip, size=size, options=OutputOptions(codec="ffv1"), frame_rate=rate) as sink:
        for frame in _frames_of(images, size, rate):
            sink.write(frame)
    return _NUM_TRIAL_FRAMES * size[0] * size[1]


def _scaled_size(size: tuple[int, int], num_pixels: int) -> tuple[int, int]:
    factor = (num_pixels / (size[0] * size[1])) ** 0.5
    return max(round(size[0] * factor), _MIN_SIDE), max(round(size[1] * factor), _MIN_SIDE)


def _frames_of(images: list[ImageArray], size: tuple[int, int], rate: Fraction) -> Iterator[Frame]:
    for number, image in enumerate(images):
        resized: ImageArray = cv2.resize(  # type: ignore[assignment]
            image, (size[1], size[0]), interpolation=cv2.INTER_AREA
        )
        yield Frame(image=resized, pts=number, time_base=1 / rate, duration=1)


def _weight_bytes(network: nn.Module) -> int:
    return sum(parameter.nbytes for parameter in network.parameters())


def _kept_bytes_per_pixel(model: RealBasicVSR) -> int:
    feature_bytes: int = model.feature_channels * model.feature_dtype.itemsize
    return _KEPT_IMAGE_BYTES + feature_bytes


def estimate(request: JobRequest, info: VideoInfo, need: Need) -> Estimate:
    """Say what a job will need.

    Args:
        request: The request.
        info: Of its source.
        need: What a trial of a request like it found.
    """
    num_frames = _num_frames(request, info)
    rate_factor = request.output_rate(info) / _input_rate(request, info)
    upscaled_frames = num_frames
    if request.task == "both":  # the network sees the new frames as well
        upscaled_frames = None if num_frames is None else round(num_frames * rate_factor)
    pixels = info.height * info.width
    size = (round(info.height * need.scale), round(info.width * need.scale))
    num_output = None if num_frames is None else max(round(num_frames * rate_factor), 1)
    memory = (
        need.process_bytes
        + (_interpolation_bytes(pixels) if request.interpolates else 0)
        + (_upscaling_bytes(pixels, upscaled_frames, need) if request.upscales else 0)
        + (_CLASSIC_BYTES_PER_PIXEL * size[0] * size[1] if request.task == "classic" else 0)
        + _encoder_bytes(size, num_output)
    )
    return Estimate(
        seconds=None if num_frames is None else num_frames * pixels * need.seconds_per_pixel,
        memory_bytes=memory,
        free_bytes=psutil.virtual_memory().available,
        output_size=size,
        output_rate=request.output_rate(info),
        num_output_frames=num_output,
    )


def _input_rate(request: JobRequest, info: VideoInfo) -> Fraction:
    return request.image_rate if info.is_image_folder and request.image_rate else info.frame_rate


def _num_frames(request: JobRequest, info: VideoInfo) -> int | None:
    if info.num_frames_from_header:
        return info.num_frames_from_header
    duration = info.duration_seconds_from_header
    return None if duration is None else max(round(duration * _input_rate(request, info)), 1)


def _upscaling_bytes(pixels: int, num_frames: int | None, need: Need) -> int:
    """What the engine keeps and works with, both within half the budget."""
    half = EngineOptions().memory_bytes() // 2
    shot = min(num_frames or _MAX_SHOT_FRAMES, _MAX_SHOT_FRAMES)
    kept = shot * pixels * need.kept_bytes_per_pixel
    return _UPSCALING_BYTES + min(kept, half) + min(_STAGE_BYTES, half)


def _interpolation_bytes(pixels: int) -> int:
    return _INTERPOLATION_BYTES + pixels * _INTERPOLATION_BYTES_PER_PIXEL


def _encoder_bytes(size: tuple[int, int], num_frames: int | None) -> int:
    waiting = min(num_frames or _NUM_FRAMES_IN_ENCODER, _NUM_FRAMES_IN_ENCODER)
    return waiting * size[0] * size[1] * _ENCODER_BYTES_PER_PIXEL
