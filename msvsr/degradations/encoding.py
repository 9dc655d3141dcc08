"""A clip through a real video encoder and its decoder, in memory."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import av
import numpy as np

from msvsr.degradations.types import ByteClip
from msvsr.errors import VideoError
from msvsr.frame import ColorInfo
from msvsr.video.color import FrameDecoder, FrameEncoder, to_uint8

__all__ = ["CODECS", "PRESETS", "BitRate", "FixedQuality", "encode_and_decode"]

CODECS = ("libx264", "h264", "mpeg4")
PRESETS = (
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow",
)  # fmt: skip
_DECODERS = {"libx264": "h264", "h264": "h264", "mpeg4": "mpeg4"}
_COLOR = ColorInfo(matrix="bt601", range="limited")

_REPEATABLE = {"x264-params": "mbtree=0"}
"""With its macroblock tree, libx264 gives other bits for the same frames now and then (seen with
AVX-512), and a training sample would depend on more than its seed."""


@dataclass(frozen=True, kw_only=True)
class FixedQuality:
    """Spend as many bits as a quality takes.

    Attributes:
        value: Constant rate factor of libx264 (0 lossless, 51 worst), or fixed quantiser of mpeg4
            (1 best, 31 worst).
    """

    value: int

    def configure(self, context: av.VideoCodecContext) -> None:
        """Set up an encoder."""
        _set_frame_rate(context, 25)
        quality = str(self.value)
        if context.codec.name == "mpeg4":
            context.options = {"qmin": quality, "qmax": quality}
        else:
            context.options = {"preset": "veryfast", "crf": quality, **_REPEATABLE}


@dataclass(frozen=True, kw_only=True)
class BitRate:
    """Spend so many bits on average, one pass.

    Attributes:
        bits_per_second: What the encoder aims at.
        frame_rate: Frames per second; at 1, each frame gets ``bits_per_second`` bits.
        preset: How thoroughly libx264 searches, from ``ultrafast`` to ``veryslow``.
        tolerance: How far mpeg4 may stray, in bits per second.
    """

    bits_per_second: int
    frame_rate: int = 1
    preset: str = "medium"
    tolerance: int = 128_000

    def configure(self, context: av.VideoCodecContext) -> None:
        """Set up an encoder."""
        _set_frame_rate(context, self.frame_rate)
        context.bit_rate = self.bits_per_second
        context.bit_rate_tolerance = self.tolerance
        if context.codec.name == "libx264":
            context.options = {"preset": self.preset, **_REPEATABLE}


def _set_frame_rate(context: av.VideoCodecContext, frame_rate: int) -> None:
    context.time_base = Fraction(1, frame_rate)
    context.framerate = Fraction(frame_rate)


def encode_and_decode(clip: ByteClip, codec: str, control: FixedQuality | BitRate) -> ByteClip:
    """Send a clip through a video encoder and its decoder, 4:2:0, in memory.

    Colours are converted with rounding both ways. swscale's fast path truncates instead, which
    darkens a picture by about one grey level each time.

    Args:
        clip: ``(t, h, w, 3)``, RGB uint8; odd sizes are padded by repeating the border.
        codec: ``libx264``, ``h264`` (the H.264 encoder that FFmpeg prefers, libx264 where it has
            it) or ``mpeg4``.
        control: What decides how strongly to compress.

    Returns:
        A clip of the same shape.

    Raises:
        VideoError: The encoder is missing from this build of FFmpeg, or lost a frame.
    """
    num_frames, height, width, _ = clip.shape
    padding = ((0, 0), (0, height % 2), (0, width % 2), (0, 0))
    padded = np.pad(clip, padding, mode="edge")
    try:
        encoder = _encoder(codec, (padded.shape[1], padded.shape[2]), control)
        decoder = _video_context(_DECODERS[codec], "r")
        frames = _transcode(padded, encoder, decoder)
    except (av.FFmpegError, ValueError) as error:
        raise VideoError(f"the video encoder {codec} failed: {error}") from error
    if len(frames) != num_frames:
        raise VideoError(f"{codec} gave {len(frames)} of {num_frames} frames back")
    return np.stack(frames)[:, :height, :width]


def _video_context(codec: str, mode: Literal["r", "w"]) -> av.VideoCodecContext:
    context = av.CodecContext.create(codec, mode)
    if not isinstance(context, av.VideoCodecContext):
        raise VideoError(f"{codec} is not a video codec")
    context.thread_count = 1
    return context


def _encoder(
    codec: str, size: tuple[int, int], control: FixedQuality | BitRate
) -> av.VideoCodecContext:
    context = _video_context(codec, "w")
    context.height, context.width = size
    context.pix_fmt = "yuv420p"
    control.configure(context)
    return context


def _transcode(
    clip: ByteClip, encoder: av.VideoCodecContext, decoder: av.VideoCodecContext
) -> list[ByteClip]:
    to_yuv = FrameEncoder(color=_COLOR, pixel_format="yuv420p")
    to_rgb = FrameDecoder(color=_COLOR, size=(clip.shape[1], clip.shape[2]), is_deep=False)
    packets = []
    for index, image in enumerate(clip):
        frame = to_yuv.from_rgb(image)
        frame.pts = index
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    decoded = [frame for packet in packets for frame in decoder.decode(packet)]
    decoded += decoder.decode(None)
    return [to_uint8(to_rgb.to_rgb(frame)) for frame in decoded]
