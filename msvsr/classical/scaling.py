"""Change of size."""

from dataclasses import dataclass
from typing import ClassVar, Literal, cast

import cv2

from msvsr.classical.step import Step, limited
from msvsr.frame import ImageArray

__all__ = ["Scale", "ScaleMethod"]

ScaleMethod = Literal["nearest", "bilinear", "bicubic", "lanczos", "area"]

_INTERPOLATIONS: dict[str, int] = {
    "nearest": cv2.INTER_NEAREST_EXACT,
    "bilinear": cv2.INTER_LINEAR,
    "bicubic": cv2.INTER_CUBIC,
    "lanczos": cv2.INTER_LANCZOS4,
    "area": cv2.INTER_AREA,
}


@dataclass(frozen=True, kw_only=True)
class Scale(Step):
    """Change the size; sides are rounded to whole pixels.

    Bicubic interpolation is OpenCV's, with the coefficient -0.75; Lanczos reaches four pixels to
    each side. To make an image smaller without false patterns, take area.

    Attributes:
        factor: New side over old side.
        method: The interpolation.
    """

    name: ClassVar[str] = "scale"

    factor: float = limited(4.0, low=1 / 16, high=16)
    method: ScaleMethod = "bicubic"

    def output_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Height and width of the output."""
        height, width = (max(round(side * self.factor), 1) for side in size)
        return height, width

    def __call__(self, image: ImageArray) -> ImageArray:
        """Scale an image."""
        height, width = self.output_size((image.shape[0], image.shape[1]))
        interpolation = _INTERPOLATIONS[self.method]
        return cast(ImageArray, cv2.resize(image, (width, height), interpolation=interpolation))
