"""Training data: clips from video files or folders of images, cropped and degraded."""

from msvsr.data.cache import ClipSource, load_clip
from msvsr.data.dataset import ClipDataset, ClipDatasetConfig
from msvsr.data.footage import FootageSource
from msvsr.data.sampling import AugmentationConfig, CropConfig
from msvsr.data.sharpening import SharpeningConfig
from msvsr.data.training_clips import TrainingClips, TrainingClipsConfig, TrainingSample

__all__ = [
    "AugmentationConfig",
    "ClipDataset",
    "ClipDatasetConfig",
    "ClipSource",
    "CropConfig",
    "FootageSource",
    "SharpeningConfig",
    "TrainingClips",
    "TrainingClipsConfig",
    "TrainingSample",
    "load_clip",
]
