"""Parameters that drift slowly from frame to frame."""

import dataclasses
from typing import Any, ClassVar, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

__all__ = ["random_walk", "walk_from", "without_steps"]


class _Dataclass(Protocol):
    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]


ConfigT = TypeVar("ConfigT", bound=_Dataclass)


def random_walk(
    num_frames: int,
    *,
    start_range: tuple[float, float],
    step: float,
    rng: np.random.Generator,
) -> npt.NDArray[np.float64]:
    """Walk ``p[i + 1] = clip(p[i] + r[i + 1])`` with ``r`` uniform in ``[-step, step]``.

    Args:
        num_frames: Length of the walk.
        start_range: The first value is uniform in this range; no value leaves it.
        step: Largest change from one frame to the next; 0 keeps the first value.
        rng: Source of randomness; what is drawn from it does not depend on the step.

    Returns:
        The values, ``(num_frames,)``.

    Source:
        The stochastic degradation scheme of RealBasicVSR (arXiv 2111.12704, section 3.3). The
        clipping is that of its training code in MMEditing (Apache-2.0).

    Example:
        >>> walk = random_walk(5, start_range=(1, 2), step=0.1, rng=np.random.default_rng(0))
        >>> bool((walk >= 1).all() and (walk <= 2).all() and (abs(np.diff(walk)) <= 0.1).all())
        True
    """
    return walk_from(
        rng.uniform(*start_range), num_frames, value_range=start_range, step=step, rng=rng
    )


def walk_from(
    start: float,
    num_frames: int,
    *,
    value_range: tuple[float, float],
    step: float,
    rng: np.random.Generator,
) -> npt.NDArray[np.float64]:
    """Walk as `random_walk` does, from a given first value.

    Args:
        start: The first value, in the range.
        num_frames: Length of the walk.
        value_range: No value leaves it.
        step: Largest change from one frame to the next.
        rng: Source of randomness.

    Returns:
        The values, ``(num_frames,)``.
    """
    low, high = value_range
    values = np.empty(num_frames)
    value = start
    for index in range(num_frames):
        values[index] = value
        value = min(max(value + rng.uniform(-step, step), low), high)
    return values


def without_steps(config: ConfigT) -> ConfigT:
    """Stop all walks of an operator: set its fields whose names end in ``_step`` to 0.

    Args:
        config: Configuration of an operator.

    Returns:
        The configuration under which every parameter keeps its first value.
    """
    names = [field.name for field in dataclasses.fields(config) if field.name.endswith("_step")]
    return dataclasses.replace(config, **dict.fromkeys(names, 0.0))
