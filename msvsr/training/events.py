"""What a training run tells whoever watches it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from torch import nn

__all__ = ["SilentEvents", "TrainingEvents", "TrainingProgress"]


@dataclass(frozen=True, kw_only=True)
class TrainingProgress:
    """Where a run stands.

    Attributes:
        step: Steps done.
        num_steps: The step at which this call ends.
        losses: The losses of this step, the norm of the gradient and the learning rate.
        images_per_second: Frames of the ground truth that all processes learn from per second.
        data_wait_share: Part of the time that was spent waiting for samples, in [0, 1].
        seconds_left: Time to the end at the present speed; ``None`` before the first step.
    """

    step: int
    num_steps: int
    losses: Mapping[str, float]
    images_per_second: float
    data_wait_share: float
    seconds_left: float | None


class TrainingEvents(Protocol):
    """Called at the moments of a run; `SilentEvents` is a base that does nothing.

    The calls around a step come in every process, the others in the first one, which writes files.
    """

    def before_step(self, step: int) -> None:
        """A step begins; ``step`` were done."""

    def after_step(self, step: int, values: Mapping[str, float]) -> None:
        """A step is done, with these losses, norms and learning rates."""

    def on_progress(self, progress: TrainingProgress) -> None:
        """A step is done: numbers for a progress line."""

    def on_validate(self, network: nn.Module) -> Mapping[str, float]:
        """A validation runs: more scores of the network with its mean weights, for the log."""
        ...

    def after_validation(self, scores: Mapping[str, float]) -> None:
        """A validation is done, with these scores by name."""

    def after_save(self, path: Path) -> None:
        """A checkpoint or a picture was written."""


class SilentEvents:
    """Does nothing at any moment; override what is of interest."""

    def before_step(self, step: int) -> None:
        """See `TrainingEvents`."""

    def after_step(self, step: int, values: Mapping[str, float]) -> None:
        """See `TrainingEvents`."""

    def on_progress(self, progress: TrainingProgress) -> None:
        """See `TrainingEvents`."""

    def on_validate(self, network: nn.Module) -> Mapping[str, float]:
        """See `TrainingEvents`; no more scores."""
        return {}

    def after_validation(self, scores: Mapping[str, float]) -> None:
        """See `TrainingEvents`."""

    def after_save(self, path: Path) -> None:
        """See `TrainingEvents`."""
