"""What the loop of all tasks keeps of a network, and when, on the smallest network there is."""

from pathlib import Path

import pytest
import torch
from torch import nn
from torch.utils.data import Dataset

from msvsr.errors import CheckpointError
from msvsr.training.config import OptimizerConfig
from msvsr.training.loop import LoopSettings, TrainingLoop


class Numbers(Dataset[torch.Tensor]):
    """Random numbers."""

    def __getitem__(self, index: int) -> torch.Tensor:
        """Four of them."""
        return 5 + torch.randn(4, generator=torch.Generator().manual_seed(index))


class NumbersLoop(TrainingLoop[torch.Tensor]):
    """The smallest loop: one layer with running statistics."""

    def __init__(
        self, work_dir: Path, channels: int = 4, learning: tuple[str, ...] | None = None
    ) -> None:
        """Start or continue."""
        settings = LoopSettings(
            num_steps=9,
            batch_size=8,
            seed=0,
            optimizer=OptimizerConfig(),
            checkpoint_minutes=0,
            validation_minutes=0,
        )
        self.network = nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, channels))
        parameters = dict(self.network.named_parameters())
        groups = {"all": [parameters[name] for name in learning or parameters]}
        super().__init__(self.network, groups, Numbers(), settings, work_dir, 0)
        self.validated: list[int] = []

    @property
    def mean(self) -> nn.Module:
        """The network with the running mean of the weights."""
        return self._mean

    def learning_rates(self) -> dict[str, float]:
        """Always the same one."""
        return {"all": 1e-3}

    def losses(self, batch: torch.Tensor) -> dict[str, torch.Tensor]:
        """How large what comes out is."""
        return {"total": self.network(batch).square().mean()}

    def validate(self) -> None:
        """Note the step."""
        self.validated.append(self.step)

    def export(self) -> None:
        """Write nothing."""


def test_mean_of_the_weights_has_running_statistics_and_uses_them(tmp_path: Path) -> None:
    run = NumbersLoop(tmp_path)
    run.run()
    assert torch.equal(run.mean[0].running_mean, run.network[0].running_mean)
    assert run.mean[0].running_mean.mean() > 1
    assert run.network.training
    assert not run.mean.training


def test_loop_saves_and_validates_when_it_is_time(tmp_path: Path) -> None:
    run = NumbersLoop(tmp_path)
    run.run(max_steps=3)
    assert run.validated == [1, 2, 3]
    assert NumbersLoop(tmp_path).step == 3


def test_checkpoint_of_another_network_is_refused(tmp_path: Path) -> None:
    NumbersLoop(tmp_path).run(max_steps=1)
    with pytest.raises(CheckpointError, match=r"checkpoint\.pt belongs to another run"):
        NumbersLoop(tmp_path, channels=3)


def test_parameters_in_no_group_stay_as_they_are(tmp_path: Path) -> None:
    run = NumbersLoop(tmp_path, learning=("1.weight",))
    before = {name: value.clone() for name, value in run.network.named_parameters()}
    run.run()
    changed = [n for n, value in run.network.named_parameters() if not value.equal(before[n])]
    assert changed == ["1.weight"]
