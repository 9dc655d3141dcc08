"""The demo clip is what a demonstration of super-resolution needs: repeatable, sharp, in motion."""

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from msvsr.app.demo_clip import DEMO_SIZE, render_demo_clip
from msvsr.errors import InputError

Image = npt.NDArray[np.uint8]


@pytest.fixture(scope="module")
def frames() -> list[Image]:
    return list(render_demo_clip(3))


def test_size_and_type(frames: list[Image]) -> None:
    assert len(frames) == 3
    for frame in frames:
        assert frame.shape == (*DEMO_SIZE, 3)
        assert frame.dtype == np.uint8


def test_a_frame_depends_on_its_number_alone(frames: list[Image]) -> None:
    again = list(render_demo_clip(2))
    assert np.array_equal(again[1], frames[1])


def test_the_picture_moves(frames: list[Image]) -> None:
    """The street sign, near the viewer, goes left by the camera's 84 pixels per second."""
    sign = frames[0][30:100, 240:500]
    found = cv2.matchTemplate(frames[2], sign, cv2.TM_CCOEFF_NORMED)
    _, likeness, _, (x, _) = cv2.minMaxLoc(found)
    assert likeness > 0.9
    # 2 frames of 1/24 s are 7 pixels; roll and zoom add little.
    assert x - 240 == pytest.approx(-7, abs=2)


def test_there_is_detail_that_four_times_smaller_cannot_hold(frames: list[Image]) -> None:
    height, width = DEMO_SIZE
    small = cv2.resize(frames[0], (width // 4, height // 4), interpolation=cv2.INTER_AREA)
    back = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    error = np.mean((back.astype(float) - frames[0]) ** 2)
    assert 10 * np.log10(255**2 / error) < 28  # dB; a smooth picture would reach 40


def test_the_frame_is_covered_to_its_borders(frames: list[Image]) -> None:
    for frame in frames:
        border = np.concatenate([frame[0], frame[-1], frame[:, 0], frame[:, -1]])
        assert (border.max(axis=1) > 0).all()


def test_no_frames_is_an_error() -> None:
    with pytest.raises(InputError, match="at least 1"):
        next(render_demo_clip(0))
