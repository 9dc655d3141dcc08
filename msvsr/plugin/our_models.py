"""Which models are ours, as far as can be told without using the network."""

import os
from pathlib import Path

from modelscope.utils.constant import DEFAULT_MODEL_REVISION

from msvsr.errors import MsvsrError
from msvsr.models.catalog import list_models
from msvsr.models.config import read_configuration
from msvsr.plugin.hub import cached_folder
from msvsr.plugin.names import HUB_IDS, REGISTRATIONS
from msvsr.plugin.video_model import VideoModel

__all__ = ["needs_no_hub", "task_of"]


def task_of(model: object, cfg_file: object = None) -> str | None:
    """Find the task of a model, if it is one of ours, without using the network.

    Args:
        model: A folder, the name of a shipped model, a model id, or a model.
        cfg_file: Path of a configuration, for when there is no model.

    Returns:
        The task; ``None`` for a model that is not ours, or that nothing here knows.
    """
    if isinstance(model, VideoModel):
        return str(model.group_key)  # the group that its class is registered in
    if isinstance(model, str | os.PathLike):
        name = os.fspath(model)
        shipped = {entry.name: entry.folder for entry in list_models()}
        folder = Path(name) if Path(name).exists() else shipped.get(name) or _cached(name)
    elif model is None and isinstance(cfg_file, str | os.PathLike):
        folder = Path(cfg_file).parent
    else:
        return None
    return None if folder is None else _task_of_folder(folder)


def needs_no_hub(model: object, revision: str | None = None) -> bool:
    """Whether a model is one of ours that can be found without asking the Hub about it.

    Args:
        model: What a user named.
        revision: The revision that was asked for; the cache is searched for the default one alone.
    """
    if not isinstance(model, str) or revision not in (None, DEFAULT_MODEL_REVISION):
        return False
    return not Path(model).exists() and task_of(model) is not None


def _cached(name: str) -> Path | None:
    if name in HUB_IDS.values():  # what the folder would say once it is there
        shipped = {entry.name: entry.folder for entry in list_models()}
        return next(shipped.get(key) for key, value in HUB_IDS.items() if value == name)
    return cached_folder(name)


def _task_of_folder(folder: Path) -> str | None:
    try:
        configuration = read_configuration(folder)
    except (MsvsrError, OSError):  # a file, or a folder that cannot be read
        return None
    task, kind = configuration.get("task"), (configuration.get("model") or {}).get("type")
    return str(task) if ("MODELS", task, kind) in REGISTRATIONS else None
