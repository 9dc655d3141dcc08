"""BasicVSR: bidirectional propagation of flow-aligned features, then sub-pixel upsampling."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from msvsr.archs.blocks import LEAKY_SLOPE, PixelShufflePack, ResidualBlocksWithInputConv
from msvsr.archs.spynet import SPyNet
from msvsr.ops.warp import backward_warp

__all__ = ["BasicVSRNet", "Flows", "is_mirror_extended"]


class Flows(NamedTuple):
    """Flows inside a clip of ``t`` frames, each ``(n, t - 1, 2, h, w)`` in pixels.

    Attributes:
        to_next: Entry ``i`` goes from frame ``i`` to frame ``i + 1``.
        to_prev: Entry ``i`` goes from frame ``i + 1`` to frame ``i``.
    """

    to_next: torch.Tensor
    to_prev: torch.Tensor


class BasicVSRNet(nn.Module):
    """Video super-resolution by a factor of 4.

    The stages are methods of their own, so that an engine can run them over any length of video:
    `estimate_flow`, `propagate_backward`, `propagate_forward` and `reconstruct`. Features may be
    in half precision (the weights' type); frames, flows and the output then stay in float32.

    Args:
        mid_channels: Channels of the propagated features.
        num_blocks: Residual blocks in each of the two propagation branches.
        high_resolution_channels: Channels from half of the output size on; 64 as published.
        spynet: The flow network; ``None`` makes one of the published size.

    Source: Chan et al., "BasicVSR: The Search for Essential Components in Video Super-Resolution
        and Beyond", CVPR 2021; parameter names as in mmediting (Apache-2.0).
    """

    scale = 4

    def __init__(
        self,
        mid_channels: int = 64,
        num_blocks: int = 20,
        high_resolution_channels: int = 64,
        spynet: SPyNet | None = None,
    ) -> None:
        super().__init__()
        self.mid_channels = mid_channels
        self.spynet = spynet or SPyNet()
        self.backward_resblocks = ResidualBlocksWithInputConv(
            mid_channels + 3, mid_channels, num_blocks
        )
        self.forward_resblocks = ResidualBlocksWithInputConv(
            mid_channels + 3, mid_channels, num_blocks
        )
        self.fusion = nn.Conv2d(mid_channels * 2, mid_channels, 1)
        self.upsample1 = PixelShufflePack(mid_channels, mid_channels)
        self.upsample2 = PixelShufflePack(mid_channels, high_resolution_channels)
        self.conv_hr = nn.Conv2d(high_resolution_channels, high_resolution_channels, 3, padding=1)
        self.conv_last = nn.Conv2d(high_resolution_channels, 3, 3, padding=1)

    def forward(self, lq: torch.Tensor) -> tuple[torch.Tensor, Flows]:
        """Upscale whole clips in one pass.

        Args:
            lq: RGB in [0, 1], ``(n, t, 3, h, w)``, any size and length.

        Returns:
            The upscaled clips ``(n, t, 3, 4h, 4w)``, not clamped, and the flows that were used.
        """
        flows = self.clip_flows(lq)
        num_frames = lq.shape[1]

        backward: list[torch.Tensor] = []
        aligned = self.initial_feature(lq[:, 0])
        for i in range(num_frames - 1, -1, -1):
            if backward:
                aligned = backward_warp(backward[-1], flows.to_next[:, i])
            backward.append(self.propagate_backward(lq[:, i], aligned))
        backward.reverse()

        outputs = []
        aligned = self.initial_feature(lq[:, 0])
        for i in range(num_frames):
            forward = self.propagate_forward(lq[:, i], aligned)
            outputs.append(self.reconstruct(lq[:, i], backward[i], forward))
            if i + 1 < num_frames:
                aligned = backward_warp(forward, flows.to_prev[:, i])
        return torch.stack(outputs, dim=1), flows

    def clip_flows(self, lq: torch.Tensor) -> Flows:
        """Estimate the flows between neighbours in clips ``(n, t, 3, h, w)``.

        A clip that is its own mirror image in time needs one direction only.
        """
        n, t, c, h, w = lq.shape
        before = lq[:, :-1].reshape(-1, c, h, w)  # (n * (t - 1), c, h, w)
        after = lq[:, 1:].reshape(-1, c, h, w)
        to_next = self.estimate_flow(before, after).view(n, t - 1, 2, h, w)
        if is_mirror_extended(lq):
            return Flows(to_next, to_next.flip(1))
        return Flows(to_next, self.estimate_flow(after, before).view(n, t - 1, 2, h, w))

    def estimate_flow(self, reference: torch.Tensor, neighbour: torch.Tensor) -> torch.Tensor:
        """Flow from reference to neighbour; see `SPyNet.forward`."""
        if reference.shape[0] == 0:
            return reference.new_zeros(0, 2, *reference.shape[-2:])
        return self.spynet(reference, neighbour)  # type: ignore[no-any-return]

    def initial_feature(self, frame: torch.Tensor) -> torch.Tensor:
        """The feature of "no neighbour": zeros ``(n, c, h, w)`` for a frame ``(n, 3, h, w)``."""
        n, _, h, w = frame.shape
        return torch.zeros(
            n, self.mid_channels, h, w, dtype=self.fusion.weight.dtype, device=frame.device
        )

    def propagate_backward(self, frame: torch.Tensor, aligned: torch.Tensor) -> torch.Tensor:
        """One step of the branch that comes from the future.

        Args:
            frame: The current frame, ``(n, 3, h, w)``.
            aligned: The next frame's feature warped onto the current one, ``(n, c, h, w)``; zeros
                at the end of a shot.

        Returns:
            The feature of the current frame, ``(n, c, h, w)``.
        """
        return _join_and_refine(self.backward_resblocks, frame, aligned)

    def propagate_forward(self, frame: torch.Tensor, aligned: torch.Tensor) -> torch.Tensor:
        """One step of the branch that comes from the past; mirrors `propagate_backward`."""
        return _join_and_refine(self.forward_resblocks, frame, aligned)

    def reconstruct(
        self, frame: torch.Tensor, backward: torch.Tensor, forward: torch.Tensor
    ) -> torch.Tensor:
        """Fuse both features and upsample.

        Args:
            frame: The frame, ``(n, 3, h, w)``.
            backward: Its feature from the future, ``(n, c, h, w)``.
            forward: Its feature from the past, ``(n, c, h, w)``.

        Returns:
            The upscaled frame ``(n, 3, 4h, 4w)``, not clamped.
        """
        x = _activate(self.fusion(torch.cat((backward, forward), dim=1)))
        x = _activate(self.upsample1(x))
        x = _activate(self.upsample2(x))
        x = _activate(self.conv_hr(x))
        base = F.interpolate(frame, scale_factor=self.scale, mode="bilinear", align_corners=False)
        return base + self.conv_last(x)  # type: ignore[no-any-return]


def is_mirror_extended(clip: torch.Tensor) -> bool:
    """Whether a clip ``(n, t, c, h, w)`` was doubled by mirroring it in time."""
    num_frames = clip.shape[1]
    if num_frames % 2:
        return False
    first, second = clip.chunk(2, dim=1)
    return torch.equal(first, second.flip(1))


def _activate(x: torch.Tensor) -> torch.Tensor:
    return F.leaky_relu(x, LEAKY_SLOPE, inplace=True)


def _join_and_refine(
    branch: ResidualBlocksWithInputConv, frame: torch.Tensor, aligned: torch.Tensor
) -> torch.Tensor:
    return branch(torch.cat((frame.to(aligned.dtype), aligned), dim=1))  # type: ignore[no-any-return]
