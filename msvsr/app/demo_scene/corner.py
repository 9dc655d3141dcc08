"""What the demo clip shows nearby: a brick wall with signs, a bicycle, a lamp."""

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

__all__ = ["corner"]

WHITE: Rgb = (246, 244, 236)
INK: Rgb = (34, 32, 38)
GLASS: Rgb = (70, 92, 108)
STEEL: Rgb = (88, 96, 104)
ITALIC = cv2.FONT_HERSHEY_SCRIPT_SIMPLEX
LIGHT = cv2.FONT_HERSHEY_SIMPLEX

SMALL_PRINT = (
    (11.0, "FRIDAY 14 TO SUNDAY 16 JUNE"),
    (9.0, "from 6 pm to midnight, harbour square"),
    (7.5, "Tickets 4.50 at the door, children free"),
    (6.5, "Tram 7 and 12 to Old Harbour, every 8 minutes"),
    (5.5, "No parking on site. Please leave your bicycle at home"),
    (5.0, "Printed by Lilac Street Press, edition of 250 copies"),
)


def corner(width: int, height: int, ground: int) -> Sprite:
    """What stands near the viewer: a brick wall with signs, the pavement, a bicycle, a lamp."""
    canvas = Canvas(width, height)
    _wall(canvas, 600, ground)
    _shop_window(canvas, 40, 190)
    _poster(canvas, 372, 176)
    _street_sign(canvas, 300, 96)
    _bicycle(canvas, 300, ground + 30)
    _lamp(canvas, 1010, ground + 108)
    return canvas.sprite()


def _wall(canvas: Canvas, right: float, ground: int) -> None:
    canvas.paste(corners(0, 0, right, ground + 9), _masonry)
    canvas.paste(corners(right - 26, 0, 26, ground + 9), lambda x, y: _masonry(x, y) * 0.25 + 150)
    for top in range(0, ground, 50):
        canvas.rectangle(right - 26, top, 26, 2, (150, 142, 132))
    canvas.rectangle(0, ground - 34, right, 43, (142, 136, 130))
    canvas.rectangle(0, ground - 36, right, 4, (196, 190, 180))
    canvas.shade(corners(0, ground - 4, right, 12), 0.72, softness=5)


def _masonry(x: FloatImage, y: FloatImage) -> FloatImage:
    tone, surface, up = bricks(x, y, size=(30, 12.5), joint=2.0, seed=31)
    fired = tinted((112, 50, 40), (190, 104, 76), tone) * (1 + 0.2 * up)[..., None]
    grain = fractal_noise(x.shape, 8, seed=32) * 0.10 + fractal_noise(x.shape, 240, seed=33) * 0.09
    mortar = tinted((150, 140, 128), (178, 168, 154), grain + 0.5)
    light = (1 + grain) * (1.06 - 0.0002 * x)
    wall = mortar + (fired - mortar) * surface[..., None]
    return np.asarray(wall * light[..., None])


def _shop_window(canvas: Canvas, left: float, top: float) -> None:
    canvas.shade(corners(left - 4, top + 6, 236, 290), 0.55, softness=5)
    canvas.rectangle(left, top, 220, 280, (40, 66, 62))
    canvas.rectangle(left + 10, top + 52, 200, 214, (52, 58, 62))
    canvas.text("BOOKS", (left + 110, top + 38), 24, (232, 206, 142))
    spines: tuple[Rgb, ...] = (
        (176, 62, 54), (228, 206, 160), (62, 98, 124), (208, 152, 62), (92, 116, 84),
        (120, 80, 112),
    )  # fmt: skip
    rng = np.random.default_rng(41)
    for shelf in range(3):
        base = top + 114.0 + 68 * shelf
        x = left + 16.0
        while x < left + 192:
            thickness, length = float(rng.integers(6, 15)), float(rng.integers(38, 56))
            canvas.rectangle(x, base - length, thickness, length, spines[int(rng.integers(6))])
            canvas.line(
                [(x + 1, base - length + 8), (x + thickness - 1, base - length + 8)], WHITE, 1
            )
            x += thickness + 1
        canvas.rectangle(left + 10, base, 200, 6, (122, 86, 58))
    glint = [
        (left + 60, top + 52),
        (left + 104, top + 52),
        (left + 50, top + 266),
        (left + 10, top + 266),
    ]
    canvas.shade(glint, 1.5)
    _awning(canvas, left - 12, top - 4)


def _awning(canvas: Canvas, left: float, top: float) -> None:
    for stripe in range(12):
        x = left + 20.4 * stripe
        colour: Rgb = (196, 62, 54) if stripe % 2 else (242, 234, 216)
        lean = (left + 122 - x) * 0.06
        canvas.polygon(
            [(x + lean, top - 40), (x + 20.4 + lean, top - 40), (x + 20.4, top), (x, top)], colour
        )
        canvas.ellipse((x + 10.2, top), (10.2, 8), colour)
    canvas.shade(corners(left, top - 2, 245, 12), 0.8, softness=2)


