"""What a training leaves behind is a model folder that pipelines load."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from msvsr.models.config_json import read_config
from msvsr.models.realbasicvsr import RealBasicVSR
from msvsr.training.config import TrainingConfig
from msvsr.training.processes import Processes
from msvsr.training.trainer import Trainer
from tests.support.clips import make_video
from tests.support.training import STAGE_1, STAGE_2, make_config, write_clip, write_vgg

ROOT = Path(__file__).parents[2] / "configuration" / "realbasicvsr_x4"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Trainer:
    """Both stages, one after the other; the second one's trainer."""
    root = tmp_path_factory.mktemp("folder")
    write_clip(root / "data" / "train" / "seen", 0)
    write_clip(root / "data" / "unseen", 1)
    vgg = write_vgg(root / "vgg")
    held_out = {"clips": [{"name": "unseen", "shrink": 1}], "num_frames": 3, "size": 32}
    footage = {**STAGE_1["footage"], "sources": [{"path": "train"}]}
    trainer, initial = None, None
    for name, stage in (("first", STAGE_1), ("second", STAGE_2)):
        config = make_config(stage, footage=footage, validation=held_out, batch_size=1, num_steps=2)
        trainer = Trainer(
            config, root / "data", root / "cache", root / name, 0, initial=initial, vgg=vgg
        )
        trainer.run()
        initial = root / name
    assert trainer is not None
    return trainer


def test_folder_is_loaded_as_a_model(run: Trainer) -> None:
    model = RealBasicVSR.from_folder(run.work_dir, device="cpu", dtype="float32")
    clip = torch.rand(1, 2, 3, 8, 8)
    with torch.inference_mode():
        made, expected = model.network(clip).sr, run.ema(clip).sr
    torch.testing.assert_close(made, expected)


def test_pipeline_loads_the_folder(run: Trainer, tmp_path: Path) -> None:
    from modelscope.pipelines import pipeline

    source = make_video(tmp_path / "in.mp4", 3, size=(64, 64))
    upscale = pipeline("video-super-resolution", model=str(run.work_dir), device="cpu")
    upscale(str(source), output_video=str(tmp_path / "out.mp4"))
    assert (tmp_path / "out.mp4").stat().st_size > 0


def test_record_of_the_training_is_its_configuration(run: Trainer) -> None:
    assert read_config(run.work_dir / "training.json", TrainingConfig) == run.config


def test_folder_can_be_written_anywhere(run: Trainer, tmp_path: Path) -> None:
    run.export(tmp_path / "model")
    names = {path.name for path in (tmp_path / "model").iterdir()}
    assert names == {"configuration.json", "model.safetensors", "README.md", "training.json"}


def test_card_states_the_figures_of_the_run(run: Trainer) -> None:
    card = (run.work_dir / "README.md").read_text()
    plain, ours = run.scores["unseen"]
    assert f"| unseen | {plain:.2f} | {ours:.2f} | {ours - plain:+.2f} |" in card
    for row in ("| data | train |", "| steps | 2 of 2 |", "| precision | float32 |"):
        assert row in card
    assert "CPU core" in card
    assert str(run.work_dir) not in card


def test_time_of_a_continued_run_adds_up(run: Trainer) -> None:
    state = torch.load(run.checkpoint_path, weights_only=True)
    assert state["seconds"] == pytest.approx(run.seconds)
    again = Trainer(
        run.config,
        run.work_dir.parent / "data",
        run.work_dir.parent / "cache",
        run.work_dir,
        0,
        vgg=run.work_dir.parent / "vgg",
    )
    assert again.seconds == run.seconds
    again.run()  # nothing is left to do
    assert again.seconds == run.seconds


def test_recipes_hold_the_figures_of_the_paper() -> None:
    first, second = (
        read_config(ROOT / f"training_stage{number}.json", TrainingConfig) for number in (1, 2)
    )
    for stage in (first, second):
        assert stage.footage is not None
        samples = stage.footage.samples
        assert (samples.num_frames, samples.num_read) == (30, 15)
        assert samples.crop_size // samples.scale == 64
        assert samples.sharpening is not None
        sharpening = samples.sharpening
        figures = (sharpening.kernel_size, sharpening.weight, sharpening.threshold)
        assert figures == (51, 0.5, 10)
        assert stage.optimizer.betas == (0.9, 0.99)
        assert stage.optimizer.schedule == "constant"
        assert stage.optimizer.ema_decay == 0.999
        assert (stage.loss.criterion, stage.loss.pixel, stage.loss.cleaning) == ("l1", 1, 1)
        assert stage.loss.sharpened_pixel
    assert (first.num_steps, first.batch_size, first.optimizer.learning_rate) == (300_000, 16, 1e-4)
    assert (second.num_steps, second.batch_size) == (150_000, 8)
    assert (second.optimizer.learning_rate, second.discriminator.learning_rate) == (5e-5, 1e-4)
    assert second.discriminator.num_channels == 64
    assert (second.loss.perceptual, second.loss.adversarial) == (1, 0.05)
    assert second.loss.sharpened_perceptual
    assert not second.loss.sharpened_adversarial
    assert not first.loss.perceptual + first.loss.adversarial
    official = json.loads((ROOT / "configuration.json").read_text())["model"]["generator"]
    assert first.network == second.network
    assert first.network.mid_channels == official["mid_channels"] == 64


def test_held_out_clips_and_samples_can_be_given(run: Trainer, tmp_path: Path) -> None:
    config = make_config(STAGE_1, footage=None, batch_size=1, num_steps=1)
    trainer = Trainer(
        config,
        tmp_path,
        tmp_path,
        tmp_path / "run",
        0,
        dataset=run.dataset,
        held_out=run.held_out,
        processes=Processes(),
    )
    trainer.run()
    assert np.isfinite(trainer.scores["unseen"]).all()
