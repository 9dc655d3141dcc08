"""Losses between an image and its ground truth."""

import functools
from collections.abc import Callable
from typing import Literal, get_args

import torch

from msvsr.errors import ConfigError

__all__ = ["PixelLoss", "PixelLossName", "charbonnier_loss", "l1_loss", "make_pixel_loss"]

PixelLoss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""Takes prediction and target of the same shape, gives a scalar in float32."""

PixelLossName = Literal["l1", "charbonnier"]


def l1_loss(prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Mean absolute difference.

    Args:
        prediction: Any shape.
        target: The same shape.

    Returns:
        The loss, a scalar in float32.

    Example:
        >>> l1_loss(torch.ones(2), torch.tensor([0.0, 3.0])).item()
        1.5
    """
    return (prediction.float() - target.float()).abs().mean()


def charbonnier_loss(
    prediction: torch.Tensor, target: torch.Tensor, epsilon: float = 1e-6
) -> torch.Tensor:
    """Mean of ``sqrt((prediction - target)^2 + epsilon)``, a smooth L1.

    Args:
        prediction: Any shape.
        target: The same shape.
        epsilon: Square of the difference under which the loss becomes quadratic.

    Returns:
        The loss, a scalar in float32.

    Source: Lai et al., "Deep Laplacian Pyramid Networks", CVPR 2017.

    Example:
        >>> round(charbonnier_loss(torch.ones(2), torch.zeros(2)).item(), 4)
        1.0
    """
    return ((prediction.float() - target.float()).square() + epsilon).sqrt().mean()


def make_pixel_loss(name: PixelLossName, epsilon: float = 1e-12) -> PixelLoss:
    """Choose a pixel loss by its name in a configuration.

    Args:
        name: ``l1`` or ``charbonnier``.
        epsilon: Of the Charbonnier loss; by default as in the BasicVSR of mmediting. It is the
            square of the epsilon in the papers' formula.

    Returns:
        The loss.

    Raises:
        ConfigError: There is no loss of this name, or epsilon is not above 0.

    Example:
        >>> make_pixel_loss("charbonnier", epsilon=1.0)(torch.zeros(2), torch.zeros(2)).item()
        1.0
    """
    if not epsilon > 0:
        raise ConfigError(f"epsilon of the Charbonnier loss must be above 0, got {epsilon}")
    losses: dict[str, PixelLoss] = {
        "l1": l1_loss,
        "charbonnier": functools.partial(charbonnier_loss, epsilon=epsilon),
    }
    if name not in losses:
        raise ConfigError(f"a pixel loss must be one of {get_args(PixelLossName)}, got {name!r}")
    return losses[name]
