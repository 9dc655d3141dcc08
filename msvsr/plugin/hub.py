"""Models of the Hub: their cached folders first, the network only for what is missing."""

import os
import re
from collections.abc import Callable
from pathlib import Path

from msvsr.errors import ConfigError, MsvsrError
from msvsr.models import raft_interpolation, realbasicvsr
from msvsr.models.catalog import (
    FRAME_INTERPOLATION_TASK,
    SUPER_RESOLUTION_TASK,
    configuration_root,
    find_model_folder,
    refuse_other_task,
)
from msvsr.models.config import read_configuration
from msvsr.plugin.names import HUB_IDS

__all__ = ["cached_folder", "cached_models", "download", "resolve_model"]

_MODEL_ID = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")

_WEIGHTS_FINDERS: dict[str, Callable[[Path], object]] = {
    SUPER_RESOLUTION_TASK: realbasicvsr.find_weights,
    FRAME_INTERPOLATION_TASK: raft_interpolation.find_weights,
}
"""What raises an error where a model folder of a task lacks weights."""


def resolve_model(
    model: str | os.PathLike[str] | None = None, task: str = SUPER_RESOLUTION_TASK
) -> Path:
    """Find the folder of a model, and download it when nothing else helps.

    Args:
        model: A folder, the name of a shipped model, a model id of the Hub (``owner/name``), or
            ``None`` for the embedded one.
        task: ModelScope's name of the task.

    Returns:
        The folder. One of a model id is complete; others are taken as they are.

    Raises:
        ConfigError: There is no such model, it is one for another task, or the Hub cannot be
            reached and has to be.
    """
    name = None if model is None else os.fspath(model)
    if name is not None and not Path(name).is_dir():
        model_id = name if _MODEL_ID.fullmatch(name) else HUB_IDS.get(name)
        if model_id is not None:
            _refuse_before_download(name, model_id, task)
            folder = cached_folder(model_id) or download(model_id)
            refuse_other_task(folder, task, name=name)
            return folder
    return find_model_folder(name, task)


def cached_folder(model_id: str) -> Path | None:
    """The folder that an earlier download of a model left, without using the network.

    Args:
        model_id: ``owner/name``.

    Returns:
        The folder, or ``None`` when there is none or something is missing in it.
    """
    try:
        folder = Path(_client()(model_id, local_files_only=True))
    except Exception:  # which one depends on ModelScope's version
        return None
    return folder if _is_complete(folder) else None


def cached_models() -> dict[str, Path]:
    """The folders of the official models that are in ModelScope's cache, by model id."""
    folders = {model_id: cached_folder(model_id) for model_id in HUB_IDS.values()}
    return {model_id: folder for model_id, folder in folders.items() if folder is not None}


def download(model_id: str) -> Path:
    """Download a model with ModelScope's own client; what is there already is not fetched again.

    Args:
        model_id: ``owner/name``.

    Returns:
        The folder in ModelScope's cache.

    Raises:
        ConfigError: The Hub does not have the model or cannot be reached.
    """
    try:
        return Path(_client()(model_id))
    except Exception as error:  # which one depends on ModelScope's version
        raise ConfigError(_explain(model_id, error)) from error


def _client() -> Callable[..., str]:
    """ModelScope's ``snapshot_download``, imported when it is needed: that takes seconds."""
    from modelscope.hub.snapshot_download import snapshot_download

    return snapshot_download  # type: ignore[no-any-return]


def _refuse_before_download(name: str, model_id: str, task: str) -> None:
    """The shipped folders say what the official models are for."""
    for shipped, official_id in HUB_IDS.items():
        if official_id == model_id:
            refuse_other_task(configuration_root() / shipped, task, name=name)


def _is_complete(folder: Path) -> bool:
    try:
        task = str(read_configuration(folder).get("task", SUPER_RESOLUTION_TASK))
        if task in _WEIGHTS_FINDERS:
            _WEIGHTS_FINDERS[task](folder)
    except MsvsrError:
        return False
    return True


def _explain(model_id: str, error: Exception) -> str:
    reason = re.split(r": |\(| \| |\n", str(error).strip())[0] or type(error).__name__
    return (
        f"model '{model_id}' is neither a folder nor complete in the cache, and downloading it "
        f"failed ({reason}): check the id and the network, or give a model folder"
    )
