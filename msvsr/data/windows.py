"""Windows cut out of clips: what the training data of both tasks is made of."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch.utils.data import Dataset

from msvsr.data.cache import ClipSource, load_clip
from msvsr.data.overlays import OverlayConfig, draw_overlay
from msvsr.data.sampling import AugmentationConfig, ByteClip, CropConfig, augment, draw_window
from msvsr.errors import ConfigError

__all__ = [
    "WindowDataset",
    "WindowDatasetConfig",
    "WindowSampler",
    "clip_to_tensor",
    "limit_worker_threads",
]


class WindowSampler:
    """Draws augmented windows out of several clips.

    Args:
        clips: The clips to draw from.
        crop: The window that is cut out of a clip.
        augmentation: Flips and the like.
        data_dir: Folder that holds the clips.
        cache_dir: Folder of the decoded clips.
    """

    def __init__(
        self,
        clips: tuple[ClipSource, ...],
        crop: CropConfig,
        augmentation: AugmentationConfig,
        data_dir: Path,
        cache_dir: Path,
    ) -> None:
        self._sources, self._crop, self._augmentation = clips, crop, augmentation
        self._data_dir, self._cache_dir = data_dir, cache_dir
        self._clips = self._open()
        weights = np.array([clip.weight for clip in clips])
        self._probabilities = weights / weights.sum()

    def _open(self) -> list[ByteClip]:
        return [load_clip(self._data_dir, clip, self._cache_dir) for clip in self._sources]

    def __getstate__(self) -> dict[str, Any]:
        """Leave the clips out: another process opens the cache itself instead of copying them."""
        return {**self.__dict__, "_clips": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Open the clips again."""
        self.__dict__.update(state)
        self._clips = self._open()

    def draw(self, rng: np.random.Generator) -> ByteClip:
        """Cut a window: ``(t, s, s, 3)``, RGB uint8."""
        clip = self._clips[rng.choice(len(self._clips), p=self._probabilities)]
        return augment(draw_window(clip, self._crop, rng), self._augmentation, rng)


@dataclass(frozen=True, kw_only=True)
class WindowDatasetConfig:
    """What the training samples of frame interpolation are made of.

    Attributes:
        clips: The clips to draw from.
        crop: The window that is cut out of a clip.
        augmentation: Flips and the like.
        overlay: Lettering that stands still on top, as subtitles and logos do.
    """

    clips: tuple[ClipSource, ...]
    crop: CropConfig = field(default_factory=lambda: CropConfig(num_frames=7, max_stride=1))
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)
    overlay: OverlayConfig = field(default_factory=OverlayConfig)

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: There is no clip.
        """
        if not self.clips:
            raise ConfigError("data.clips is empty; name at least one clip")


class WindowDataset(Dataset[torch.Tensor]):
    """An endless, indexable stream of windows ``(t, 3, s, s)``, RGB uint8.

    Args:
        config: What the samples are made of.
        data_dir: Folder that holds the clips.
        cache_dir: Folder of the decoded clips.
        seed: Together with the index it determines a sample.
    """

    def __init__(
        self, config: WindowDatasetConfig, data_dir: Path, cache_dir: Path, seed: int
    ) -> None:
        self.config = config
        self.seed = seed
        self._sampler = WindowSampler(
            config.clips, config.crop, config.augmentation, data_dir, cache_dir
        )

    def __getitem__(self, index: int) -> torch.Tensor:
        """Make sample ``index``; any number from 0 is allowed."""
        rng = np.random.default_rng((self.seed, index))
        window = self._sampler.draw(rng)
        return clip_to_tensor(draw_overlay(window, self.config.overlay, rng))


def clip_to_tensor(clip: ByteClip) -> torch.Tensor:
    """An array ``(t, h, w, 3)`` as a tensor ``(t, 3, h, w)``."""
    return torch.from_numpy(np.ascontiguousarray(clip.transpose(0, 3, 1, 2)))


def limit_worker_threads(_worker: int) -> None:
    """Keep a loader's worker process on one core; pass as ``worker_init_fn``."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
