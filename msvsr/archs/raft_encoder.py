"""RAFT's encoder: an image becomes features of an eighth of its size."""

from collections.abc import Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import nn

__all__ = ["Encoder", "Norm"]

Norm = Literal["instance", "batch", "none"]


class Encoder(nn.Module):
    """A residual network of three stages; the stem, the second and the third halve the size.

    Args:
        widths: Channels of the three stages; the stem has as many as the first.
        out_channels: Channels of the features.
        norm: What normalises each convolution: each image, the batch, or nothing.
        bottleneck: Use blocks of three cheap convolutions instead of two full ones.

    Source: Teed and Deng, "RAFT: Recurrent All-Pairs Field Transforms for Optical Flow", ECCV 2020;
        parameter names as in princeton-vl/RAFT (BSD-3-Clause).
    """

    def __init__(
        self, widths: Sequence[int], out_channels: int, norm: Norm, *, bottleneck: bool
    ) -> None:
        super().__init__()
        first, second, third = widths
        self.conv1 = nn.Conv2d(3, first, 7, stride=2, padding=3)
        self.norm1 = _make_norm(norm, first)
        self.layer1 = _stage(first, first, 1, norm, bottleneck)
        self.layer2 = _stage(first, second, 2, norm, bottleneck)
        self.layer3 = _stage(second, third, 2, norm, bottleneck)
        self.conv2 = nn.Conv2d(third, out_channels, 1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Encode images.

        Args:
            images: RGB in [-1, 1], ``(n, 3, h, w)``, of the parameters' type.

        Returns:
            Features, ``(n, out_channels, h / 8, w / 8)``.
        """
        x = torch.relu(self.norm1(self.conv1(images)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.conv2(x)  # type: ignore[no-any-return]


class _Block(nn.Module):
    """Normalised convolutions beside a shortcut, which has its own ones where the size changes."""

    def __init__(
        self, before: int, after: int, stride: int, norm: Norm, *, bottleneck: bool
    ) -> None:
        super().__init__()
        plan: tuple[tuple[int, int, int, int], ...]
        if bottleneck:
            narrow = after // 4
            plan = ((before, narrow, 1, 1), (narrow, narrow, 3, stride), (narrow, after, 1, 1))
        else:
            plan = ((before, after, 3, stride), (after, after, 3, 1))
        self._num_convs = len(plan)
        for number, (inputs, outputs, kernel, step) in enumerate(plan, start=1):
            conv = nn.Conv2d(inputs, outputs, kernel, stride=step, padding=kernel // 2)
            self.add_module(f"conv{number}", conv)
            self.add_module(f"norm{number}", _make_norm(norm, outputs))
        self.downsample: nn.Module | None = None
        if stride > 1:
            # checkpoints hold this one under two names
            shortcut_norm = _make_norm(norm, after)
            self.add_module(f"norm{len(plan) + 1}", shortcut_norm)
            self.downsample = nn.Sequential(
                nn.Conv2d(before, after, 1, stride=stride), shortcut_norm
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = x
        for number in range(1, self._num_convs + 1):
            conv, norm = self.get_submodule(f"conv{number}"), self.get_submodule(f"norm{number}")
            y = torch.relu(norm(conv(y)))
        shortcut = x if self.downsample is None else self.downsample(x)
        return torch.relu(shortcut + y)


def _stage(before: int, after: int, stride: int, norm: Norm, bottleneck: bool) -> nn.Sequential:
    return nn.Sequential(
        _Block(before, after, stride, norm, bottleneck=bottleneck),
        _Block(after, after, 1, norm, bottleneck=bottleneck),
    )


def _make_norm(norm: Norm, channels: int) -> nn.Module:
    if norm == "batch":
        return nn.BatchNorm2d(channels)
    if norm == "instance":
        return _InstanceNorm(channels, channels, affine=False)
    return nn.Identity()


class _InstanceNorm(nn.GroupNorm):
    """Instance normalisation by whichever of torch's functions is quicker; the values are the same.

    A group for each channel is several times as fast in channels-last, but its gradient is slower.
    """

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        if input.requires_grad:
            return F.instance_norm(input, eps=self.eps)
        return super().forward(input)
