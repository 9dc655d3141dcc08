"""What the two stages of interpolation training learn from: samples and losses."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from msvsr.archs.raft import RAFT
from msvsr.errors import InputError
from msvsr.models.interpolation_networks import InterpolationNetworks
from msvsr.ops.warp import backward_warp
from msvsr.training.interpolation.config import FlowLossConfig, SynthesisLossConfig
from msvsr.training.interpolation.objective import (
    flow_losses,
    matching_losses,
    sequence_loss,
    synthesis_losses,
)
from msvsr.training.interpolation.samples import (
    FlowPairs,
    SynthesisSample,
    add_noise,
    draw_flow_pairs,
    draw_scene,
    draw_synthesis,
)
from tests.support.models import tiny_interpolation_networks


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def brightening_windows(n: int = 2) -> torch.Tensor:
    """Windows of 7 frames whose brightness says when they are: ``(n, 7, 3, 8, 8)``."""
    return (torch.arange(7) / 10).view(1, 7, 1, 1, 1).expand(n, 7, 3, 8, 8)


def smooth_windows(n: int, size: int, num_frames: int = 7) -> torch.Tensor:
    """Windows without fine detail, every frame another: ``(n, t, 3, size, size)``."""
    coarse = torch.rand(n * num_frames, 3, size // 8, size // 8, generator=generator())
    images = F.interpolate(coarse, scale_factor=8, mode="bicubic").clamp(0, 1)
    return images.unflatten(0, (n, num_frames))


def some_pairs(num_known: int, size: int = 128) -> FlowPairs:
    windows = smooth_windows(2, size, 5)
    return draw_flow_pairs(windows, num_known / 2, 8.0, 1, generator())


def has_gradient(network: nn.Module) -> bool:
    gradients = [each.grad for each in network.parameters() if each.grad is not None]
    if any(not torch.isfinite(gradient).all() for gradient in gradients):
        pytest.fail("a gradient is not finite")
    return any(bool(gradient.abs().sum() > 0) for gradient in gradients)


def test_target_of_every_real_sample_stands_where_its_timestep_says() -> None:
    timesteps, numbers = set(), set()
    for seed in range(80):
        sample = draw_synthesis(brightening_windows(), generator(seed))
        before, first, second, after = sample.frames
        step = second - first
        torch.testing.assert_close(sample.target, first + sample.timestep * step)
        assert 0 < sample.timestep < 1
        assert (before is None) == (after is None)
        if before is not None and after is not None:
            torch.testing.assert_close(before, first - step)
            torch.testing.assert_close(after, second + step)
        timesteps.add(round(sample.timestep, 3))
        numbers.add(before is None)
    assert timesteps == {0.25, 0.333, 0.5, 0.667, 0.75}
    assert numbers == {True, False}


def test_window_that_is_too_short_for_a_sample_is_refused() -> None:
    with pytest.raises(InputError, match="at least 7 frames, got 6"):
        draw_synthesis(brightening_windows()[:, :6], generator())


def position(frame: torch.Tensor, sample: SynthesisSample) -> float:
    """Where a frame of a moving ramp stands, from 0, the first frame, to 1, the second."""
    _, first, second, _ = sample.frames
    frame, first, second = (each[..., 20:-20, 20:-20] for each in (frame, first, second))
    moving = (second - first).abs() > 0.02
    return float(((frame - first) / (second - first))[moving].median())


def test_made_sample_stands_where_its_timestep_says_too() -> None:
    ramp = torch.linspace(0.2, 0.8, 64).expand(64, 64)
    windows = torch.stack((ramp, ramp.mT, ramp)).expand(4, 1, 3, 64, 64)
    samples = [draw_scene(windows, 9.0, 0, generator(seed)) for seed in range(24)]
    fast = [each for each in samples if (each.frames[2] - each.frames[1]).abs().mean() > 0.01]
    assert len(fast) >= 4  # the speed varies
    for sample in fast:
        before, _, _, after = sample.frames
        # Turning and growing bend the change of brightness at one place a little.
        assert position(sample.target, sample) == pytest.approx(sample.timestep, abs=0.1)
        if before is not None and after is not None:
            assert position(before, sample) == pytest.approx(-1, abs=0.2)
            assert position(after, sample) == pytest.approx(2, abs=0.2)
    assert {sample.frames[0] is None for sample in samples} == {True, False}
    timesteps = [sample.timestep for sample in samples]
    assert min(timesteps) >= 0.05
    assert max(timesteps) <= 0.95
    assert max(timesteps) - min(timesteps) > 0.5


def test_samples_repeat_with_their_generator() -> None:
    windows = smooth_windows(2, 32)
    first, again = (draw_scene(windows, 6.0, 2, generator(5)) for _ in range(2))
    assert torch.equal(first.target, again.target)
    assert first.timestep == again.timestep
    one, other = (draw_flow_pairs(windows, 0.5, 6.0, 2, generator(5)) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_noise_is_on_half_of_the_frames_and_never_on_the_target() -> None:
    grey = torch.full((64, 7, 3, 16, 16), 0.5)
    sample = draw_synthesis(grey, generator(3))
    noisy = add_noise(sample, 0.1, generator())
    assert torch.equal(noisy.target, sample.target)
    first, second = noisy.frames[1], noisy.frames[2]
    strength = first.std(dim=(1, 2, 3))
    assert 0.3 < (strength == 0).float().mean() < 0.7
    assert 0.03 < strength[strength > 0].mean() < 0.07
    # One strength per clip, but not the same noise in both frames.
    assert torch.allclose(strength, second.std(dim=(1, 2, 3)), rtol=0.25)
    assert not torch.equal(first, second)
    assert noisy.frames[0] is None or noisy.frames[0].std() > 0


def test_first_pairs_are_made_and_their_flow_leads_from_before_to_after() -> None:
    pairs = draw_flow_pairs(smooth_windows(16, 64, 5), 0.5, 8.0, 0, generator())
    assert pairs.flow.shape == (8, 2, 64, 64)
    assert pairs.before.shape == pairs.after.shape == (16, 3, 64, 64)
    warped = backward_warp(pairs.after[:8], pairs.flow, "border")
    inside = (slice(8), slice(None), slice(16, -16), slice(16, -16))
    unmoved = (pairs.after[:8] - pairs.before[:8])[inside].abs().mean()
    assert (warped - pairs.before[:8])[inside].abs().mean() < 0.1 * unmoved


def test_last_pairs_are_real_frames_one_to_four_apart() -> None:
    distances = set()
    for seed in range(40):
        pairs = draw_flow_pairs(brightening_windows(4), 0.25, 4.0, 0, generator(seed))
        assert len(pairs.flow) == 1
        (apart,) = (10 * (pairs.after - pairs.before)[1:].mean(dim=(1, 2, 3))).round().unique()
        distances.add(int(apart))
    assert distances == {1, 2, 3, 4}


@pytest.mark.parametrize(("share", "num_known"), [(0.0, 0), (1.0, 4)])
def test_pairs_may_all_be_real_or_all_be_made(share: float, num_known: int) -> None:
    pairs = draw_flow_pairs(brightening_windows(4), share, 4.0, 1, generator())
    assert len(pairs.flow) == num_known
    assert len(pairs.before) == len(pairs.after) == 4


def test_sequence_loss_weighs_later_iterations_more() -> None:
    target = torch.ones(1, 2, 4, 4)
    estimates = [target + 4, target - 2, target + 1]
    assert sequence_loss(estimates, target, 0.5) == pytest.approx(0.25 * 4 + 0.5 * 2 + 1)
    assert sequence_loss([target], target, 0.8) == 0


class PlacesKnown(nn.Module):
    """Its features of an image are those that the image's red channel is numbered with."""

    def match(self, images: torch.Tensor) -> torch.Tensor:
        """One-hot features, ``(n, 64, h / 8, w / 8)``."""
        places = F.avg_pool2d(images[:, 0], 8).round().long()
        return 100 * F.one_hot(places, 64).movedim(-1, 1).float()


