"""What a caller can ask of reading and writing."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from msvsr.errors import ConfigError

__all__ = ["CODEC_NAMES", "OutputOptions", "SourceOptions"]

CODEC_NAMES = ("h264", "h264-lossless", "hevc", "ffv1", "vp9", "av1")
MAX_CRF = 63


@dataclass(frozen=True, kw_only=True)
class SourceOptions:
    """How a source is read.

    Attributes:
        start_seconds: Frames before this instant are left out; seconds after the file's start.
        end_seconds: Frames at or after this instant are left out; seconds after the file's start.
        frame_rate: Frames per second of a folder of images, 25 when not given. A video file has
            its own timestamps and refuses it.
    """

    start_seconds: float | Fraction | None = None
    end_seconds: float | Fraction | None = None
    frame_rate: Fraction | None = None

    def __post_init__(self) -> None:
        for name in ("start_seconds", "end_seconds"):
            value = getattr(self, name)
            if value is not None and not 0 <= value < float("inf"):
                raise ConfigError(f"{name} must be 0 or more seconds, got {value}.")
        start, end = self.start_seconds or 0, self.end_seconds
        if end is not None and end <= start:
            raise ConfigError(f"end_seconds must lie after start_seconds={start}, got {end}.")
        if self.frame_rate is not None and self.frame_rate <= 0:
            raise ConfigError(f"frame_rate must be above 0, got {self.frame_rate}.")


@dataclass(frozen=True, kw_only=True)
class OutputOptions:
    """How a video is written.

    Attributes:
        codec: One of `CODEC_NAMES`; ``None`` takes what suits the container (VP9 for ``.webm``,
            otherwise H.264). ``h264-lossless`` and ``ffv1`` lose nothing.
        crf: Constant quality, lower is better: up to 51 for H.264 and HEVC, up to 63 for VP9 and
            AV1. Lossless codecs ignore it.
        preset: The encoder's speed preset; ``None`` takes its default.
        pixel_format: FFmpeg's name of the sample layout; ``None`` chooses ``yuv420p`` (H.264 and
            odd sizes aside, 10 bits for deeper sources).
        encoder_options: Further options of the encoder, passed on as they are.
        constant_frame_rate: Write frames at exactly this rate, repeating and dropping as needed;
            ``None`` keeps every frame with its own timestamp.
        keep_audio: Copy the source's audio streams.
        keep_subtitles: Copy the source's subtitle streams.
        overwrite: Replace an existing output.
        frame_pattern: File names of a folder of PNGs, printf style, counted from 0.
        png_bit_depth: 8, or 16 for a folder of 16-bit PNGs.
    """

    codec: str | None = None
    crf: int = 18
    preset: str | None = None
    pixel_format: str | None = None
    encoder_options: Mapping[str, str] = field(default_factory=dict)
    constant_frame_rate: Fraction | None = None
    keep_audio: bool = True
    keep_subtitles: bool = True
    overwrite: bool = False
    frame_pattern: str = "%08d.png"
    png_bit_depth: int = 8

    def __post_init__(self) -> None:
        if self.codec is not None and self.codec not in CODEC_NAMES:
            raise ConfigError(f"codec must be one of {', '.join(CODEC_NAMES)}, got {self.codec!r}.")
        limit = MAX_CRF if self.codec in (None, "vp9", "av1") else 51
        if not 0 <= self.crf <= limit:
            raise ConfigError(f"crf must lie between 0 and {limit}, got {self.crf}.")
        if self.constant_frame_rate is not None and not 0 < self.constant_frame_rate <= 1000:
            raise ConfigError(
                "constant_frame_rate must lie above 0 and at most at 1000, "
                f"got {self.constant_frame_rate}."
            )
        if not re.fullmatch(r"[^/\\%]*%(0\d+)?d[^/\\%]*\.png", self.frame_pattern):
            raise ConfigError(
                "frame_pattern must be a file name like %08d.png with one number in it, "
                f"got {self.frame_pattern!r}."
            )
        if self.png_bit_depth not in (8, 16):
            raise ConfigError(f"png_bit_depth must be 8 or 16, got {self.png_bit_depth}.")
