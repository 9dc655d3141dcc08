"""The jobs of video frame interpolation."""

from typing import ClassVar

from modelscope.preprocessors.builder import PREPROCESSORS

from msvsr.engine.options import InterpolationOptions
from msvsr.plugin.names import FRAME_INTERPOLATION_PREPROCESSOR, VISION_FIELD
from msvsr.plugin.registering import register
from msvsr.plugin.video_preprocessor import SHARED_PARTS, VideoPreprocessor

__all__ = ["VideoFrameInterpolationPreprocessor"]


@register(PREPROCESSORS, VISION_FIELD, FRAME_INTERPOLATION_PREPROCESSOR)
class VideoFrameInterpolationPreprocessor(VideoPreprocessor):
    """Check one input and its options, those of `msvsr.engine.options.InterpolationOptions` too."""

    parts: ClassVar[dict[str, type]] = {"timing": InterpolationOptions, **SHARED_PARTS}
