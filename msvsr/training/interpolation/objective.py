"""The losses of the two stages."""

import torch
import torch.nn.functional as F

from msvsr.archs.interpnet import InterpNet
from msvsr.archs.raft import RAFT
from msvsr.losses.perceptual import PerceptualLoss
from msvsr.losses.pixel import charbonnier_loss
from msvsr.metrics import ssim
from msvsr.ops.warp import backward_warp
from msvsr.training.interpolation.config import FlowLossConfig, SynthesisLossConfig
from msvsr.training.interpolation.samples import FlowPairs, SynthesisSample

__all__ = [
    "count_matches",
    "flow_losses",
    "matching_losses",
    "sequence_loss",
    "synthesis_losses",
    "teach",
]


def sequence_loss(
    estimates: list[torch.Tensor], target: torch.Tensor, decay: float
) -> torch.Tensor:
    """Mean absolute error of the flow after each iteration; later ones count for more.

    ``sum_i decay^(N - i) * mean |estimate_i - target|``

    Args:
        estimates: Flow after each iteration, ``(n, 2, h, w)`` each.
        target: The flow to reach.
        decay: Weight of an iteration relative to the next one.

    Returns:
        The loss, a scalar, in pixels.

    Source: Teed and Deng, "RAFT", ECCV 2020, equation 7.
    """
    total = target.new_zeros(())
    for estimate in estimates:
        total = decay * total + (estimate - target).abs().mean()
    return total


def count_matches(pairs: FlowPairs) -> float:
    """How many places of a pair's first frame lead to a place inside the second, on average."""
    weights, _ = _bilinear_places(_coarse(pairs.flow))
    return float(weights.sum()) / len(pairs.flow)


def matching_losses(
    network: RAFT, pairs: FlowPairs, matches_per_pair: float | None = None
) -> dict[str, torch.Tensor]:
    """Cross-entropy of finding each place of the first frame again among all of the second.

    The correlation of one place with all others are its logits; the target is where the flow leads,
    shared among the four places around. This is the quick way to features that match.

    Args:
        network: The network whose encoder learns.
        pairs: Pairs of frames, all of known flow.
        matches_per_pair: Their mean number of matches, see `count_matches`; that of the whole
            batch makes the losses of its parts add up. By default that of these pairs.

    Returns:
        ``matching`` and the same as ``total``; ``found``, the share of places whose best match is
        within one place of the true one.
    """
    reference, target = network.match(pairs.before), network.match(pairs.after)
    logits = torch.einsum("nchw,ncyx->nhwyx", reference, target) / reference.shape[1] ** 0.5
    log_likelihood = logits.float().flatten(3).log_softmax(dim=3).flatten(0, 2)  # (n h w, h w)
    weights, places = _bilinear_places(_coarse(pairs.flow))
    found = log_likelihood.gather(1, places.flatten(0, 2))  # (n h w, 4)
    weights = weights.flatten(0, 2)
    if matches_per_pair is None:
        matches_per_pair = count_matches(pairs)
    loss = -(weights * found).sum() / max(matches_per_pair * len(pairs.flow), 1.0)
    return {"matching": loss, "total": loss, "found": _share_found(log_likelihood, places, weights)}


def _coarse(flow: torch.Tensor) -> torch.Tensor:
    """Flow at an eighth of the size, in pixels of that size."""
    return F.avg_pool2d(flow, 8) / 8


