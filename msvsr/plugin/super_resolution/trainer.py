"""Video super-resolution as a trainer of ModelScope."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from modelscope.trainers.builder import TRAINERS

from msvsr.evaluation import (
    EvaluationProgress,
    EvaluationReport,
    ModelDescription,
    ModelMethod,
    evaluate_super_resolution,
)
from msvsr.plugin.evaluation_settings import EvaluationSettings
from msvsr.plugin.names import (
    DEFAULT_GROUP,
    SUPER_RESOLUTION_METRIC,
    SUPER_RESOLUTION_TASK,
    SUPER_RESOLUTION_TRAINER,
)
from msvsr.plugin.registering import register
from msvsr.plugin.super_resolution.dataset import VideoSuperResolutionDataset
from msvsr.plugin.super_resolution.model import RealBasicVSRForVideoSuperResolution
from msvsr.plugin.video_model import VideoModel
from msvsr.plugin.video_trainer import VideoTrainer
from msvsr.training.config import TrainingConfig
from msvsr.training.start import AnyTrainer, AnyTrainingConfig

__all__ = ["VideoSuperResolutionTrainer"]


@register(TRAINERS, DEFAULT_GROUP, SUPER_RESOLUTION_TRAINER)
class VideoSuperResolutionTrainer(VideoTrainer):
    """Trains in both stages, and evaluates NIQE under all protocols; see `VideoTrainer`."""

    task = SUPER_RESOLUTION_TASK
    model_class = RealBasicVSRForVideoSuperResolution
    dataset_class = VideoSuperResolutionDataset
    metric = SUPER_RESOLUTION_METRIC
    has_engine = True

    def _evaluate(
        self,
        settings: EvaluationSettings,
        model: VideoModel,
        description: ModelDescription,
        on_progress: Callable[[EvaluationProgress], None],
    ) -> EvaluationReport:
        method = ModelMethod(
            lambda dtype: model.prepare(device=self.device, dtype=dtype),
            description,
            device=self.device,
            dtype=settings.model.dtype,
            engine=settings.engine,
        )
        return evaluate_super_resolution(
            self.eval_dataset.clips,
            method,
            work_dir=Path(self.work_dir),
            options=settings.options,
            data_name=settings.model.data_name or self.data_name or "clips",
            on_progress=on_progress,
        )

    def _with_network(self, config: AnyTrainingConfig) -> AnyTrainingConfig:
        own = self.unwrap_module(self.model).model_config.generator
        if not isinstance(config, TrainingConfig):
            return config
        network = replace(
            own,
            spynet_pretrained=config.network.spynet_pretrained,
            is_fix_cleaning=own.is_fix_cleaning or config.network.is_fix_cleaning,
        )
        return replace(config, network=network)

    def _take_mean(self, loop: AnyTrainer) -> None:
        self.unwrap_module(self.model).model = loop.ema  # type: ignore[union-attr]
