"""Training losses on tensors."""

from msvsr.losses.adversarial import discriminator_loss, gan_loss, generator_loss
from msvsr.losses.flow import edge_aware_smoothness, photometric_loss
from msvsr.losses.perceptual import PERCEPTUAL_WEIGHTS, FeatureNetwork, PerceptualLoss
from msvsr.losses.pixel import (
    PixelLoss,
    PixelLossName,
    charbonnier_loss,
    l1_loss,
    make_pixel_loss,
)
from msvsr.losses.temporal import temporal_loss

__all__ = [
    "PERCEPTUAL_WEIGHTS",
    "FeatureNetwork",
    "PerceptualLoss",
    "PixelLoss",
    "PixelLossName",
    "charbonnier_loss",
    "discriminator_loss",
    "edge_aware_smoothness",
    "gan_loss",
    "generator_loss",
    "l1_loss",
    "make_pixel_loss",
    "photometric_loss",
    "temporal_loss",
]
