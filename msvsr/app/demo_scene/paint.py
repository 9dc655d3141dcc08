"""Brushes for the demo clip: a canvas that is drawn large and reduced, textures, and sprites."""

from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

__all__ = [
    "Canvas",
    "FloatImage",
    "Matrix",
    "Point",
    "Rgb",
    "Sprite",
    "Texture",
    "bricks",
    "compose",
    "corners",
    "fractal_noise",
    "rotation",
    "tinted",
    "translation",
]

Rgb = tuple[int, int, int]
Point = tuple[float, float]
Sprite = npt.NDArray[np.uint8]
"""An image with premultiplied alpha, ``(h, w, 4)``."""
FloatImage = npt.NDArray[np.floating[Any]]
Texture = Callable[[FloatImage, FloatImage], FloatImage]
"""Takes coordinates ``x`` and ``y``, each ``(h, w)``, to RGB in [0, 255], ``(h, w, 3)``."""
Matrix = npt.NDArray[np.float64]
"""An affine map of points ``(x, y, 1)``, ``(3, 3)``."""

_SUBPIXEL_BITS = 4
_LETTER_OVERSAMPLING = 4
_CAP_HEIGHT = 21.0  # of a capital letter in pixels at font scale 1, in OpenCV 4 and 5


class Canvas:
    """A transparent picture; lengths are pixels of the result.

    What is drawn is antialiased against transparent black, so the picture is premultiplied by
    construction.

    Args:
        width: Width of the result.
        height: Height of the result.
        oversampling: How many times larger it is drawn; 1 is enough without edges.
    """

    def __init__(self, width: int, height: int, oversampling: int = 2) -> None:
        self.width, self.height = width, height
        self.pixels = np.zeros((height * oversampling, width * oversampling, 4), np.uint8)
        self._oversampling = oversampling

    def sprite(self) -> Sprite:
        """Reduce the picture to its size."""
        size = (self.width, self.height)
        return np.asarray(cv2.resize(self.pixels, size, interpolation=cv2.INTER_AREA), np.uint8)

    def polygon(self, points: Sequence[Point], colour: Rgb) -> None:
        """Fill a polygon."""
        cv2.fillPoly(
            self.pixels, [self._fixed(points)], (*colour, 255), cv2.LINE_AA, _SUBPIXEL_BITS
        )

    def rectangle(self, x: float, y: float, width: float, height: float, colour: Rgb) -> None:
        """Fill a rectangle."""
        self.polygon(corners(x, y, width, height), colour)

    def line(self, points: Sequence[Point], colour: Rgb, width: float) -> None:
        """Draw a line through points."""
        thickness = max(1, round(width * self._oversampling))
        cv2.polylines(
            self.pixels,
            [self._fixed(points)],
            False,
            (*colour, 255),
            thickness,
            cv2.LINE_AA,
            _SUBPIXEL_BITS,
        )

    def ellipse(self, centre: Point, radii: Point, colour: Rgb, width: float | None = None) -> None:
        """Fill an ellipse, or draw its outline with the given width."""
        thickness = -1 if width is None else max(1, round(width * self._oversampling))
        x, y = self._fixed([centre])[0]
        axes = self._fixed([radii])[0]
        cv2.ellipse(
            self.pixels,
            (int(x), int(y)),
            (int(axes[0]), int(axes[1])),
            0,
            0,
            360,
            (*colour, 255),
            thickness,
            cv2.LINE_AA,
            _SUBPIXEL_BITS,
        )

    def text(
        self,
        string: str,
        position: Point,
        cap_height: float,
        colour: Rgb,
        *,
        font: int = cv2.FONT_HERSHEY_DUPLEX,
        centred: bool = True,
    ) -> None:
        """Write a line of text; the position is its baseline's middle, or its start."""
        mask = _letters(string, cap_height * self._oversampling, font)
        left, top = (
            position[0] * self._oversampling,
            (position[1] - 2 * cap_height) * self._oversampling,
        )
        if centred:
            left -= mask.shape[1] / 2
        self._blend(round(left), round(top), mask, np.array([*colour, 255], np.float32))

    def paste(self, points: Sequence[Point], texture: Texture) -> None:
        """Fill a polygon with a texture, which is given the coordinates of the canvas."""
        left, top, mask = self._mask(points, softness=0)
        y, x = np.mgrid[: mask.shape[0], : mask.shape[1]].astype(np.float32)
        colours = texture((x + left) / self._oversampling, (y + top) / self._oversampling)
        opaque = np.full(mask.shape, 255, np.float32)
        self._blend(left, top, mask, np.dstack([colours, opaque]))

    def shade(self, points: Sequence[Point], factor: float, softness: float = 0) -> None:
        """Darken or lighten what is drawn inside a polygon, with a soft border if asked."""
        left, top, mask = self._mask(points, softness)
        height, width = mask.shape
        lit = self.pixels[top : top + height, left : left + width].astype(np.float32)
        lit[..., :3] = np.minimum(lit[..., :3] * factor, lit[..., 3:])
        self._blend(left, top, mask, lit)

    def _mask(self, points: Sequence[Point], softness: float) -> tuple[int, int, FloatImage]:
        """The cover of a polygon in [0, 1], where it is on the canvas: left, top and cover."""
        fixed = self._fixed(points)
        margin = 2 + round(3 * softness * self._oversampling)
        low = np.maximum((fixed.min(axis=0) >> _SUBPIXEL_BITS) - margin, 0)
        high = (fixed.max(axis=0) >> _SUBPIXEL_BITS) + margin
        right, bottom = np.minimum(high, self.pixels.shape[1::-1])
        mask = np.zeros((max(bottom - low[1], 0), max(right - low[0], 0)), np.uint8)
        local = fixed - (low << _SUBPIXEL_BITS)
        if mask.size:
            cv2.fillPoly(mask, [local.astype(np.int32)], 255, cv2.LINE_AA, _SUBPIXEL_BITS)
        if softness and mask.size:
            mask = cv2.GaussianBlur(mask, (0, 0), softness * self._oversampling)
        return int(low[0]), int(low[1]), mask.astype(np.float32) / 255

    def _blend(self, left: int, top: int, mask: FloatImage, picture: FloatImage) -> None:
        """Mix a picture (or one colour) in, cut off at the canvas's borders."""
        height, width = self.pixels.shape[:2]
        skip_x, skip_y = max(-left, 0), max(-top, 0)
        mask = mask[skip_y : height - top, skip_x : width - left, None]
        if picture.ndim == 3:
            picture = picture[skip_y : height - top, skip_x : width - left]
        rows = slice(max(top, 0), max(top, 0) + mask.shape[0])
        columns = slice(max(left, 0), max(left, 0) + mask.shape[1])
        below = self.pixels[rows, columns].astype(np.float32)
        blended = below + (picture - below) * mask
        self.pixels[rows, columns] = (np.clip(blended, 0, 255) + 0.5).astype(np.uint8)

    def _fixed(self, points: Sequence[Point]) -> npt.NDArray[np.int32]:
        scaled = np.asarray(list(points), np.float64) * (self._oversampling << _SUBPIXEL_BITS)
        return np.round(scaled).astype(np.int32)


