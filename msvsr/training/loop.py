"""The training loop of all tasks: it resumes at any step as if it had never been stopped."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

import torch
from torch import nn
from torch.utils.data import Dataset

from msvsr.data.endless import EndlessSampler
from msvsr.training.batches import (
    count_images,
    count_samples,
    make_loader,
    map_tensors,
    split_batch,
)
from msvsr.training.config import LoopSettings
from msvsr.training.events import TrainingEvents, TrainingProgress
from msvsr.training.interrupts import Interrupt, catch_interrupts
from msvsr.training.pictures import Pictures, write_pictures
from msvsr.training.precision import Precision
from msvsr.training.processes import Processes
from msvsr.training.run import TrainingRun
from msvsr.training.timing import Limits, Stopwatch, Timers

__all__ = ["LoopSettings", "Outcome", "TrainingLoop"]

_LOG_EVERY_STEPS = 20
_DECISIVE = ("total", "discriminator")
"""Losses without which there is no step."""

BatchT = TypeVar("BatchT")
Outcome = Literal["finished", "limit", "interrupted"]
"""How a call of `TrainingLoop.run` ended: at the last step, at a limit, or by a signal."""


class TrainingLoop(TrainingRun, ABC, Generic[BatchT]):
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
        processes: This process, its device and the others; one on the CPU by default.
        events: Who watches the run.
        precision: The type to compute in, where a subclass has use for it before.
        discriminator: A second network, which learns with a rate group of its name.

    Raises:
        CheckpointError: The checkpoint found is damaged or belongs to another run.
        ConfigError: The batch cannot be shared evenly among the processes.
    """

    def __init__(
        self,
        network: nn.Module,
        groups: dict[str, list[nn.Parameter]],
        dataset: Dataset[BatchT],
        settings: LoopSettings,
        work_dir: Path,
        num_workers: int,
        *,
        processes: Processes | None = None,
        events: TrainingEvents | None = None,
        precision: Precision | None = None,
        discriminator: nn.Module | None = None,
    ) -> None:
        super().__init__(
            network,
            groups,
            settings,
            work_dir,
            processes=processes,
            events=events,
            precision=precision,
            discriminator=discriminator,
        )
        self.dataset = dataset
        self.num_workers = num_workers
        self._is_stopping = False
        self._validated_step: int | None = None

    @abstractmethod
    def learning_rates(self) -> dict[str, float]:
        """The learning rate of each group of parameters at this step."""

    @abstractmethod
    def losses(self, batch: BatchT) -> dict[str, torch.Tensor]:
        """The parts of the loss of a batch, or of a part of one, and their weighted sum ``total``.

        Each is a mean over samples.
        """

    @abstractmethod
    def validate(self) -> None:
        """Measure the mean weights on held-out data and log the result."""

    @abstractmethod
    def export(self) -> None:
        """Write the mean weights into the work folder."""

    def prepare(self, batch: BatchT) -> Any:  # noqa: ANN401 - what `losses` takes
        """Make of this process's samples what `losses` takes; it is then cut into parts."""
        return batch

    def pictures(self) -> Pictures:
        """Pictures that show what the mean weights do, by name; none by default."""
        return {}

    def autocast(self) -> AbstractContextManager[None]:
        """Run networks in the type of the run."""
        return self.precision.autocast()

    def stop(self) -> None:
        """Ask the run to end after this step; it can be continued."""
        self._is_stopping = True

    def run(
        self,
        *,
        max_minutes: float | None = None,
        max_steps: int | None = None,
        exports: bool = True,
    ) -> Outcome:
        """Train until the end of the schedule or until a limit, then write the weights.

        Ctrl-C and the signal to end are obeyed after the step: the state is saved, and the call
        returns without validation.

        Args:
            max_minutes: Stop after this time; the run can be continued.
            max_steps: Stop after this many steps of this call.
            exports: Write the weights at the end; else who calls does.

        Returns:
            How it ended.
        """
        self._is_stopping = False
        limits = Limits.of(self.step, self.settings.num_steps, max_steps, max_minutes)
        with catch_interrupts() as interrupt:
            is_interrupted = self._run_steps(limits, interrupt)
        self._on_first(self.save)
        if is_interrupted:
            return "interrupted"
        self._on_first(self._validate_once)
        if exports:
            self._on_first(self.export)
        return "finished" if self.step >= self.settings.num_steps else "limit"

    def _run_steps(self, limits: Limits, interrupt: Interrupt) -> bool:
        """Train until a limit; returns whether a signal ended it."""
        watch, timers = Stopwatch(), Timers(self.settings)
        earlier = self.seconds
        batches = self._batches() if self.step < limits.last_step else iter(())
        is_ending = is_interrupted = False
        while self.step < limits.last_step and not is_ending:
            with watch.waiting():
                batch = next(batches)
            self.events.before_step(self.step)
            values = self.train_step(batch)
            watch.add_step(count_images(batch) * self.processes.count)
            self.seconds = earlier + watch.seconds
            self.events.after_step(self.step, values)
            self._on_first(lambda: self._report(watch, values, limits))  # noqa: B023 - called now
            with watch.pausing():
                self._on_first(lambda: self._do_what_is_due(timers))
            is_interrupted = self.processes.any(interrupt.is_requested)
            is_ending = self.processes.any(self._is_stopping or limits.is_time_over())
            is_ending |= is_interrupted
        return is_interrupted

    def _on_first(self, action: Callable[[], None]) -> None:
        """Do what only the first process does."""
        if self.processes.is_first:
            action()

    def _report(self, watch: Stopwatch, values: dict[str, float], limits: Limits) -> None:
        """Log now and then, and tell those who watch."""
        if self.step % _LOG_EVERY_STEPS == 0:
            self.log({**watch.figures(), **values})
        self.events.on_progress(
            TrainingProgress(
                step=self.step,
                num_steps=limits.last_step,
                losses=values,
                images_per_second=watch.images_per_second,
                data_wait_share=watch.data_wait_share,
                seconds_left=watch.seconds_for(limits.last_step - self.step),
            )
        )

    def _do_what_is_due(self, timers: Timers) -> None:
        if timers.is_due("checkpoint", self.step):
            self.save()
        if timers.is_due("validation", self.step):
            self._validate_once()
        if timers.is_due("sample", self.step):
            for path in write_pictures(self.work_dir / "samples", self.step, self.pictures()):
                self.events.after_save(path)

    def _validate_once(self) -> None:
        """Validate, unless that was just done at this step."""
        if self._validated_step != self.step:
            self.validate()
            self._validated_step = self.step

    def train_step(self, batch: BatchT) -> dict[str, float]:
        """Learn from one batch.

        Args:
            batch: This process's samples with one more axis in front.

        Returns:
            The losses, the norm of the gradient and the highest learning rate.
        """
        rates = self.learning_rates()
        self._networks.begin(rates)
        values = self._collect_gradients(batch)
        is_sound = all(math.isfinite(values.get(name, 0.0)) for name in _DECISIVE)
        norms = self._networks.descend(is_sound=is_sound)
        self._networks.update_mean(self.step)
        self.step += 1
        highest = max(rate for name, rate in rates.items() if name != "discriminator")
        return {**values, **norms, "learning_rate": highest}

    def _collect_gradients(self, batch: BatchT) -> dict[str, float]:
        """Go through the batch in parts; returns the mean losses over all processes."""
        batch = map_tensors(self._to_device, batch)
        prepared = self.prepare(batch)
        total = count_samples(prepared)
        sums: dict[str, torch.Tensor] = {}
        for part in split_batch(prepared, self.settings.micro_batch_size):
            share = count_samples(part) / total
            for name, loss in self.backward(part, share).items():
                sums[name] = sums.get(name, 0) + share * loss.detach().float()
        means = self.processes.mean(torch.stack(list(sums.values())).tolist())
        return dict(zip(sums, means, strict=True))

    def _to_device(self, tensor: torch.Tensor) -> torch.Tensor:
        return tensor.to(self.processes.device, non_blocking=True)

    def backward(self, part: BatchT, share: float) -> dict[str, torch.Tensor]:
        """Add the gradients of a part of a batch to what is there.

        Args:
            part: Some samples, as `prepare` made them.
            share: How much the part counts: its samples over those of the batch.

        Returns:
            The losses of the part.
        """
        losses = self.losses(part)
        # NaN must not reach the backward pass: torch's grid_sample crashes on it (2.13, CPU).
        if torch.isfinite(losses["total"]):
            self.precision.scaler.scale(losses["total"] * share).backward()  # type: ignore[no-untyped-call]
        return losses

    def _batches(self) -> Iterator[BatchT]:
        """Batches from the current step on; each depends on its step alone."""
        sampler = EndlessSampler(
            self.settings.batch_size,
            start_step=self.step,
            rank=self.processes.rank,
            world_size=self.processes.count,
            num_steps=self.settings.num_steps,
        )
        return make_loader(self.dataset, sampler, self.num_workers, self.processes.device)
