"""Structural similarity."""

import torch
import torch.nn.functional as F

from msvsr.errors import ShapeError
from msvsr.metrics.images import Channels, comparable

__all__ = ["ssim"]

_WINDOW_SIZE = 11
_SIGMA = 1.5
_C1 = 0.01**2
_C2 = 0.03**2


def ssim(
    image: torch.Tensor,
    reference: torch.Tensor,
    *,
    channels: Channels = "rgb",
    crop_border: int = 0,
) -> torch.Tensor:
    """Compare the local mean, contrast and structure of each image with its reference.

    ``SSIM = (2 m1 m2 + C1) (2 s12 + C2) / ((m1^2 + m2^2 + C1) (s1^2 + s2^2 + C2))`` with means
    ``m``, variances ``s^2`` and covariance ``s12`` under an 11 x 11 Gaussian window of sigma 1.5;
    averaged over the positions where the window fits, and over channels.

    Args:
        image: Image tensors ``(..., 3, h, w)``, RGB, [0, 1], at least 11 pixels a side after the
            crop.
        reference: Their references, of the same shape.
        channels: ``"rgb"``, or ``"y"`` for the luma of ``rgb_to_y``.
        crop_border: Pixels to leave out at each side.

    Returns:
        One value per image, ``(n,)``, 1 for equal images.

    Raises:
        ShapeError: The shapes differ, are no images, or are too small for the window.

    Source:
        Wang, Bovik, Sheikh, Simoncelli, "Image quality assessment: from error visibility to
        structural similarity", IEEE TIP 2004.

    Example:
        >>> image = torch.rand(1, 3, 16, 16)
        >>> ssim(image, image)
        tensor([1.])
    """
    image, reference = comparable(image, reference, channels=channels, crop_border=crop_border)
    if min(image.shape[-2:]) < _WINDOW_SIZE:
        raise ShapeError(
            f"SSIM needs {_WINDOW_SIZE} pixels a side after the crop, got {tuple(image.shape[-2:])}"
        )
    mean1, mean2 = _local_mean(image), _local_mean(reference)
    variance1 = _local_mean(image.square()) - mean1.square()
    variance2 = _local_mean(reference.square()) - mean2.square()
    covariance = _local_mean(image * reference) - mean1 * mean2
    luminance = (2 * mean1 * mean2 + _C1) / (mean1.square() + mean2.square() + _C1)
    structure = (2 * covariance + _C2) / (variance1 + variance2 + _C2)
    return (luminance * structure).mean(dim=(-3, -2, -1))


def _gaussian(like: torch.Tensor) -> torch.Tensor:
    offsets = torch.arange(_WINDOW_SIZE, dtype=like.dtype, device=like.device) - _WINDOW_SIZE // 2
    weights = torch.exp(-offsets.square() / (2 * _SIGMA**2))
    return weights / weights.sum()


def _local_mean(image: torch.Tensor) -> torch.Tensor:
    """Average under the window, as a row pass and a column pass, where it fits."""
    n, c, h, w = image.shape
    weights = _gaussian(image)
    rows = F.conv2d(image.reshape(n * c, 1, h, w), weights.view(1, 1, 1, -1))
    means = F.conv2d(rows, weights.view(1, 1, -1, 1))
    return means.view(n, c, *means.shape[-2:])
