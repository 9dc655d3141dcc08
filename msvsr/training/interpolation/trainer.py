"""Training of RAFT and the interpolator, one after the other."""

from pathlib import Path

import torch
from torch import nn

from msvsr.archs.interpnet import InterpNet
from msvsr.archs.raft import RAFT
from msvsr.data.windows import WindowDataset
from msvsr.errors import ConfigError
from msvsr.models.checkpoints import load_weights, read_checkpoint
from msvsr.models.raft_interpolation import build_networks
from msvsr.training.interpolation.config import InterpolationTrainingConfig
from msvsr.training.interpolation.initialization import start_as_warping
from msvsr.training.interpolation.objective import (
    flow_losses,
    matching_losses,
    synthesis_losses,
    teach,
)
from msvsr.training.interpolation.samples import (
    add_noise,
    draw_flow_pairs,
    draw_scene,
    draw_synthesis,
)
from msvsr.training.interpolation.validation import load_held_out_triplets, validate_triplets
from msvsr.training.loop import LoopSettings, TrainingLoop
from msvsr.training.schedule import cosine_rate

__all__ = ["InterpolationTrainer"]

FLOW_FILE, INTERPOLATOR_FILE = "flow.safetensors", "interpolator.safetensors"


class InterpolationTrainer(TrainingLoop[torch.Tensor]):
    """Trains the networks of one interpolation model.

    Args:
        config: The run.
        data_dir: Folder that holds the clips.
        cache_dir: Folder of the decoded clips.
        work_dir: Folder of checkpoint, log and weights; made when missing. A checkpoint found
            there is continued.
        num_workers: Processes that prepare samples; 0 prepares them in this process.
        teacher: Weights of a flow network of the same kind; the first stage needs it.
        initial: Folder with the weights to start from: those of an earlier stage.

    Raises:
        ConfigError: The stage needs a teacher or initial weights, and there are none.
        CheckpointError: Weights are missing or belong to other networks, or the work folder to
            another run.
    """

    def __init__(
        self,
        config: InterpolationTrainingConfig,
        data_dir: Path,
        cache_dir: Path,
        work_dir: Path,
        num_workers: int = 1,
        *,
        teacher: Path | None = None,
        initial: Path | None = None,
    ) -> None:
        self.config = config
        self.held_out = load_held_out_triplets(config.validation, data_dir, cache_dir)
        torch.manual_seed(config.seed)
        networks = build_networks(config.network)
        self.flow, self.interpolator = networks.flow, networks.interpolator
        start_as_warping(self.interpolator)
        self.teacher = self._load_teacher(teacher)
        self._load_initial(initial)
        if not self._trains_flow:
            self.flow.eval()  # its running statistics stay as they are too
        super().__init__(
            nn.ModuleDict({"flow": self.flow, "interpolator": self.interpolator}),
            self._parameter_groups(),
            WindowDataset(config.data, data_dir, cache_dir, config.seed),
            LoopSettings(
                num_steps=config.num_steps,
                batch_size=config.batch_size,
                seed=config.seed,
                optimizer=config.optimizer,
                checkpoint_minutes=config.checkpoint_minutes,
                validation_minutes=config.validation.every_minutes,
            ),
            work_dir,
            num_workers,
        )

    @property
    def mean_flow(self) -> RAFT:
        """The flow network with the running mean of its weights."""
        return self._mean["flow"]  # type: ignore[index, no-any-return]

    @property
    def mean_interpolator(self) -> InterpNet:
        """The interpolator with the running mean of its weights."""
        return self._mean["interpolator"]  # type: ignore[index, no-any-return]

    def _load_teacher(self, path: Path | None) -> RAFT | None:
        if self.config.stage != "flow" and not self.config.synthesis_loss.distillation:
            return None
        if path is None:
            raise ConfigError(
                f"the stage '{self.config.stage}' of this configuration needs a teacher: give the "
                "weights of a RAFT network"
            )
        teacher = build_networks(self.config.network).flow
        load_weights(teacher, read_checkpoint(path), str(path))
        teacher.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return teacher.eval().requires_grad_(False)

    def _load_initial(self, folder: Path | None) -> None:
        if folder is None:
            if self.config.stage == "synthesis":
                raise ConfigError(
                    "the stage 'synthesis' needs a trained flow network: give the folder that the "
                    "stage 'flow' wrote"
                )
            return
        flow, interpolator = folder / FLOW_FILE, folder / INTERPOLATOR_FILE
        load_weights(self.flow, read_checkpoint(flow), str(flow))
        if interpolator.is_file():  # the first stage writes none
            load_weights(self.interpolator, read_checkpoint(interpolator), str(interpolator))

    @property
    def _trains_flow(self) -> bool:
        return self.config.stage == "flow" or self.config.flow_rate_factor > 0

    def _parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        groups = {}
        if self._trains_flow:
            groups["flow"] = list(self.flow.parameters())
        if self.config.stage == "synthesis":
            groups["interpolator"] = list(self.interpolator.parameters())
        return groups

    def learning_rates(self) -> dict[str, float]:
        """Those of the two networks."""
        first = self.config.flow_loss.matching_steps if self.config.stage == "flow" else 0
        is_first = self.step < first
        done, length = (
            (self.step, first) if is_first else (self.step - first, self.config.num_steps - first)
        )
        rate = cosine_rate(done, length, self.config.optimizer)
        factor = 1.0 if self.config.stage == "flow" else self.config.flow_rate_factor
        return {"flow": factor * rate, "interpolator": rate}

    def losses(self, batch: torch.Tensor) -> dict[str, torch.Tensor]:
        """The parts of a batch's loss and their weighted sum.

        Args:
            batch: Windows, RGB uint8, ``(n, t, 3, h, w)``.
        """
        generator = torch.Generator().manual_seed(self.config.seed * 1_000_003 + self.step)
        windows = batch.float() / 255
        if self.config.stage == "flow":
            return self._flow_losses(windows, generator)
        return self._synthesis_losses(windows, generator)

    def _flow_losses(
        self, windows: torch.Tensor, generator: torch.Generator
    ) -> dict[str, torch.Tensor]:
        if self.teacher is None:
            raise ConfigError("the stage 'flow' needs a teacher")
        config = self.config.flow_loss
        is_matching = self.step < config.matching_steps
        share = 1.0 if is_matching else config.synthetic_share
        pairs = draw_flow_pairs(
            windows, share, config.max_motion, config.num_foregrounds, generator
        )
        with torch.autocast("cpu", torch.bfloat16, enabled=self.config.bfloat16):
            if is_matching:
                return matching_losses(self.flow, pairs)
            iterations = self.config.network.network.num_iterations
            return flow_losses(self.flow, self.teacher, pairs, iterations, config)

    def _synthesis_losses(
        self, windows: torch.Tensor, generator: torch.Generator
    ) -> dict[str, torch.Tensor]:
        config = self.config.synthesis_loss
        if torch.rand((), generator=generator) < config.synthetic_share:
            sample = draw_scene(windows, config.max_motion, config.num_foregrounds, generator)
        else:
            sample = draw_synthesis(windows, generator)
        noisy = add_noise(sample, config.noise, generator) if config.noise else sample
        with torch.autocast("cpu", torch.bfloat16, enabled=self.config.bfloat16):
            taught = None
            if self.teacher is not None:
                taught = teach(self.teacher, sample, config.teacher_iterations)
            return synthesis_losses(
                self.flow,
                self.interpolator,
                noisy,
                self.config.network.network.num_iterations,
                config,
                train_flow=self._trains_flow,
                taught=taught,
            )

    def validate(self) -> None:
        """Measure the mean weights on the held-out clips and log the result."""
        if not self.held_out:
            return
        scores = validate_triplets(
            self.mean_flow, self.mean_interpolator, self.held_out, self.config
        )
        gain = sum(ours - plain for plain, ours in scores.values()) / len(scores)
        self.log({"validation": scores, "gain_db": gain})

    def export(self) -> None:
        """Write the mean weights: the flow network's, and the interpolator's in its stage."""
        self.export_to(self.work_dir / FLOW_FILE, self.mean_flow.state_dict())
        if self.config.stage == "synthesis":
            self.export_to(self.work_dir / INTERPOLATOR_FILE, self.mean_interpolator.state_dict())
