"""What the interpolation networks promise beside equality with the official ones."""

import copy
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F

from msvsr.archs.interpnet import InterpNet, Synthesis
from msvsr.archs.quadratic import quadratic_flows, reverse_flows
from msvsr.errors import ConfigError, ShapeError

SIZE = (64, 96)


def small_network() -> InterpNet:
    torch.manual_seed(0)
    return InterpNet(refiner_channels=(16, 12, 8), base_channels=8, mask_channels=(8, 4)).eval()


def network_without_refinement() -> InterpNet:
    torch.manual_seed(0)
    return InterpNet(refiner_channels=(), base_channels=8, mask_channels=(8, 4)).eval()


def smooth(channels: int, seed: int, size: tuple[int, int] = SIZE, n: int = 1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return F.interpolate(torch.randn(n, channels, 5, 6, generator=generator), size, mode="bicubic")


def frames(size: tuple[int, int] = SIZE, n: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    first, second = ((0.5 + 0.2 * smooth(3, seed, size, n)).clamp(0, 1) for seed in (1, 2))
    return first, second


def flows(size: tuple[int, int] = SIZE, n: int = 1) -> list[torch.Tensor]:
    """1 to 2, 2 to 1, 1 to 0, 2 to 3."""
    return [3 * smooth(2, seed, size, n) for seed in (3, 4, 5, 6)]


def assert_close(made: Synthesis, expected: Synthesis, tolerance: float) -> None:
    for name, ours, theirs in zip(made._fields, made, expected, strict=True):
        assert (ours - theirs).abs().max() <= tolerance, name


# Motion.


@pytest.mark.parametrize("lengths", [(1.0, 1.0), (0.5, 2.0), (3.0, 0.25)])
def test_quadratic_flows_follow_a_parabola_at_unequal_intervals(
    lengths: tuple[float, float],
) -> None:
    velocity, acceleration, timestep = torch.randn(1, 2, 4, 4), torch.randn(1, 2, 4, 4), 0.3

    def position(time: float) -> torch.Tensor:
        return velocity * time + acceleration * time**2

    inner = position(1), position(0) - position(1)
    outer = position(-lengths[0]), position(1 + lengths[1]) - position(1)
    made = quadratic_flows(inner, outer, timestep, lengths)
    assert torch.allclose(made[:, 0], position(timestep), atol=1e-5)
    assert torch.allclose(made[:, 1], position(timestep) - position(1), atol=1e-5)


@pytest.mark.parametrize("missing", [0, 1])
def test_motion_is_linear_when_an_outer_flow_is_missing(missing: int) -> None:
    ones = torch.ones(1, 2, 4, 4)
    inner, outer = (ones, -ones), (None, ones) if missing == 0 else (ones, None)
    made = quadratic_flows(inner, outer, 0.25, (1.0, 1.0))
    assert torch.allclose(made[:, 0], 0.25 * inner[0])
    assert torch.allclose(made[:, 1], 0.75 * inner[1])


def test_reversing_a_constant_flow_turns_it_around() -> None:
    flow = torch.tensor([6.0, -3.0]).view(1, 1, 2, 1, 1).expand(1, 2, 2, *SIZE)
    landed = (..., slice(0, -6), slice(9, None))  # nothing lands on the left and at the bottom
    assert torch.allclose(reverse_flows(flow)[landed], -flow[landed], atol=1e-5)


def test_reversing_fills_the_hole_that_opens_between_two_parts() -> None:
    flow = torch.zeros(1, 2, 2, *SIZE)
    flow[..., 0, :, 48:] = 15.0  # the right half moves away from the left half
    middle = reverse_flows(flow)[0, 0, 0, 24:40]
    assert (middle[:, 30:45] == 0).all()
    assert torch.allclose(middle[:, 66:80], torch.tensor(-15.0))
    assert (middle[:, 51:60].mean(dim=0).diff() <= 0).all(), "the hole leads from one to the other"
    assert -15 < middle[:, 51:60].min() < middle[:, 51:60].max() < 0


# Refinement and synthesis.


def test_without_refinement_flows_stay_as_they_are() -> None:
    inner = flows()[:2]
    refined = network_without_refinement().refine(*frames(), *inner)
    assert all(torch.equal(a, b) for a, b in zip(refined, inner, strict=True))


@pytest.mark.parametrize("attention", [True, False])
def test_sizes_of_the_network_are_free(attention: bool) -> None:
    network = InterpNet(
        refiner_channels=(16, 8), attention=attention, base_channels=12, mask_channels=(6, 5)
    )
    has_attention = any("attn" in name for name, _ in network.named_parameters())
    assert has_attention == attention
    made = network(*frames(), *flows()[:2], 0.5)
    assert made.frame.shape == (1, 3, *SIZE)
    assert made.mask.shape == made.static_mask.shape == (1, 1, *SIZE)


def test_forward_refines_then_synthesizes() -> None:
    network, images, motion = small_network(), frames(), flows()
    with torch.inference_mode():
        made = network(*images, *motion[:2], 0.4, *motion[2:])
        inner = network.refine(*images, *motion[:2])
        expected = network.synthesize(*images, *inner, 0.4, *motion[2:])
    assert (inner[0] - motion[0]).abs().max() > 1e-3
    assert_close(made, expected, 0.0)


def test_each_sample_may_have_its_own_timestep() -> None:
    network, images, motion = small_network(), frames(n=2), flows(n=2)
    timesteps = torch.tensor([0.2, 0.7]).view(2, 1, 1, 1)
    with torch.inference_mode():
        together = network(*images, *motion[:2], timesteps, *motion[2:])
        for i, timestep in enumerate((0.2, 0.7)):
            one = [part[i : i + 1] for part in (*images, *motion)]
            alone = network(*one[:4], timestep, *one[4:])
            assert_close(Synthesis(*(part[i : i + 1] for part in together)), alone, 1e-4)


def test_a_still_pair_gives_the_same_frame_again() -> None:
    image, flow = frames()[0], torch.zeros(1, 2, *SIZE)
    network = network_without_refinement()
    torch.nn.init.zeros_(network.internet.refinenet.conv4.weight)
    torch.nn.init.zeros_(network.internet.refinenet.conv4.bias)
    with torch.inference_mode():
        made = network(image, image, flow, flow, 0.3)
    assert (made.frame - image).abs().max() < 1e-4


def test_the_frame_nears_its_neighbour_as_time_does() -> None:
    images, motion = frames(), flows()
    network = network_without_refinement()
    torch.nn.init.zeros_(network.internet.refinenet.conv4.weight)
    torch.nn.init.zeros_(network.internet.refinenet.conv4.bias)
    with torch.inference_mode():
        early, late = (network(*images, *motion[:2], time) for time in (1e-4, 1 - 1e-4))
    assert (early.frame - images[0]).abs().mean() < 2e-3
    assert (late.frame - images[1]).abs().mean() < 2e-3


def test_inputs_are_not_modified() -> None:
    network, given = small_network(), (*frames(), *flows())
    before = [part.clone() for part in given]
    with torch.inference_mode():
        network(*given[:4], 0.5, *given[4:])
    assert all(torch.equal(a, b) for a, b in zip(given, before, strict=True))


def test_half_form_gives_frame_and_flows_of_the_full_size() -> None:
    network, images = small_network(), frames((128, 192))
    half_1, half_2 = (F.interpolate(image, scale_factor=0.5, mode="bilinear") for image in images)
    motion = flows()
    with torch.inference_mode():
        made = network.synthesize(
            *images, *motion[:2], 0.5, *motion[2:], half_images=(half_1, half_2)
        )
        small = network.synthesize(half_1, half_2, *motion[:2], 0.5, *motion[2:])
    assert made.frame.shape == images[0].shape
    ratio = (made.flow_t1.abs().mean() / small.flow_t1.abs().mean()).item()
    assert ratio == pytest.approx(2, rel=0.05)  # in pixels of the full size


# Types, layouts and training.


def channels_last(network: InterpNet) -> InterpNet:
    return network.to(memory_format=torch.channels_last)


def bfloat16(network: InterpNet) -> InterpNet:
    return network.to(torch.bfloat16).to(memory_format=torch.channels_last)


@pytest.mark.parametrize(
    ("convert", "tolerance"), [(channels_last, 1e-4), (bfloat16, 0.1)], ids=["layout", "bfloat16"]
)
def test_converted_weights_give_float32_results(
    convert: Callable[[InterpNet], InterpNet], tolerance: float
) -> None:
    network, images, motion = small_network(), frames(), flows()
    converted = convert(copy.deepcopy(network))
    with torch.inference_mode():
        expected = network(*images, *motion[:2], 0.5, *motion[2:])
        made = converted(*images, *motion[:2], 0.5, *motion[2:])
    assert all(part.dtype == torch.float32 for part in made)
    assert_close(made, expected, tolerance)


@pytest.mark.parametrize("autocast", [False, True])
def test_training_gives_every_weight_a_finite_gradient(autocast: bool) -> None:
    network = small_network().train()
    images, motion = frames(n=2), [flow.requires_grad_() for flow in flows(n=2)]
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        made = network(*images, *motion[:2], torch.rand(2, 1, 1, 1), *motion[2:])
    made.frame.sum().backward()
    gradients = {name: parameter.grad for name, parameter in network.named_parameters()}
    missing = [name for name, gradient in gradients.items() if gradient is None]
    assert missing == []
    parts = [*gradients.values(), *(flow.grad for flow in motion)]
    assert all(part is not None and part.isfinite().all() for part in parts)
    assert sum(bool(part is not None and part.abs().max() > 0) for part in parts) > len(parts) / 2


def test_training_works_after_inference() -> None:
    network, images, motion = small_network(), frames(), flows()
    with torch.inference_mode():
        network(*images, *motion[:2], 0.5)
    network(*images, *motion[:2], 0.5).frame.mean().backward()


# Shapes that cannot be used.


def test_sides_must_be_multiples_of_32() -> None:
    with pytest.raises(ShapeError, match=r"multiples of 32, got \(64, 100\)"):
        small_network().refine(*frames((64, 100)), *flows((64, 100))[:2])


def test_flows_must_have_the_size_of_the_images() -> None:
    with pytest.raises(ShapeError, match=r"one size, got \(64, 96\) and \(32, 96\)"):
        small_network().synthesize(*frames(), *flows((32, 96))[:2], 0.5)


def test_half_images_must_be_half_as_large() -> None:
    with pytest.raises(ShapeError, match=r"half the size.*\(64, 96\) for \(64, 96\)"):
        small_network().synthesize(*frames(), *flows()[:2], 0.5, half_images=frames())


def test_refinement_has_three_blocks_at_most() -> None:
    with pytest.raises(ConfigError, match=r"at most 3 .* got \(8, 8, 8, 8\)"):
        InterpNet(refiner_channels=(8, 8, 8, 8))
