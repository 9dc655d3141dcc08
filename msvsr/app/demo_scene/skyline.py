"""What the demo clip shows far away: the sky, a Ferris wheel and a row of houses."""

from functools import partial

import numpy as np

from msvsr.app.demo_scene.paint import (
    Canvas,
    FloatImage,
    Point,
    Rgb,
    Sprite,
    bricks,
    corners,
    fractal_noise,
    tinted,
)

__all__ = ["big_wheel", "gondola", "sky", "town"]

WHITE: Rgb = (246, 244, 236)
INK: Rgb = (34, 32, 38)
GLASS: Rgb = (70, 92, 108)
STEEL: Rgb = (88, 96, 104)


def sky(width: int, height: int) -> Sprite:
    """Evening sky with clouds."""
    canvas = Canvas(width, height, oversampling=1)

    def evening(x: FloatImage, y: FloatImage) -> FloatImage:
        air = tinted((70, 120, 182), (246, 216, 182), np.clip(y / (0.72 * height), 0, 1) ** 1.3)
        clouds = fractal_noise(x.shape, 260, seed=3, octaves=6) + 0.35 * np.sin(y / 46 + x / 210)
        lit = tinted((232, 206, 196), (255, 246, 232), np.clip(clouds - 0.2, 0, 1))
        cover = np.clip(clouds * 1.1 - 0.05, 0, 1)[..., None]
        return np.asarray(air + (lit - air) * cover * 0.85)

    canvas.paste(corners(0, 0, width, height), evening)
    return canvas.sprite()


def big_wheel(radius: int) -> Sprite:
    """A Ferris wheel without its cabins, its axle in the middle of a square."""
    canvas = Canvas(2 * radius, 2 * radius)
    for index in range(24):
        angle = index * np.pi / 12
        tip = polar(radius, angle, 0.94 * radius)
        colour = (172, 60, 58) if index % 2 else (232, 224, 214)
        canvas.line([(radius, radius), tip], colour, 1.5)
        canvas.line([tip, polar(radius, angle + np.pi / 12, 0.84 * radius)], STEEL, 1)
        canvas.line([tip, polar(radius, angle - np.pi / 12, 0.84 * radius)], STEEL, 1)
    for part, colour, width in ((0.94, WHITE, 4.0), (0.84, STEEL, 2.0), (0.4, STEEL, 1.5)):
        canvas.ellipse((radius, radius), (part * radius, part * radius), colour, width)
    canvas.ellipse((radius, radius), (0.09 * radius, 0.09 * radius), (172, 60, 58))
    canvas.ellipse((radius, radius), (0.05 * radius, 0.05 * radius), WHITE)
    return canvas.sprite()


def polar(centre: float, angle: float, radius: float) -> Point:
    """A point around the middle of a square."""
    return centre + radius * float(np.cos(angle)), centre + radius * float(np.sin(angle))


def gondola(number: int) -> Sprite:
    """A cabin of the Ferris wheel with its number; it hangs from the middle of its top."""
    canvas = Canvas(36, 40)
    paints: tuple[Rgb, ...] = ((214, 84, 62), (236, 180, 72), (72, 136, 148), (124, 92, 140))
    canvas.line([(18, 0), (6, 12)], STEEL, 1.5)
    canvas.line([(18, 0), (30, 12)], STEEL, 1.5)
    canvas.polygon([(3, 12), (33, 12), (36, 16), (0, 16)], INK)
    canvas.rectangle(4, 16, 28, 10, GLASS)
    canvas.polygon([(2, 26), (34, 26), (29, 39), (7, 39)], paints[number % 4])
    canvas.text(str(number), (18, 36), 7.5, WHITE)
    return canvas.sprite()


def town(width: int, height: int) -> Sprite:
    """A row of houses on the far side of the street; transparent above the roofs."""
    canvas = Canvas(width, height)
    rng = np.random.default_rng(11)
    paints: tuple[Rgb, ...] = (
        (222, 186, 142), (196, 132, 108), (230, 214, 186), (164, 176, 160), (212, 158, 120),
    )  # fmt: skip
    left = 0.0
    index = 0
    while left < width:
        house_width = float(rng.integers(150, 215))
        top = height - float(rng.integers(240, 330))
        _house(canvas, left, top, house_width, paints[index % len(paints)], seed=index)
        left += house_width
        index += 1
    return canvas.sprite()


def _house(canvas: Canvas, left: float, top: float, width: float, paint: Rgb, seed: int) -> None:
    def plaster(x: FloatImage, _: FloatImage) -> FloatImage:
        grain = fractal_noise(x.shape, 90, seed) * 0.06 + fractal_noise(x.shape, 5, seed) * 0.05
        return np.asarray(np.array(paint, np.float32) * (1 + grain[..., None]))

    canvas.paste(corners(left, top, width, canvas.height - top), plaster)
    eaves = [(left - 8, top), (left + 16, top - 62), (left + width - 16, top - 62)]
    canvas.paste([*eaves, (left + width + 8, top)], partial(_tiles, seed=seed))
    canvas.rectangle(left - 8, top - 2, width + 16, 7, (238, 230, 214))
    canvas.shade(corners(left, top + 5, width, 14), 0.72, softness=3)
    num_columns = int(width // 48)
    pitch = width / num_columns
    for row in range(4):
        for column in range(num_columns):
            place = (left + (column + 0.5) * pitch, top + 30 + 72 * row)
            _window(canvas, place, lit=(seed * 7 + row * 3 + column) % 5 == 0)
    canvas.shade(corners(left + width - 5, top, 5, canvas.height - top), 0.6, softness=1)


def _tiles(x: FloatImage, y: FloatImage, *, seed: int) -> FloatImage:
    scallop = y + 2.0 * np.cos(x * 2 * np.pi / 9)
    tone, surface, up = bricks(x, scallop, size=(9, 8), joint=1, seed=seed)
    tiles = tinted((122, 58, 44), (176, 96, 66), tone)
    return tiles * (0.62 + 0.38 * surface + 0.2 * up)[..., None]


def _window(canvas: Canvas, place: Point, *, lit: bool) -> None:
    x, y = place
    canvas.rectangle(x - 13, y - 2, 26, 46, (240, 234, 222))
    canvas.rectangle(x - 11, y, 22, 42, (250, 214, 130) if lit else GLASS)
    if not lit:
        canvas.polygon([(x - 11, y), (x + 4, y), (x - 11, y + 26)], (142, 166, 180))
    canvas.line([(x, y), (x, y + 42)], (240, 234, 222), 1.6)
    canvas.line([(x - 11, y + 14), (x + 11, y + 14)], (240, 234, 222), 1.4)
    for side in (x - 21, x + 14):
        canvas.rectangle(side, y - 1, 7, 44, (74, 104, 92))
        for slat in range(7):
            canvas.line([(side, y + 4 + 6 * slat), (side + 7, y + 4 + 6 * slat)], (52, 76, 68), 1)
    canvas.rectangle(x - 16, y + 43, 32, 4, (222, 214, 200))