def test_matching_loss_is_low_only_where_the_flow_leads_to_the_same_features() -> None:
    numbers = torch.arange(56.0).view(1, 1, 7, 8)
    before = F.interpolate(numbers, scale_factor=8).expand(1, 3, 56, 64)
    after = before.roll((8, -16), dims=(-2, -1))
    flow = torch.tensor([-16.0, 8.0]).view(1, 2, 1, 1).expand(1, 2, 56, 64)
    right = matching_losses(PlacesKnown(), FlowPairs(before, after, flow))
    wrong = matching_losses(PlacesKnown(), FlowPairs(before, after, -flow))
    # Places that the flow leads out of the image have no match and do not count.
    assert right["matching"] < 1e-3
    assert right["found"] == 1
    assert wrong["matching"] > 5
    assert wrong["found"] == 0
    between = FlowPairs(before, after, flow + torch.tensor([3.0, 0.0]).view(2, 1, 1))
    assert 0.1 < matching_losses(PlacesKnown(), between)["matching"] < wrong["matching"]
    assert matching_losses(PlacesKnown(), between)["found"] > 0.8  # all but one column


def test_matching_loss_teaches_the_encoder_of_what_is_compared_alone() -> None:
    torch.manual_seed(0)
    network = RAFT(small=True)
    losses = matching_losses(network, some_pairs(2))
    losses["total"].backward()
    assert has_gradient(network.fnet)
    assert not has_gradient(network.cnet)
    assert not has_gradient(network.update_block)


