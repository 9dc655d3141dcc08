"""Everything that a training run depends on, as one value that JSON can hold."""

from dataclasses import dataclass, field, fields
from typing import Literal

from msvsr.data.cache import ClipSource
from msvsr.data.dataset import ClipDatasetConfig
from msvsr.data.footage import FootageSource
from msvsr.data.training_clips import TrainingClipsConfig
from msvsr.degradations.chain import DegradationConfig
from msvsr.degradations.second_order_config import SecondOrderConfig
from msvsr.errors import ConfigError
from msvsr.losses.pixel import PixelLossName
from msvsr.models.config import GeneratorConfig
from msvsr.training.precision import PRECISIONS

__all__ = [
    "DiscriminatorConfig",
    "FootageConfig",
    "LoopSettings",
    "LossConfig",
    "OptimizerConfig",
    "RunConfig",
    "TrainingConfig",
    "ValidationConfig",
]


@dataclass(frozen=True, kw_only=True)
class LossConfig:
    """Weights of the parts of the loss.

    Attributes:
        pixel: Between output and ground truth.
        cleaning: Between cleaned input and area-downsampled ground truth.
        flow: Photometric loss of the flow on area-downsampled ground truth.
        flow_smoothness: Edge-aware smoothness of the flow, relative to the photometric loss.
        temporal: Change of the output's error along the motion, against flicker.
        criterion: What pixel and cleaning loss measure: ``l1`` as in the official configurations,
            or ``charbonnier`` as in the paper.
        charbonnier_epsilon: Square of the difference under which the latter becomes quadratic.
        perceptual: Distance in the features of VGG19; 0 leaves it out.
        adversarial: What the discriminator thinks of the output; 0 leaves it out.
        sharpened_pixel: Pixel and cleaning loss compare with the sharpened ground truth.
        sharpened_perceptual: The perceptual loss does.
        sharpened_adversarial: The discriminator takes it for the truth.
        frames_per_chunk: Frames that pass VGG19 or the discriminator at a time; 0 for all. Memory
            becomes that of one chunk, the result stays.
    """

    pixel: float = 1.0
    cleaning: float = 0.3
    flow: float = 0.2
    flow_smoothness: float = 0.02
    temporal: float = 0.0
    criterion: PixelLossName = "charbonnier"
    charbonnier_epsilon: float = 1e-6
    perceptual: float = 0.0
    adversarial: float = 0.0
    sharpened_pixel: bool = False
    sharpened_perceptual: bool = False
    sharpened_adversarial: bool = False
    frames_per_chunk: int = 0

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: A weight is negative, or a value out of range.
        """
        weights = (
            *(self.pixel, self.cleaning, self.flow),
            *(self.temporal, self.perceptual, self.adversarial),
        )
        if min(*weights, self.frames_per_chunk) < 0 or not self.charbonnier_epsilon > 0:
            raise ConfigError(
                "weights of the loss and frames_per_chunk must be 0 or above and "
                f"charbonnier_epsilon above 0, got {weights}, {self.frames_per_chunk} and "
                f"{self.charbonnier_epsilon}"
            )

    @property
    def uses_sharpened(self) -> bool:
        """Whether any part needs the sharpened ground truth."""
        return self.sharpened_pixel or self.sharpened_perceptual or self.sharpened_adversarial


@dataclass(frozen=True, kw_only=True)
class OptimizerConfig:
    """Adam and its schedule.

    Attributes:
        learning_rate: Highest learning rate.
        final_learning_rate: Where the cosine ends.
        schedule: ``cosine``, or ``constant`` for the highest rate throughout.
        flow_rate_factor: Learning rate of the flow network relative to the rest, after its
            warm-up.
        betas: Decay of Adam's two running means.
        ramp_steps: Steps over which the learning rate rises from 0 at the start of a phase.
        max_gradient_norm: Gradients are scaled down to this norm; 0 leaves them.
        ema_decay: Decay of the running mean of the weights; early on it is smaller.
    """

    learning_rate: float = 1e-3
    final_learning_rate: float = 1e-6
    schedule: Literal["cosine", "constant"] = "cosine"
    flow_rate_factor: float = 0.25
    betas: tuple[float, float] = (0.9, 0.99)
    ramp_steps: int = 200
    max_gradient_norm: float = 0.5
    ema_decay: float = 0.999


@dataclass(frozen=True, kw_only=True)
class DiscriminatorConfig:
    """The network that judges the output where the loss has an adversarial part.

    Attributes:
        num_channels: Its channels at the image size.
        learning_rate: Its learning rate, constant.
    """

    num_channels: int = 64
    learning_rate: float = 1e-4


@dataclass(frozen=True, kw_only=True)
class FootageConfig:
    """Training samples by the paper's scheme, cut out of files where they are.

    Attributes:
        sources: Files and folders to draw from, relative to the data folder.
        samples: How samples are cut.
        degradation: What makes the low-quality clip.
    """

    sources: tuple[FootageSource, ...] = (FootageSource(path="."),)
    samples: TrainingClipsConfig = field(default_factory=TrainingClipsConfig)
    degradation: SecondOrderConfig = field(default_factory=SecondOrderConfig)

    def __post_init__(self) -> None:
        """Check the values against each other.

        Raises:
            ConfigError: There is no source, or the scales differ.
        """
        if not self.sources:
            raise ConfigError("footage.sources is empty; name at least one file or folder")
        if self.samples.scale != self.degradation.scale:
            raise ConfigError(
                "footage.samples.scale and footage.degradation.scale must be the same, got "
                f"{self.samples.scale} and {self.degradation.scale}"
            )


@dataclass(frozen=True, kw_only=True)
class ValidationConfig:
    """Held-out clips that are upscaled now and then.

    Attributes:
        clips: Clips that the training data must not name.
        num_frames: Consecutive frames of each, from the middle.
        size: Largest side of the central crop, in pixels of the ground truth.
        degradation: What makes their low-quality version, always with the same seed.
        second_order: What makes it instead of ``degradation``.
        every_minutes: Time between two validations.
    """

    clips: tuple[ClipSource, ...] = ()
    num_frames: int = 7
    size: int = 256
    degradation: DegradationConfig = field(default_factory=DegradationConfig)
    second_order: SecondOrderConfig | None = None
    every_minutes: float = 10.0


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """What runs of both tasks have in common.

    Attributes:
        optimizer: Optimiser and schedule.
        batch_size: Samples per step, those of all processes together.
        micro_batch_size: Samples of a process that go through the networks at once; their
            gradients add up to those of the whole batch. 0 takes all.
        num_steps: Steps in all, warm-up included; the cosine ends here.
        bfloat16: Run the networks in bfloat16 where autocast holds that safe.
        precision: ``float32``, ``bfloat16`` or ``float16``, in place of ``bfloat16``.
        seed: Determines the initial weights and every sample.
        checkpoint_minutes: Time between two checkpoints.
        checkpoint_steps: Steps between two checkpoints, in place of the time.
        validation_steps: Steps between two validations, in place of the time.
        sample_steps: Steps between two sets of sample pictures; 0 makes none.
    """

    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    batch_size: int = 4
    micro_batch_size: int = 0
    num_steps: int = 8000
    bfloat16: bool = True
    precision: str | None = None
    seed: int = 0
    checkpoint_minutes: float = 4.0
    checkpoint_steps: int = 0
    validation_steps: int = 0
    sample_steps: int = 0

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: A number is out of range, or the precision unknown.
        """
        if self.batch_size < 1 or self.num_steps < 1:
            raise ConfigError("batch_size and num_steps must be at least 1")
        for name in ("micro_batch_size", "checkpoint_steps", "validation_steps", "sample_steps"):
            if getattr(self, name) < 0:
                raise ConfigError(f"{name} must be 0 or above, got {getattr(self, name)}")
        if self.precision_name not in PRECISIONS:
            raise ConfigError(
                f"precision must be one of {', '.join(PRECISIONS)}, got {self.precision!r}"
            )

    @property
    def precision_name(self) -> str:
        """The type that networks compute in."""
        return self.precision or ("bfloat16" if self.bfloat16 else "float32")

    def loop_settings(self, validation_minutes: float) -> "LoopSettings":
        """What the loop needs to know of this run."""
        common = {each.name: getattr(self, each.name) for each in fields(RunConfig)}
        return LoopSettings(**common, validation_minutes=validation_minutes)


