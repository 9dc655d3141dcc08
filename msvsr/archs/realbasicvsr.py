"""RealBasicVSR: clean the frames, then super-resolve them with BasicVSR."""

from typing import NamedTuple

import torch
from torch import nn

from msvsr.archs.basicvsr import BasicVSRNet, Flows
from msvsr.archs.blocks import ResidualBlocksWithInputConv
from msvsr.archs.spynet import SPyNet

__all__ = ["MAX_CLEANING_PASSES", "RealBasicVSRNet", "RealBasicVSROutput"]

MAX_CLEANING_PASSES = 3
"""Upper limit of dynamic refinement, chosen by the paper's authors by experiment."""


class RealBasicVSROutput(NamedTuple):
    """What one pass over a clip gives.

    Attributes:
        sr: The upscaled clip, ``(n, t, 3, 4h, 4w)``, not clamped.
        cleaned: The cleaned input, ``(n, t, 3, h, w)``.
        flows: The flows between cleaned neighbours.
    """

    sr: torch.Tensor
    cleaned: torch.Tensor
    flows: Flows


class RealBasicVSRNet(nn.Module):
    """Real-world video super-resolution by a factor of 4.

    Args:
        mid_channels: Channels of the features.
        num_propagation_blocks: Residual blocks in each propagation branch.
        num_cleaning_blocks: Residual blocks of the cleaning module.
        high_resolution_channels: See `BasicVSRNet`.
        spynet: The flow network; ``None`` makes one of the published size.

    Source: Chan et al., "Investigating Tradeoffs in Real-World Video Super-Resolution", CVPR 2022,
        arXiv 2111.12704; parameter names as in mmediting (Apache-2.0).
    """

    scale = 4

    def __init__(
        self,
        mid_channels: int = 64,
        num_propagation_blocks: int = 20,
        num_cleaning_blocks: int = 20,
        high_resolution_channels: int = 64,
        spynet: SPyNet | None = None,
    ) -> None:
        super().__init__()
        self.image_cleaning = nn.Sequential(
            ResidualBlocksWithInputConv(3, mid_channels, num_cleaning_blocks),
            nn.Conv2d(mid_channels, 3, 3, padding=1),
        )
        self.cleaning_radius = 2 * num_cleaning_blocks + 2
        self.basicvsr = BasicVSRNet(
            mid_channels, num_propagation_blocks, high_resolution_channels, spynet
        )

    def forward(self, lq: torch.Tensor, refine_threshold: float = 255.0) -> RealBasicVSROutput:
        """Clean and upscale whole clips in one pass.

        Args:
            lq: RGB in [0, 1], ``(n, t, 3, h, w)``, any size and length; not modified.
            refine_threshold: Clean again while the mean absolute residue is at least this, in
                0-255 units; 255 cleans once, 0 always cleans three times.

        Returns:
            The upscaled clips with what led to them.
        """
        cleaned = self.clean(lq, refine_threshold)
        sr, flows = self.basicvsr(cleaned)
        return RealBasicVSROutput(sr, cleaned, flows)

    def clean(self, lq: torch.Tensor, refine_threshold: float = 255.0) -> torch.Tensor:
        """Remove degradations before propagation, with dynamic refinement per batch of clips.

        Args:
            lq: RGB in [0, 1], ``(n, t, 3, h, w)``; not modified.
            refine_threshold: See `forward`.

        Returns:
            The cleaned clips, ``(n, t, 3, h, w)``.
        """
        frames = lq.flatten(0, 1)  # (n * t, 3, h, w)
        for _ in range(MAX_CLEANING_PASSES):
            residue = self.cleaning_residue(frames)
            frames = frames + residue
            if float(residue.detach().abs().mean()) * 255.0 < refine_threshold:
                break
        return frames.view(lq.shape)

    def cleaning_residue(self, frames: torch.Tensor) -> torch.Tensor:
        """What one cleaning pass adds to frames ``(n, 3, h, w)``; same shape."""
        return self.image_cleaning(frames.to(self.basicvsr.fusion.weight.dtype))  # type: ignore[no-any-return]
