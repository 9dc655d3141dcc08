"""From windows of seven frames to what the two stages learn from."""

from typing import NamedTuple

import torch

from msvsr.errors import InputError
from msvsr.training.synthetic_motion import synthetic_motion

__all__ = [
    "FlowPairs",
    "KnownPairs",
    "NoisySample",
    "SynthesisSample",
    "add_noise",
    "draw_flow_pairs",
    "draw_scene",
    "draw_synthesis",
]

_MAX_DISTANCE = 4
"""Frames between the two frames of a real pair, at most."""

_LAYOUTS = (
    ((0, 2, 4, 6), 3, 0.5),
    ((0, 2, 4, 6), 3, 0.5),
    ((None, 1, 4, None), 2, 1 / 3),
    ((None, 1, 4, None), 3, 2 / 3),
    ((None, 1, 5, None), 2, 1 / 4),
    ((None, 1, 5, None), 3, 1 / 2),
    ((None, 1, 5, None), 4, 3 / 4),
    ((None, 2, 4, None), 3, 0.5),
)
"""Frames 0 to 3 of the interpolator, the frame between 1 and 2 to make, and its instant."""


class FlowPairs(NamedTuple):
    """Pairs of frames; where the flow is known, with it.

    Attributes:
        before: RGB in [0, 1], ``(n, 3, h, w)``.
        after: RGB in [0, 1], ``(n, 3, h, w)``.
        flow: From before to after, of the first pairs, ``(k, 2, h, w)`` with ``k <= n``.
    """

    before: torch.Tensor
    after: torch.Tensor
    flow: torch.Tensor


class SynthesisSample(NamedTuple):
    """Two or four frames and the frame to make between the middle ones.

    Attributes:
        frames: RGB in [0, 1], ``(n, 3, h, w)`` each: 0 to 3, of which 0 and 3 may be missing.
        target: The frame to make.
        timestep: Its instant between frames 1 and 2.
    """

    frames: tuple[torch.Tensor | None, torch.Tensor, torch.Tensor, torch.Tensor | None]
    target: torch.Tensor
    timestep: float


class KnownPairs(NamedTuple):
    """Pairs of which every flow is known.

    Attributes:
        pairs: The pairs.
        matches_per_pair: How many places of a pair lead to a place inside, on average over the
            batch that these pairs may be a part of.
    """

    pairs: FlowPairs
    matches_per_pair: float


class NoisySample(NamedTuple):
    """A sample as a teacher sees it, and as the network does.

    Attributes:
        clean: Without noise.
        noisy: With noise, or the same.
    """

    clean: SynthesisSample
    noisy: SynthesisSample


def draw_flow_pairs(
    windows: torch.Tensor,
    synthetic_share: float,
    max_motion: float,
    num_foregrounds: int,
    generator: torch.Generator,
) -> FlowPairs:
    """Make pairs: scenes in known motion first, real frames after them.

    Args:
        windows: RGB in [0, 1], ``(n, t, 3, h, w)``.
        synthetic_share: Part of the pairs that are made.
        max_motion: Largest translation of made motion in pixels.
        num_foregrounds: Moving blobs of a made scene.
        generator: Source of randomness.
    """
    num_made = round(synthetic_share * len(windows))
    scene = synthetic_motion(
        windows[:, 0],
        max_motion,
        generator,
        num_foregrounds=num_foregrounds,
        sampling="bicubic",
    )
    distance = int(torch.randint(1, _MAX_DISTANCE + 1, (), generator=generator))
    real = windows[num_made:]
    before, after = (frame[:num_made] for frame in scene.frames)
    return FlowPairs(
        torch.cat((before, real[:, 0])),
        torch.cat((after, real[:, distance])),
        scene.flow[:num_made],
    )


def draw_synthesis(windows: torch.Tensor, generator: torch.Generator) -> SynthesisSample:
    """Take two or four frames of each window, and one between them as the target.

    Args:
        windows: RGB in [0, 1], ``(n, t, 3, h, w)`` with ``t`` at least 7.
        generator: Source of randomness.

    Raises:
        InputError: The windows are too short.
    """
    if windows.shape[1] < 7:
        raise InputError(f"windows must have at least 7 frames, got {windows.shape[1]}")
    choice = int(torch.randint(len(_LAYOUTS), (), generator=generator))
    (before, first, second, after), middle, timestep = _LAYOUTS[choice]
    outer = [None if index is None else windows[:, index] for index in (before, after)]
    frames = (outer[0], windows[:, first], windows[:, second], outer[1])
    return SynthesisSample(frames, windows[:, middle], timestep)


def draw_scene(
    windows: torch.Tensor, max_motion: float, num_foregrounds: int, generator: torch.Generator
) -> SynthesisSample:
    """Make scenes of the windows' first frames: four frames and one at any instant between.

    Args:
        windows: RGB in [0, 1], ``(n, t, 3, h, w)``.
        max_motion: Largest translation between neighbouring frames in pixels.
        num_foregrounds: Moving blobs of a scene.
        generator: Source of randomness.
    """
    timestep = float(torch.rand((), generator=generator) * 0.9 + 0.05)
    scene = synthetic_motion(
        windows[:, 0],
        max_motion,
        generator,
        times=(-1.0, 0.0, timestep, 1.0, 2.0),
        num_foregrounds=num_foregrounds,
        sampling="bicubic",
        varies_speed=True,
    )
    before, first, target, second, after = scene.frames
    if torch.rand((), generator=generator) < 0.5:
        return SynthesisSample((None, first, second, None), target, timestep)
    return SynthesisSample((before, first, second, after), target, timestep)


def add_noise(
    sample: SynthesisSample, max_sigma: float, generator: torch.Generator
) -> SynthesisSample:
    """Put Gaussian noise on the frames, not on the target: each its own, of one strength per clip.

    Args:
        sample: The sample.
        max_sigma: Largest standard deviation, in [0, 1]; half of the clips stay clean.
        generator: Source of randomness.
    """
    n = len(sample.target)
    sigma = max_sigma * (torch.rand(n, 1, 1, 1, generator=generator) * 2 - 1).clamp_min(0)
    before, first, second, after = (
        None if frame is None else _with_noise(frame, sigma, generator) for frame in sample.frames
    )
    if first is None or second is None:
        raise InputError("a sample needs its two inner frames")
    return sample._replace(frames=(before, first, second, after))


def _with_noise(
    frame: torch.Tensor, sigma: torch.Tensor, generator: torch.Generator
) -> torch.Tensor:
    noise = sigma * torch.randn(frame.shape, generator=generator)
    return (frame + noise.to(frame.device)).clamp(0, 1)
