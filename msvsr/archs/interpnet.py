"""InterpNet: a frame at any instant between two others, from flow and quadratic motion."""

import torch
from torch import nn

from msvsr.archs.ifnet import IFNet
from msvsr.archs.quadratic import Number, QuadraticInterpolator, Synthesis, quadratic_flows
from msvsr.errors import ShapeError

__all__ = ["CHANNEL_MEANS", "DERIVED_KEYS", "InterpNet", "Synthesis"]

CHANNEL_MEANS = (0.429, 0.431, 0.397)
"""Means of red, green and blue that are taken off before the networks see an image."""

DERIVED_KEYS: tuple[str, ...] = (
    "attn_mask",
    "attn_mask_x",
    "attn_mask_y",
    "relative_position_index",
    "lpfilter.weight_lpf",
    "get_grad.weight_h",
    "get_grad.weight_v",
)
"""Endings of names in official checkpoints that hold no weights: masks, indices, fixed kernels."""


class InterpNet(nn.Module):
    """Flow refinement and quadratic interpolation between frames 1 and 2 of 0, 1, 2, 3.

    The defaults are the official network. Images are RGB in [0, 1] and flows are in pixels of the
    images they belong to. Weights may be in half precision; images and flows stay in float32.

    Args:
        refiner_channels: Channels of the flow refinement blocks, coarse to fine; none leaves the
            refinement out, fewer than three leave out the finest.
        attention: Whether refinement has transformer layers.
        base_channels: Channels of the finest level of the U-Net.
        mask_channels: Channels of the hidden layers of both mask networks.

    Source: Xu et al., "Quadratic Video Interpolation", NeurIPS 2019, and the model card of
        ``damo/cv_raft_video-frame-interpolation_practical``, whose parameter names are kept.
    """

    multiple = 32

    def __init__(
        self,
        *,
        refiner_channels: tuple[int, ...] = (128, 64, 32),
        attention: bool = True,
        base_channels: int = 32,
        mask_channels: tuple[int, int] = (32, 16),
    ) -> None:
        super().__init__()
        self.ifnet = IFNet(refiner_channels, attention=attention) if refiner_channels else None
        self.internet = QuadraticInterpolator(base_channels, mask_channels)

    def forward(
        self,
        image_1: torch.Tensor,
        image_2: torch.Tensor,
        flow_12: torch.Tensor,
        flow_21: torch.Tensor,
        timestep: Number,
        flow_10: torch.Tensor | None = None,
        flow_23: torch.Tensor | None = None,
    ) -> Synthesis:
        """Refine the inner flows and make the frame; see `refine` and `synthesize`."""
        flow_12, flow_21 = self.refine(image_1, image_2, flow_12, flow_21)
        return self.synthesize(image_1, image_2, flow_12, flow_21, timestep, flow_10, flow_23)

    def refine(
        self,
        image_1: torch.Tensor,
        image_2: torch.Tensor,
        flow_12: torch.Tensor,
        flow_21: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Refine the flows between two frames; they do not depend on the instant.

        Args:
            image_1: RGB in [0, 1], ``(n, 3, h, w)``, sides multiples of 32.
            image_2: The frame after it.
            flow_12: Displacement from the first to the second in pixels, ``(n, 2, h, w)``.
            flow_21: The opposite direction.

        Returns:
            The refined flows.

        Raises:
            ShapeError: A size does not fit.
        """
        _check_sizes(image_1, image_2, flow_12, flow_21)
        if self.ifnet is None:
            return flow_12, flow_21
        means = _means_like(image_1)
        return self.ifnet(image_1 - means, image_2 - means, flow_12, flow_21)  # type: ignore[no-any-return]

    def synthesize(
        self,
        image_1: torch.Tensor,
        image_2: torch.Tensor,
        flow_12: torch.Tensor,
        flow_21: torch.Tensor,
        timestep: Number,
        flow_10: torch.Tensor | None = None,
        flow_23: torch.Tensor | None = None,
        *,
        length_before: Number = 1.0,
        length_after: Number = 1.0,
        half_images: tuple[torch.Tensor, torch.Tensor] | None = None,
    ) -> Synthesis:
        """Make the frame at an instant between frames 1 and 2.

        Motion is quadratic when both outer flows are there and linear otherwise. With
        ``half_images`` the networks run at half the size: all flows then belong to those, and the
        frame is put together at the full size.

        Args:
            image_1: RGB in [0, 1], ``(n, 3, h, w)``, sides multiples of 32, or of 64 with
                ``half_images``.
            image_2: The frame after it.
            flow_12: Displacement from frame 1 to 2 in pixels, refined.
            flow_21: The opposite direction, refined.
            timestep: In (0, 1); a number or one per sample, ``(n, 1, 1, 1)``.
            flow_10: Displacement from frame 1 to the frame before it.
            flow_23: Displacement from frame 2 to the frame after it.
            length_before: Time from frame 0 to 1 over the time from 1 to 2; as ``timestep``.
            length_after: Time from frame 2 to 3 over the time from 1 to 2.
            half_images: Both frames at half the size, ``(n, 3, h / 2, w / 2)``.

        Returns:
            The frame and what it was made from, all of the size of the images.

        Raises:
            ShapeError: A size does not fit.
        """
        working = half_images or (image_1, image_2)
        _check_sizes(*working, flow_12, flow_21, flow_10, flow_23)
        if half_images:
            _check_halves(image_1, image_2, working[0])
        flows = quadratic_flows(
            (flow_12, flow_21), (flow_10, flow_23), timestep, (length_before, length_after)
        )
        means = _means_like(image_1)
        images = torch.stack((image_1, image_2), dim=1) - means
        halves = torch.stack(half_images, dim=1) - means if half_images else None
        inner = torch.stack((flow_12, flow_21), dim=1)
        made: Synthesis = self.internet(images, inner, flows, timestep, halves)
        return made._replace(frame=made.frame + means)


def _means_like(image: torch.Tensor) -> torch.Tensor:
    return image.new_tensor(CHANNEL_MEANS).view(3, 1, 1)


def _check_sizes(image: torch.Tensor, *others: torch.Tensor | None) -> None:
    multiple = InterpNet.multiple
    size = tuple(image.shape[-2:])
    if size[0] % multiple or size[1] % multiple:
        raise ShapeError(
            f"InterpNet expects sides that are multiples of {multiple}, got {size}: pad the images"
        )
    for other in others:
        if other is not None and tuple(other.shape[-2:]) != size:
            raise ShapeError(
                f"InterpNet expects images and flows of one size, "
                f"got {size} and {tuple(other.shape[-2:])}"
            )


def _check_halves(image_1: torch.Tensor, image_2: torch.Tensor, half: torch.Tensor) -> None:
    expected = tuple(2 * side for side in half.shape[-2:])
    for image in (image_1, image_2):
        if tuple(image.shape[-2:]) != expected:
            raise ShapeError(
                f"half_images must have half the size of the images, "
                f"got {tuple(half.shape[-2:])} for {tuple(image.shape[-2:])}"
            )
