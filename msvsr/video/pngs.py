"""Writing frames as a folder of PNG files."""

import re
from dataclasses import dataclass, field
from pathlib import Path

import cv2

from msvsr.errors import VideoError
from msvsr.frame import Frame, StreamInfo, VideoInfo
from msvsr.video.color import to_uint8, to_uint16
from msvsr.video.options import OutputOptions

__all__ = ["PngFolderWriter", "pattern_of_names"]

_COMPRESSION = 3  # of 9: larger files than 9 by a few percent, several times faster


def pattern_of_names(frame_pattern: str) -> re.Pattern[str]:
    """The file names that a printf-style pattern can make.

    Example:
        >>> bool(pattern_of_names("%04d.png").fullmatch("0012.png"))
        True
    """
    before, after = re.split(r"%(?:0\d+)?d", frame_pattern)
    return re.compile(re.escape(before) + r"\d+" + re.escape(after))


@dataclass
class PngFolderWriter:
    """Writes each frame to its own lossless file, counted from 0.

    Attributes:
        options: File names and bit depth.
        info: Of the source, to say what a folder cannot hold; ``None`` without one.
        notes: What could not be kept, one line each.
        copied: Nothing.
    """

    options: OutputOptions
    info: VideoInfo | None = None
    notes: list[str] = field(default_factory=list)
    copied: tuple[StreamInfo, ...] = ()

    def begin(self, path: Path, first: Frame) -> None:
        """Remember the folder."""
        self._folder = path
        self._num_written = 0

    def write(self, frame: Frame) -> None:
        """Write one image."""
        image = frame.image
        deep = self.options.png_bit_depth == 16
        bgr = cv2.cvtColor(to_uint16(image) if deep else to_uint8(image), cv2.COLOR_RGB2BGR)
        path = self._folder / (self.options.frame_pattern % self._num_written)
        is_encoded, encoded = cv2.imencode(".png", bgr, [cv2.IMWRITE_PNG_COMPRESSION, _COMPRESSION])
        if not is_encoded:
            raise VideoError(f"{path}: the image cannot be encoded as PNG.")
        path.write_bytes(encoded.tobytes())
        self._num_written += 1

    def finish(self) -> None:
        """Say what the folder does not hold."""
        if self.info is None:
            return
        if self.options.keep_audio and self.info.audio_streams:
            self.notes.append("sound is not kept: a folder of PNGs cannot hold it.")
        if self.options.keep_subtitles and self.info.subtitle_streams:
            self.notes.append("subtitles are not kept: a folder of PNGs cannot hold them.")

    def abort(self) -> None:
        """Nothing is held."""