def _poster(canvas: Canvas, left: float, top: float) -> None:
    canvas.shade(corners(left + 3, top + 4, 186, 262), 0.55, softness=4)
    canvas.rectangle(left, top, 184, 258, (240, 230, 206))
    canvas.rectangle(left + 8, top + 8, 168, 124, (36, 52, 92))
    for index in range(36):
        angle = index * np.pi / 18
        tip = (left + 92 + 78 * float(np.cos(angle)), top + 70 + 58 * float(np.sin(angle)))
        canvas.line([(left + 92, top + 70), tip], (242, 186, 84), 1.2)
    for radius, colour in ((34.0, (226, 92, 60)), (25.0, (246, 206, 116)), (16.0, (226, 92, 60))):
        canvas.ellipse((left + 92, top + 70), (radius, radius), colour)
    canvas.text("NIGHT", (left + 92, top + 62), 13, WHITE)
    canvas.text("MARKET", (left + 92, top + 82), 13, WHITE)
    y = top + 150.0
    for cap_height, line in SMALL_PRINT:
        fitted = min(cap_height, 168 / (0.85 * len(line)))
        canvas.text(line, (left + 92, y), fitted, INK, font=LIGHT)
        y += 8 + 1.2 * cap_height


def _street_sign(canvas: Canvas, left: float, top: float) -> None:
    canvas.shade(corners(left + 3, top + 4, 262, 56), 0.5, softness=3)
    canvas.rectangle(left, top, 260, 54, (24, 88, 68))
    canvas.rectangle(left + 3, top + 3, 254, 48, WHITE)
    canvas.rectangle(left + 5, top + 5, 250, 44, (28, 62, 132))
    canvas.text("LILAC STREET", (left + 130, top + 32), 20, WHITE)
    canvas.text("poet and printer, 1838 - 1902", (left + 130, top + 44), 6.5, WHITE, font=ITALIC)


def _bicycle(canvas: Canvas, left: float, ground: float) -> None:
    rear, front = (left + 58, ground - 56), (left + 214, ground - 56)
    canvas.shade(corners(left, ground - 6, 270, 12), 0.5, softness=5)
    for hub in (rear, front):
        for index in range(28):
            angle = index * np.pi / 14
            offset = angle + (0.35 if index % 2 else -0.35)
            start = (hub[0] + 5 * float(np.cos(offset)), hub[1] + 5 * float(np.sin(offset)))
            tip = (hub[0] + 50 * float(np.cos(angle)), hub[1] + 50 * float(np.sin(angle)))
            canvas.line([start, tip], (206, 210, 214), 0.8)
        canvas.ellipse(hub, (50, 50), (186, 190, 196), 2.5)
        canvas.ellipse(hub, (54, 54), INK, 5)
        canvas.ellipse(hub, (6, 6), STEEL)
    crank, saddle, head = (
        (left + 120, ground - 54),
        (left + 100, ground - 122),
        (left + 192, ground - 120),
    )
    frame: Rgb = (46, 128, 134)
    for path in ([rear, crank, saddle, rear], [saddle, head, crank], [head, front]):
        canvas.line(path, frame, 4.5)
    canvas.line([saddle, (saddle[0] - 4, saddle[1] - 16)], STEEL, 3.5)
    canvas.ellipse((saddle[0] - 8, saddle[1] - 18), (20, 5), (98, 58, 36))
    bars = [
        head,
        (head[0] - 6, head[1] - 20),
        (head[0] + 14, head[1] - 26),
        (head[0] + 22, head[1] - 14),
    ]
    canvas.line(bars, STEEL, 3.5)
    canvas.ellipse(crank, (15, 15), STEEL, 3)
    canvas.line([(crank[0] - 12, crank[1] + 22), (crank[0] + 12, crank[1] - 22)], INK, 3)
    canvas.line([(crank[0], crank[1] - 15), (rear[0], rear[1] - 6)], INK, 1.5)
    canvas.line([(crank[0], crank[1] + 15), (rear[0], rear[1] + 6)], INK, 1.5)


def _lamp(canvas: Canvas, x: float, ground: float) -> None:
    iron: Rgb = (38, 46, 44)
    canvas.rectangle(x - 5, 150, 10, ground - 150, iron)
    canvas.rectangle(x - 11, ground - 70, 22, 70, iron)
    canvas.rectangle(x - 15, ground - 8, 30, 8, iron)
    canvas.line([(x - 3, 150), (x - 3, ground - 70)], (92, 104, 100), 1.5)
    canvas.polygon([(x - 16, 150), (x + 16, 150), (x + 26, 98), (x - 26, 98)], (250, 232, 176))
    for side in (-1, 1):
        canvas.line([(x + side * 16, 150), (x + side * 26, 98)], iron, 3)
    canvas.line([(x, 150), (x, 98)], iron, 2)
    canvas.polygon([(x - 30, 98), (x + 30, 98), (x + 8, 76), (x - 8, 76)], iron)
    canvas.ellipse((x, 74), (4, 6), iron)
    canvas.ellipse((x, 240), (40, 40), (196, 40, 44))
    canvas.ellipse((x, 240), (31, 31), WHITE)
    canvas.text("30", (x, 254), 28, INK)
