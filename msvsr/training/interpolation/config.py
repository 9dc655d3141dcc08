"""Everything that a training run of frame interpolation depends on."""

from dataclasses import dataclass, field
from typing import Literal, get_args

from msvsr.archs.interpnet import InterpNet
from msvsr.archs.raft import RAFT
from msvsr.data.cache import ClipSource
from msvsr.data.windows import WindowDatasetConfig
from msvsr.errors import ConfigError
from msvsr.models.interpolation_config import InterpolationConfig
from msvsr.training.config import RunConfig

__all__ = [
    "FlowLossConfig",
    "HeldOutConfig",
    "InterpolationTrainingConfig",
    "Stage",
    "SynthesisLossConfig",
]

Stage = Literal["flow", "synthesis"]


@dataclass(frozen=True, kw_only=True)
class FlowLossConfig:
    """How the flow network learns.

    Attributes:
        matching_steps: First steps, in which only the features that are compared learn, to find
            places of one frame in the other; they have a schedule of their own.
        synthetic_share: Part of each batch whose motion is known because it was made; the rest
            are real frames whose motion the teacher estimates.
        max_motion: Largest translation of made motion in pixels.
        num_foregrounds: Moving blobs of a made scene.
        iteration_decay: Weight of an iteration relative to the next one.
        teacher_iterations: Iterations of the teacher.
    """

    matching_steps: int = 0
    synthetic_share: float = 0.5
    max_motion: float = 24.0
    num_foregrounds: int = 3
    iteration_decay: float = 0.8
    teacher_iterations: int = 12


@dataclass(frozen=True, kw_only=True)
class SynthesisLossConfig:
    """How the interpolator learns.

    Attributes:
        synthetic_share: Part of the batches that are made scenes, with instants all over (0, 1).
        max_motion: Largest translation of made motion in pixels.
        num_foregrounds: Moving blobs of a made scene.
        noise: Largest standard deviation of noise on the frames, in [0, 1]; half stay clean.
        structure: Weight of ``1 - SSIM``.
        distillation: Weight of the mean distance to the teacher's flow, in pixels. It keeps the
            flow from drifting where the picture is flat and every flow looks right.
        teacher_iterations: Iterations of the teacher.
        warped: Weight of the loss of each of the two warped frames before they are fused.
        perceptual: Weight of the distance in the features of VGG19.
    """

    synthetic_share: float = 0.25
    max_motion: float = 24.0
    num_foregrounds: int = 3
    noise: float = 0.0
    structure: float = 0.0
    distillation: float = 0.0
    teacher_iterations: int = 8
    warped: float = 0.1
    perceptual: float = 0.0


@dataclass(frozen=True, kw_only=True)
class HeldOutConfig:
    """Held-out clips in which every other frame is made from its neighbours.

    Attributes:
        clips: Clips that the training data must not name.
        num_triplets: How many frames are made per clip, spread over it.
        size: Largest side of the central crop, in pixels.
        every_minutes: Time between two validations.
    """

    clips: tuple[ClipSource, ...] = ()
    num_triplets: int = 3
    size: int = 256
    every_minutes: float = 10.0

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: A value is out of range.
        """
        if self.num_triplets < 1 or self.size < RAFT.min_side:
            raise ConfigError(
                f"validation needs num_triplets of at least 1 and size of at least "
                f"{RAFT.min_side}, got {self.num_triplets} and {self.size}"
            )


@dataclass(frozen=True, kw_only=True)
class InterpolationTrainingConfig(RunConfig):
    """One training run of frame interpolation.

    Attributes:
        task: Tells the run from those of super-resolution.
        stage: ``flow`` trains the flow network, ``synthesis`` the interpolator.
        data: What training samples are made of; nothing where they are given in another way.
        network: Kind and sizes of the networks.
        flow_loss: How the flow network learns.
        synthesis_loss: How the interpolator learns.
        flow_rate_factor: Learning rate of the flow network in the second stage, relative to the
            interpolator's; 0 leaves it as it is.
        validation: Held-out clips.
    """

    task: Literal["video-frame-interpolation"] = "video-frame-interpolation"
    stage: Stage
    data: WindowDatasetConfig | None = None
    network: InterpolationConfig = field(default_factory=InterpolationConfig)
    flow_loss: FlowLossConfig = field(default_factory=FlowLossConfig)
    synthesis_loss: SynthesisLossConfig = field(default_factory=SynthesisLossConfig)
    flow_rate_factor: float = 0.0
    validation: HeldOutConfig = field(default_factory=HeldOutConfig)
    batch_size: int = 8
    num_steps: int = 4000

    def __post_init__(self) -> None:
        """Check the values against each other.

        Raises:
            ConfigError: A number is out of range, or a clip is both trained on and held out.
        """
        if self.stage not in get_args(Stage):
            raise ConfigError(
                f"stage must be one of {', '.join(get_args(Stage))}, got {self.stage}"
            )
        super().__post_init__()
        if self.data is not None:
            self._check_data(self.data)
        shares = (self.flow_loss.synthetic_share, self.synthesis_loss.synthetic_share)
        if not all(0 <= share <= 1 for share in shares) or self.flow_rate_factor < 0:
            raise ConfigError(
                "synthetic_share must lie in [0, 1] and flow_rate_factor be 0 or above, got "
                f"{shares[0]}, {shares[1]} and {self.flow_rate_factor}"
            )

    def _check_data(self, data: WindowDatasetConfig) -> None:
        if data.crop.num_frames < 7:
            raise ConfigError(f"crop.num_frames must be at least 7, got {data.crop.num_frames}")
        if data.crop.size < RAFT.min_side or data.crop.size % InterpNet.multiple:
            raise ConfigError(
                f"crop.size must be a multiple of {InterpNet.multiple} and at least "
                f"{RAFT.min_side}, got {data.crop.size}"
            )
        seen = {clip.name for clip in data.clips}
        shared = sorted(seen & {clip.name for clip in self.validation.clips})
        if shared:
            raise ConfigError(f"clips to validate on must not be trained on: {shared}")
