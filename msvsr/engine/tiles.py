"""Run a model's stages within a memory budget: whole images where they fit, exact tiles else.

A stage sees a bounded neighbourhood (`msvsr.models.contract.Stage`). A tile with a margin of that
radius therefore computes in its core the very values of the whole image, and cores are put side by
side without blending: there is no seam to hide.
"""

import gc
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from msvsr.errors import MsvsrError
from msvsr.models.contract import Stage

__all__ = ["StageRunner", "Tile", "plan_tiles"]

_MIN_TILE = 32
_CACHE_BYTES = 96 * 2**20
"""On a CPU, a stage that works within about this much memory is measurably faster."""

_WORTHWHILE = 16
"""Tiles for speed alone must be this many times as long as their margin."""


@dataclass(frozen=True, kw_only=True)
class Tile:
    """A part of an image: ``core`` is kept, ``padded`` is what the stage sees.

    Attributes:
        core: ``(top, bottom, left, right)`` in pixels of the image.
        padded: The core with its margin, cut off at the image's border.
    """

    core: tuple[int, int, int, int]
    padded: tuple[int, int, int, int]


def plan_tiles(height: int, width: int, tile: int, radius: int) -> list[Tile]:
    """Cover an image with tiles of nearly equal size.

    Args:
        height: Of the image, in pixels.
        width: Of the image, in pixels.
        tile: Longest side of a core, in pixels.
        radius: Margin around a core, in pixels.

    Returns:
        Tiles whose cores cover each pixel once.

    Example:
        >>> [each.core for each in plan_tiles(4, 6, 3, 1)]
        [(0, 2, 0, 3), (0, 2, 3, 6), (2, 4, 0, 3), (2, 4, 3, 6)]
    """
    return [
        Tile(
            core=(top, bottom, left, right),
            padded=(
                max(top - radius, 0),
                min(bottom + radius, height),
                max(left - radius, 0),
                min(right + radius, width),
            ),
        )
        for top, bottom in _split(height, tile)
        for left, right in _split(width, tile)
    ]


class StageRunner:
    """Runs stages; smaller and smaller when memory runs out.

    Args:
        budget_bytes: Working memory for one call of a stage.
        max_tile: Longest side of a tile in pixels, whatever the budget; ``None`` for no limit.
    """

    def __init__(self, budget_bytes: int, max_tile: int | None = None) -> None:
        self.budget_bytes = budget_bytes
        self.max_tile = max_tile

    def run(self, stage: Stage, *inputs: torch.Tensor) -> torch.Tensor:
        """Compute ``stage.function(*inputs)``.

        Args:
            stage: What to compute.
            *inputs: Tensors ``(n, ..., h, w)`` of one height and width.

        Returns:
            The stage's output for the whole images.

        Raises:
            MsvsrError: Memory runs out even with the smallest tiles.
        """
        while True:
            try:
                return self._run_planned(stage, *inputs)
            except RuntimeError as error:  # noqa: PERF203
                if not _is_out_of_memory(error):
                    raise
                self._shrink(stage, inputs[0], error)

    def tile_side(self, stage: Stage, image: torch.Tensor) -> int:
        """The longest side of a tile's core in pixels, for a stage on images ``(..., h, w)``."""
        height, width = image.shape[-2:]
        side = self._fitting_side(stage, height, width, self.budget_bytes)
        if image.device.type == "cpu":
            quick = self._fitting_side(stage, height, width, _CACHE_BYTES)
            if quick >= _WORTHWHILE * stage.radius:
                side = min(side, quick)
        return min(side, self.max_tile or side)

    def _fitting_side(self, stage: Stage, height: int, width: int, num_bytes: int) -> int:
        fitting = num_bytes // stage.work_bytes_per_pixel
        if height * width <= fitting:
            return max(height, width)
        return max(int(fitting**0.5) - 2 * stage.radius, _MIN_TILE)

    def _run_planned(self, stage: Stage, *inputs: torch.Tensor) -> torch.Tensor:
        height, width = inputs[0].shape[-2:]
        side = self.tile_side(stage, inputs[0])
        if side >= max(height, width):
            return stage.function(*inputs)
        output: torch.Tensor | None = None
        for tile in plan_tiles(height, width, side, stage.radius):
            part = stage.function(*(_cut(x, tile.padded) for x in inputs))
            if output is None:
                output = part.new_empty(*part.shape[:-2], height * stage.scale, width * stage.scale)
            _paste(output, part, tile, stage.scale)
        if output is None:
            raise MsvsrError(f"an image of {width}x{height} pixels cannot be tiled")
        return output

    def _shrink(self, stage: Stage, image: torch.Tensor, error: RuntimeError) -> None:
        side = self.tile_side(stage, image)
        if side <= _MIN_TILE:
            raise MsvsrError(
                f"out of memory on {image.device} with tiles of {side} pixels: close other "
                "programs, use a smaller model, or device='cpu'"
            ) from error
        self.max_tile = max(side // 2, _MIN_TILE)
        gc.collect()
        if image.device.type == "cuda":
            torch.cuda.empty_cache()


def _split(length: int, longest: int) -> Iterator[tuple[int, int]]:
    parts = -(-length // longest)
    for index in range(parts):
        yield index * length // parts, (index + 1) * length // parts


def _cut(x: torch.Tensor, box: tuple[int, int, int, int]) -> torch.Tensor:
    top, bottom, left, right = box
    return x[..., top:bottom, left:right]


def _paste(output: torch.Tensor, part: torch.Tensor, tile: Tile, scale: int) -> None:
    top, bottom, left, right = (side * scale for side in tile.core)
    y, x = tile.padded[0] * scale, tile.padded[2] * scale
    output[..., top:bottom, left:right] = part[..., top - y : bottom - y, left - x : right - x]


def _is_out_of_memory(error: RuntimeError) -> bool:
    text = str(error).lower()
    return isinstance(error, torch.OutOfMemoryError) or any(
        sign in text for sign in ("out of memory", "can't allocate memory", "not enough memory")
    )
