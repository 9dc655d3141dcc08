"""The perceptual loss against its definition, whole and in chunks of frames."""

import pytest
import torch
import torch.nn.functional as F

from msvsr.archs.vgg import VGG19_LAYERS, VGG19Features
from msvsr.errors import ConfigError, ShapeError
from msvsr.losses import PERCEPTUAL_WEIGHTS, PerceptualLoss

LAYERS, WEIGHTS = (2, 7, 12), (0.1, 0.5, 1.0)


class Counting(VGG19Features):
    """Notes how many frames each pass sees, and whether it keeps a graph."""

    def __init__(self) -> None:
        super().__init__(LAYERS)
        self.passes: list[tuple[int, bool]] = []

    def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
        """Compute features and take a note."""
        found = super().forward(images)
        self.passes.append((len(images), found[0].requires_grad))
        return found


@pytest.fixture
def network() -> Counting:
    return Counting()


def clips() -> tuple[torch.Tensor, torch.Tensor]:
    """Prediction and target, ``(1, 5, 3, 16, 20)``."""
    return torch.rand(1, 5, 3, 16, 20, requires_grad=True), torch.rand(1, 5, 3, 16, 20)


def test_official_weights_are_those_of_the_official_layers() -> None:
    recipe = {2: 0.1, 7: 0.1, 16: 1.0, 25: 1.0, 34: 1.0}
    assert dict(zip(VGG19_LAYERS, PERCEPTUAL_WEIGHTS, strict=True)) == recipe
    loss = PerceptualLoss(VGG19Features())
    assert loss.layer_weights == PERCEPTUAL_WEIGHTS
    image = torch.rand(1, 3, 16, 16)
    assert loss(image, image).item() == 0
    assert loss(image, 1 - image).item() > 0


def test_loss_is_the_weighted_sum_of_mean_absolute_differences(network: Counting) -> None:
    prediction, target = clips()
    flat = network(prediction.flatten(0, 1)), network(target.flatten(0, 1))
    expected = sum(
        weight * F.l1_loss(one, other) for weight, one, other in zip(WEIGHTS, *flat, strict=True)
    )
    found = PerceptualLoss(network, WEIGHTS)(prediction, target)
    assert isinstance(expected, torch.Tensor)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("frames_per_chunk", [1, 2, 4, 5, 8])
def test_chunks_change_neither_loss_nor_gradient(network: Counting, frames_per_chunk: int) -> None:
    # In float64: in float32 an activation near zero may change sides with the size of a batch.
    network.double()
    prediction, target = (each.detach().double().requires_grad_() for each in clips())
    results = []
    for size in (None, frames_per_chunk):
        loss = PerceptualLoss(network, WEIGHTS, frames_per_chunk=size)(prediction, target)
        (gradient,) = torch.autograd.grad(0.7 * loss.square(), prediction)
        results.append((loss.detach(), gradient))
    torch.testing.assert_close(results[1], results[0], rtol=1e-6, atol=1e-12)
    assert results[0][1].abs().max() > 1e-6


def test_chunks_bound_the_frames_in_the_network_and_compute_nothing_twice(
    network: Counting,
) -> None:
    prediction, target = clips()
    PerceptualLoss(network, WEIGHTS, frames_per_chunk=2)(prediction, target).backward()
    assert network.passes == [(2, False), (2, True), (2, False), (2, True), (1, False), (1, True)]


def test_without_gradient_no_graph_is_kept(network: Counting) -> None:
    prediction, target = clips()
    loss = PerceptualLoss(network, WEIGHTS, frames_per_chunk=2)
    with torch.no_grad():
        without = loss(prediction, target)
    assert not without.requires_grad
    assert not loss(target, target).requires_grad
    assert not any(kept for _, kept in network.passes)
    torch.testing.assert_close(
        without, PerceptualLoss(network, WEIGHTS)(prediction, target).detach()
    )


@pytest.mark.parametrize("frames_per_chunk", [None, 2])
def test_gradient_reaches_what_made_the_prediction_but_not_target_or_network(
    network: Counting, frames_per_chunk: int | None
) -> None:
    gain = torch.ones((), requires_grad=True)
    target = torch.rand(1, 3, 3, 16, 16, requires_grad=True)
    image = torch.rand(1, 3, 3, 16, 16)
    PerceptualLoss(network, WEIGHTS, frames_per_chunk)(gain * image, target).backward()
    assert gain.grad is not None
    assert gain.grad.abs() > 0
    assert target.grad is None
    assert all(each.grad is None for each in network.parameters())


def test_second_derivatives_of_a_chunked_loss_fail_instead_of_being_wrong(
    network: Counting,
) -> None:
    prediction, target = clips()
    loss = PerceptualLoss(network, WEIGHTS, frames_per_chunk=2)(prediction, target)
    (gradient,) = torch.autograd.grad(loss.square(), prediction, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.sum().backward()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_gives_float32_and_nearly_the_same_gradient(
    network: Counting, dtype: torch.dtype
) -> None:
    prediction, target = clips()
    exact = PerceptualLoss(network, WEIGHTS)(prediction, target)
    (wanted,) = torch.autograd.grad(exact, prediction)
    with torch.autocast("cpu", dtype=dtype):
        loss = PerceptualLoss(network, WEIGHTS, frames_per_chunk=2)(prediction, target)
    (found,) = torch.autograd.grad(loss, prediction)
    assert loss.dtype == found.dtype == torch.float32
    assert loss.item() == pytest.approx(exact.item(), rel=1e-2)
    assert F.cosine_similarity(found.flatten(), wanted.flatten(), dim=0) > 0.95


def test_gradients_too_small_for_float16_survive_in_chunks(network: Counting) -> None:
    prediction, target = clips()
    # A thousandth of each weight stands for a thousand times as many pixels.
    weights = tuple(1e-3 * weight for weight in WEIGHTS)
    gradients = []
    for size in (None, 2):
        with torch.autocast("cpu", dtype=torch.float16):
            loss = PerceptualLoss(network, weights, frames_per_chunk=size)(prediction, target)
        gradients.append(torch.autograd.grad(loss, prediction)[0])
    assert (gradients[1] == 0).float().mean() < 0.5 * (gradients[0] == 0).float().mean()


def test_shapes_and_settings_that_do_not_fit_are_refused(network: Counting) -> None:
    loss = PerceptualLoss(network, WEIGHTS)
    image = torch.rand(1, 3, 16, 16)
    for pair in (
        (image, image[..., :8]),
        (image, image.expand(2, 3, 16, 16)),
        (image[:, :1], image[:, :1]),
        (image[0], image[0]),
    ):
        with pytest.raises(ShapeError, match=r"\(\.\.\., 3, h, w\)"):
            loss(*pair)
    with pytest.raises(ConfigError, match="one weight for each of the layers"):
        PerceptualLoss(network)
    with pytest.raises(ConfigError, match="at least 1 or None, got 0"):
        PerceptualLoss(network, WEIGHTS, frames_per_chunk=0)
