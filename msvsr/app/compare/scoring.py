"""Measuring the clips of a comparison against the ground truth."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from msvsr.app.compare.moments import Moment
from msvsr.app.compare.options import ClipScores
from msvsr.metrics import FrameMean, psnr, ssim

__all__ = ["Scoring"]

Image = npt.NDArray[np.uint8]

_SMALLEST_FOR_SSIM = 11


class Scoring:
    """PSNR and SSIM of each clip, on luma, at every frame of the ground truth."""

    def __init__(self, labels: Sequence[str]) -> None:
        """Start with nothing measured.

        Args:
            labels: What the clips are called.
        """
        self._labels = tuple(labels)
        self._psnr = [FrameMean() for _ in labels]
        self._ssim = [FrameMean() for _ in labels]
        self._texts = list(labels)

    def measure(self, moment: Moment, images: Sequence[Image]) -> tuple[str, ...]:
        """Measure a moment, where the ground truth shows another frame.

        Args:
            moment: Says what is new and what is over.
            images: The clips' frames, then the ground truth's, of one size.

        Returns:
            Each clip's label with its newest figures.
        """
        if moment.is_new[-1]:
            truth = _as_tensor(images[-1])
            for place in range(len(self._labels)):
                if not moment.is_over[place]:
                    self._texts[place] = self._add(place, _as_tensor(images[place]), truth)
        return tuple(self._texts)

    def _add(self, place: int, image: torch.Tensor, truth: torch.Tensor) -> str:
        noise = psnr(image, truth, channels="y")
        self._psnr[place].update(noise)
        text = f"{self._labels[place]}   {float(noise):.2f} dB"
        if min(image.shape[-2:]) < _SMALLEST_FOR_SSIM:
            return text
        structure = ssim(image, truth, channels="y")
        self._ssim[place].update(structure)
        return f"{text}   SSIM {float(structure):.4f}"

    def compute(self) -> tuple[ClipScores, ...]:
        """The means of the clips that have been measured."""
        return tuple(
            ClipScores(
                label=label,
                psnr=noise.compute(),
                ssim=structure.compute() if structure.num_frames else None,
                num_frames=noise.num_frames,
            )
            for label, noise, structure in zip(self._labels, self._psnr, self._ssim, strict=True)
            if noise.num_frames
        )


def _as_tensor(image: Image) -> torch.Tensor:
    return torch.from_numpy(image).movedim(-1, 0).float() / 255  # (h, w, c) -> (c, h, w)
