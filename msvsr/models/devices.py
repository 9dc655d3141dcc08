"""Names of devices and types, as users write them, to those of torch."""

import torch

from msvsr.errors import ConfigError

__all__ = ["DTYPE_NAMES", "choose_device", "choose_dtype"]

DTYPE_NAMES = ("auto", "float32", "bfloat16", "float16")


def choose_device(name: str | torch.device = "auto") -> torch.device:
    """Find the device that a name asks for.

    Args:
        name: ``auto`` (the first of CUDA, Apple's MPS, CPU that is there), ``cpu``, ``cuda``,
            ``cuda:N``, ``mps``, or ModelScope's ``gpu`` and ``gpu:N``.

    Returns:
        The device, which exists on this machine.

    Raises:
        ConfigError: The name is unknown, or the machine has no such device.

    Example:
        >>> choose_device("cpu")
        device(type='cpu')
    """
    text = str(name)
    if text == "auto":
        return _best_device()
    try:
        device = torch.device(text.replace("gpu", "cuda", 1) if text.startswith("gpu") else text)
    except RuntimeError as error:
        raise ConfigError(
            f"unknown device '{text}': expected auto, cpu, cuda, cuda:N or mps"
        ) from error
    if not _exists(device):
        raise ConfigError(
            f"device '{text}' is not available on this machine: use 'auto', or 'cpu', "
            "or install a torch build for the device"
        )
    return device


def choose_dtype(name: str, device: torch.device) -> torch.dtype:
    """Find the type that convolutions compute in.

    Args:
        name: One of `DTYPE_NAMES`. ``auto`` is float16 on a GPU, bfloat16 on a CPU that multiplies
            matrices of it in hardware (AMX), float32 otherwise.
        device: Where the model runs.

    Raises:
        ConfigError: The name is unknown.
    """
    if name not in DTYPE_NAMES:
        raise ConfigError(f"unknown dtype '{name}': expected one of {', '.join(DTYPE_NAMES)}")
    if name != "auto":
        dtype: torch.dtype = getattr(torch, name)
        return dtype
    if device.type in ("cuda", "mps"):
        return torch.float16
    return torch.bfloat16 if _cpu_has_fast_bfloat16() else torch.float32


def _best_device() -> torch.device:
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def _exists(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count()
    if device.type == "mps":
        return torch.backends.mps.is_available()
    return device.type == "cpu"


def _cpu_has_fast_bfloat16() -> bool:
    capability = getattr(torch.cpu, "_is_amx_tile_supported", None)
    return bool(capability and capability())
