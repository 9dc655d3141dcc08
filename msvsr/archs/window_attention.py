"""Transformer layers that attend inside small windows and to a coarser view around them."""

from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import nn

__all__ = ["WINDOW", "WindowTransformer", "position_index", "window_labels", "window_mask"]

WINDOW = 4
"""Side of an attention window in tokens."""

_MASKED = -100.0
_MLP_RATIO = 2
_NUM_HEADS = 2
_BLOCKS_PER_GROUP = 3
_MERGE_SLOPE = 0.2


class WindowTransformer(nn.Module):
    """Two groups of transformer blocks on a feature map.

    The first group attends inside windows of 4 x 4 tokens. In the second, tokens also attend to
    the 8 x 8 tokens around their window at half the resolution. Every second block moves its
    windows by half their side.

    Args:
        channels: Channels of the feature map, even.

    Source: Lu et al., "Video Frame Interpolation with Transformer", CVPR 2022, on the layers of
        Liang et al., "SwinIR", ICCV workshops 2021.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.patch_embed = _NamedNorm(channels)
        self.layers0 = nn.ModuleList(_Group(channels, crosses=crosses) for crosses in (False, True))
        self.norm = nn.LayerNorm(channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map ``(n, c, h, w)`` to the same shape; the sides are multiples of 4, at least 8."""
        x = self.patch_embed(x.permute(0, 2, 3, 1))  # n h w c
        for group in self.layers0:
            x = group(x)
        return self.norm(x).permute(0, 3, 1, 2)  # type: ignore[no-any-return]


class _NamedNorm(nn.Module):
    """A layer norm under the name ``norm``."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.norm(x)  # type: ignore[no-any-return]


class _Group(nn.Module):
    """Blocks, a convolution and a skip connection around both, on ``(n, h, w, c)``."""

    def __init__(self, channels: int, *, crosses: bool) -> None:
        super().__init__()
        self.residual_group = _Blocks(channels, crosses=crosses)
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        refined = self.residual_group(x).permute(0, 3, 1, 2)
        return x + self.conv(refined).permute(0, 2, 3, 1)  # type: ignore[no-any-return]


class _Blocks(nn.Module):
    """The blocks of a group under the name ``blocks``."""

    def __init__(self, channels: int, *, crosses: bool) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            _Block(channels, shift=WINDOW // 2 if number % 2 else 0, crosses=crosses)
            for number in range(_BLOCKS_PER_GROUP)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for block in self.blocks:
            x = block(x)
        return x


class _Block(nn.Module):
    """Attention inside windows, then a perceptron, each with a skip connection."""

    def __init__(self, channels: int, *, shift: int, crosses: bool) -> None:
        super().__init__()
        self.shift = shift
        self.norm1 = nn.LayerNorm(channels)
        self.attn = _CrossAttention(channels) if crosses else _Attention(channels)
        self.norm2 = nn.LayerNorm(channels)
        self.mlp = _Perceptron(channels, channels * _MLP_RATIO)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        moved = self.norm1(x)
        if self.shift:
            moved = moved.roll((-self.shift, -self.shift), (1, 2))
        attended = self.attn(moved, self.shift)
        if self.shift:
            attended = attended.roll((self.shift, self.shift), (1, 2))
        x = x + attended
        return x + self.mlp(self.norm2(x))  # type: ignore[no-any-return]


class _Perceptron(nn.Module):
    def __init__(self, channels: int, hidden_channels: int) -> None:
        super().__init__()
        self.fc1 = _linear(channels, hidden_channels)
        self.fc2 = _linear(hidden_channels, channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc2(F.gelu(self.fc1(x)))  # type: ignore[no-any-return]


class _Attention(nn.Module):
    """Each token attends to the tokens of its window."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.relative_position_bias_table = _bias_table()
        self.qkv = _linear(channels, channels * 3)
        self.proj = _linear(channels, channels)

    def forward(self, x: torch.Tensor, shift: int) -> torch.Tensor:
        n, h, w, _ = x.shape
        query, key, value = _split_heads(self.qkv(_to_windows(x)), 3)
        bias = _bias(self.relative_position_bias_table, query, (n, h, w), shift)
        attended = F.scaled_dot_product_attention(query, key, value, attn_mask=bias)
        return _from_windows(self.proj(_join_heads(attended)), (n, h, w))


