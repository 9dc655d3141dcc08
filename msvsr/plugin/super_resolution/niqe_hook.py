"""NIQE on real clips while a model trains, as a hook of ModelScope."""

import json
import math
import shutil
from pathlib import Path
from typing import Any

from modelscope.trainers.hooks.builder import HOOKS
from modelscope.trainers.hooks.evaluation_hook import EvaluationHook
from modelscope.trainers.hooks.lr_scheduler_hook import LrSchedulerProcessor
from modelscope.utils.constant import LogKeys
from modelscope.utils.torch_utils import is_master
from safetensors.torch import save_file

from msvsr.data.videolq import VideoLQ
from msvsr.errors import ConfigError
from msvsr.evaluation import EvaluationOptions, ModelMethod, evaluate_super_resolution
from msvsr.models.config import CONFIGURATION_FILE
from msvsr.models.realbasicvsr import WEIGHTS_FILES
from msvsr.plugin.names import DEFAULT_GROUP, NIQE_HOOK
from msvsr.plugin.registering import register
from msvsr.plugin.super_resolution.model import RealBasicVSRForVideoSuperResolution
from msvsr.plugin.video_trainer import describe_video_model

__all__ = ["BEST_FOLDER", "NiqeEvaluationHook"]

BEST_FOLDER = "best_niqe"
_VALUE_FILE = "niqe.json"
_KEY = "niqe"


@register(HOOKS, DEFAULT_GROUP, NIQE_HOOK)
class NiqeEvaluationHook(EvaluationHook):  # type: ignore[misc]
    """Measures the mean NIQE of a model's output on real clips, every frame of every clip.

    It is logged as ``evaluation/niqe``. Weights, mode and random state of the training stay as they
    are. Where several processes train, each takes its share of the clips.

    Args:
        data: A folder of clip folders, as VideoLQ is, or rows (`msvsr.data.videolq.VideoLQ`).
        interval: Iterations between two measurements; epochs with ``by_epoch``.
        by_epoch: Count epochs.
        start_idx: The first iteration, or epoch, that is measured after.
        save_best: Keep the model that has the lowest NIQE so far as a model folder,
            ``best_niqe`` in the work folder of the trainer, with the value in ``niqe.json``.
        dtype: Type that convolutions compute in, see `msvsr.models.devices.choose_dtype`.

    Attributes:
        best: The lowest NIQE so far.

    Raises:
        ConfigError: ``interval`` is not at least 1.
        InputError: There are no clips.
    """

    def __init__(
        self,
        data: Any,  # noqa: ANN401  (checked when it is read)
        *,
        interval: int = 1000,
        by_epoch: bool = False,
        start_idx: int | None = None,
        save_best: bool = False,
        dtype: str = "float32",
    ) -> None:
        if isinstance(interval, bool) or not isinstance(interval, int) or interval < 1:
            raise ConfigError(f"interval must be a whole number of at least 1, got {interval!r}")
        super().__init__(interval=interval, by_epoch=by_epoch, start_idx=start_idx)
        self.clips = VideoLQ(data)
        self.save_best = save_best
        self.dtype = dtype
        self.best = math.inf

    def do_evaluate(self, trainer: Any) -> None:  # noqa: ANN401
        """Measure, log, and keep the model if it is the best."""
        model = trainer.unwrap_module(trainer.model)
        if not isinstance(model, RealBasicVSRForVideoSuperResolution):
            raise ConfigError(
                f"{type(self).__name__} measures models for video-super-resolution, "
                f"got {type(model).__name__}: take it out of the configuration"
            )
        value = self._measure(model, trainer.device)
        if value is None:
            trainer.logger.warning("no frame of the clips has a NIQE: they are flat")
            return
        trainer.log_buffer.output[f"evaluation/{_KEY}"] = value
        trainer.log_buffer.output.setdefault(LogKeys.LR, _learning_rate(trainer))
        trainer.log_buffer.ready = True
        if value < self.best:
            self.best = value
            if self.save_best and is_master():
                self._save(model, trainer)

    def state_dict(self) -> dict[str, float]:
        """What a checkpoint keeps."""
        return {"best": self.best}

    def load_state_dict(self, state_dict: dict[str, float]) -> None:
        """Go on from a checkpoint."""
        self.best = state_dict.get("best", self.best)

    def _measure(self, model: RealBasicVSRForVideoSuperResolution, device: Any) -> float | None:  # noqa: ANN401
        method = ModelMethod(
            lambda dtype: model.prepare(device=device, dtype=dtype),
            describe_video_model(model),
            device=device,
            dtype=self.dtype,
        )
        options = EvaluationOptions(metrics=(_KEY,), protocols=("all-frames",))
        report = evaluate_super_resolution(self.clips, method, options=options)
        return report.metrics.get(_KEY)

    def _save(self, model: RealBasicVSRForVideoSuperResolution, trainer: Any) -> None:  # noqa: ANN401
        """Put a model folder into place, whole or not at all."""
        folder = Path(trainer.work_dir) / BEST_FOLDER
        new, old = (folder.with_name(f".{BEST_FOLDER}-{mark}") for mark in ("new", "old"))
        for path in (new, old):
            shutil.rmtree(path, ignore_errors=True)
        new.mkdir(parents=True)
        configuration = trainer.cfg.to_dict()
        kept = {
            k: configuration[k]
            for k in ("framework", "task", "model", "pipeline")
            if k in configuration
        }
        (new / CONFIGURATION_FILE).write_text(json.dumps(kept, indent=2), encoding="utf-8")
        weights = {k: v.detach().cpu().contiguous() for k, v in model.model.state_dict().items()}
        save_file(weights, new / WEIGHTS_FILES[0])
        reached = {_KEY: self.best, "epoch": trainer.epoch + 1, "iter": trainer.iter + 1}
        (new / _VALUE_FILE).write_text(json.dumps(reached, indent=2), encoding="utf-8")
        if folder.exists():
            folder.replace(old)
        new.replace(folder)
        shutil.rmtree(old, ignore_errors=True)


def _learning_rate(trainer: Any) -> Any:  # noqa: ANN401
    """As ModelScope's own hook logs it; its logger wants one, and clears it with each line."""
    rates = LrSchedulerProcessor().get_current_lr(trainer)
    if isinstance(rates, dict):
        return {name: several[0] for name, several in rates.items()}
    return rates[0]
