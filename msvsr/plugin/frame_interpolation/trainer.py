"""Video frame interpolation as a trainer of ModelScope."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from modelscope.trainers.builder import TRAINERS

from msvsr.evaluation import (
    EvaluationProgress,
    EvaluationReport,
    InterpolatorMethod,
    ModelDescription,
    evaluate_interpolation,
)
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
from msvsr.plugin.video_model import VideoModel
from msvsr.plugin.video_trainer import VideoTrainer
from msvsr.training.interpolation.config import InterpolationTrainingConfig
from msvsr.training.start import AnyTrainer, AnyTrainingConfig

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

    def _with_network(self, config: AnyTrainingConfig) -> AnyTrainingConfig:
        if not isinstance(config, InterpolationTrainingConfig):
            return config
        return replace(config, network=self.unwrap_module(self.model).model_config)

    def _take_mean(self, loop: AnyTrainer) -> None:
        networks = self._networks()
        networks.flow, networks.interpolator = loop.mean_flow, loop.mean_interpolator  # type: ignore[union-attr]
