"""Forward warping: where pixels land, with which weight, and what is lost."""

import math

import pytest
import torch

from msvsr.errors import ShapeError
from msvsr.ops.splat import splat
from msvsr.ops.warp import backward_warp


def constant_flow(x: float, y: float, size: tuple[int, int] = (6, 8)) -> torch.Tensor:
    return torch.tensor([x, y]).view(1, 2, 1, 1).expand(1, 2, *size).clone()


def splat_by_loops(values: torch.Tensor, flow: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The definition, pixel by pixel."""
    n, c, h, w = values.shape
    total, weight = torch.zeros(n, c, h, w), torch.zeros(n, 1, h, w)
    for i, y, x in torch.cartesian_prod(*(torch.arange(side) for side in (n, h, w))).tolist():
        to_x, to_y = (float(part) for part in flow[i, :, y, x])
        for corner_y in (math.floor(to_y), math.floor(to_y) + 1):
            for corner_x in (math.floor(to_x), math.floor(to_x) + 1):
                row, column = y + corner_y, x + corner_x
                if 0 <= row < h and 0 <= column < w:
                    share = math.exp(-((to_x - corner_x) ** 2) - (to_y - corner_y) ** 2)
                    total[i, :, row, column] += share * values[i, :, y, x]
                    weight[i, :, row, column] += share
    return total, weight


def test_equals_the_definition() -> None:
    values, flow = torch.randn(2, 3, 6, 8), 3 * torch.randn(2, 2, 6, 8)
    total, weight = splat(values, flow)
    expected_total, expected_weight = splat_by_loops(values, flow)
    assert torch.allclose(total, expected_total, atol=1e-5)
    assert torch.allclose(weight, expected_weight, atol=1e-5)


def test_pushes_to_where_backward_warping_fetches_from() -> None:
    image = torch.zeros(1, 1, 6, 8)
    image[0, 0, 1, 2] = 1.0
    flow = constant_flow(3.0, 2.0)
    total, weight = splat(image, flow)
    moved = total / weight.clamp(min=1e-6)
    y, x = divmod(int(moved.argmax()), 8)
    assert (y, x) == (1 + 2, 2 + 3)
    fetched = backward_warp(moved, flow)
    assert int(fetched.argmax()) == int(image.argmax())


def test_what_lands_outside_is_lost_and_leaves_a_hole() -> None:
    _, weight = splat(torch.ones(1, 1, 6, 8), constant_flow(2.0, 0.0))
    assert (weight[..., :2] == 0).all()
    assert (weight[..., 2:] > 0).all()
    _, weight = splat(torch.ones(1, 1, 6, 8), constant_flow(1e6, -1e6))
    assert (weight == 0).all()


def test_gives_the_same_bits_twice() -> None:
    values, flow = torch.randn(1, 2, 64, 64), 20 * torch.randn(1, 2, 64, 64)
    first, second = (splat(values, flow) for _ in range(2))
    assert torch.equal(first[0], second[0])
    assert torch.equal(first[1], second[1])


def test_gradients_reach_values_and_flow() -> None:
    values = torch.randn(1, 2, 4, 5, dtype=torch.float64, requires_grad=True)
    flow = (0.5 + 2 * torch.randint(-1, 2, (1, 2, 4, 5)) + 0.3 * torch.rand(1, 2, 4, 5)).double()
    assert torch.autograd.gradcheck(splat, (values, flow.requires_grad_()))


def test_keeps_the_type_of_the_values() -> None:
    total, weight = splat(torch.ones(1, 1, 6, 8, dtype=torch.bfloat16), constant_flow(0.5, 0.5))
    assert total.dtype == weight.dtype == torch.bfloat16


def test_sizes_must_agree() -> None:
    with pytest.raises(ShapeError, match=r"one size.*\(1, 1, 6, 8\).*\(1, 2, 6, 7\)"):
        splat(torch.ones(1, 1, 6, 8), constant_flow(0, 0, size=(6, 7)))
