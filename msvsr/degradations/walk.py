"""Parameters that drift slowly from frame to frame."""

import numpy as np
import numpy.typing as npt

__all__ = ["random_walk"]


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
        rng: Source of randomness.

    Returns:
        The values, ``(num_frames,)``.

    Source:
        The stochastic degradation scheme of RealBasicVSR (arXiv 2111.12704, section 3.3).

    Example:
        >>> walk = random_walk(5, start_range=(1, 2), step=0.1, rng=np.random.default_rng(0))
        >>> bool((walk >= 1).all() and (walk <= 2).all() and (abs(np.diff(walk)) <= 0.1).all())
        True
    """
    low, high = start_range
    values = np.empty(num_frames)
    value = rng.uniform(low, high)
    for index in range(num_frames):
        values[index] = value
        value = float(np.clip(value + rng.uniform(-step, step), low, high))
    return values
