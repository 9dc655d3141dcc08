"""Comparison pictures: sizes, marked details, and where details are found."""

import numpy as np
import pytest

from msvsr.app.demo_panels import (
    Detail,
    Panel,
    comparison_picture,
    interesting_details,
    side_by_side,
)


def grey(height: int, width: int, value: int = 128) -> np.ndarray:
    return np.full((height, width, 3), value, np.uint8)


def test_details_lie_where_the_structure_is() -> None:
    image = grey(120, 200)
    image[80:100, 150:190] = np.random.default_rng(0).integers(0, 255, (20, 40, 3))
    (found,) = interesting_details(image, 1, (24, 48))
    part = found.cut(image)
    assert part.shape == (24, 48, 3)
    assert part.std() > 40


def test_details_do_not_overlap() -> None:
    image = np.random.default_rng(0).integers(0, 255, (180, 320, 3)).astype(np.uint8)
    covered = np.zeros(image.shape[:2], int)
    details = interesting_details(image, 4, (30, 60))
    assert len(details) == 4
    for detail in details:
        covered[detail.y : detail.y + detail.height, detail.x : detail.x + detail.width] += 1
    assert covered.max() == 1


def test_an_image_smaller_than_a_detail_is_its_own_detail() -> None:
    assert interesting_details(grey(20, 30), 3, (64, 64)) == [Detail(x=0, y=0, width=30, height=20)]


@pytest.mark.parametrize("num_panels", [1, 2, 3])
@pytest.mark.parametrize("size", [(90, 160), (720, 1280), (160, 90)])
def test_pictures_hold_every_panel(num_panels: int, size: tuple[int, int]) -> None:
    panels = [Panel(label=str(index), image=grey(*size)) for index in range(num_panels)]
    details = interesting_details(panels[0].image, 2, (20, 40))
    picture = comparison_picture(panels, details)
    assert picture.dtype == np.uint8
    assert picture.shape[1] == 624 * num_panels + 8 * (num_panels - 1)


def test_videos_side_by_side_have_even_sides_and_untouched_pixels() -> None:
    left, right = grey(51, 33, 10), grey(51, 33, 200)
    joined = side_by_side(Panel(label="a", image=left), Panel(label="b", image=right))
    assert joined.shape[0] % 2 == joined.shape[1] % 2 == 0
    assert (joined[34:, :33] == 10).all()
    assert (joined[34:, 41:] == 200).all()
