"""Between the arrays that frames hold and the tensors that models take."""

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt
import torch

from msvsr.errors import ShapeError
from msvsr.frame import Frame, ImageArray

__all__ = ["of_one_size", "to_image", "to_tensor"]


def of_one_size(frames: Iterable[Frame]) -> Iterator[Frame]:
    """Pass frames on as long as they have the size of the first.

    Raises:
        ShapeError: A frame has another size.
    """
    size = None
    for index, frame in enumerate(frames):
        size = size or frame.size
        if frame.size != size:
            raise ShapeError(
                f"all frames must have one size: the first has {size[1]}x{size[0]} pixels, "
                f"frame {index} has {frame.size[1]}x{frame.size[0]}; split the video there"
            )
        yield frame


def to_tensor(image: ImageArray, device: torch.device) -> torch.Tensor:
    """An image array as an image tensor: float32 in [0, 1], ``(3, h, w)``."""
    whole = torch.from_numpy(np.require(image, requirements=["C", "W"])).to(device)
    return whole.permute(2, 0, 1).float() / float(np.iinfo(image.dtype).max)


def to_image(tensor: torch.Tensor, dtype: npt.DTypeLike) -> ImageArray:
    """An image tensor ``(3, h, w)`` as an array of an unsigned type, rounded to the nearest."""
    kind = np.dtype(dtype)
    values = tensor.clamp(0, 1).float() * int(np.iinfo(kind).max)
    image: ImageArray = values.round().permute(1, 2, 0).cpu().numpy().astype(kind)
    return image
