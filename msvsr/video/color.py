"""From stored samples to RGB and back, with the file's own matrix and range.

An untagged file is taken as BT.601 below 720 lines and as BT.709 from there, limited range, which
is what players do. What was read is written: the output is made with the same matrix and range and
is tagged with them, so that a player which would guess anew from the larger size does not.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import cast

import av
import numpy as np
import numpy.typing as npt
from av.video.reformatter import VideoReformatter

from msvsr.frame import ColorInfo, ColorMatrix, ColorRange, ImageArray
from msvsr.video.yuv import can_make_yuv, make_yuv

__all__ = [
    "FrameDecoder",
    "FrameEncoder",
    "color_for_output",
    "color_of_frame",
    "decode_depth",
    "guess_matrix",
    "to_uint8",
    "to_uint16",
]

_MATRIX_BY_CODE: dict[int, ColorMatrix] = {
    0: "rgb", 1: "bt709", 4: "fcc", 5: "bt601", 6: "bt601", 7: "smpte240m", 9: "bt2020",
    10: "bt2020",
}  # fmt: skip
_CODE_BY_MATRIX: dict[ColorMatrix, int] = {
    "rgb": 0, "bt709": 1, "fcc": 4, "bt601": 6, "smpte240m": 7, "bt2020": 9,
}  # fmt: skip
_UNSPECIFIED = 2
_FULL = 2
_CODE_BY_RANGE: dict[ColorRange, int] = {"limited": 1, "full": _FULL}
# SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT | SWS_FULL_CHR_H_INP of libswscale/swscale.h;
# PyAV 17 takes them as numbers but names only the first
_EXACT = 0x4 | 0x40000 | 0x2000 | 0x4000
_MAX_16_LIMITED = 0xFF00  # what swscale makes of white when it expands limited range to 16 bits
_HD_LINES = 720


def guess_matrix(height: int) -> ColorMatrix:
    """The matrix of a file that does not name one: BT.601 below 720 lines, else BT.709."""
    return "bt601" if height < _HD_LINES else "bt709"


def decode_depth(pixel_format: av.VideoFormat) -> int:
    """Bits per sample of a pixel format."""
    return max((component.bits for component in pixel_format.components), default=8)


def color_of_frame(frame: av.VideoFrame, primaries_code: int, transfer_code: int) -> ColorInfo:
    """Read how a decoded frame's samples relate to RGB, guessing what it does not say.

    Args:
        frame: As decoded.
        primaries_code: What the decoder says of the colour primaries.
        transfer_code: What the decoder says of the transfer characteristics.
    """
    is_rgb = frame.format.is_rgb or frame.format.name == "pal8"
    code = int(frame.colorspace)
    matrix = "rgb" if is_rgb else _MATRIX_BY_CODE.get(code)
    is_guessed = matrix is None or (matrix == "rgb" and not is_rgb)
    if matrix is None or is_guessed:
        matrix = guess_matrix(min(frame.height, frame.width) if is_rgb else frame.height)
    is_full = is_rgb or frame.format.name.startswith("yuvj") or int(frame.color_range) == _FULL
    return ColorInfo(
        matrix=matrix,
        range="full" if is_full else "limited",
        matrix_code=_UNSPECIFIED if is_guessed else code,
        primaries_code=_valid_code(primaries_code),
        transfer_code=_valid_code(transfer_code),
        is_matrix_guessed=is_guessed,
    )


def color_for_output(source: ColorInfo | None, height: int, pixel_format: str) -> ColorInfo:
    """Choose how to write: the source's own way, or for RGB sources what players would guess.

    Args:
        source: Of the frames' source; ``None`` when the frames were made here.
        height: Lines of the output.
        pixel_format: FFmpeg's name of the output's sample layout.

    Returns:
        Matrix and range to encode and tag with.
    """
    if av.VideoFormat(pixel_format).is_rgb:
        tags = source or ColorInfo(matrix="rgb", range="full")
        return replace(tags, matrix="rgb", range="full", matrix_code=0)
    if source is None or source.matrix == "rgb":
        matrix = guess_matrix(height)
        primaries = 1 if source is None else source.primaries_code
        transfer = 1 if source is None else source.transfer_code
        return ColorInfo(
            matrix=matrix,
            range="limited",
            matrix_code=_CODE_BY_MATRIX[matrix],
            primaries_code=primaries,
            transfer_code=transfer,
        )
    if pixel_format.startswith("yuvj"):
        source = replace(source, range="full")
    code = source.matrix_code
    if _MATRIX_BY_CODE.get(code) != source.matrix or code == 10:
        code = _CODE_BY_MATRIX[source.matrix]
    return replace(source, matrix_code=code)


def _valid_code(code: int) -> int:
    return _UNSPECIFIED if code in (0, 3) else code


@contextmanager
def _tagged(frame: av.VideoFrame, matrix: ColorMatrix, color_range: int) -> Iterator[None]:
    """Let a frame say nothing of its colours but how its samples relate to RGB.

    PyAV 18 could be told so by `reformat`, but 17 knows no BT.2020 there, and its swscale refuses
    frames with a matrix, transfer or primaries that it cannot convert, though none is converted.
    """
    tags = (frame.colorspace, frame.color_range, frame.color_trc, frame.color_primaries)
    frame.colorspace = _CODE_BY_MATRIX[matrix]
    frame.color_range = color_range
    frame.color_trc = frame.color_primaries = _UNSPECIFIED
    try:
        yield
    finally:
        frame.colorspace, frame.color_range, frame.color_trc, frame.color_primaries = tags


@dataclass
class FrameDecoder:
    """Turns decoded frames into RGB arrays of one size.

    Attributes:
        color: How the samples relate to RGB.
        size: Height and width of the arrays; frames of another size are scaled to it.
        is_deep: Give ``uint16`` instead of ``uint8``.
    """

    color: ColorInfo
    size: tuple[int, int]
    is_deep: bool

    def __post_init__(self) -> None:
        self._reformatter = VideoReformatter()

    def to_rgb(self, frame: av.VideoFrame) -> ImageArray:
        """Convert one frame, not turned yet."""
        with _tagged(frame, self.color.matrix, _CODE_BY_RANGE[self.color.range]):
            rgb = self._reformatter.reformat(
                frame,
                width=self.size[1],
                height=self.size[0],
                format="rgb48le" if self.is_deep else "rgb24",
                dst_color_range=_FULL,
                interpolation=_EXACT,
            )
        array: ImageArray = rgb.to_ndarray()  # type: ignore[assignment]
        if self.is_deep and self.color.range == "limited":
            array = _stretch_to_white(array)
        return array


def to_uint8(image: ImageArray) -> npt.NDArray[np.uint8]:
    """Bring an image to 8 bits, rounding to the nearest value."""
    if image.dtype == np.uint8:
        return image.view(np.uint8)
    return ((image.astype(np.uint32) * 255 + 32895) >> 16).astype(np.uint8)


def to_uint16(image: ImageArray) -> npt.NDArray[np.uint16]:
    """Bring an image to 16 bits, 255 becoming 65535."""
    if image.dtype == np.uint16:
        return image.view(np.uint16)
    deep: npt.NDArray[np.uint16] = image.astype(np.uint16) * np.uint16(257)
    return deep


def _shrink_from_white(image: ImageArray) -> npt.NDArray[np.uint16]:
    # swscale takes 0xFF00 for white when it makes YUV of 16-bit RGB
    shrunk: npt.NDArray[np.uint16] = image - (image >> 8)
    return shrunk


def _stretch_to_white(image: ImageArray) -> npt.NDArray[np.uint16]:
    # swscale scales limited to full range by 255 / 219 in all depths, so white comes out as 0xFF00
    clipped = np.minimum(image, _MAX_16_LIMITED)
    stretched: npt.NDArray[np.uint16] = clipped + (clipped >> 8)
    return stretched


@dataclass
class FrameEncoder:
    """Turns RGB arrays into frames that an encoder takes.

    Attributes:
        color: Matrix and range to make.
        pixel_format: FFmpeg's name of the sample layout to make.
    """

    color: ColorInfo
    pixel_format: str

    def __post_init__(self) -> None:
        self._reformatter = VideoReformatter()
        self._format = av.VideoFormat(self.pixel_format)

    def _fit_depth(self, image: ImageArray) -> ImageArray:
        if self._format.is_rgb:
            return to_uint16(image) if decode_depth(self._format) > 8 else to_uint8(image)
        return _shrink_from_white(image) if image.dtype == np.uint16 else image

    def from_rgb(self, image: ImageArray) -> av.VideoFrame:
        """Convert one image."""
        color = self.color
        if color.matrix != "rgb" and can_make_yuv(image, self.pixel_format):
            pixels = image.view(np.uint8)
            return make_yuv(pixels, self.pixel_format, color.matrix, color.range)
        fitted = cast(ImageArray, np.ascontiguousarray(self._fit_depth(image)))
        layout = "rgb48le" if fitted.dtype == np.uint16 else "rgb24"
        rgb = av.VideoFrame.from_ndarray(fitted, format=layout)
        with _tagged(rgb, color.matrix, _FULL):
            return self._reformatter.reformat(
                rgb,
                format=self.pixel_format,
                dst_color_range=_CODE_BY_RANGE[color.range],
                interpolation=_EXACT,
            )
