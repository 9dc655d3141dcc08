"""The arrays that degradations work on."""

from typing import Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["ByteClip", "FloatArray", "Frames", "Operator"]

FloatArray = npt.NDArray[np.float32]
ByteClip = npt.NDArray[np.uint8]
Frames = list[FloatArray]
"""A clip on its way through operators: ``(h, w, 3)`` each, in sizes that may differ."""


class Operator(Protocol):
    """One step of a degradation."""

    def __call__(self, frames: Frames, rng: np.random.Generator) -> Frames:
        """Degrade frames ``(h, w, 3)``, RGB float32 in [0, 1], with randomness from ``rng``."""
        ...
