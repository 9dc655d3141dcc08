"""The leaves that hang into the demo clip."""

import numpy as np

from msvsr.app.demo_scene.paint import (
    Canvas,
    Point,
    Rgb,
    Sprite,
)

__all__ = ["foliage"]


def foliage(width: int, height: int) -> Sprite:
    """A branch full of leaves that hangs into the picture from its top right corner."""
    canvas = Canvas(width, height)
    rng = np.random.default_rng(51)
    for end in ((0.42, 0.3), (0.55, 0.55)):
        twig = [(width, 0.15 * height), (end[0] * width, end[1] * height)]
        canvas.line(twig, (70, 52, 40), 6)
    num_leaves = 2000
    for index in range(num_leaves):
        across, down = rng.beta(2.2, 1.1), rng.beta(1.05, 2.1)
        if down > 0.25 + 0.75 * across or across + 0.25 * rng.random() < 0.28:
            continue
        light = 0.6 + index / num_leaves * (0.6 + 0.9 * rng.random())  # those behind are darker
        colour = (int(44 * light), int(74 * light), int(36 * light))
        place = (float(across * width), float(down * height))
        _leaf(canvas, place, rng.uniform(7, 14), rng.uniform(0, 2 * np.pi), colour)
    return canvas.sprite()


def _leaf(canvas: Canvas, place: Point, length: float, angle: float, colour: Rgb) -> None:
    along = length * np.exp(1j * angle)
    across = 0.42j * along
    steps = ((-1, 0), (-0.4, 0.8), (0.2, 0.9), (1.1, 0), (0.2, -0.9), (-0.4, -0.8))
    outline = [complex(*place) + a * along + b * across for a, b in steps]
    points = [(float(point.real), float(point.imag)) for point in outline]
    vein = (min(255, colour[0] + 34), min(255, colour[1] + 34), min(255, colour[2] + 34))
    canvas.polygon(points, colour)
    canvas.line([points[0], points[3]], vein, 0.6)
