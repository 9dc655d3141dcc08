"""What the trainers of both tasks share: models, data, and evaluation that streams and resumes."""

import hashlib
import os
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from modelscope.utils.constant import DEFAULT_MODEL_REVISION, ModeKeys, ModelFile, TrainerStages
from modelscope.utils.torch_utils import is_master

from msvsr.errors import ConfigError
from msvsr.evaluation import (
    EvaluationProgress,
    EvaluationReport,
    ModelDescription,
    describe_model,
    describe_weights,
)
from msvsr.evaluation.distributed import device_of_process
from msvsr.models.checkpoints import load_weights, read_checkpoint
from msvsr.models.config import read_configuration
from msvsr.plugin.evaluation_settings import EvaluationSettings, read_settings
from msvsr.plugin.hub import resolve_model
from msvsr.plugin.recipe_trainer import RecipeTrainer
from msvsr.plugin.video_metric import TARGET_KEY
from msvsr.plugin.video_model import VideoModel

__all__ = ["VideoTrainer", "describe_video_model"]

_DEFAULTS = {
    "train.max_epochs": 1,
    "evaluation.dataloader.batch_size_per_gpu": 1,
    "evaluation.dataloader.workers_per_gpu": 0,
}
"""What ModelScope's trainer asks for, where the configuration does not say it."""

_SECONDS_BETWEEN_LINES = 5.0


