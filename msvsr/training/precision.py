"""The type that networks compute in while they learn."""

import contextlib

import torch

from msvsr.errors import ConfigError

__all__ = ["PRECISIONS", "Precision"]

PRECISIONS = ("float32", "bfloat16", "float16")


class Precision:
    """Mixed precision: weights stay in float32, what autocast holds safe runs in another type.

    Gradients of float16 would vanish; they are scaled up before the backward pass and down again
    before the step. A step whose gradients overflow is left out, and the scale falls.

    Args:
        name: One of `PRECISIONS`.
        device: Where the networks run.

    Attributes:
        scaler: Scales the losses; it does nothing unless the type is float16.

    Raises:
        ConfigError: The name is unknown.

    Example:
        >>> with Precision("bfloat16", torch.device("cpu")).autocast():
        ...     (torch.ones(2, 2) @ torch.ones(2, 2)).dtype
        torch.bfloat16
    """

    def __init__(self, name: str, device: torch.device) -> None:
        if name not in PRECISIONS:
            raise ConfigError(f"precision must be one of {', '.join(PRECISIONS)}, got {name!r}")
        self.name = name
        self._device = device
        self.scaler = torch.amp.GradScaler(device.type, enabled=name == "float16")

    def autocast(self) -> contextlib.AbstractContextManager[None]:
        """Run what is inside in the type, where that is safe."""
        if self.name == "float32":
            return contextlib.nullcontext()
        dtype: torch.dtype = getattr(torch, self.name)
        return torch.autocast(self._device.type, dtype)
