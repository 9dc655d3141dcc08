"""A network and the optimiser that changes it."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from msvsr.training.processes import Processes

__all__ = ["Learner"]


class Learner:
    """Takes the steps of one network: averaged, unscaled, clipped, and none that is not finite.

    Args:
        network: The network.
        groups: Groups of its parameters by name, for different learning rates. A parameter that
            is in none stays as it is.
        betas: Decay of Adam's two running means.
        max_gradient_norm: Gradients are scaled down to this norm; 0 leaves them.
    """

    def __init__(
        self,
        network: nn.Module,
        groups: Mapping[str, list[nn.Parameter]],
        betas: tuple[float, float],
        max_gradient_norm: float,
    ) -> None:
        self.network = network
        self.parameters = [each for group in groups.values() for each in group]
        self.optimizer = torch.optim.Adam(
            [{"params": params, "name": name} for name, params in groups.items()], betas=betas
        )
        self._max_norm = max_gradient_norm or float("inf")

    def begin(self, rates: Mapping[str, float]) -> None:
        """Set the learning rate of each group and forget all gradients."""
        for group in self.optimizer.param_groups:
            group["lr"] = rates[group["name"]]
        self.network.zero_grad(set_to_none=True)

    def descend(self, processes: Processes, scaler: torch.amp.GradScaler) -> float:
        """Take one step from the gradients that were collected.

        Args:
            processes: Those whose gradients are averaged first.
            scaler: What scaled the losses.

        Returns:
            The norm of the gradient before it was clipped; not finite when there was no step.
        """
        if all(each.grad is None for each in self.parameters):
            return 0.0
        processes.average_gradients(self.parameters)
        scaler.unscale_(self.optimizer)
        norm = torch.nn.utils.clip_grad_norm_(self.parameters, self._max_norm)
        if scaler.is_enabled() or torch.isfinite(norm):
            scaler.step(self.optimizer)
        return float(norm)

    def state_dict(self) -> dict[str, Any]:
        """Weights and the state of the optimiser."""
        return {"network": self.network.state_dict(), "optimizer": self.optimizer.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` gave."""
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
