"""What the losses of super-resolution compare with."""

from typing import NamedTuple

import torch

from msvsr.data.dataset import ClipPair
from msvsr.data.training_clips import TrainingSample
from msvsr.training.config import LossConfig

__all__ = ["Targets", "choose_targets"]


class Targets(NamedTuple):
    """Ground truth for each loss, RGB in [0, 1], ``(n, t, 3, 4h, 4w)``.

    Attributes:
        pixel: For pixel and cleaning loss.
        perceptual: For the perceptual loss.
        adversarial: What the discriminator takes for real.
    """

    pixel: torch.Tensor
    perceptual: torch.Tensor
    adversarial: torch.Tensor


def choose_targets(batch: ClipPair | TrainingSample, config: LossConfig) -> Targets:
    """Choose the sharpened or the plain ground truth for each loss.

    Args:
        batch: RGB uint8.
        config: Which losses compare with the sharpened one.
    """
    gt = batch.gt.float() / 255
    sharpened = gt
    if config.uses_sharpened and isinstance(batch, TrainingSample):
        sharpened = batch.gt_unsharp.float() / 255
    choices = (config.sharpened_pixel, config.sharpened_perceptual, config.sharpened_adversarial)
    return Targets(*(sharpened if choice else gt for choice in choices))
