"""The state of a training run, and what it writes into its folder."""

import json
from pathlib import Path
from typing import Any

import torch
from torch import nn

from msvsr.errors import CheckpointError
from msvsr.training.checkpoint import export_weights, load_checkpoint, save_checkpoint
from msvsr.training.config import LoopSettings
from msvsr.training.events import SilentEvents, TrainingEvents
from msvsr.training.model_folder import RunFacts, Scores
from msvsr.training.networks import Networks
from msvsr.training.precision import Precision
from msvsr.training.processes import Processes

__all__ = ["TrainingRun"]


class TrainingRun:
    """A run at some step: networks, optimisers, checkpoint, log and scores.

    Args:
        network: The network with its initial weights.
        groups: Groups of its parameters by name, for different learning rates. A parameter that
            is in none stays as it is.
        settings: The run.
        work_dir: Folder of checkpoint, log and weights; made when missing. A checkpoint found
            there is continued.
        processes: This process, its device and the others; one on the CPU by default.
        events: Who watches the run.
        precision: The type to compute in, where a caller has use for it before.
        discriminator: A second network, which learns with a rate group of its name.

    Raises:
        CheckpointError: The checkpoint found is damaged or belongs to another run.
        ConfigError: The batch cannot be shared evenly among the processes.
    """

    def __init__(
        self,
        network: nn.Module,
        groups: dict[str, list[nn.Parameter]],
        settings: LoopSettings,
        work_dir: Path,
        *,
        processes: Processes | None = None,
        events: TrainingEvents | None = None,
        precision: Precision | None = None,
        discriminator: nn.Module | None = None,
    ) -> None:
        self.settings = settings
        self.work_dir = work_dir
        self.processes = processes or Processes()
        self.events = events or SilentEvents()
        self.precision = precision or Precision(settings.precision_name, self.processes.device)
        self.processes.share_of(settings.batch_size)  # refuses what cannot be shared
        self._networks = Networks(
            network, groups, settings.optimizer, self.precision, self.processes, discriminator
        )
        self.step = 0
        self.seconds = 0.0
        self.scores: Scores = {}
        work_dir.mkdir(parents=True, exist_ok=True)
        self._continue()

    @property
    def _mean(self) -> nn.Module:
        return self._networks.mean

    @property
    def optimizer(self) -> torch.optim.Optimizer:
        """The optimiser of the network."""
        return self._networks.learners[""].optimizer

    @property
    def checkpoint_path(self) -> Path:
        """Where the state of the run is kept."""
        return self.work_dir / "checkpoint.pt"

    def save(self) -> None:
        """Write the state of the run."""
        state = {"step": self.step, "seconds": self.seconds, **self._networks.state_dict()}
        save_checkpoint(self.checkpoint_path, state)
        self.events.after_save(self.checkpoint_path)

    def _continue(self) -> None:
        """Take over the state that the first process finds in the work folder, if there is one."""
        state = None
        if self.processes.is_first and self.checkpoint_path.exists():
            state = load_checkpoint(self.checkpoint_path)
        state = self.processes.from_first(state)
        if state is not None:
            self._restore(state)

    def _restore(self, state: dict[str, Any]) -> None:
        try:
            self._networks.load_state_dict(state)
        except (KeyError, RuntimeError, ValueError) as error:
            raise CheckpointError(
                f"{self.checkpoint_path} belongs to another run: give another work folder"
            ) from error
        self.step = int(state["step"])
        self.seconds = float(state.get("seconds", 0.0))

    def export_to(self, path: Path, weights: dict[str, torch.Tensor]) -> None:
        """Write weights as safetensors, with the step and the seed they come from."""
        metadata = {"step": str(self.step), "seed": str(self.settings.seed)}
        export_weights(path, weights, metadata)

    def report_scores(self, scores: Scores) -> None:
        """Log what a validation found, with what those who watch add to it."""
        more = dict(self.events.on_validate(self._mean))
        if not scores and not more:
            return
        self.scores = scores
        gains = {f"gain_db/{name}": ours - plain for name, (plain, ours) in scores.items()}
        gain = {"gain_db": sum(gains.values()) / len(gains)} if gains else {}
        self.log({"validation": scores, **gain, **more})
        self.events.after_validation({**gain, **gains, **more})

    def facts(self) -> RunFacts:
        """What a model card says about this run."""
        return RunFacts(
            step=self.step,
            seconds=self.seconds,
            num_processes=self.processes.count,
            device=self.processes.device,
            precision=self.precision.name,
            scores=self.scores,
        )

    def log(self, values: dict[str, Any]) -> None:
        """Add a line to ``log.jsonl`` in the work folder."""
        line = json.dumps({"step": self.step, **values}, default=float)
        with (self.work_dir / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(line + "\n")
