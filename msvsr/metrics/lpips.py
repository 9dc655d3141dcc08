"""LPIPS: how different two images look to a network; lower is more alike."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

import numpy as np
import torch
from torch import nn

from msvsr.archs.alexnet import STAGE_CHANNELS, AlexNetFeatures
from msvsr.archs.torchvision_files import load_torchvision_weights
from msvsr.errors import CheckpointError, ShapeError
from msvsr.metrics.images import comparable

__all__ = ["ALEXNET_FILE", "Lpips", "load_lpips", "lpips"]

ALEXNET_FILE = "alexnet-owt-7be5be79.pth"
_LINEAR_FILE = Path(__file__).with_name("lpips_alex.npz")
_MIN_SIDE = 31
# What the authors take away from values in [-1, 1] and divide them by, per channel.
_SHIFT = (-0.030, -0.088, -0.188)
_SCALE = (0.458, 0.448, 0.450)
_EPSILON = 1e-10


class Lpips(nn.Module):
    """The network of LPIPS v0.1: the features of AlexNet and a weight for each of them.

    Args:
        trunk: AlexNet, with weights.
        linear: The weights of the features of each stage, ``(c,)`` each, not negative.

    Raises:
        CheckpointError: The weights are not those of five stages.

    Source: Zhang, Isola, Efros, Shechtman, Wang, "The unreasonable effectiveness of deep features
        as a perceptual metric", CVPR 2018; constants of its package, BSD-2-Clause.
    """

    shift: torch.Tensor
    scale: torch.Tensor

    def __init__(self, trunk: AlexNetFeatures, linear: Sequence[torch.Tensor]) -> None:
        super().__init__()
        shapes = [tuple(weight.shape) for weight in linear]
        if shapes != [(channels,) for channels in STAGE_CHANNELS]:
            raise CheckpointError(
                f"LPIPS weighs the features of five stages of {STAGE_CHANNELS} channels, "
                f"got weights of {shapes}"
            )
        self.trunk = trunk
        self.linear = nn.ParameterList(linear)
        self.register_buffer("shift", torch.tensor(_SHIFT).view(1, 3, 1, 1))
        self.register_buffer("scale", torch.tensor(_SCALE).view(1, 3, 1, 1))
        self.requires_grad_(requires_grad=False).eval()

    def forward(self, image: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:
        """Compare images of one size.

        Each stage's features are scaled to unit length at each position; LPIPS is the sum over the
        stages of the mean over positions of ``sum_c weight_c (image_c - reference_c)^2``.

        Args:
            image: RGB ``(n, 3, h, w)`` in [0, 1], of the network's type and on its device.
            reference: Their references, of the same shape.

        Returns:
            One value per image, ``(n,)``.
        """
        both = (torch.cat((image, reference)) * 2 - 1 - self.shift) / self.scale
        total = image.new_zeros(len(image))
        for stage, weight in zip(self.trunk(both), self.linear, strict=True):
            first, second = (stage / (stage.norm(dim=1, keepdim=True) + _EPSILON)).chunk(2)
            difference = (first - second).square().mean(dim=(-2, -1))  # (n, c)
            total = total + difference @ weight
        return total


def lpips(image: torch.Tensor, reference: torch.Tensor, network: Lpips) -> torch.Tensor:
    """Compare how each image and its reference look to a network.

    Args:
        image: Image tensors ``(..., 3, h, w)``, RGB, [0, 1], at least 31 pixels a side.
        reference: Their references, of the same shape.
        network: What ``load_lpips`` gives; it computes on its own device and in its own type.

    Returns:
        One value per image, ``(n,)``, on the CPU; 0 for equal images, lower is more alike.

    Raises:
        ShapeError: The shapes differ, are no images, or are too small for the network.

    Source:
        Zhang, Isola, Efros, Shechtman, Wang, "The unreasonable effectiveness of deep features as a
        perceptual metric", CVPR 2018.

    Example:
        >>> network = Lpips(AlexNetFeatures(), [torch.ones(c) for c in STAGE_CHANNELS])
        >>> image = torch.rand(1, 3, 32, 40)
        >>> lpips(image, image, network)
        tensor([0.])
    """
    image, reference = comparable(image, reference, channels="rgb", crop_border=0)
    if min(image.shape[-2:]) < _MIN_SIDE:
        raise ShapeError(
            f"LPIPS needs {_MIN_SIDE} pixels a side, got {tuple(image.shape[-2:])}; "
            f"give larger images"
        )
    shift = network.shift
    with torch.no_grad(), torch.autocast(shift.device.type, enabled=False):
        values: torch.Tensor = network(image.to(shift), reference.to(shift))
    return values.cpu()


def load_lpips(weights: str | PathLike[str] | None = None) -> Lpips:
    """Make the network of LPIPS v0.1 from the published weights; nothing is downloaded.

    The weights of the features come with msvsr. Those of AlexNet are torchvision's
    ``AlexNet_Weights.IMAGENET1K_V1``, the file ``alexnet-owt-7be5be79.pth``.

    Args:
        weights: That file, or a folder that may hold it. Without it the file is taken from the
            cache of torch's hub, where torchvision and the package of LPIPS put it too.

    Returns:
        The network on the CPU, in float32, ready for ``lpips``.

    Raises:
        CheckpointError: There is no such file, or it holds something else.
    """
    with torch.device("meta"):  # no random weights, so no step of the random generator
        trunk = AlexNetFeatures()
    trunk.to_empty(device="cpu")
    load_torchvision_weights(trunk, ALEXNET_FILE, weights)
    return Lpips(trunk, _read_linear())


def _read_linear() -> list[torch.Tensor]:
    with np.load(_LINEAR_FILE, allow_pickle=False) as arrays:
        return [torch.from_numpy(arrays[f"stage{n}"]) for n in range(len(STAGE_CHANNELS))]
