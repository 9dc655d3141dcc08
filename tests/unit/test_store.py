"""The tensor store gives back what it got and keeps its budget."""

import torch

from msvsr.engine.store import TensorStore


def tensors() -> list[torch.Tensor]:
    dense = torch.rand(1, 8, 5, 7)
    return [
        dense,
        dense.contiguous(memory_format=torch.channels_last),
        dense.bfloat16(),
        dense.half()[:, 2:5],
        torch.randint(0, 255, (5, 7, 3), dtype=torch.uint8),
        torch.randint(0, 65535, (5, 7, 3)).to(torch.uint16),
        dense[0, 0, 0, 0],
    ]


def test_spilled_tensors_come_back_whole() -> None:
    store = TensorStore(budget_bytes=0)
    originals = tensors()
    for index, tensor in enumerate(originals):
        store["kind", index] = tensor
    assert store.memory_bytes == 0
    for index, tensor in enumerate(originals):
        back = store["kind", index]
        assert back.dtype == tensor.dtype
        assert torch.equal(back, tensor)
    channels_last = store["kind", 1]
    assert channels_last.is_contiguous(memory_format=torch.channels_last)


def test_the_budget_is_kept_and_freed() -> None:
    one = torch.zeros(100, dtype=torch.uint8)
    store = TensorStore(budget_bytes=250)
    for index in range(4):
        store[index] = one + index
    assert store.memory_bytes == 200
    assert store.disk_bytes == 200
    assert [int(store.pop(index)[0]) for index in range(4)] == [0, 1, 2, 3]
    assert (store.memory_bytes, len(store)) == (0, 0)


def test_places_on_disk_are_used_again() -> None:
    store = TensorStore(budget_bytes=0)
    for index in range(50):
        store[index] = torch.full((64,), index)
        if index >= 3:
            assert int(store.pop(index - 3)[0]) == index - 3
    assert store.disk_bytes == 4 * 64 * 8


def test_replacing_and_forgetting() -> None:
    store = TensorStore(budget_bytes=10**6)
    store["a"] = torch.zeros(3)
    store["a"] = torch.ones(3)
    assert store.memory_bytes == 12
    store.discard("a")
    store.discard("never there")
    assert "a" not in store
    store.close()
    assert len(store) == 0
