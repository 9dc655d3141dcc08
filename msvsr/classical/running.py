"""Steps one after the other, on one image."""

from collections.abc import Sequence

import numpy as np

from msvsr.classical.step import Step
from msvsr.errors import ConfigError, ShapeError
from msvsr.frame import ImageArray

__all__ = ["apply_steps", "planned_size"]

_LONGEST_SIDE = 32_768


def apply_steps(image: ImageArray, steps: Sequence[Step]) -> ImageArray:
    """Process an image by several steps.

    Args:
        image: RGB ``(h, w, 3)``, uint8 or uint16.
        steps: What to do, in order.

    Returns:
        RGB of the same depth; its size is `planned_size`.

    Raises:
        ShapeError: The image has another shape or type.

    Example:
        >>> from msvsr.classical import Median, Scale
        >>> image = np.zeros((4, 6, 3), dtype=np.uint8)
        >>> apply_steps(image, [Median(size=3), Scale(factor=2)]).shape
        (8, 12, 3)
    """
    is_rgb = image.ndim == 3 and image.shape[2] == 3 and image.size > 0
    if not is_rgb or image.dtype not in (np.uint8, np.uint16):
        raise ShapeError(
            "expected an RGB image of shape (h, w, 3) and type uint8 or uint16, "
            f"got {image.shape} and {image.dtype}"
        )
    for step in steps:
        image = step(image)
    return image


def planned_size(size: tuple[int, int], steps: Sequence[Step]) -> tuple[int, int]:
    """Height and width that an image of a height and width comes out with.

    Args:
        size: Height and width of the image.
        steps: What is done with it.

    Raises:
        ConfigError: A side grows beyond all measure on the way.
    """
    for step in steps:
        size = step.output_size(size)
        if max(size) > _LONGEST_SIDE:
            raise ConfigError(
                f"the step '{step.name}' would make {size[1]}x{size[0]} pixels, and a side may "
                f"have at most {_LONGEST_SIDE}: scale by less"
            )
    return size
