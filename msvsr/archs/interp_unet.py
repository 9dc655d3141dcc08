"""The small networks inside the quadratic interpolator: a U-Net and two mask networks."""

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn

from msvsr.archs.blocks import LEAKY_SLOPE

__all__ = ["MaskNet", "SmallUNet", "StaticMaskNet", "join"]


def join(parts: Sequence[torch.Tensor], conv: nn.Conv2d) -> torch.Tensor:
    """Put tensors ``(n, c, h, w)`` together over ``c`` for the convolution that takes them.

    Args:
        parts: The tensors, of any floating types and memory layouts.
        conv: The convolution; the result has the type and the layout of its weights.

    Returns:
        The joined tensor.
    """
    weight = conv.weight
    is_channels_last = weight.is_contiguous(memory_format=torch.channels_last)
    layout = torch.channels_last if is_channels_last else torch.contiguous_format
    return torch.cat([part.to(weight.dtype).contiguous(memory_format=layout) for part in parts], 1)


class SmallUNet(nn.Module):
    """Residual flows and a feature from frames, warped frames and flows.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        base_channels: Channels of the finest level; coarser ones have two and four times as many.

    Source: Xu et al., "Quadratic Video Interpolation", NeurIPS 2019; parameter names as in the
        official model.
    """

    def __init__(self, in_channels: int, out_channels: int, base_channels: int = 32) -> None:
        super().__init__()
        c = base_channels
        self.conv1_1 = nn.Conv2d(in_channels, c, 5, padding=2)
        self.conv1_2 = nn.Conv2d(c, c, 3, padding=1)
        self.conv2_1 = nn.Conv2d(c, c, 3, padding=1)
        self.conv2_2 = nn.Conv2d(c, c, 3, padding=1)
        self.down1 = _Down(c, 2 * c, 5)
        self.down2 = _Down(2 * c, 4 * c, 3)
        self.down3 = _Down(4 * c, 4 * c, 3)
        self.up1 = _Up(4 * c, 4 * c)
        self.up2 = _Up(4 * c, 2 * c)
        self.up3 = _Up(2 * c, c)
        self.conv3 = nn.Conv2d(c, c, 3, padding=1)
        self.conv4 = nn.Conv2d(c, out_channels, 3, padding=1)

    def forward(self, *parts: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Map parts of ``in_channels`` together to the output and the feature, ``(n, c, h, w)``.

        The sides are multiples of 16. Both results have the weights' type.
        """
        fine = _activate(self.conv1_1(join(parts, self.conv1_1)))
        fine = _activate(self.conv1_2(fine))
        half = _activate(self.conv2_2(_activate(self.conv2_1(F.avg_pool2d(fine, 2)))))
        quarter = self.down1(half)
        eighth = self.down2(quarter)

        x = self.up1(self.down3(eighth), eighth)
        x = self.up2(x, quarter)
        x = _enlarge(self.up3(x, half))
        feature = _activate(self.conv3(x))
        return self.conv4(feature), feature


class MaskNet(nn.Module):
    """Score of the first warped frame against the second, before the sigmoid.

    Args:
        in_channels: Channels of the input.
        channels: Channels of the two hidden layers.
    """

    def __init__(self, in_channels: int, channels: tuple[int, int] = (32, 16)) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels[0], 5, padding=2)
        self.conv2 = nn.Conv2d(channels[0], channels[1], 3, padding=1)
        self.conv3 = nn.Conv2d(channels[1], 1, 3, padding=1)

    def forward(self, *parts: torch.Tensor) -> torch.Tensor:
        """Map parts of ``in_channels`` together to ``(n, 1, h, w)``, of the weights' type."""
        x = _activate(self.conv1(join(parts, self.conv1)))
        return self.conv3(_activate(self.conv2(x)))  # type: ignore[no-any-return]


class StaticMaskNet(nn.Module):
    """How much of each pixel stands still in both frames, in (0, 1).

    Args:
        in_channels: Channels of the input.
        channels: Channels of the first and of the last two hidden layers.
    """

    def __init__(self, in_channels: int, channels: tuple[int, int] = (32, 16)) -> None:
        super().__init__()
        widths = (in_channels, channels[0], channels[0], channels[1], channels[1])
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers.append(nn.Conv2d(before, after, 3, padding=1))
            layers.append(nn.LeakyReLU(LEAKY_SLOPE, inplace=True))
        self.body = nn.Sequential(*layers, nn.Conv2d(channels[1], 1, 3, padding=1), nn.Sigmoid())

    def forward(self, *parts: torch.Tensor) -> torch.Tensor:
        """Map parts of ``in_channels`` together to ``(n, 1, h, w)``, of the weights' type."""
        first: nn.Conv2d = self.body[0]  # type: ignore[assignment]
        return self.body(join(parts, first))  # type: ignore[no-any-return]


class _Down(nn.Module):
    """Half the size, then two convolutions."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int) -> None:
        super().__init__()
        padding = kernel_size // 2
        self.conv1 = nn.Conv2d(in_channels, out_channels, kernel_size, padding=padding)
        self.conv2 = nn.Conv2d(out_channels, out_channels, kernel_size, padding=padding)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return _activate(self.conv2(_activate(self.conv1(F.avg_pool2d(x, 2)))))


class _Up(nn.Module):
    """Double the size, then join the features of that level."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.conv2 = nn.Conv2d(2 * out_channels, out_channels, 3, padding=1)

    def forward(self, x: torch.Tensor, skipped: torch.Tensor) -> torch.Tensor:
        x = _activate(self.conv1(_enlarge(x)))
        return _activate(self.conv2(torch.cat((x, skipped), dim=1)))


def _activate(x: torch.Tensor) -> torch.Tensor:
    return F.leaky_relu(x, LEAKY_SLOPE, inplace=True)


def _enlarge(x: torch.Tensor) -> torch.Tensor:
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
