"""Weights files of every known layout, as plain dictionaries of tensors.

Reading is separate from unwrapping: `read_checkpoint` touches the disk, `unwrap_weights` is a pure
function on dictionaries with one table for the layouts that are in use.
"""

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from msvsr.archs import interpnet
from msvsr.errors import CheckpointError

__all__ = ["load_weights", "read_checkpoint", "unwrap_weights"]

StateDict = dict[str, torch.Tensor]

_WRAPPERS = ("params_ema", "params", "state_dict")
"""Keys that hold the weights inside a checkpoint, the preferred one first."""

_PREFIXES = ("generator_ema.", "generator.", "module.", "model.")
"""Prefixes of a whole network's parameters, the preferred one first."""

_FOREIGN_PREFIXES = (
    "discriminator.",
    "perceptual_loss.",
    "gan_loss.",
    "pixel_loss.",
    "cleaning_loss.",
    "data_preprocessor.",
)
_FOREIGN_KEYS = ("step_counter",)
"""What training frameworks save beside the generator; dropped by name."""

_DERIVED_ENDINGS = interpnet.DERIVED_KEYS
"""Endings of names under which official files keep what networks here compute; dropped by name."""

_SHOWN_KEYS = 4


def read_checkpoint(path: Path) -> StateDict:
    """Read the weights of a network from a file.

    Understood are safetensors and PyTorch files: bare dictionaries, those under ``params``,
    ``params_ema`` or ``state_dict``, and the files of mmediting and mmagic, where the averaged
    weights (``generator_ema.``) win over the last ones. What is no weight is left out by name.

    Args:
        path: The file.

    Returns:
        The weights by the network's own parameter names.

    Raises:
        CheckpointError: The file is missing, damaged, or holds no weights.
    """
    if not path.is_file():
        raise CheckpointError(f"no weights file at '{path}': give the path of an existing file")
    try:
        if path.suffix == ".safetensors":
            content: Any = load_file(path)
        else:
            content = torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else "it ends too early"
        raise CheckpointError(
            f"'{path}' is no readable weights file (PyTorch or safetensors expected): {reason}"
        ) from error
    return unwrap_weights(content, str(path))


def unwrap_weights(content: object, source: str = "checkpoint") -> StateDict:
    """Take a generator's weights out of whatever a checkpoint wraps around them.

    Args:
        content: What the file held.
        source: The file's name for error messages.

    Returns:
        The weights by the network's own parameter names.

    Raises:
        CheckpointError: There are no weights inside.

    Example:
        >>> ema, last = torch.ones(1), torch.zeros(1)
        >>> wrapped = {"state_dict": {"generator_ema.w": ema, "generator.w": last}}
        >>> unwrap_weights(wrapped)
        {'w': tensor([1.])}
    """
    for key in _WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    if not isinstance(content, Mapping):
        raise CheckpointError(
            f"'{source}' must hold a dictionary of tensors, found {type(content).__name__}"
        )
    weights = {
        key: value
        for key, value in content.items()
        if key not in _FOREIGN_KEYS and not key.startswith(_FOREIGN_PREFIXES)
    }
    for prefix in _PREFIXES:
        inner = {
            key.removeprefix(prefix): value
            for key, value in weights.items()
            if key.startswith(prefix)
        }
        weights = inner or weights
    tensors = {key: value for key, value in weights.items() if isinstance(value, torch.Tensor)}
    if not tensors:
        raise CheckpointError(f"'{source}' holds no weights: a dictionary of tensors was expected")
    # mmediting counts iterations inside the generator of some releases
    dropped = (*_FOREIGN_KEYS, *_DERIVED_ENDINGS)
    return {key: value for key, value in tensors.items() if not key.endswith(dropped)}


def load_weights(network: nn.Module, weights: Mapping[str, torch.Tensor], source: str) -> None:
    """Put weights into a network, all or none.

    Args:
        network: The network; its own types and device stay.
        weights: Weights by parameter name.
        source: Where the weights come from, for error messages.

    Raises:
        CheckpointError: Names or shapes differ; the message names them.
    """
    expected = network.state_dict()
    problems = [
        _name_some("missing", [key for key in expected if key not in weights]),
        _name_some("unexpected", [key for key in weights if key not in expected]),
        _name_some(
            "of another shape",
            [
                f"{key} {tuple(weights[key].shape)} instead of {tuple(value.shape)}"
                for key, value in expected.items()
                if key in weights and weights[key].shape != value.shape
            ],
        ),
    ]
    if any(problems):
        raise CheckpointError(
            f"the weights in '{source}' belong to another network than the configuration "
            f"describes ({type(network).__name__}): {'; '.join(filter(None, problems))}"
        )
    network.load_state_dict(dict(weights), strict=True)


def _name_some(what: str, keys: list[str]) -> str:
    if not keys:
        return ""
    shown = ", ".join(keys[:_SHOWN_KEYS])
    more = f" and {len(keys) - _SHOWN_KEYS} more" if len(keys) > _SHOWN_KEYS else ""
    return f"{len(keys)} {what} ({shown}{more})"
