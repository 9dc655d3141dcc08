"""Weights that a training starts from, in the layout that it reads."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from safetensors.torch import save_file
from torch import nn

from msvsr.archs.vgg import VGG19_FILE
from msvsr.errors import CheckpointError
from msvsr.models.interpolation_networks import InterpolationNetworks
from msvsr.models.raft_interpolation import (
    FLOW_FILES,
    INTERPOLATOR_FILES,
    JOINT_FILES,
    load_networks,
)
from msvsr.models.realbasicvsr import WEIGHTS_FILES
from msvsr.plugin.hub import fetch_file, model_id_of, resolve_model
from msvsr.training.interpolation.config import InterpolationTrainingConfig
from msvsr.training.start import AnyTrainingConfig

__all__ = ["find_initial", "find_spynet", "find_teacher", "find_vgg", "write_networks"]

_FILE_ENDINGS = (".bin", ".pt", ".pth", ".safetensors")


@contextmanager
def find_initial(
    model: str | os.PathLike[str] | None, config: AnyTrainingConfig
) -> Iterator[Path | None]:
    """Find the weights to start from, for as long as a trainer is made.

    Args:
        model: A weights file of super-resolution, a folder that a training wrote, a model folder,
            the name of a shipped model, or a model id of the Hub.
        config: The run.

    Yields:
        The file or folder.

    Raises:
        ConfigError: There is no such model, or it is one for another task.
        CheckpointError: Weights are missing or belong to another network.
    """
    if model is None or Path(model).is_file():
        yield None if model is None else Path(model)
        return
    folder = resolve_model(model, config.task)
    is_ours = (folder / FLOW_FILES[0]).is_file() and not (folder / JOINT_FILES[0]).is_file()
    if not isinstance(config, InterpolationTrainingConfig) or is_ours:
        yield folder
        return
    with TemporaryDirectory() as name:
        write_networks(load_networks(folder, config.network), Path(name))
        yield Path(name)


def write_networks(network: nn.Module, folder: Path) -> None:
    """Write weights where a training looks for them.

    Args:
        network: The network of super-resolution, or both of interpolation.
        folder: An existing folder.
    """
    parts: dict[str, nn.Module] = {WEIGHTS_FILES[0]: network}
    if isinstance(network, InterpolationNetworks):
        parts = {FLOW_FILES[0]: network.flow, INTERPOLATOR_FILES[0]: network.interpolator}
    for name, part in parts.items():
        weights = part.state_dict().items()
        save_file({k: v.detach().cpu().contiguous() for k, v in weights}, folder / name)


def find_teacher(teacher: str | os.PathLike[str] | None) -> Path | None:
    """Find the weights of a flow network that teaches.

    Args:
        teacher: The file, or a folder that holds one under a known name.

    Raises:
        CheckpointError: The folder has none.
    """
    if teacher is None or not Path(teacher).is_dir():
        return None if teacher is None else Path(teacher)
    for name in FLOW_FILES:
        if (Path(teacher) / name).is_file():
            return Path(teacher) / name
    raise CheckpointError(
        f"no flow weights in '{teacher}': expected one of {', '.join(FLOW_FILES)}; give the file"
    )


def find_spynet(weights: str | os.PathLike[str] | None) -> Path | None:
    """Find the weights of super-resolution's flow network.

    Args:
        weights: A file of its own, or a model whose flow network it is: the file, the model
            folder, the name of a shipped model, or a model id of the Hub.

    Returns:
        The file or model folder; a file that is not there is left to whom reads it.

    Raises:
        ConfigError: There is no such model, or the Hub cannot be reached.
    """
    if weights is None or _is_path(weights):
        return None if weights is None else Path(weights)
    return resolve_model(weights)


def find_vgg(weights: str | os.PathLike[str] | None) -> Path | None:
    """Find the weights of VGG19.

    Args:
        weights: A file, a folder, or the id of a repository of the Hub that holds the file under
            its published name.

    Returns:
        The file or folder; one that is not there is left to whom reads it.

    Raises:
        ConfigError: The Hub does not have the file, or cannot be reached.
    """
    model_id = None if weights is None or _is_path(weights) else model_id_of(os.fspath(weights))
    if model_id is not None:
        return fetch_file(model_id, VGG19_FILE)
    return None if weights is None else Path(weights)


def _is_path(weights: str | os.PathLike[str]) -> bool:
    """Whether it is a path, and no name of a model: it is there, or ends as weights files do."""
    path = Path(weights)
    return path.exists() or path.is_absolute() or path.suffix in _FILE_ENDINGS
