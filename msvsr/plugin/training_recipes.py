"""Configurations of trainings: those that ship, and those beside a model."""

import os
from pathlib import Path

from msvsr.errors import ConfigError
from msvsr.models.catalog import (
    FRAME_INTERPOLATION_TASK,
    SUPER_RESOLUTION_TASK,
    configuration_root,
)

__all__ = ["FINE_TUNING", "default_recipe", "find_recipe", "list_recipes"]

FINE_TUNING = "training_finetune"
"""Name of the configuration that goes on from the weights of a model."""

_DEFAULT_RECIPES = {
    SUPER_RESOLUTION_TASK: f"realbasicvsr_x4/{FINE_TUNING}",
    FRAME_INTERPOLATION_TASK: f"raft_interpolation_practical/{FINE_TUNING}",
}


def list_recipes() -> dict[str, Path]:
    """The shipped configurations by name, such as ``realbasicvsr_x4/training_stage1``."""
    paths = sorted(configuration_root().glob("*/training*.json"))
    return {f"{path.parent.name}/{path.stem}": path for path in paths}


def find_recipe(recipe: str | os.PathLike[str], model_dir: Path | None = None) -> Path:
    """Find a configuration of a training.

    Args:
        recipe: A JSON file, the name of a shipped configuration, or the name of one in the folder
            of the model, such as ``training``.
        model_dir: The folder of the model, if there is one.

    Returns:
        The file.

    Raises:
        ConfigError: There is no such configuration.
    """
    name = os.fspath(recipe)
    if Path(name).is_file():
        return Path(name)
    shipped = list_recipes()
    beside = None if model_dir is None else model_dir / f"{Path(name).name}.json"
    if beside is not None and name == beside.stem and beside.is_file():
        return beside
    if name.removesuffix(".json") in shipped:
        return shipped[name.removesuffix(".json")]
    raise ConfigError(
        f"no training configuration '{name}': expected a JSON file, or one of {', '.join(shipped)}"
    )


def default_recipe(task: str, model_dir: Path) -> Path:
    """The configuration for fine-tuning: the model's own one, or the shipped one of the task."""
    own = model_dir / f"{FINE_TUNING}.json"
    return own if own.is_file() else find_recipe(_DEFAULT_RECIPES[task])
