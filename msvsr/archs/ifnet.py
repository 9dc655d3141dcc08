"""IFNet: refine the flows between two frames from coarse to fine."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import nn

from msvsr.archs.interp_unet import join
from msvsr.archs.window_attention import WindowTransformer
from msvsr.errors import ConfigError
from msvsr.ops.warp import backward_warp

__all__ = ["IFNet"]

_SCALES = (4, 2, 1)
_IN_CHANNELS = 16  # both frames, both warped frames, both flows


class IFNet(nn.Module):
    """Flows between two frames, made better where the warped frames disagree.

    Args:
        channels: Channels of the blocks, which work at a quarter, half and all of the size; fewer
            than three numbers leave out the finest.
        attention: Whether all blocks after the first have transformer layers.

    Raises:
        ConfigError: There are more than three numbers.

    Source: Huang et al., "Real-Time Intermediate Flow Estimation for Video Frame Interpolation",
        ECCV 2022; parameter names as in ``interpnet.pt`` of the official model.
    """

    def __init__(self, channels: Sequence[int] = (128, 64, 32), *, attention: bool = True) -> None:
        super().__init__()
        if len(channels) > len(_SCALES):
            raise ConfigError(
                f"IFNet expects at most {len(_SCALES)} numbers of channels, got {tuple(channels)}"
            )
        self.num_blocks = len(channels)
        for number, (width, scale) in enumerate(zip(channels, _SCALES, strict=False)):
            kind = _TransformerBlock if attention and number > 0 else _ConvBlock
            self.add_module(f"block{number + 1}", kind(width, scale))

    def forward(
        self,
        image_1: torch.Tensor,
        image_2: torch.Tensor,
        flow_12: torch.Tensor,
        flow_21: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Refine both flows.

        Args:
            image_1: RGB less the channel means, ``(n, 3, h, w)``, sides multiples of 32.
            image_2: The other frame.
            flow_12: Displacement from the first frame to the second, ``(n, 2, h, w)``.
            flow_21: The opposite direction.

        Returns:
            The refined flows.
        """
        n, _, h, w = image_1.shape
        images = torch.cat((image_1, image_2), dim=1)
        targets = torch.stack((image_2, image_1), dim=1).flatten(0, 1)  # (2n, 3, h, w)
        flows = torch.cat((flow_12, flow_21), dim=1)
        for number in range(self.num_blocks):
            warped = backward_warp(targets, flows.reshape(2 * n, 2, h, w), padding_mode="border")
            block = self.get_submodule(f"block{number + 1}")
            flows = flows + block(flows, images, warped.view(n, 6, h, w))
        return flows[:, :2], flows[:, 2:]


class _Block(nn.Module):
    """Residual of both flows; the features are made by the two kinds of block."""

    def __init__(self, channels: int, scale: int) -> None:
        super().__init__()
        self.scale = scale
        self.up = nn.ConvTranspose2d(channels, 4, 4, 2, 1)
        self.conv2 = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, flows: torch.Tensor, *images: torch.Tensor) -> torch.Tensor:
        """Residual ``(n, 4, h, w)`` from flows ``(n, 4, h, w)`` and 12 channels of images."""
        parts = [_resize(part, 1 / self.scale) for part in (*images, flows)]
        parts[-1] = parts[-1] / self.scale
        x = self.conv2(self.up(self.features(join(parts, self.conv2))))
        residual = _resize(x.to(flows.dtype) * (2 * self.scale), 2)
        return _resize(residual, self.scale)

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """Map ``(n, 16, h, w)`` to ``(n, c, h / 4, w / 4)``."""
        raise NotImplementedError


class _ConvBlock(_Block):
    def __init__(self, channels: int, scale: int) -> None:
        super().__init__(channels, scale)
        self.conv0 = nn.Sequential(
            _conv(_IN_CHANNELS, channels // 2, 2), _conv(channels // 2, channels, 2)
        )
        self.convblock1 = nn.Sequential(*(_conv(channels, channels) for _ in range(3)))
        self.convblock2 = nn.Sequential(*(_conv(channels, channels) for _ in range(3)))

    def features(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv0(x)
        x = x + self.convblock1(x)
        return x + self.convblock2(x)  # type: ignore[no-any-return]


class _TransformerBlock(_Block):
    def __init__(self, channels: int, scale: int) -> None:
        super().__init__(channels, scale)
        self.conv0 = nn.Sequential(
            _conv(_IN_CHANNELS, channels // 2, 2),
            _conv(channels // 2, channels, 2),
            _conv(channels, channels),
        )
        self.trans = WindowTransformer(channels)
        self.conv1 = nn.Sequential(*(_conv(channels, channels) for _ in range(2)))

    def features(self, x: torch.Tensor) -> torch.Tensor:
        x = self.trans(self.conv0(x))
        return x + self.conv1(x)  # type: ignore[no-any-return]


def _conv(in_channels: int, out_channels: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 3, stride, padding=1), nn.PReLU(out_channels)
    )


def _resize(x: torch.Tensor, scale: float) -> torch.Tensor:
    if scale == 1:
        return x
    return F.interpolate(x, scale_factor=scale, mode="bilinear", align_corners=False)
