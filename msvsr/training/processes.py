"""Several processes that train one network: who they are, and what they tell each other."""

import datetime
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import torch
import torch.distributed

from msvsr.errors import ConfigError
from msvsr.models.devices import choose_device

__all__ = ["Processes", "join_processes"]

T = TypeVar("T")

_BUCKET_VALUES = 2**24
"""Gradients travel together in buckets of about this many numbers."""

_PATIENCE = datetime.timedelta(hours=2)
"""How long the others wait while the first process validates."""


@dataclass(frozen=True, kw_only=True)
class Processes:
    """One process of a training run and its place among the others.

    Attributes:
        device: Where this process computes.
        rank: Its number, from 0. The first one writes files.
        count: How many there are.
    """

    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    rank: int = 0
    count: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this process writes files."""
        return self.rank == 0

    def share_of(self, batch_size: int) -> range:
        """Which samples of a global batch are this process's.

        Raises:
            ConfigError: The batch cannot be divided evenly.

        Example:
            >>> Processes(rank=1, count=2).share_of(6)
            range(3, 6)
        """
        size, rest = divmod(batch_size, self.count)
        if rest:
            raise ConfigError(
                f"batch_size must be a multiple of the number of processes, got {batch_size} for "
                f"{self.count} processes"
            )
        return range(self.rank * size, (self.rank + 1) * size)

    def mean(self, values: Sequence[float]) -> list[float]:
        """The mean of each value over the processes."""
        if self.count == 1:
            return list(values)
        tensor = torch.tensor(values, dtype=torch.float64, device=self.device)
        torch.distributed.all_reduce(tensor)
        return [float(value) for value in tensor / self.count]

    def any(self, wish: bool) -> bool:
        """Whether any of the processes says so."""
        return self.mean([float(wish)])[0] > 0

    def average_gradients(self, parameters: Sequence[torch.nn.Parameter]) -> None:
        """Replace the gradients by their mean over the processes, in place.

        Args:
            parameters: The same ones in the same order everywhere; those without a gradient are
                left out.
        """
        if self.count == 1:
            return
        gradients = [each.grad for each in parameters if each.grad is not None]
        for bucket in _buckets(gradients):
            flat = torch.cat([gradient.reshape(-1) for gradient in bucket])
            torch.distributed.all_reduce(flat)
            flat /= self.count
            parts = torch.split(flat, [gradient.numel() for gradient in bucket])
            for gradient, part in zip(bucket, parts, strict=True):
                gradient.copy_(part.view(gradient.shape))

    def gather(self, tensor: torch.Tensor) -> torch.Tensor:
        """The tensors of all processes, of one shape, one after the other along the first axis."""
        if self.count == 1:
            return tensor
        tensor = tensor.contiguous()
        parts = [torch.empty_like(tensor) for _ in range(self.count)]
        torch.distributed.all_gather(parts, tensor)
        return torch.cat(parts)

    def from_first(self, value: T) -> T:
        """What the first process has; the value that the others give is ignored."""
        if self.count == 1:
            return value
        values = [value]
        torch.distributed.broadcast_object_list(values, src=0, device=self.device)
        return values[0]

    def leave(self) -> None:
        """Wait for the others and part, at the end of a run that went well."""
        if self.count > 1:
            self.any(wish=False)
            torch.distributed.destroy_process_group()


def _buckets(gradients: list[torch.Tensor]) -> Iterator[list[torch.Tensor]]:
    """Group gradients, each group of one type and of a bounded size."""
    bucket: list[torch.Tensor] = []
    size = 0
    for gradient in gradients:
        is_full = size + gradient.numel() > _BUCKET_VALUES
        if bucket and (is_full or gradient.dtype != bucket[0].dtype):
            yield bucket
            bucket, size = [], 0
        bucket.append(gradient)
        size += gradient.numel()
    if bucket:
        yield bucket


def join_processes(device: str = "auto") -> Processes:
    """Find this process's device, and the others if ``torchrun`` started several.

    Args:
        device: Name of the device, see `choose_device`. Under ``torchrun`` each process takes the
            GPU of its own number, and gradients travel through NCCL; on CPUs through gloo.

    Raises:
        ConfigError: There is no such device, or fewer GPUs than processes on this machine.
    """
    count = int(os.environ.get("WORLD_SIZE", "1"))
    chosen = choose_device(device)
    if count == 1:
        return Processes(device=chosen)
    if chosen.type == "cuda":
        chosen = _own_gpu()
        torch.cuda.set_device(chosen)
    if not torch.distributed.is_initialized():
        backend = "nccl" if chosen.type == "cuda" else "gloo"
        torch.distributed.init_process_group(backend, timeout=_PATIENCE)
    return Processes(device=chosen, rank=torch.distributed.get_rank(), count=count)


def _own_gpu() -> torch.device:
    number = int(os.environ.get("LOCAL_RANK", "0"))
    if number >= torch.cuda.device_count():
        raise ConfigError(
            f"each process needs a GPU of its own, got {torch.cuda.device_count()} for process "
            f"{number + 1} of this machine; start fewer, or give device cpu"
        )
    return torch.device("cuda", number)
