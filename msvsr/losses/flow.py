"""Losses that train a flow network without known flow."""

import torch
import torch.nn.functional as F

from msvsr.losses.pixel import charbonnier_loss
from msvsr.ops.warp import backward_warp

__all__ = ["edge_aware_smoothness", "photometric_loss"]


def photometric_loss(
    reference: torch.Tensor, neighbour: torch.Tensor, flow: torch.Tensor, num_scales: int = 3
) -> torch.Tensor:
    """Charbonnier loss between an image and its neighbour warped onto it, at several scales.

    The coarse scales pull the flow from farther away than one pixel.

    Args:
        reference: RGB in [0, 1], ``(n, 3, h, w)``.
        neighbour: RGB in [0, 1], ``(n, 3, h, w)``.
        flow: Displacement from reference to neighbour in pixels, ``(n, 2, h, w)``.
        num_scales: How many scales, each half the size of the one before.

    Returns:
        The mean over the scales, a scalar in float32.

    Example:
        >>> image = torch.rand(1, 3, 8, 8)
        >>> round(photometric_loss(image, image, torch.zeros(1, 2, 8, 8)).item(), 3)
        0.001
    """
    total = flow.new_zeros(())
    for scale in range(num_scales):
        if scale > 0:
            reference = F.avg_pool2d(reference, 2, ceil_mode=True)
            neighbour = F.avg_pool2d(neighbour, 2, ceil_mode=True)
            flow = F.avg_pool2d(flow, 2, ceil_mode=True) / 2
        warped = backward_warp(neighbour, flow, padding_mode="border")
        total = total + charbonnier_loss(warped, reference)
    return total / num_scales


def edge_aware_smoothness(
    flow: torch.Tensor, image: torch.Tensor, edge_weight: float = 10.0
) -> torch.Tensor:
    """Mean of ``|grad flow| * exp(-edge_weight * |grad image|)``.

    Args:
        flow: ``(n, 2, h, w)`` in pixels.
        image: RGB in [0, 1], ``(n, 3, h, w)``.
        edge_weight: How much an edge of the image allows an edge of the flow.

    Returns:
        The loss, a scalar.

    Example:
        >>> edge_aware_smoothness(torch.ones(1, 2, 4, 4), torch.rand(1, 3, 4, 4)).item()
        0.0
    """
    total = flow.new_zeros(())
    for axis in (-1, -2):
        flow_gradient = flow.diff(dim=axis).abs()
        image_gradient = image.diff(dim=axis).abs().mean(dim=1, keepdim=True)
        total = total + (flow_gradient * torch.exp(-edge_weight * image_gradient)).mean()
    return total
