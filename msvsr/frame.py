"""The values that travel between the layers: frames with their time, and what a video file says.

Units stand in the names: ``..._seconds`` are seconds, ``pts`` and ``duration`` are integer ticks of
``time_base`` (seconds per tick, a fraction), ``frame_rate`` is frames per second, a fraction.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Literal

import numpy as np
import numpy.typing as npt

__all__ = [
    "ChapterInfo",
    "ColorInfo",
    "ColorMatrix",
    "ColorRange",
    "Frame",
    "ImageArray",
    "StreamInfo",
    "StreamKind",
    "VideoInfo",
]

ImageArray = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
ColorMatrix = Literal["bt601", "bt709", "bt2020", "fcc", "smpte240m", "rgb"]
ColorRange = Literal["limited", "full"]
StreamKind = Literal["video", "audio", "subtitle", "data", "attachment", "unknown"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Frame:
    """One upright image with its instant.

    Attributes:
        image: RGB, ``(h, w, 3)``; ``uint8`` in [0, 255], or ``uint16`` in [0, 65535] for sources
            of more than 8 bits per sample.
        pts: Presentation instant in ticks of ``time_base``.
        time_base: Seconds per tick.
        duration: How long the frame is shown, in ticks; ``None`` when the source does not say.
    """

    image: ImageArray
    pts: int
    time_base: Fraction
    duration: int | None = None

    @property
    def time_seconds(self) -> Fraction:
        """The frame's instant in exact seconds."""
        return self.pts * self.time_base

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        height, width = self.image.shape[:2]
        return height, width

    def with_image(self, image: ImageArray) -> "Frame":
        """The same instant with another image."""
        return replace(self, image=image)


@dataclass(frozen=True, kw_only=True)
class ColorInfo:
    """How the samples of a video relate to RGB.

    The codes are those of ITU-T H.273, where 2 means "unspecified".

    Attributes:
        matrix: Luma coefficients; ``rgb`` when the samples are RGB already.
        range: ``limited`` (16 to 235 in 8 bits) or ``full`` (0 to 255).
        matrix_code: The matrix as tagged in the file.
        primaries_code: Colour primaries as tagged in the file.
        transfer_code: Transfer characteristics as tagged in the file.
        is_matrix_guessed: The file does not say which matrix it uses.
    """

    matrix: ColorMatrix
    range: ColorRange
    matrix_code: int = 2
    primaries_code: int = 2
    transfer_code: int = 2
    is_matrix_guessed: bool = False


@dataclass(frozen=True, kw_only=True)
class StreamInfo:
    """One stream of a file beside the video that is read.

    Attributes:
        index: Position of the stream in its file.
        kind: What it carries.
        codec: FFmpeg's name of the codec; ``None`` when unknown.
        language: ISO 639-2 code; ``None`` when not tagged.
        title: Name of the stream; ``None`` when not tagged.
        is_default: Marked to be played by default.
        sample_rate: Audio samples per second; ``None`` for other kinds.
        num_channels: Audio channels; ``None`` for other kinds.
        start_seconds_from_header: Instant of the first packet; ``None`` when unknown.
    """

    index: int
    kind: StreamKind
    codec: str | None = None
    language: str | None = None
    title: str | None = None
    is_default: bool = False
    sample_rate: int | None = None
    num_channels: int | None = None
    start_seconds_from_header: Fraction | None = None


@dataclass(frozen=True, kw_only=True)
class ChapterInfo:
    """One chapter of a video, in seconds of the file's own clock."""

    start_seconds: Fraction
    end_seconds: Fraction
    title: str = ""


@dataclass(frozen=True, kw_only=True)
class VideoInfo:
    """What is known about a video before its frames are read.

    Numbers named ``..._from_header`` are what the container claims, which may be wrong; those named
    ``..._from_content`` were counted by decoding and are ``None`` until somebody counts.

    Attributes:
        location: Path or URL.
        container: FFmpeg's name of the container format, or ``images``.
        is_image_folder: The source is a folder of images, or a single image.
        height: Height of the upright frames in pixels.
        width: Width of the upright frames in pixels.
        frame_rate: Average frames per second, as well as the header tells.
        time_base: Seconds per tick of the frames' timestamps.
        start_seconds: Instant on the file's clock at which the file as a whole begins.
        num_frames_from_header: Number of frames that the header claims.
        duration_seconds_from_header: Length that the header claims.
        rotation_degrees: How far stored frames are turned clockwise to stand upright: 0, 90, 180
            or 270.
        is_mirrored: Stored frames are also mirrored left to right, before they are turned.
        sample_aspect_ratio: Width of an upright pixel over its height.
        codec: FFmpeg's name of the video codec.
        pixel_format: FFmpeg's name of the stored sample layout.
        bit_depth: Bits per stored sample; frames are ``uint16`` above 8.
        color: How the samples relate to RGB.
        is_interlaced: The first frame is stored as two fields.
        stream_index: Which stream of the file is read.
        video_stream: Tags of that stream; ``None`` for images.
        audio_streams: The file's audio streams.
        subtitle_streams: The file's subtitle streams.
        other_streams: Everything else: further video, cover art, data, attachments.
        chapters: The file's chapters.
        metadata: The file's tags.
        num_frames_from_content: Number of frames that decode.
        duration_seconds_from_content: From the file's first frame to the end of its last.
        is_variable_rate: Whether the distances between frames differ by more than rounding.
    """

    location: str
    container: str
    height: int
    width: int
    frame_rate: Fraction
    time_base: Fraction
    codec: str
    pixel_format: str
    color: ColorInfo
    is_image_folder: bool = False
    start_seconds: Fraction = Fraction(0)
    num_frames_from_header: int | None = None
    duration_seconds_from_header: Fraction | None = None
    rotation_degrees: int = 0
    is_mirrored: bool = False
    sample_aspect_ratio: Fraction = Fraction(1)
    bit_depth: int = 8
    is_interlaced: bool = False
    stream_index: int = 0
    video_stream: StreamInfo | None = None
    audio_streams: tuple[StreamInfo, ...] = ()
    subtitle_streams: tuple[StreamInfo, ...] = ()
    other_streams: tuple[StreamInfo, ...] = ()
    chapters: tuple[ChapterInfo, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    num_frames_from_content: int | None = None
    duration_seconds_from_content: Fraction | None = None
    is_variable_rate: bool | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the upright frames in pixels."""
        return self.height, self.width
