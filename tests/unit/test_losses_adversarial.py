"""Both sides of the GAN loss against cross-entropy with labels."""

import pytest
import torch
import torch.nn.functional as F

from msvsr.losses import discriminator_loss, gan_loss, generator_loss


def cross_entropy(logits: torch.Tensor, label: float) -> torch.Tensor:
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))


def test_losses_are_cross_entropy_with_real_as_one_and_fake_as_zero() -> None:
    real, fake = 3 * torch.randn(2, 2, 1, 8, 8)
    torch.testing.assert_close(generator_loss(fake), cross_entropy(fake, 1.0))
    torch.testing.assert_close(
        discriminator_loss(real, fake), cross_entropy(real, 1.0) + cross_entropy(fake, 0.0)
    )


def test_the_two_sides_can_be_taken_one_after_the_other() -> None:
    real, fake = torch.randn(2, 2, 1, 8, 8)
    apart = gan_loss(real, is_real=True) + gan_loss(fake, is_real=False)
    assert torch.equal(apart, discriminator_loss(real, fake))


def test_generator_and_discriminator_pull_the_logits_of_fakes_apart() -> None:
    logits = torch.randn(16, requires_grad=True)
    (up,) = torch.autograd.grad(generator_loss(logits), logits)
    (down,) = torch.autograd.grad(discriminator_loss(torch.zeros(16), logits), logits)
    assert (up < 0).all()
    assert (down > 0).all()
    torch.testing.assert_close(down - up, torch.full((16,), 1 / 16))


def test_sure_logits_in_half_precision_stay_finite() -> None:
    logits = torch.tensor([200.0, -200.0], dtype=torch.float16, requires_grad=True)
    loss = generator_loss(logits)
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(100.0)
    loss.backward()
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()
