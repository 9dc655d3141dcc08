"""Warping error: how much of a change between frames is not motion."""

from dataclasses import dataclass

import torch

from msvsr.errors import ShapeError
from msvsr.ops.warp import backward_warp

__all__ = ["WarpingError", "visible_pixels", "warping_error"]

# Sundaram, Brox, Keutzer, ECCV 2010, through Ruder et al. 2016 and Lai et al. 2018.
_LENGTH_SHARE = 0.01
_MISMATCH = 0.5
_BOUNDARY = 0.002


@dataclass(frozen=True, kw_only=True)
class WarpingError:
    """What a clip's frames have in common with their neighbours.

    Attributes:
        error: Mean squared difference of each pair of frames, ``(t - 1,)``, for values in [0, 1];
            NaN where no pixel is visible in both. On the CPU.
        visible_share: Share of the pixels that it is taken over, ``(t - 1,)``, in [0, 1].
    """

    error: torch.Tensor
    visible_share: torch.Tensor


def warping_error(
    frames: torch.Tensor, flow_to_next: torch.Tensor, flow_to_prev: torch.Tensor
) -> WarpingError:
    """Compare each frame with the next one, moved back along the flow.

    ``E = sum_p M(p) |frame_0(p) - frame_1(p + flow_01(p))|^2 / (3 sum_p M(p))`` with ``M`` of
    ``visible_pixels``. The flow should come from what is judged the same for all, such as the
    input or the ground truth, or from one network for all: it decides what counts as motion.

    Args:
        frames: A clip ``(t, 3, h, w)``, RGB, [0, 1], of two frames at least.
        flow_to_next: Displacement from each frame to the next, ``(t - 1, 2, h, w)``, in pixels.
        flow_to_prev: Displacement from each frame but the first to the one before, of that shape.

    Returns:
        One error and one share per pair of frames.

    Raises:
        ShapeError: The clip is too short, no clip, or the flows do not fit it.

    Source:
        Lai, Huang, Wang, Shechtman, Yumer, Yang, "Learning blind video temporal consistency", ECCV
        2018. The mean includes the three channels, as in its code. What leaves the frame is left
        out here; there the edge pixel is compared with it.

    Example:
        >>> frames = torch.zeros(2, 3, 8, 8)
        >>> frames[1] = 0.1  # flicker
        >>> still = torch.zeros(1, 2, 8, 8)
        >>> result = warping_error(frames, still, still)
        >>> result.error, result.visible_share
        (tensor([0.0100]), tensor([1.]))
    """
    _check(frames, flow_to_next, flow_to_prev)
    if frames.dtype != torch.float64:
        frames = frames.float()
    mask = visible_pixels(flow_to_next, flow_to_prev).to(frames.dtype)
    warped = backward_warp(frames[1:], flow_to_next, padding_mode="border")
    squared = (warped - frames[:-1]).square() * mask
    share = mask.mean(dim=(-3, -2, -1))
    return WarpingError(
        error=(squared.mean(dim=(-3, -2, -1)) / share).cpu(), visible_share=share.cpu()
    )


def _check(frames: torch.Tensor, flow_to_next: torch.Tensor, flow_to_prev: torch.Tensor) -> None:
    if frames.ndim != 4 or frames.shape[1] != 3 or len(frames) < 2:
        raise ShapeError(
            f"expected a clip (t, 3, h, w) of two frames at least, got {tuple(frames.shape)}"
        )
    expected = (len(frames) - 1, 2, *frames.shape[-2:])
    if tuple(flow_to_next.shape) != expected or tuple(flow_to_prev.shape) != expected:
        raise ShapeError(
            f"a clip {tuple(frames.shape)} needs two flows {expected}, got "
            f"{tuple(flow_to_next.shape)} and {tuple(flow_to_prev.shape)}"
        )


def visible_pixels(flow_01: torch.Tensor, flow_10: torch.Tensor) -> torch.Tensor:
    """Find the pixels of frame 0 that can be seen in frame 1.

    A pixel is left out if it leaves the frame, if the way there and back does not end where it
    began, ``|there + back|^2 > 0.01 (|there|^2 + |back|^2) + 0.5``, and on the edges of moving
    things, ``|grad x|^2 + |grad y|^2 > 0.01 |there|^2 + 0.002``, where flow is least certain.

    Args:
        flow_01: Displacement from frame 0 to frame 1 in pixels, ``(n, 2, h, w)``.
        flow_10: Displacement from frame 1 to frame 0, of the same shape.

    Returns:
        Booleans ``(n, 1, h, w)``.

    Source:
        Ruder, Dosovitskiy, Brox, "Artistic style transfer for videos", GCPR 2016, as used by Lai
        et al.

    Example:
        >>> to_the_right = torch.tensor([1.0, 0.0]).view(1, 2, 1, 1).expand(1, 2, 1, 4)
        >>> visible_pixels(to_the_right, -to_the_right).flatten().tolist()
        [True, True, True, False]
    """
    there = flow_01 if flow_01.dtype == torch.float64 else flow_01.float()
    back = backward_warp(flow_10.to(there.dtype), there, padding_mode="border")
    length = there.square().sum(dim=1, keepdim=True)
    allowed = _LENGTH_SHARE * (length + back.square().sum(dim=1, keepdim=True)) + _MISMATCH
    returns = (there + back).square().sum(dim=1, keepdim=True) <= allowed
    return returns & _is_even(there, length) & _ends_inside(there)


def _is_even(flow: torch.Tensor, length: torch.Tensor) -> torch.Tensor:
    """Tell where neighbours move alike; the last row and column have none beyond them."""
    slope = torch.zeros_like(length)
    slope[..., :, :-1] += flow.diff(dim=-1).square().sum(dim=1, keepdim=True)
    slope[..., :-1, :] += flow.diff(dim=-2).square().sum(dim=1, keepdim=True)
    return slope <= _LENGTH_SHARE * length + _BOUNDARY


def _ends_inside(flow: torch.Tensor) -> torch.Tensor:
    """Tell what flows to a place inside the frame, up to the outer edges of its pixels."""
    height, width = flow.shape[-2:]
    x = torch.arange(width, device=flow.device) + flow[:, 0]
    y = torch.arange(height, device=flow.device)[:, None] + flow[:, 1]
    is_inside = (x >= -0.5) & (x <= width - 0.5) & (y >= -0.5) & (y <= height - 0.5)
    return is_inside[:, None]
