"""Pairs of degraded clip and ground truth; sample ``i`` depends on the seed and ``i`` alone."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from torch.utils.data import Dataset

from msvsr.data.cache import ClipSource, load_clip
from msvsr.data.sampling import AugmentationConfig, ByteClip, CropConfig, augment, draw_window
from msvsr.degradations.chain import DegradationConfig, Degrader
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
    """

    clips: tuple[ClipSource, ...]
    crop: CropConfig = field(default_factory=CropConfig)
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)
    degradation: DegradationConfig = field(default_factory=DegradationConfig)

    def __post_init__(self) -> None:
        """Check the values against each other.

        Raises:
            ConfigError: There is no clip, or the window is not a multiple of the scale.
        """
        if not self.clips:
            raise ConfigError("data.clips is empty; name at least one clip")
        if self.crop.size % self.degradation.scale:
            raise ConfigError(
                f"crop.size must be a multiple of degradation.scale, got {self.crop.size} and "
                f"{self.degradation.scale}"
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
        self._data_dir, self._cache_dir = data_dir, cache_dir
        self._clips = self._open()
        weights = np.array([clip.weight for clip in config.clips])
        self._probabilities = weights / weights.sum()
        self._degrader = Degrader(config.degradation)

    def _open(self) -> list[ByteClip]:
        return [load_clip(self._data_dir, clip, self._cache_dir) for clip in self.config.clips]

    def __getstate__(self) -> dict[str, Any]:
        """Leave the clips out: another process opens the cache itself instead of copying them."""
        return {**self.__dict__, "_clips": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Open the clips again."""
        self.__dict__.update(state)
        self._clips = self._open()

    def __getitem__(self, index: int) -> ClipPair:
        """Make sample ``index``; any number from 0 is allowed."""
        rng = np.random.default_rng((self.seed, index))
        clip = self._clips[rng.choice(len(self._clips), p=self._probabilities)]
        gt = augment(draw_window(clip, self.config.crop, rng), self.config.augmentation, rng)
        return ClipPair(_to_tensor(self._degrader(gt, rng)), _to_tensor(gt))


def _to_tensor(clip: ByteClip) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(clip.transpose(0, 3, 1, 2)))


def limit_worker_threads(_worker: int) -> None:
    """Keep a loader's worker process on one core; pass as ``worker_init_fn``."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
