"""Training configurations from JSON, and the schedule they describe."""

import json
from pathlib import Path

import pytest

from msvsr.errors import ConfigError
from msvsr.models.config_json import dataclass_from_mapping, read_config
from msvsr.training.config import TrainingConfig
from msvsr.training.schedule import ema_decay, flow_learning_rate, learning_rate

SHIPPED = Path(__file__).parents[2] / "configuration" / "realbasicvsr_lite_x4" / "training.json"


def config(**changes: object) -> TrainingConfig:
    content = {"data": {"clips": [{"name": "a"}]}, **changes}
    return dataclass_from_mapping(TrainingConfig, content, "test")


def test_shipped_configuration_is_read_and_keeps_its_held_out_clips_apart() -> None:
    shipped = read_config(SHIPPED, TrainingConfig)
    trained = {clip.name for clip in shipped.data.clips}
    held_out = {clip.name for clip in shipped.validation.clips}
    assert held_out >= {"03_blocks.mp4", "05_default_juggle.mp4", "bikes.mp4"}
    assert not trained & held_out


def test_nested_values_lists_and_whole_numbers_are_converted() -> None:
    made = config(
        network={"flow_channels": [4, 8]},
        optimizer={"learning_rate": 1, "betas": [0.5, 0.9]},
    )
    assert made.network.flow_channels == (4, 8)
    assert made.optimizer.learning_rate == 1.0
    assert isinstance(made.optimizer.learning_rate, float)
    assert made.optimizer.betas == (0.5, 0.9)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"stepz": 1}, r"unknown key stepz in test: accepted are .*num_steps"),
        ({"network": {"chanels": 3}}, r"unknown key chanels in test\.network"),
        ({"batch_size": "4"}, r"test\.batch_size must be int"),
        ({"batch_size": True}, r"test\.batch_size must be int"),
        ({"network": 3}, r"test\.network must be an object"),
        ({"network": {"flow_channels": 3}}, "must be a list"),
        ({"optimizer": {"betas": [0.9]}}, "must have 2 values"),
        ({"data": {}}, "clips"),
        ({"flow_warmup_steps": 10, "num_steps": 5}, "flow_warmup_steps"),
        ({"validation": {"clips": [{"name": "a"}]}}, "must not be trained on"),
    ],
)
def test_wrong_configuration_is_refused_by_name(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        config(**changes)


def test_unreadable_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    with pytest.raises(ConfigError, match=r"run\.json"):
        read_config(path, TrainingConfig)
    path.write_text("{")
    with pytest.raises(ConfigError, match=r"run\.json"):
        read_config(path, TrainingConfig)
    path.write_text(json.dumps([1]))
    with pytest.raises(ConfigError, match="must be an object"):
        read_config(path, TrainingConfig)


def test_flow_learns_alone_first_then_all_follow_a_ramp_and_a_cosine() -> None:
    made = config(
        flow_warmup_steps=100,
        num_steps=1100,
        optimizer={
            "learning_rate": 1.0,
            "final_learning_rate": 0.0,
            "ramp_steps": 10,
            "flow_rate_factor": 0.5,
        },
    )
    assert learning_rate(99, made) == 0
    assert flow_learning_rate(0, made) == pytest.approx(0.1)
    assert flow_learning_rate(50, made) == 1
    assert learning_rate(100, made) == pytest.approx(0.1)
    assert learning_rate(600, made) == pytest.approx(0.5)
    assert flow_learning_rate(600, made) == pytest.approx(0.25)
    assert learning_rate(1100, made) == pytest.approx(0, abs=1e-9)


def test_mean_of_the_weights_forgets_the_first_steps_quickly() -> None:
    made = config(optimizer={"ema_decay": 0.99})
    assert ema_decay(0, made.optimizer) == pytest.approx(0.1)
    assert ema_decay(10_000, made.optimizer) == 0.99
