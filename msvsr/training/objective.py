"""The loss of one batch."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F

from msvsr.archs.basicvsr import Flows
from msvsr.archs.realbasicvsr import RealBasicVSRNet, RealBasicVSROutput
from msvsr.losses.flow import edge_aware_smoothness, photometric_loss
from msvsr.losses.pixel import make_pixel_loss
from msvsr.losses.temporal import temporal_loss
from msvsr.training.config import LossConfig
from msvsr.training.synthetic_motion import synthetic_motion

__all__ = [
    "MotionPairs",
    "area_downsample",
    "draw_motion",
    "flow_loss",
    "motion_error",
    "motion_loss",
    "reconstruction_losses",
    "restoration_losses",
    "weighted_sum",
]


class MotionPairs(NamedTuple):
    """Frames that are moved in a known way, ``t`` pairs per sample.

    Attributes:
        before: RGB in [0, 1], ``(n, t, 3, h, w)``.
        after: RGB in [0, 1], ``(n, t, 3, h, w)``.
        flow: From before to after in pixels, ``(n, t, 2, h, w)``.
    """

    before: torch.Tensor
    after: torch.Tensor
    flow: torch.Tensor


def area_downsample(gt: torch.Tensor, scale: int = 4) -> torch.Tensor:
    """Average each block of ``scale x scale`` pixels of a clip ``(n, t, c, h, w)``."""
    n, t = gt.shape[:2]
    small = F.avg_pool2d(gt.flatten(0, 1), scale)  # (n * t, c, h / scale, w / scale)
    return small.view(n, t, *small.shape[1:])


def flow_loss(clean: torch.Tensor, flows: Flows, config: LossConfig) -> torch.Tensor:
    """Photometric loss and smoothness of both directions.

    Args:
        clean: Images that show the true motion, ``(n, t, 3, h, w)``.
        flows: Flows between neighbours, as estimated.
        config: Weight of the smoothness.

    Returns:
        The loss, a scalar.
    """
    before = clean[:, :-1].flatten(0, 1)
    after = clean[:, 1:].flatten(0, 1)
    total = clean.new_zeros(())
    for reference, neighbour, flow in (
        (before, after, flows.to_next),
        (after, before, flows.to_prev),
    ):
        flat = flow.flatten(0, 1).float()
        total = total + photometric_loss(reference, neighbour, flat)
        total = total + config.flow_smoothness * edge_aware_smoothness(flat, reference)
    return total / 2


def draw_motion(
    gt: torch.Tensor, scale: int, max_motion: float, generator: torch.Generator
) -> MotionPairs:
    """Move frames in a known way.

    Args:
        gt: Ground truth, RGB in [0, 1], ``(n, t, 3, scale * h, scale * w)``; its frames are moved
            at half size, then halved again, so that motion is not limited to what bilinear
            sampling blurs.
        scale: Side of the ground truth over that of the low-quality size, 2 or 4.
        max_motion: Largest translation in pixels of the low-quality size.
        generator: Source of randomness, on the CPU.
    """
    n, t = gt.shape[:2]
    images = F.avg_pool2d(gt.flatten(0, 1), scale // 2)  # (n * t, 3, 2h, 2w)
    scene = synthetic_motion(images, 2 * max_motion, generator)
    halves = (F.avg_pool2d(each, 2) for each in (*scene.frames, scene.flow / 2))
    return MotionPairs(*(half.view(n, t, *half.shape[1:]) for half in halves))


def motion_error(network: RealBasicVSRNet, pairs: MotionPairs) -> torch.Tensor:
    """Mean end-point error of the flow, a scalar in pixels; only the flow network runs."""
    before, after, flow = (each.flatten(0, 1) for each in pairs)
    estimate = network.basicvsr.estimate_flow(before, after).float()
    return ((estimate - flow).square().sum(dim=1) + 1e-4).sqrt().mean()


def motion_loss(
    network: RealBasicVSRNet, gt: torch.Tensor, max_motion: float, generator: torch.Generator
) -> torch.Tensor:
    """The error of the flow on frames that are moved in a known way.

    Args:
        network: The network; only its flow network runs.
        gt: Ground truth, ``(n, t, 3, 4h, 4w)``.
        max_motion: Largest translation in pixels of the low-quality size.
        generator: Source of randomness.

    Returns:
        The loss, a scalar, in pixels.
    """
    return motion_error(network, draw_motion(gt, network.scale, max_motion, generator))


def restoration_losses(
    output: RealBasicVSROutput, target: torch.Tensor, config: LossConfig
) -> dict[str, torch.Tensor]:
    """Pixel, cleaning, flow and temporal loss of what a network gave, not yet weighted.

    Args:
        output: What the network gave.
        target: What it should have given, ``(n, t, 3, 4h, 4w)``.
        config: Weights of the parts, and what they measure.

    Returns:
        ``pixel`` and ``cleaning``, ``flow`` and ``temporal`` where they have a weight.
    """
    clean = area_downsample(target, RealBasicVSRNet.scale)
    measure = make_pixel_loss(config.criterion, config.charbonnier_epsilon)
    losses = {
        "pixel": measure(output.sr, target),
        "cleaning": measure(output.cleaned, clean),
    }
    if config.flow:
        losses["flow"] = flow_loss(clean, output.flows, config)
    if config.temporal:
        losses["temporal"] = temporal_loss(output.sr, target, output.flows.to_next)
    return losses


def reconstruction_losses(
    network: RealBasicVSRNet, lq: torch.Tensor, target: torch.Tensor, config: LossConfig
) -> dict[str, torch.Tensor]:
    """The losses of one batch that need no other network, not yet weighted.

    Args:
        network: The network.
        lq: Degraded clips, RGB in [0, 1], ``(n, t, 3, h, w)``.
        target: Ground truth, sharpened or not, ``(n, t, 3, 4h, 4w)``.
        config: Weights of the parts.

    Returns:
        The parts, see `restoration_losses`, and their weighted sum ``total``.
    """
    losses = restoration_losses(network(lq), target, config)
    return {**losses, "total": weighted_sum(losses, config)}


def weighted_sum(
    losses: Mapping[str, torch.Tensor],
    config: LossConfig,
    names: Sequence[str] = (
        *("pixel", "cleaning", "flow", "temporal"),
        *("perceptual", "adversarial"),
    ),
) -> torch.Tensor:
    """Add losses up with their weights.

    Args:
        losses: Losses by name.
        config: Their weights.
        names: Which ones; those that are not there are left out.

    Returns:
        The sum, a scalar.
    """
    parts = [getattr(config, name) * losses[name] for name in names if name in losses]
    total: torch.Tensor = sum(parts[1:], start=parts[0])
    return total
