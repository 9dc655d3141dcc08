"""Everything that a training run depends on, as one value that JSON can hold."""

from dataclasses import dataclass, field

from msvsr.data.cache import ClipSource
from msvsr.data.dataset import ClipDatasetConfig
from msvsr.degradations.chain import DegradationConfig
from msvsr.errors import ConfigError
from msvsr.models.config import GeneratorConfig

__all__ = [
    "LossConfig",
    "OptimizerConfig",
    "TrainingConfig",
    "ValidationConfig",
]


@dataclass(frozen=True, kw_only=True)
class LossConfig:
    """Weights of the parts of the loss.

    Attributes:
        pixel: Charbonnier loss between output and ground truth.
        cleaning: The same between cleaned input and area-downsampled ground truth.
        flow: Photometric loss of the flow on area-downsampled ground truth.
        flow_smoothness: Edge-aware smoothness of the flow, relative to the photometric loss.
    """

    pixel: float = 1.0
    cleaning: float = 0.3
    flow: float = 0.2
    flow_smoothness: float = 0.02


@dataclass(frozen=True, kw_only=True)
class OptimizerConfig:
    """Adam with a cosine schedule.

    Attributes:
        learning_rate: Highest learning rate.
        final_learning_rate: Where the cosine ends.
        flow_rate_factor: Learning rate of the flow network relative to the rest, after its
            warm-up.
        betas: Decay of Adam's two running means.
        ramp_steps: Steps over which the learning rate rises from 0 at the start of a phase.
        max_gradient_norm: Gradients are scaled down to this norm.
        ema_decay: Decay of the running mean of the weights; early on it is smaller.
    """

    learning_rate: float = 1e-3
    final_learning_rate: float = 1e-6
    flow_rate_factor: float = 0.25
    betas: tuple[float, float] = (0.9, 0.99)
    ramp_steps: int = 200
    max_gradient_norm: float = 0.5
    ema_decay: float = 0.999


@dataclass(frozen=True, kw_only=True)
class ValidationConfig:
    """Held-out clips that are upscaled now and then.

    Attributes:
        clips: Clips that the training data must not name.
        num_frames: Consecutive frames of each, from the middle.
        size: Largest side of the central crop, in pixels of the ground truth.
        degradation: What makes their low-quality version, always with the same seed.
        every_minutes: Time between two validations.
    """

    clips: tuple[ClipSource, ...] = ()
    num_frames: int = 7
    size: int = 256
    degradation: DegradationConfig = field(default_factory=DegradationConfig)
    every_minutes: float = 10.0


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """One training run.

    Attributes:
        data: What training samples are made of.
        network: Sizes of the network.
        loss: Weights of the parts of the loss.
        optimizer: Optimiser and schedule.
        validation: Held-out clips.
        batch_size: Samples per step.
        flow_warmup_steps: First steps, in which only the flow network learns, from known motion.
        flow_warmup_motion: Largest translation there, in pixels of the low-quality size.
        num_steps: Steps in all, warm-up included; the cosine ends here.
        bfloat16: Run the networks in bfloat16 where autocast holds that safe.
        seed: Determines the initial weights and every sample.
        checkpoint_minutes: Time between two checkpoints.
    """

    data: ClipDatasetConfig
    network: GeneratorConfig = field(default_factory=GeneratorConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    validation: ValidationConfig = field(default_factory=ValidationConfig)
    batch_size: int = 4
    flow_warmup_steps: int = 1500
    flow_warmup_motion: float = 8.0
    num_steps: int = 8000
    bfloat16: bool = True
    seed: int = 0
    checkpoint_minutes: float = 4.0

    def __post_init__(self) -> None:
        """Check the values against each other.

        Raises:
            ConfigError: A number is out of range, or a clip is both trained on and held out.
        """
        if self.batch_size < 1 or not 0 <= self.flow_warmup_steps <= self.num_steps:
            raise ConfigError("batch_size must be at least 1 and flow_warmup_steps <= num_steps")
        seen = {clip.name for clip in self.data.clips}
        shared = sorted(seen & {clip.name for clip in self.validation.clips})
        if shared:
            raise ConfigError(f"clips to validate on must not be trained on: {shared}")
