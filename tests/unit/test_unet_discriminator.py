"""The discriminator against a plain U-Net under torch's own spectral normalisation."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils import spectral_norm

from msvsr.archs.unet_discriminator import (
    SpectralNormConv2d,
    UNetDiscriminator,
    discriminator_weights,
)
from msvsr.errors import ConfigError, ShapeError

NORMALISED = range(1, 9)


class Reference(nn.Module):
    """The published layers, written out with torch's functions."""

    def __init__(self, c: int) -> None:
        super().__init__()
        self.conv0 = nn.Conv2d(3, c, 3, 1, 1)
        sizes = [(c, 2 * c, 4, 2), (2 * c, 4 * c, 4, 2), (4 * c, 8 * c, 4, 2)]
        sizes += [(8 * c, 4 * c, 3, 1), (4 * c, 2 * c, 3, 1), (2 * c, c, 3, 1)]
        sizes += [(c, c, 3, 1), (c, c, 3, 1)]
        for number, (before, after, kernel, stride) in enumerate(sizes, start=1):
            conv = nn.Conv2d(before, after, kernel, stride, padding=1, bias=False)
            self.add_module(f"conv{number}", spectral_norm(conv))
        self.conv9 = nn.Conv2d(c, 1, 3, 1, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map images to logits."""
        levels = []
        for number in range(4):
            x = F.leaky_relu(self.get_submodule(f"conv{number}")(x), 0.2)
            levels.append(x)
        for number, level in zip((4, 5, 6), levels[2::-1], strict=True):
            x = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)(x)
            x = F.leaky_relu(self.get_submodule(f"conv{number}")(x), 0.2) + level
        for number in (7, 8):
            x = F.leaky_relu(self.get_submodule(f"conv{number}")(x), 0.2)
        return self.conv9(x)  # type: ignore[no-any-return]


@pytest.fixture
def network() -> UNetDiscriminator:
    return UNetDiscriminator(num_channels=4)


def matrix(layer: SpectralNormConv2d) -> torch.Tensor:
    return layer.normalized_weight().detach().flatten(1)


def test_the_published_size_has_the_published_number_of_parameters() -> None:
    network = UNetDiscriminator()
    assert sum(each.numel() for each in network.parameters()) == 4_376_897
    images = torch.rand(2, 3, 24, 32, requires_grad=True)
    logits = network(images)
    assert logits.shape == (2, 1, 24, 32)
    logits.mean().backward()
    assert images.grad is not None
    assert images.grad.abs().sum(dim=1).min() > 0
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


def test_weights_are_exchanged_with_torch_and_every_step_agrees(network: UNetDiscriminator) -> None:
    reference = Reference(4)
    network.load_state_dict(reference.state_dict(), strict=True)
    optimizers = [torch.optim.SGD(each.parameters(), lr=0.1) for each in (network, reference)]
    for _ in range(3):  # in training: each step changes weights and vectors
        images = torch.rand(2, 3, 16, 16)
        logits = []
        for judge, optimizer in zip((network, reference), optimizers, strict=True):
            optimizer.zero_grad()
            logits.append(judge(images))
            F.softplus(-logits[-1]).mean().backward()
            optimizer.step()
        torch.testing.assert_close(logits[0], logits[1])
    torch.testing.assert_close(dict(network.state_dict()), dict(reference.state_dict()))
    images = torch.rand(1, 3, 16, 16)
    torch.testing.assert_close(network.eval()(images), reference.eval()(images))
    Reference(4).load_state_dict(network.state_dict(), strict=True)


def test_largest_singular_value_of_every_normalised_layer_is_one(
    network: UNetDiscriminator,
) -> None:
    for number in NORMALISED:
        layer = network.get_submodule(f"conv{number}")
        assert isinstance(layer, SpectralNormConv2d)
        first = torch.linalg.svdvals(matrix(layer))[0].item()
        assert first == pytest.approx(1, abs=0.1)  # from the start
        for _ in range(200):
            layer.normalized_weight()
        assert torch.linalg.svdvals(matrix(layer))[0].item() == pytest.approx(1, abs=1e-3)


def test_the_norm_is_part_of_the_gradient() -> None:
    """Making a weight larger changes nothing, so the gradient has no part along the weight."""
    layer = SpectralNormConv2d(3, 4).eval()
    layer(torch.rand(1, 3, 8, 8)).square().sum().backward()
    weight, gradient = layer.weight_orig.detach(), layer.weight_orig.grad
    assert gradient is not None
    cosine = F.cosine_similarity(weight.flatten(), gradient.flatten(), dim=0)
    assert cosine.abs() < 1e-5


def test_only_training_refines_the_vectors(network: UNetDiscriminator) -> None:
    images = torch.rand(1, 3, 8, 8)
    before = copy.deepcopy(network.state_dict())
    network.eval()(images)
    torch.testing.assert_close(dict(network.state_dict()), dict(before), rtol=0, atol=0)
    network.train()(images)
    changed = {name for name, old in before.items() if not network.state_dict()[name].equal(old)}
    assert changed == {f"conv{number}.weight_{each}" for number in NORMALISED for each in "uv"}


def test_several_passes_before_one_backward_pass(network: UNetDiscriminator) -> None:
    real, fake = torch.rand(2, 1, 3, 8, 8)
    (network(real).mean() - network(fake).mean()).backward()
    assert network.conv3.weight_orig.grad is not None


def test_a_copy_after_training_goes_on_like_the_original(network: UNetDiscriminator) -> None:
    images = torch.rand(1, 3, 16, 16)
    network(images).mean().backward()
    resumed = UNetDiscriminator(num_channels=4)
    resumed.load_state_dict(network.state_dict())
    copied = copy.deepcopy(network)
    expected = network(images)
    assert torch.equal(copied(images), expected)
    assert torch.equal(resumed(images), expected)


@pytest.mark.parametrize("training", [True, False])
def test_the_norm_is_exact_under_autocast(training: bool) -> None:
    layer = SpectralNormConv2d(8, 8).train(training)
    twin = copy.deepcopy(layer)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = layer.normalized_weight()
        assert layer(torch.rand(1, 8, 8, 8)).dtype == torch.bfloat16
    assert torch.equal(inside, twin.normalized_weight())


def test_weights_of_other_projects_are_renamed_and_generators_left_out(
    network: UNetDiscriminator,
) -> None:
    state = network.state_dict()
    official = {f"discriminator.{key.replace('conv', 'conv_')}": state[key] for key in state}
    official["generator.basicvsr.conv_hr.weight"] = torch.ones(1)
    official["step_counter"] = torch.ones(1)
    parallel = {f"module.{key}": state[key] for key in state}
    for weights in (official, parallel, state):
        found = discriminator_weights(weights)
        assert found.keys() == state.keys()
        assert all(found[key] is state[key] or torch.equal(found[key], state[key]) for key in state)
    assert discriminator_weights({"generator.conv_1.weight": torch.ones(1)}) == {}


def test_sides_that_cannot_be_halved_three_times_are_refused(network: UNetDiscriminator) -> None:
    with pytest.raises(ShapeError, match=r"divisible by 8.*\(1, 3, 12, 16\)"):
        network(torch.rand(1, 3, 12, 16))
    with pytest.raises(ConfigError, match="at least 1"):
        UNetDiscriminator(num_channels=0)
