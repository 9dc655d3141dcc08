"""Clips to train on, as a user names them, put into the configuration of a training."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch.utils.data import Dataset

from msvsr.data.cache import ClipSource
from msvsr.data.dataset import ClipDataset
from msvsr.data.footage import FootageSource, find_footage
from msvsr.data.sampling import CropConfig
from msvsr.data.training_clips import TrainingClips
from msvsr.data.windows import WindowDataset, WindowDatasetConfig
from msvsr.errors import InputError
from msvsr.training.config import FootageConfig, TrainingConfig
from msvsr.training.interpolation.config import InterpolationTrainingConfig
from msvsr.training.start import AnyTrainingConfig

__all__ = ["TrainingData", "hold_nothing_out", "name_clips", "use_clips", "use_data"]

SampleClasses = tuple[type[Dataset[Any]], ...]

_SAMPLE_CLASSES: dict[type, SampleClasses] = {
    TrainingConfig: (TrainingClips, ClipDataset),
    InterpolationTrainingConfig: (WindowDataset,),
}


@dataclass(frozen=True, kw_only=True)
class TrainingData:
    """A run, and what it learns from.

    Attributes:
        config: The run.
        data_dir: Folder that the names of its clips start from.
        dataset: Samples to use in place of those that the configuration describes.
    """

    config: AnyTrainingConfig
    data_dir: Path
    dataset: Any = None


def use_data(config: AnyTrainingConfig, data: object) -> TrainingData:
    """Train on what a user names.

    Args:
        config: The run; how samples are cut and degraded stays as it says.
        data: A video, a folder of clips at any depth, several of these, or an endless data set
            of the task (`TrainingClips`, `ClipDataset`; `WindowDataset` for interpolation).
            ``None`` for the files that the configuration names, from the current folder on.

    Raises:
        InputError: It is something else, holds no clip, or one that is too small.
    """
    classes = _SAMPLE_CLASSES[type(config)]
    if data is None and _names_nothing(config):
        raise InputError("train needs a train_dataset: give a folder of clips to build_trainer")
    if data is None:
        return TrainingData(config=config, data_dir=Path())
    if isinstance(data, classes):
        free: dict[str, Any] = {"data": None}
        if isinstance(config, TrainingConfig):
            free["footage"] = None
        return TrainingData(config=replace(config, **free), data_dir=Path(), dataset=data)
    paths = [data] if isinstance(data, str | os.PathLike) else data
    if not isinstance(paths, Sequence) or not paths or not all(map(_is_path, paths)):
        names = ", ".join(each.__name__ for each in classes)
        raise InputError(
            f"train_dataset must be a folder of clips, a video, a list of these, or {names}, "
            f"got {_describe(data)}: give one of them"
        )
    return use_clips(config, [Path(path) for path in paths])


def _names_nothing(config: AnyTrainingConfig) -> bool:
    """Whether a run would learn from whatever there is in the current folder."""
    if isinstance(config, InterpolationTrainingConfig) or config.data is not None:
        return config.data is None
    return config.footage is None or any(each.path == "." for each in config.footage.sources)


def hold_nothing_out(config: AnyTrainingConfig) -> AnyTrainingConfig:
    """The run without clips to validate on."""
    if isinstance(config, InterpolationTrainingConfig):
        return replace(config, validation=replace(config.validation, clips=()))
    return replace(config, validation=replace(config.validation, clips=()))


def use_clips(config: AnyTrainingConfig, paths: Sequence[Path]) -> TrainingData:
    """Train on all clips of some files and folders."""
    whole = [path.resolve() for path in paths]
    data_dir = Path(os.path.commonpath([path.parent for path in whole]))
    names = [path.relative_to(data_dir).as_posix() for path in whole]
    if isinstance(config, InterpolationTrainingConfig):
        return TrainingData(config=name_clips(config, data_dir, names), data_dir=data_dir)
    if config.data is not None:
        first = config.data.clips[0]
        clips = _list_clips(data_dir, names, config.data.crop, first.shrink)
        new = replace(config, data=replace(config.data, clips=clips))
        return TrainingData(config=new, data_dir=data_dir)
    footage = config.footage or FootageConfig()
    like = footage.sources[0] if len(footage.sources) == 1 else FootageSource(path=".")
    sources = tuple(replace(like, path=name) for name in names)
    new = replace(config, footage=replace(footage, sources=sources))
    return TrainingData(config=new, data_dir=data_dir)


def name_clips(
    config: InterpolationTrainingConfig, data_dir: Path, names: Sequence[str] = (".",)
) -> InterpolationTrainingConfig:
    """Name the clips of some files and folders in a run of interpolation.

    Args:
        config: The run.
        data_dir: Folder that the names start from.
        names: Files and folders; the whole folder by default.

    Raises:
        InputError: There is no clip, or one is too short or too small.
    """
    if config.data is None:
        crop = WindowDatasetConfig(clips=(ClipSource(name="."),)).crop
        data = WindowDatasetConfig(clips=_list_clips(data_dir, names, crop, 1))
    else:
        first = config.data.clips[0]
        clips = _list_clips(data_dir, names, config.data.crop, first.shrink)
        data = replace(config.data, clips=clips)
    return replace(config, data=data)


def _list_clips(
    data_dir: Path, names: Sequence[str], crop: CropConfig, shrink: int
) -> tuple[ClipSource, ...]:
    clips = []
    for path in (data_dir / name for name in names):
        for footage in find_footage(path):
            height, width = (side // shrink for side in footage.size)
            if len(footage) < crop.num_frames or min(height, width) < crop.size:
                raise InputError(
                    f"clip {footage.name}: samples need {crop.num_frames} frames of {crop.size}x"
                    f"{crop.size} pixels or more, but it has {len(footage)} of {width}x{height}; "
                    "remove it, or choose smaller samples (data.crop)"
                )
            below = path / footage.name
            place = below if below.exists() else path  # a folder that is a clip itself
            name = place.relative_to(data_dir).as_posix()
            clips.append(ClipSource(name=name, shrink=shrink))
    return tuple(clips)


def _is_path(value: object) -> bool:
    return isinstance(value, str | os.PathLike)


def _describe(data: object) -> str:
    return repr(data) if data == [] else type(data).__name__
