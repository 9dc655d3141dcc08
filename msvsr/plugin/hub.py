"""Models of the Hub: their cached folders first, the network only for what is missing."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from msvsr.errors import ConfigError, MsvsrError
from msvsr.models import raft_interpolation, realbasicvsr
from msvsr.models.catalog import (
    FRAME_INTERPOLATION_TASK,
    SUPER_RESOLUTION_TASK,
    configuration_root,
    find_model_folder,
    list_models,
    refuse_other_task,
)
from msvsr.models.config import read_configuration
from msvsr.plugin.names import HUB_IDS

__all__ = [
    "cached_folder",
    "cached_models",
    "download",
    "download_model",
    "fetch_file",
    "find_card",
    "model_id_of",
    "resolve_model",
]

CARD_FILE = "README.md"

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
    model_id = None if name is None else model_id_of(name)
    if name is None or model_id is None:
        return find_model_folder(name, task)
    _refuse_before_download(name, model_id, task)
    folder = cached_folder(model_id) or download(model_id)
    refuse_other_task(folder, task, name=name)
    return folder


def model_id_of(name: str) -> str | None:
    """The Hub's id of a model.

    Args:
        name: What the user calls it: an id, the name of a shipped model, a folder.

    Returns:
        ``owner/name``, or ``None`` for an existing folder and for what the Hub is not needed for.
    """
    if Path(name).is_dir():
        return None
    return name if _MODEL_ID.fullmatch(name) else HUB_IDS.get(name)


def download_model(model: str, revision: str | None = None) -> Path:
    """Have a model on this machine, as the Hub has it now.

    Args:
        model: A model id of the Hub, or the name of a shipped model.
        revision: Branch, tag or commit of the Hub's repository; the default one without.

    Returns:
        The folder: in ModelScope's cache, or in the package when it ships with its weights.

    Raises:
        ConfigError: There is no such model, or the Hub does not have it or cannot be reached.
        CheckpointError: The Hub's repository has no weights for it.
    """
    model_id = model_id_of(model)
    if model_id is not None:
        folder = download(model_id, revision)
        _refuse_incomplete(folder)
        return folder
    if revision is not None:
        raise ConfigError(
            f"a revision is one of a model on the Hub, but '{model}' needs no download: "
            "leave the revision out"
        )
    return _shipped_folder(model)


def find_card(model: str) -> Path:
    """Find the card of a model: the ``README.md`` that explains it.

    A folder's own comes first, then that of an earlier download, then the shipped one. Only for
    other ids it is fetched from the Hub, without the weights.

    Args:
        model: A folder, the name of a shipped model, or a model id of the Hub.

    Returns:
        The file.

    Raises:
        ConfigError: There is no such model, it has no card, or the Hub cannot be reached.
    """
    for folder in _folders_with_cards(model):
        if (folder / CARD_FILE).is_file():
            return folder / CARD_FILE
    raise ConfigError(f"'{model}' has no card (a {CARD_FILE}): see where the model comes from")


def _folders_with_cards(model: str) -> Iterator[Path]:
    """Where the card of a model may lie, what costs less first."""
    model_id = model_id_of(model)
    if model_id is None:
        yield Path(model) if Path(model).is_dir() else _shipped_folder(model)
        return
    cached = _in_cache(model_id)
    if cached is not None:
        yield cached
    for name, official_id in HUB_IDS.items():
        if official_id == model_id:
            yield configuration_root() / name
    yield _fetch(model_id, allow_patterns=[CARD_FILE])


def cached_folder(model_id: str) -> Path | None:
    """The folder that an earlier download of a model left, without using the network.

    Args:
        model_id: ``owner/name``.

    Returns:
        The folder, or ``None`` when there is none or something is missing in it.
    """
    folder = _in_cache(model_id)
    return folder if folder is not None and _is_complete(folder) else None


def cached_models() -> dict[str, Path]:
    """The folders of the official models that are in ModelScope's cache, by model id."""
    folders = {model_id: cached_folder(model_id) for model_id in HUB_IDS.values()}
    return {model_id: folder for model_id, folder in folders.items() if folder is not None}


def download(model_id: str, revision: str | None = None) -> Path:
    """Download a model with ModelScope's own client; what is there already is not fetched again.

    Args:
        model_id: ``owner/name``.
        revision: Branch, tag or commit; the default one without.

    Returns:
        The folder in ModelScope's cache.

    Raises:
        ConfigError: The Hub does not have the model or cannot be reached.
    """
    return _fetch(model_id) if revision is None else _fetch(model_id, revision=revision)


def fetch_file(model_id: str, name: str) -> Path:
    """Have one file of a repository on this machine, and no other.

    Args:
        model_id: ``owner/name``.
        name: The file's name at the top of the repository.

    Returns:
        The file in ModelScope's cache.

    Raises:
        ConfigError: The Hub does not have the repository, or it not the file, or the Hub cannot be
            reached and has to be.
    """
    cached = _in_cache(model_id)
    if cached is not None and (cached / name).is_file():
        return cached / name
    file = _fetch(model_id, allow_patterns=[name]) / name
    if not file.is_file():
        raise ConfigError(f"'{model_id}' has no file {name}: name another model id, or a file")
    return file


def _fetch(model_id: str, **choice: str | list[str]) -> Path:
    try:
        return Path(_client()(model_id, **choice))
    except Exception as error:  # which one depends on ModelScope's version
        raise ConfigError(_explain(model_id, error)) from error


def _in_cache(model_id: str) -> Path | None:
    """The folder that an earlier download left, whatever is in it."""
    try:
        return Path(_client()(model_id, local_files_only=True))
    except Exception:  # which one depends on ModelScope's version
        return None


def _shipped_folder(name: str) -> Path:
    task = next((entry.task for entry in list_models() if entry.name == name), None)
    return find_model_folder(name, task or SUPER_RESOLUTION_TASK)


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
        _refuse_incomplete(folder)
    except MsvsrError:
        return False
    return True


def _refuse_incomplete(folder: Path) -> None:
    task = str(read_configuration(folder).get("task", SUPER_RESOLUTION_TASK))
    if task in _WEIGHTS_FINDERS:
        _WEIGHTS_FINDERS[task](folder)


def _explain(model_id: str, error: Exception) -> str:
    missing = ", ".join(getattr(error, "failed_files", None) or ())
    first_words = re.split(r": |\(| \| |\n", str(error).strip())[0]
    reason = f"{missing} did not arrive" if missing else first_words or type(error).__name__
    return (
        f"model '{model_id}' is neither a folder nor complete in the cache, and downloading it "
        f"failed ({reason}): check the id and the network, or give a model folder"
    )
