"""How well each pixel of one image matches the neighbourhood of a position in another.

The correlation of a pixel with a position is the scalar product of their features. RAFT looks up
windows of it around the positions that its flow points to, on a pyramid of averaged targets.
Either all pairs are computed once (`AllPairs`), or only what is looked up (`OnDemand`): averaging
is linear, so both give the same values.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple, Protocol

import torch
import torch.nn.functional as F

__all__ = [
    "NUM_LEVELS",
    "AllPairs",
    "Correlation",
    "OnDemand",
    "all_pairs_bytes",
    "correlate",
    "correlate_both",
]

NUM_LEVELS = 4
"""Levels of the target's pyramid, each half the size of the one before."""

_TILE_SIDE = 16
_FLOAT_BYTES = 4


class Correlation(Protocol):
    """Windows of correlation around positions."""

    def lookup(self, positions: torch.Tensor) -> torch.Tensor:
        """Take the window around a position in the target, for each pixel of the reference.

        Args:
            positions: In pixels of the features, ``(n, 2, h, w)``, float32, channel 0 = x.

        Returns:
            Correlation, ``(n, levels * window * window, h, w)``, float32. In a window the offset in
            y runs fastest, as the published weights have it. Outside the target it is zero.
        """


class AllPairs:
    """Correlation of every pixel with every position, computed once.

    Args:
        volume: Scaled products of features, ``(n, h * w, h * w)``: from reference to target.
        size: Height and width of the features.
        radius: A window has ``2 * radius + 1`` positions a side.
    """

    def __init__(self, volume: torch.Tensor, size: tuple[int, int], radius: int) -> None:
        self._volume = volume
        self._size = size
        self._radius = radius
        level = volume.reshape(-1, *size)  # one target per pixel of the reference
        self._levels = [level]
        for _ in range(NUM_LEVELS - 1):
            level = F.avg_pool2d(level, 2)
            self._levels.append(level)

    @classmethod
    def of(cls, reference: torch.Tensor, target: torch.Tensor, radius: int) -> "AllPairs":
        """Correlate two images' features, ``(n, c, h, w)`` each."""
        volume = _products(_scaled(reference).flatten(2).transpose(1, 2), target.flatten(2))
        height, width = reference.shape[-2:]
        return cls(volume, (height, width), radius)

    def reversed(self) -> "AllPairs":
        """Turn the correlation around: from target to reference, without a product."""
        return AllPairs(self._volume.transpose(1, 2).contiguous(), self._size, self._radius)

    def lookup(self, positions: torch.Tensor) -> torch.Tensor:
        """Take the window around a position, as `Correlation.lookup` says."""
        n, _, height, width = positions.shape
        centres = positions.movedim(1, -1).reshape(-1, 2)
        windows = [
            _windows(level, centres / 2**number, self._radius)
            for number, level in enumerate(self._levels)
        ]
        return torch.cat(windows, dim=1).view(n, height, width, -1).movedim(-1, 1)


