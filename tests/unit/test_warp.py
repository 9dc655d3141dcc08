"""Backward warping follows its convention."""

import pytest
import torch

from msvsr.errors import ShapeError
from msvsr.ops.warp import backward_warp


def constant_flow(x: float, y: float, height: int, width: int) -> torch.Tensor:
    return torch.tensor([x, y]).view(1, 2, 1, 1).expand(1, 2, height, width).clone()


def test_zero_flow_changes_nothing() -> None:
    image = torch.rand(1, 5, 7, 9)
    assert (backward_warp(image, torch.zeros(1, 2, 7, 9)) - image).abs().max() < 1e-5


def test_whole_pixels_shift_exactly() -> None:
    image = torch.rand(1, 2, 8, 10)
    warped = backward_warp(image, constant_flow(3, -2, 8, 10))
    assert (warped[..., 2:, :-3] - image[..., :-2, 3:]).abs().max() < 1e-5
    assert warped[..., :2, :].abs().max() < 1e-5, "outside is zero"


def test_border_repeats_the_edge() -> None:
    image = torch.rand(1, 1, 4, 4)
    warped = backward_warp(image, constant_flow(100, 0, 4, 4), padding_mode="border")
    assert (warped - image[..., -1:]).abs().max() < 1e-6


def test_half_precision_keeps_its_type_and_precise_coordinates() -> None:
    image = torch.rand(1, 3, 4, 2000)
    flow = constant_flow(0.5, 0, 4, 2000)
    warped = backward_warp(image.bfloat16(), flow)
    assert warped.dtype == torch.bfloat16
    # half-precision coordinates would be wrong by pixels at x = 2000
    assert (warped.float() - backward_warp(image, flow)).abs().max() < 0.02


def test_sizes_must_agree() -> None:
    with pytest.raises(ShapeError, match="one size"):
        backward_warp(torch.zeros(1, 3, 4, 4), torch.zeros(1, 2, 4, 5))
