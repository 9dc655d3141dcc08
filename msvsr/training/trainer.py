"""Training of RealBasicVSR: first the flow on known motion, then everything together."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import Dataset

from msvsr.archs.realbasicvsr import RealBasicVSRNet
from msvsr.data.dataset import ClipDataset, ClipPair
from msvsr.data.training_clips import TrainingClips, TrainingSample
from msvsr.degradations.second_order import SecondOrderDegrader
from msvsr.errors import ConfigError
from msvsr.models.checkpoints import load_weights, read_checkpoint
from msvsr.models.realbasicvsr import build_network, find_weights, read_spynet
from msvsr.training.activations import few_activations
from msvsr.training.batches import map_tensors
from msvsr.training.config import TrainingConfig
from msvsr.training.events import TrainingEvents
from msvsr.training.initialization import initialize
from msvsr.training.judges import make_judges, run_split
from msvsr.training.loop import TrainingLoop
from msvsr.training.model_folder import ModelFolder, super_resolution_configuration
from msvsr.training.objective import (
    MotionPairs,
    draw_motion,
    motion_error,
    reconstruction_losses,
    restoration_losses,
)
from msvsr.training.pictures import Pictures
from msvsr.training.precision import Precision
from msvsr.training.processes import Processes
from msvsr.training.schedule import flow_learning_rate, learning_rate
from msvsr.training.targets import choose_targets
from msvsr.training.validation import HeldOutClip, compare, load_held_out, validate

__all__ = ["SampleSet", "Trainer"]

SampleBatch = ClipPair | TrainingSample
SampleSet = Dataset[ClipPair] | Dataset[TrainingSample]
"""Sample ``i`` depends on the seed and ``i`` alone."""

_MAX_PICTURES = 4


class Trainer(TrainingLoop[SampleBatch]):
    """Trains one super-resolution network.

    Args:
        config: The run.
        data_dir: Folder that holds the clips.
        cache_dir: Folder of the decoded clips.
        work_dir: Folder of checkpoint, log and weights; made when missing. A checkpoint found
            there is continued.
        num_workers: Processes that prepare samples; 0 prepares them in this process.
        initial: Weights to start from, such as those of the first stage: a file or a model folder.
        spynet: Weights of the flow network, in place of ``network.spynet_pretrained``: a file of
            its own, or a model that it is part of.
        vgg: Weights of VGG19, file or folder, for the perceptual loss; torch's cache by default.
        dataset: Training samples, in place of those that the configuration describes.
        held_out: Clips to validate on, in place of those that the configuration names.
        processes: This process, its device and the others; one on the CPU by default.
        events: Who watches the run.

    Raises:
        ConfigError: There are no training samples, or a held-out clip is among them.
        CheckpointError: Weights are missing or belong to another network, or the work folder to
            another run.
    """

    network: RealBasicVSRNet

    def __init__(
        self,
        config: TrainingConfig,
        data_dir: Path,
        cache_dir: Path,
        work_dir: Path,
        num_workers: int = 1,
        *,
        initial: Path | None = None,
        spynet: Path | None = None,
        vgg: Path | None = None,
        dataset: SampleSet | None = None,
        held_out: tuple[HeldOutClip, ...] | None = None,
        processes: Processes | None = None,
        events: TrainingEvents | None = None,
    ) -> None:
        self.config = config
        processes = processes or Processes()
        dataset = dataset or _make_dataset(config, data_dir, cache_dir)
        if held_out is None:
            held_out = load_held_out(config.validation, data_dir, cache_dir)
        self.held_out = held_out
        self.network = _make_network(config, initial, spynet)
        precision = Precision(config.precision_name, processes.device)
        self._judges = make_judges(config, precision, processes.device, vgg)
        super().__init__(
            self.network,
            _parameter_groups(self.network),
            dataset,
            config.loop_settings(config.validation.every_minutes),
            work_dir,
            num_workers,
            processes=processes,
            events=events,
            precision=precision,
            discriminator=self._judges.discriminator if self._judges else None,
        )

    @property
    def ema(self) -> RealBasicVSRNet:
        """The network with the running mean of its weights."""
        return self._mean  # type: ignore[return-value]

    @property
    def _is_warmup(self) -> bool:
        return self.step < self.config.flow_warmup_steps

    def learning_rates(self) -> dict[str, float]:
        """Those of the flow network, of the rest, and of the discriminator."""
        rates = {
            "flow": flow_learning_rate(self.step, self.config),
            "rest": learning_rate(self.step, self.config),
        }
        if self._judges is not None:
            rates["discriminator"] = self.config.discriminator.learning_rate
        return rates

    def prepare(self, batch: SampleBatch) -> SampleBatch | MotionPairs:
        """In the warm-up scenes in known motion, made of the frames of all processes."""
        if not self._is_warmup:
            if self._judges is not None:
                self._judges.refresh()
            return batch
        generator = torch.Generator().manual_seed(self.config.seed * 1_000_003 + self.step)
        gt = self.processes.gather(batch.gt).float() / 255
        pairs = draw_motion(gt, self.network.scale, self.config.flow_warmup_motion, generator)
        share = self.processes.share_of(len(gt))
        return map_tensors(lambda tensor: tensor[share.start : share.stop], pairs)

    def losses(self, batch: SampleBatch | MotionPairs) -> dict[str, torch.Tensor]:
        """The parts of a batch's loss and their weighted sum.

        Args:
            batch: RGB uint8, ``(n, t, 3, h, w)`` and ``(n, t, 3, 4h, 4w)``, or what `prepare`
                makes of it in the warm-up.
        """
        if isinstance(batch, MotionPairs):
            with self.autocast():
                loss = motion_error(self.network, batch)
            return {"motion": loss, "total": loss}
        targets = choose_targets(batch, self.config.loss)
        with self._forward_pass():
            lq = batch.lq.float() / 255
            return reconstruction_losses(self.network, lq, targets.pixel, self.config.loss)

    def backward(self, part: SampleBatch | MotionPairs, share: float) -> dict[str, torch.Tensor]:
        """Add the gradients of a part of a batch, in the second stage of both networks."""
        if self._judges is None or isinstance(part, MotionPairs):
            return super().backward(part, share)  # type: ignore[arg-type] # what losses takes
        targets = choose_targets(part, self.config.loss)
        with self._forward_pass():
            run = run_split(self.network, part.lq.float() / 255)
            losses = restoration_losses(run.output, targets.pixel, self.config.loss)
        return self._judges.backward(self.network, run, losses, targets, share)

    @contextmanager
    def _forward_pass(self) -> Iterator[None]:
        is_frugal = self.config.checkpoint_activations
        with self.autocast(), few_activations(self.network) if is_frugal else nullcontext():
            yield

    def validate(self) -> None:
        """Measure the mean weights on the held-out clips and log the result."""
        with self.autocast():
            self.report_scores(validate(self.ema, self.held_out))

    def pictures(self) -> Pictures:
        """Bicubic interpolation, output and truth of some held-out clips, or of a sample."""
        clips = self.held_out[:_MAX_PICTURES] or (HeldOutClip.of(self.dataset[0]),)
        with self.autocast():
            return {clip.name: compare(self.ema, clip) for clip in clips}

    def export(self, folder: Path | None = None) -> None:
        """Write a model folder that pipelines load: configuration, mean weights, card, training.

        Args:
            folder: Where to; the work folder by default.
        """
        folder = folder or self.work_dir
        folder.mkdir(parents=True, exist_ok=True)
        self.export_to(folder / "model.safetensors", self.ema.state_dict())
        configuration = super_resolution_configuration(self.config.network)
        ModelFolder(folder, configuration, self.config).write(self.facts())


def _make_dataset(config: TrainingConfig, data_dir: Path, cache_dir: Path) -> SampleSet:
    if config.data is not None:
        return ClipDataset(config.data, data_dir, cache_dir, config.seed)
    if config.footage is None:
        raise ConfigError("a training needs samples: give data or footage in the configuration")
    footage = config.footage
    degrade = SecondOrderDegrader(footage.degradation)
    clips = TrainingClips(
        footage.sources, degrade, footage.samples, seed=config.seed, data_dir=data_dir
    )
    held_out = {clip.name for clip in config.validation.clips}
    shared = sorted(held_out & {clip.name for clip in clips.clips})
    if shared:
        raise ConfigError(
            f"clips to validate on must not be trained on: {shared}; keep them in another folder "
            "than footage.sources"
        )
    return clips


def _make_network(
    config: TrainingConfig, initial: Path | None, spynet: Path | None
) -> RealBasicVSRNet:
    """The network with its first weights; what is not to learn is frozen."""
    network = build_network(config.network)
    initialize(network, config.seed)
    if initial is not None:
        file = find_weights(initial) if initial.is_dir() else initial
        load_weights(network, read_checkpoint(file), str(file))
    pretrained = spynet or config.network.spynet_pretrained
    if pretrained is not None:
        if config.flow_warmup_steps:
            raise ConfigError(
                "pretrained weights keep the flow network as it is: set flow_warmup_steps to 0, "
                f"got {config.flow_warmup_steps}"
            )
        flow = network.basicvsr.spynet
        load_weights(flow, read_spynet(Path(pretrained)), str(pretrained))
        flow.requires_grad_(False)
    if config.network.is_fix_cleaning:
        network.image_cleaning.requires_grad_(False)
    return network


def _parameter_groups(network: RealBasicVSRNet) -> dict[str, list[nn.Parameter]]:
    flow = [each for each in network.basicvsr.spynet.parameters() if each.requires_grad]
    flow_ids = {id(parameter) for parameter in flow}
    learning = [each for each in network.parameters() if each.requires_grad]
    rest = [each for each in learning if id(each) not in flow_ids]
    return {"flow": flow, "rest": rest} if flow else {"rest": rest}
