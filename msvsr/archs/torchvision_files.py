"""Weights files that torchvision publishes: where they lie, and how they come into a network.

Nothing is downloaded here. `msvsr.archs.vgg` and other networks with torchvision's parameter names
share these functions.
"""

import pickle
import zipfile
from collections.abc import Mapping
from os import PathLike
from pathlib import Path

import torch
from torch import nn

from msvsr.errors import CheckpointError

__all__ = ["find_torchvision_file", "load_torchvision_weights"]


def find_torchvision_file(name: str, path: str | PathLike[str] | None = None) -> Path:
    """Find a weights file by path or in torch's cache.

    Args:
        name: The file's published name, such as ``vgg19-dcbb9e9d.pth``.
        path: The file under any name, or a folder that may hold it. Without it, and where the
            folder lacks the file, it is taken from the folder ``checkpoints`` of torch's hub
            cache, where torchvision puts what it downloads.

    Returns:
        An existing file.

    Raises:
        CheckpointError: There is no such file.
    """
    if path is not None and Path(path).is_file():
        return Path(path)
    folders = [Path(torch.hub.get_dir()) / "checkpoints"]
    if path is not None and Path(path).is_dir():
        folders.insert(0, Path(path))
    elif path is not None:  # a file that was named is taken or refused
        raise CheckpointError(
            f"torchvision's weights file {name} is needed, found none at '{path}': "
            f"give the path of the file or of its folder"
        )
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    places = " or ".join(f"'{folder}'" for folder in folders)
    raise CheckpointError(
        f"torchvision's weights file {name} is needed, found none in {places}: "
        f"put it there, or give the path of the file or of its folder"
    )


def load_torchvision_weights(
    network: nn.Module, name: str, path: str | PathLike[str] | None = None
) -> None:
    """Put a published file's weights into a network that has some or all of its layers.

    Layers that the network does not have are left out.

    Args:
        network: Has torchvision's parameter names; its types and device stay.
        name: The file's published name.
        path: As for `find_torchvision_file`.

    Raises:
        CheckpointError: The file is missing or damaged, or lacks a layer of the network.
    """
    file = find_torchvision_file(name, path)
    weights = _read(file)
    expected = network.state_dict()
    wrong = [
        key
        for key, value in expected.items()
        if key not in weights or weights[key].shape != value.shape
    ]
    if wrong:
        raise CheckpointError(
            f"'{file}' must hold the weights of torchvision's {name}, "
            f"but {wrong[0]} is missing or has another shape: give the published file"
        )
    network.load_state_dict({key: weights[key] for key in expected}, strict=True)


def _read(file: Path) -> Mapping[str, torch.Tensor]:
    try:
        # Mapped files are read where needed: nine tenths of VGG19 are layers nobody asks for.
        # The published files are older than the format that can be mapped.
        mapped = zipfile.is_zipfile(file)
        content = torch.load(file, map_location="cpu", weights_only=True, mmap=mapped)
    except (OSError, pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else "it ends too early"
        raise CheckpointError(
            f"'{file}' is no readable weights file (PyTorch expected): {reason}"
        ) from error
    if not isinstance(content, Mapping):
        raise CheckpointError(
            f"'{file}' must hold a dictionary of tensors, found {type(content).__name__}"
        )
    return {key: value for key, value in content.items() if isinstance(value, torch.Tensor)}
