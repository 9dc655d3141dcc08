"""Pairs of degraded clip and ground truth; sample ``i`` depends on the seed and ``i`` alone."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch.utils.data import Dataset

from msvsr.data.cache import ClipSource
from msvsr.data.sampling import AugmentationConfig, ByteClip, CropConfig
from msvsr.data.windows import WindowSampler, clip_to_tensor
from msvsr.degradations.chain import DegradationConfig, Degrader
from msvsr.degradations.checks import check_probability
from msvsr.degradations.second_order import SecondOrderDegrader
from msvsr.degradations.second_order_config import SecondOrderConfig
from msvsr.errors import ConfigError

__all__ = ["ClipDataset", "ClipDatasetConfig", "ClipPair"]


class ClipPair(NamedTuple):
    """One sample, or a batch of them with one more axis in front.

    Attributes:
        lq: Degraded clip, ``(t, 3, h, w)``, RGB uint8.
        gt: Ground truth, ``(t, 3, 4h, 4w)``, RGB uint8.
    """

    lq: torch.Tensor
    gt: torch.Tensor


@dataclass(frozen=True, kw_only=True)
class ClipDatasetConfig:
    """What training samples are made of.

    Attributes:
        clips: The clips to draw from.
        crop: The window that is cut out of a clip.
        augmentation: Flips and the like.
        degradation: What makes the low-quality clip.
        second_order: What makes it instead, now and then; nothing leaves it out.
        second_order_probability: How often.
    """

    clips: tuple[ClipSource, ...]
    crop: CropConfig = field(default_factory=CropConfig)
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)
    degradation: DegradationConfig = field(default_factory=DegradationConfig)
    second_order: SecondOrderConfig | None = None
    second_order_probability: float = 0.5

    def __post_init__(self) -> None:
        """Check the values against each other.

        Raises:
            ConfigError: There is no clip, the window is not a multiple of the scale, the scales
                differ, or the probability is none.
        """
        if not self.clips:
            raise ConfigError("data.clips is empty; name at least one clip")
        if self.crop.size % self.degradation.scale:
            raise ConfigError(
                f"crop.size must be a multiple of degradation.scale, got {self.crop.size} and "
                f"{self.degradation.scale}"
            )
        check_probability("data.second_order_probability", self.second_order_probability)
        if self.second_order is not None and self.second_order.scale != self.degradation.scale:
            raise ConfigError(
                "data.second_order.scale and data.degradation.scale must be the same, got "
                f"{self.second_order.scale} and {self.degradation.scale}"
            )


class ClipDataset(Dataset[ClipPair]):
    """An endless, indexable stream of training samples.

    Args:
        config: What the samples are made of.
        data_dir: Folder that holds the clips.
        cache_dir: Folder of the decoded clips.
        seed: Together with the index it determines a sample.
    """

    def __init__(
        self, config: ClipDatasetConfig, data_dir: Path, cache_dir: Path, seed: int
    ) -> None:
        self.config = config
        self.seed = seed
        self._sampler = WindowSampler(
            config.clips, config.crop, config.augmentation, data_dir, cache_dir
        )
        self._degrader = Degrader(config.degradation)
        self._second_order = config.second_order and SecondOrderDegrader(config.second_order)

    def __getitem__(self, index: int) -> ClipPair:
        """Make sample ``index``; any number from 0 is allowed."""
        rng = np.random.default_rng((self.seed, index))
        gt = self._sampler.draw(rng)
        return ClipPair(clip_to_tensor(self._degrade(gt, rng)), clip_to_tensor(gt))

    def _degrade(self, gt: ByteClip, rng: np.random.Generator) -> ByteClip:
        # Without a second chain nothing is drawn: samples of older configurations stay the same.
        if self._second_order and rng.random() < self.config.second_order_probability:
            return self._second_order(gt, rng)
        return self._degrader(gt, rng)
