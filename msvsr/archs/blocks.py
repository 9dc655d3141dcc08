"""Building blocks that BasicVSR and RealBasicVSR share."""

import torch
import torch.nn.functional as F
from torch import nn

__all__ = ["LEAKY_SLOPE", "PixelShufflePack", "ResidualBlock", "ResidualBlocksWithInputConv"]

LEAKY_SLOPE = 0.1
"""Negative slope of every leaky ReLU in these networks."""


class ResidualBlock(nn.Module):
    """``x + conv(relu(conv(x)))``, without normalisation.

    Args:
        num_channels: Channels in and out.

    Source: EDSR (Lim et al., CVPR workshops 2017), as used by BasicVSR.
    """

    def __init__(self, num_channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(num_channels, num_channels, 3, padding=1)
        self.conv2 = nn.Conv2d(num_channels, num_channels, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Refine features ``(n, c, h, w)``; the shape stays."""
        return x + self.conv2(F.relu(self.conv1(x), inplace=True))  # type: ignore[no-any-return]


class ResidualBlocksWithInputConv(nn.Module):
    """A convolution that sets the number of channels, then a stack of residual blocks.

    Args:
        in_channels: Channels of the input.
        num_channels: Channels of the features.
        num_blocks: How many residual blocks.

    Attributes:
        receptive_radius: How many pixels away an input pixel still changes an output pixel.
    """

    def __init__(self, in_channels: int, num_channels: int, num_blocks: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(in_channels, num_channels, 3, padding=1),
            nn.LeakyReLU(LEAKY_SLOPE, inplace=True),
            nn.Sequential(*(ResidualBlock(num_channels) for _ in range(num_blocks))),
        )
        self.receptive_radius = 1 + 2 * num_blocks

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map ``(n, in_channels, h, w)`` to ``(n, num_channels, h, w)``."""
        return self.main(x)  # type: ignore[no-any-return]


class PixelShufflePack(nn.Module):
    """Sub-pixel convolution: double the size of a feature map.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.

    Source: ESPCN (Shi et al., CVPR 2016).
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.upsample_conv = nn.Conv2d(in_channels, out_channels * 4, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map ``(n, in_channels, h, w)`` to ``(n, out_channels, 2h, 2w)``."""
        return F.pixel_shuffle(self.upsample_conv(x), 2)