def _letters(string: str, cap_height: float, font: int) -> FloatImage:
    """The cover of a line of text in [0, 1], its baseline at two thirds of the height."""
    scale = cap_height * _LETTER_OVERSAMPLING / _CAP_HEIGHT
    thickness = max(1, round(scale * 1.6))
    (width, _), _ = cv2.getTextSize(string, font, scale, thickness)
    height = round(cap_height)
    large = np.zeros((3 * height * _LETTER_OVERSAMPLING, width + 4 * thickness), np.uint8)
    baseline = (2 * thickness, 2 * height * _LETTER_OVERSAMPLING)
    cv2.putText(large, string, baseline, font, scale, (255,), thickness, cv2.LINE_AA)
    size = (large.shape[1] // _LETTER_OVERSAMPLING, 3 * height)
    return np.asarray(cv2.resize(large, size, interpolation=cv2.INTER_AREA), np.float32) / 255


def corners(x: float, y: float, width: float, height: float) -> list[Point]:
    """The four corners of a rectangle, in order."""
    return [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]


def fractal_noise(shape: tuple[int, int], cell: float, seed: int, octaves: int = 5) -> FloatImage:
    """Smooth noise with details of every size, ``shape``, about [-1, 1]."""
    rng = np.random.default_rng(seed)
    total = np.zeros(shape, np.float32)
    for octave in range(octaves):
        step = max(cell / 2**octave, 1.0)
        grid_shape = (int(shape[0] / step) + 2, int(shape[1] / step) + 2)
        grid = rng.uniform(-1, 1, grid_shape).astype(np.float32)
        smooth = cv2.resize(grid, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
        total += smooth * np.float32(0.5**octave)
    return total


def bricks(
    x: FloatImage, y: FloatImage, *, size: Point, joint: float, seed: int
) -> tuple[FloatImage, FloatImage, FloatImage]:
    """A running bond over any coordinates.

    Args:
        x: Coordinate along the courses.
        y: Coordinate across them.
        size: Length and height of a brick with its joint.
        joint: Width of a joint.
        seed: Chooses the bricks' tones.

    Returns:
        The tone of each brick in [0, 1]; the height of the surface, from 0 in a joint to 1 on a
        brick; and how much the surface looks up, in [-1, 1].
    """
    row = np.floor(y / size[1])
    along = x / size[0] + 0.5 * np.mod(row, 2)
    column = np.floor(along)
    tone = np.random.default_rng(seed).random(4096).astype(np.float32)
    index = (column.astype(np.int64) * 73 + row.astype(np.int64) * 151) % 4096
    in_x = (along - column) * size[0]
    in_y = y - row * size[1]
    edge = np.minimum(np.minimum(in_x, size[0] - in_x), np.minimum(in_y, size[1] - in_y))
    surface = np.clip((edge - joint / 2) / 1.2 + 0.5, 0, 1).astype(np.float32)
    near_top = np.clip(1 - (in_y - joint / 2) / 2.0, 0, 1)
    near_bottom = np.clip(1 - (size[1] - in_y - joint / 2) / 2.0, 0, 1)
    return tone[index], surface, ((near_top - near_bottom) * surface).astype(np.float32)


def tinted(low: Rgb, high: Rgb, weight: FloatImage) -> FloatImage:
    """Mix two colours by a weight in [0, 1] (beyond it, the mix goes on)."""
    first, second = np.array(low, np.float32), np.array(high, np.float32)
    return np.asarray(first + (second - first) * weight[..., None], np.float32)


def translation(x: float, y: float) -> Matrix:
    """A shift."""
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1]], np.float64)


