"""The networks that make frames between frames, and how they work together."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from msvsr.archs.interpnet import InterpNet
from msvsr.archs.raft import RAFT, FrameFeatures
from msvsr.models.contract import NeighbourMotion

__all__ = ["EncodedFrame", "InterpolationNetworks", "PairMotion"]

_LARGE_LINES = 1440
_LARGE_COLUMNS = 2560


class EncodedFrame(NamedTuple):
    """What the networks keep of one frame."""

    images: torch.Tensor
    """The frame, padded, ``(n, 3, h, w)``."""
    halves: torch.Tensor | None
    """The same at half the size, for large frames alone: flows then belong to this."""
    features: FrameFeatures
    """What the flow network saw in it."""
    size: tuple[int, int]
    """Height and width before padding."""


class PairMotion(NamedTuple):
    """Motion between two neighbouring frames, in both directions, each ``(n, 2, h, w)``."""

    raw: tuple[torch.Tensor, torch.Tensor]
    """From the first to the second and back, as RAFT has them: for the intervals beside this."""
    refined: tuple[torch.Tensor, torch.Tensor]
    """The same, refined: for the frames between these two."""


class InterpolationNetworks(nn.Module):
    """The flow network and the interpolator, and how they work together.

    Frames are padded at the right and at the bottom by repeating their last pixels. From 1440 lines
    or 2560 columns on, motion is estimated at half the size.

    Args:
        flow: Estimates motion.
        interpolator: Refines it, and makes frames from it.
        num_iterations: Updates of the flow.
        correlation_bytes: Memory for correlation, see `msvsr.archs.raft.RAFT.estimate`.
    """

    def __init__(
        self,
        flow: RAFT,
        interpolator: InterpNet,
        *,
        num_iterations: int = 12,
        correlation_bytes: int | None = None,
    ) -> None:
        super().__init__()
        self.flow = flow
        self.interpolator = interpolator
        self.num_iterations = num_iterations
        self.correlation_bytes = correlation_bytes

    def encode(self, images: torch.Tensor) -> EncodedFrame:
        """Do what depends on one frame alone.

        Args:
            images: RGB in [0, 1], ``(n, 3, h, w)``, of any size.
        """
        height, width = images.shape[-2:]
        scale = 2 if height >= _LARGE_LINES or width >= _LARGE_COLUMNS else 1
        images = _pad(
            images, scale * self.interpolator.multiple, at_least=scale * self.flow.min_side
        )
        halves = None
        if scale == 2:
            halves = F.interpolate(images, scale_factor=0.5, mode="bilinear", align_corners=False)
        features = self.flow.encode(images if halves is None else halves)
        return EncodedFrame(images, halves, features, (height, width))

    def estimate_motion(self, first: EncodedFrame, second: EncodedFrame) -> PairMotion:
        """Estimate the motion between two frames, raw and refined."""
        raw = self.flow.estimate_both(
            first.features,
            second.features,
            self.num_iterations,
            correlation_bytes=self.correlation_bytes,
        )
        return PairMotion(raw, self.interpolator.refine(*_working_images(first, second), *raw))

    def synthesize(
        self,
        first: EncodedFrame,
        second: EncodedFrame,
        motion: PairMotion,
        timestep: float | torch.Tensor,
        *,
        before: NeighbourMotion[PairMotion] | None = None,
        after: NeighbourMotion[PairMotion] | None = None,
    ) -> torch.Tensor:
        """Make the frame at an instant between two frames.

        Args:
            first: The frame at 0.
            second: The frame at 1.
            motion: Motion between them.
            timestep: The instant, in (0, 1); a number or one per sample, ``(n, 1, 1, 1)``.
            before: Motion into the first frame.
            after: Motion out of the second; without both, motion is linear.

        Returns:
            RGB in [0, 1], ``(n, 3, h, w)``, of the frames' size.
        """
        made = self.interpolator.synthesize(
            first.images,
            second.images,
            *motion.refined,
            timestep,
            before.motion.raw[1] if before else None,
            after.motion.raw[0] if after else None,
            length_before=before.length if before else 1.0,
            length_after=after.length if after else 1.0,
            half_images=None if first.halves is None else _working_images(first, second),
        )
        height, width = first.size
        return made.frame[..., :height, :width].clamp(0, 1)


def _working_images(first: EncodedFrame, second: EncodedFrame) -> tuple[torch.Tensor, torch.Tensor]:
    """Both frames at the size that their motion is estimated at."""
    if first.halves is None or second.halves is None:
        return first.images, second.images
    return first.halves, second.halves


def _pad(images: torch.Tensor, multiple: int, *, at_least: int) -> torch.Tensor:
    height, width = images.shape[-2:]
    bottom, right = (
        max(-(-side // multiple) * multiple, at_least) - side for side in (height, width)
    )
    return F.pad(images, (0, right, 0, bottom), mode="replicate")
