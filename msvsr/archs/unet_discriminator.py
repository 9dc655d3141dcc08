"""The U-Net discriminator with spectral normalisation: says of each pixel how real it looks."""

import re
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import nn

from msvsr.errors import ConfigError, ShapeError

__all__ = ["SpectralNormConv2d", "UNetDiscriminator", "discriminator_weights"]

_SLOPE = 0.2
_EPSILON = 1e-12  # under the norm of a vector, as in torch
_NUM_FIRST_ITERATIONS = 15
_SIZE_MULTIPLE = 8
_KEY = re.compile(r"(?:module\.)?conv_?(\d\.\w+)")


class SpectralNormConv2d(nn.Module):
    """A convolution without bias whose weight is divided by its largest singular value.

    The singular value is that of the weight as a matrix of ``out_channels`` rows. In training, each
    forward pass refines its two vectors by one power iteration; in evaluation they stay.

    This is `torch.nn.utils.spectral_norm` with its parameter names, those of the published
    weights. It differs in three ways: the vectors start from several iterations instead of at
    random, the norm stays in float32 under autocast, and the module can be copied at any time.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        kernel_size: Side of the kernel.
        stride: Step of the kernel; one pixel is added at each side.

    Source: Miyato et al., "Spectral Normalization for Generative Adversarial Networks", ICLR 2018.
    """

    weight_u: torch.Tensor
    weight_v: torch.Tensor

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int = 3, stride: int = 1
    ) -> None:
        super().__init__()
        self.stride = stride
        weight = torch.empty(out_channels, in_channels, kernel_size, kernel_size)
        nn.init.kaiming_uniform_(weight, a=5**0.5)  # as nn.Conv2d does
        self.weight_orig = nn.Parameter(weight)
        self.register_buffer("weight_u", F.normalize(torch.randn(out_channels), dim=0))
        self.register_buffer("weight_v", F.normalize(torch.randn(weight[0].numel()), dim=0))
        self._iterate(_NUM_FIRST_ITERATIONS)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map ``(n, in_channels, h, w)`` to ``(n, out_channels, h / stride, w / stride)``."""
        return F.conv2d(x, self.normalized_weight(), stride=self.stride, padding=1)

    def normalized_weight(self) -> torch.Tensor:
        """The weight over its largest singular value; refines that value first in training."""
        with torch.autocast(self.weight_orig.device.type, enabled=False):
            if self.training:
                self._iterate(1)
            # Copies: the next pass changes the vectors before this one's gradient is computed.
            u, v = self.weight_u.clone(), self.weight_v.clone()
            return self.weight_orig / torch.dot(u, self.weight_orig.flatten(1) @ v)

    @torch.no_grad()
    def _iterate(self, num_iterations: int) -> None:
        matrix = self.weight_orig.flatten(1)  # (out_channels, in_channels * k * k)
        for _ in range(num_iterations):
            self.weight_v.copy_(F.normalize(matrix.t() @ self.weight_u, dim=0, eps=_EPSILON))
            self.weight_u.copy_(F.normalize(matrix @ self.weight_v, dim=0, eps=_EPSILON))


class UNetDiscriminator(nn.Module):
    """A U-Net of three levels with a logit for each pixel.

    Args:
        num_channels: Channels at the image size; each halving of the size doubles them.
        in_channels: Channels of the image.

    Raises:
        ConfigError: A number of channels is less than 1.

    Source: Wang et al., "Real-ESRGAN: Training Real-World Blind Super-Resolution with Pure
        Synthetic Data", ICCV workshops 2021; parameter names as in BasicSR (Apache-2.0).
    """

    def __init__(self, num_channels: int = 64, in_channels: int = 3) -> None:
        super().__init__()
        if min(num_channels, in_channels) < 1:
            raise ConfigError(
                f"a discriminator needs num_channels and in_channels of at least 1, "
                f"got {num_channels} and {in_channels}"
            )
        c = num_channels
        self.conv0 = nn.Conv2d(in_channels, c, 3, padding=1)
        self.conv1 = SpectralNormConv2d(c, 2 * c, 4, stride=2)
        self.conv2 = SpectralNormConv2d(2 * c, 4 * c, 4, stride=2)
        self.conv3 = SpectralNormConv2d(4 * c, 8 * c, 4, stride=2)
        self.conv4 = SpectralNormConv2d(8 * c, 4 * c)
        self.conv5 = SpectralNormConv2d(4 * c, 2 * c)
        self.conv6 = SpectralNormConv2d(2 * c, c)
        self.conv7 = SpectralNormConv2d(c, c)
        self.conv8 = SpectralNormConv2d(c, c)
        self.conv9 = nn.Conv2d(c, 1, 3, padding=1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Judge images.

        Args:
            images: RGB in [0, 1], ``(n, 3, h, w)``, sides divisible by 8.

        Returns:
            Logits, positive where a pixel looks real, ``(n, 1, h, w)``.

        Raises:
            ShapeError: A side is not divisible by 8.
        """
        if any(side % _SIZE_MULTIPLE for side in images.shape[-2:]):
            raise ShapeError(
                f"images with sides divisible by {_SIZE_MULTIPLE} expected by the discriminator, "
                f"got {tuple(images.shape)}: crop them"
            )
        whole = _activate(self.conv0(images))  # (n, c, h, w)
        half = _activate(self.conv1(whole))  # (n, 2c, h / 2, w / 2)
        quarter = _activate(self.conv2(half))  # (n, 4c, h / 4, w / 4)
        x = _activate(self.conv3(quarter))  # (n, 8c, h / 8, w / 8)
        x = _activate(self.conv4(_double(x))) + quarter
        x = _activate(self.conv5(_double(x))) + half
        x = _activate(self.conv6(_double(x))) + whole
        x = _activate(self.conv8(_activate(self.conv7(x))))
        return self.conv9(x)  # type: ignore[no-any-return]


def discriminator_weights(weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Take the weights of a `UNetDiscriminator` out of a file of another project.

    Real-ESRGAN calls the layers ``conv0`` and so on, as they are called here; mmediting calls them
    ``discriminator.conv_0`` and keeps them beside the generator, which is left out.

    Args:
        weights: Tensors by name, as a file holds them.

    Returns:
        Weights by the names of `UNetDiscriminator`; empty where there are none.

    Example:
        >>> names = ("discriminator.conv_1.weight_orig", "generator.conv_1.weight")
        >>> list(discriminator_weights(dict.fromkeys(names, torch.ones(1))))
        ['conv1.weight_orig']
    """
    found = {}
    for name, value in weights.items():
        match = _KEY.fullmatch(name.removeprefix("discriminator."))
        if match:
            found[f"conv{match[1]}"] = value
    return found


def _activate(x: torch.Tensor) -> torch.Tensor:
    return F.leaky_relu(x, _SLOPE, inplace=True)


def _double(x: torch.Tensor) -> torch.Tensor:
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
