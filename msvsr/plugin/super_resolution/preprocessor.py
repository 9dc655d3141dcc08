"""The jobs of video super-resolution."""

from typing import ClassVar

from modelscope.preprocessors.builder import PREPROCESSORS

from msvsr.engine.options import EngineOptions
from msvsr.plugin.names import SUPER_RESOLUTION_PREPROCESSOR, VISION_FIELD
from msvsr.plugin.registering import register
from msvsr.plugin.video_preprocessor import SHARED_PARTS, VideoPreprocessor

__all__ = ["VideoSuperResolutionPreprocessor"]


@register(PREPROCESSORS, VISION_FIELD, SUPER_RESOLUTION_PREPROCESSOR)
class VideoSuperResolutionPreprocessor(VideoPreprocessor):
    """Check one input and its options, those of `msvsr.engine.options.EngineOptions` among them."""

    parts: ClassVar[dict[str, type]] = {"engine": EngineOptions, **SHARED_PARTS}
