"""The convolutions of AlexNet, whose features LPIPS compares."""

import torch
from torch import nn

__all__ = ["STAGE_CHANNELS", "AlexNetFeatures"]

STAGE_CHANNELS = (64, 192, 384, 256, 256)


class AlexNetFeatures(nn.Module):
    """The five convolution stages of AlexNet in its form of one column, without the classifier.

    It has no weights of its own to offer: torchvision's ``AlexNet_Weights.IMAGENET1K_V1`` fit.

    Source: Krizhevsky, "One weird trick for parallelizing convolutional neural networks", arXiv
        1404.5997; parameter names as in torchvision (BSD-3-Clause).

    Example:
        >>> stages = AlexNetFeatures()(torch.rand(1, 3, 64, 64))
        >>> [tuple(stage.shape) for stage in stages[:2]]
        [(1, 64, 15, 15), (1, 192, 7, 7)]
    """

    def __init__(self) -> None:
        super().__init__()
        first, second, third, fourth, fifth = STAGE_CHANNELS
        self.features = nn.Sequential(
            nn.Conv2d(3, first, kernel_size=11, stride=4, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(kernel_size=3, stride=2),
            nn.Conv2d(first, second, kernel_size=5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(kernel_size=3, stride=2),
            nn.Conv2d(second, third, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.Conv2d(third, fourth, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.Conv2d(fourth, fifth, kernel_size=3, padding=1),
            nn.ReLU(),
        )

    def forward(self, image: torch.Tensor) -> list[torch.Tensor]:
        """Give what each stage finds.

        Args:
            image: Normalised RGB ``(n, 3, h, w)``, at least 31 pixels a side.

        Returns:
            The output of each ReLU, five tensors ``(n, c, h', w')`` from fine to coarse.
        """
        stages = []
        for layer in self.features:
            image = layer(image)
            if isinstance(layer, nn.ReLU):
                stages.append(image)
        return stages
