"""What real video went through: blur, resize, noise, JPEG and video compression, seeded."""

from msvsr.degradations.blur import Blur, BlurConfig
from msvsr.degradations.chain import DegradationConfig, Degrader
from msvsr.degradations.compression import (
    Jpeg,
    JpegConfig,
    VideoBitRate,
    VideoBitRateConfig,
    VideoCodec,
    VideoCodecConfig,
)
from msvsr.degradations.mixed_blur import MixedBlur, MixedBlurConfig
from msvsr.degradations.noise import Noise, NoiseConfig
from msvsr.degradations.rescale import Rescale, RescaleConfig
from msvsr.degradations.resize import Resize, ResizeConfig
from msvsr.degradations.second_order import SecondOrderDegrader, SecondOrderSample
from msvsr.degradations.second_order_config import SecondOrderConfig

__all__ = [
    "Blur",
    "BlurConfig",
    "DegradationConfig",
    "Degrader",
    "Jpeg",
    "JpegConfig",
    "MixedBlur",
    "MixedBlurConfig",
    "Noise",
    "NoiseConfig",
    "Rescale",
    "RescaleConfig",
    "Resize",
    "ResizeConfig",
    "SecondOrderConfig",
    "SecondOrderDegrader",
    "SecondOrderSample",
    "VideoBitRate",
    "VideoBitRateConfig",
    "VideoCodec",
    "VideoCodecConfig",
]
