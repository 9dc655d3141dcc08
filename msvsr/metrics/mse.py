"""Mean squared error."""

import torch

from msvsr.metrics.images import Channels, comparable

__all__ = ["mse"]


def mse(
    image: torch.Tensor,
    reference: torch.Tensor,
    *,
    channels: Channels = "rgb",
    crop_border: int = 0,
) -> torch.Tensor:
    """Compare each image with its reference, in squared levels of 8 bits.

    ``MSE = mean((255 image - 255 reference)^2)``, with the mean over pixels and channels. So it is
    the scale of the tables, and ``PSNR = 10 log10(255^2 / MSE)``. Nothing is rounded to 8 bits.

    Args:
        image: Image tensors ``(..., 3, h, w)``, RGB, [0, 1].
        reference: Their references, of the same shape.
        channels: ``"rgb"``, or ``"y"`` for the luma of ``rgb_to_y``.
        crop_border: Pixels to leave out at each side.

    Returns:
        One value per image, ``(n,)``, 0 for equal images.

    Raises:
        ShapeError: The shapes differ, are no images, or nothing is left after the crop.

    Example:
        >>> black = torch.zeros(1, 3, 8, 8)
        >>> mse(black + 2 / 255, black)
        tensor([4.])
    """
    image, reference = comparable(image, reference, channels=channels, crop_border=crop_border)
    return ((image - reference) * 255).square().mean(dim=(-3, -2, -1))
