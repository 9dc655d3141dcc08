"""The divider: where it stands at each frame, and defaults that fit the clip."""

from fractions import Fraction

import numpy as np
import pytest

from msvsr.app.compare.options import SliderOptions
from msvsr.app.compare.slider import SliderPlan, merge, plan_slider
from msvsr.errors import ConfigError


def plan(
    num_frames: int,
    width: int = 2560,
    *,
    rate: Fraction = Fraction(25),
    freezes: bool = True,
    options: SliderOptions | None = None,
) -> SliderPlan:
    options = options or SliderOptions()
    return plan_slider(
        options, num_frames=num_frames, width=width, frame_rate=rate, freezes=freezes
    )


def test_defaults_for_the_original_clip_are_about_the_original_numbers() -> None:
    found = plan(30)
    assert (found.start_frame, found.pause_frame, found.pause_repeats) == (5, 15, 25)
    assert found.line_width == 10
    assert 100 <= found.step <= 107


@pytest.mark.parametrize("num_frames", [1, 2, 3, 5, 8, 31, 250, 15_000])
@pytest.mark.parametrize("freezes", [True, False])
def test_the_divider_crosses_the_whole_width_in_clips_of_any_length(
    num_frames: int, freezes: bool
) -> None:
    found = plan(num_frames, 640, freezes=freezes)
    places = [found.position(index) for index in range(num_frames)]
    moving = places[found.start_frame :]
    assert all(place == 640 for place in places[: found.start_frame])
    assert moving[0] == 0
    assert moving == sorted(moving)
    if num_frames > 1:
        assert moving[-1] == 640
    closing = list(found.closing(places[-1]))
    assert closing[-1] == -found.line_width
    assert len(closing) <= 4 * 25  # seconds, however long the clip


def test_the_divider_stands_while_frames_play_on() -> None:
    options = SliderOptions(start_frame=2, pause_frame=4, pause_repeats=3, slide_step=10)
    found = plan(12, 640, freezes=False, options=options)
    places = [found.position(index) for index in range(12)]
    assert places == [640, 640, 0, 10, 20, 20, 20, 20, 30, 40, 50, 60]
    assert not any(found.repeats(index) for index in range(12))


def test_a_frozen_frame_is_repeated() -> None:
    options = SliderOptions(start_frame=2, pause_frame=4, pause_repeats=3, slide_step=10)
    found = plan(8, 640, options=options)
    assert [found.position(index) for index in range(8)] == [640, 640, 0, 10, 20, 30, 40, 50]
    assert [found.repeats(index) for index in range(8)] == [0, 0, 0, 0, 3, 0, 0, 0]


def test_after_the_last_frame_the_divider_rests_goes_back_and_rests() -> None:
    options = SliderOptions(
        start_frame=0, pause_frame=0, pause_repeats=2, slide_step=30, line_width=4
    )
    found = plan(4, 100, options=options)
    assert found.position(3) == 90
    assert list(found.closing(90)) == [90, 90, 90, 60, 30, 0, -4, -4, -4]
    # From beyond the edge it comes back into view at once.
    assert list(found.closing(100))[2] == 96


@pytest.mark.parametrize(
    ("position", "expected"),
    [(-2, "rrrrrr"), (-1, "wrrrrr"), (0, "wwrrrr"), (3, "lllwwr"), (5, "lllllw"), (6, "llllll")],
)
def test_the_line_is_cut_at_the_edges(position: int, expected: str) -> None:
    left, right = np.full((2, 6, 3), 10, np.uint8), np.full((2, 6, 3), 20, np.uint8)
    merged = merge(left, right, position, 2)
    names = {10: "l", 20: "r", 255: "w"}
    assert "".join(names[value] for value in merged[1, :, 2].tolist()) == expected
    assert (left == 10).all()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"start_frame": 8}, "start_frame must lie within the 8 frames"),
        ({"pause_frame": 9}, "pause_frame must lie within the 8 frames"),
        ({"slide_step": 0}, "slide_step"),
        ({"line_width": -1}, "line_width"),
    ],
)
def test_numbers_outside_the_clip_are_refused(values: dict[str, int], expected: str) -> None:
    with pytest.raises(ConfigError, match=expected):
        plan(8, options=SliderOptions(**values))
