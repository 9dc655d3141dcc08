"""ModelScope's hooks around a training loop that is not ModelScope's."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from modelscope.trainers.hooks.checkpoint.checkpoint_hook import CheckpointHook
from modelscope.trainers.hooks.checkpoint.checkpoint_processor import CheckpointProcessor
from modelscope.trainers.hooks.hook import Hook
from modelscope.utils.constant import LogKeys, ModeKeys, TrainerStages

from msvsr.training.events import SilentEvents

__all__ = ["UNUSED_HOOKS", "HookEvents", "ModelFolderProcessor", "is_unused"]

UNUSED_HOOKS = (
    "OptimizerHook",
    "TorchAMPOptimizerHook",
    "ApexAMPOptimizerHook",
    "LrSchedulerHook",
    "PlateauLrSchedulerHook",
    "DDPHook",
    "DeepspeedHook",
    "MegatronHook",
    "SparsityHook",
)
"""Hooks that step, schedule, share out or change the optimiser or the network themselves."""

_STATE_FILE = "hooks.pt"
_MOST_LOGGED = 20_000
"""Values of a loss that are kept for means; an epoch may be a whole run."""


def is_unused(hook: object) -> bool:
    """Whether a hook, or what it is derived from, does what the training loop does itself."""
    return any(each.__name__ in UNUSED_HOOKS for each in type(hook).__mro__)


class HookEvents(SilentEvents):
    """Invokes a trainer's hooks at the moments of a run.

    An epoch is a part of the steps. While hooks run, ``trainer.iter`` is the number of the step
    from 0, as in ModelScope's own loop.

    Args:
        trainer: The trainer.
        num_steps: Steps of the run.
        num_epochs: Epochs that they are shared among.
        steps_per_epoch: Steps of an epoch, in place of their number.
    """

    def __init__(
        self,
        trainer: Any,  # noqa: ANN401  (one of ModelScope's)
        num_steps: int,
        num_epochs: int,
        steps_per_epoch: int | None,
    ) -> None:
        self._trainer, self._num_steps = trainer, num_steps
        self.steps_per_epoch = steps_per_epoch or math.ceil(num_steps / num_epochs)
        self.num_epochs = math.ceil(num_steps / self.steps_per_epoch)

    def begin(self, step: int) -> None:
        """The run begins or goes on, with so many steps done."""
        trainer = self._trainer
        self._move_to(step)
        self._load_states()
        trainer.invoke_hook(TrainerStages.before_run)
        if step < self._num_steps:
            trainer.invoke_hook(TrainerStages.before_train_epoch)

    def end(self) -> None:
        """The run ends, for whatever reason."""
        self._trainer.invoke_hook(TrainerStages.after_run)

    def before_step(self, step: int) -> None:
        """See `TrainingEvents`."""
        self._move_to(step)
        self._trainer.invoke_hook(TrainerStages.before_train_iter)

    def after_step(self, step: int, values: Mapping[str, float]) -> None:
        """See `TrainingEvents`."""
        trainer = self._trainer
        self._log(values)
        trainer.invoke_hook(TrainerStages.after_train_iter)
        if step % self.steps_per_epoch == 0 or step == self._num_steps:
            trainer.invoke_hook(TrainerStages.after_train_epoch)
            self._move_to(step)
            if step < self._num_steps and not trainer.is_stopping:
                trainer.invoke_hook(TrainerStages.before_train_epoch)
        if trainer.is_stopping:
            trainer.stop()

    def after_validation(self, scores: Mapping[str, float]) -> None:
        """Log the scores with the next line."""
        named = {f"validation/{name}": value for name, value in scores.items()}
        self._trainer.log_buffer.output.update(named)

    def after_save(self, path: Path) -> None:
        """Keep what hooks remember beside the state of the run."""
        if path.name != "checkpoint.pt":
            return
        target = path.with_name(_STATE_FILE)
        temporary = target.with_suffix(".tmp")
        torch.save([hook.state_dict() for hook in self._hooks()], temporary)
        temporary.replace(target)

    def _load_states(self) -> None:
        path = Path(self._trainer.work_dir) / _STATE_FILE
        hooks = self._hooks()
        if self._trainer.iter == 0 or not path.is_file():
            return
        try:
            states = torch.load(path, weights_only=True)
        except Exception as error:  # a damaged file may raise any
            self._trainer.logger.warning(f"{path} cannot be read, hooks begin anew: {error}")
            return
        if len(states) != len(hooks):
            self._trainer.logger.warning(f"{path} is of other hooks: they begin anew")
            return
        for hook, state in zip(hooks, states, strict=True):
            if state:
                hook.load_state_dict(state)

    def _hooks(self) -> list[Hook]:
        return [hook for hook in self._trainer.hooks if hasattr(hook, "state_dict")]

    def _move_to(self, step: int) -> None:
        trainer = self._trainer
        trainer._mode = ModeKeys.TRAIN
        trainer._epoch, trainer._inner_iter = divmod(step, self.steps_per_epoch)
        trainer._iter = step

    def _log(self, values: Mapping[str, float]) -> None:
        buffer = self._trainer.log_buffer
        losses = {"loss" if name == "total" else name: value for name, value in values.items()}
        buffer.output[LogKeys.LR] = losses.pop("learning_rate")
        self._trainer.train_outputs = losses
        buffer.update(losses)
        for history in (*buffer.val_history.values(), *buffer.n_history.values()):
            if len(history) > _MOST_LOGGED:
                del history[: _MOST_LOGGED // 2]


class ModelFolderProcessor(CheckpointProcessor):  # type: ignore[misc]
    """Makes what a checkpoint hook leaves for inference a model folder of ours."""

    @classmethod
    def serve(cls, hooks: list[Hook]) -> None:
        """Take the place of ModelScope's own processor in the hooks that save checkpoints."""
        for hook in hooks:
            if isinstance(hook, CheckpointHook):
                hook.set_processor(cls())

    def prepare_output(self, trainer: Any, output_dir: str) -> None:  # noqa: ANN401
        """Make the folder; its files come with the weights."""
        del trainer
        Path(output_dir).mkdir(parents=True, exist_ok=True)

    def save_checkpoints(
        self,
        trainer: Any,  # noqa: ANN401
        checkpoint_path_prefix: str,
        output_dir: str,
        meta: dict[str, Any] | None = None,
        save_optimizers: bool = True,
    ) -> None:
        """Save as ModelScope does, and write the model folder."""
        model = trainer.unwrap_module(trainer.model)
        model_file, state_file = self._get_state_file_name(checkpoint_path_prefix)
        self.save_trainer_state(trainer, model, state_file, meta, save_optimizers)
        self.save_model_state(model, model_file)
        trainer.write_model_folder(Path(output_dir))
