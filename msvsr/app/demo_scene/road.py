"""The road of the demo clip: paving stones, rails and a tram."""

from functools import partial

import cv2
import numpy as np

from msvsr.app.demo_scene.paint import (
    Canvas,
    FloatImage,
    Rgb,
    Sprite,
    bricks,
    corners,
    fractal_noise,
    tinted,
)

__all__ = ["road", "tram"]

WHITE: Rgb = (246, 244, 236)
INK: Rgb = (34, 32, 38)
GLASS: Rgb = (70, 92, 108)
STEEL: Rgb = (88, 96, 104)


def road(width: int, height: int, ground: int) -> Sprite:
    """Paving stones from the far kerb to the viewer, with rails; transparent above ``ground``."""
    canvas = Canvas(width, height)
    middle = 0.6 * width
    canvas.paste(corners(0, ground, width, height - ground), partial(_paving, ground, middle))
    canvas.paste(corners(0, ground, width, 40), _slabs)
    canvas.rectangle(0, ground + 40, width, 5, (186, 180, 172))
    canvas.rectangle(0, ground + 45, width, 4, (84, 80, 78))
    for rail in (ground + 62, ground + 94):
        canvas.line([(0, rail), (width, rail)], (70, 72, 78), 5)
        canvas.line([(0, rail - 1), (width, rail - 1)], (196, 198, 202), 1.5)
    return canvas.sprite()


def _paving(ground: float, middle: float, x: FloatImage, y: FloatImage) -> FloatImage:
    depth = 90.0 / (y - ground + 90.0)
    across = (x - middle) * depth
    tone, surface, up = bricks(across, 420 * np.log(depth), size=(34, 21), joint=2.5, seed=21)
    stones = tinted((104, 98, 98), (158, 148, 140), tone)
    relief = 0.5 + 0.5 * surface - 0.12 * up
    grain = 1 + 0.08 * fractal_noise(x.shape, 12, seed=22)
    return np.asarray(stones * (relief * grain)[..., None])


def _slabs(x: FloatImage, y: FloatImage) -> FloatImage:
    tone, surface, _ = bricks(x + 0.6 * y, y, size=(74, 21), joint=1.5, seed=23)
    grain = 1 + 0.05 * fractal_noise(x.shape, 6, seed=24)
    slabs = tinted((138, 132, 126), (160, 154, 146), tone)
    return np.asarray(slabs * ((0.7 + 0.3 * surface) * grain)[..., None])


def tram(width: int = 560, height: int = 200) -> Sprite:
    """A tram from the side, with lettering."""
    canvas = Canvas(width, height)
    _tram_roof(canvas)
    body = [(14, 44), (width - 14, 44), (width, 100), (width - 3, 182), (3, 182), (0, 100)]
    canvas.polygon(body, (236, 228, 206))
    canvas.polygon([(0, 112), (width, 112), (width - 3, 182), (3, 182)], (168, 40, 46))
    canvas.rectangle(0, 112, width, 3, (214, 172, 84))
    canvas.rectangle(8, 172, width - 16, 3, (214, 172, 84))
    for index in range(6):
        left = 20 + index * 88.0
        canvas.rectangle(left, 56, 78, 48, INK)
        canvas.rectangle(left + 3, 59, 72, 42, (88, 116, 132))
        canvas.polygon(
            [(left + 8, 101), (left + 30, 59), (left + 46, 59), (left + 24, 101)], (150, 176, 188)
        )
        canvas.line([(left + 3, 70), (left + 75, 70)], INK, 1.5)
    for left in (108.0, 372.0):
        canvas.line(corners(left, 50, 78, 128), (120, 28, 34), 1.5)
        canvas.line([(left + 39, 50), (left + 39, 178)], (120, 28, 34), 1.5)
    canvas.text("CITY TRAMWAYS", (280, 150), 20, (244, 224, 176))
    canvas.text("No. 2047", (56, 140), 9, (244, 224, 176))
    canvas.text(
        "Old Harbour - Lilac Street - Central Station",
        (280, 165),
        6.5,
        WHITE,
        font=cv2.FONT_HERSHEY_SIMPLEX,
    )
    canvas.rectangle(8, 182, width - 16, 12, (46, 44, 46))
    for x in (96.0, 140.0, 420.0, 464.0):
        canvas.ellipse((x, 188), (12, 12), (24, 24, 26))
        canvas.ellipse((x, 188), (7, 7), STEEL)
    return canvas.sprite()


def _tram_roof(canvas: Canvas) -> None:
    middle = canvas.width / 2
    for side in (-1, 1):
        canvas.line([(middle, 32), (middle + side * 34, 18), (middle, 4)], STEEL, 2)
    canvas.line([(middle - 40, 4), (middle + 40, 4)], INK, 2.5)
    canvas.polygon([(24, 44), (40, 32), (canvas.width - 40, 32), (canvas.width - 24, 44)], STEEL)
    canvas.rectangle(canvas.width / 2 - 86, 24, 172, 20, INK)
    canvas.text("7  OLD HARBOUR", (middle, 39), 11, (255, 190, 72))
