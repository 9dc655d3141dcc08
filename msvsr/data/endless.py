"""The order of samples in a run that has no epochs."""

from collections.abc import Iterator

from torch.utils.data import Sampler

from msvsr.errors import ConfigError

__all__ = ["EndlessSampler"]


class EndlessSampler(Sampler[int]):
    """Indices ``0, 1, 2, ...`` in global batches, each shared out among the processes.

    Step ``s`` has the indices ``s * batch_size`` to ``(s + 1) * batch_size - 1``; process ``rank``
    gets the ``rank``-th part of them. So a step's samples do not depend on how many processes
    there are, nor on where a run was stopped and resumed.

    Args:
        batch_size: Samples per step of all processes together.
        start_step: The step to begin with.
        rank: Which process this is.
        world_size: How many processes there are.
        num_steps: The step before which the indices end; ``None`` for no end.

    Raises:
        ConfigError: The batch cannot be shared out evenly, or a number is out of range.

    Example:
        >>> list(EndlessSampler(4, start_step=1, rank=1, world_size=2, num_steps=3))
        [6, 7, 10, 11]
    """

    def __init__(
        self,
        batch_size: int,
        *,
        start_step: int = 0,
        rank: int = 0,
        world_size: int = 1,
        num_steps: int | None = None,
    ) -> None:
        if not 0 <= rank < world_size or start_step < 0:
            raise ConfigError(
                "rank must lie in 0 to world_size - 1 and start_step must be at least 0, got "
                f"{rank} of {world_size} and {start_step}"
            )
        if batch_size < 1 or batch_size % world_size:
            raise ConfigError(
                f"batch_size must be a multiple of the {world_size} processes, got {batch_size}"
            )
        self.batch_size = batch_size
        self.start_step = start_step
        self.rank = rank
        self.world_size = world_size
        self.num_steps = num_steps

    @property
    def batch_size_per_process(self) -> int:
        """Samples per step of this process."""
        return self.batch_size // self.world_size

    def __iter__(self) -> Iterator[int]:
        """Give this process's indices, step by step."""
        step, share = self.start_step, self.batch_size_per_process
        while self.num_steps is None or step < self.num_steps:
            first = step * self.batch_size + self.rank * share
            yield from range(first, first + share)
            step += 1
