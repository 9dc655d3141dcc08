"""What the engine needs to know of a model."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch

__all__ = ["RecurrentUpscaler", "Stage"]


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
