"""The arrays that degradations work on."""

from typing import Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["ByteClip", "Clip", "FloatArray", "Operator"]

FloatArray = npt.NDArray[np.float32]
Clip = npt.NDArray[np.float32]
ByteClip = npt.NDArray[np.uint8]


class Operator(Protocol):
    """One step of a degradation."""

    def __call__(self, clip: Clip, rng: np.random.Generator) -> Clip:
        """Degrade a clip ``(t, h, w, 3)``, RGB float32 in [0, 1], with randomness from ``rng``."""
        ...