class _CrossAttention(nn.Module):
    """Each token attends to its window and, with the same query, to a coarser view around it."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.relative_position_bias_table_x = _bias_table()
        self.relative_position_bias_table_y = _bias_table()
        self.qkv = _linear(channels, channels * 3)
        self.kv = _linear(channels, channels * 2)
        self.merge1 = _linear(channels * 2, channels)
        self.merge2 = _linear(channels, channels)
        self.proj = _linear(channels, channels)

    def forward(self, x: torch.Tensor, shift: int) -> torch.Tensor:
        n, h, w, _ = x.shape
        query, key, value = _split_heads(self.qkv(_to_windows(x)), 3)
        bias = _bias(self.relative_position_bias_table_x, query, (n, h, w), shift)
        near = F.scaled_dot_product_attention(query, key, value, attn_mask=bias)

        key, value = _split_heads(self.kv(_coarse_windows(x)), 2)
        bias = _bias(self.relative_position_bias_table_y, query, (n, h, w), shift, coarse=True)
        far = F.scaled_dot_product_attention(query, key, value, attn_mask=bias)

        near, far = _join_heads(near), _join_heads(far)
        hidden = F.leaky_relu(self.merge1(torch.cat((near, far), dim=-1)), _MERGE_SLOPE)
        return _from_windows(self.proj(self.merge2(hidden) + near), (n, h, w))


def _linear(in_channels: int, out_channels: int) -> nn.Linear:
    layer = nn.Linear(in_channels, out_channels)
    nn.init.trunc_normal_(layer.weight, std=0.02)
    nn.init.zeros_(layer.bias)
    return layer


def _bias_table() -> nn.Parameter:
    """One bias per head for each displacement between two tokens of a window."""
    table = nn.Parameter(torch.zeros((2 * WINDOW - 1) ** 2, _NUM_HEADS))
    nn.init.trunc_normal_(table, std=0.02)
    return table


def _bias(
    table: torch.Tensor,
    query: torch.Tensor,
    size: tuple[int, int, int],
    shift: int,
    *,
    coarse: bool = False,
) -> torch.Tensor:
    """What is added to the scores: ``(1 or n * windows, heads, 16, 16)``."""
    tokens = WINDOW * WINDOW
    index = position_index(table.device)
    bias = table[index.flatten()].view(1, tokens, tokens, _NUM_HEADS).permute(0, 3, 1, 2)
    if shift:
        n, h, w = size
        mask = window_mask(h, w, table.device, coarse=coarse)
        bias = (bias + mask[:, None]).expand(n, -1, -1, -1, -1).flatten(0, 1)
    return bias.to(query.dtype)


@lru_cache(maxsize=8)
def position_index(device: torch.device) -> torch.Tensor:
    """Row of the bias table for each pair of tokens of a window, ``(16, 16)``."""
    with torch.inference_mode(mode=False):
        place = torch.arange(WINDOW * WINDOW, device=device)
        rows = place[:, None] // WINDOW - place // WINDOW + WINDOW - 1
        columns = place[:, None] % WINDOW - place % WINDOW + WINDOW - 1
        return rows * (2 * WINDOW - 1) + columns


@lru_cache(maxsize=16)
def window_mask(
    height: int, width: int, device: torch.device, *, coarse: bool = False
) -> torch.Tensor:
    """Keep tokens apart that only the cyclic move of a map brought together.

    Args:
        height: Height of the map in tokens.
        width: Its width.
        device: Where the mask is used.
        coarse: Whether keys come from the coarser view.

    Returns:
        What is added to the scores: 0 or -100, ``(windows, 16, 16)``, query first.
    """
    with torch.inference_mode(mode=False):
        labels = window_labels(height, width).to(device)[None, :, :, None]  # n h w c
        queries = _to_windows(labels)
        keys = _coarse_windows(labels) if coarse else queries
        apart = keys.transpose(1, 2) != queries  # (windows, 16, 16)
        return torch.where(apart, _MASKED, 0.0)


def window_labels(height: int, width: int) -> torch.Tensor:
    """Number the nine parts of a moved map that were not neighbours before, ``(h, w)``."""

    def parts(side: int) -> torch.Tensor:
        place = torch.arange(side)
        return (place >= side - WINDOW).float() + (place >= side - WINDOW // 2).float()

    return parts(height)[:, None] * 3 + parts(width)


def _to_windows(x: torch.Tensor) -> torch.Tensor:
    """Cut ``(n, h, w, c)`` into windows: ``(n * windows, 16, c)``."""
    n, h, w, c = x.shape
    x = x.reshape(n, h // WINDOW, WINDOW, w // WINDOW, WINDOW, c)
    return x.transpose(2, 3).reshape(-1, WINDOW * WINDOW, c)


def _from_windows(windows: torch.Tensor, size: tuple[int, int, int]) -> torch.Tensor:
    """Undo `_to_windows` for the ``(n, h, w)`` that is given."""
    n, h, w = size
    x = windows.view(n, h // WINDOW, w // WINDOW, WINDOW, WINDOW, -1)
    return x.transpose(2, 3).reshape(n, h, w, -1)


def _coarse_windows(x: torch.Tensor) -> torch.Tensor:
    """What surrounds each window at half the resolution: ``(n * windows, 16, c)``."""
    coarse = F.interpolate(x.permute(0, 3, 1, 2), scale_factor=0.5, mode="bilinear")
    coarse = F.pad(coarse, (WINDOW // 4,) * 4, mode="reflect").permute(0, 2, 3, 1)
    step = WINDOW // 2
    windows = coarse.unfold(1, WINDOW, step).unfold(2, WINDOW, step)  # n rows columns c 4 4
    return windows.permute(0, 1, 2, 4, 5, 3).reshape(-1, WINDOW * WINDOW, x.shape[-1])


def _split_heads(x: torch.Tensor, num_parts: int) -> tuple[torch.Tensor, ...]:
    """Cut ``(b, tokens, parts * heads * c)`` into parts ``(b, heads, tokens, c)``."""
    b, tokens, _ = x.shape
    return x.view(b, tokens, num_parts, _NUM_HEADS, -1).permute(2, 0, 3, 1, 4).unbind(0)


def _join_heads(x: torch.Tensor) -> torch.Tensor:
    """Undo the split of one part: ``(b, tokens, heads * c)``."""
    return x.transpose(1, 2).flatten(2)
