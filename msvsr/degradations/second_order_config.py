"""Configuration of the second-order degradations.

The two rounds have their own classes, so that a file that changes one value of the second round
keeps the second round's other values.

Source:
    RealBasicVSR (Chan et al., CVPR 2022, arXiv 2111.12704), section 5 and the configuration of its
    training in MMEditing (Apache-2.0).
"""

import math
from dataclasses import dataclass, field
from typing import Literal

from msvsr.degradations.checks import check_choices, check_positive, check_probability
from msvsr.degradations.compression import JpegConfig, VideoBitRateConfig
from msvsr.degradations.mixed_blur import KernelKind, MixedBlurConfig
from msvsr.degradations.noise import NoiseConfig
from msvsr.degradations.rescale import RescaleConfig
from msvsr.degradations.resize import INTERPOLATIONS

__all__ = [
    "FinalBlurConfig",
    "FinalConfig",
    "FirstNoiseConfig",
    "FirstRoundConfig",
    "SecondBlurConfig",
    "SecondNoiseConfig",
    "SecondOrderConfig",
    "SecondRescaleConfig",
    "SecondRoundConfig",
]


@dataclass(frozen=True, kw_only=True)
class FirstNoiseConfig(NoiseConfig):
    """Noise of the first round: `NoiseConfig` with other defaults."""

    probability: float = 1.0
    gaussian_probability: float = 0.5
    gaussian_sigma_range: tuple[float, float] = (1.0, 30.0)
    poisson_scale_range: tuple[float, float] = (0.05, 3.0)
    photons: Literal["fixed", "counted"] = "counted"


@dataclass(frozen=True, kw_only=True)
class SecondBlurConfig(MixedBlurConfig):
    """Blur of the second round: `MixedBlurConfig` with other defaults."""

    probability: float = 0.8
    sigma_range: tuple[float, float] = (0.2, 1.5)


@dataclass(frozen=True, kw_only=True)
class SecondRescaleConfig(RescaleConfig):
    """Change of size of the second round: `RescaleConfig` with other defaults."""

    direction_probabilities: tuple[float, float, float] = (0.3, 0.4, 0.3)
    scale_range: tuple[float, float] = (0.3, 1.2)
    scale_step: float = 0.03


@dataclass(frozen=True, kw_only=True)
class SecondNoiseConfig(FirstNoiseConfig):
    """Noise of the second round: `NoiseConfig` with other defaults."""

    gaussian_sigma_range: tuple[float, float] = (1.0, 25.0)
    poisson_scale_range: tuple[float, float] = (0.05, 2.5)


@dataclass(frozen=True, kw_only=True)
class FinalBlurConfig(MixedBlurConfig):
    """The sinc filter at the final size: `MixedBlurConfig` with other defaults."""

    probability: float = 0.8
    kinds: tuple[KernelKind, ...] = ("sinc",)
    kind_probabilities: tuple[float, ...] = (1.0,)
    cutoff_range: tuple[float, float] | None = (math.pi / 3, math.pi)


@dataclass(frozen=True, kw_only=True)
class FirstRoundConfig:
    """The first round, in the order in which it is applied.

    Attributes:
        blur: At the size of the ground truth.
        resize: Frames of one clip differ in size afterwards.
        noise: At those sizes.
        jpeg: Of each frame.
        video: Brings the frames to the size of the first, then compresses the clip.
    """

    blur: MixedBlurConfig = field(default_factory=MixedBlurConfig)
    resize: RescaleConfig = field(default_factory=RescaleConfig)
    noise: FirstNoiseConfig = field(default_factory=FirstNoiseConfig)
    jpeg: JpegConfig = field(default_factory=JpegConfig)
    video: VideoBitRateConfig = field(default_factory=VideoBitRateConfig)


@dataclass(frozen=True, kw_only=True)
class SecondRoundConfig:
    """The second round, in the order in which it is applied.

    Attributes:
        blur: At the size that the first round left.
        resize: Relative to that size.
        noise: At the new sizes.
        jpeg: Of each frame.
    """

    blur: SecondBlurConfig = field(default_factory=SecondBlurConfig)
    resize: SecondRescaleConfig = field(default_factory=SecondRescaleConfig)
    noise: SecondNoiseConfig = field(default_factory=SecondNoiseConfig)
    jpeg: JpegConfig = field(default_factory=JpegConfig)


@dataclass(frozen=True, kw_only=True)
class FinalConfig:
    """What follows the two rounds: video compression, and the target size with a sinc filter.

    Attributes:
        video_first_probability: How often the video compression comes first.
        modes: Interpolations of the resize to the target size, drawn uniformly per clip.
        blur: The sinc filter that follows that resize.
        video: The video compression.
    """

    video_first_probability: float = 0.5
    modes: tuple[str, ...] = ("bilinear", "area", "bicubic")
    blur: FinalBlurConfig = field(default_factory=FinalBlurConfig)
    video: VideoBitRateConfig = field(default_factory=VideoBitRateConfig)

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: A value is out of range.
        """
        check_probability("final.video_first_probability", self.video_first_probability)
        check_choices("final.modes", self.modes, list(INTERPOLATIONS))


@dataclass(frozen=True, kw_only=True)
class SecondOrderConfig:
    """Everything that is drawn for one clip. An operator of probability 0 is left out.

    Attributes:
        scale: Side of the ground truth over side of the low-quality clip.
        stochastic: Let parameters walk from frame to frame; else each keeps its first value.
        first: The first round.
        second: The second round.
        final: What follows.
    """

    scale: int = 4
    stochastic: bool = True
    first: FirstRoundConfig = field(default_factory=FirstRoundConfig)
    second: SecondRoundConfig = field(default_factory=SecondRoundConfig)
    final: FinalConfig = field(default_factory=FinalConfig)

    def __post_init__(self) -> None:
        """Check the scale.

        Raises:
            ConfigError: The scale is below 1.
        """
        check_positive("scale", self.scale)
