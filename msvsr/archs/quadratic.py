"""Quadratic interpolation: bring both frames to an instant between them and blend them there."""

from functools import reduce
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from msvsr.archs.interp_unet import MaskNet, SmallUNet, StaticMaskNet
from msvsr.ops.splat import splat
from msvsr.ops.warp import backward_warp

__all__ = ["Number", "QuadraticInterpolator", "Synthesis", "quadratic_flows", "reverse_flows"]

_REVERSAL_STEP = 3  # flows are reversed on every third pixel
_FILL_WINDOW = 7
_FILL_STEP = 4
_MAX_OFFSET = 10.0
_DILATION_RADIUS = 4
_GRADIENT_FLOOR = 1e-6

Number = float | torch.Tensor
"""A plain number, or one per sample: ``(n, 1, 1, 1)``."""


class Synthesis(NamedTuple):
    """A frame between two others and what it was made from.

    Attributes:
        frame: RGB, ``(n, 3, h, w)``, not clamped.
        flow_t1: Displacement from the new frame to the first, ``(n, 2, h, w)``.
        flow_t2: Displacement from the new frame to the second.
        mask: Weight of the first frame against the second, ``(n, 1, h, w)``, before time counts.
        static_mask: How much stands still and is blended instead of moved, ``(n, 1, h, w)``.
    """

    frame: torch.Tensor
    flow_t1: torch.Tensor
    flow_t2: torch.Tensor
    mask: torch.Tensor
    static_mask: torch.Tensor


