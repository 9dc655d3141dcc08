"""Training of RAFT and the interpolator, one after the other."""

from pathlib import Path

import torch
from torch import nn
from torch.utils.data import Dataset

from msvsr.archs.interpnet import InterpNet
from msvsr.archs.raft import RAFT
from msvsr.archs.vgg import load_vgg19
from msvsr.data.windows import WindowDataset
from msvsr.errors import ConfigError
from msvsr.losses.perceptual import PerceptualLoss
from msvsr.models.checkpoints import load_weights, read_checkpoint
from msvsr.models.raft_interpolation import build_networks
from msvsr.training.batches import map_tensors
from msvsr.training.events import TrainingEvents
from msvsr.training.interpolation.config import InterpolationTrainingConfig
from msvsr.training.interpolation.initialization import start_as_warping
from msvsr.training.interpolation.objective import (
    count_matches,
    flow_losses,
    matching_losses,
    synthesis_losses,
    teach,
)
from msvsr.training.interpolation.samples import (
    FlowPairs,
    KnownPairs,
    NoisySample,
    add_noise,
    draw_flow_pairs,
    draw_scene,
    draw_synthesis,
)
from msvsr.training.interpolation.validation import (
    HeldOutTriplets,
    compare_triplet,
    load_held_out_triplets,
    validate_triplets,
)
from msvsr.training.loop import TrainingLoop
from msvsr.training.model_folder import ModelFolder, interpolation_configuration
from msvsr.training.pictures import Pictures
from msvsr.training.processes import Processes
from msvsr.training.schedule import scheduled_rate

__all__ = ["InterpolationTrainer"]