class VideoTrainer(RecipeTrainer):
    """ModelScope's trainer, with our training and an evaluation that holds one clip at a time.

    Args:
        model: A model folder, the name of a shipped model, a model id of the Hub, or a model.
        cfg_file: The configuration; by default that of the model's folder.
        options: As for `RecipeTrainer` and ModelScope's `EpochBasedTrainer`. ``eval_dataset`` may
            be the data set of the task, its rows, or a folder. ``device`` falls back to the CPU.

    Attributes:
        task: ModelScope's name of the task.
        model_class: Class of the models.
        dataset_class: Class of the data to evaluate on.
        metric: Name of the metric for ModelScope's own loop.
        report: What the last evaluation found (`msvsr.evaluation.EvaluationReport`).
        data_name: Name of the folder of the data to evaluate on, if they are one.

    Raises:
        ConfigError: The model or its configuration is wrong.
        CheckpointError: The weights are missing or belong to another network.
        InputError: The data to evaluate on cannot be read.
    """

    task: ClassVar[str]
    model_class: ClassVar[type[VideoModel]]
    dataset_class: ClassVar[type]
    metric: ClassVar[str]
    has_engine: ClassVar[bool]

    def __init__(
        self,
        model: str | os.PathLike[str] | VideoModel | None = None,
        cfg_file: str | None = None,
        **options: Any,  # noqa: ANN401  (ModelScope's own)
    ) -> None:
        options.pop("trust_remote_code", None)  # no code of a model folder is ever run
        self.report: EvaluationReport | None = None
        self.data_name: str | None = None
        self._sha256_of_folder: str | None = None
        name = os.fspath(model) if isinstance(model, str | os.PathLike) else None
        self._given: Any = model if name is None else None
        if cfg_file is None and isinstance(model, VideoModel):
            cfg_file = str(Path(model.model_dir) / ModelFile.CONFIGURATION)
        options["device"] = device_of_process(str(options.get("device") or "gpu"))
        # A model in memory is handed over in `build_model`: here ModelScope would ask the Hub
        # whether its folder is the newest.
        super().__init__(model=name, cfg_file=cfg_file, **options)
        if not isinstance(self.unwrap_module(self.model), self.model_class):
            raise ConfigError(
                f"{type(self).__name__} takes models of the class {self.model_class.__name__}, "
                f"got {type(self.unwrap_module(self.model)).__name__}: name another trainer"
            )

    def get_or_download_model_dir(
        self, model: str, model_revision: str | None = None, third_party: str | None = None
    ) -> str:
        """Find the folder of a model, in the cache first."""
        if model_revision in (None, DEFAULT_MODEL_REVISION):
            return str(resolve_model(model, self.task))
        return str(super().get_or_download_model_dir(model, model_revision, third_party))

    def rebuild_config(self, cfg: Any) -> Any:  # noqa: ANN401
        """Fill in what ModelScope asks for and the configuration does not say."""
        cfg = super().rebuild_config(cfg)
        cfg.merge_from_dict(_DEFAULTS, force=False)
        return cfg

    def build_model(self) -> VideoModel:
        """Load the model, and remember which weights the folder holds."""
        if self._given is not None:
            return self._given  # type: ignore[no-any-return]
        model = super().build_model()
        is_plain = self.cfg.model == read_configuration(Path(self.model_dir)).get("model")
        if isinstance(model, VideoModel) and is_plain:
            self._sha256_of_folder = describe_video_model(model).sha256
        return model  # type: ignore[no-any-return]

    def build_dataset(
        self,
        datasets: Any,  # noqa: ANN401  (checked when it is read)
        model_cfg: Any,  # noqa: ANN401
        mode: str,
        preprocessor: Any = None,  # noqa: ANN401
        **options: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        """Make the data set; that to evaluate on may be a folder or rows."""
        if mode != ModeKeys.EVAL or datasets is None:
            return super().build_dataset(datasets, model_cfg, mode, preprocessor, **options)
        inner = getattr(datasets, "ds_instance", datasets)
        if isinstance(inner, self.dataset_class):
            return inner
        if isinstance(datasets, str | os.PathLike):
            self.data_name = Path(datasets).resolve().name
        return self.dataset_class(datasets)

    def get_metrics(self) -> list[str]:
        """Name the metric for ModelScope's own loop."""
        return [self.metric]

    @property
    def iters_per_epoch(self) -> int:
        """Batches of an epoch; in evaluation, clips or samples."""
        if self.mode == ModeKeys.EVAL and self.eval_dataloader is None and self.eval_dataset:
            return len(self.eval_dataset)
        return int(super().iters_per_epoch)

    def evaluation_step(self, data: dict[str, Any]) -> Any:  # noqa: ANN401
        """Run the model on a batch of ModelScope's own loop, without the truth."""
        return super().evaluation_step({k: v for k, v in data.items() if k != TARGET_KEY})

    def evaluate(
        self,
        checkpoint_path: str | None = None,
        saving_fn: Callable[..., object] | None = None,
        **options: Any,  # noqa: ANN401
    ) -> dict[str, float]:
        """Evaluate the model as it is in memory, clip by clip.

        The scores of finished clips are kept in ``work_dir``, so that an evaluation that was
        stopped goes on where it was. ``report.json``, ``report.md`` and ``scores.html`` are written
        there at the end.

        Args:
            checkpoint_path: Weights to load first: a file of any layout that is known, or a model
                folder.
            saving_fn: Not possible here: ``save_frames=True`` keeps the frames.
            options: What wins over ``evaluation`` in the configuration, see
                `msvsr.plugin.evaluation_settings`. ``strict`` is accepted and has no effect:
                weights fit, or are refused.

        Returns:
            The metrics of the first protocol by ModelScope's names, those of the others with the
            protocol's name behind them: ``niqe[paper]``.

        Raises:
            ConfigError: An option is wrong, or there are no data to evaluate on.
            CheckpointError: The weights are missing or belong to another network.
            MsvsrError: The data cannot be read.
        """
        options.pop("strict", None)
        if saving_fn is not None:
            raise ConfigError("saving_fn is never called here: use save_frames=True for the frames")
        settings = read_settings(
            self.cfg.safe_get("evaluation") or {}, options, has_engine=self.has_engine
        )
        if not isinstance(self.eval_dataset, self.dataset_class):
            raise ConfigError(
                f"evaluate needs an eval_dataset ({self.dataset_class.__name__}, its rows, or a "
                f"folder), got {type(self.eval_dataset).__name__}: give one to build_trainer"
            )
        self.register_processors()
        if checkpoint_path is not None:
            self._load(Path(checkpoint_path))
        return self._run(settings)

    @abstractmethod
    def _evaluate(
        self,
        settings: EvaluationSettings,
        model: VideoModel,
        description: ModelDescription,
        on_progress: Callable[[EvaluationProgress], None],
    ) -> EvaluationReport:
        """Run the evaluation of the task."""

    def _run(self, settings: EvaluationSettings) -> dict[str, float]:
        self._mode = ModeKeys.EVAL
        self.invoke_hook(TrainerStages.before_val)
        model = self.unwrap_module(self.model)
        report = self._evaluate(settings, model, self._describe(model), _Lines(self.logger))
        self.invoke_hook(TrainerStages.after_val)
        self.report = report
        self._metric_values = dict(report.metrics)
        if is_master() and os.environ.get("RANK", "0") == "0":
            self.logger.info(f"evaluation of {report.method}:\n{report.to_text()}")
        return self._metric_values

    def _describe(self, model: VideoModel) -> ModelDescription:
        """By the files, as long as the weights in memory are those of the folder."""
        found = describe_video_model(model)
        if found.sha256 == self._sha256_of_folder:
            return describe_model(Path(self.model_dir))
        return found

    def _load(self, path: Path) -> None:
        model = self.unwrap_module(self.model)
        if path.is_dir():
            weights = type(model)(str(path)).model.state_dict()
        else:
            # ModelScope names checkpoints without their extension too.
            whole = path.with_name(f"{path.name}.pth")
            weights = read_checkpoint(path if path.is_file() or not whole.is_file() else whole)
        load_weights(model.model, weights, str(path))


def describe_video_model(model: VideoModel) -> ModelDescription:
    """Describe a model by what it is in memory: its weights and its configuration."""
    folder = Path(model.model_dir)
    found = describe_weights(folder.resolve().name, model.state_dict(), folder)
    content = f"{found.sha256}{model.model_config!r}"
    return replace(found, sha256=hashlib.sha256(content.encode()).hexdigest())


class _Lines:
    """Says now and then in the log how far an evaluation is."""

    def __init__(self, logger: Any) -> None:  # noqa: ANN401
        self._logger = logger
        self._said_at = 0.0

    def __call__(self, progress: EvaluationProgress) -> None:
        is_due = progress.seconds - self._said_at >= _SECONDS_BETWEEN_LINES
        if not is_due and progress.clips_done < progress.num_clips:
            return
        self._said_at = progress.seconds
        self._logger.info(
            f"evaluated {progress.clips_done} of {progress.num_clips} clips, "
            f"{progress.frames_done} of {progress.num_frames} frames in {progress.seconds:.0f} s, "
            f"last {progress.clip}"
        )
