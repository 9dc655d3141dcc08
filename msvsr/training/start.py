"""From a JSON file to the trainer of its task."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch.utils.data import Dataset

from msvsr.data.cache import default_cache_dir
from msvsr.errors import ConfigError
from msvsr.models.catalog import FRAME_INTERPOLATION_TASK, SUPER_RESOLUTION_TASK
from msvsr.models.config_json import dataclass_from_mapping, read_json
from msvsr.training.config import TrainingConfig
from msvsr.training.events import TrainingEvents
from msvsr.training.interpolation.config import InterpolationTrainingConfig
from msvsr.training.interpolation.trainer import InterpolationTrainer
from msvsr.training.processes import Processes
from msvsr.training.trainer import Trainer

__all__ = ["AnyTrainer", "AnyTrainingConfig", "Places", "make_trainer", "parse_run", "read_run"]

AnyTrainingConfig = TrainingConfig | InterpolationTrainingConfig
AnyTrainer = Trainer | InterpolationTrainer


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where a run finds and leaves things.

    Attributes:
        data_dir: Folder that holds the clips.
        work_dir: Folder of checkpoint, log and weights.
        cache_dir: Folder of decoded clips.
        initial: Weights to start from: a model folder, or a file of super-resolution.
        teacher: Weights that teach a flow network of interpolation.
        spynet: Weights of the flow network of super-resolution.
        vgg: Weights of VGG19, for the perceptual loss.
    """

    data_dir: Path
    work_dir: Path
    cache_dir: Path | None = None
    initial: Path | None = None
    teacher: Path | None = None
    spynet: Path | None = None
    vgg: Path | None = None


def read_run(path: Path) -> AnyTrainingConfig:
    """Read the configuration of a run of either task.

    Raises:
        ConfigError: The file cannot be read, or holds something wrong.
    """
    return parse_run(read_json(path), path.name)


def parse_run(content: Mapping[str, Any], where: str) -> AnyTrainingConfig:
    """Take a configuration for the task that it names; super-resolution by default.

    Args:
        content: What was read from JSON.
        where: Where it came from, for messages.

    Raises:
        ConfigError: It holds an unknown task or key, or an impossible value.
    """
    task = content.get("task", SUPER_RESOLUTION_TASK)
    if task == FRAME_INTERPOLATION_TASK:
        return dataclass_from_mapping(InterpolationTrainingConfig, content, where)
    if task != SUPER_RESOLUTION_TASK:
        raise ConfigError(
            f"{where}: task must be '{FRAME_INTERPOLATION_TASK}', or left out for "
            f"super-resolution, got {task!r}"
        )
    return dataclass_from_mapping(TrainingConfig, content, where)


def make_trainer(
    config: AnyTrainingConfig,
    places: Places,
    *,
    num_workers: int = 1,
    dataset: Dataset[Any] | None = None,
    processes: Processes | None = None,
    events: TrainingEvents | None = None,
) -> AnyTrainer:
    """Make the trainer of a run, or continue the one in its work folder.

    Args:
        config: The run.
        places: Where things are.
        num_workers: Processes that prepare samples; 0 prepares them in this process.
        dataset: Samples of the task, in place of those that the configuration describes.
        processes: This process, its device and the others; one on the CPU by default.
        events: Who watches the run.

    Raises:
        ConfigError: Something that the run needs was not given.
        CheckpointError: Weights are missing or belong to another network, or the work folder to
            another run.
    """
    cache_dir = places.cache_dir or default_cache_dir()
    if isinstance(config, InterpolationTrainingConfig):
        return InterpolationTrainer(
            config,
            places.data_dir,
            cache_dir,
            places.work_dir,
            num_workers,
            teacher=places.teacher,
            initial=places.initial,
            vgg=places.vgg,
            dataset=dataset,
            processes=processes,
            events=events,
        )
    return Trainer(
        config,
        places.data_dir,
        cache_dir,
        places.work_dir,
        num_workers,
        initial=places.initial,
        spynet=places.spynet,
        vgg=places.vgg,
        dataset=dataset,
        processes=processes,
        events=events,
    )
