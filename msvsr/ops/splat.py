"""Forward warping: push values along a flow, with a Gaussian weight for each pixel that is hit."""

import torch

from msvsr.errors import ShapeError

__all__ = ["splat"]


def splat(values: torch.Tensor, flow: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Push each pixel along its flow onto the four pixels around the point where it lands.

    A pixel at distance ``d`` from that point gets the value with weight ``exp(-d^2)``. What lands
    outside is lost. Dividing the sum by the weight, where the weight is not zero, gives the mean
    of all that landed; a pixel of weight zero is a hole.

    Args:
        values: What is pushed, ``(n, c, h, w)``.
        flow: Displacement in pixels, ``(n, 2, h, w)``, channel 0 = x.

    Returns:
        The weighted sum ``(n, c, h, w)`` and the weight ``(n, 1, h, w)``, both of the values'
        type. The result is the same from run to run on a CPU, and gradients flow into both inputs.

    Raises:
        ShapeError: The sizes of values and flow differ.

    Source:
        Xu et al., "Quadratic Video Interpolation", NeurIPS 2019, section 3.2.

    Example:
        >>> values = torch.tensor([5.0, 0.0, 0.0]).view(1, 1, 1, 3)
        >>> flow = torch.tensor([2.0, 0.0]).view(1, 2, 1, 1).expand(1, 2, 1, 3)
        >>> total, weight = splat(values, flow)
        >>> total.flatten().tolist(), weight.flatten().tolist()
        ([0.0, 0.0, 5.0], [0.0, 0.0, 1.0])
    """
    if values.shape[0] != flow.shape[0] or values.shape[-2:] != flow.shape[-2:]:
        raise ShapeError(
            f"splat expects values (n, c, h, w) and a flow (n, 2, h, w) of one size, "
            f"got {tuple(values.shape)} and {tuple(flow.shape)}"
        )
    n, c, h, w = values.shape
    index, weight = _corners(flow)  # (n, 4, h, w) each
    weight = weight.to(values.dtype)
    landed = torch.cat((values[:, :, None] * weight[:, None], weight[:, None]), dim=1)
    total = landed.new_zeros(n, c + 1, h * w).scatter_add(
        2, index.flatten(1)[:, None].expand(n, c + 1, -1), landed.flatten(2)
    )
    total = total.view(n, c + 1, h, w)
    return total[:, :c], total[:, c:]


def _corners(flow: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Flat index into the image and weight of the four pixels that each pixel lands on.

    A corner outside the image has index 0 and weight 0.
    """
    height, width = flow.shape[-2:]
    whole = flow.detach().floor()
    fraction = flow - whole
    step = torch.tensor([0, 1], device=flow.device)
    step_x, step_y = step.view(1, 2, 1, 1), step.repeat_interleave(2).view(1, 4, 1, 1)
    step_x = step_x.repeat(1, 2, 1, 1)  # x: 0 1 0 1, y: 0 0 1 1

    x = torch.arange(width, device=flow.device) + whole[:, :1].long() + step_x  # (n, 4, h, w)
    y = torch.arange(height, device=flow.device)[:, None] + whole[:, 1:].long() + step_y
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    distance = (fraction[:, :1] - step_x) ** 2 + (fraction[:, 1:] - step_y) ** 2
    index = torch.where(inside, y * width + x, 0)
    return index, torch.where(inside, torch.exp(-distance), 0.0)
