"""What a report says of a model, so that a number can be traced to its weights."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from msvsr.models import raft_interpolation, realbasicvsr
from msvsr.models.catalog import FRAME_INTERPOLATION_TASK
from msvsr.models.config import CONFIGURATION_FILE, read_configuration

__all__ = ["ModelDescription", "describe_model", "describe_weights"]

_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True)
class ModelDescription:
    """Which model it was.

    Attributes:
        name: What it is called.
        sha256: Of the configuration and the weights.
        folder: Where it lies; ``None`` for a model in memory.
        files: Names of the files that the hash is over.
    """

    name: str
    sha256: str
    folder: Path | None = None
    files: tuple[str, ...] = ()


def describe_model(folder: Path) -> ModelDescription:
    """Describe a model folder by its configuration and its weights.

    Raises:
        ConfigError: The folder has no configuration.
        CheckpointError: It has no weights.
    """
    folder = Path(folder)
    is_interpolation = read_configuration(folder).get("task") == FRAME_INTERPOLATION_TASK
    weights = (
        raft_interpolation.find_weights(folder)
        if is_interpolation
        else (realbasicvsr.find_weights(folder),)
    )
    digest = hashlib.sha256()
    files = (folder / CONFIGURATION_FILE, *weights)
    for path in files:
        digest.update(f"{path.name}\0{path.stat().st_size}\0".encode())
        with path.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                digest.update(block)
    return ModelDescription(
        name=folder.resolve().name,
        sha256=digest.hexdigest(),
        folder=folder,
        files=tuple(path.name for path in files),
    )


def describe_weights(
    name: str, weights: Mapping[str, torch.Tensor], folder: Path | None = None
) -> ModelDescription:
    """Describe a model in memory by its weights, in training for example.

    Args:
        name: What it is called.
        weights: Its ``state_dict()``.
        folder: Where it was loaded from.
    """
    digest = hashlib.sha256()
    for key, value in sorted(weights.items()):
        plain = value.detach().cpu().contiguous()
        digest.update(f"{key}\0{plain.dtype}\0{tuple(plain.shape)}\0".encode())
        digest.update(plain.reshape(-1).view(torch.uint8).numpy().tobytes())
    return ModelDescription(name=name, sha256=digest.hexdigest(), folder=folder)
