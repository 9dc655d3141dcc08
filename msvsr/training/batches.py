"""Batches on their way into the networks: which samples, on which device, in which parts."""

import signal
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import torch
from torch.utils.data import DataLoader, Dataset

from msvsr.data.endless import EndlessSampler
from msvsr.data.windows import limit_worker_threads

__all__ = [
    "count_images",
    "count_samples",
    "make_loader",
    "map_tensors",
    "split_batch",
]

BatchT = TypeVar("BatchT")


def make_loader(
    dataset: Dataset[BatchT], sampler: EndlessSampler, num_workers: int, device: torch.device
) -> Iterator[BatchT]:
    """Batches in the order of the sampler.

    Args:
        dataset: An endless dataset: sample ``i`` depends on the seed and ``i`` alone.
        sampler: Which samples, and how many of them are a batch.
        num_workers: Processes that prepare samples; 0 prepares them in this process.
        device: Where they will be needed.
    """
    loader = DataLoader(
        dataset,
        batch_size=sampler.batch_size_per_process,
        sampler=sampler,
        num_workers=num_workers,
        pin_memory=device.type == "cuda",
        worker_init_fn=_start_worker,
        prefetch_factor=4 if num_workers else None,
        # A forked worker would hang in OpenCV's thread pool.
        multiprocessing_context="spawn" if num_workers else None,
    )
    return iter(loader)


def _start_worker(worker: int) -> None:
    # Ctrl-C reaches every process of a terminal; the one that trains ends its workers itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    limit_worker_threads(worker)


def map_tensors(function: Callable[[torch.Tensor], torch.Tensor], value: BatchT) -> BatchT:
    """Apply a function to every tensor inside tuples and dictionaries; the rest stays.

    Example:
        >>> map_tensors(lambda x: x[:1], (torch.tensor([1, 2]), None, 0.5))
        (tensor([1]), None, 0.5)
    """
    new: Any = value
    if isinstance(value, torch.Tensor):
        new = function(value)
    elif isinstance(value, dict):
        new = {key: map_tensors(function, each) for key, each in value.items()}
    elif isinstance(value, tuple | list):
        items = [map_tensors(function, each) for each in value]
        new = type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    return new  # type: ignore[no-any-return]


def count_samples(batch: object) -> int:
    """The length of the first tensor inside, which is the number of samples."""
    return _first_shape(batch)[0]


def count_images(batch: object) -> int:
    """The images that the first tensor inside holds: clips ``(n, t, c, h, w)`` have ``n * t``."""
    n, *rest = _first_shape(batch)
    return n * rest[0] if len(rest) == 4 else n


def _first_shape(batch: object) -> torch.Size:
    shapes: list[torch.Size] = []

    def note(tensor: torch.Tensor) -> torch.Tensor:
        shapes.append(tensor.shape)
        return tensor

    map_tensors(note, batch)
    return shapes[0]


def split_batch(batch: BatchT, size: int) -> list[BatchT]:
    """Cut a batch into parts of so many samples; the last may be smaller, 0 leaves it whole.

    Example:
        >>> [part.tolist() for part in split_batch(torch.arange(5), 2)]
        [[0, 1], [2, 3], [4]]
    """
    total = count_samples(batch)
    size = size or total
    return [_cut(batch, start, start + size) for start in range(0, total, size)]


def _cut(batch: BatchT, start: int, end: int) -> BatchT:
    return map_tensors(lambda tensor: tensor[start:end], batch)
