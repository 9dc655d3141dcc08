"""Pixel losses that a configuration chooses by name."""

import pytest
import torch

from msvsr.errors import ConfigError
from msvsr.losses import charbonnier_loss, l1_loss, make_pixel_loss


def test_l1_is_the_mean_absolute_difference() -> None:
    prediction = torch.tensor([[0.0, 1.0], [0.5, 0.25]], requires_grad=True)
    target = torch.tensor([[1.0, 0.5], [0.5, 1.0]])
    loss = make_pixel_loss("l1")(prediction, target)
    assert loss.item() == pytest.approx((1 + 0.5 + 0 + 0.75) / 4)
    loss.backward()
    assert prediction.grad is not None
    assert torch.equal(prediction.grad, torch.tensor([[-0.25, 0.25], [0.0, -0.25]]))


def test_charbonnier_by_name_is_nearly_l1_as_in_the_official_code() -> None:
    prediction, target = torch.rand(2, 3, 8, 8), torch.rand(2, 3, 8, 8)
    chosen = make_pixel_loss("charbonnier")(prediction, target)
    expected = ((prediction - target).double() ** 2 + 1e-12).sqrt().mean()
    assert chosen.item() == pytest.approx(expected.item(), rel=1e-6)
    assert chosen.item() == pytest.approx(l1_loss(prediction, target).item(), abs=1e-6)


def test_epsilon_reaches_the_charbonnier_loss() -> None:
    zero = torch.zeros(3)
    assert make_pixel_loss("charbonnier", epsilon=0.25)(zero, zero).item() == pytest.approx(0.5)
    assert charbonnier_loss(zero, zero).item() == pytest.approx(1e-3)


@pytest.mark.parametrize("name", ["l1", "charbonnier"])
def test_losses_are_float32_and_have_finite_gradients_where_nothing_differs(name: str) -> None:
    prediction = torch.full((4,), 0.5, dtype=torch.bfloat16, requires_grad=True)
    loss = make_pixel_loss(name)(prediction, prediction.detach())  # type: ignore[arg-type]
    assert loss.dtype == torch.float32
    loss.backward()
    assert prediction.grad is not None
    assert torch.equal(prediction.grad, torch.zeros(4, dtype=torch.bfloat16))


def test_unknown_names_and_useless_epsilons_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"'l1', 'charbonnier'.*got 'l3'"):
        make_pixel_loss("l3")  # type: ignore[arg-type]
    for epsilon in (0.0, -1.0, float("nan")):
        with pytest.raises(ConfigError, match="above 0"):
            make_pixel_loss("charbonnier", epsilon=epsilon)