class QuadraticInterpolator(nn.Module):
    """Reverse and filter the flows to an instant, warp both frames by them and blend.

    Both directions travel together in tensors ``(n, 2, c, h, w)``.

    Args:
        base_channels: See `InterpNet`.
        mask_channels: See `InterpNet`.
    """

    def __init__(self, base_channels: int = 32, mask_channels: tuple[int, int] = (32, 16)) -> None:
        super().__init__()
        self.refinenet = SmallUNet(20, 8, base_channels)
        self.masknet = MaskNet(6 + base_channels, mask_channels)
        self.staticnet = StaticMaskNet(24 + base_channels, mask_channels)

    def forward(
        self,
        images: torch.Tensor,
        inner_flows: torch.Tensor,
        flows_to_t: torch.Tensor,
        timestep: Number,
        half_images: torch.Tensor | None = None,
    ) -> Synthesis:
        """Make a frame.

        Args:
            images: Both frames less the channel means, ``(n, 2, 3, h, w)``.
            inner_flows: The flows between them, ``(n, 2, 2, h, w)``.
            flows_to_t: The flows from each of them to the instant, ``(n, 2, 2, h, w)``.
            timestep: The instant, in (0, 1).
            half_images: The frames at half the size; the flows are then of that size.

        Returns:
            The frame, less the channel means, and what it was made from.
        """
        working = images if half_images is None else half_images
        flows, feature = self._filter_flows(working, inner_flows, reverse_flows(flows_to_t))
        detailed = torch.cat((working, _gradient_size(working)), dim=2)  # (n, 2, 6, h, w)
        warped = _warp_pair(detailed, flows)
        mask, static_mask = self._masks(detailed, warped, feature)
        warped_images = warped[:, :, :3]
        if half_images is not None:
            flows = _double(flows.flatten(1, 2) * 2).view(*images.shape[:2], 2, *images.shape[3:])
            mask, static_mask = _double(mask), _double(static_mask)
            warped_images = _warp_pair(images, flows)
        frame = _blend(images, warped_images, mask, static_mask, timestep)
        return Synthesis(frame, flows[:, 0], flows[:, 1], mask, static_mask)

    def _filter_flows(
        self, images: torch.Tensor, inner_flows: torch.Tensor, flows: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Sample each flow at an offset and add a residue; both come from the U-Net."""
        joined = (images, _warp_pair(images, flows), inner_flows, flows)
        output, feature = self.refinenet(*(part.flatten(1, 2) for part in joined))
        residue, offset = output.to(flows.dtype).contiguous().chunk(2, dim=1)
        offset = _MAX_OFFSET * torch.tanh(offset).view_as(flows)
        return _warp_pair(flows, offset) + residue.view_as(flows), feature

    def _masks(
        self, detailed: torch.Tensor, warped: torch.Tensor, feature: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Mask of the first frame and mask of what stands still, made wider by four pixels."""
        images, gradients = (part.flatten(1, 2) for part in detailed.chunk(2, dim=2))
        warped_images, warped_gradients = (part.flatten(1, 2) for part in warped.chunk(2, dim=2))
        mask = self.masknet(warped_images, feature)
        static_mask = self.staticnet(warped_images, warped_gradients, images, gradients, feature)
        mask = torch.sigmoid(mask.to(images.dtype))
        return mask, _dilate(static_mask.to(images.dtype), _DILATION_RADIUS)


def quadratic_flows(
    inner: tuple[torch.Tensor, torch.Tensor],
    outer: tuple[torch.Tensor | None, torch.Tensor | None],
    timestep: Number,
    lengths: tuple[Number, Number],
) -> torch.Tensor:
    """Flows from frames 1 and 2 to an instant between them.

    A pixel of frame 1 is at 0 at time 0, at ``flow_12`` at time 1 and at ``flow_10`` at minus
    ``length_before``; the parabola through these points tells where it is at the instant. Frame 2
    is the mirror image.

    Args:
        inner: ``flow_12`` and ``flow_21``, ``(n, 2, h, w)`` each.
        outer: ``flow_10`` and ``flow_23``; motion is linear when one is missing.
        timestep: The instant, in (0, 1).
        lengths: Time to the outer frames in units of the time between the inner ones.

    Returns:
        Both flows, ``(n, 2, 2, h, w)``.
    """
    times = (timestep, 1 - timestep)
    flows = [time * flow for time, flow in zip(times, inner, strict=True)]
    for side, (time, length) in enumerate(zip(times, lengths, strict=True)):
        beyond = outer[side]
        if beyond is None or outer[1 - side] is None:
            continue
        acceleration = (beyond + length * inner[side]) / (length + length * length)
        flows[side] = flows[side] - (time - time * time) * acceleration
    return torch.stack(flows, dim=1)


def reverse_flows(flows: torch.Tensor) -> torch.Tensor:
    """Turn flows from frames to an instant into flows from the instant to the frames.

    Each third pixel is pushed along its flow. Holes get the opposite of the flow that stands
    there, then a smooth version of all that was found.

    Args:
        flows: ``(n, 2, 2, h, w)``, in pixels.

    Returns:
        The reversed flows, of the same shape.
    """
    height, width = (side // _REVERSAL_STEP for side in flows.shape[-2:])
    sparse = flows.flatten(0, 1)[..., ::_REVERSAL_STEP, ::_REVERSAL_STEP]
    sparse = sparse[..., :height, :width] / _REVERSAL_STEP  # (2n, 2, h / 3, w / 3)
    total, weight = splat(sparse, sparse)
    is_hole = weight == 0
    filled = -torch.where(is_hole, sparse, total / weight.masked_fill(is_hole, 1.0))
    smooth = F.avg_pool2d(filled, _FILL_WINDOW, 1, _FILL_WINDOW // 2)
    for size in ((height // _FILL_STEP, width // _FILL_STEP), (height, width)):
        smooth = F.interpolate(smooth, size, mode="bilinear", align_corners=False)
    filled = torch.where(is_hole, smooth, filled)
    dense = F.interpolate(filled, flows.shape[-2:], mode="nearest") * _REVERSAL_STEP
    return dense.view_as(flows)


def _blend(
    images: torch.Tensor,
    warped: torch.Tensor,
    mask: torch.Tensor,
    static_mask: torch.Tensor,
    timestep: Number,
) -> torch.Tensor:
    """Weigh the warped frames by mask and time; where nothing moves, weigh the frames by time."""
    first, second = (1 - timestep) * mask, timestep * (1 - mask)
    moved = (first * warped[:, 0] + second * warped[:, 1]) / (first + second)
    still = (1 - timestep) * images[:, 0] + timestep * images[:, 1]
    return moved + static_mask * (still - moved)


def _warp_pair(images: torch.Tensor, flows: torch.Tensor) -> torch.Tensor:
    """Warp ``(n, 2, c, h, w)`` by ``(n, 2, 2, h, w)``."""
    warped = backward_warp(images.flatten(0, 1), flows.flatten(0, 1), padding_mode="border")
    return warped.view_as(images)


def _gradient_size(images: torch.Tensor) -> torch.Tensor:
    """Length of the gradient of each channel, zeros beyond the border."""
    padded = F.pad(images, (1, 1, 1, 1))
    down = padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]
    right = padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]
    return torch.sqrt(down * down + right * right + _GRADIENT_FLOOR)


def _dilate(mask: torch.Tensor, radius: int) -> torch.Tensor:
    """Largest value in the square around each pixel; no value is negative."""
    height, width = mask.shape[-2:]
    mask = F.pad(mask, (radius,) * 4)
    for dim, side in ((-2, height), (-1, width)):
        shifted = [mask.narrow(dim, first, side) for first in range(2 * radius + 1)]
        mask = reduce(torch.maximum, shifted)
    return mask


def _double(x: torch.Tensor) -> torch.Tensor:
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
