"""RGB to 8-bit YUV, rounded to the nearest value, with chroma where players expect it.

swscale rounds the chroma of full-range YUV down, which tints a picture by half a level each time
it is written, and PyAV gives no way to tell it that chroma samples of video lie on the left of the
two pixels that they are for, not between them.
"""

import av
import cv2
import numpy as np
import numpy.typing as npt

from msvsr.frame import ColorMatrix, ColorRange

__all__ = ["can_make_yuv", "make_yuv"]

# luma coefficients of red and blue, ITU-T H.273 table 4
_COEFFICIENTS: dict[ColorMatrix, tuple[float, float]] = {
    "bt601": (0.299, 0.114), "bt709": (0.2126, 0.0722), "bt2020": (0.2627, 0.0593),
    "fcc": (0.30, 0.11), "smpte240m": (0.212, 0.087),
}  # fmt: skip
_STEPS = {"yuv420p": 2, "yuvj420p": 2, "yuv444p": 1, "yuvj444p": 1}
_LEFT = np.array([0.25, 0.5, 0.25], np.float32)  # across: centred on every other pixel
_BETWEEN = np.array([0.5, 0.5], np.float32)  # down: between two rows


def can_make_yuv(image: npt.NDArray[np.generic], pixel_format: str) -> bool:
    """Whether `make_yuv` makes this layout of this image."""
    step = _STEPS.get(pixel_format, 0)
    height, width = image.shape[:2]
    return step > 0 and image.dtype == np.uint8 and height % step == 0 and width % step == 0


def make_yuv(
    image: npt.NDArray[np.uint8], pixel_format: str, matrix: ColorMatrix, color_range: ColorRange
) -> av.VideoFrame:
    """Convert an image.

    Args:
        image: RGB ``(h, w, 3)``.
        pixel_format: One of the layouts that `can_make_yuv` accepts.
        matrix: Luma coefficients to use.
        color_range: Range to make.

    Returns:
        The frame.
    """
    height, width = image.shape[:2]
    step = _STEPS[pixel_format]
    to_luma, to_chroma = _transforms(matrix, color_range)
    source: npt.NDArray[np.uint8 | np.float32] = image
    if step > 1:
        smooth = cv2.sepFilter2D(
            image, cv2.CV_32F, _LEFT, _BETWEEN, anchor=(1, 0), borderType=cv2.BORDER_REPLICATE
        )
        source = np.ascontiguousarray(smooth[::2, ::2], np.float32)
    luma = cv2.transform(image, to_luma)
    chroma = cv2.transform(source, to_chroma)
    if step > 1:
        chroma = chroma.round().clip(0, 255)
    planes = [luma.ravel(), chroma[..., 0].ravel(), chroma[..., 1].ravel()]
    stacked = np.concatenate([plane.astype(np.uint8) for plane in planes])
    shape = (height * 3 // 2, width) if step > 1 else (3, height, width)
    return av.VideoFrame.from_ndarray(stacked.reshape(shape), format=pixel_format)


def _transforms(
    matrix: ColorMatrix, color_range: ColorRange
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Matrices ``(1, 4)`` and ``(2, 4)`` from RGB in [0, 255] to luma and chroma."""
    kr, kb = _COEFFICIENTS[matrix]
    kg, blue, red = 1 - kr - kb, 2 * (1 - kb), 2 * (1 - kr)
    is_full = color_range == "full"
    luma_scale, chroma_scale = (1.0, 1.0) if is_full else (219 / 255, 224 / 255)
    luma = np.array([[kr, kg, kb]]) * luma_scale
    chroma = np.array([
        [-kr / blue, -kg / blue, (1 - kb) / blue], [(1 - kr) / red, -kg / red, -kb / red],
    ]) * chroma_scale  # fmt: skip
    return (
        np.hstack([luma, [[0.0 if is_full else 16.0]]]),
        np.hstack([chroma, [[128.0], [128.0]]]),
    )
