"""Video frame interpolation as a trainer of ModelScope."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from modelscope.trainers.builder import TRAINERS

from msvsr.data.cache import default_cache_dir
from msvsr.errors import ConfigError
from msvsr.evaluation import (
    EvaluationProgress,
    EvaluationReport,
    InterpolatorMethod,
    ModelDescription,
    evaluate_interpolation,
)
from msvsr.models.raft_interpolation import INTERPOLATOR_FILES
from msvsr.plugin.evaluation_settings import EvaluationSettings
from msvsr.plugin.frame_interpolation.dataset import VideoFrameInterpolationDataset
from msvsr.plugin.frame_interpolation.model import RaftForVideoFrameInterpolation
from msvsr.plugin.names import (
    DEFAULT_GROUP,
    FRAME_INTERPOLATION_METRIC,
    FRAME_INTERPOLATION_TASK,
    FRAME_INTERPOLATION_TRAINER,
)
from msvsr.plugin.registering import register
from msvsr.plugin.training_data import TrainingData
from msvsr.plugin.training_hooks import HookEvents
from msvsr.plugin.video_model import VideoModel
from msvsr.plugin.video_trainer import VideoTrainer
from msvsr.training.interpolation.config import InterpolationTrainingConfig
from msvsr.training.interpolation.trainer import InterpolationTrainer
from msvsr.training.model_folder import ModelFolder, interpolation_configuration
from msvsr.training.processes import Processes
from msvsr.training.start import AnyTrainer, AnyTrainingConfig, Places

__all__ = ["VideoFrameInterpolationTrainer"]

_PROTOCOLS = ("modelscope-card", "standard")
"""Plain names are the card's here: who runs its code compares with its numbers."""


@register(TRAINERS, DEFAULT_GROUP, FRAME_INTERPOLATION_TRAINER)
class VideoFrameInterpolationTrainer(VideoTrainer):
    """Trains in both stages, and evaluates PSNR, SSIM and LPIPS as the card does and as usual.

    ``psnr``, ``ssim`` and ``lpips`` are the card's, ``psnr[standard]`` and so on the usual ones;
    see `VideoTrainer`.
    """

    task = FRAME_INTERPOLATION_TASK
    model_class = RaftForVideoFrameInterpolation
    dataset_class = VideoFrameInterpolationDataset
    metric = FRAME_INTERPOLATION_METRIC
    has_engine = False

    def _evaluate(
        self,
        settings: EvaluationSettings,
        model: VideoModel,
        description: ModelDescription,
        on_progress: Callable[[EvaluationProgress], None],
    ) -> EvaluationReport:
        method = InterpolatorMethod(
            lambda dtype: model.prepare(device=self.device, dtype=dtype),
            description,
            device=self.device,
            dtype=settings.model.dtype,
        )
        options = settings.options
        return evaluate_interpolation(
            self.eval_dataset.samples,
            method,
            work_dir=Path(self.work_dir),
            options=replace(options, protocols=options.protocols or _PROTOCOLS),
            data_name=settings.model.data_name or self.data_name or "samples",
            on_progress=on_progress,
        )

    def _make_loop(
        self, data: TrainingData, places: Places, *, processes: Processes, events: HookEvents
    ) -> AnyTrainer:
        if not isinstance(data.config, InterpolationTrainingConfig):
            raise ConfigError(f"expected a recipe for {self.task}, got {data.config.task}")
        return _Loop(
            data.config,
            places.data_dir,
            places.cache_dir or default_cache_dir(),
            places.work_dir,
            self._num_workers,
            teacher=places.teacher,
            initial=places.initial,
            vgg=places.vgg,
            dataset=data.dataset,
            processes=processes,
            events=events,
        )

    def _with_network(self, config: AnyTrainingConfig) -> AnyTrainingConfig:
        if not isinstance(config, InterpolationTrainingConfig):
            return config
        return replace(config, network=self.unwrap_module(self.model).model_config)

    def _take_mean(self, loop: AnyTrainer) -> None:
        networks = self._networks()
        networks.flow, networks.interpolator = loop.mean_flow, loop.mean_interpolator  # type: ignore[union-attr]


class _Loop(InterpolationTrainer):
    """Leaves the model folder to the trainer, which writes it when its hooks are done."""

    def export(self, folder: Path | None = None) -> None:
        """Write a model folder, if somebody says where; it is whole in the first stage too."""
        if folder is None:
            return
        super().export(folder)
        if self.config.stage == "flow":
            self.export_to(folder / INTERPOLATOR_FILES[0], self.mean_interpolator.state_dict())
            configuration = interpolation_configuration(self.config.network)
            ModelFolder(folder, configuration, self.config).write(self.facts())
