"""Training losses as plain functions of tensors."""

from msvsr.losses.flow import edge_aware_smoothness, photometric_loss
from msvsr.losses.pixel import charbonnier_loss

__all__ = ["charbonnier_loss", "edge_aware_smoothness", "photometric_loss"]
