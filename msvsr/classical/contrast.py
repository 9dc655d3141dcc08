"""Steps that spread the luma over the whole range."""

from dataclasses import dataclass
from typing import ClassVar, cast

import cv2
import numpy as np
import numpy.typing as npt

from msvsr.classical.levels import FloatArray, change_luma, luma_of, to_levels
from msvsr.classical.step import Step, limited
from msvsr.frame import ImageArray

__all__ = ["Clahe", "EqualizeHistogram"]

_NUM_LEVELS = 256


@dataclass(frozen=True, kw_only=True)
class EqualizeHistogram(Step):
    """Spread the luma so that all its levels are about as frequent; colour differences stay.

    Each frame is spread by itself, so a video may flicker.

    Attributes:
        amount: Share of the change that is made, 1 for all of it.
    """

    name: ClassVar[str] = "equalize"

    amount: float = limited(1.0, low=0, high=1)

    def __call__(self, image: ImageArray) -> ImageArray:
        """Spread the luma of an image."""
        luma = luma_of(image)
        table = _equalizing_table(luma)
        spread = luma + np.float32(self.amount) * (table[luma] - luma.astype(np.float32))
        return change_luma(image, luma, cast(ImageArray, np.rint(spread).astype(luma.dtype)))


def _equalizing_table(luma: ImageArray) -> FloatArray:
    """New value of each value: its rank among the pixels, with the lowest at 0."""
    white = int(np.iinfo(luma.dtype).max)
    ranks = np.bincount(luma.ravel(), minlength=white + 1).cumsum()
    lowest = ranks[luma.min()]
    if lowest == luma.size:  # of one value, which stays
        return np.arange(white + 1, dtype=np.float32)
    table = (ranks - lowest).clip(0) * (white / (luma.size - lowest))
    rounded: FloatArray = np.rint(table).astype(np.float32)
    return rounded


@dataclass(frozen=True, kw_only=True)
class Clahe(Step):
    """Spread the luma in each part of the image by itself, within a limit; colours stay.

    Contrast-limited adaptive histogram equalisation, as OpenCV computes it.

    Attributes:
        clip: How often a level may count, over the mean of all levels; more gives more contrast.
        tiles: Parts across, and parts down.

    Source:
        Zuiderveld: Contrast Limited Adaptive Histogram Equalization, Graphics Gems IV, 1994.
    """

    name: ClassVar[str] = "clahe"

    clip: float = limited(2.0, low=0.1, high=100)
    tiles: int = limited(8, low=1, high=64)

    def __call__(self, image: ImageArray) -> ImageArray:
        """Spread the luma of an image."""
        luma = luma_of(image)
        if luma.dtype == np.uint16:
            return change_luma(image, luma, self._spread_deep(luma))
        spread = cv2.createCLAHE(self.clip, (self.tiles, self.tiles)).apply(luma)
        return change_luma(image, luma, cast(ImageArray, spread))

    def _spread_deep(self, luma: ImageArray) -> ImageArray:
        """The same for 16 bits: tables of 256 levels as for 8 bits, and between levels a line.

        OpenCV counts 65536 levels there, most of which occur once or never, so that its limit
        means something else than for 8 bits.
        """
        down, across = (side % self.tiles for side in luma.shape)
        if down or across:  # OpenCV then makes both sides longer, the one that fits as well
            down, across = self.tiles - down, self.tiles - across
        levels = to_levels(luma)
        padded = np.asarray(cv2.copyMakeBorder(levels, 0, down, 0, across, cv2.BORDER_REFLECT_101))
        tables = self._tables(np.rint(padded).astype(np.intp))
        spread = _look_up(tables, levels, (padded.shape[0], padded.shape[1]))
        return cast(ImageArray, np.rint(spread * 257).clip(0, 65535).astype(np.uint16))

    def _tables(self, levels: npt.NDArray[np.intp]) -> FloatArray:
        """New level of each level, for each part: ``(tiles, tiles, 256)``."""
        height, width = (side // self.tiles for side in levels.shape)
        limit = max(int(self.clip * height * width / _NUM_LEVELS), 1)
        tables = np.empty((self.tiles, self.tiles, _NUM_LEVELS), np.float32)
        for row in range(self.tiles):
            for column in range(self.tiles):
                part = levels[row * height : (row + 1) * height][
                    :, column * width : (column + 1) * width
                ]
                counts = _limit(np.bincount(part.ravel(), minlength=_NUM_LEVELS), limit)
                tables[row, column] = counts.cumsum() * ((_NUM_LEVELS - 1) / (height * width))
        return tables


def _limit(counts: npt.NDArray[np.intp], limit: int) -> npt.NDArray[np.intp]:
    """Cut counts off at a limit and hand what is cut out evenly, the rest at even distances."""
    excess = int((counts - limit).clip(0).sum())
    share, rest = divmod(excess, _NUM_LEVELS)
    limited_counts = counts.clip(max=limit) + share
    if rest:
        step = max(_NUM_LEVELS // rest, 1)
        limited_counts[: step * rest : step] += 1
    return limited_counts


def _look_up(tables: FloatArray, levels: FloatArray, size: tuple[int, int]) -> FloatArray:
    """New levels, between the tables of the four nearest parts and between two levels."""
    tiles = tables.shape[0]
    rows, row_share = _neighbours(levels.shape[0], size[0] // tiles, tiles)
    columns, column_share = _neighbours(levels.shape[1], size[1] // tiles, tiles)
    below = levels.astype(np.intp).clip(max=_NUM_LEVELS - 2)
    share = levels - below
    result = np.zeros_like(levels)
    for row, row_weight in zip(rows, (1 - row_share, row_share), strict=True):
        for column, column_weight in zip(columns, (1 - column_share, column_share), strict=True):
            at = (row[:, None], column[None, :])
            low, high = tables[at[0], at[1], below], tables[at[0], at[1], below + 1]
            weight = row_weight[:, None] * column_weight[None, :]
            result += weight * (low + share * (high - low))
    return result


def _neighbours(
    length: int, side: int, tiles: int
) -> tuple[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]], FloatArray]:
    """For each pixel of an axis, the parts whose centres it lies between, and how far."""
    position = (np.arange(length, dtype=np.float32) / side) - np.float32(0.5)
    before = np.floor(position).astype(np.intp)
    share = (position - before).astype(np.float32)
    return (before.clip(0, tiles - 1), (before + 1).clip(0, tiles - 1)), share
