"""Training data: clips from video files or folders of images, cropped and degraded."""

from msvsr.data.cache import ClipSource, load_clip
from msvsr.data.dataset import ClipDataset, ClipDatasetConfig
from msvsr.data.sampling import AugmentationConfig, CropConfig

__all__ = [
    "AugmentationConfig",
    "ClipDataset",
    "ClipDatasetConfig",
    "ClipSource",
    "CropConfig",
    "load_clip",
]
