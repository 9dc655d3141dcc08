"""Structural similarity of images as volumes, as ModelScope's interpolation metric takes it."""

import torch
import torch.nn.functional as F

from msvsr.metrics.images import comparable

__all__ = ["ssim_3d"]

_WINDOW_SIZE = 11
_SIGMA = 1.5
_MARGIN = 5
_C1 = 0.01**2
_C2 = 0.03**2


def ssim_3d(image: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:
    """Compare each image with its reference, with the channels as a third axis of the window.

    SSIM as in ``ssim``, but under an 11 x 11 x 11 Gaussian window over channels, rows and columns.
    Five values are repeated at each end of each axis, so every pixel counts and the channels are
    mixed. It serves to reproduce figures that were made so; ``ssim`` is the usual definition.

    The original guesses the range of values from the reference: 255 if its maximum is above 128,
    two if its minimum is below -0.5, one otherwise. An image tensor is always in [0, 1], so the
    range here is one. In images of fewer than 11 pixels a side the window has that side. In flat
    parts of an image the original's sums in float32 may cost it 0.001; here they do not.

    Args:
        image: Image tensors ``(..., 3, h, w)``, RGB, [0, 1].
        reference: Their references, of the same shape.

    Returns:
        One value per image, ``(n,)``, 1 for equal images.

    Raises:
        ShapeError: The shapes differ, or are no images.

    Source:
        ``calculate_ssim`` of ModelScope's ``video_frame_interpolation_metric``, Apache-2.0.

    Example:
        >>> image = torch.rand(1, 3, 16, 16)
        >>> ssim_3d(image, image)
        tensor([1.])
    """
    image, reference = comparable(image, reference, channels="rgb", crop_border=0)
    weights = _gaussian(image)
    mean1, mean2 = _local_mean(image, weights), _local_mean(reference, weights)
    variance1 = _local_mean(image.square(), weights) - mean1.square()
    variance2 = _local_mean(reference.square(), weights) - mean2.square()
    covariance = _local_mean(image * reference, weights) - mean1 * mean2
    luminance = (2 * mean1 * mean2 + _C1) / (mean1.square() + mean2.square() + _C1)
    structure = (2 * covariance + _C2) / (variance1 + variance2 + _C2)
    return (luminance * structure).mean(dim=(-3, -2, -1))


def _gaussian(like: torch.Tensor) -> torch.Tensor:
    size = min(_WINDOW_SIZE, *like.shape[-2:])
    offsets = torch.arange(size, dtype=like.dtype, device=like.device) - size // 2
    weights = torch.exp(-offsets.square() / (2 * _SIGMA**2))
    return weights / weights.sum()


def _local_mean(image: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Average under the window: a pass over channels, one over rows and one over columns."""
    mixed = torch.einsum("oc,nchw->nohw", _channel_mix(weights, image.shape[1]), image)
    n, c, h, w = mixed.shape
    padded = F.pad(mixed, (_MARGIN,) * 4, mode="replicate").view(n * c, 1, h + 10, w + 10)
    rows = F.conv2d(padded, weights.view(1, 1, 1, -1))
    means = F.conv2d(rows, weights.view(1, 1, -1, 1))
    return means.view(n, c, *means.shape[-2:])


def _channel_mix(weights: torch.Tensor, num_channels: int) -> torch.Tensor:
    """Give the weight of each channel at each position of the window: ``(positions, channels)``.

    With five repeated values at each end, most of the window lies on the first and the last one.
    """
    size = len(weights)
    positions = torch.arange(num_channels + 2 * _MARGIN - size + 1, device=weights.device)
    taps = positions[:, None] + torch.arange(size, device=weights.device) - _MARGIN
    channels = taps.clamp(0, num_channels - 1)  # (positions, size)
    mix = weights.new_zeros(len(positions), num_channels)
    return mix.scatter_add_(1, channels, weights.expand(len(positions), -1))
