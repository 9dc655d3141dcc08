"""``train`` in a configuration of ModelScope: a recipe of ours beside keys of theirs."""

from collections.abc import Mapping
from typing import Any

from msvsr.errors import ConfigError
from msvsr.models.catalog import SUPER_RESOLUTION_TASK
from msvsr.training.start import AnyTrainingConfig, parse_run

__all__ = ["left_out", "merge_recipe", "read_run_settings", "refuse_other_task"]

_MODELSCOPES_KEYS = (
    "work_dir",
    "max_epochs",
    "train_iters_per_epoch",
    "dataloader",
    "hooks",
    "logging",
    "checkpoint",
    "lr_scheduler",
    "lr_scheduler_hook",
    "optimizer_hook",
)
"""Keys of ``train`` that ModelScope reads itself."""

_UNUSED_KEYS = ("lr_scheduler", "lr_scheduler_hook", "optimizer_hook")


def left_out(train: Mapping[str, Any]) -> list[str]:
    """What ``train`` of a model's configuration says and the loop does in its own way."""
    names = [key for key in _UNUSED_KEYS if key in train]
    return names + (["optimizer"] if _is_modelscopes(train.get("optimizer")) else [])


def merge_recipe(recipe: Mapping[str, Any], train: Mapping[str, Any]) -> dict[str, Any]:
    """Fill ``train`` up with what it does not say.

    Args:
        recipe: The recipe.
        train: What wins over it, key by key.

    Example:
        >>> merge_recipe({"seed": 1, "loss": {"pixel": 1.0, "flow": 0.1}}, {"loss": {"flow": 0.0}})
        {'seed': 1, 'loss': {'pixel': 1.0, 'flow': 0.0}}
    """
    base = dict(recipe)
    for one, other in (("data", "footage"), ("footage", "data")):
        if train.get(one) is not None and train.get(other) is None:
            base.pop(other, None)
    own = dict(train)
    if _is_modelscopes(own.get("optimizer")):
        del own["optimizer"]
    return _merge(base, own)


def read_run_settings(train: Mapping[str, Any], task: str) -> AnyTrainingConfig:
    """Take the recipe out of ``train``.

    Raises:
        ConfigError: A key is unknown, a value impossible, or it is a recipe for another task.
    """
    own = {key: value for key, value in train.items() if key not in _MODELSCOPES_KEYS}
    refuse_other_task(own, task)
    return parse_run(own, "train")


def refuse_other_task(recipe: Mapping[str, Any], task: str) -> None:
    """Make sure that a recipe is one for the task of the model.

    Raises:
        ConfigError: It is not.
    """
    found = recipe.get("task", SUPER_RESOLUTION_TASK)
    if found != task:
        raise ConfigError(
            f"the recipe is one for {found}, but the model is one for {task}: name another recipe"
        )


def _is_modelscopes(optimizer: object) -> bool:
    return isinstance(optimizer, Mapping) and "type" in optimizer


def _merge(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in own.items():
        below = merged.get(key)
        if isinstance(value, Mapping) and isinstance(below, Mapping):
            merged[key] = _merge(below, value)
        else:
            merged[key] = value
    return merged
