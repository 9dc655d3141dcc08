"""The training loop of all tasks: it resumes at any step as if it had never been stopped."""

import copy
import json
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sized
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from msvsr.data.windows import limit_worker_threads
from msvsr.errors import CheckpointError
from msvsr.training.checkpoint import export_weights, load_checkpoint, save_checkpoint
from msvsr.training.config import OptimizerConfig
from msvsr.training.schedule import ema_decay

__all__ = ["LoopSettings", "TrainingLoop"]

_LOG_EVERY_STEPS = 20

BatchT = TypeVar("BatchT")


@dataclass(frozen=True, kw_only=True)
class LoopSettings:
    """What the loop needs to know of a run.

    Attributes:
        num_steps: Steps in all.
        batch_size: Samples per step.
        seed: Determines every sample.
        optimizer: Optimiser and averaging.
        checkpoint_minutes: Time between two checkpoints.
        validation_minutes: Time between two validations.
    """

    num_steps: int
    batch_size: int
    seed: int
    optimizer: OptimizerConfig
    checkpoint_minutes: float
    validation_minutes: float


class TrainingLoop(ABC, Generic[BatchT]):
    """Trains one network; a subclass says what a batch is worth.

    Args:
        network: The network with its initial weights.
        groups: Groups of its parameters by name, for different learning rates. A parameter that
            is in none stays as it is.
        dataset: An endless dataset: sample ``i`` depends on the seed and ``i`` alone.
        settings: The run.
        work_dir: Folder of checkpoint, log and weights; made when missing. A checkpoint found
            there is continued.
        num_workers: Processes that prepare samples; 0 prepares them in this process.

    Raises:
        CheckpointError: The checkpoint found is damaged or belongs to another run.
    """

    def __init__(
        self,
        network: nn.Module,
        groups: dict[str, list[nn.Parameter]],
        dataset: Dataset[BatchT],
        settings: LoopSettings,
        work_dir: Path,
        num_workers: int,
    ) -> None:
        self.settings = settings
        self.work_dir = work_dir
        self.num_workers = num_workers
        self.dataset = dataset
        work_dir.mkdir(parents=True, exist_ok=True)
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._network = network
        self._mean = copy.deepcopy(network).requires_grad_(False).eval()
        self.optimizer = torch.optim.Adam(
            [{"params": params, "name": name} for name, params in groups.items()],
            betas=settings.optimizer.betas,
        )
        self.step = 0
        if self.checkpoint_path.exists():
            self._restore(load_checkpoint(self.checkpoint_path))

    @abstractmethod
    def learning_rates(self) -> dict[str, float]:
        """The learning rate of each group of parameters at this step."""

    @abstractmethod
    def losses(self, batch: BatchT) -> dict[str, torch.Tensor]:
        """The parts of a batch's loss, and their weighted sum ``total``."""

    @abstractmethod
    def validate(self) -> None:
        """Measure the mean weights on held-out data and log the result."""

    @abstractmethod
    def export(self) -> None:
        """Write the mean weights into the work folder."""

    @property
    def checkpoint_path(self) -> Path:
        """Where the state of the run is kept."""
        return self.work_dir / "checkpoint.pt"

    def run(self, *, max_minutes: float | None = None, max_steps: int | None = None) -> None:
        """Train until the end of the schedule or until a limit, then write the weights.

        Args:
            max_minutes: Stop after this time; the run can be continued.
            max_steps: Stop after this many steps of this call.
        """
        started = time.monotonic()
        saved = validated = started
        last = self.settings.num_steps
        if max_steps is not None:
            last = min(last, self.step + max_steps)
        data_seconds = 0.0
        batches = self._batches()
        while self.step < last:
            before = time.monotonic()
            batch = next(batches)
            data_seconds += time.monotonic() - before
            values = self.train_step(batch)
            now = time.monotonic()
            if self.step % _LOG_EVERY_STEPS == 0:
                self.log({"minutes": (now - started) / 60, "data_seconds": data_seconds, **values})
            if now - saved > self.settings.checkpoint_minutes * 60:
                self.save()
                saved = now
            if now - validated > self.settings.validation_minutes * 60:
                self.validate()
                validated = now
            if max_minutes is not None and now - started > max_minutes * 60:
                break
        self.save()
        self.validate()
        self.export()

    def train_step(self, batch: BatchT) -> dict[str, float]:
        """Learn from one batch.

        Args:
            batch: Samples with one more axis in front.

        Returns:
            The losses, the norm of the gradient and the highest learning rate.
        """
        rates = self.learning_rates()
        for group in self.optimizer.param_groups:
            group["lr"] = rates[group["name"]]
        losses = self.losses(batch)
        norm = self._descend(losses["total"])
        self._update_mean()
        self.step += 1
        values = {name: float(loss.detach()) for name, loss in losses.items()}
        return {**values, "gradient_norm": norm, "learning_rate": max(rates.values())}

    def _descend(self, loss: torch.Tensor) -> float:
        """Take one step of the optimiser, none if anything is not finite; returns the norm."""
        # NaN must not reach the backward pass: torch's grid_sample crashes on it (2.13, CPU).
        if not torch.isfinite(loss):
            return float("nan")
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(
            self._network.parameters(), self.settings.optimizer.max_gradient_norm
        )
        if torch.isfinite(norm):
            self.optimizer.step()
        return float(norm)

    @torch.no_grad()
    def _update_mean(self) -> None:
        weight = 1 - ema_decay(self.step, self.settings.optimizer)
        for mean, value in zip(self._mean.parameters(), self._network.parameters(), strict=True):
            mean.lerp_(value, weight)
        # Running statistics are means already.
        for copied, buffer in zip(self._mean.buffers(), self._network.buffers(), strict=True):
            copied.copy_(buffer)

    def _batches(self) -> Iterator[BatchT]:
        """Batches from the current step on; each depends on its step alone."""
        size = self.settings.batch_size
        indices: Sized = range(self.step * size, self.settings.num_steps * size)
        loader = DataLoader(
            self.dataset,
            batch_size=size,
            sampler=indices,  # type: ignore[arg-type]
            num_workers=self.num_workers,
            worker_init_fn=limit_worker_threads,
            prefetch_factor=4 if self.num_workers else None,
            # A forked worker would hang in OpenCV's thread pool.
            multiprocessing_context="spawn" if self.num_workers else None,
        )
        return iter(loader)

    def save(self) -> None:
        """Write the state of the run."""
        save_checkpoint(
            self.checkpoint_path,
            {
                "step": self.step,
                "network": self._network.state_dict(),
                "ema": self._mean.state_dict(),
                "optimizer": self.optimizer.state_dict(),
            },
        )

    def _restore(self, state: dict[str, Any]) -> None:
        try:
            self._network.load_state_dict(state["network"])
            self._mean.load_state_dict(state["ema"])
            self.optimizer.load_state_dict(state["optimizer"])
        except (KeyError, RuntimeError, ValueError) as error:
            raise CheckpointError(
                f"{self.checkpoint_path} belongs to another run: give another work folder"
            ) from error
        self.step = int(state["step"])

    def export_to(self, path: Path, weights: dict[str, torch.Tensor]) -> None:
        """Write weights as safetensors, with the step and the seed they come from."""
        metadata = {"step": str(self.step), "seed": str(self.settings.seed)}
        export_weights(path, weights, metadata)

    def log(self, values: dict[str, Any]) -> None:
        """Add a line to ``log.jsonl`` in the work folder."""
        line = json.dumps({"step": self.step, **values}, default=float)
        with (self.work_dir / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(line + "\n")
