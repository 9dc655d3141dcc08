"""Clips and samples for tests of evaluation, and methods that say what was asked of them."""

from collections.abc import Generator, Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch

from msvsr.evaluation import AsIs, EvaluationProtocol
from msvsr.evaluation.methods import Rendering
from msvsr.evaluation.model_description import ModelDescription
from msvsr.frame import ImageArray

__all__ = ["CountingMethod", "texture", "to_batch", "write_clip", "write_clips", "write_sample"]


def texture(seed: int, size: tuple[int, int] = (96, 192)) -> npt.NDArray[np.uint8]:
    """A colourful image with structure at several sizes: NIQE is defined on it."""
    rng = np.random.default_rng(seed)
    total = np.zeros((*size, 3))
    for step in (1, 3, 8):
        coarse = rng.random((size[0] // step + 1, size[1] // step + 1, 3))
        total += cv2.resize(coarse, (size[1], size[0]), interpolation=cv2.INTER_CUBIC)
    return (total / 3 * 255).clip(0, 255).astype(np.uint8)


def write_clip(folder: Path, images: Sequence[npt.NDArray[np.uint8]]) -> Path:
    """A clip as a folder of PNG files."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, image in enumerate(images):
        cv2.imwrite(str(folder / f"{number:08d}.png"), image[..., ::-1])
    return folder


def write_clips(
    root: Path, lengths: Sequence[int] = (4, 3, 5), size: tuple[int, int] = (96, 192)
) -> Path:
    """Clips of textures, called 000 and so on."""
    for index, length in enumerate(lengths):
        images = [texture(100 * index + number, size) for number in range(length)]
        write_clip(root / f"{index:03d}", images)
    return root


def write_sample(folder: Path, num_inputs: int, size: tuple[int, int] = (40, 70)) -> Path:
    """A texture that moves to the right by two pixels a frame; the middle one is to be found."""
    wide = texture(num_inputs, (size[0], size[1] + 20))
    images = [wide[:, 10 - 2 * number :][:, : size[1]] for number in range(num_inputs + 1)]
    return write_clip(folder, images)


class CountingMethod(AsIs):
    """Passes frames on, and counts them.

    Args:
        sha256: What stands for its weights.
    """

    name = "counting"

    def __init__(self, sha256: str = "1") -> None:
        self.description: ModelDescription | None = ModelDescription(name="m", sha256=sha256)
        self.num_frames = 0

    def rendering(self, protocol: EvaluationProtocol) -> Rendering:
        """One pass for outputs of 8 bits and one for others, as models have them."""
        return Rendering(is_deep=not protocol.rounds_to_8_bits)

    def upscale(
        self, images: Iterable[ImageArray], rendering: Rendering
    ) -> Generator[ImageArray, None, None]:
        """Count a frame."""
        for image in images:
            self.num_frames += 1
            yield image


def to_batch(image: npt.NDArray[np.uint8]) -> torch.Tensor:
    """An image as ``(1, 3, h, w)`` in [0, 1]."""
    return torch.from_numpy(np.ascontiguousarray(image)).movedim(-1, 0)[None].float() / 255