@dataclass(frozen=True, kw_only=True)
class LoopSettings(RunConfig):
    """What the loop needs to know of a run.

    Attributes:
        validation_minutes: Time between two validations.
    """

    validation_minutes: float


@dataclass(frozen=True, kw_only=True)
class TrainingConfig(RunConfig):
    """One training run of super-resolution.

    Attributes:
        task: Tells the run from those of interpolation.
        data: What training samples are made of: small clips, decoded once.
        footage: What they are made of instead: any footage, by the paper's scheme.
        network: Sizes of the network.
        loss: Weights of the parts of the loss.
        discriminator: The network that judges the output.
        validation: Held-out clips.
        flow_warmup_steps: First steps, in which only the flow network learns, from known motion.
        flow_warmup_motion: Largest translation there, in pixels of the low-quality size.
        checkpoint_activations: Keep few activations for the backward pass and compute the others
            again: long clips fit into memory, and a step takes longer.
    """

    task: Literal["video-super-resolution"] = "video-super-resolution"
    data: ClipDatasetConfig | None = None
    footage: FootageConfig | None = None
    network: GeneratorConfig = field(default_factory=GeneratorConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    discriminator: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)
    validation: ValidationConfig = field(default_factory=ValidationConfig)
    flow_warmup_steps: int = 1500
    flow_warmup_motion: float = 8.0
    checkpoint_activations: bool = False

    def __post_init__(self) -> None:
        """Check the values against each other.

        Raises:
            ConfigError: A number is out of range, or a clip is both trained on and held out.
        """
        super().__post_init__()
        if not 0 <= self.flow_warmup_steps <= self.num_steps:
            raise ConfigError("flow_warmup_steps must be 0 or above and at most num_steps")
        if self.data is not None and self.footage is not None:
            raise ConfigError("give either data (with its clips) or footage, not both")
        if self.data is not None and self.loss.uses_sharpened:
            raise ConfigError("a loss against sharpened ground truth needs footage, not data")
        if self.network.spynet_pretrained is not None and self.flow_warmup_steps:
            raise ConfigError(
                "network.spynet_pretrained keeps the flow network as it is: set flow_warmup_steps "
                f"to 0, got {self.flow_warmup_steps}"
            )
        seen = self._names_trained_on()
        shared = sorted(seen & {clip.name for clip in self.validation.clips})
        if shared:
            raise ConfigError(f"clips to validate on must not be trained on: {shared}")

    def _names_trained_on(self) -> set[str]:
        """Names of clips that the configuration says; a whole folder of footage is not opened."""
        if self.data is not None:
            return {clip.name for clip in self.data.clips}
        return {source.path for source in self.footage.sources} if self.footage else set()
