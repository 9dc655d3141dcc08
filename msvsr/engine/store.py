"""Keep tensors for later: in memory up to a budget, in an unnamed temporary file beyond it."""

import tempfile
import weakref
from collections import defaultdict
from collections.abc import Hashable
from typing import IO, NamedTuple

import numpy as np
import torch

__all__ = ["TensorStore"]


class _Spilled(NamedTuple):
    offset: int
    num_bytes: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]
    dtype: torch.dtype


class TensorStore:
    """A dictionary of tensors with bounded memory.

    Tensors are held on the CPU. The file has no name, so that nothing is left behind however the
    process ends, and the place of a removed tensor is used again.

    Args:
        budget_bytes: Memory for tensors; what comes on top goes to the file.

    Example:
        >>> store = TensorStore(budget_bytes=0)
        >>> store["flow", 3] = torch.arange(3)
        >>> store.pop(("flow", 3))
        tensor([0, 1, 2])
    """

    def __init__(self, budget_bytes: int) -> None:
        self.budget_bytes = budget_bytes
        self._in_memory: dict[Hashable, torch.Tensor] = {}
        self._on_disk: dict[Hashable, _Spilled] = {}
        self._free: defaultdict[int, list[int]] = defaultdict(list)  # size to offsets
        self._file: IO[bytes] | None = None
        self._file_end = 0
        self.memory_bytes = 0

    @property
    def disk_bytes(self) -> int:
        """Size of the temporary file."""
        return self._file_end

    def __setitem__(self, key: Hashable, tensor: torch.Tensor) -> None:
        self.discard(key)
        tensor = tensor.detach().to("cpu")
        if self.memory_bytes + tensor.nbytes <= self.budget_bytes:
            self._in_memory[key] = tensor
            self.memory_bytes += tensor.nbytes
        else:
            self._on_disk[key] = self._write(tensor)

    def __getitem__(self, key: Hashable) -> torch.Tensor:
        if key in self._in_memory:
            return self._in_memory[key]
        return self._read(self._on_disk[key])

    def __contains__(self, key: Hashable) -> bool:
        return key in self._in_memory or key in self._on_disk

    def __len__(self) -> int:
        return len(self._in_memory) + len(self._on_disk)

    def pop(self, key: Hashable) -> torch.Tensor:
        """Take a tensor out."""
        tensor = self[key]
        self.discard(key)
        return tensor

    def discard(self, key: Hashable) -> None:
        """Forget a tensor, if it is there."""
        if key in self._in_memory:
            self.memory_bytes -= self._in_memory.pop(key).nbytes
        elif key in self._on_disk:
            spilled = self._on_disk.pop(key)
            self._free[spilled.num_bytes].append(spilled.offset)

    def close(self) -> None:
        """Forget everything."""
        self._in_memory.clear()
        self._on_disk.clear()
        self._free.clear()
        self.memory_bytes = 0
        if self._file is not None:
            self._file.close()
            self._file = None
            self._file_end = 0

    def _write(self, tensor: torch.Tensor) -> _Spilled:
        storage = tensor.untyped_storage()
        if storage.nbytes() != tensor.nbytes:  # a view into something larger, or with gaps
            tensor = tensor.clone()
            storage = tensor.untyped_storage()
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="msvsr-")  # noqa: SIM115
            weakref.finalize(self, self._file.close)
        num_bytes = storage.nbytes()
        if self._free[num_bytes]:
            offset = self._free[num_bytes].pop()
        else:
            offset = self._file_end
            self._file_end += num_bytes
        self._file.seek(offset)
        self._file.write(torch.empty(0, dtype=torch.uint8).set_(storage).numpy())  # type: ignore[call-overload]
        return _Spilled(
            offset, num_bytes, tuple(tensor.shape), tuple(tensor.stride()), tensor.dtype
        )

    def _read(self, spilled: _Spilled) -> torch.Tensor:
        if self._file is None:  # closed
            raise KeyError(spilled)
        content = np.empty(spilled.num_bytes, dtype=np.uint8)
        self._file.seek(spilled.offset)
        self._file.readinto(content)  # type: ignore[attr-defined]
        storage = torch.from_numpy(content).untyped_storage()
        empty = torch.empty(0, dtype=spilled.dtype)
        return empty.set_(storage, 0, spilled.shape, spilled.stride)
