"""What all metrics share: which part of an image is compared, and the mean over frames."""

from typing import Literal

import torch

from msvsr.errors import ConfigError, InputError, ShapeError
from msvsr.ops.color import rgb_to_y

__all__ = ["Channels", "FrameMean", "comparable"]

Channels = Literal["rgb", "y"]


def comparable(
    image: torch.Tensor,
    reference: torch.Tensor,
    *,
    channels: Channels,
    crop_border: int,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Check two batches of images and cut out what a metric compares.

    Args:
        image: Image tensors ``(..., 3, h, w)``, RGB, [0, 1].
        reference: Their references, of the same shape.
        channels: ``"rgb"``, or ``"y"`` for the luma of ``rgb_to_y``.
        crop_border: Pixels to leave out at each side.

    Returns:
        Both as ``(n, c, h - 2 * crop_border, w - 2 * crop_border)``, float32 or float64.

    Raises:
        ShapeError: The shapes differ, are no images, or nothing is left after the crop.
        ConfigError: ``channels`` is neither ``"rgb"`` nor ``"y"``.
    """
    if channels not in ("rgb", "y"):
        raise ConfigError(f"channels must be 'rgb' or 'y', got {channels!r}")
    if image.shape != reference.shape or image.ndim < 3 or image.shape[-3] != 3:
        raise ShapeError(
            f"expected two images of one shape (..., 3, h, w), "
            f"got {tuple(image.shape)} and {tuple(reference.shape)}"
        )
    if not 0 <= 2 * crop_border < min(image.shape[-2:]):
        raise ShapeError(f"cannot crop {crop_border} pixels from a {tuple(image.shape)} image")
    first = _prepare(image, channels, crop_border)
    return first, _prepare(reference, channels, crop_border)


def _prepare(image: torch.Tensor, channels: Channels, crop_border: int) -> torch.Tensor:
    if image.dtype != torch.float64:
        image = image.float()
    height, width = image.shape[-2:]
    image = image[..., crop_border : height - crop_border, crop_border : width - crop_border]
    if channels == "y":
        image = rgb_to_y(image)
    return image.reshape(-1, *image.shape[-3:])  # (..., c, h, w) -> (n, c, h, w)


class FrameMean:
    """The mean of a metric over frames that arrive a few at a time.

    It keeps a sum and a count, whatever the number of frames. It can be pickled, so means of
    several processes can be merged.

    Example:
        >>> mean, other = FrameMean(), FrameMean()
        >>> mean.update(torch.tensor([30.0, 32.0]))
        >>> other.update(torch.tensor([34.0]))
        >>> mean.merge(other)
        >>> mean.compute(), mean.num_frames
        (32.0, 3)
    """

    def __init__(self) -> None:
        self._sum = 0.0
        self.num_frames = 0

    def update(self, values: torch.Tensor) -> None:
        """Add one value per frame, in a tensor of any shape."""
        self._sum += float(values.double().sum())
        self.num_frames += values.numel()

    def merge(self, other: "FrameMean") -> None:
        """Add the frames of another mean, for instance one that came from another process."""
        self._sum += other._sum
        self.num_frames += other.num_frames

    def compute(self) -> float:
        """Return the mean over all frames.

        Raises:
            InputError: No frame was added yet.
        """
        if not self.num_frames:
            raise InputError("no frame was added, so there is no mean; call update first")
        return self._sum / self.num_frames
