"""Several processes that evaluate together, each a part of the clips."""

import atexit
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist

from msvsr.errors import ConfigError, MsvsrError

__all__ = ["Processes", "device_of_process", "is_first_process", "open_processes"]

T = TypeVar("T")

_PATIENCE = timedelta(days=7)
"""How long a process waits for the others: a clip can take hours on a CPU. One that has died is
noticed at once, for its connection ends."""


class Processes:
    """The processes that take part.

    Args:
        rank: Number of this one.
        count: How many there are.
        group: What they talk over; ``None`` when there is one alone.
    """

    def __init__(self, rank: int = 0, count: int = 1, group: Any = None) -> None:  # noqa: ANN401
        self.rank = rank
        self.count = count
        self._group = group

    def gather(self, value: T) -> list[T]:
        """The values of all processes, in the order of their numbers, in each of them."""
        if self.count == 1:
            return [value]
        values: list[Any] = [None] * self.count
        dist.all_gather_object(values, value, group=self._group)
        return values

    def attempt(self, function: Callable[[], T]) -> T:
        """Run a function that fails in all processes or in none.

        Returns:
            What it returned here.

        Raises:
            Exception: What the function raised here.
            MsvsrError: It failed in another process.
        """
        if self.count == 1:
            return function()
        try:
            value = function()
        except Exception as error:
            self.gather(f"{type(error).__name__}: {error}")
            raise
        for rank, message in enumerate(self.gather("")):
            if message:
                raise MsvsrError(f"process {rank} of {self.count} failed: {message}")
        return value


@contextmanager
def open_processes() -> Iterator[Processes]:
    """Find out which processes take part, for as long as they work together.

    They are those of ``torch.distributed`` where it is initialised. Otherwise those that
    ``torchrun`` has started, who then talk over gloo on the CPU.

    Raises:
        ConfigError: The environment speaks of several processes and not of how they meet.
    """
    if not _is_initialised() and int(os.environ.get("WORLD_SIZE", "1")) > 1:
        _meet()
    if not _is_initialised() or dist.get_world_size() == 1:
        yield Processes()
        return
    # A group of its own: NCCL cannot gather on the CPU, and others' timeouts are short.
    group = dist.new_group(backend="gloo", timeout=_PATIENCE)
    try:
        yield Processes(dist.get_rank(), dist.get_world_size(), group)
    finally:
        dist.destroy_process_group(group)


def _meet() -> None:
    """Begin to talk, for as long as the processes live: they can meet only once."""
    try:
        dist.init_process_group("gloo", timeout=_PATIENCE)
    except (ValueError, RuntimeError) as error:
        raise ConfigError(
            "WORLD_SIZE speaks of several processes, but they cannot meet: start them with "
            f"torchrun, or unset WORLD_SIZE ({str(error).splitlines()[0]})"
        ) from error
    atexit.register(_part)


def _part() -> None:
    if _is_initialised():
        dist.destroy_process_group()


def _is_initialised() -> bool:
    return dist.is_available() and dist.is_initialized()


def is_first_process() -> bool:
    """Whether this process should print and write, also before and after they work together."""
    if _is_initialised():
        return dist.get_rank() == 0
    return int(os.environ.get("WORLD_SIZE", "1")) == 1 or os.environ.get("RANK", "0") == "0"


def device_of_process(name: str) -> str:
    """The device that this process should use: of several with GPUs, each takes its own.

    Args:
        name: What the user asked for, see `msvsr.models.devices.choose_device`.

    Example:
        >>> device_of_process("cpu")
        'cpu'
    """
    local_rank = os.environ.get("LOCAL_RANK")
    if local_rank is None or name not in ("auto", "cuda", "gpu") or not torch.cuda.is_available():
        return name
    return f"cuda:{int(local_rank) % torch.cuda.device_count()}"
