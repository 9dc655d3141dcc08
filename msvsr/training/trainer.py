"""The training loop: resumable at any step, with the same result as without the stop."""

import copy
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader

from msvsr.archs.realbasicvsr import RealBasicVSRNet
from msvsr.data.dataset import ClipDataset, ClipPair, limit_worker_threads
from msvsr.models.realbasicvsr import build_network
from msvsr.training.checkpoint import export_weights, load_checkpoint, save_checkpoint
from msvsr.training.config import TrainingConfig
from msvsr.training.initialization import initialize
from msvsr.training.objective import motion_loss, reconstruction_losses
from msvsr.training.schedule import ema_decay, flow_learning_rate, learning_rate
from msvsr.training.validation import load_held_out, validate

__all__ = ["Trainer"]

_LOG_EVERY_STEPS = 20


class Trainer:
    """Trains one network.

    Args:
        config: The run.
        data_dir: Folder that holds the clips.
        cache_dir: Folder of the decoded clips.
        work_dir: Folder of checkpoint, log and weights; made when missing. A checkpoint found
            there is continued.
        num_workers: Processes that prepare samples; 0 prepares them in this process.
    """

    def __init__(
        self,
        config: TrainingConfig,
        data_dir: Path,
        cache_dir: Path,
        work_dir: Path,
        num_workers: int = 1,
    ) -> None:
        self.config = config
        self.work_dir = work_dir
        self.num_workers = num_workers
        work_dir.mkdir(parents=True, exist_ok=True)
        self.dataset = ClipDataset(config.data, data_dir, cache_dir, config.seed)
        self.held_out = load_held_out(config.validation, data_dir, cache_dir)
        self.network = build_network(config.network)
        initialize(self.network, config.seed)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.ema = copy.deepcopy(self.network).requires_grad_(False)
        self.optimizer = _make_optimizer(self.network, config)
        self.step = 0
        if self.checkpoint_path.exists():
            self._restore(load_checkpoint(self.checkpoint_path))

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
        last = self.config.num_steps
        if max_steps is not None:
            last = min(last, self.step + max_steps)
        data_seconds = 0.0
        batches = self._batches()
        while self.step < last:
            before = time.monotonic()
            batch = next(batches)
            data_seconds += time.monotonic() - before
            losses = self.train_step(batch)
            now = time.monotonic()
            if self.step % _LOG_EVERY_STEPS == 0:
                self._log({"minutes": (now - started) / 60, "data_seconds": data_seconds, **losses})
            if now - saved > self.config.checkpoint_minutes * 60:
                self.save()
                saved = now
            if now - validated > self.config.validation.every_minutes * 60:
                self.validate()
                validated = now
            if max_minutes is not None and now - started > max_minutes * 60:
                break
        self.save()
        self.validate()
        self.export(self.work_dir / "model.safetensors")

    def train_step(self, batch: ClipPair) -> dict[str, float]:
        """Learn from one batch.

        Args:
            batch: RGB uint8, ``(n, t, 3, h, w)`` and ``(n, t, 3, 4h, 4w)``.

        Returns:
            The losses, the norm of the gradient and the learning rate.
        """
        rates = {
            "flow": flow_learning_rate(self.step, self.config),
            "rest": learning_rate(self.step, self.config),
        }
        for group in self.optimizer.param_groups:
            group["lr"] = rates[group["name"]]
        losses = self._losses(batch.lq.float() / 255, batch.gt.float() / 255)
        norm = self._descend(losses["total"])
        self._update_ema()
        self.step += 1
        values = {name: float(loss.detach()) for name, loss in losses.items()}
        return {**values, "gradient_norm": norm, "learning_rate": rates["rest"]}

    def _descend(self, loss: torch.Tensor) -> float:
        """Take one step of the optimiser, none if anything is not finite; returns the norm."""
        # NaN must not reach the backward pass: torch's grid_sample crashes on it (2.13, CPU).
        if not torch.isfinite(loss):
            return float("nan")
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(
            self.network.parameters(), self.config.optimizer.max_gradient_norm
        )
        if torch.isfinite(norm):
            self.optimizer.step()
        return float(norm)

    def _losses(self, lq: torch.Tensor, gt: torch.Tensor) -> dict[str, torch.Tensor]:
        with torch.autocast("cpu", torch.bfloat16, enabled=self.config.bfloat16):
            if self.step >= self.config.flow_warmup_steps:
                return reconstruction_losses(self.network, lq, gt, self.config.loss)
            generator = torch.Generator().manual_seed(self.config.seed * 1_000_003 + self.step)
            loss = motion_loss(self.network, gt, self.config.flow_warmup_motion, generator)
            return {"motion": loss, "total": loss}

    @torch.no_grad()
    def _update_ema(self) -> None:
        weight = 1 - ema_decay(self.step, self.config)
        for mean, value in zip(self.ema.parameters(), self.network.parameters(), strict=True):
            mean.lerp_(value, weight)

    def _batches(self) -> Iterator[ClipPair]:
        """Batches from the current step on; each depends on its step alone."""
        size = self.config.batch_size
        indices = range(self.step * size, self.config.num_steps * size)
        loader = DataLoader(
            self.dataset,
            batch_size=size,
            sampler=indices,
            num_workers=self.num_workers,
            worker_init_fn=limit_worker_threads,
            prefetch_factor=4 if self.num_workers else None,
            # A forked worker would hang in OpenCV's thread pool.
            multiprocessing_context="spawn" if self.num_workers else None,
        )
        return iter(loader)

    def validate(self) -> None:
        """Measure the mean weights on the held-out clips and log the result."""
        if not self.held_out:
            return
        scores = validate(self.ema, self.held_out, bfloat16=self.config.bfloat16)
        gain = sum(ours - plain for plain, ours in scores.values()) / len(scores)
        self._log({"validation": scores, "gain_db": gain})

    def save(self) -> None:
        """Write the state of the run."""
        save_checkpoint(
            self.checkpoint_path,
            {
                "step": self.step,
                "network": self.network.state_dict(),
                "ema": self.ema.state_dict(),
                "optimizer": self.optimizer.state_dict(),
            },
        )

    def _restore(self, state: dict[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        self.ema.load_state_dict(state["ema"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step = int(state["step"])

    def export(self, path: Path) -> None:
        """Write the mean weights as safetensors."""
        metadata = {"step": str(self.step), "seed": str(self.config.seed)}
        export_weights(path, self.ema.state_dict(), metadata)

    def _log(self, values: dict[str, Any]) -> None:
        line = json.dumps({"step": self.step, **values}, default=float)
        with (self.work_dir / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(line + "\n")


def _make_optimizer(network: RealBasicVSRNet, config: TrainingConfig) -> torch.optim.Adam:
    flow = list(network.basicvsr.spynet.parameters())
    flow_ids = {id(parameter) for parameter in flow}
    rest = [each for each in network.parameters() if id(each) not in flow_ids]
    groups = [{"params": flow, "name": "flow"}, {"params": rest, "name": "rest"}]
    return torch.optim.Adam(groups, betas=config.optimizer.betas)
