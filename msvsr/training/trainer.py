"""Training of RealBasicVSR: first the flow on known motion, then everything together."""

from pathlib import Path

import torch

from msvsr.archs.realbasicvsr import RealBasicVSRNet
from msvsr.data.dataset import ClipDataset, ClipPair
from msvsr.models.realbasicvsr import build_network
from msvsr.training.config import TrainingConfig
from msvsr.training.initialization import initialize
from msvsr.training.loop import LoopSettings, TrainingLoop
from msvsr.training.objective import motion_loss, reconstruction_losses
from msvsr.training.schedule import flow_learning_rate, learning_rate
from msvsr.training.validation import load_held_out, validate

__all__ = ["Trainer"]


class Trainer(TrainingLoop[ClipPair]):
    """Trains one super-resolution network.

    Args:
        config: The run.
        data_dir: Folder that holds the clips.
        cache_dir: Folder of the decoded clips.
        work_dir: Folder of checkpoint, log and weights; made when missing. A checkpoint found
            there is continued.
        num_workers: Processes that prepare samples; 0 prepares them in this process.
    """

    network: RealBasicVSRNet

    def __init__(
        self,
        config: TrainingConfig,
        data_dir: Path,
        cache_dir: Path,
        work_dir: Path,
        num_workers: int = 1,
    ) -> None:
        self.config = config
        self.held_out = load_held_out(config.validation, data_dir, cache_dir)
        self.network = build_network(config.network)
        initialize(self.network, config.seed)
        super().__init__(
            self.network,
            _parameter_groups(self.network),
            ClipDataset(config.data, data_dir, cache_dir, config.seed),
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
    def ema(self) -> RealBasicVSRNet:
        """The network with the running mean of its weights."""
        return self._mean  # type: ignore[return-value]

    def learning_rates(self) -> dict[str, float]:
        """Those of the flow network and of the rest."""
        return {
            "flow": flow_learning_rate(self.step, self.config),
            "rest": learning_rate(self.step, self.config),
        }

    def losses(self, batch: ClipPair) -> dict[str, torch.Tensor]:
        """The parts of a batch's loss and their weighted sum.

        Args:
            batch: RGB uint8, ``(n, t, 3, h, w)`` and ``(n, t, 3, 4h, 4w)``.
        """
        lq, gt = batch.lq.float() / 255, batch.gt.float() / 255
        with torch.autocast("cpu", torch.bfloat16, enabled=self.config.bfloat16):
            if self.step >= self.config.flow_warmup_steps:
                return reconstruction_losses(self.network, lq, gt, self.config.loss)
            generator = torch.Generator().manual_seed(self.config.seed * 1_000_003 + self.step)
            loss = motion_loss(self.network, gt, self.config.flow_warmup_motion, generator)
            return {"motion": loss, "total": loss}

    def validate(self) -> None:
        """Measure the mean weights on the held-out clips and log the result."""
        if not self.held_out:
            return
        scores = validate(self.ema, self.held_out, bfloat16=self.config.bfloat16)
        gain = sum(ours - plain for plain, ours in scores.values()) / len(scores)
        self.log({"validation": scores, "gain_db": gain})

    def export(self) -> None:
        """Write the mean weights as ``model.safetensors``."""
        self.export_to(self.work_dir / "model.safetensors", self.ema.state_dict())


def _parameter_groups(network: RealBasicVSRNet) -> dict[str, list[torch.nn.Parameter]]:
    flow = list(network.basicvsr.spynet.parameters())
    flow_ids = {id(parameter) for parameter in flow}
    rest = [each for each in network.parameters() if id(each) not in flow_ids]
    return {"flow": flow, "rest": rest}
