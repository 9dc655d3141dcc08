"""The two sides of a vanilla GAN, on a discriminator's logits.

Source: Goodfellow et al., "Generative Adversarial Nets", NeurIPS 2014, with the generator's
    non-saturating loss.
"""

import torch
import torch.nn.functional as F

__all__ = ["discriminator_loss", "gan_loss", "generator_loss"]


def gan_loss(logits: torch.Tensor, *, is_real: bool) -> torch.Tensor:
    """Binary cross-entropy between logits and one label for all of them.

    Args:
        logits: Any shape; positive where a discriminator takes something for real.
        is_real: The label.

    Returns:
        The mean, a scalar in float32.

    Example:
        >>> round(gan_loss(torch.zeros(4), is_real=True).item(), 4)
        0.6931
    """
    # -log(sigmoid(x)) = softplus(-x) for real, -log(1 - sigmoid(x)) = softplus(x) for fake
    return F.softplus(-logits.float() if is_real else logits.float()).mean()


def generator_loss(fake_logits: torch.Tensor) -> torch.Tensor:
    """What the generator lowers: its images should be taken for real.

    Args:
        fake_logits: The discriminator's logits on generated images.

    Returns:
        The loss, a scalar in float32.
    """
    return gan_loss(fake_logits, is_real=True)


def discriminator_loss(real_logits: torch.Tensor, fake_logits: torch.Tensor) -> torch.Tensor:
    """What the discriminator lowers: the sum, not the mean, of its losses on both kinds.

    Args:
        real_logits: Its logits on real images.
        fake_logits: Its logits on generated images, which must be detached from the generator.

    Returns:
        The loss, a scalar in float32.
    """
    return gan_loss(real_logits, is_real=True) + gan_loss(fake_logits, is_real=False)