Prepared = FlowPairs | KnownPairs | NoisySample
"""What a step learns from."""

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
        vgg: Weights of VGG19, file or folder, for the perceptual loss; torch's cache by default.
        dataset: Windows to train on, in place of those that the configuration describes.
        held_out: Triplets to validate on, in place of those of the clips that it names.
        processes: This process, its device and the others; one on the CPU by default.
        events: Who watches the run.

    Raises:
        ConfigError: The stage needs a teacher, initial weights or samples, and there are none.
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
        vgg: Path | None = None,
        dataset: Dataset[torch.Tensor] | None = None,
        held_out: tuple[HeldOutTriplets, ...] | None = None,
        processes: Processes | None = None,
        events: TrainingEvents | None = None,
    ) -> None:
        self.config = config
        if held_out is None:
            held_out = load_held_out_triplets(config.validation, data_dir, cache_dir)
        self.held_out = held_out
        processes = processes or Processes()
        self._device = processes.device
        torch.manual_seed(config.seed)
        networks = build_networks(config.network)
        self.flow, self.interpolator = networks.flow, networks.interpolator
        start_as_warping(self.interpolator)
        self.teacher = self._load_teacher(teacher)
        self.perceptual = None
        if config.synthesis_loss.perceptual and config.stage == "synthesis":
            self.perceptual = PerceptualLoss(load_vgg19(vgg)).to(self._device)
        self._load_initial(initial)
        if not self._trains_flow:
            self.flow.eval()  # its running statistics stay as they are too
        super().__init__(
            nn.ModuleDict({"flow": self.flow, "interpolator": self.interpolator}),
            self._parameter_groups(),
            dataset or _make_dataset(config, data_dir, cache_dir),
            config.loop_settings(config.validation.every_minutes),
            work_dir,
            num_workers,
            processes=processes,
            events=events,
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
        teacher.to(self._device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
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
        if interpolator.is_file():  # the first stage leaves none
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
        rate = scheduled_rate(done, length, self.config.optimizer)
        factor = 1.0 if self.config.stage == "flow" else self.config.flow_rate_factor
        return {"flow": factor * rate, "interpolator": rate}

    def prepare(self, batch: torch.Tensor) -> Prepared:
        """What the networks learn from in this step, drawn for the windows of all processes.

        Args:
            batch: This process's windows, RGB uint8, ``(n, t, 3, h, w)``.
        """
        generator = torch.Generator().manual_seed(self.config.seed * 1_000_003 + self.step)
        windows = self.processes.gather(batch).float() / 255
        is_flow = self.config.stage == "flow"
        drawn = (self._draw_pairs if is_flow else self._draw_sample)(windows, generator)
        share = self.processes.share_of(len(windows))
        return map_tensors(lambda tensor: tensor[share.start : share.stop], drawn)

    def losses(self, batch: torch.Tensor | Prepared) -> dict[str, torch.Tensor]:
        """The parts of a batch's loss and their weighted sum.

        Args:
            batch: Windows, RGB uint8, ``(n, t, 3, h, w)``, or what `prepare` makes of them.
        """
        prepared = self.prepare(batch) if isinstance(batch, torch.Tensor) else batch
        with self.autocast():
            if isinstance(prepared, NoisySample):
                return self._synthesis_losses(prepared)
            if isinstance(prepared, KnownPairs):
                return matching_losses(self.flow, *prepared)
            return self._flow_losses(prepared)

    def _draw_pairs(
        self, windows: torch.Tensor, generator: torch.Generator
    ) -> FlowPairs | KnownPairs:
        config = self.config.flow_loss
        is_matching = self.step < config.matching_steps
        share = 1.0 if is_matching else config.synthetic_share
        pairs = draw_flow_pairs(
            windows, share, config.max_motion, config.num_foregrounds, generator
        )
        return KnownPairs(pairs, count_matches(pairs)) if is_matching else pairs

    def _draw_sample(self, windows: torch.Tensor, generator: torch.Generator) -> NoisySample:
        config = self.config.synthesis_loss
        if torch.rand((), generator=generator) < config.synthetic_share:
            sample = draw_scene(windows, config.max_motion, config.num_foregrounds, generator)
        else:
            sample = draw_synthesis(windows, generator)
        noisy = add_noise(sample, config.noise, generator) if config.noise else sample
        return NoisySample(sample, noisy)

    def _flow_losses(self, pairs: FlowPairs) -> dict[str, torch.Tensor]:
        if self.teacher is None:
            raise ConfigError("the stage 'flow' needs a teacher")
        iterations = self.config.network.network.num_iterations
        return flow_losses(self.flow, self.teacher, pairs, iterations, self.config.flow_loss)

    def _synthesis_losses(self, sample: NoisySample) -> dict[str, torch.Tensor]:
        config = self.config.synthesis_loss
        taught = None
        if self.teacher is not None:
            taught = teach(self.teacher, sample.clean, config.teacher_iterations)
        return synthesis_losses(
            self.flow,
            self.interpolator,
            sample.noisy,
            self.config.network.network.num_iterations,
            config,
            train_flow=self._trains_flow,
            taught=taught,
            perceptual=self.perceptual,
        )

    def validate(self) -> None:
        """Measure the mean weights on the held-out clips and log the result."""
        networks = (self.mean_flow, self.mean_interpolator)
        with self.autocast():
            self.report_scores(validate_triplets(*networks, self.held_out, self.config))

    def pictures(self) -> Pictures:
        """A blend, the frame made, and the true one, of the first triplet of each clip."""
        networks = (self.mean_flow, self.mean_interpolator)
        with self.autocast():
            return {
                clip.name: compare_triplet(*networks, clip, self.config) for clip in self.held_out
            }

    def export(self, folder: Path | None = None) -> None:
        """Write a model folder that pipelines load: configuration, mean weights, card, training.

        Args:
            folder: Where to; by default the work folder, which gets the flow network's weights
                alone in the first stage: the second needs no more.
        """
        is_whole = folder is not None or self.config.stage == "synthesis"
        folder = folder or self.work_dir
        folder.mkdir(parents=True, exist_ok=True)
        self.export_to(folder / FLOW_FILE, self.mean_flow.state_dict())
        if is_whole:
            self.export_to(folder / INTERPOLATOR_FILE, self.mean_interpolator.state_dict())
            configuration = interpolation_configuration(self.config.network)
            ModelFolder(folder, configuration, self.config).write(self.facts())


def _make_dataset(
    config: InterpolationTrainingConfig, data_dir: Path, cache_dir: Path
) -> Dataset[torch.Tensor]:
    if config.data is None:
        raise ConfigError("a training needs samples: give data in the configuration")
    return WindowDataset(config.data, data_dir, cache_dir, config.seed)
