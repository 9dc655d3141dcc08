"""The networks of a run with their optimisers, the mean of the weights, and their state."""

import copy
import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from msvsr.training.config import OptimizerConfig
from msvsr.training.learner import Learner
from msvsr.training.precision import Precision
from msvsr.training.processes import Processes
from msvsr.training.schedule import ema_decay

__all__ = ["Networks"]

_PREFIX = "discriminator_"


class Networks:
    """A network that learns, the running mean of its weights, and perhaps a discriminator.

    Args:
        network: The network with its initial weights; it is moved to the device.
        groups: Groups of its parameters by name, for different learning rates.
        optimizer: Optimiser and averaging.
        precision: Holds what scales the losses.
        processes: Those whose gradients are averaged.
        discriminator: A second network, whose rate is called ``discriminator``.

    Attributes:
        network: The network.
        mean: A copy with the running mean of its weights, for evaluation.
    """

    def __init__(
        self,
        network: nn.Module,
        groups: Mapping[str, list[nn.Parameter]],
        optimizer: OptimizerConfig,
        precision: Precision,
        processes: Processes,
        discriminator: nn.Module | None = None,
    ) -> None:
        self._config, self._scaler, self._processes = optimizer, precision.scaler, processes
        self.network = _place(network, processes.device)
        self.mean = copy.deepcopy(network).requires_grad_(False).eval()
        rules = (optimizer.betas, optimizer.max_gradient_norm)
        self.learners = {"": Learner(self.network, groups, *rules)}
        if discriminator is not None:
            second = _place(discriminator, processes.device)
            own = {"discriminator": list(second.parameters())}
            self.learners[_PREFIX] = Learner(second, own, *rules)

    def begin(self, rates: Mapping[str, float]) -> None:
        """Set the learning rates and forget all gradients."""
        for learner in self.learners.values():
            learner.begin(rates)

    def descend(self, *, is_sound: bool) -> dict[str, float]:
        """Take one step with each optimiser from the gradients that were collected.

        Args:
            is_sound: Whether the losses were finite; if not, there is no step.

        Returns:
            The norm of each gradient before it was clipped.
        """
        norms = {}
        for prefix, learner in self.learners.items():
            norm = learner.descend(self._processes, self._scaler) if is_sound else math.nan
            norms[f"{prefix}gradient_norm"] = norm
        if is_sound:
            self._scaler.update()
        return norms

    @torch.no_grad()
    def update_mean(self, step: int) -> None:
        """Let the mean follow the weights after a step."""
        weight = 1 - ema_decay(step, self._config)
        for mean, value in zip(self.mean.parameters(), self.network.parameters(), strict=True):
            mean.lerp_(value, weight)
        # Running statistics are means already.
        for copied, buffer in zip(self.mean.buffers(), self.network.buffers(), strict=True):
            copied.copy_(buffer)

    def state_dict(self) -> dict[str, Any]:
        """All that later steps depend on."""
        state = {"ema": self.mean.state_dict(), "scaler": self._scaler.state_dict()}
        for prefix, learner in self.learners.items():
            state |= {prefix + key: value for key, value in learner.state_dict().items()}
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` gave.

        Raises:
            KeyError: Something is missing.
            RuntimeError: It belongs to another network.
            ValueError: It belongs to another optimiser, or there is one more.
        """
        if (f"{_PREFIX}optimizer" in state) != (_PREFIX in self.learners):
            raise ValueError("a discriminator on one side only")
        for prefix, learner in self.learners.items():
            learner.load_state_dict({key: state[prefix + key] for key in ("network", "optimizer")})
        self.mean.load_state_dict(state["ema"])
        if state.get("scaler"):  # older checkpoints have none, other types an empty one
            self._scaler.load_state_dict(state["scaler"])


def _place(network: nn.Module, device: torch.device) -> nn.Module:
    return network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]
