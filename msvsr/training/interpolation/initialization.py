"""Initial weights with which an interpolator begins as plain warping and averaging."""

import torch
from torch import nn

from msvsr.archs.interpnet import InterpNet

__all__ = ["start_as_warping"]

_STATIC_BIAS = -1.5
"""Little is taken to stand still at first; far below, the sigmoid would hardly pass a gradient."""


@torch.no_grad()
def start_as_warping(network: InterpNet) -> None:
    """Silence what a fresh interpolator adds to the flows it is given, in place.

    Flows are left as they are, both frames count the same, and little is taken to stand still.

    Args:
        network: The interpolator; the last layers of its parts are changed.
    """
    parts: list[nn.Module] = [network.internet.refinenet.conv4, network.internet.masknet.conv3]
    if network.ifnet is not None:
        parts += [block.get_submodule("conv2") for block in network.ifnet.children()]
    for convolution in parts:
        _silence(convolution)
    last = next(x for x in reversed(network.internet.staticnet.body) if isinstance(x, nn.Conv2d))
    _silence(last, _STATIC_BIAS)


def _silence(convolution: nn.Module, bias: float = 0.0) -> None:
    for parameter, value in zip(convolution.parameters(), (0.0, bias), strict=True):
        parameter.fill_(value)
