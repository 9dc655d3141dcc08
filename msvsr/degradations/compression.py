"""Compression: JPEG frame by frame, or a real video encoder over the clip, both in memory."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from msvsr.degradations.checks import (
    check_choices,
    check_positive,
    check_probability,
    check_range,
    check_steps,
)
from msvsr.degradations.encoding import CODECS, PRESETS, BitRate, FixedQuality, encode_and_decode
from msvsr.degradations.resize import resize_frames
from msvsr.degradations.types import ByteClip, FloatArray, Frames
from msvsr.degradations.walk import random_walk

__all__ = [
    "Jpeg",
    "JpegConfig",
    "JpegSample",
    "VideoBitRate",
    "VideoBitRateConfig",
    "VideoBitRateSample",
    "VideoCodec",
    "VideoCodecConfig",
    "jpeg_frame",
    "quantize",
]

ByteArray = npt.NDArray[np.uint8]


def quantize(values: FloatArray) -> ByteArray:
    """Round values in [0, 1] to 8 bits.

    Example:
        >>> quantize(np.array([0.0, 0.5, 1.2], dtype=np.float32)).tolist()
        [0, 128, 255]
    """
    scaled = np.clip(values, 0, 1)
    scaled *= 255
    scaled += 0.5
    return scaled.astype(np.uint8)


def _to_float(values: ByteArray) -> FloatArray:
    scaled: FloatArray = values.astype(np.float32) / np.float32(255)
    return scaled


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
        check_steps({"jpeg.quality_step": self.quality_step})


@dataclass(frozen=True, kw_only=True)
class JpegSample:
    """The compression of one clip.

    Attributes:
        qualities: libjpeg's quality, one per frame.
    """

    qualities: tuple[int, ...]


def jpeg_frame(frame: ByteArray, quality: int) -> ByteArray:
    """Write an image as JPEG (chroma halved, as by default) and read it back.

    Args:
        frame: ``(h, w, 3)``, RGB uint8.
        quality: libjpeg's quality, 1 to 100.

    Returns:
        An image of the same shape.
    """
    bgr = cv2.cvtColor(frame, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), dtype=np.uint8)[..., ::-1]


class Jpeg:
    """Compresses each frame with a slowly changing quality."""

    def __init__(self, config: JpegConfig) -> None:
        self.config = config

    def sample(self, num_frames: int, rng: np.random.Generator) -> JpegSample | None:
        """Draw the qualities of a clip, or nothing."""
        config = self.config
        if rng.random() >= config.probability:
            return None
        walk = random_walk(
            num_frames, start_range=config.quality_range, step=config.quality_step, rng=rng
        )
        return JpegSample(qualities=tuple(round(float(value)) for value in walk))

    def __call__(self, frames: Frames, rng: np.random.Generator) -> Frames:
        """Compress frames ``(h, w, 3)``, RGB float32 in [0, 1], or return them as they are."""
        sample = self.sample(len(frames), rng)
        if sample is None:
            return frames
        return [
            _to_float(jpeg_frame(quantize(frame), quality))
            for frame, quality in zip(frames, sample.qualities, strict=True)
        ]


def _compress(frames: Frames, codec: str, control: FixedQuality | BitRate) -> Frames:
    clip: ByteClip = quantize(np.stack(frames))
    return list(_to_float(encode_and_decode(clip, codec, control)))


@dataclass(frozen=True, kw_only=True)
class VideoCodecConfig:
    """How strongly a video encoder compresses, by quality.

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
        check_choices("video_codec.codecs", self.codecs, ["libx264", "mpeg4"])
        check_range("video_codec.crf_range", self.crf_range, low=0, high=51)
        check_range("video_codec.qscale_range", self.qscale_range, low=1, high=31)


class VideoCodec:
    """Compresses the clip as a video of a random quality."""

    def __init__(self, config: VideoCodecConfig) -> None:
        self.config = config

    def __call__(self, frames: Frames, rng: np.random.Generator) -> Frames:
        """Compress frames ``(h, w, 3)``, RGB float32 in [0, 1], or return them as they are."""
        config = self.config
        if rng.random() >= config.probability:
            return frames
        codec = str(rng.choice(config.codecs))
        limits = config.crf_range if codec == "libx264" else config.qscale_range
        return _compress(frames, codec, FixedQuality(value=round(rng.uniform(*limits))))


@dataclass(frozen=True, kw_only=True)
class VideoBitRateConfig:
    """How strongly a video encoder compresses, by bit rate.

    Attributes:
        probability: How often a clip is compressed at all.
        codecs: Encoders, drawn uniformly: libx264, h264 (FFmpeg's preferred H.264 encoder) or
            mpeg4.
        bit_rate_range: Bits per second.
        frame_rate: Frames per second; at 1 the bit rate is that of each frame.
        preset: How thoroughly libx264 searches, from ``ultrafast`` to ``veryslow``.

    Source:
        RealBasicVSR (arXiv 2111.12704), configuration of its training in MMEditing (Apache-2.0).
    """

    probability: float = 1.0
    codecs: tuple[str, ...] = CODECS
    bit_rate_range: tuple[float, float] = (1e4, 1e5)
    frame_rate: int = 1
    preset: str = "medium"

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: A value is out of range.
        """
        check_probability("video.probability", self.probability)
        check_choices("video.codecs", self.codecs, CODECS)
        check_range("video.bit_rate_range", self.bit_rate_range, low=1)
        check_positive("video.frame_rate", self.frame_rate)
        check_choices("video.preset", [self.preset], PRESETS)


@dataclass(frozen=True, kw_only=True)
class VideoBitRateSample:
    """The video compression of one clip.

    Attributes:
        codec: FFmpeg's name of the encoder.
        bit_rate: Bits per second.
    """

    codec: str
    bit_rate: int


class VideoBitRate:
    """Compresses the clip as a video of a random bit rate.

    Frames that differ in size are first brought to the size of the first, bilinearly.
    """

    def __init__(self, config: VideoBitRateConfig) -> None:
        self.config = config

    def sample(self, num_frames: int, rng: np.random.Generator) -> VideoBitRateSample | None:
        """Draw encoder and bit rate for a clip of any length, or nothing."""
        del num_frames
        config = self.config
        if rng.random() >= config.probability:
            return None
        codec = str(rng.choice(config.codecs))
        low, high = config.bit_rate_range
        bit_rate = int(rng.integers(int(low), int(high), endpoint=True))
        return VideoBitRateSample(codec=codec, bit_rate=bit_rate)

    def __call__(self, frames: Frames, rng: np.random.Generator) -> Frames:
        """Compress frames ``(h, w, 3)``, RGB float32 in [0, 1], or return them as they are."""
        sample = self.sample(len(frames), rng)
        if sample is None:
            return frames
        height, width = frames[0].shape[:2]
        control = BitRate(
            bits_per_second=sample.bit_rate,
            frame_rate=self.config.frame_rate,
            preset=self.config.preset,
        )
        even = resize_frames(frames, (height, width), "bilinear")
        return _compress(even, sample.codec, control)
