"""Turning stored frames upright, as a display matrix asks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from msvsr.frame import ImageArray

__all__ = ["UPRIGHT", "Orientation", "orientation_from_matrix"]


@dataclass(frozen=True, kw_only=True)
class Orientation:
    """One of the eight ways a stored frame can stand.

    A stored frame becomes upright by mirroring it left to right (when ``is_mirrored``) and then
    turning it clockwise by ``rotation_degrees``.

    Attributes:
        rotation_degrees: 0, 90, 180 or 270, clockwise.
        is_mirrored: Whether to mirror before turning.
    """

    rotation_degrees: int = 0
    is_mirrored: bool = False

    @property
    def swaps_axes(self) -> bool:
        """Whether height and width change places."""
        return self.rotation_degrees in (90, 270)

    def apply(self, image: ImageArray) -> ImageArray:
        """Turn an image upright.

        Args:
            image: ``(h, w, 3)``, any type.

        Returns:
            The upright image, contiguous.
        """
        turned = np.rot90(
            image[:, ::-1] if self.is_mirrored else image, k=-self.rotation_degrees // 90
        )
        return cast(ImageArray, np.ascontiguousarray(turned))


UPRIGHT = Orientation()


def orientation_from_matrix(matrix: Sequence[int]) -> Orientation:
    """Read a display matrix, a point ``(x, y)`` going to ``(a x + c y, b x + d y)``.

    A matrix that turns by another angle than a multiple of 90 degrees gives the nearest one.

    Args:
        matrix: Nine integers ``a b u c d v x y w``, of which only the signs and relative sizes of
            ``a b c d`` matter.

    Returns:
        What to do with stored frames.

    Source:
        The transformation matrix of ISO/IEC 14496-12, as FFmpeg hands it over.

    Example:
        >>> orientation_from_matrix([0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30])
        Orientation(rotation_degrees=90, is_mirrored=False)
    """
    a, b, _, c, d = (int(value) for value in matrix[:5])
    is_mirrored = a * d - b * c < 0
    if is_mirrored:  # take the mirroring x -> -x off, which is applied first
        a, b = -a, -b
    cosine, sine = a + d, b - c
    straight, turned = (0 if cosine >= 0 else 180), (90 if sine > 0 else 270)
    degrees = straight if abs(cosine) >= abs(sine) else turned
    return Orientation(rotation_degrees=degrees, is_mirrored=is_mirrored)
