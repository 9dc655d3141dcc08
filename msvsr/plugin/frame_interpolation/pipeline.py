"""Video frame interpolation as a pipeline of ModelScope."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modelscope.pipelines.builder import PIPELINES

from msvsr.app.interpolate import interpolate_video
from msvsr.app.jobs import VideoReport
from msvsr.models.raft_interpolation import RaftInterpolation
from msvsr.plugin.frame_interpolation.model import RaftForVideoFrameInterpolation
from msvsr.plugin.names import (
    FRAME_INTERPOLATION_MODEL,
    FRAME_INTERPOLATION_PIPELINE,
    FRAME_INTERPOLATION_PREPROCESSOR,
    FRAME_INTERPOLATION_TASK,
    SUPER_RESOLUTION_PIPELINE,
)
from msvsr.plugin.registering import register
from msvsr.plugin.video_pipeline import VideoPipeline

__all__ = ["VideoFrameInterpolationPipeline"]


@register(PIPELINES, FRAME_INTERPOLATION_TASK, SUPER_RESOLUTION_PIPELINE)
@register(PIPELINES, FRAME_INTERPOLATION_TASK, FRAME_INTERPOLATION_PIPELINE)
class VideoFrameInterpolationPipeline(VideoPipeline):
    """Give videos another frame rate, with their sound in step, in bounded memory.

    Options are the fields of `msvsr.engine.options.InterpolationOptions`,
    `msvsr.video.SourceOptions`, `msvsr.video.OutputOptions` and `msvsr.plugin.jobs.RunOptions`;
    the rest is as in `VideoPipeline`. ``interp_ratio`` wins over ``out_fps``; with neither, the
    rate is doubled.
    """

    task = FRAME_INTERPOLATION_TASK
    model_type = FRAME_INTERPOLATION_MODEL
    model_class = RaftForVideoFrameInterpolation
    preprocessor_type = FRAME_INTERPOLATION_PREPROCESSOR
    built_in = (
        "modelscope.pipelines.cv.video_frame_interpolation_pipeline",
        "VideoFrameInterpolationPipeline",
    )

    def _mark(self, model: RaftInterpolation) -> str:
        del model
        return "interpolated"

    def _process(
        self, job: Mapping[str, Any], output: Path, model: RaftInterpolation
    ) -> VideoReport:
        return interpolate_video(
            job["video"],
            output,
            model=model,
            timing=job["timing"],
            reading=job["reading"],
            writing=job["writing"],
            on_progress=job["run"].on_progress or (lambda _: None),
        )
