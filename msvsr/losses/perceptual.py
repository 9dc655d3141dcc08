"""Perceptual loss: the distance of two images in the features of a trained network."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch
from torch import nn
from torch.autograd.function import once_differentiable

from msvsr.errors import ConfigError, ShapeError
from msvsr.losses.pixel import l1_loss

__all__ = ["PERCEPTUAL_WEIGHTS", "FeatureNetwork", "PerceptualLoss"]

PERCEPTUAL_WEIGHTS = (0.1, 0.1, 1.0, 1.0, 1.0)
"""Weights of the official recipe, for layers 2, 7, 16, 25 and 34 of VGG19."""


class FeatureNetwork(Protocol):
    """A network that gives features of images, such as `msvsr.archs.vgg.VGG19Features`."""

    layers: tuple[int, ...]

    def __call__(self, images: torch.Tensor) -> list[torch.Tensor]:
        """Map RGB in [0, 1], ``(n, 3, h, w)``, to the output of each layer."""
        ...


class PerceptualLoss(nn.Module):
    """Weighted sum over layers of the mean absolute difference of features.

    With ``frames_per_chunk``, no more than that many frames pass the network at a time, and the
    gradient of each chunk is computed at once. Memory is that of one chunk, nothing is computed
    twice, and values and gradients are the same up to rounding. Such a loss can be differentiated
    only once.

    Args:
        network: The trained network; it becomes a part of this module, so that both move together.
        layer_weights: Weights of its layers, in their order.
        frames_per_chunk: Largest number of frames to process at a time; ``None`` for all.

    Raises:
        ConfigError: The weights do not fit the layers, or a chunk has no frames.

    Source: Wang et al., "ESRGAN", ECCV workshops 2018 (features before activation); layers,
        weights and L1 as in the configuration of RealBasicVSR in mmediting (Apache-2.0).
    """

    def __init__(
        self,
        network: FeatureNetwork,
        layer_weights: Sequence[float] = PERCEPTUAL_WEIGHTS,
        frames_per_chunk: int | None = None,
    ) -> None:
        super().__init__()
        if len(layer_weights) != len(network.layers):
            raise ConfigError(
                f"a perceptual loss needs one weight for each of the layers {network.layers}, "
                f"got {tuple(layer_weights)}"
            )
        if frames_per_chunk is not None and frames_per_chunk < 1:
            raise ConfigError(
                f"frames_per_chunk must be at least 1 or None, got {frames_per_chunk}"
            )
        self.network = network
        self.layer_weights = tuple(layer_weights)
        self.frames_per_chunk = frames_per_chunk

    def forward(self, prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Compare images or clips.

        Args:
            prediction: RGB in [0, 1], ``(..., 3, h, w)``.
            target: The same shape; it gets no gradient.

        Returns:
            The loss, a scalar in float32.

        Raises:
            ShapeError: The shapes differ or are not those of images.
        """
        if prediction.shape != target.shape or prediction.ndim < 4 or prediction.shape[-3] != 3:
            raise ShapeError(
                f"images of one shape (..., 3, h, w) with at least 4 axes expected, "
                f"got {tuple(prediction.shape)} and {tuple(target.shape)}"
            )
        prediction, target = prediction.flatten(0, -4), target.detach().flatten(0, -4)
        size = self.frames_per_chunk or len(prediction)
        if not (prediction.requires_grad and torch.is_grad_enabled()):
            return _sum_chunks(self._distance, prediction, target, size)
        if size >= len(prediction):
            return self._distance(prediction, target)
        chunked: torch.Tensor = _ChunkedDistance.apply(  # type: ignore[no-untyped-call]
            prediction, target, self._distance, size
        )
        return chunked

    def _distance(self, prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            wanted = self.network(target)
        total = prediction.new_zeros((), dtype=torch.float32)
        for weight, feature, reference in zip(
            self.layer_weights, self.network(prediction), wanted, strict=True
        ):
            total = total + weight * l1_loss(feature, reference)
        return total


_Distance = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def _sum_chunks(
    distance: _Distance, prediction: torch.Tensor, target: torch.Tensor, size: int
) -> torch.Tensor:
    """Mean distance of the frames ``(n, 3, h, w)``, some of them at a time."""
    parts = [slice(start, start + size) for start in range(0, len(prediction), size)]
    chunks = [(prediction[part], target[part]) for part in parts]
    shares = (distance(*chunk) * (len(chunk[0]) / len(prediction)) for chunk in chunks)
    return torch.stack(list(shares)).sum()


class _ChunkedDistance(torch.autograd.Function):
    """The same, where each chunk's gradient is taken before the next chunk begins."""

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401  (torch has no public type for it)
        prediction: torch.Tensor,
        target: torch.Tensor,
        distance: _Distance,
        size: int,
    ) -> torch.Tensor:
        # The loss is a mean over all pixels, so that its gradient may be too small for float16
        # inside the network. Scaled like this it is about 1.
        scale = prediction.numel()
        gradient = torch.empty_like(prediction)
        total = prediction.new_zeros((), dtype=torch.float32)
        for start in range(0, len(prediction), size):
            part = slice(start, start + size)
            with torch.enable_grad():
                chunk = prediction[part].detach().requires_grad_()
                share = distance(chunk, target[part]) * (len(chunk) / len(prediction))
                scaled = share * scale
            gradient[part] = torch.autograd.grad(scaled, chunk)[0] / scale
            total += share.detach()
        ctx.save_for_backward(gradient)
        return total

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any,  # noqa: ANN401  (as above)
        outer: torch.Tensor,
    ) -> tuple[torch.Tensor, None, None, None]:
        (gradient,) = ctx.saved_tensors
        return outer * gradient, None, None, None