class OnDemand:
    """Correlation computed where it is looked up, tile by tile, in bounded memory.

    A tile's windows lie close together when the flow is smooth: the products of its pixels with
    the box around these windows are one small matrix product.

    Args:
        reference: Features, ``(n, c, h, w)``, float32.
        target: Features of the same shape.
        radius: A window has ``2 * radius + 1`` positions a side.
        max_bytes: Size of the largest buffer of products; one pixel's are always allowed.
    """

    def __init__(
        self, reference: torch.Tensor, target: torch.Tensor, radius: int, max_bytes: int
    ) -> None:
        self._reference = _scaled(reference).movedim(1, -1).contiguous()  # n h w c
        self._radius = radius
        self._max_products = max_bytes // _FLOAT_BYTES
        self._levels = [target]
        for _ in range(NUM_LEVELS - 1):
            self._levels.append(F.avg_pool2d(self._levels[-1], 2))

    def lookup(self, positions: torch.Tensor) -> torch.Tensor:
        """Take the window around a position, as `Correlation.lookup` says."""
        n, _, height, width = positions.shape
        found = positions.new_zeros(n, height, width, NUM_LEVELS, (2 * self._radius + 1) ** 2)
        for number, target in enumerate(self._levels):
            centres = positions / 2**number
            for tile in _tiles(centres, target, self._radius, _TILE_SIDE << number):
                sample, rows, columns = tile.place
                found[sample, rows, columns, number] = self._tile_windows(tile, centres, target)
        return found.flatten(3).movedim(-1, 1)

    def _tile_windows(
        self, tile: "_Tile", centres: torch.Tensor, target: torch.Tensor
    ) -> torch.Tensor:
        sample, rows, columns = tile.place
        top, bottom, left, right = tile.box
        box = target[sample, :, top:bottom, left:right].flatten(1)  # c positions
        pixels = self._reference[sample, rows, columns]
        origin = centres.new_tensor([left, top])
        inside = centres[sample, :, rows, columns].movedim(0, -1).reshape(-1, 2) - origin
        step = max(1, self._max_products // box.shape[1])
        windows = [
            _windows(_products(part, box).view(-1, bottom - top, right - left), near, self._radius)
            for part, near in zip(
                torch.split(pixels.flatten(0, 1), step), torch.split(inside, step), strict=True
            )
        ]
        return torch.cat(windows).view(*pixels.shape[:2], -1)


def correlate(
    reference: torch.Tensor, target: torch.Tensor, radius: int, max_bytes: int | None = None
) -> Correlation:
    """Correlate two images, all pairs if they fit.

    Args:
        reference: Features, ``(n, c, h, w)``, float32.
        target: Features of the same shape.
        radius: A window has ``2 * radius + 1`` positions a side.
        max_bytes: Memory that all pairs may take; None for any.

    Returns:
        The correlation from reference to target.
    """
    if max_bytes is None or all_pairs_bytes(reference) <= max_bytes:
        return AllPairs.of(reference, target, radius)
    return OnDemand(reference, target, radius, max_bytes)


def correlate_both(
    first: torch.Tensor, second: torch.Tensor, radius: int, max_bytes: int | None = None
) -> tuple[Correlation, Correlation]:
    """Correlate two images in both directions, with one product if all pairs fit.

    Args:
        first: Features, ``(n, c, h, w)``, float32.
        second: Features of the same shape.
        radius: A window has ``2 * radius + 1`` positions a side.
        max_bytes: Memory that all pairs of both directions may take; None for any.

    Returns:
        The correlation from first to second and the one back.
    """
    if max_bytes is None or 2 * all_pairs_bytes(first) <= max_bytes:
        forth = AllPairs.of(first, second, radius)
        return forth, forth.reversed()
    return OnDemand(first, second, radius, max_bytes), OnDemand(second, first, radius, max_bytes)


def all_pairs_bytes(features: torch.Tensor) -> int:
    """Tell what `AllPairs` keeps in memory for features ``(n, c, h, w)``, one direction."""
    n, _, height, width = features.shape
    positions = sum((height >> level) * (width >> level) for level in range(NUM_LEVELS))
    return n * height * width * positions * _FLOAT_BYTES


class _Tile(NamedTuple):
    """Pixels of the reference and the part of the target that holds their windows."""

    place: tuple[int, slice, slice]  # sample, rows, columns
    box: tuple[int, int, int, int]  # top, bottom, left, right


def _tiles(centres: torch.Tensor, target: torch.Tensor, radius: int, side: int) -> Iterator[_Tile]:
    """Tiles whose windows touch the target at all."""
    height, width = target.shape[-2:]
    highest = _tile_maxima(centres, side)
    lowest = (-_tile_maxima(-centres, side)).floor()
    limit = centres.new_tensor([width, height]).view(2, 1, 1)
    starts = (lowest - radius).clamp(min=0).minimum(limit).int()
    ends = (highest.floor() + radius + 2).clamp(min=0).minimum(limit).int()
    boxes = torch.stack((starts, ends), dim=-1).movedim(1, -2).tolist()  # n rows columns xy 2
    for sample, rows in enumerate(boxes):
        for row, columns in enumerate(rows):
            for column, ((left, right), (top, bottom)) in enumerate(columns):
                if left < right and top < bottom:
                    yield _Tile(
                        place=(sample, _nth_slice(row, side), _nth_slice(column, side)),
                        box=(top, bottom, left, right),
                    )


def _tile_maxima(values: torch.Tensor, side: int) -> torch.Tensor:
    return F.max_pool2d(values.nan_to_num(), side, stride=side, ceil_mode=True)


def _nth_slice(number: int, side: int) -> slice:
    return slice(number * side, (number + 1) * side)


def _scaled(features: torch.Tensor) -> torch.Tensor:
    return features / math.sqrt(features.shape[1])


def _products(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """Matrix product in the operands' own precision, whatever is cast around it."""
    with torch.autocast(left.device.type, enabled=False):
        return left @ right


def _windows(maps: torch.Tensor, centres: torch.Tensor, radius: int) -> torch.Tensor:
    """Sample a window around one position of each map, bilinearly, zero outside.

    Args:
        maps: ``(p, h, w)``.
        centres: ``(p, 2)`` in pixels of the maps, x first.
        radius: The window has ``2 * radius + 1`` positions a side.

    Returns:
        ``(p, window * window)``, the offset in y runs fastest.
    """
    height, width = maps.shape[1:]
    offsets = torch.arange(-radius, radius + 1, device=centres.device, dtype=centres.dtype)
    # edges at -1 and 1, as align_corners=False has it: a map of a single row or column works too
    x = (2 * (centres[:, :1] + offsets) + 1) / width - 1
    y = (2 * (centres[:, 1:] + offsets) + 1) / height - 1
    side = len(offsets)
    x, y = x[:, :, None].expand(-1, side, side), y[:, None].expand(-1, side, side)
    grid = torch.stack((x, y), dim=-1)  # p x y 2
    return F.grid_sample(maps[:, None], grid, align_corners=False).flatten(1)
