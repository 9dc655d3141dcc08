"""VGG19 as a source of features that say how alike two images look."""

from collections.abc import Sequence
from os import PathLike

import torch
from torch import nn

from msvsr.archs.torchvision_files import load_torchvision_weights
from msvsr.errors import ConfigError, ShapeError

__all__ = ["VGG19_FILE", "VGG19_LAYERS", "VGG19Features", "load_vgg19"]

VGG19_FILE = "vgg19-dcbb9e9d.pth"
"""Name of torchvision's file (``VGG19_Weights.IMAGENET1K_V1``)."""

VGG19_LAYERS = (2, 7, 16, 25, 34)
"""The last convolution of each stage, before its activation: conv1_2, 2_2, 3_4, 4_4 and 5_4."""

_STAGES = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4))  # channels, convolutions
_NUM_LAYERS = 37
_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_STD = (0.229, 0.224, 0.225)


class VGG19Features(nn.Module):
    """The convolutions of VGG19 up to the deepest layer that is asked for.

    Layers are counted as in torchvision: each convolution, activation and pooling is one. The
    parameters are frozen; gradients flow to the images.

    Args:
        layers: Which layers' output to return, in this order.

    Attributes:
        layers: The same.
        size_min: Smallest height and width of an image.

    Raises:
        ConfigError: There are no such layers.

    Source: Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image
        Recognition", ICLR 2015, configuration E; parameter names as in torchvision (BSD-3-Clause).
    """

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, layers: Sequence[int] = VGG19_LAYERS) -> None:
        super().__init__()
        self.layers = tuple(layers)
        known = all(0 <= layer < _NUM_LAYERS for layer in self.layers)
        if not self.layers or not known or len(set(self.layers)) != len(self.layers):
            raise ConfigError(
                f"layers of VGG19 must be different numbers from 0 to {_NUM_LAYERS - 1}, "
                f"got {self.layers}"
            )
        self.features = _make_features(self.layers)
        self.size_min = 2 ** sum(isinstance(each, nn.MaxPool2d) for each in self.features)
        self.register_buffer("mean", torch.tensor(_IMAGENET_MEAN).view(1, 3, 1, 1), False)
        self.register_buffer("std", torch.tensor(_IMAGENET_STD).view(1, 3, 1, 1), False)
        self.requires_grad_(False)

    def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
        """Compute features.

        Args:
            images: RGB in [0, 1], ``(n, 3, h, w)``; they are normalised as ImageNet's here.

        Returns:
            Each layer's output, in the order of `layers`.

        Raises:
            ShapeError: The images are too small for the poolings.
        """
        if min(images.shape[-2:]) < self.size_min:
            raise ShapeError(
                f"images of at least {self.size_min} pixels a side expected for VGG19 up to layer "
                f"{max(self.layers)}, got {tuple(images.shape)}: take larger crops"
            )
        x = (images - self.mean) / self.std
        found = {}
        for number, layer in enumerate(self.features):
            x = layer(x)
            if number in self.layers:
                found[number] = x
        return [found[number] for number in self.layers]


def load_vgg19(
    path: str | PathLike[str] | None = None, layers: Sequence[int] = VGG19_LAYERS
) -> VGG19Features:
    """Make the network with torchvision's weights, which were trained on ImageNet.

    Args:
        path: The file ``vgg19-dcbb9e9d.pth`` or its folder; by default torch's hub cache.
        layers: Which layers' output the network returns.

    Raises:
        CheckpointError: The file is missing, damaged, or holds something else.
        ConfigError: There are no such layers.
    """
    network = VGG19Features(layers)
    load_torchvision_weights(network, VGG19_FILE, path)
    return network


def _make_features(wanted: tuple[int, ...]) -> nn.Sequential:
    """Layers under torchvision's numbers; no activation overwrites an output that is wanted."""
    layers: list[nn.Module] = []
    channels = 3
    for width, num_convs in _STAGES:
        for _ in range(num_convs):
            layers.append(nn.Conv2d(channels, width, 3, padding=1))
            layers.append(nn.ReLU(inplace=len(layers) - 1 not in wanted))
            channels = width
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers[: max(wanted) + 1])
