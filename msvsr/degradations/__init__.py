"""What real video went through: blur, resize, noise, JPEG and video compression, seeded."""

from msvsr.degradations.blur import Blur, BlurConfig
from msvsr.degradations.chain import DegradationConfig, Degrader
from msvsr.degradations.compression import Jpeg, JpegConfig, VideoCodec, VideoCodecConfig
from msvsr.degradations.noise import Noise, NoiseConfig
from msvsr.degradations.resize import Resize, ResizeConfig

__all__ = [
    "Blur",
    "BlurConfig",
    "DegradationConfig",
    "Degrader",
    "Jpeg",
    "JpegConfig",
    "Noise",
    "NoiseConfig",
    "Resize",
    "ResizeConfig",
    "VideoCodec",
    "VideoCodecConfig",
]
