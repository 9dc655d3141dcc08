"""Options that interpolation shares with super-resolution: parts of a batch, VGG19, pictures."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch.utils.data import default_collate

from msvsr.archs.raft import RAFT
from msvsr.errors import CheckpointError, ConfigError
from msvsr.models.config_json import dataclass_from_mapping, read_config
from msvsr.models.raft_interpolation import RaftInterpolation
from msvsr.training.config import LoopSettings, TrainingConfig
from msvsr.training.interpolation.config import InterpolationTrainingConfig
from msvsr.training.interpolation.trainer import InterpolationTrainer
from msvsr.training.start import Places, make_trainer, parse_run
from msvsr.training.trainer import Trainer
from tests.support.training import STAGE_1, TINY_INTERPOLATION, write_clip, write_vgg

RUN: dict[str, Any] = {
    "task": "video-frame-interpolation",
    "stage": "flow",
    "data": {"clips": [{"name": "seen", "shrink": 1}], "crop": {"num_frames": 7, "size": 128}},
    "network": TINY_INTERPOLATION,
    "flow_loss": {"teacher_iterations": 1, "num_foregrounds": 1},
    "optimizer": {"ramp_steps": 1},
    "validation": {"clips": [{"name": "unseen", "shrink": 1}], "num_triplets": 1, "size": 128},
    "batch_size": 2,
    "num_steps": 1,
    "precision": "float32",
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clips, a teacher, random weights of VGG19, and the weights of a flow stage."""
    root = tmp_path_factory.mktemp("options")
    write_clip(root / "data" / "seen", 0, num_frames=7, size=136)
    write_clip(root / "data" / "unseen", 1, num_frames=7, size=136)
    write_vgg(root / "vgg")
    torch.manual_seed(1)
    save_file(RAFT(small=True).state_dict(), root / "teacher.safetensors")
    make(root, root / "flow").export()
    return root


def make(root: Path, work_dir: Path, **changes: object) -> InterpolationTrainer:
    config = dataclass_from_mapping(InterpolationTrainingConfig, {**RUN, **changes}, "run")
    return InterpolationTrainer(
        config,
        root / "data",
        root / "cache",
        work_dir,
        0,
        teacher=root / "teacher.safetensors",
        initial=root / "flow" if config.stage == "synthesis" else None,
        vgg=root / "vgg",
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"flow_loss": {**RUN["flow_loss"], "matching_steps": 1}},
        {},
        {"stage": "synthesis", "synthesis_loss": {"synthetic_share": 1, "perceptual": 0.1}},
        {"stage": "synthesis", "synthesis_loss": {"synthetic_share": 0, "distillation": 0.1}},
    ],
    ids=["matching", "flow", "scenes", "windows"],
)
def test_parts_of_a_batch_add_up_to_the_whole(
    root: Path, tmp_path: Path, changes: dict[str, object]
) -> None:
    values = []
    for size in (0, 1):
        run = make(root, tmp_path / str(size), micro_batch_size=size, **changes)
        values.append(run.train_step(default_collate([run.dataset[0], run.dataset[1]])))
    whole, parts = values
    for name in whole.keys() - {"found"}:  # a share of the places, not a mean over samples
        assert parts[name] == pytest.approx(whole[name], rel=1e-4), name


def test_perceptual_loss_is_an_option_of_synthesis(root: Path, tmp_path: Path) -> None:
    loss = {"perceptual": 0.5, "synthetic_share": 0}
    run = make(root, tmp_path / "run", stage="synthesis", synthesis_loss=loss)
    losses = run.losses(run.dataset[0][None])
    expected = losses["pixel"] + 0.1 * losses["warped"] + 0.5 * losses["perceptual"]
    torch.testing.assert_close(losses["total"], expected)
    assert losses["perceptual"] > 0


def test_missing_weights_of_vgg_are_named(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    content = {**RUN, "stage": "synthesis", "synthesis_loss": {"perceptual": 0.5}}
    places = Places(
        data_dir=root / "data",
        work_dir=tmp_path / "run",
        cache_dir=root / "cache",
        initial=root / "flow",
    )
    with pytest.raises(CheckpointError, match="vgg19-dcbb9e9d") as caught:
        make_trainer(parse_run(content, "run.json"), places, num_workers=0)
    assert "\n" not in str(caught.value)


def test_folder_of_the_synthesis_stage_is_a_model(root: Path, tmp_path: Path) -> None:
    run = make(root, tmp_path / "run", stage="synthesis")
    run.run()
    model = RaftInterpolation.from_folder(tmp_path / "run", device="cpu", dtype="float32")
    first, second = (model.encode(torch.rand(3, 40, 50)) for _ in range(2))
    made = model.synthesize(first, second, model.estimate_motion(first, second), 0.5)
    assert made.shape == (3, 40, 50)
    record = read_config(tmp_path / "run" / "training.json", InterpolationTrainingConfig)
    assert record == run.config
    card = (tmp_path / "run" / "README.md").read_text()
    assert "beside a blend of both neighbours" in card
    assert "| unseen |" in card


@pytest.mark.parametrize("stage", ["flow", "synthesis"])
def test_pictures_show_blend_made_frame_and_truth(root: Path, tmp_path: Path, stage: str) -> None:
    run = make(root, tmp_path / "run", stage=stage)
    picture = run.pictures()["unseen"]
    assert picture.shape == (128, 3 * 128 + 2 * 4, 3)
    truth = (run.held_out[0].frames[0, 1] * 255).round().byte().permute(1, 2, 0).numpy()
    np.testing.assert_array_equal(picture[:, -128:], truth)


def test_both_tasks_share_the_settings_of_their_runs() -> None:
    super_resolution = parse_run({**STAGE_1, "seed": 3}, "a.json")
    interpolation = parse_run({**RUN, "seed": 3, "sample_steps": 7}, "b.json")
    assert isinstance(super_resolution, TrainingConfig)
    for config in (super_resolution, interpolation):
        settings = config.loop_settings(2.0)
        assert isinstance(settings, LoopSettings)
        assert (settings.seed, settings.validation_minutes) == (3, 2.0)
        assert settings.optimizer == config.optimizer
    assert interpolation.loop_settings(2.0).sample_steps == 7


def test_run_is_read_for_its_task(root: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"run\.json: task must be .* got 'swimming'"):
        parse_run({"task": "swimming"}, "run.json")
    content = json.loads(json.dumps({**STAGE_1, "task": "video-super-resolution"}))
    content["footage"]["samples"]["crop_size"] = 32
    places = Places(data_dir=root / "data", work_dir=tmp_path / "run")
    assert isinstance(make_trainer(parse_run(content, "run.json"), places), Trainer)


def test_run_without_samples_is_refused(root: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="give data in the configuration"):
        make(root, tmp_path / "run", data=None)
    assert not (tmp_path / "run").exists()
