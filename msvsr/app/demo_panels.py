"""Pictures that show results beside each other: whole frames, enlarged details, labels."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

__all__ = [
    "Detail",
    "Panel",
    "comparison_picture",
    "interesting_details",
    "label_strip",
    "side_by_side",
]

Image = npt.NDArray[np.uint8]
"""RGB, ``(h, w, 3)``."""

_COLUMN_WIDTH = 624
_GAP = 8
_LABEL_HEIGHT = 34
_TEXT_MARGIN = 10
_FONT, _FONT_SIZE = cv2.FONT_HERSHEY_SIMPLEX, 0.62
_BACKGROUND = (24, 26, 30)
_TEXT = (236, 238, 240)
_MARKS = ((255, 196, 64), (96, 208, 255), (160, 240, 128), (255, 128, 160))


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One column of a comparison.

    Attributes:
        label: What it is, with its figures.
        image: The frame; all panels of a comparison have one size.
    """

    label: str
    image: Image


@dataclass(frozen=True, kw_only=True)
class Detail:
    """A part of a frame to enlarge, in pixels."""

    x: int
    y: int
    width: int
    height: int

    def cut(self, image: Image) -> Image:
        """The part of an image that lies inside."""
        return image[self.y : self.y + self.height, self.x : self.x + self.width]


def comparison_picture(panels: Sequence[Panel], details: Sequence[Detail]) -> Image:
    """Lay panels out in columns: label, whole frame with the details marked, details enlarged.

    Args:
        panels: At least one.
        details: What to enlarge, a row each, all inside the frames.

    Returns:
        One picture.
    """
    gap = np.full((1, _GAP, 3), _BACKGROUND, np.uint8)
    columns = [_column(panel, details) for panel in panels]
    spaced = [columns[0]]
    for column in columns[1:]:
        spaced += [np.broadcast_to(gap, (len(column), _GAP, 3)), column]
    return np.hstack(spaced)


def _column(panel: Panel, details: Sequence[Detail]) -> Image:
    parts = [label_strip(panel.label, _COLUMN_WIDTH), _overview(panel.image, details)]
    for number, detail in enumerate(details):
        part = _fit(detail.cut(panel.image), cv2.INTER_CUBIC)
        cv2.rectangle(part, (0, 0), (part.shape[1] - 1, part.shape[0] - 1), _mark(number), 3)
        parts += [np.full((_GAP, _COLUMN_WIDTH, 3), _BACKGROUND, np.uint8), part]
    return np.vstack(parts)


def _overview(image: Image, details: Sequence[Detail]) -> Image:
    interpolation = cv2.INTER_AREA if image.shape[1] > _COLUMN_WIDTH else cv2.INTER_CUBIC
    small = _fit(image, interpolation)
    ratio = small.shape[1] / image.shape[1]
    for number, detail in enumerate(details):
        first = (round(detail.x * ratio), round(detail.y * ratio))
        last = (
            round((detail.x + detail.width) * ratio) - 1,
            round((detail.y + detail.height) * ratio) - 1,
        )
        cv2.rectangle(small, first, last, _mark(number), 2)
    return small


def _fit(image: Image, interpolation: int) -> Image:
    height = round(image.shape[0] * _COLUMN_WIDTH / image.shape[1])
    resized = cv2.resize(image, (_COLUMN_WIDTH, height), interpolation=interpolation)
    return np.ascontiguousarray(resized, np.uint8)


def _mark(number: int) -> tuple[int, int, int]:
    return _MARKS[number % len(_MARKS)]


def label_strip(text: str, width: int | None = None) -> Image:
    """A line of text on a strip of its own, as wide as the text when nobody says.

    What does not fit is cut off with dots.
    """
    width = _text_width(text) + 2 * _TEXT_MARGIN if width is None else width
    label = np.full((_LABEL_HEIGHT, width, 3), _BACKGROUND, np.uint8)
    shown = text
    while shown and _text_width(shown) > width - 2 * _TEXT_MARGIN:
        shown = shown[:-4] + "..." if len(shown) > 4 else ""
    cv2.putText(label, shown, (_TEXT_MARGIN, 24), _FONT, _FONT_SIZE, _TEXT, 1, cv2.LINE_AA)
    return label


def _text_width(text: str) -> int:
    (width, _), _ = cv2.getTextSize(text, _FONT, _FONT_SIZE, 1)
    return int(width)


def side_by_side(*panels: Panel) -> Image:
    """Frames next to each other under their labels, with even sides as encoders want them.

    Args:
        panels: At least one. Without any label there is no strip for labels either.

    Returns:
        One picture.
    """
    has_labels = any(panel.label for panel in panels)
    columns: list[Image] = []
    for panel in panels:
        height, width = panel.image.shape[:2]
        parts = [label_strip(panel.label, width)] if has_labels else []
        gap = np.full((height + len(parts) * _LABEL_HEIGHT, _GAP, 3), _BACKGROUND, np.uint8)
        columns += [gap] if columns else []
        columns.append(np.vstack([*parts, panel.image]))
    joined = np.hstack(columns)
    height, width = joined.shape[:2]
    return joined[: height - height % 2, : width - width % 2]


def interesting_details(image: Image, num_details: int, size: tuple[int, int]) -> list[Detail]:
    """Find the parts of an image with the most fine structure.

    Args:
        image: RGB, ``(h, w, 3)``.
        num_details: How many to find; fewer come back when no more fit without overlapping.
        size: Height and width of a part; cut down to the image's own.

    Returns:
        The parts, which do not overlap, the busiest first.
    """
    height, width = min(size[0], image.shape[0]), min(size[1], image.shape[1])
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    structure = np.abs(cv2.Laplacian(grey, cv2.CV_32F))
    found: list[Detail] = []
    for y, x in _by_structure(structure, height, width):
        place = Detail(x=x, y=y, width=width, height=height)
        if all(abs(x - d.x) >= width or abs(y - d.y) >= height for d in found):
            found.append(place)
        if len(found) == num_details:
            break
    return found


def _by_structure(
    structure: npt.NDArray[np.float32], height: int, width: int
) -> list[tuple[int, int]]:
    """Corners of a grid of windows, the window with the highest sum first."""
    rows = range(0, structure.shape[0] - height + 1, max(height // 4, 1))
    columns = range(0, structure.shape[1] - width + 1, max(width // 4, 1))
    total = cv2.integral(structure)
    sums = {
        (y, x): total[y + height, x + width] - total[y, x + width] - total[y + height, x]
        + total[y, x]
        for y in rows
        for x in columns
    }  # fmt: skip
    return sorted(sums, key=lambda corner: -sums[corner])
