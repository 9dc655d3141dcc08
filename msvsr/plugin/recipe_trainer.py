"""Training as a trainer of ModelScope: our loop, their configuration and hooks."""

import dataclasses
import json
import os
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

from modelscope.trainers.hooks.hook import Hook
from modelscope.trainers.trainer import EpochBasedTrainer
from modelscope.utils.constant import ModeKeys, ModelFile
from torch import nn

from msvsr.errors import ConfigError
from msvsr.models.config import CONFIGURATION_FILE
from msvsr.models.config_json import read_json
from msvsr.plugin.training_data import TrainingData, hold_nothing_out, use_data
from msvsr.plugin.training_hooks import HookEvents, ModelFolderProcessor, is_unused
from msvsr.plugin.training_recipes import default_recipe, find_recipe
from msvsr.plugin.training_settings import (
    left_out,
    merge_recipe,
    read_run_settings,
    refuse_other_task,
)
from msvsr.plugin.training_weights import find_spynet, find_teacher, find_vgg, write_networks
from msvsr.training.processes import join_processes
from msvsr.training.start import AnyTrainer, AnyTrainingConfig, Places, make_trainer

__all__ = ["RecipeTrainer"]

_Path = str | os.PathLike[str]


class RecipeTrainer(EpochBasedTrainer):  # type: ignore[misc]
    """ModelScope's trainer with our training loop.

    What a training is comes from a recipe: a configuration as ``msvsr train`` takes it. ``train``
    of the model's configuration wins over it key by key, and ``cfg_modify_fn`` over both:
    ``cfg.train.num_steps``, ``cfg.train.optimizer.learning_rate`` and so on. The sizes of the
    network are always the model's, and its weights are what the training starts from.

    ModelScope's hooks run at their moments: logging, TensorBoard, checkpoints, evaluation, early
    stop, and ``callbacks``. An epoch is a part of the steps: ``train.num_steps`` are shared among
    ``train.max_epochs``, unless ``train.train_iters_per_epoch`` says how long one is. Left out are
    those that do what the loop does itself: `msvsr.plugin.training_hooks.UNUSED_HOOKS`, with
    ``train.lr_scheduler`` and an ``optimizer`` of ModelScope's kind. Samples are prepared in the
    same process, or in ``train.dataloader.workers_per_gpu`` others (a script then needs the usual
    ``if __name__ == "__main__":``).

    Args:
        recipe: A JSON file, a name that ``msvsr train --list`` shows, or the name of a JSON file
            in the folder of the model, such as ``training``. By default the one for fine-tuning.
        teacher: Weights of a flow network that teaches, for interpolation.
        vgg_weights: Weights of VGG19, for a perceptual loss: a file, a folder, or the model id of
            a repository on the Hub that has the file; torch's cache by default.
        spynet_weights: Weights of the flow network of super-resolution, which then stay: a file,
            or a model folder or model id whose flow network it is.
        cache_dir: Folder of decoded clips, where a recipe wants them decoded.
        options: As for ModelScope's `EpochBasedTrainer`. ``train_dataset`` may be a folder of
            clips at any depth, a video, a list of these, or an endless data set of ours.

    Attributes:
        task: ModelScope's name of the task.
    """

    task: ClassVar[str]
    _max_epochs: int
    _train_iters_per_epoch: int | None

    def __init__(
        self,
        *,
        recipe: _Path | None = None,
        teacher: _Path | None = None,
        vgg_weights: _Path | None = None,
        spynet_weights: _Path | None = None,
        cache_dir: _Path | None = None,
        **options: Any,  # noqa: ANN401  (ModelScope's own)
    ) -> None:
        options.pop("launcher", None)  # processes that torchrun started are found without it
        self._recipe = recipe
        self._recipe_content: dict[str, Any] = {}
        self._given_weights = {
            "teacher": find_teacher(teacher),
            "vgg": find_vgg(vgg_weights),
            "spynet": find_spynet(spynet_weights),
        }
        self._cache_dir = None if cache_dir is None else Path(cache_dir)
        self._unused: list[str] = []
        self._loop: AnyTrainer | None = None
        super().__init__(**options)
        self._asked_epochs = self._max_epochs
        self._asked_iters = self._train_iters_per_epoch

    def rebuild_config(self, cfg: Any) -> Any:  # noqa: ANN401
        """Fill ``train`` up with the recipe, before ``cfg_modify_fn`` and after it."""
        folder = Path(self.model_dir)
        given = self._recipe
        path = default_recipe(self.task, folder) if given is None else find_recipe(given, folder)
        self._recipe_content = read_json(path)
        refuse_other_task(self._recipe_content, self.task)
        self._unused += left_out(cfg.to_dict().get("train") or {})
        for change in (lambda cfg: cfg, super().rebuild_config):
            cfg = change(cfg)
            cfg.train = merge_recipe(self._recipe_content, cfg.to_dict().get("train") or {})
        return cfg

    def register_hook(self, hook: Hook) -> None:
        """Register a hook, unless the loop does what it does."""
        if is_unused(hook):
            self._unused.append(type(hook).__name__)
        else:
            super().register_hook(hook)

    def build_dataset(
        self,
        datasets: Any,  # noqa: ANN401  (checked when a training begins)
        model_cfg: Any,  # noqa: ANN401
        mode: str,
        preprocessor: Any = None,  # noqa: ANN401
        **options: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        """Keep what to train on as it was given."""
        if mode == ModeKeys.TRAIN:
            return datasets
        return super().build_dataset(datasets, model_cfg, mode, preprocessor, **options)

    @property
    def max_iters(self) -> int:
        """Steps in all."""
        return int(super().max_iters if self._loop is None else self._loop.settings.num_steps)

    @property
    def is_stopping(self) -> bool:
        """Whether somebody, such as a hook, asked the training to end."""
        return bool(self._stop_training)

    def stop(self) -> None:
        """Ask the training to end after this step."""
        self._stop_training = True
        if self._loop is not None:
            self._loop.stop()

    def train(
        self,
        checkpoint_path: _Path | None = None,
        load_all_state: bool = True,
        **options: Any,  # noqa: ANN401  (ModelScope's own)
    ) -> None:
        """Train, or go on with the run that is in ``work_dir``, as if it had never stopped.

        Afterwards `model` holds the running mean of the weights, which is what evaluations during
        the training see too, and ``output`` in ``work_dir`` is a model folder for pipelines. Ctrl-C
        and the signal to end are obeyed after the step, and what was learned is kept.

        Args:
            checkpoint_path: Weights to start from in place of the model's: a file of any layout
                that is known, or a model folder.
            load_all_state: Without effect: a run goes on from the state in its ``work_dir`` alone.
            options: Without effect: weights fit, or are refused.

        Raises:
            ConfigError: The recipe is wrong, or something asked for cannot work here.
            CheckpointError: Weights are missing or belong to another network, or ``work_dir`` to
                another run.
            InputError: There are no clips to train on, or they cannot be used.
            KeyboardInterrupt: Ctrl-C or the signal to end was obeyed.
        """
        del load_all_state, options
        self._refuse_what_is_ours(checkpoint_path)
        data = self._read_data()
        processes = join_processes(str(self.device))
        events = self._make_events(data.config.num_steps)
        if checkpoint_path is not None:
            self._load(Path(checkpoint_path))
        places = Places(
            data_dir=data.data_dir,
            work_dir=Path(self.work_dir),
            cache_dir=self._cache_dir,
            **self._given_weights,
        )
        with TemporaryDirectory() as initial:
            write_networks(self._networks(), Path(initial))
            places = dataclasses.replace(places, initial=Path(initial))
            loop = make_trainer(
                data.config,
                places,
                num_workers=self._num_workers,
                dataset=data.dataset,
                processes=processes,
                events=events,
            )
        self._loop, self.optimizer, self.lr_scheduler = loop, loop.optimizer, None
        self._take_mean(loop)
        self._say_what_begins(loop)
        self._run_loop(loop, events)
        # Wait for what the first one writes. They stay together: they cannot meet a second time.
        processes.any(wish=False)

    def write_model_folder(self, folder: Path) -> None:
        """Write the mean weights, with configuration, card and record of the training.

        Args:
            folder: Where to; made when missing.

        Raises:
            ConfigError: There was no training.
        """
        if self._loop is None:
            raise ConfigError("there are no trained weights yet: call train first")
        self._loop.export(folder)
        path = folder / CONFIGURATION_FILE
        written, ours = read_json(path), self.cfg.to_dict()
        kept = {key: ours[key] for key in ("framework", "task", "pipeline") if key in ours}
        model = {**(ours.get("model") or {}), **written["model"]}
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps({**written, **kept, "model": model}, indent=2) + "\n")
        temporary.replace(path)

    @abstractmethod
    def _take_mean(self, loop: AnyTrainer) -> None:
        """Make the networks with the mean weights those of the model."""

    @abstractmethod
    def _load(self, path: Path) -> None:
        """Load weights into the model."""

    @abstractmethod
    def _with_network(self, config: AnyTrainingConfig) -> AnyTrainingConfig:
        """The run with the sizes of the model's networks."""

    def _networks(self) -> nn.Module:
        return self.unwrap_module(self.model).model  # type: ignore[no-any-return]

    def _refuse_what_is_ours(self, checkpoint_path: _Path | None) -> None:
        if any(self.optimizers) or self.use_fp16:
            raise ConfigError(
                "optimizers and use_fp16 have no place in this trainer: set train.optimizer and "
                "train.precision"
            )
        if checkpoint_path is not None and (Path(self.work_dir) / "checkpoint.pt").is_file():
            raise ConfigError(
                f"'{self.work_dir}' holds a run already: call train() without checkpoint_path to "
                "go on with it, or give another work_dir"
            )

    def _read_data(self) -> TrainingData:
        """The run, and what it learns from."""
        own = self.cfg.to_dict()["train"]
        config = read_run_settings(own, self.task)
        if self.train_dataset is not None and own.get("validation") == self._recipe_content.get(
            "validation"
        ):  # clips of the recipe are not there where others are trained on
            config = hold_nothing_out(config)
        return use_data(self._with_network(config), self.train_dataset)

    def _make_events(self, num_steps: int) -> HookEvents:
        events = HookEvents(self, num_steps, self._asked_epochs, self._asked_iters)
        self._max_epochs = events.num_epochs
        self._train_iters_per_epoch = events.steps_per_epoch
        return events

    @property
    def _num_workers(self) -> int:
        dataloader: Mapping[str, Any] = self.cfg.safe_get("train.dataloader") or {}
        return int(dataloader.get("workers_per_gpu", 0))

    def _say_what_begins(self, loop: AnyTrainer) -> None:
        if not loop.processes.is_first:
            return
        if self._unused:
            self.logger.warning(
                f"left out, for the training loop does it: {', '.join(self._unused)}"
            )
        if loop.step:
            self.logger.info(f"going on at step {loop.step} of {loop.settings.num_steps}")

    def _run_loop(self, loop: AnyTrainer, events: HookEvents) -> None:
        self._stop_training = False
        self.register_processors()
        ModelFolderProcessor.serve(self.hooks)
        self.print_hook_info()
        events.begin(loop.step)
        outcome = loop.run(exports=False)  # the model folder is written when the hooks are done
        events.end()
        if outcome == "interrupted":
            self.logger.warning(
                f"interrupted at step {loop.step} of {loop.settings.num_steps}: train() with this "
                f"work_dir goes on from there ({self.work_dir})"
            )
            raise KeyboardInterrupt
        self.model.requires_grad_(True)
        if loop.processes.is_first:
            folder = Path(self.work_dir) / ModelFile.TRAIN_OUTPUT_DIR
            self.write_model_folder(folder)
            self.logger.info(f"{loop.step} steps, {loop.seconds:.1f} s; model folder: {folder}")
