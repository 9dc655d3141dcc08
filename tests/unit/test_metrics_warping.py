"""Warping error is zero for motion, finds flicker, and leaves out what cannot be seen twice."""

import pytest
import torch

from msvsr.errors import ShapeError
from msvsr.metrics import warping_error
from msvsr.metrics.warping import visible_pixels


def uniform_flow(x: float, y: float, num_pairs: int, height: int, width: int) -> torch.Tensor:
    return torch.tensor([x, y]).view(1, 2, 1, 1).repeat(num_pairs, 1, height, width)


def test_motion_is_no_error_and_what_leaves_the_frame_does_not_count() -> None:
    still = torch.rand(3, 20, 30)
    clip = torch.stack([still.roll((2 * t, 3 * t), dims=(-2, -1)) for t in range(3)])
    flow = uniform_flow(3, 2, 2, 20, 30)
    result = warping_error(clip, flow, -flow)
    assert result.error.tolist() == pytest.approx([0.0, 0.0], abs=1e-10)
    assert result.visible_share.tolist() == pytest.approx([18 * 27 / 600] * 2)


def test_without_the_flow_motion_is_an_error() -> None:
    still = torch.rand(3, 20, 30)
    clip = torch.stack((still, still.roll(3, dims=-1)))
    none = torch.zeros(1, 2, 20, 30)
    result = warping_error(clip, none, none)
    expected = (clip[1] - clip[0]).square().mean()
    assert float(result.error) == pytest.approx(float(expected))
    assert float(result.visible_share) == 1.0


def test_the_error_is_taken_over_visible_pixels_only() -> None:
    still = torch.rand(3, 20, 30) * 0.5
    clip = torch.stack((still, still.roll(3, dims=-1)))
    clip[1] += 0.1
    clip[1, :, :, :3] = 0.9  # comes into the frame: nothing in frame 0 leads there
    flow = uniform_flow(3, 0, 1, 20, 30)
    result = warping_error(clip, flow, -flow)
    assert float(result.error) == pytest.approx(0.01, rel=1e-4)
    assert float(result.visible_share) == pytest.approx(27 / 30)


def test_each_pair_has_its_own_value() -> None:
    clip = torch.rand(1, 3, 12, 12).repeat(4, 1, 1, 1)
    clip[2] += 0.2
    none = torch.zeros(3, 2, 12, 12)
    errors = warping_error(clip, none, none).error
    assert errors.tolist() == pytest.approx([0.0, 0.04, 0.04], abs=1e-6)


def occluding_square() -> tuple[torch.Tensor, torch.Tensor]:
    """True flows while a square of 8 moves from x = 6 to x = 12 before a background that rests."""
    flow_01, flow_10 = torch.zeros(1, 2, 24, 32), torch.zeros(1, 2, 24, 32)
    flow_01[:, 0, 8:16, 6:14] = 6
    flow_10[:, 0, 8:16, 12:20] = -6
    return flow_01, flow_10


def test_what_a_moving_thing_covers_is_left_out() -> None:
    visible = visible_pixels(*occluding_square())[0, 0]
    assert not visible[8:16, 14:20].any()  # covered in frame 1
    assert visible[9:15, 7:13].all()  # the square itself, but for its edges
    assert visible[:7].all()
    assert visible[:, 21:].all()
    edges = visible.clone()
    edges[8:16, 14:20] = True
    num_edges = int((~edges).sum())
    assert 0 < num_edges <= 4 * 9


def test_what_is_covered_does_not_count_as_an_error() -> None:
    background = torch.rand(3, 24, 32)
    square = torch.rand(3, 8, 8)
    clip = background.repeat(2, 1, 1, 1)
    clip[0, :, 8:16, 6:14] = square
    clip[1, :, 8:16, 12:20] = square
    result = warping_error(clip, *occluding_square())
    assert float(result.error) == pytest.approx(0.0, abs=1e-10)
    assert 0.8 < float(result.visible_share) < 0.95


def brute_force(flow_01: torch.Tensor, flow_10: torch.Tensor) -> list[list[bool]]:
    """The same rules pixel by pixel, for flows of whole pixels."""
    _, height, width = flow_01.shape
    rows = []
    for y in range(height):
        row = []
        for x in range(width):
            u, v = flow_01[:, y, x].tolist()
            right, down = x + int(u), y + int(v)
            if not (0 <= right < width and 0 <= down < height):
                row.append(False)
                continue
            back_u, back_v = flow_10[:, down, right].tolist()
            length = u * u + v * v
            gap = (u + back_u) ** 2 + (v + back_v) ** 2
            returns = gap <= 0.01 * (length + back_u**2 + back_v**2) + 0.5
            slope = 0.0
            for other_y, other_x in ((y, x + 1), (y + 1, x)):
                if other_y < height and other_x < width:
                    du, dv = (flow_01[:, other_y, other_x] - flow_01[:, y, x]).tolist()
                    slope += du * du + dv * dv
            row.append(returns and slope <= 0.01 * length + 0.002)
        rows.append(row)
    return rows


def test_equals_the_rules_pixel_by_pixel() -> None:
    generator = torch.Generator().manual_seed(4)
    coarse = torch.randint(-3, 4, (2, 2, 3, 4), generator=generator).float()
    flow_01, flow_10 = coarse.repeat_interleave(6, -1).repeat_interleave(6, -2)
    flow_01[:, 3:14, 4:16] = torch.tensor([5.0, 2.0]).view(2, 1, 1)
    flow_10[:, 5:16, 9:15] = torch.tensor([-5.0, -2.0]).view(2, 1, 1)
    flow_10[:, 5:16, 15:18] = torch.tensor([-5.0, -3.0]).view(2, 1, 1)  # nearly back
    expected = torch.tensor(brute_force(flow_01, flow_10))
    assert 0.1 < float(expected.float().mean()) < 0.5
    assert torch.equal(visible_pixels(flow_01[None], flow_10[None])[0, 0], expected)


def test_nothing_visible_is_no_number_rather_than_zero() -> None:
    clip = torch.rand(2, 3, 8, 8)
    away = uniform_flow(20, 0, 1, 8, 8)
    result = warping_error(clip, away, -away)
    assert result.error.isnan().all()
    assert result.visible_share.tolist() == [0.0]


def test_half_precision_is_computed_in_float32() -> None:
    clip, flow = torch.rand(2, 3, 8, 8).half(), torch.zeros(1, 2, 8, 8).half()
    result = warping_error(clip, flow, flow)
    assert result.error.dtype == torch.float32
    assert torch.equal(result.error, warping_error(clip.float(), flow.float(), flow.float()).error)


@pytest.mark.parametrize(
    ("clip", "there", "back"),
    [
        ((1, 3, 8, 8), (0, 2, 8, 8), (0, 2, 8, 8)),
        ((2, 1, 8, 8), (1, 2, 8, 8), (1, 2, 8, 8)),
        ((1, 2, 3, 8, 8), (1, 2, 8, 8), (1, 2, 8, 8)),
        ((3, 3, 8, 8), (1, 2, 8, 8), (1, 2, 8, 8)),
        ((2, 3, 8, 8), (1, 2, 8, 9), (1, 2, 8, 8)),
        ((2, 3, 8, 8), (1, 2, 8, 8), (1, 3, 8, 8)),
    ],
)
def test_what_does_not_fit_is_refused(
    clip: tuple[int, ...], there: tuple[int, ...], back: tuple[int, ...]
) -> None:
    with pytest.raises(ShapeError):
        warping_error(torch.zeros(clip), torch.zeros(there), torch.zeros(back))
