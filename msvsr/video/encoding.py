"""Encoders: which one a container takes, and how it is set up."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
from av.container import OutputContainer
from av.video.stream import VideoStream

from msvsr.errors import ConfigError
from msvsr.frame import ColorInfo
from msvsr.video.options import OutputOptions

__all__ = ["VIDEO_SUFFIXES", "EncoderPlan", "add_video_stream", "is_video_name", "plan_encoder"]

VIDEO_SUFFIXES = {
    ".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm",
}  # fmt: skip
_OTHER_SUFFIXES = frozenset({
    ".3gp", ".avi", ".bmp", ".flv", ".gif", ".jpeg", ".jpg", ".m2ts", ".mpeg", ".mpg", ".mts",
    ".mxf", ".ogv", ".png", ".tif", ".tiff", ".ts", ".webp", ".wmv",
})  # fmt: skip


@dataclass(frozen=True)
class _Codec:
    encoder: str
    containers: frozenset[str]
    default_preset: tuple[str, str] | None
    has_crf: bool = True
    fixed: Mapping[str, str] = field(default_factory=dict)
    is_lossless: bool = False
    takes_odd_420: bool = False
    tells_pixel_shape: bool = True  # in its own stream, where the container does not


_ISO = frozenset({"mp4", "mov", "matroska"})
_CODECS = {
    "h264": _Codec("libx264", _ISO, ("preset", "medium")),
    "h264-lossless": _Codec(
        "libx264rgb", _ISO, ("preset", "medium"), False, {"qp": "0"}, is_lossless=True
    ),
    "hevc": _Codec("libx265", _ISO, ("preset", "medium"), fixed={"x265-params": "log-level=none"}),
    "ffv1": _Codec(
        "ffv1", frozenset({"matroska"}), None, False, {"level": "3", "slicecrc": "1"},
        is_lossless=True, takes_odd_420=True,
    ),
    "vp9": _Codec(
        "libvpx-vp9", frozenset({"webm", "matroska", "mp4"}), ("cpu-used", "4"),
        fixed={"row-mt": "1", "deadline": "good"}, takes_odd_420=True, tells_pixel_shape=False,
    ),
    "av1": _Codec(
        "libsvtav1", frozenset({"webm", "matroska", "mp4"}), ("preset", "8"),
        tells_pixel_shape=False,
    ),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class EncoderPlan:
    """Everything an encoder needs to know but its clock.

    Attributes:
        container: FFmpeg's name of the container format.
        encoder: FFmpeg's name of the encoder.
        pixel_format: FFmpeg's name of the sample layout.
        stores_rgb: The layout holds RGB.
        settings: Options of the encoder.
        keeps_pixel_shape: Pixels that are not square survive.
        note: What the person should know about the choice; empty when nothing.
    """

    container: str
    encoder: str
    pixel_format: str
    stores_rgb: bool
    settings: Mapping[str, str]
    keeps_pixel_shape: bool = True
    note: str = ""


def is_video_name(path: Path) -> bool:
    """Whether an output name asks for a video file; otherwise it is a folder of PNGs.

    Raises:
        ConfigError: The extension is one of a format that is not written.
    """
    suffix = path.suffix.lower()
    if suffix in _OTHER_SUFFIXES:
        raise ConfigError(
            f"{path}: {suffix} is not written; name a video ({' '.join(VIDEO_SUFFIXES)}) or, for "
            "a folder of PNGs, something without an extension."
        )
    return suffix in VIDEO_SUFFIXES


def plan_encoder(
    path: Path, options: OutputOptions, size: tuple[int, int], bit_depth: int
) -> EncoderPlan:
    """Choose encoder, layout and settings.

    Args:
        path: Output file, whose extension says which container.
        options: What was asked for.
        size: Height and width of the frames.
        bit_depth: Bits per sample of the source.

    Returns:
        The plan.

    Raises:
        ConfigError: The container cannot hold the codec, or the layout cannot hold the size.
    """
    container = VIDEO_SUFFIXES[path.suffix.lower()]
    name = options.codec or ("vp9" if container == "webm" else "h264")
    codec = _CODECS[name]
    if container not in codec.containers:
        able = [suffix for suffix, held in VIDEO_SUFFIXES.items() if held in codec.containers]
        raise ConfigError(
            f"{path}: {path.suffix} files do not take the codec {name}; use {' '.join(able)}."
        )
    pixel_format, note = options.pixel_format, ""
    if pixel_format is None:
        pixel_format, note = _choose_layout(name, size, bit_depth)
    layout = _check_layout(pixel_format, codec, size)
    return EncoderPlan(
        container=container,
        encoder=codec.encoder,
        pixel_format=pixel_format,
        stores_rgb=layout.is_rgb,
        settings=_settings(codec, options),
        keeps_pixel_shape=container in ("mp4", "mov") or codec.tells_pixel_shape,
        note=note,
    )


def _choose_layout(name: str, size: tuple[int, int], bit_depth: int) -> tuple[str, str]:
    codec, is_deep = _CODECS[name], bit_depth > 8
    if name == "ffv1":
        return ("gbrp16le" if is_deep else "bgr0"), ""
    if name == "h264-lossless":
        return "rgb24", ""
    is_odd = bool(size[0] % 2 or size[1] % 2)
    if is_odd and name == "av1":
        raise ConfigError(
            f"the codec av1 needs an even width and height, got {size[1]}x{size[0]}; use vp9."
        )
    sampling = "444" if is_odd and not codec.takes_odd_420 else "420"
    note = ""
    if sampling == "444":
        note = (
            f"the odd size {size[1]}x{size[0]} is written as yuv444p, which some players do not "
            "show; --codec vp9 in a .webm or .mkv keeps yuv420p."
        )
    layout = f"yuv{sampling}p"
    if is_deep and name != "h264" and f"{layout}10le" in _layouts(codec.encoder):
        layout += "10le"
    return layout, note


def _layouts(encoder: str) -> frozenset[str]:
    return frozenset(layout.name for layout in av.Codec(encoder, "w").video_formats or ())


def _check_layout(pixel_format: str, codec: _Codec, size: tuple[int, int]) -> av.VideoFormat:
    try:
        layout = av.VideoFormat(pixel_format, size[1], size[0])
    except ValueError as error:
        raise ConfigError(
            f"pixel_format must be a name that FFmpeg knows, such as yuv420p, got {pixel_format!r}."
        ) from error
    accepted = _layouts(codec.encoder)
    if pixel_format not in accepted:
        raise ConfigError(
            f"the encoder {codec.encoder} takes no pixel_format {pixel_format!r}; it takes "
            f"{', '.join(sorted(accepted))}."
        )
    if codec.takes_odd_420 or layout.is_rgb:
        return layout
    halves_width = layout.chroma_width(2) == 1
    halves_height = layout.chroma_height(2) == 1
    if (size[1] % 2 and halves_width) or (size[0] % 2 and halves_height):
        raise ConfigError(
            f"pixel_format {pixel_format} needs an even width and height, got {size[1]}x{size[0]}; "
            "leave pixel_format out to have one chosen."
        )
    return layout


def _settings(codec: _Codec, options: OutputOptions) -> dict[str, str]:
    settings = dict(codec.fixed)
    if codec.has_crf:
        settings["crf"] = str(options.crf)
    if codec.default_preset is not None:
        key, value = codec.default_preset
        settings[key] = options.preset or value
    elif options.preset is not None:
        raise ConfigError(f"the codec {codec.encoder} has no presets, got {options.preset!r}.")
    extra = dict(options.encoder_options)
    if "x265-params" in settings and "x265-params" in extra:
        extra["x265-params"] = f"{settings['x265-params']}:{extra['x265-params']}"
    return settings | extra


def add_video_stream(
    container: OutputContainer,
    plan: EncoderPlan,
    *,
    size: tuple[int, int],
    time_base: Fraction,
    frame_rate: Fraction,
    color: ColorInfo,
    sample_aspect_ratio: Fraction,
) -> VideoStream:
    """Add the encoded stream to an output container.

    Args:
        container: Open for writing, nothing written yet.
        plan: Which encoder, with which settings.
        size: Height and width of the frames.
        time_base: Seconds per tick of the frames' timestamps.
        frame_rate: About how many frames come per second.
        color: Matrix, range and tags of the samples.
        sample_aspect_ratio: Width of a pixel over its height.

    Returns:
        The stream; its encoder opens with the first frame.
    """
    if plan.encoder == "libsvtav1":
        os.environ.setdefault("SVT_LOG", "1")  # errors only; it prints to stderr by itself
    rate = frame_rate.limit_denominator(100_000)
    stream = cast(
        VideoStream, container.add_stream(plan.encoder, rate=rate, options=dict(plan.settings))
    )
    stream.height, stream.width = size
    stream.pix_fmt = plan.pixel_format
    context = stream.codec_context
    context.time_base = time_base
    stream.time_base = time_base
    context.sample_aspect_ratio = sample_aspect_ratio.limit_denominator(32767)
    context.color_range = 2 if color.range == "full" else 1
    context.colorspace = color.matrix_code
    context.color_primaries = color.primaries_code
    context.color_trc = color.transfer_code
    if plan.encoder == "libx265" and plan.container in ("mp4", "mov"):
        context.codec_tag = "hvc1"
    return stream
