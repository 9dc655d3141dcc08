"""The temporal loss: free for what moves with the scene, dear for what flickers."""

import pytest
import torch
import torch.nn.functional as F

from msvsr.losses import temporal_loss


def moving_errors(num_frames: int = 4, size: int = 32) -> tuple[torch.Tensor, torch.Tensor]:
    """An error that moves by 2 pixels to the right per frame, and that flow at half the size."""
    pattern = torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(0))
    clip = torch.stack([pattern.roll(2 * t, dims=-1) for t in range(num_frames)], dim=1)
    flow = torch.zeros(1, num_frames - 1, 2, size // 2, size // 2)
    flow[:, :, 0] = 1.0
    return clip, flow


def test_error_that_moves_with_the_scene_is_free_and_one_that_stays_behind_is_not() -> None:
    error, flow = moving_errors()
    truth = torch.rand_like(error)
    # What enters at the edge is compared with the edge: two columns of 32.
    along = temporal_loss(truth + error, truth, flow)
    against = temporal_loss(truth + error, truth, -flow)
    assert along < 0.1 * against
    still = error[:, :1].expand_as(error)
    assert temporal_loss(truth + still, truth, flow) > 5 * along


def test_loss_is_the_mean_change_of_the_error() -> None:
    truth = torch.rand(2, 3, 3, 8, 8)
    still = torch.zeros(2, 2, 2, 2, 2)
    offsets = torch.tensor([0.0, 0.1, 0.4]).view(1, 3, 1, 1, 1)
    assert temporal_loss(truth + offsets, truth, still).item() == pytest.approx(0.2, abs=1e-6)


def test_flow_is_enlarged_with_its_length_and_learns_nothing() -> None:
    error, flow = moving_errors()
    truth = torch.zeros_like(error)
    flow.requires_grad_()
    prediction = error.clone().requires_grad_()
    loss = temporal_loss(prediction, truth, flow)
    large = 2 * F.interpolate(flow.flatten(0, 1), scale_factor=2).unflatten(0, (1, 3))
    torch.testing.assert_close(loss, temporal_loss(prediction, truth, large))
    loss.backward()
    assert flow.grad is None
    assert prediction.grad is not None
    assert bool(prediction.grad.any())


def test_half_precision_is_computed_in_full() -> None:
    truth = torch.zeros(1, 2, 3, 8, 8, dtype=torch.bfloat16)
    flicker = truth + torch.tensor([0.0, 0.25]).view(1, 2, 1, 1, 1)
    loss = temporal_loss(flicker.bfloat16(), truth, torch.zeros(1, 1, 2, 8, 8).bfloat16())
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(0.25)
