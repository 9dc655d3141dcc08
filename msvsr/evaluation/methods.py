"""What an evaluation needs to know of the methods that it measures."""

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import torch

from msvsr.evaluation.model_description import ModelDescription
from msvsr.evaluation.protocols import EvaluationProtocol
from msvsr.frame import ImageArray
from msvsr.models.devices import choose_device, choose_dtype

__all__ = ["InterpolationMethod", "LoadedModels", "PlainMethod", "Rendering", "UpscalingMethod"]

ModelT = TypeVar("ModelT")


@dataclass(frozen=True, kw_only=True)
class Rendering:
    """How a method makes frames under a protocol; protocols with equal ones share a pass.

    Attributes:
        dtype: Name of the type that the model computes in; empty for methods without a model.
        window: The model gets runs of this many frames, each on its own.
        is_deep: Frames have 16 bits per sample, which stand for values that are not rounded.
    """

    dtype: str = ""
    window: int | None = None
    is_deep: bool = False


class Method(Protocol):
    """Something that is evaluated.

    Attributes:
        name: What it is called in reports.
        description: The model; ``None`` for plain methods.
        device: Name of the device that it runs on.
    """

    name: str
    description: ModelDescription | None
    device: str

    def settings(self) -> dict[str, object]:
        """What its results depend on beside the model, for JSON."""
        ...

    def rendering(self, protocol: EvaluationProtocol) -> Rendering:
        """How it makes frames under a protocol."""
        ...


class UpscalingMethod(Method, Protocol):
    """Something that makes a clip's output from its frames."""

    def upscale(
        self, images: Iterable[ImageArray], rendering: Rendering
    ) -> Generator[ImageArray, None, None]:
        """Make the output of a clip's frames, one for each, while they stream by."""
        ...


class InterpolationMethod(Method, Protocol):
    """Something that makes the frame half way between two."""

    def make_middle(self, frames: torch.Tensor, rendering: Rendering) -> torch.Tensor:
        """Make the frame in the middle of two or four ``(t, 3, h, w)``: ``(3, h, w)``, [0, 1]."""
        ...


class PlainMethod:
    """What methods without a model have in common: a subclass has a ``name``, and makes frames."""

    description: ModelDescription | None = None
    device = "cpu"

    def settings(self) -> dict[str, object]:
        """Nothing."""
        return {}

    def rendering(self, protocol: EvaluationProtocol) -> Rendering:
        """The same under every protocol."""
        del protocol
        return Rendering()


class LoadedModels(Generic[ModelT]):
    """A model in the types that protocols ask for, each loaded once.

    Args:
        load: Gives the model in a type by its name.
        device: Name of the device that it is put on.
        dtype: Name of the type where a protocol does not say.
    """

    def __init__(
        self, load: Callable[[str], ModelT], *, device: str | torch.device, dtype: str
    ) -> None:
        self.device = choose_device(device)
        self._dtype = str(choose_dtype(dtype, self.device)).removeprefix("torch.")
        self._load = load
        self._models: dict[str, ModelT] = {}

    def dtype_for(self, protocol: EvaluationProtocol) -> str:
        """Name of the type that a protocol asks for."""
        if protocol.half_on_gpu:
            return "float16" if self.device.type == "cuda" else "float32"
        return "float32" if protocol.full_precision else self._dtype

    def model(self, dtype: str) -> ModelT:
        """The model in that type."""
        if dtype not in self._models:
            self._models[dtype] = self._load(dtype)
        return self._models[dtype]