def _bilinear_places(flow: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The four places around where a flow leads, and their weights: ``(n, h, w, 4)`` each.

    A place is a number ``y * w + x``; outside the image the weight is 0.
    """
    height, width = flow.shape[-2:]
    x = torch.arange(width, device=flow.device) + flow[:, 0]
    y = torch.arange(height, device=flow.device)[:, None] + flow[:, 1]
    weights, places = [], []
    for down, right in ((0, 0), (0, 1), (1, 0), (1, 1)):
        column, row = x.floor() + right, y.floor() + down
        weight = (1 - (x - column).abs()) * (1 - (y - row).abs())
        inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
        weights.append(weight * inside)
        places.append(row.clamp(0, height - 1) * width + column.clamp(0, width - 1))
    return torch.stack(weights, dim=-1), torch.stack(places, dim=-1).long()


def _share_found(
    log_likelihood: torch.Tensor, places: torch.Tensor, weights: torch.Tensor
) -> torch.Tensor:
    """Share of the places that have a true match whose best match is one of the four around it."""
    best = log_likelihood.argmax(dim=1, keepdim=True)
    hits = (places.flatten(0, 2) == best) & (weights > 0)
    return hits.any(dim=1).float().sum() / (weights.sum(dim=1) > 0).sum().clamp_min(1)


def flow_losses(
    network: RAFT, teacher: RAFT, pairs: FlowPairs, num_iterations: int, config: FlowLossConfig
) -> dict[str, torch.Tensor]:
    """Distance to the known flow, or to the teacher's where it is not known.

    Args:
        network: The network that learns.
        teacher: A network that has learned.
        pairs: Pairs of frames.
        num_iterations: Iterations of the network.
        config: Weights of the parts.

    Returns:
        ``flow`` and the same as ``total``; ``error``, the mean distance of the last iteration to
        the target in pixels.
    """
    known = len(pairs.flow)
    target = pairs.flow
    if known < len(pairs.before):
        with torch.no_grad():
            unknown = pairs.before[known:], pairs.after[known:]
            target = torch.cat((target, teacher(*unknown, config.teacher_iterations)[-1]))
    estimates = network(pairs.before, pairs.after, num_iterations)
    loss = sequence_loss(estimates, target, config.iteration_decay)
    error = (estimates[-1] - target).detach().square().sum(dim=1).sqrt().mean()
    return {"flow": loss, "total": loss, "error": error}


def synthesis_losses(
    flow: RAFT,
    interpolator: InterpNet,
    sample: SynthesisSample,
    num_iterations: int,
    config: SynthesisLossConfig,
    *,
    train_flow: bool,
    taught: tuple[torch.Tensor, torch.Tensor] | None = None,
    perceptual: PerceptualLoss | None = None,
) -> dict[str, torch.Tensor]:
    """Distance of the frame made, and of the two frames it is fused of, to the true one.

    Args:
        flow: The flow network.
        interpolator: The network that learns.
        sample: Frames and target.
        num_iterations: Iterations of the flow network.
        config: Weights of the parts.
        train_flow: Let the flow network learn too.
        taught: What a teacher says the flows between the inner frames are.
        perceptual: The perceptual loss.

    Returns:
        ``pixel``, ``structure``, ``warped``, with a teacher ``distillation``, with its network
        ``perceptual``, and their weighted sum ``total``.
    """
    _, first, second, _ = sample.frames
    with torch.set_grad_enabled(train_flow):
        flow_10, flow_12, flow_21, flow_23 = _estimate_flows(flow, sample, num_iterations)
    refined = interpolator.refine(first, second, flow_12, flow_21)
    made = interpolator.synthesize(first, second, *refined, sample.timestep, flow_10, flow_23)
    losses = {
        "pixel": charbonnier_loss(made.frame, sample.target),
        "structure": _structure_loss(made.frame, sample.target),
        "warped": _warped_loss(first, made.flow_t1, sample.target)
        + _warped_loss(second, made.flow_t2, sample.target),
    }
    losses["total"] = (
        losses["pixel"] + config.structure * losses["structure"] + config.warped * losses["warped"]
    )
    if taught is not None:
        estimates, target = torch.cat((flow_12, flow_21, *refined)), torch.cat((*taught, *taught))
        losses["distillation"] = (estimates - target).abs().mean()
        losses["total"] = losses["total"] + config.distillation * losses["distillation"]
    if perceptual is not None:
        losses["perceptual"] = perceptual(made.frame, sample.target)
        losses["total"] = losses["total"] + config.perceptual * losses["perceptual"]
    return losses


@torch.no_grad()
def teach(
    teacher: RAFT, sample: SynthesisSample, num_iterations: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """The flows between a sample's inner frames, in both directions, as a teacher sees them."""
    _, first, second, _ = sample.frames
    features = teacher.encode(first), teacher.encode(second)
    return teacher.estimate_both(*features, num_iterations)


def _estimate_flows(
    network: RAFT, sample: SynthesisSample, num_iterations: int
) -> tuple[torch.Tensor | None, torch.Tensor, torch.Tensor, torch.Tensor | None]:
    """Flows 1 to 0, 1 to 2, 2 to 1 and 2 to 3."""
    before, first, second, after = sample.frames
    features_1, features_2 = network.encode(first), network.encode(second)
    flow_12, flow_21 = network.estimate_both(features_1, features_2, num_iterations)
    if before is None or after is None:
        return None, flow_12, flow_21, None
    flow_10 = network.iterate(features_1, network.match(before), num_iterations)[-1]
    flow_23 = network.iterate(features_2, network.match(after), num_iterations)[-1]
    return flow_10, flow_12, flow_21, flow_23


def _structure_loss(image: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """``1 - SSIM`` in float32: its variances are small differences of large numbers."""
    with torch.autocast(image.device.type, enabled=False):
        return 1 - ssim(image.float(), target).mean()


def _warped_loss(image: torch.Tensor, flow: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return charbonnier_loss(backward_warp(image, flow, padding_mode="border"), target)
