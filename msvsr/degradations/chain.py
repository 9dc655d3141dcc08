"""The chain of degradations that makes a low-quality clip from a good one."""

from dataclasses import dataclass, field

import numpy as np

from msvsr.degradations.blur import Blur, BlurConfig
from msvsr.degradations.checks import (
    check_choices,
    check_positive,
    check_probability,
    check_sides,
)
from msvsr.degradations.compression import (
    Jpeg,
    JpegConfig,
    VideoCodec,
    VideoCodecConfig,
    quantize,
)
from msvsr.degradations.noise import Noise, NoiseConfig
from msvsr.degradations.resize import INTERPOLATIONS, Resize, ResizeConfig, resize_frames
from msvsr.degradations.types import ByteClip, Frames

__all__ = ["DegradationConfig", "Degrader"]


@dataclass(frozen=True, kw_only=True)
class DegradationConfig:
    """Everything that is drawn for one clip, in the order in which it is applied.

    Attributes:
        scale: Side of the ground truth over side of the low-quality clip.
        blur: First blur, at the size of the ground truth.
        early_resize: A change of size on the way.
        early_noise: Noise at that size.
        early_jpeg: JPEG at that size.
        final_modes: Interpolations of the resize to the final size.
        noise: Noise at the final size.
        codec_probability: How often the last compression is a video codec; else it is JPEG.
        jpeg: The last JPEG.
        video_codec: The last video codec.
    """

    scale: int = 4
    blur: BlurConfig = field(default_factory=BlurConfig)
    early_resize: ResizeConfig = field(default_factory=ResizeConfig)
    early_noise: NoiseConfig = field(default_factory=lambda: NoiseConfig(probability=0.25))
    early_jpeg: JpegConfig = field(default_factory=lambda: JpegConfig(probability=0.2))
    final_modes: tuple[str, ...] = ("area", "bilinear", "bicubic")
    noise: NoiseConfig = field(default_factory=NoiseConfig)
    codec_probability: float = 0.5
    jpeg: JpegConfig = field(default_factory=lambda: JpegConfig(probability=0.85))
    video_codec: VideoCodecConfig = field(default_factory=lambda: VideoCodecConfig(probability=0.9))

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: A value is out of range.
        """
        check_positive("scale", self.scale)
        check_choices("final_modes", self.final_modes, list(INTERPOLATIONS))
        check_probability("codec_probability", self.codec_probability)


class Degrader:
    """Degrades a clip: blur, resize, noise and JPEG, then the final size, noise, compression.

    Args:
        config: What is drawn.

    Example:
        >>> clip = np.zeros((2, 32, 48, 3), dtype=np.uint8)
        >>> Degrader(DegradationConfig())(clip, np.random.default_rng(0)).shape
        (2, 8, 12, 3)
    """

    def __init__(self, config: DegradationConfig) -> None:
        self.config = config
        self._early = (
            Blur(config.blur),
            Resize(config.early_resize),
            Noise(config.early_noise),
            Jpeg(config.early_jpeg),
        )
        self._noise = Noise(config.noise)
        self._jpeg = Jpeg(config.jpeg)
        self._video_codec = VideoCodec(config.video_codec)

    def __call__(self, clip: ByteClip, rng: np.random.Generator) -> ByteClip:
        """Degrade one clip.

        Args:
            clip: Ground truth, ``(t, h, w, 3)``, RGB uint8; sides divisible by the scale.
            rng: Source of randomness; the same state gives the same result.

        Returns:
            The low-quality clip, ``(t, h / scale, w / scale, 3)``, RGB uint8.

        Raises:
            ShapeError: A side cannot be divided by the scale.
        """
        scale = self.config.scale
        height, width = clip.shape[1:3]
        check_sides((height, width), scale)
        lq: Frames = list(clip.astype(np.float32) / np.float32(255))
        for operator in self._early:
            lq = operator(lq, rng)
        mode = str(rng.choice(self.config.final_modes))
        lq = resize_frames(lq, (height // scale, width // scale), mode)
        lq = self._noise(lq, rng)
        is_video = rng.random() < self.config.codec_probability
        return quantize(np.stack((self._video_codec if is_video else self._jpeg)(lq, rng)))
