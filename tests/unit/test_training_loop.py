"""The loop: learning, stopping and going on, what it leaves on disk, the command."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from msvsr.cli.main import main
from msvsr.errors import CheckpointError
from msvsr.models.config_json import dataclass_from_mapping
from msvsr.training.checkpoint import load_checkpoint, save_checkpoint
from msvsr.training.config import TrainingConfig
from msvsr.training.trainer import Trainer
from msvsr.training.validation import psnr_y

RUN: dict[str, object] = {
    "data": {"clips": [{"name": "seen", "shrink": 1}], "crop": {"num_frames": 3, "size": 32}},
    "network": {
        "mid_channels": 4,
        "num_propagation_blocks": 1,
        "num_cleaning_blocks": 1,
        "high_resolution_channels": 4,
        "flow_channels": [4],
        "flow_kernel_size": 3,
        "flow_num_levels": 2,
    },
    "optimizer": {"ramp_steps": 2, "learning_rate": 5e-3},
    "validation": {"clips": [{"name": "unseen", "shrink": 1}], "num_frames": 3, "size": 32},
    "batch_size": 2,
    "flow_warmup_steps": 2,
    "num_steps": 6,
    "bfloat16": False,
}


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """Two short clips as folders of images."""
    root = tmp_path / "data"
    for seed, name in enumerate(("seen", "unseen")):
        folder = root / name
        folder.mkdir(parents=True)
        coarse = np.random.default_rng(seed).integers(0, 256, (6, 6, 3)).astype(np.uint8)
        frame = cv2.resize(coarse, (48, 48), interpolation=cv2.INTER_CUBIC)
        for index in range(5):
            cv2.imwrite(str(folder / f"{index}.png"), np.roll(frame, index, axis=1))
    return root


def make_trainer(data_dir: Path, work_dir: Path, **changes: object) -> Trainer:
    config = dataclass_from_mapping(TrainingConfig, {**RUN, **changes}, "test")
    return Trainer(config, data_dir, data_dir.parent / "cache", work_dir, num_workers=0)


def read_log(work_dir: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (work_dir / "log.jsonl").read_text().splitlines()]


def test_stopped_and_continued_run_gives_the_weights_of_an_unbroken_one(
    data_dir: Path, tmp_path: Path
) -> None:
    make_trainer(data_dir, tmp_path / "whole").run()
    for _ in range(3):
        make_trainer(data_dir, tmp_path / "parts").run(max_steps=2)
    whole = load_file(tmp_path / "whole" / "model.safetensors")
    parts = load_file(tmp_path / "parts" / "model.safetensors")
    assert whole.keys() == parts.keys()
    for name, value in whole.items():
        assert torch.equal(value, parts[name]), name


def test_flow_warmup_changes_the_flow_network_alone(data_dir: Path, tmp_path: Path) -> None:
    trainer = make_trainer(data_dir, tmp_path / "run")
    before = {name: value.clone() for name, value in trainer.network.state_dict().items()}
    trainer.run(max_steps=2)
    changed = {
        name.startswith("basicvsr.spynet.")
        for name, value in trainer.network.state_dict().items()
        if not torch.equal(value, before[name])
    }
    assert changed == {True}


def test_training_lowers_the_loss_on_one_batch(data_dir: Path, tmp_path: Path) -> None:
    trainer = make_trainer(data_dir, tmp_path / "run", flow_warmup_steps=0, num_steps=1000)
    batch = torch.utils.data.default_collate([trainer.dataset[0], trainer.dataset[1]])
    losses = [trainer.train_step(batch)["total"] for _ in range(30)]
    assert losses[-1] < 0.9 * losses[0]


def test_step_with_a_broken_gradient_is_skipped(data_dir: Path, tmp_path: Path) -> None:
    trainer = make_trainer(data_dir, tmp_path / "run", flow_warmup_steps=0)
    before = [parameter.clone() for parameter in trainer.network.parameters()]
    batch = torch.utils.data.default_collate([trainer.dataset[0]])
    broken = batch._replace(lq=batch.lq.float() * float("nan"))
    trainer.train_step(broken)
    assert trainer.step == 1
    for parameter, old in zip(trainer.network.parameters(), before, strict=True):
        assert torch.equal(parameter, old)


def test_run_logs_losses_and_held_out_quality(data_dir: Path, tmp_path: Path) -> None:
    make_trainer(data_dir, tmp_path / "run", num_steps=20).run()
    losses, validation = read_log(tmp_path / "run")
    assert losses["step"] == 20
    assert {"pixel", "cleaning", "flow", "total", "gradient_norm", "data_seconds"} <= set(losses)
    scores = validation["validation"]
    assert isinstance(scores, dict)
    assert list(scores) == ["unseen"]


def test_time_limit_stops_the_run_and_keeps_its_state(data_dir: Path, tmp_path: Path) -> None:
    trainer = make_trainer(data_dir, tmp_path / "run")
    trainer.run(max_minutes=0)
    assert trainer.step == 1
    assert make_trainer(data_dir, tmp_path / "run").step == 1


def test_checkpoint_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    save_checkpoint(path, {"step": 1})
    save_checkpoint(path, {"step": 2})
    assert load_checkpoint(path) == {"step": 2}
    assert list(tmp_path.iterdir()) == [path]


def test_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(b"nothing")
    with pytest.raises(CheckpointError, match=r"checkpoint\.pt"):
        load_checkpoint(path)


def test_psnr_of_luma_matches_its_definition() -> None:
    white = np.full((1, 8, 8, 3), 255, np.uint8)
    # BT.601 luma of a grey level: 219 / 255 of it.
    assert psnr_y(white - 10, white) == pytest.approx(20 * np.log10(255 / (10 * 219 / 255)))


def test_command_trains_from_a_file(data_dir: Path, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text(json.dumps(RUN))
    arguments = [str(path), "--data-dir", str(data_dir), "--work-dir", str(tmp_path / "run")]
    arguments += ["--cache-dir", str(tmp_path / "cache"), "--workers", "0", "--steps", "3"]
    assert main(["train", *arguments]) == 0
    assert (tmp_path / "run" / "model.safetensors").exists()


def test_command_answers_a_wrong_file_with_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(tmp_path / "none.json"), "--data-dir", str(tmp_path), "--work-dir"]
    assert main(["train", *arguments, str(tmp_path / "run")]) == 2
    message = capsys.readouterr().err
    assert "none.json" in message
    assert message.count("\n") == 1
