"""Peak signal-to-noise ratio."""

import torch

from msvsr.metrics.images import Channels, comparable

__all__ = ["psnr"]


def psnr(
    image: torch.Tensor,
    reference: torch.Tensor,
    *,
    channels: Channels = "rgb",
    crop_border: int = 0,
) -> torch.Tensor:
    """Compare each image with its reference, in dB.

    ``PSNR = -10 log10(mean((image - reference)^2))`` for a peak of 1, with the mean over pixels and
    channels. On luma the peak is 1 too although white is 235/255: so do the papers' tables.

    Args:
        image: Image tensors ``(..., 3, h, w)``, RGB, [0, 1].
        reference: Their references, of the same shape.
        channels: ``"rgb"``, or ``"y"`` for the luma of ``rgb_to_y``.
        crop_border: Pixels to leave out at each side; tables of x4 networks often leave out 4.

    Returns:
        One value per image, ``(n,)``, infinite for equal images.

    Raises:
        ShapeError: The shapes differ, are no images, or nothing is left after the crop.

    Example:
        >>> black = torch.zeros(1, 3, 8, 8)
        >>> psnr(black + 0.1, black)
        tensor([20.])
    """
    image, reference = comparable(image, reference, channels=channels, crop_border=crop_border)
    squared_error = (image - reference).square().mean(dim=(-3, -2, -1))
    return -10.0 * torch.log10(squared_error)
