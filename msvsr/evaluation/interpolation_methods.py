"""Methods that make the frame in the middle: models, and the blend that stands beside them."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch

from msvsr.evaluation.distributed import device_of_process
from msvsr.evaluation.methods import LoadedModels, PlainMethod, Rendering
from msvsr.evaluation.model_description import ModelDescription, describe_model
from msvsr.evaluation.protocols import EvaluationProtocol
from msvsr.models.contract import FrameInterpolator, NeighbourMotion
from msvsr.models.devices import choose_device
from msvsr.models.raft_interpolation import RaftInterpolation

__all__ = ["Blend", "InterpolatorMethod"]


class InterpolatorMethod:
    """A frame interpolation model.

    Args:
        load: Gives the model in a type, as for `ModelMethod`.
        description: Which model it is.
        device: Name of the device that ``load`` puts it on.
        dtype: Name of the type where a protocol does not say.
    """

    def __init__(
        self,
        load: Callable[[str], FrameInterpolator[Any, Any]],
        description: ModelDescription,
        *,
        device: str | torch.device = "auto",
        dtype: str = "auto",
    ) -> None:
        self._loaded = LoadedModels(load, device=device, dtype=dtype)
        self.name = description.name
        self.description: ModelDescription | None = description
        self.device = str(self._loaded.device)

    @classmethod
    def from_folder(
        cls, folder: Path, *, device: str | torch.device = "auto", dtype: str = "auto"
    ) -> "InterpolatorMethod":
        """Evaluate a model folder, see `ModelMethod.from_folder`."""
        chosen = choose_device(device_of_process(str(device)))

        def load(name: str) -> FrameInterpolator[Any, Any]:
            return RaftInterpolation.from_folder(folder, device=chosen, dtype=name)

        return cls(load, describe_model(folder), device=chosen, dtype=dtype)

    def settings(self) -> dict[str, object]:
        """Nothing."""
        return {}

    def rendering(self, protocol: EvaluationProtocol) -> Rendering:
        """How it makes frames under a protocol."""
        return Rendering(dtype=self._loaded.dtype_for(protocol))

    def make_middle(self, frames: torch.Tensor, rendering: Rendering) -> torch.Tensor:
        """Make the frame in the middle: with quadratic motion of four frames, linear of two."""
        model = self._loaded.model(rendering.dtype)
        seen = [model.encode(frame) for frame in frames]
        motions = [model.estimate_motion(*pair) for pair in pairwise(seen)]
        middle = len(motions) // 2
        before, after = (
            (NeighbourMotion(motions[0], 1.0), NeighbourMotion(motions[2], 1.0))
            if len(motions) == 3
            else (None, None)
        )
        return model.synthesize(
            seen[middle], seen[middle + 1], motions[middle], 0.5, before=before, after=after
        )


class Blend(PlainMethod):
    """The mean of the two frames around the middle."""

    name = "none"

    def make_middle(self, frames: torch.Tensor, rendering: Rendering) -> torch.Tensor:
        """Mix both halves."""
        del rendering
        middle = len(frames) // 2
        return (frames[middle - 1] + frames[middle]) / 2
