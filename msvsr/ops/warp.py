"""Backward warping: sample an image where the flow points to."""

from typing import Literal

import torch
import torch.nn.functional as F

from msvsr.errors import ShapeError

__all__ = ["backward_warp", "sampling_grid"]


def sampling_grid(flow: torch.Tensor) -> torch.Tensor:
    """Turn a flow field into the coordinates that ``grid_sample`` expects.

    Args:
        flow: Displacement in pixels, ``(n, 2, h, w)``, channel 0 = x, channel 1 = y.

    Returns:
        Normalised coordinates ``(n, h, w, 2)`` in float32 (or float64 for a float64 flow), with
        ``align_corners=True``: -1 and 1 are the centres of the first and last pixel.
    """
    if flow.dtype != torch.float64:
        flow = flow.float()
    height, width = flow.shape[-2:]
    x = torch.arange(width, device=flow.device, dtype=flow.dtype)
    y = torch.arange(height, device=flow.device, dtype=flow.dtype)
    grid_x = 2.0 * (x + flow[:, 0]) / max(width - 1, 1) - 1.0
    grid_y = 2.0 * (y[:, None] + flow[:, 1]) / max(height - 1, 1) - 1.0
    return torch.stack((grid_x, grid_y), dim=-1)


def backward_warp(
    image: torch.Tensor,
    flow: torch.Tensor,
    padding_mode: Literal["zeros", "border"] = "zeros",
) -> torch.Tensor:
    """Sample an image at ``position + flow``, bilinearly.

    ``out(p) = image(p + flow(p))``: with ``flow_01`` and frame 1 this gives frame 1 moved onto
    frame 0. Coordinates are computed and interpolated in float32 whatever the image's type.

    Args:
        image: Image or features, ``(n, c, h, w)``, any range and floating type.
        flow: Displacement in pixels, ``(n, 2, h, w)``, channel 0 = x.
        padding_mode: What lies outside: ``"zeros"``, or ``"border"`` for the nearest edge pixel.

    Returns:
        The warped image, of the image's shape and type.

    Raises:
        ShapeError: The sizes of image and flow differ.

    Example:
        >>> image = torch.arange(4.0).view(1, 1, 1, 4)
        >>> to_the_right = torch.tensor([1.0, 0.0]).view(1, 2, 1, 1).expand(1, 2, 1, 4)
        >>> backward_warp(image, to_the_right).flatten().tolist()
        [1.0, 2.0, 3.0, 0.0]
    """
    if image.shape[0] != flow.shape[0] or image.shape[-2:] != flow.shape[-2:]:
        raise ShapeError(
            f"backward_warp expects an image (n, c, h, w) and a flow (n, 2, h, w) of one size, "
            f"got {tuple(image.shape)} and {tuple(flow.shape)}"
        )
    grid = sampling_grid(flow)
    warped = F.grid_sample(
        image.to(grid.dtype), grid, mode="bilinear", padding_mode=padding_mode, align_corners=True
    )
    return warped.to(image.dtype)
