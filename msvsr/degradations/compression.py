"""Compression: JPEG frame by frame, or a real video encoder over the clip, both in memory."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import av
import cv2
import numpy as np

from msvsr.degradations.checks import check_choices, check_probability, check_range
from msvsr.degradations.types import ByteClip, Clip
from msvsr.degradations.walk import random_walk
from msvsr.errors import VideoError

__all__ = [
    "Jpeg",
    "JpegConfig",
    "VideoCodec",
    "VideoCodecConfig",
    "encode_and_decode",
    "jpeg_clip",
    "quantize",
]

_DECODERS = {"libx264": "h264", "mpeg4": "mpeg4"}


def quantize(clip: Clip) -> ByteClip:
    """Round a clip in [0, 1] to 8 bits.

    Example:
        >>> quantize(np.array([0.0, 0.5, 1.2], dtype=np.float32)).tolist()
        [0, 128, 255]
    """
    return (np.clip(clip, 0, 1) * 255 + 0.5).astype(np.uint8)


def _to_float(clip: ByteClip) -> Clip:
    values: Clip = clip.astype(np.float32) / np.float32(255)
    return values


@dataclass(frozen=True, kw_only=True)
class JpegConfig:
    """How strongly JPEG compresses.

    Attributes:
        probability: How often a clip is compressed at all.
        quality_range: libjpeg's quality, 1 to 100.
        quality_step: Its largest change from frame to frame.
    """

    probability: float = 1.0
    quality_range: tuple[float, float] = (30.0, 95.0)
    quality_step: float = 3.0

    def __post_init__(self) -> None:
        """Check the ranges.

        Raises:
            ConfigError: A value is out of range.
        """
        check_probability("jpeg.probability", self.probability)
        check_range("jpeg.quality_range", self.quality_range, low=1, high=100)


def jpeg_clip(clip: ByteClip, qualities: list[int]) -> ByteClip:
    """Write each frame as JPEG (chroma halved, as by default) and read it back.

    Args:
        clip: ``(t, h, w, 3)``, RGB uint8.
        qualities: One libjpeg quality per frame.

    Returns:
        A clip of the same shape.
    """
    decoded = []
    for frame, quality in zip(clip, qualities, strict=True):
        bgr = cv2.cvtColor(frame, cv2.COLOR_RGB2BGR)
        _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
        decoded.append(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), dtype=np.uint8)[..., ::-1])
    return np.stack(decoded)


class Jpeg:
    """Compresses each frame with a slowly changing quality."""

    def __init__(self, config: JpegConfig) -> None:
        self.config = config

    def __call__(self, clip: Clip, rng: np.random.Generator) -> Clip:
        """Compress a clip ``(t, h, w, 3)``, RGB float32 in [0, 1], or return it as it is."""
        config = self.config
        if rng.random() >= config.probability:
            return clip
        walk = random_walk(
            len(clip), start_range=config.quality_range, step=config.quality_step, rng=rng
        )
        return _to_float(jpeg_clip(quantize(clip), [round(float(value)) for value in walk]))


@dataclass(frozen=True, kw_only=True)
class VideoCodecConfig:
    """How strongly a video encoder compresses.

    Attributes:
        probability: How often a clip is compressed at all.
        codecs: Encoders, drawn uniformly: libx264 or mpeg4.
        crf_range: Constant rate factor of libx264 (0 lossless, 51 worst).
        qscale_range: Fixed quantiser of mpeg4 (1 best, 31 worst).
    """

    probability: float = 1.0
    codecs: tuple[str, ...] = ("libx264", "libx264", "mpeg4")
    crf_range: tuple[float, float] = (18.0, 34.0)
    qscale_range: tuple[float, float] = (2.0, 12.0)

    def __post_init__(self) -> None:
        """Check the ranges.

        Raises:
            ConfigError: A value is out of range.
        """
        check_probability("video_codec.probability", self.probability)
        check_choices("video_codec.codecs", self.codecs, list(_DECODERS))
        check_range("video_codec.crf_range", self.crf_range, low=0, high=51)
        check_range("video_codec.qscale_range", self.qscale_range, low=1, high=31)


def _video_context(codec: str, mode: Literal["r", "w"]) -> av.VideoCodecContext:
    context = av.CodecContext.create(codec, mode)
    if not isinstance(context, av.VideoCodecContext):
        raise VideoError(f"{codec} is not a video codec")
    context.thread_count = 1
    return context


def _encoder(codec: str, size: tuple[int, int], quality: int) -> av.VideoCodecContext:
    context = _video_context(codec, "w")
    context.height, context.width = size
    context.pix_fmt = "yuv420p"
    context.time_base = Fraction(1, 25)
    context.framerate = Fraction(25)
    if codec == "libx264":
        context.options = {"preset": "veryfast", "crf": str(quality)}
    else:
        context.options = {"qmin": str(quality), "qmax": str(quality)}
    return context


def encode_and_decode(clip: ByteClip, codec: str, quality: int) -> ByteClip:
    """Send a clip through a video encoder and its decoder, 4:2:0, in memory.

    Args:
        clip: ``(t, h, w, 3)``, RGB uint8; odd sizes are padded by repeating the border.
        codec: ``libx264`` or ``mpeg4``.
        quality: The rate factor of libx264 or the quantiser of mpeg4; more is worse.

    Returns:
        A clip of the same shape.

    Raises:
        VideoError: The encoder is missing from this build of FFmpeg, or lost a frame.
    """
    num_frames, height, width, _ = clip.shape
    padding = ((0, 0), (0, height % 2), (0, width % 2), (0, 0))
    padded = np.pad(clip, padding, mode="edge")
    try:
        encoder = _encoder(codec, (padded.shape[1], padded.shape[2]), quality)
        decoder = _video_context(_DECODERS[codec], "r")
        frames = _transcode(padded, encoder, decoder)
    except (av.FFmpegError, ValueError) as error:
        raise VideoError(f"the video encoder {codec} failed: {error}") from error
    if len(frames) != num_frames:
        raise VideoError(f"{codec} gave {len(frames)} of {num_frames} frames back")
    return np.stack(frames)[:, :height, :width]


def _transcode(
    clip: ByteClip, encoder: av.VideoCodecContext, decoder: av.VideoCodecContext
) -> list[ByteClip]:
    packets = []
    for index, image in enumerate(clip):
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
        frame.pts = index
        packets += encoder.encode(frame.reformat(format="yuv420p"))
    packets += encoder.encode(None)
    decoded = [frame for packet in packets for frame in decoder.decode(packet)]
    decoded += decoder.decode(None)
    return [np.asarray(frame.to_ndarray(format="rgb24"), dtype=np.uint8) for frame in decoded]


class VideoCodec:
    """Compresses the clip as a video."""

    def __init__(self, config: VideoCodecConfig) -> None:
        self.config = config

    def __call__(self, clip: Clip, rng: np.random.Generator) -> Clip:
        """Compress a clip ``(t, h, w, 3)``, RGB float32 in [0, 1], or return it as it is."""
        config = self.config
        if rng.random() >= config.probability:
            return clip
        codec = str(rng.choice(config.codecs))
        limits = config.crf_range if codec == "libx264" else config.qscale_range
        quality = round(rng.uniform(*limits))
        return _to_float(encode_and_decode(quantize(clip), codec, quality))