@pytest.mark.parametrize("num_known", [0, 1, 2])
def test_flow_losses_teach_the_network_and_not_its_teacher(num_known: int) -> None:
    torch.manual_seed(0)
    network, teacher = RAFT(small=True), RAFT(small=True)
    losses = flow_losses(
        network, teacher, some_pairs(num_known), 1, FlowLossConfig(teacher_iterations=1)
    )
    assert set(losses) >= {"flow", "total", "error"}
    assert all(torch.isfinite(loss) for loss in losses.values())
    losses["total"].backward()
    assert has_gradient(network.fnet)
    assert has_gradient(network.update_block)
    assert not has_gradient(teacher)


def test_flow_is_measured_against_the_teacher_where_it_is_not_known() -> None:
    torch.manual_seed(0)
    network = RAFT(small=True)
    config = FlowLossConfig(teacher_iterations=1)
    with torch.no_grad():
        taught = flow_losses(network, copy.deepcopy(network), some_pairs(0), 1, config)
        known = flow_losses(network, copy.deepcopy(network), some_pairs(2), 1, config)
    assert taught["error"] < 1e-3
    assert known["error"] > 0.1


@pytest.fixture(scope="module")
def networks() -> InterpolationNetworks:
    """The smallest networks."""
    return tiny_interpolation_networks()


@pytest.mark.parametrize("num_frames", [2, 4])
@pytest.mark.parametrize("train_flow", [False, True])
def test_synthesis_losses_reach_only_the_networks_that_shall_learn(
    networks: InterpolationNetworks, num_frames: int, *, train_flow: bool
) -> None:
    networks.zero_grad(set_to_none=True)
    before, first, target, second, after = smooth_windows(1, 128, 5).unbind(dim=1)
    outer = (before, after) if num_frames == 4 else (None, None)
    sample = SynthesisSample((outer[0], first, second, outer[1]), target, 0.4)
    config = SynthesisLossConfig(warped=0.5)
    losses = synthesis_losses(
        networks.flow, networks.interpolator, sample, 1, config, train_flow=train_flow
    )
    torch.testing.assert_close(losses["total"], losses["pixel"] + 0.5 * losses["warped"])
    losses["total"].backward()
    assert has_gradient(networks.interpolator.internet)
    assert has_gradient(networks.flow) == train_flow
    assert any(p.grad is not None for p in networks.flow.parameters()) == train_flow


@pytest.mark.parametrize("brightness", [0.2, 0.9])
def test_both_warped_frames_are_held_against_the_target(
    networks: InterpolationNetworks, brightness: float
) -> None:
    first, second, target = (torch.full((1, 3, 128, 128), x) for x in (0.2, 0.9, brightness))
    sample = SynthesisSample((None, first, second, None), target, 0.4)
    with torch.no_grad():
        losses = synthesis_losses(
            networks.flow, networks.interpolator, sample, 1, SynthesisLossConfig(), train_flow=False
        )
    # A flat frame looks the same wherever it is warped to: one fits, the other is 0.7 off.
    assert losses["warped"] == pytest.approx(0.7, abs=0.01)