def rotation(angle: float, centre: Point, scale: float = 1.0) -> Matrix:
    """A turn by an angle in radians (clockwise on screen) and a scaling about a point."""
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    return np.asarray(translation(*centre) @ turn @ translation(-centre[0], -centre[1]))


def compose(frame: npt.NDArray[np.uint8], sprite: Sprite, matrix: Matrix) -> None:
    """Lay a moved sprite over a frame ``(h, w, 3)``, in place.

    Args:
        frame: RGB.
        sprite: What to lay over it.
        matrix: Takes points of the sprite to points of the frame.
    """
    height, width = sprite.shape[:2]
    outline = matrix @ np.array([[0, width, width, 0], [0, 0, height, height], [1, 1, 1, 1]])
    left, top = np.floor(outline[:2].min(axis=1)).astype(int) - 1
    right, bottom = np.ceil(outline[:2].max(axis=1)).astype(int) + 1
    left, top = max(left, 0), max(top, 0)
    right, bottom = min(right, frame.shape[1]), min(bottom, frame.shape[0])
    if left >= right or top >= bottom:
        return
    local = translation(-left, -top) @ matrix
    size = (right - left, bottom - top)
    moved = cv2.warpAffine(sprite, local[:2], size, flags=cv2.INTER_CUBIC)
    below = frame[top:bottom, left:right]
    covered = (255 - moved[..., 3:]).astype(np.uint16)
    rest = (below * covered + 127) // 255
    below[:] = np.minimum(moved[..., :3] + rest, 255)
