"""Losses, synthetic motion and what training on it teaches."""

from typing import Literal

import pytest
import torch

from msvsr.archs.basicvsr import Flows
from msvsr.errors import ConfigError
from msvsr.losses import charbonnier_loss, edge_aware_smoothness, photometric_loss
from msvsr.models.config import GeneratorConfig
from msvsr.models.realbasicvsr import build_network
from msvsr.ops.warp import backward_warp
from msvsr.training.config import LossConfig
from msvsr.training.initialization import initialize
from msvsr.training.objective import (
    area_downsample,
    flow_loss,
    motion_loss,
    reconstruction_losses,
)
from msvsr.training.synthetic_motion import synthetic_motion

TINY = GeneratorConfig(
    mid_channels=4,
    num_propagation_blocks=1,
    num_cleaning_blocks=1,
    high_resolution_channels=4,
    flow_channels=(8, 8),
    flow_kernel_size=5,
    flow_num_levels=3,
)


def smooth_images(n: int, size: int, seed: int = 0) -> torch.Tensor:
    """Random images without fine detail, ``(n, 3, size, size)`` in [0, 1]."""
    noise = torch.rand(n, 3, size // 4, size // 4, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.interpolate(noise, scale_factor=4, mode="bicubic").clamp(0, 1)


def test_charbonnier_is_quadratic_near_zero_and_linear_far_away() -> None:
    zero = torch.zeros(1)
    assert charbonnier_loss(zero, zero, 1e-4).item() == pytest.approx(1e-2)
    assert charbonnier_loss(zero + 3, zero, 1e-4).item() == pytest.approx(3, rel=1e-4)
    assert charbonnier_loss(zero.bfloat16() + 3, zero).dtype == torch.float32


def test_photometric_loss_is_lowest_at_the_true_motion() -> None:
    image = smooth_images(1, 32)
    moved = image.roll(2, dims=-1)
    losses = []
    for shift in (0.0, 1.0, 2.0, 3.0):
        flow = torch.zeros(1, 2, 32, 32)
        flow[:, 0] = shift
        losses.append(photometric_loss(image, moved, flow, num_scales=1).item())
    assert min(losses) == losses[2]


def test_smoothness_punishes_a_jump_of_the_flow_less_at_an_edge_of_the_image() -> None:
    flow = torch.zeros(1, 2, 8, 8)
    flow[..., 4:] = 1
    flat, edge = torch.zeros(1, 3, 8, 8), torch.zeros(1, 3, 8, 8)
    edge[..., 4:] = 1
    assert edge_aware_smoothness(flow, edge) < 0.01 * edge_aware_smoothness(flow, flat)


def test_area_downsampling_averages_blocks() -> None:
    clip = torch.arange(64.0).view(1, 1, 1, 8, 8)
    small = area_downsample(clip)
    assert small.shape == (1, 1, 1, 2, 2)
    assert small[0, 0, 0, 0, 0] == clip[0, 0, 0, :4, :4].mean()


def test_synthetic_flow_explains_the_second_image() -> None:
    images = smooth_images(16, 64)
    scene = synthetic_motion(images, 6.0, torch.Generator().manual_seed(0))
    (before, after), flow = scene
    inside = (slice(None), slice(None), slice(16, -16), slice(16, -16))
    unmoved = (after - before)[inside].abs().median()
    moved = (backward_warp(after, flow, "border") - before)[inside].abs().median()
    assert moved < 0.15 * unmoved
    assert flow.abs().max() > 3


def test_synthetic_motion_repeats_with_its_generator() -> None:
    images = smooth_images(2, 16)
    first, again = (
        synthetic_motion(images, 3.0, torch.Generator().manual_seed(4)) for _ in range(2)
    )
    assert torch.equal(first.frames[1], again.frames[1])
    assert torch.equal(first.flow, again.flow)


# Torch's bicubic filter (its parameter is -0.75) bends a straight ramp a little.
@pytest.mark.parametrize(("sampling", "tolerance"), [("bilinear", 1e-3), ("bicubic", 0.1)])
def test_synthetic_scene_moves_at_constant_speed(
    sampling: Literal["bilinear", "bicubic"], tolerance: float
) -> None:
    size, times = 64, (-1.0, 0.0, 0.5, 1.0, 2.0)
    y, x = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    positions = torch.stack((x, y))  # each pixel says where it was at time 0
    images = torch.cat((positions / size, torch.zeros(1, size, size))).repeat(8, 1, 1, 1)
    frames, flow = synthetic_motion(
        images,
        6.0,
        torch.Generator().manual_seed(0),
        times=times,
        num_foregrounds=0,
        sampling=sampling,
    )
    assert torch.equal(frames[1], images)
    assert flow.abs().amax(dim=(1, 2, 3)).min() > 1
    middle = (slice(None), slice(None), slice(24, -24), slice(24, -24))  # never mirrored
    for time, frame in zip(times, frames, strict=True):
        origins = frame[:, :2] * size
        arrived = origins + time * backward_warp(flow, origins - positions)
        assert (arrived - positions)[middle].abs().max() < tolerance


def test_warping_the_later_frame_of_a_synthetic_scene_gives_the_earlier_one() -> None:
    images = smooth_images(8, 64)
    for num_foregrounds, share in ((0, 0.99), (3, 0.85)):
        (before, after), flow = synthetic_motion(
            images,
            6.0,
            torch.Generator().manual_seed(1),
            num_foregrounds=num_foregrounds,
            sampling="bicubic",
        )
        inside = (slice(None), slice(None), slice(12, -12), slice(12, -12))
        error = (backward_warp(after, flow, "border") - before)[inside].abs()
        # The rest is covered or torn at the edges of foregrounds.
        assert (error < 0.03).float().mean() > share


def test_foregrounds_are_cut_from_the_other_images_and_move_on_their_own() -> None:
    levels = torch.tensor([0.0, 0.25, 0.5, 1.0])
    images = levels.view(4, 1, 1, 1).expand(4, 3, 48, 48)

    def draw(num_foregrounds: int) -> tuple[int, int]:
        """How many of the images one frame shows at most, and how many edges the flow has."""
        scene = synthetic_motion(
            images, 6.0, torch.Generator().manual_seed(3), num_foregrounds=num_foregrounds
        )
        shown = (scene.frames[0][:, :1] - levels.view(1, 4, 1, 1)).abs() < 1e-3
        colours = (shown.sum(dim=(2, 3)) > 20).sum(dim=1)
        edges = scene.flow.diff(n=2, dim=-1).abs() > 1e-3
        return int(colours.max()), int(edges.sum())

    alone, few, many = draw(0), draw(1), draw(3)
    assert alone == (1, 0)
    assert few[0] == 2
    assert many[0] >= 3
    assert 0 < few[1] < many[1]


def test_foreground_takes_its_outline_along() -> None:
    images = torch.tensor([0.0, 1.0]).repeat(8).view(16, 1, 1, 1).expand(16, 3, 64, 64)
    (before, after), flow = synthetic_motion(images, 12.0, torch.Generator().manual_seed(3))
    is_background = ((before - images.roll(1, dims=0)).abs() > 1e-3).float()
    # Two pixels off its soft edge and far enough from the border.
    is_inside = torch.nn.functional.max_pool2d(is_background, 5, 1, 2) == 0
    is_inside = is_inside[..., 18:-18, 18:-18]
    error = (backward_warp(after, flow) - before)[..., 18:-18, 18:-18].abs()
    assert is_inside.float().mean() > 0.03
    assert error[is_inside].max() < 0.02


def test_scenes_of_varying_speed_move_less_and_alike_in_kind() -> None:
    images = smooth_images(64, 32)
    flows = [
        synthetic_motion(
            images, 6.0, torch.Generator().manual_seed(0), num_foregrounds=0, varies_speed=varies
        ).flow
        for varies in (False, True)
    ]
    fast, slow = (flow.square().sum(dim=1).sqrt().mean(dim=(1, 2)) for flow in flows)
    assert 0.3 < slow.mean() / fast.mean() < 0.7
    assert (slow < 0.5).sum() > 2 * (fast < 0.5).sum()


def test_bicubic_scenes_stay_sharper_than_bilinear_ones() -> None:
    noise = torch.rand(4, 3, 48, 48)
    contrast = {}
    for sampling in ("bilinear", "bicubic"):
        scene = synthetic_motion(
            noise, 6.0, torch.Generator().manual_seed(0), num_foregrounds=0, sampling=sampling
        )
        contrast[sampling] = scene.frames[1].std()
    assert contrast["bicubic"] > 1.1 * contrast["bilinear"]


def test_fresh_network_is_close_to_bilinear_interpolation() -> None:
    network = build_network(TINY)
    initialize(network, 0)
    lq = smooth_images(3, 16).unsqueeze(0)
    with torch.no_grad():
        output = network(lq)
    plain = torch.nn.functional.interpolate(lq[0], scale_factor=4, mode="bilinear")
    assert (output.sr[0] - plain).abs().mean() < 0.5
    again = build_network(TINY)
    initialize(again, 0)
    assert all(
        torch.equal(a, b) for a, b in zip(network.parameters(), again.parameters(), strict=True)
    )


def test_losses_reach_every_parameter() -> None:
    network = build_network(TINY)
    initialize(network, 0)
    gt = smooth_images(3, 64).unsqueeze(0)
    losses = reconstruction_losses(network, area_downsample(gt), gt, LossConfig())
    assert set(losses) == {"pixel", "cleaning", "flow", "total"}
    losses["total"].backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_temporal_loss_counts_where_it_has_a_weight() -> None:
    network = build_network(TINY)
    initialize(network, 0)
    gt = smooth_images(3, 64).unsqueeze(0)
    lq = area_downsample(gt)
    without = reconstruction_losses(network, lq, gt, LossConfig())
    losses = reconstruction_losses(network, lq, gt, LossConfig(temporal=0.5))
    assert losses["temporal"] > 0
    torch.testing.assert_close(losses["total"], without["total"] + 0.5 * losses["temporal"])
    with pytest.raises(ConfigError, match="0 or above"):
        LossConfig(temporal=-1)


def test_flow_loss_prefers_the_true_flow() -> None:
    image = smooth_images(1, 32)
    clip = torch.stack((image, image.roll(1, dims=-1)), dim=1)
    still = torch.zeros(1, 1, 2, 32, 32)
    right = still.clone()
    right[:, :, 0] = 1
    config = LossConfig()
    assert flow_loss(clip, Flows(right, -right), config) < flow_loss(
        clip, Flows(still, still), config
    )


def test_flow_network_learns_motion_so_that_warping_lowers_the_photometric_error() -> None:
    network = build_network(TINY)
    initialize(network, 0)
    flow_network = network.basicvsr.spynet
    optimizer = torch.optim.Adam(flow_network.parameters(), lr=2e-3)
    generator = torch.Generator().manual_seed(0)
    for step in range(150):
        gt = smooth_images(8, 64, seed=step).unsqueeze(0)
        loss = motion_loss(network, gt, 2.0, generator)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    image = smooth_images(4, 32, seed=10_000)
    moved = image.roll(1, dims=-1)
    with torch.no_grad():
        flow = network.basicvsr.estimate_flow(image, moved)
    warped = backward_warp(moved, flow, "border")
    inside = (slice(None), slice(None), slice(4, -4), slice(4, -4))
    assert (warped - image)[inside].abs().mean() < 0.8 * (moved - image)[inside].abs().mean()
