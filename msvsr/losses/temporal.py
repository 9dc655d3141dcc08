"""A loss that punishes flicker."""

import torch
import torch.nn.functional as F

from msvsr.ops.warp import backward_warp

__all__ = ["temporal_loss"]


def temporal_loss(
    prediction: torch.Tensor, target: torch.Tensor, flow_to_next: torch.Tensor
) -> torch.Tensor:
    """Mean absolute change of the error from frame to frame, along the motion.

    ``mean |e_t - warp(e_{t+1})|`` with ``e = prediction - target``: what is wrong in the same way
    in every frame, such as missing detail, costs nothing here; what comes and goes does. Warping
    is linear: this is also how far the prediction's warped difference departs from the target's.

    Args:
        prediction: Clips ``(n, t, c, h, w)`` of two frames at least.
        target: Of the same shape.
        flow_to_next: Displacement from each frame to the next, ``(n, t - 1, 2, h / s, w / s)`` in
            pixels of that size; it is enlarged by the whole number ``s`` and gets no gradient.

    Returns:
        The loss, a scalar in float32.

    Source: Lai et al., "Learning blind video temporal consistency", ECCV 2018, compare the frames
        themselves; taking the target's change off leaves motion that the flow misses unpunished.

    Example:
        >>> truth, still = torch.zeros(1, 2, 3, 8, 8), torch.zeros(1, 1, 2, 4, 4)
        >>> flicker = torch.tensor([0.0, 0.1]).view(1, 2, 1, 1, 1).expand_as(truth)
        >>> round(temporal_loss(flicker, truth, still).item(), 4)
        0.1
        >>> temporal_loss(truth + 0.5, truth, still).item()
        0.0
    """
    error = prediction.float() - target.float()
    flow = flow_to_next.detach().float().flatten(0, 1)
    scale = error.shape[-1] // flow.shape[-1]
    if scale > 1:
        flow = scale * F.interpolate(flow, scale_factor=scale, mode="bilinear", align_corners=False)
    here, after = error[:, :-1].flatten(0, 1), error[:, 1:].flatten(0, 1)
    return (here - backward_warp(after, flow, padding_mode="border")).abs().mean()
