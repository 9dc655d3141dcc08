"""RAFT: optical flow by looking up the correlation of all pairs of pixels, again and again."""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from msvsr.archs.correlation import NUM_LEVELS, Correlation, correlate, correlate_both
from msvsr.archs.raft_encoder import Encoder
from msvsr.archs.raft_update import UpdateBlock
from msvsr.errors import InputError, ShapeError

__all__ = ["RAFT", "FrameFeatures"]


class FrameFeatures(NamedTuple):
    """What RAFT needs of one image, at an eighth of its size; computed once per frame."""

    matching: torch.Tensor
    """What correlation compares, ``(n, c, h / 8, w / 8)``, float32."""
    hidden: torch.Tensor
    """First state of the recurrent unit in (-1, 1), of the network's type."""
    context: torch.Tensor
    """What the recurrent unit knows of the image, from 0 up, of the network's type."""


class RAFT(nn.Module):
    """Optical flow between two images.

    The three parts ``fnet``, ``cnet`` and ``update_block`` may be converted to another type, on
    their own or together; correlation, positions and flow stay in float32.

    Args:
        small: Build the small network: a fifth of the parameters, plain upsampling.

    Attributes:
        min_side: Images need at least this many lines and columns, or the correlation's coarsest
            level would have no neighbours to interpolate between.
        multiple: Both sides must be multiples of this.

    Source: Teed and Deng, "RAFT: Recurrent All-Pairs Field Transforms for Optical Flow", ECCV 2020;
        parameter names as in princeton-vl/RAFT (BSD-3-Clause).
    """

    min_side = 128
    multiple = 8

    def __init__(self, *, small: bool = False) -> None:
        super().__init__()
        self._radius = 3 if small else 4
        self._split = (96, 64) if small else (128, 128)  # state, context
        widths = (32, 64, 96) if small else (64, 96, 128)
        self.fnet = Encoder(widths, 128 if small else 256, "instance", bottleneck=small)
        self.cnet = Encoder(
            widths, sum(self._split), "none" if small else "batch", bottleneck=small
        )
        self.update_block = UpdateBlock(
            small=small,
            correlation_channels=NUM_LEVELS * (2 * self._radius + 1) ** 2,
            hidden_channels=self._split[0],
            context_channels=self._split[1],
        )

    def encode(self, images: torch.Tensor) -> FrameFeatures:
        """Run the encoders on images: once per frame serves every pair it belongs to.

        Args:
            images: RGB in [0, 1], ``(n, 3, h, w)``.

        Returns:
            The features that the ``estimate`` methods take.

        Raises:
            ShapeError: The sides are no multiples of 8, or below 128.
        """
        images = _centred(self._checked(images))
        return FrameFeatures(self._match(images), *self._initial_state(images))

    def match(self, images: torch.Tensor) -> torch.Tensor:
        """Run only that encoder whose features correlation compares.

        Args:
            images: RGB in [0, 1], ``(n, 3, h, w)``.

        Returns:
            ``matching`` of `FrameFeatures`.

        Raises:
            ShapeError: The sides are no multiples of 8 or below 128.
        """
        return self._match(_centred(self._checked(images)))

    def estimate(
        self,
        reference: FrameFeatures,
        target: FrameFeatures,
        num_iterations: int = 12,
        *,
        correlation_bytes: int | None = None,
    ) -> torch.Tensor:
        """Estimate the flow from one image to another.

        Args:
            reference: Features of the image that the flow starts in.
            target: Features of the image that it leads to, of the same shape.
            num_iterations: How often the flow is refined.
            correlation_bytes: Memory for the correlation of all pairs. Where it does not do,
                correlation is computed when it is looked up. None: all pairs at any size.

        Returns:
            Displacement from reference to target in pixels, ``(n, 2, h, w)``, float32.

        Raises:
            InputError: ``num_iterations`` is below 1.
        """
        correlation = correlate(
            reference.matching, target.matching, self._radius, correlation_bytes
        )
        return self._refine([correlation], reference, num_iterations)

    def estimate_both(
        self,
        first: FrameFeatures,
        second: FrameFeatures,
        num_iterations: int = 12,
        *,
        correlation_bytes: int | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Estimate the flow between two images in both directions.

        Args:
            first: Features of one image.
            second: Features of the other, of the same shape.
            num_iterations: How often the flow is refined.
            correlation_bytes: As in `estimate`, for both directions together.

        Returns:
            ``flow_01`` and ``flow_10``, each as `estimate` returns it.

        Raises:
            InputError: ``num_iterations`` is below 1.
        """
        both = correlate_both(first.matching, second.matching, self._radius, correlation_bytes)
        starts = FrameFeatures(*(torch.cat(pair) for pair in zip(first, second, strict=True)))
        flows = self._refine(both, starts, num_iterations)
        flow_01, flow_10 = flows.chunk(2)
        return flow_01, flow_10

    def forward(
        self, image_0: torch.Tensor, image_1: torch.Tensor, num_iterations: int = 12
    ) -> list[torch.Tensor]:
        """Estimate flow as training needs it: after each iteration.

        No gradient passes from one iteration's flow to the one before, as in the paper.

        Args:
            image_0: RGB in [0, 1], ``(n, 3, h, w)``.
            image_1: RGB in [0, 1], of the same shape.
            num_iterations: How often the flow is refined.

        Returns:
            ``flow_01`` in pixels after each iteration, ``(n, 2, h, w)`` each, float32.

        Raises:
            InputError: ``num_iterations`` is below 1.
            ShapeError: The sides are no multiples of 8, below 128, or differ between the images.
        """
        if image_0.shape != image_1.shape:
            raise ShapeError(
                f"RAFT expects two images of one size, got {tuple(image_0.shape)} and "
                f"{tuple(image_1.shape)}"
            )
        images = _centred(self._checked(torch.cat((image_0, image_1))))
        matching_0, matching_1 = self._match(images).chunk(2)
        reference = FrameFeatures(matching_0, *self._initial_state(images[: len(image_0)]))
        return self.iterate(reference, matching_1, num_iterations)

    def iterate(
        self, reference: FrameFeatures, matching: torch.Tensor, num_iterations: int = 12
    ) -> list[torch.Tensor]:
        """Estimate flow as `forward` does, from features that are there already.

        Args:
            reference: Features of the image that the flow starts in.
            matching: What `match` gives of the image that it leads to.
            num_iterations: How often the flow is refined.

        Returns:
            The flow in pixels after each iteration, ``(n, 2, h, w)`` each, float32.
        """
        correlation = correlate(reference.matching, matching, self._radius)
        steps = self._iterate([correlation], reference.hidden, reference.context, num_iterations)
        return [self._full_size(flow, hidden) for flow, hidden in steps]

    def _match(self, images: torch.Tensor) -> torch.Tensor:
        return self.fnet(_as_taken_by(self.fnet, images)).float()  # type: ignore[no-any-return]

    def _initial_state(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        features = self.cnet(_as_taken_by(self.cnet, images))
        hidden, context = features.split(self._split, dim=1)
        return torch.tanh(hidden), torch.relu(context)

    def _refine(
        self, correlations: Sequence[Correlation], start: FrameFeatures, num_iterations: int
    ) -> torch.Tensor:
        steps = self._iterate(correlations, start.hidden, start.context, num_iterations)
        flow, hidden = deque(steps, maxlen=1).pop()
        return self._full_size(flow, hidden)

    def _iterate(
        self,
        correlations: Sequence[Correlation],
        hidden: torch.Tensor,
        context: torch.Tensor,
        num_iterations: int,
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Yield flow and state of each step; each correlation serves its part of the batch."""
        if num_iterations < 1:
            raise InputError(f"num_iterations must be at least 1, got {num_iterations}")
        hidden = _as_taken_by(self.update_block, hidden)
        prepared = self.update_block.prepare(_as_taken_by(self.update_block, context))
        grid = _pixel_grid(hidden)
        flow = torch.zeros_like(grid).repeat(len(hidden), 1, 1, 1)
        for _ in range(num_iterations):
            flow = flow.detach()
            parts = (grid + flow).chunk(len(correlations))
            seen = torch.cat([c.lookup(part) for c, part in zip(correlations, parts, strict=True)])
            hidden, change = self.update_block(
                hidden,
                prepared,
                _as_taken_by(self.update_block, seen),
                _as_taken_by(self.update_block, flow),
            )
            flow = flow + change.float()
            yield flow, hidden

    def _full_size(self, flow: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
        mask = self.update_block.upsampling_mask(hidden)
        if mask is None:
            return 8 * F.interpolate(flow, scale_factor=8, mode="bilinear", align_corners=True)
        return _upsample_convex(flow, mask.float())

    def _checked(self, images: torch.Tensor) -> torch.Tensor:
        sides = images.shape[2:]
        fits = images.ndim == 4 and images.shape[1] == 3 and min(sides) >= self.min_side
        if not fits or any(side % self.multiple for side in sides):
            raise ShapeError(
                f"RAFT expects images (n, 3, h, w) with sides of at least {self.min_side} that are "
                f"multiples of {self.multiple}, got {tuple(images.shape)}: pad them"
            )
        return images


def _centred(images: torch.Tensor) -> torch.Tensor:
    return 2.0 * images - 1.0


def _as_taken_by(module: nn.Module, values: torch.Tensor) -> torch.Tensor:
    """Values in the type and memory layout of a module's weights."""
    # the layout of 1 x 1 weights is ambiguous
    weight = next(p for p in module.parameters() if p.ndim == 4 and p.shape[3] > 1)
    values = values.to(weight.dtype)
    if weight.is_contiguous(memory_format=torch.channels_last) and not weight.is_contiguous():
        return values.contiguous(memory_format=torch.channels_last)
    return values.contiguous()


def _pixel_grid(like: torch.Tensor) -> torch.Tensor:
    """Each pixel's own position, ``(1, 2, h, w)``, x first."""
    height, width = like.shape[-2:]
    y, x = torch.meshgrid(
        torch.arange(height, device=like.device, dtype=torch.float32),
        torch.arange(width, device=like.device, dtype=torch.float32),
        indexing="ij",
    )
    return torch.stack((x, y))[None]


def _upsample_convex(flow: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Upsample eight times: each pixel is a weighted mean of the 3 x 3 flows around it.

    Args:
        flow: ``(n, 2, h, w)`` in pixels of its own size.
        mask: ``(n, 9 * 8 * 8, h, w)``, logits of the weights.

    Returns:
        Flow in pixels of the new size, ``(n, 2, 8 * h, 8 * w)``.
    """
    n, _, height, width = flow.shape
    weights = mask.view(n, 1, 9, 8, 8, height, width).softmax(dim=2)
    around = F.unfold(8 * flow, 3, padding=1).view(n, 2, 9, 1, 1, height, width)
    finer = (weights * around).sum(dim=2)  # n c 8 8 h w
    return finer.permute(0, 1, 4, 2, 5, 3).reshape(n, 2, 8 * height, 8 * width)
