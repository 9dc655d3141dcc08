"""Video super-resolution as a pipeline of ModelScope."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modelscope.pipelines.builder import PIPELINES

from msvsr.app.jobs import VideoReport
from msvsr.app.upscale import upscale_video
from msvsr.models.realbasicvsr import RealBasicVSR
from msvsr.plugin.names import (
    FRAME_INTERPOLATION_PIPELINE,
    SUPER_RESOLUTION_MODEL,
    SUPER_RESOLUTION_PIPELINE,
    SUPER_RESOLUTION_PREPROCESSOR,
    SUPER_RESOLUTION_TASK,
)
from msvsr.plugin.registering import register
from msvsr.plugin.super_resolution.model import RealBasicVSRForVideoSuperResolution
from msvsr.plugin.video_pipeline import VideoPipeline

__all__ = ["VideoSuperResolutionPipeline"]


@register(PIPELINES, SUPER_RESOLUTION_TASK, FRAME_INTERPOLATION_PIPELINE)
@register(PIPELINES, SUPER_RESOLUTION_TASK, SUPER_RESOLUTION_PIPELINE)
class VideoSuperResolutionPipeline(VideoPipeline):
    """Upscale videos by 4, with their sound and timestamps, in bounded memory.

    Options are the fields of `msvsr.engine.options.EngineOptions`, `msvsr.video.SourceOptions`,
    `msvsr.video.OutputOptions` and `msvsr.plugin.jobs.RunOptions`; the rest is as in
    `VideoPipeline`.
    """

    task = SUPER_RESOLUTION_TASK
    model_type = SUPER_RESOLUTION_MODEL
    model_class = RealBasicVSRForVideoSuperResolution
    preprocessor_type = SUPER_RESOLUTION_PREPROCESSOR
    built_in = (
        "modelscope.pipelines.cv.video_super_resolution_pipeline",
        "VideoSuperResolutionPipeline",
    )

    def _mark(self, model: RealBasicVSR) -> str:
        return f"x{model.scale}"

    def _process(self, job: Mapping[str, Any], output: Path, model: RealBasicVSR) -> VideoReport:
        return upscale_video(
            job["video"],
            output,
            model=model,
            engine=job["engine"],
            reading=job["reading"],
            writing=job["writing"],
            on_progress=job["run"].on_progress or (lambda _: None),
        )
