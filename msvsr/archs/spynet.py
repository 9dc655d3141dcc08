"""SPyNet: optical flow from coarse to fine with one small network per pyramid level."""

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn

from msvsr.ops.warp import backward_warp

__all__ = ["SPyNet"]


class SPyNet(nn.Module):
    """Optical flow between two images.

    The published network has six levels, kernels of 7 and 32, 64, 32, 16 channels. Smaller values
    give the light network of the embedded model, which also stops at half the image size.

    Args:
        channels: Channels of the hidden layers of each level's network.
        kernel_size: Kernel size of every convolution, odd.
        num_levels: Number of pyramid levels, each half the size of the next.
        finest_level: Where estimation stops: 0 at the image size, 1 at half of it, and so on.

    Source: Ranjan and Black, "Optical Flow Estimation using a Spatial Pyramid Network", CVPR 2017;
        parameter names as in mmediting (Apache-2.0).
    """

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(
        self,
        channels: Sequence[int] = (32, 64, 32, 16),
        kernel_size: int = 7,
        num_levels: int = 6,
        finest_level: int = 0,
    ) -> None:
        super().__init__()
        self.basic_module = nn.ModuleList(
            _LevelNetwork(channels, kernel_size) for _ in range(num_levels)
        )
        self.finest_level = finest_level
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1))

    @property
    def size_multiple(self) -> int:
        """Images are resized to a multiple of this many pixels, so that every level fits."""
        return int(2 ** (len(self.basic_module) - 1 + self.finest_level))

    def forward(self, reference: torch.Tensor, neighbour: torch.Tensor) -> torch.Tensor:
        """Estimate the flow from one image to another.

        Args:
            reference: RGB in [0, 1], ``(n, 3, h, w)``.
            neighbour: RGB in [0, 1], ``(n, 3, h, w)``.

        Returns:
            Displacement from reference to neighbour in pixels, ``(n, 2, h, w)``, channel 0 = x.
        """
        height, width = reference.shape[-2:]
        padded = tuple(
            -(-side // self.size_multiple) * self.size_multiple for side in (height, width)
        )
        flow = self._coarse_to_fine(
            self._pyramid(_resize(reference, padded)), self._pyramid(_resize(neighbour, padded))
        )
        estimated_height, estimated_width = flow.shape[-2:]
        flow = _resize(flow, (height, width))
        ratio = flow.new_tensor([width / estimated_width, height / estimated_height])
        return flow * ratio.view(1, 2, 1, 1)

    def _pyramid(self, image: torch.Tensor) -> list[torch.Tensor]:
        """Normalised images from the coarsest level to the finest."""
        image = (image - self.mean) / self.std
        for _ in range(self.finest_level):
            image = F.avg_pool2d(image, 2)
        levels = [image]
        for _ in self.basic_module[1:]:
            levels.append(F.avg_pool2d(levels[-1], 2))
        return levels[::-1]

    def _coarse_to_fine(
        self, references: list[torch.Tensor], neighbours: list[torch.Tensor]
    ) -> torch.Tensor:
        n, _, height, width = references[0].shape
        flow = references[0].new_zeros(n, 2, height, width)
        for level, network in enumerate(self.basic_module):
            if level > 0:
                flow = 2.0 * F.interpolate(
                    flow, scale_factor=2, mode="bilinear", align_corners=True
                )
            warped = backward_warp(neighbours[level], flow, padding_mode="border")
            flow = flow + network(torch.cat((references[level], warped, flow), dim=1))
        return flow


class _LevelNetwork(nn.Module):
    """Residual flow of one level from reference, warped neighbour and upsampled flow."""

    def __init__(self, channels: Sequence[int], kernel_size: int) -> None:
        super().__init__()
        widths = (8, *channels, 2)
        self.basic_module = nn.Sequential(
            *(_NamedConv(before, after, kernel_size) for before, after in pairwise(widths))
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        *hidden, last = self.basic_module
        for layer in hidden:
            x = F.relu(layer(x), inplace=True)
        return last(x)  # type: ignore[no-any-return]


class _NamedConv(nn.Module):
    """A convolution under the name ``conv``, as the published checkpoints have it."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size, padding=kernel_size // 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(x)  # type: ignore[no-any-return]


def _resize(image: torch.Tensor, size: tuple[int, ...]) -> torch.Tensor:
    if tuple(image.shape[-2:]) == size:
        return image
    return F.interpolate(image, size=size, mode="bilinear", align_corners=False)
