"""Weights files of every layout are read, and wrong ones are named."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from msvsr.errors import CheckpointError
from msvsr.models.checkpoints import load_weights, read_checkpoint

WEIGHTS = {"weight": torch.ones(2, 3), "bias": torch.zeros(2)}
OTHER = {key: value + 5 for key, value in WEIGHTS.items()}


def prefixed(prefix: str, weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {prefix + key: value for key, value in weights.items()}


LAYOUTS = {
    "bare": WEIGHTS,
    "params": {"params": WEIGHTS},
    "params_ema wins": {"params": OTHER, "params_ema": WEIGHTS},
    "data parallel": prefixed("module.", WEIGHTS),
    "mmediting": {
        "meta": {"epoch": 3},
        "state_dict": {
            "step_counter": torch.tensor(7),
            **prefixed("generator.", OTHER),
            **prefixed("generator_ema.", WEIGHTS),
            **prefixed("discriminator.", OTHER),
            **prefixed("perceptual_loss.vgg.", OTHER),
        },
        "optimizer": {"state": {}},
    },
    "mmediting without averages": {"state_dict": prefixed("generator.", WEIGHTS)},
    "mmagic": {
        "state_dict": {
            **prefixed("generator.", OTHER),
            **prefixed("generator_ema.", WEIGHTS),
            "generator_ema.step_counter": torch.tensor(7),
            "data_preprocessor.mean": torch.zeros(3),
        },
        "message_hub": {},
    },
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_same_weights(layout: str, tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    torch.save(LAYOUTS[layout], path)
    weights = read_checkpoint(path)
    assert weights.keys() == WEIGHTS.keys()
    assert all(torch.equal(weights[key], WEIGHTS[key]) for key in WEIGHTS)


def test_safetensors(tmp_path: Path) -> None:
    save_file(WEIGHTS, tmp_path / "model.safetensors")
    weights = read_checkpoint(tmp_path / "model.safetensors")
    assert all(torch.equal(weights[key], WEIGHTS[key]) for key in WEIGHTS)


@pytest.mark.parametrize("name", ["weights.pth", "weights.safetensors"])
@pytest.mark.parametrize("content", [b"", b"not a checkpoint at all", b"PK\x03\x04broken"])
def test_damaged_files_end_in_one_line(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CheckpointError, match=name) as caught:
        read_checkpoint(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_code_in_a_pickle_is_not_run(tmp_path: Path) -> None:
    path = tmp_path / "evil.pth"
    torch.save({"params": Evil(str(tmp_path / "ran"))}, path)
    with pytest.raises(CheckpointError):
        read_checkpoint(path)
    assert not (tmp_path / "ran").exists()


class Evil:
    """Writes a file when it is unpickled."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (self.path, "w")


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no weights file"):
        read_checkpoint(tmp_path / "absent.pth")


def test_no_tensors_inside(tmp_path: Path) -> None:
    torch.save({"epoch": 3}, tmp_path / "weights.pth")
    with pytest.raises(CheckpointError, match="holds no weights"):
        read_checkpoint(tmp_path / "weights.pth")


def test_weights_of_another_network_are_named_and_nothing_is_loaded() -> None:
    network = nn.Linear(3, 2)
    before = network.weight.clone()
    wrong = {"weight": torch.ones(4, 3), "surplus": torch.ones(1)}
    with pytest.raises(CheckpointError) as caught:
        load_weights(network, wrong, "some.pth")
    for part in (
        "some.pth",
        "1 missing (bias)",
        "1 unexpected (surplus)",
        "(4, 3) instead of (2, 3)",
    ):
        assert part in str(caught.value)
    assert torch.equal(network.weight, before)
