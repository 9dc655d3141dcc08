"""What the metrics of both tasks share as metrics of ModelScope."""

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any

import torch
from modelscope.metrics.base import Metric

from msvsr.errors import InputError
from msvsr.metrics import FrameMean, Niqe

__all__ = ["PREDICTION_KEYS", "TARGET_KEY", "VideoMetric", "iterate_images", "round_to_8_bits"]

PREDICTION_KEYS = ("pred", "output")
"""Where a model's result stands, in ModelScope's own models and in ours."""

TARGET_KEY = "target"

_TRAINER = "trainer"
"""Where ModelScope hangs the whole trainer on a metric before it sends it to another process."""


class VideoMetric(Metric):  # type: ignore[misc]
    """Scores each batch when it comes and keeps sums and counts, never images.

    Attributes:
        means: The mean of each measure so far, by its key in the result.
    """

    def __init__(self) -> None:
        super().__init__()
        self.means = self._start()

    @abstractmethod
    def _start(self) -> dict[str, FrameMean | Niqe]:
        """The measures before the first batch, in the order of the result."""

    def evaluate(self) -> dict[str, float]:
        """Take the means.

        Returns:
            The mean over all images by measure, without the measures that have no value.
        """
        return {key: mean.compute() for key, mean in self.means.items() if mean.num_frames}

    def merge(self, other: "VideoMetric") -> None:
        """Add what another process has scored."""
        for key, mean in self.means.items():
            mean.merge(other.means[key])  # type: ignore[arg-type]

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key != _TRAINER}


def iterate_images(values: object, label: str) -> Iterator[torch.Tensor]:
    """Take what a model gave back apart.

    Args:
        values: A tensor ``(..., 3, h, w)``, RGB in [0, 1], or a list of such.
        label: What it is, for errors.

    Yields:
        One image at a time, ``(1, 3, h, w)``.

    Raises:
        InputError: It is something else.
    """
    if isinstance(values, list | tuple):
        for value in values:
            yield from iterate_images(value, label)
        return
    if not isinstance(values, torch.Tensor) or values.ndim < 3 or values.shape[-3] != 3:
        found = tuple(values.shape) if isinstance(values, torch.Tensor) else type(values).__name__
        raise InputError(
            f"'{label}' must be a tensor (..., 3, h, w) or a list of them, got {found}"
        )
    images = values.detach().reshape(-1, 1, *values.shape[-3:])  # (..., 3, h, w) -> (n, 1, 3, h, w)
    yield from images.unbind()


def round_to_8_bits(image: torch.Tensor) -> torch.Tensor:
    """What a file of 8 bits would hold of an image tensor."""
    return (image.float().clamp(0, 1) * 255).round() / 255
