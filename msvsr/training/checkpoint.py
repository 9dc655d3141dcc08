"""The state of a run on disk, written so that a killed run never leaves half a file."""

import pickle
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from msvsr.errors import CheckpointError

__all__ = ["export_weights", "load_checkpoint", "save_checkpoint"]


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write a checkpoint beside its place, then move it there."""
    temporary = path.with_suffix(".tmp")
    torch.save(state, temporary)
    temporary.replace(path)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read what `save_checkpoint` wrote.

    Raises:
        CheckpointError: The file is not a checkpoint.
    """
    try:
        return torch.load(path, map_location="cpu", weights_only=True)  # type: ignore[no-any-return]
    except (OSError, RuntimeError, LookupError, EOFError, pickle.UnpicklingError) as error:
        raise CheckpointError(f"{path} is not a checkpoint that can be read: {error}") from error


def export_weights(path: Path, weights: dict[str, torch.Tensor], metadata: dict[str, str]) -> None:
    """Write weights in float32 as safetensors, under a temporary name first."""
    temporary = path.with_suffix(".tmp")
    tensors = {name: value.detach().float().contiguous() for name, value in weights.items()}
    save_file(tensors, temporary, metadata=metadata)
    temporary.chmod(0o644)  # safetensors makes files that only their owner can read
    temporary.replace(path)
