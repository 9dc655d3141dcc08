"""Luma against the values that BT.601 and MATLAB give."""

import pytest
import torch

from msvsr.errors import ShapeError
from msvsr.ops.color import rgb_to_y


@pytest.mark.parametrize(
    ("rgb", "expected"),
    [
        # Y of the corners of the cube, in 8-bit units: the nominal values of BT.601.
        ((0, 0, 0), 16.0),
        ((1, 1, 1), 235.0),
        ((1, 0, 0), 81.481),
        ((0, 1, 0), 144.553),
        ((0, 0, 1), 40.966),
    ],
)
def test_corners_of_the_colour_cube(rgb: tuple[int, int, int], expected: float) -> None:
    image = torch.tensor(rgb, dtype=torch.float64).view(3, 1, 1)
    assert float(rgb_to_y(image)) * 255 == pytest.approx(expected, abs=1e-9)


def test_keeps_leading_axes_and_type() -> None:
    clip = torch.rand(2, 5, 3, 4, 6, dtype=torch.float64)
    luma = rgb_to_y(clip)
    assert luma.shape == (2, 5, 1, 4, 6)
    assert luma.dtype == torch.float64
    assert torch.equal(luma[1, 2], rgb_to_y(clip[1, 2]))


def test_the_input_stays_as_it_was() -> None:
    image = torch.rand(3, 4, 4)
    before = image.clone()
    rgb_to_y(image)
    assert torch.equal(image, before)


@pytest.mark.parametrize("shape", [(4, 4), (1, 4, 4), (4, 4, 3)])
def test_other_layouts_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match=r"\(\.\.\., 3, h, w\)"):
        rgb_to_y(torch.zeros(shape))
