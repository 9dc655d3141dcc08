"""Colour conversions that the metrics of the papers are defined on."""

import torch

from msvsr.errors import ShapeError

__all__ = ["rgb_to_y"]

_Y_RED, _Y_GREEN, _Y_BLUE = 65.481, 128.553, 24.966
_Y_OFFSET = 16.0


def rgb_to_y(rgb: torch.Tensor) -> torch.Tensor:
    """Take the luma of an image, BT.601 with studio swing, as MATLAB's ``rgb2ycbcr`` does.

    ``Y = (16 + 65.481 R + 128.553 G + 24.966 B) / 255``, not rounded to 8 bits.

    Args:
        rgb: Image tensor ``(..., 3, h, w)``, RGB, floating, in [0, 1].

    Returns:
        Luma ``(..., 1, h, w)`` in [16/255, 235/255], of the image's type and device.

    Raises:
        ShapeError: The third axis from the end does not hold three channels.

    Source:
        ITU-R BT.601; the coefficients are those that MATLAB documents.

    Example:
        >>> white = torch.ones(3, 1, 1)
        >>> round(float(rgb_to_y(white)) * 255, 3)
        235.0
    """
    if rgb.ndim < 3 or rgb.shape[-3] != 3:
        raise ShapeError(f"rgb_to_y expects (..., 3, h, w), got {tuple(rgb.shape)}")
    red, green, blue = (rgb[..., c : c + 1, :, :] for c in range(3))
    return (_Y_RED * red + _Y_GREEN * green + _Y_BLUE * blue + _Y_OFFSET) / 255.0
