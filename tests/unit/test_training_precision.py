"""Types to compute in, gradients that overflow, clipping, and what batches are cut into."""

from pathlib import Path

import pytest
import torch
from torch import nn
from torch.utils.data import default_collate

from msvsr.errors import ConfigError
from msvsr.training.activations import few_activations
from msvsr.training.batches import count_images, map_tensors, split_batch
from msvsr.training.learner import Learner
from msvsr.training.precision import Precision
from msvsr.training.processes import Processes
from msvsr.training.trainer import Trainer
from tests.support.training import STAGE_1, make_config, write_clip

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip."""
    root = tmp_path_factory.mktemp("precision")
    write_clip(root / "seen", 0)
    return root


def make_trainer(data_dir: Path, work_dir: Path, **changes: object) -> Trainer:
    config = make_config(STAGE_1, batch_size=1, **changes)
    return Trainer(config, data_dir, work_dir.parent / "cache", work_dir, 0)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_run_in_half_precision_follows_the_run_in_float32(
    data_dir: Path, tmp_path: Path, precision: str
) -> None:
    runs = [
        make_trainer(data_dir, tmp_path / name, precision=name) for name in ("float32", precision)
    ]
    for step in range(3):
        batch = default_collate([runs[0].dataset[step]])
        exact, rough = (run.train_step(batch)["total"] for run in runs)
        assert rough == pytest.approx(exact, rel=0.02)
        assert rough != exact
    assert all(each.dtype == torch.float32 for each in runs[1].network.parameters())


def test_resumed_run_in_float16_keeps_the_scale_of_its_losses(
    data_dir: Path, tmp_path: Path
) -> None:
    make_trainer(data_dir, tmp_path / "whole", precision="float16").run()
    for _ in range(2):
        run = make_trainer(data_dir, tmp_path / "parts", precision="float16")
        run.run(max_steps=2)
    states = [
        torch.load(tmp_path / name / "checkpoint.pt", weights_only=True)
        for name in ("whole", "parts")
    ]
    assert states[0]["scaler"] == states[1]["scaler"]
    assert states[0]["scaler"]["_growth_tracker"] > 0
    for name, value in states[0]["network"].items():
        assert torch.equal(value, states[1]["network"][name])


def test_gradients_that_overflow_lower_the_scale_and_change_no_weight() -> None:
    network = nn.Linear(2, 1)
    learner = Learner(network, {"all": list(network.parameters())}, (0.9, 0.99), 1.0)
    before = [each.clone() for each in network.parameters()]
    scaler = Precision("float16", CPU).scaler
    learner.begin({"all": 0.1})
    scaler.scale(network(torch.full((1, 2), 1e38)).sum()).backward()
    assert not torch.isfinite(torch.tensor(learner.descend(Processes(), scaler)))
    scale = scaler.get_scale()
    scaler.update()
    assert scaler.get_scale() == scale / 2
    for old, new in zip(before, network.parameters(), strict=True):
        assert torch.equal(old, new)


@pytest.mark.parametrize(("max_norm", "moved"), [(0.0, 10.0), (2.0, 2.0)])
def test_gradients_are_clipped_to_their_norm(max_norm: float, moved: float) -> None:
    network = nn.Linear(4, 1, bias=False)
    learner = Learner(network, {"all": list(network.parameters())}, (0.9, 0.99), max_norm)
    learner.begin({"all": 0.1})
    (5 * network.weight.sum()).backward()  # four gradients of 5
    assert learner.descend(Processes(), Precision("float32", CPU).scaler) == pytest.approx(10)
    assert float(network.weight.grad.norm()) == pytest.approx(moved, rel=1e-4)


def test_unknown_type_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"one of float32, bfloat16, float16, got 'half'"):
        Precision("half", CPU)


def test_batch_is_cut_into_parts_of_all_its_tensors() -> None:
    batch = {"a": torch.arange(6).view(3, 2), "b": (torch.arange(3), None, 0.5)}
    first, last = split_batch(batch, 2)
    assert first["a"].tolist() == [[0, 1], [2, 3]]
    assert last["b"][0].tolist() == [2]
    assert last["b"][1:] == (None, 0.5)
    assert len(split_batch(batch, 0)) == 1
    assert map_tensors(torch.neg, [torch.ones(1)])[0].item() == -1


def test_images_of_clips_are_counted_one_by_one() -> None:
    assert count_images(torch.zeros(2, 5, 3, 4, 4)) == 10
    assert count_images((torch.zeros(2, 3, 4, 4),)) == 2


def test_kept_activations_grow_less_with_the_length_of_a_clip(
    data_dir: Path, tmp_path: Path
) -> None:
    network = make_trainer(data_dir, tmp_path / "run").network

    def kept(num_frames: int, *, few: bool) -> int:
        """Bytes that a forward pass keeps for the backward pass, each storage once."""
        sizes: dict[int, int] = {}

        def note(tensor: torch.Tensor) -> torch.Tensor:
            storage = tensor.untyped_storage()
            sizes[storage.data_ptr()] = storage.nbytes()
            return tensor

        clip = torch.rand(1, num_frames, 3, 8, 8)
        with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
            if few:
                with few_activations(network):
                    output = network(clip)
            else:
                output = network(clip)
        del output
        return sum(sizes.values())

    growth = {few: kept(12, few=few) - kept(4, few=few) for few in (False, True)}
    assert growth[True] < 0.5 * growth[False]


def test_shares_of_a_batch_follow_each_other() -> None:
    shares = [list(Processes(rank=rank, count=3).share_of(6)) for rank in range(3)]
    assert shares == [[0, 1], [2, 3], [4, 5]]
    with pytest.raises(ConfigError, match="got 4 for 3 processes"):
        Processes(count=3).share_of(4)
