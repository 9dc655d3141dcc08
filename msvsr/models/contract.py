"""What the engine needs to know of the models of both tasks."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import torch

__all__ = ["FrameInterpolator", "NeighbourMotion", "RecurrentUpscaler", "Stage"]

EncodedT = TypeVar("EncodedT")
MotionT = TypeVar("MotionT")


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A function of images whose output pixels see a bounded neighbourhood of the input.

    Because of the bound, running it tile by tile with a margin of ``radius`` gives the same result
    as running it on whole images.

    Attributes:
        function: Maps tensors ``(n, ..., h, w)`` to one tensor ``(n, ..., scale * h, scale * w)``.
        radius: How many input pixels away an input still changes an output.
        scale: Spatial factor from input to output.
        work_bytes_per_pixel: Memory that the function needs while it runs, per input pixel.
    """

    function: Callable[..., torch.Tensor]
    radius: int
    scale: int = 1
    work_bytes_per_pixel: int


class RecurrentUpscaler(Protocol):
    """A video upscaler with one feature that travels backward in time and one forward.

    Attributes:
        scale: Spatial factor from input to output.
        min_side: Smaller images are padded to this many pixels.
        feature_channels: Channels of the travelling features.
        feature_dtype: Type of the travelling features.
        device: Where tensors have to be.
        window: Frames per window that the model's configuration asks for, or ``None``.
        refine_threshold: Threshold of dynamic refinement that the configuration asks for, in 0-255
            units.
        cleaning: ``frames (n, 3, h, w)`` to the residue that cleans them.
        backward_branch: ``frames, aligned features (n, c, h, w)`` to features from the future.
        forward_branch: The same for features from the past.
        reconstruction: ``frames, backward features, forward features`` to upscaled frames.
    """

    scale: int
    min_side: int
    feature_channels: int
    feature_dtype: torch.dtype
    device: torch.device
    window: int | None
    refine_threshold: float
    cleaning: Stage
    backward_branch: Stage
    forward_branch: Stage
    reconstruction: Stage

    def estimate_flow(self, reference: torch.Tensor, neighbour: torch.Tensor) -> torch.Tensor:
        """Flow from reference to neighbour ``(n, 3, h, w)`` in pixels, ``(n, 2, h, w)``."""
        ...


@dataclass(frozen=True, eq=False)
class NeighbourMotion(Generic[MotionT]):
    """Motion in the interval beside the one that a frame is made in.

    Attributes:
        motion: What the model estimated there.
        length: Duration of that interval over the duration of the one between the two frames;
            1 at a constant frame rate.
    """

    motion: MotionT
    length: float


class FrameInterpolator(Protocol[EncodedT, MotionT]):
    """A model that makes frames between two frames.

    What it keeps of a frame (``EncodedT``) and of the motion between two neighbours (``MotionT``)
    is its own affair; the engine only decides for how long.

    Attributes:
        device: Where tensors have to be.
    """

    device: torch.device

    def encode(self, image: torch.Tensor) -> EncodedT:
        """Do what depends on one frame alone: ``(3, h, w)``, RGB in [0, 1], any size."""
        ...

    def estimate_motion(self, first: EncodedT, second: EncodedT) -> MotionT:
        """Motion between two frames of one size, in both directions."""
        ...

    def synthesize(
        self,
        first: EncodedT,
        second: EncodedT,
        motion: MotionT,
        timestep: float,
        *,
        before: NeighbourMotion[MotionT] | None = None,
        after: NeighbourMotion[MotionT] | None = None,
    ) -> torch.Tensor:
        """Make the frame at an instant between two frames.

        Args:
            first: The frame at 0.
            second: The frame at 1.
            motion: Motion from ``first`` to ``second``.
            timestep: The instant, in (0, 1).
            before: Motion from the frame before ``first`` to ``first``.
            after: Motion from ``second`` to the frame after it. With both, motion is quadratic
                in time; without, it is linear (the two-frame form).

        Returns:
            RGB in [0, 1], ``(3, h, w)``, of the frames' size.
        """
        ...
