"""Losses between an image and its ground truth."""

import torch

__all__ = ["charbonnier_loss"]


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
