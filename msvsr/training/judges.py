"""The second stage: what VGG19 and a discriminator think of the output."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import torch

from msvsr.archs.realbasicvsr import RealBasicVSRNet, RealBasicVSROutput
from msvsr.archs.unet_discriminator import SpectralNormConv2d, UNetDiscriminator
from msvsr.archs.vgg import load_vgg19
from msvsr.losses.adversarial import discriminator_loss, generator_loss
from msvsr.losses.perceptual import PerceptualLoss
from msvsr.training.config import LossConfig, TrainingConfig
from msvsr.training.objective import weighted_sum
from msvsr.training.precision import Precision
from msvsr.training.targets import Targets

__all__ = ["Judges", "SplitPass", "make_judges", "run_split"]

Losses = dict[str, torch.Tensor]


class SplitPass(NamedTuple):
    """A forward pass, cut between cleaning and super-resolution.

    Attributes:
        entry: The cleaned clip, cut off from the cleaning module.
        output: What the network gave; ``cleaned`` still leads to the cleaning module.
    """

    entry: torch.Tensor
    output: RealBasicVSROutput


def run_split(network: RealBasicVSRNet, lq: torch.Tensor) -> SplitPass:
    """Clean and upscale clips ``(n, t, 3, h, w)``, RGB in [0, 1]."""
    cleaned = network.clean(lq)
    entry = cleaned.detach().requires_grad_()
    sr, flows = network.basicvsr(entry)
    return SplitPass(entry, RealBasicVSROutput(sr, cleaned, flows))


class Judges:
    """Losses of the second stage and their gradients.

    The cleaning module gets the gradient of pixel and cleaning loss (and of the flow's), and none
    of the perceptual and the adversarial loss, as the paper says; the code published with it lets
    them through. For this the super-resolution network is differentiated twice: with respect to
    its input for the former, and with respect to its parameters for all.

    Args:
        config: Weights of the parts.
        precision: The type that the networks compute in.
        discriminator: Judges each pixel; ``None`` where there is no adversarial loss.
        perceptual: The perceptual loss; ``None`` where there is none.

    Source: Chan et al., "Investigating Tradeoffs in Real-World Video Super-Resolution", CVPR 2022.
    """

    def __init__(
        self,
        config: LossConfig,
        precision: Precision,
        discriminator: UNetDiscriminator | None,
        perceptual: PerceptualLoss | None,
    ) -> None:
        self._config, self._precision = config, precision
        self.discriminator, self.perceptual = discriminator, perceptual
        if discriminator is not None:
            discriminator.eval()  # see `refresh`

    @torch.no_grad()
    def refresh(self) -> None:
        """Bring the spectral norms up to date with the weights, once per step.

        They then stay for all parts of a batch, so that the parts add up to the whole.
        """
        if self.discriminator is None:
            return
        for module in self.discriminator.modules():
            if isinstance(module, SpectralNormConv2d):
                module.train()
                module.normalized_weight()
                module.eval()

    def backward(
        self,
        network: RealBasicVSRNet,
        run: SplitPass,
        losses: Losses,
        targets: Targets,
        share: float,
    ) -> Losses:
        """Add the gradients of the network and of the discriminator to what is there.

        Args:
            network: The network that learns.
            run: Its forward pass.
            losses: Pixel, cleaning, flow and temporal loss of that pass.
            targets: What the other losses compare with.
            share: How much the clips of the pass count.

        Returns:
            All losses; ``total`` has all but the discriminator's.
        """
        opinions, pull = self._judge(run.output.sr.detach(), targets, share)
        losses = {**losses, **opinions}
        total = weighted_sum(losses, self._config)
        # A pull that overflowed goes on: it lowers the scale. For NaN see `TrainingLoop.backward`.
        if torch.isfinite(total):
            self._pass_back(network, run, losses, pull, share)
        return {**losses, "total": total}

    def _pass_back(
        self,
        network: RealBasicVSRNet,
        run: SplitPass,
        losses: Losses,
        pull: torch.Tensor,
        share: float,
    ) -> None:
        faithful, cleaning = (
            self._precision.scaler.scale(share * weighted_sum(losses, self._config, names))
            for names in (("pixel", "flow", "temporal"), ("cleaning",))
        )
        cleaned = run.output.cleaned
        if cleaned.requires_grad:
            (at_entry,) = torch.autograd.grad(faithful, run.entry, retain_graph=True)
            torch.autograd.backward([cleaning, cleaned], [None, at_entry])
        parameters = [each for each in network.basicvsr.parameters() if each.requires_grad]
        torch.autograd.backward([faithful, run.output.sr], [None, pull], inputs=parameters)

    def _judge(
        self, sr: torch.Tensor, targets: Targets, share: float
    ) -> tuple[Losses, torch.Tensor]:
        """Losses of the output and their scaled gradient at it; the discriminator learns too."""
        scale = self._precision.scaler.scale
        pull = torch.zeros_like(sr)
        totals: Losses = {}
        for part in _chunks(sr, self._config.frames_per_chunk):
            fake = sr.flatten(0, 1)[part].clone().requires_grad_()  # (k, 3, 4h, 4w)
            truths = Targets(*(each.flatten(0, 1)[part] for each in targets))
            part_share = len(fake) / (sr.shape[0] * sr.shape[1])
            with self._precision.autocast():
                losses = self._opinions(fake, truths)
            wanted = scale(share * part_share * weighted_sum(losses, self._config))
            pull.flatten(0, 1)[part] = torch.autograd.grad(wanted, fake)[0]
            if self.discriminator is not None:
                losses["discriminator"] = self._learn(fake.detach(), truths, share * part_share)
            for name, loss in losses.items():
                totals[name] = totals.get(name, loss.new_zeros(())) + part_share * loss.detach()
        return totals, pull

    def _opinions(self, fake: torch.Tensor, truths: Targets) -> Losses:
        losses = {}
        if self.perceptual is not None:
            losses["perceptual"] = self.perceptual(fake, truths.perceptual)
        if self.discriminator is not None:
            losses["adversarial"] = generator_loss(self.discriminator(fake))
        return losses

    def _learn(self, fake: torch.Tensor, truths: Targets, share: float) -> torch.Tensor:
        """Add the gradient of the discriminator; returns its loss."""
        if self.discriminator is None:
            return fake.new_zeros(())
        with self._precision.autocast():
            real = self.discriminator(truths.adversarial)
            loss = discriminator_loss(real, self.discriminator(fake))
        self._precision.scaler.scale(share * loss).backward()  # type: ignore[no-untyped-call]
        return loss


def _chunks(sr: torch.Tensor, size: int) -> Iterator[slice]:
    """Runs of frames of the clips one after the other; 0 takes all at once."""
    total = sr.shape[0] * sr.shape[1]
    for start in range(0, total, size or total):
        yield slice(start, start + (size or total))


def make_judges(
    config: TrainingConfig, precision: Precision, device: torch.device, vgg: Path | None
) -> Judges | None:
    """What the second stage needs, or nothing in the first.

    Args:
        config: The run; its seed determines the discriminator's initial weights.
        precision: The type that the networks compute in.
        device: Where they run.
        vgg: VGG19's weights, see `msvsr.archs.torchvision_files.find_torchvision_file`.

    Raises:
        CheckpointError: VGG19's weights are needed and missing.
    """
    loss = config.loss
    if not (loss.perceptual or loss.adversarial):
        return None
    perceptual = PerceptualLoss(load_vgg19(vgg)).to(device) if loss.perceptual else None
    discriminator = None
    if loss.adversarial:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            discriminator = UNetDiscriminator(config.discriminator.num_channels)
    return Judges(loss, precision, discriminator, perceptual)
