"""Activations that are computed twice instead of being kept."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import torch
from torch.utils.checkpoint import checkpoint

from msvsr.archs.realbasicvsr import RealBasicVSRNet

__all__ = ["few_activations"]

_FRAMES = 4
"""Frames that are cleaned, or pairs whose flow is estimated, between two kept activations."""

_STEPS = ("propagate_backward", "propagate_forward", "reconstruct")


@contextmanager
def few_activations(network: RealBasicVSRNet) -> Iterator[None]:
    """Let a forward pass inside keep only what goes from stage to stage and from frame to frame.

    The backward pass computes the activations within a stage again, a few frames at a time. The
    gradients are the same; memory grows by a few features per frame instead of by all of them.

    Args:
        network: The network; its methods are replaced for as long as this lasts.

    Source: Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016.
    """
    basicvsr = network.basicvsr
    changed: list[tuple[torch.nn.Module, str]] = []

    def replace(module: torch.nn.Module, name: str, function: Callable[..., torch.Tensor]) -> None:
        setattr(module, name, function)
        changed.append((module, name))

    for name in _STEPS:
        replace(basicvsr, name, partial(_recomputed, getattr(basicvsr, name)))
    replace(basicvsr, "estimate_flow", partial(_in_parts, basicvsr.estimate_flow))
    replace(network, "cleaning_residue", partial(_in_parts, network.cleaning_residue))
    try:
        yield
    finally:
        for module, name in changed:
            delattr(module, name)  # the method of the class shows again


def _recomputed(function: Callable[..., torch.Tensor], *inputs: torch.Tensor) -> torch.Tensor:
    result: torch.Tensor = checkpoint(
        function, *inputs, use_reentrant=False, preserve_rng_state=False
    )
    return result


def _in_parts(function: Callable[..., torch.Tensor], *inputs: torch.Tensor) -> torch.Tensor:
    """Run a function that treats each image by itself on a few images at a time."""
    parts = zip(*(torch.split(each, _FRAMES) for each in inputs), strict=True)
    return torch.cat([_recomputed(function, *part) for part in parts])
