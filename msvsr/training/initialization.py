"""Initial weights with which deep residual networks start close to the identity."""

import torch
from torch import nn

from msvsr.archs.blocks import ResidualBlock
from msvsr.archs.realbasicvsr import RealBasicVSRNet

__all__ = ["initialize"]

_RESIDUAL_SCALE = 0.1


def initialize(network: RealBasicVSRNet, seed: int) -> None:
    """Draw the weights of a network in place.

    He's normal initialisation; what is added to a residual path starts at a tenth of it, and the
    flow of each level starts near zero. Biases are zero.

    Args:
        network: The network.
        seed: The same seed gives the same weights.

    Source: the scale is that of mmediting (Apache-2.0) after ESRGAN.
    """
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=generator)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    with torch.no_grad():
        for weight in _residual_weights(network):
            weight.mul_(_RESIDUAL_SCALE)


def _residual_weights(network: RealBasicVSRNet) -> list[torch.Tensor]:
    """Weights of the last convolution on each path that is added to something."""
    convolutions = [_last_convolution(network.image_cleaning), network.basicvsr.conv_last]
    for module in network.modules():
        if isinstance(module, ResidualBlock):
            convolutions += [module.conv1, module.conv2]
    convolutions += [_last_convolution(each) for each in network.basicvsr.spynet.basic_module]
    return [convolution.weight for convolution in convolutions]


def _last_convolution(module: nn.Module) -> nn.Conv2d:
    return [each for each in module.modules() if isinstance(each, nn.Conv2d)][-1]
