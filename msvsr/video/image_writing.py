"""Writing frames as image files that carry names of their own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import cv2

from msvsr.errors import VideoError
from msvsr.frame import Frame, ImageArray, StreamInfo
from msvsr.video.color import to_uint8
from msvsr.video.pngs import PngFolderWriter

__all__ = ["ImageFileWriter", "NamedImageWriter", "encode_image"]

_DEEP_SUFFIXES = frozenset({".png", ".tif", ".tiff"})
_SETTINGS: Mapping[str, list[int]] = {
    ".jpg": [cv2.IMWRITE_JPEG_QUALITY, 95],
    ".jpeg": [cv2.IMWRITE_JPEG_QUALITY, 95],
    ".png": [cv2.IMWRITE_PNG_COMPRESSION, 3],
}


def encode_image(image: ImageArray, suffix: str, *, name: object) -> bytes:
    """Encode an image in the format that a file's extension names.

    Args:
        image: RGB ``(h, w, 3)``. 16 bits stay in PNG and TIFF; the other formats hold 8.
        suffix: The extension, such as ``.png``.
        name: The file, for messages.

    Raises:
        VideoError: The image cannot be encoded so.
    """
    kind = suffix.lower()
    fitted = image if kind in _DEEP_SUFFIXES else to_uint8(image)
    bgr = cv2.cvtColor(fitted, cv2.COLOR_RGB2BGR)
    try:
        is_encoded, encoded = cv2.imencode(kind, bgr, _SETTINGS.get(kind, []))
    except cv2.error:  # a side too long for the format
        is_encoded = False
    if not is_encoded:
        height, width = image.shape[:2]
        raise VideoError(
            f"{name}: an image of {width}x{height} pixels cannot be encoded as {kind}; "
            "take another format, such as .png."
        )
    return encoded.tobytes()


@dataclass
class ImageFileWriter:
    """Writes one frame to one file.

    Attributes:
        suffix: Extension of the format.
        notes: Nothing is lost.
        copied: Nothing.
    """

    suffix: str
    notes: list[str] = field(default_factory=list)
    copied: tuple[StreamInfo, ...] = ()

    def begin(self, path: Path, first: Frame) -> None:
        """Remember the file."""
        self._path = path

    def write(self, frame: Frame) -> None:
        """Write the image."""
        self._path.write_bytes(encode_image(frame.image, self.suffix, name=self._path))

    def finish(self) -> None:
        """Nothing is left to do."""

    def abort(self) -> None:
        """Nothing is held."""


@dataclass
class NamedImageWriter(PngFolderWriter):
    """Writes each frame to its own file in a folder, under a name that was chosen for it.

    Attributes:
        names: File name of each frame by its ``pts``; the extension chooses the format.
    """

    names: Mapping[int, str] = field(default_factory=dict)

    def write(self, frame: Frame) -> None:
        """Write one image."""
        path = self._folder / self.names[frame.pts]
        path.write_bytes(encode_image(to_uint8(frame.image), path.suffix, name=path))
