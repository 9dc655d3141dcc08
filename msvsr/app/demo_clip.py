"""The demo clip: a short street scene that is drawn, so that its ground truth is exact."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from msvsr.app.demo_scene.corner import corner
from msvsr.app.demo_scene.leaves import foliage
from msvsr.app.demo_scene.paint import Matrix, Sprite, compose, rotation, translation
from msvsr.app.demo_scene.road import road, tram
from msvsr.app.demo_scene.skyline import big_wheel, gondola, sky, town
from msvsr.errors import InputError

__all__ = ["DEMO_FRAME_RATE", "DEMO_SIZE", "render_demo_clip"]

DEMO_FRAME_RATE = 24
"""Frames per second of the demo clip."""
DEMO_SIZE = (720, 1280)
"""Height and width of its ground truth."""

_MARGIN = 60  # pixels around the picture that the camera may move into
_GROUND = 560  # where walls meet the pavement, in the picture
_WHEEL_RADIUS = 190
_WHEEL_CENTRE = (905.0, 240.0)
_NUM_GONDOLAS = 12


@dataclass(frozen=True, kw_only=True)
class _Scene:
    """The parts of the street, from far to near."""

    sky: Sprite
    big_wheel: Sprite
    gondolas: tuple[Sprite, ...]
    town: Sprite
    road: Sprite
    tram: Sprite
    corner: Sprite
    foliage: Sprite


def render_demo_clip(num_frames: int = 24) -> Iterator[npt.NDArray[np.uint8]]:
    """Draw the demo clip: a panning and rolling camera, a tram, a Ferris wheel, signs and leaves.

    The result depends on nothing but the number of the frame (and, in the shapes of letters, on
    the version of OpenCV).

    Args:
        num_frames: How many frames to draw, at `DEMO_FRAME_RATE`.

    Yields:
        RGB frames of `DEMO_SIZE`, uint8 ``(h, w, 3)``.

    Raises:
        InputError: There is no frame to draw.
    """
    if num_frames < 1:
        raise InputError(f"num_frames must be at least 1, got {num_frames}")
    scene = _build_scene()
    for index in range(num_frames):
        yield _render_frame(scene, index / DEMO_FRAME_RATE)


def _build_scene() -> _Scene:
    height, width = DEMO_SIZE
    full = (width + 2 * _MARGIN + 120, height + 2 * _MARGIN)
    return _Scene(
        sky=sky(*full),
        big_wheel=big_wheel(_WHEEL_RADIUS),
        gondolas=tuple(gondola(number + 1) for number in range(_NUM_GONDOLAS)),
        town=town(full[0], _GROUND + _MARGIN),
        road=road(*full, _GROUND + _MARGIN),
        tram=tram(),
        corner=corner(full[0], full[1], _GROUND + _MARGIN),
        foliage=foliage(560, 330),
    )


def _camera(seconds: float, parallax: float) -> Matrix:
    """Where the camera sees the world: a pan with a little sway; far things move less."""
    height, width = DEMO_SIZE
    pan = translation(-parallax * 84 * seconds, parallax * 6 * np.sin(2.6 * seconds))
    roll = rotation(0.012 * np.sin(2.2 * seconds), (width / 2, height / 2), 1 + 0.02 * seconds)
    return roll @ pan


def _render_frame(scene: _Scene, seconds: float) -> npt.NDArray[np.uint8]:
    frame = np.zeros((*DEMO_SIZE, 3), np.uint8)
    margin = translation(-_MARGIN, -_MARGIN)
    compose(frame, scene.sky, _camera(seconds, 0.15) @ margin)
    _render_wheel(frame, scene, seconds)
    compose(frame, scene.town, _camera(seconds, 0.5) @ margin)
    compose(frame, scene.road, _camera(seconds, 0.9) @ margin)
    tram_x = 790 - 160 * seconds
    compose(frame, scene.tram, _camera(seconds, 0.9) @ translation(tram_x, _GROUND - 124))
    compose(frame, scene.corner, _camera(seconds, 1.0) @ margin)
    leaves = translation(920, -30) @ rotation(0.02 * np.sin(4 * seconds), (560, 0))
    compose(frame, scene.foliage, _camera(seconds, 1.25) @ leaves)
    return frame


def _render_wheel(frame: npt.NDArray[np.uint8], scene: _Scene, seconds: float) -> None:
    camera = _camera(seconds, 0.25)
    radius = _WHEEL_RADIUS
    angle = 0.5 * seconds
    place = translation(_WHEEL_CENTRE[0] - radius, _WHEEL_CENTRE[1] - radius)
    compose(frame, scene.big_wheel, camera @ place @ rotation(angle, (radius, radius)))
    for index, cabin in enumerate(scene.gondolas):
        direction = angle + index * 2 * np.pi / _NUM_GONDOLAS
        x = _WHEEL_CENTRE[0] + 0.94 * radius * float(np.cos(direction))
        y = _WHEEL_CENTRE[1] + 0.94 * radius * float(np.sin(direction))
        compose(frame, cabin, camera @ translation(x - 18, y))
