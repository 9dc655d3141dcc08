"""The loss of one batch."""

import torch
import torch.nn.functional as F

from msvsr.archs.basicvsr import Flows
from msvsr.archs.realbasicvsr import RealBasicVSRNet
from msvsr.losses.flow import edge_aware_smoothness, photometric_loss
from msvsr.losses.pixel import charbonnier_loss
from msvsr.training.config import LossConfig
from msvsr.training.synthetic_motion import synthetic_motion

__all__ = ["area_downsample", "flow_loss", "motion_loss", "reconstruction_losses"]


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


def motion_loss(
    network: RealBasicVSRNet, gt: torch.Tensor, max_motion: float, generator: torch.Generator
) -> torch.Tensor:
    """Mean end-point error of the flow on frames that are moved in a known way.

    Args:
        network: The network; only its flow network runs.
        gt: Ground truth, ``(n, t, 3, 4h, 4w)``; its frames are moved at half size, then halved
            again, so that motion is not limited to what bilinear sampling blurs.
        max_motion: Largest translation in pixels of the low-quality size.
        generator: Source of randomness.

    Returns:
        The loss, a scalar, in pixels.
    """
    images = F.avg_pool2d(gt.flatten(0, 1), network.scale // 2)  # (n * t, 3, 2h, 2w)
    scene = synthetic_motion(images, 2 * max_motion, generator)
    before, after, flow = (F.avg_pool2d(each, 2) for each in (*scene.frames, scene.flow))
    estimate = network.basicvsr.estimate_flow(before, after).float()
    return ((estimate - flow / 2).square().sum(dim=1) + 1e-4).sqrt().mean()


def reconstruction_losses(
    network: RealBasicVSRNet, lq: torch.Tensor, gt: torch.Tensor, config: LossConfig
) -> dict[str, torch.Tensor]:
    """Pixel, cleaning and flow loss of one batch, not yet weighted.

    Args:
        network: The network.
        lq: Degraded clips, RGB in [0, 1], ``(n, t, 3, h, w)``.
        gt: Ground truth, ``(n, t, 3, 4h, 4w)``.
        config: Weights of the parts.

    Returns:
        ``pixel``, ``cleaning`` and ``flow``, and their weighted sum ``total``.
    """
    output = network(lq)
    clean = area_downsample(gt, network.scale)
    losses = {
        "pixel": charbonnier_loss(output.sr, gt),
        "cleaning": charbonnier_loss(output.cleaned, clean),
        "flow": flow_loss(clean, output.flows, config),
    }
    losses["total"] = (
        config.pixel * losses["pixel"]
        + config.cleaning * losses["cleaning"]
        + config.flow * losses["flow"]
    )
    return losses
