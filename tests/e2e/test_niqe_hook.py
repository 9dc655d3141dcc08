"""The NIQE hook inside a real training loop of ModelScope."""

import json
import math
from pathlib import Path
from typing import Any

import cv2
import modelscope.trainers.base
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from modelscope.pipelines import pipeline
from modelscope.trainers.hooks.builder import build_hook
from modelscope.trainers.trainer import EpochBasedTrainer
from modelscope.utils.constant import ModeKeys
from torch.utils.data import Dataset

import msvsr  # noqa: F401  (it registers the hook)
from msvsr.data.videolq import VideoLQ
from msvsr.errors import ConfigError, InputError
from msvsr.evaluation import EvaluationOptions, ModelMethod, evaluate_super_resolution
from tests.support.clips import make_video, moving_pattern
from tests.support.models import write_interpolation_folder, write_model_folder

BEST = "best_niqe"

pytestmark = pytest.mark.filterwarnings("ignore:distutils Version classes:DeprecationWarning")


@pytest.fixture(autouse=True)
def no_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    """ModelScope's own trainer asks the Hub whether a folder is the newest, for 20 seconds."""
    monkeypatch.setattr(modelscope.trainers.base, "check_local_model_is_latest", lambda *_, **__: 0)


class Clips(Dataset[dict[str, torch.Tensor]]):
    """Four clips of two frames of noise."""

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        generator = torch.Generator().manual_seed(index)
        return {"input": torch.rand(2, 3, 32, 32, generator=generator)}


class PlainTrainer(EpochBasedTrainer):  # type: ignore[misc]
    """ModelScope's own trainer, with a loss that pulls outputs to the enlarged input."""

    def train_step(self, model: Any, inputs: dict[str, torch.Tensor]) -> None:  # noqa: ANN401
        """One step."""
        model.train()
        self._mode = ModeKeys.TRAIN
        output = model.forward(inputs)["output"].flatten(0, 1)
        target = F.interpolate(inputs["input"].flatten(0, 1), scale_factor=4)
        loss = (output - target).abs().mean()
        self.train_outputs = {"loss": loss}
        self.log_buffer.update({"loss": loss.item()})


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two clips of two small noisy frames, whose outputs NIQE takes."""
    folder = tmp_path_factory.mktemp("clips")
    generator = np.random.default_rng(0)
    for clip in ("000", "001"):
        (folder / clip).mkdir()
        for number in range(2):
            image = generator.integers(0, 256, (24, 48, 3), dtype=np.uint8)
            cv2.imwrite(str(folder / clip / f"{number}.png"), image)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model_folder(tmp_path_factory.mktemp("model"))


def train(
    folder: Path,
    work_dir: Path,
    hooks: list[dict[str, Any]],
    *,
    epochs: int = 2,
) -> Any:  # noqa: ANN401
    """Two batches per epoch."""

    def configure(cfg: Any) -> Any:  # noqa: ANN401
        cfg.train = {
            "max_epochs": epochs,
            "dataloader": {"batch_size_per_gpu": 2, "workers_per_gpu": 0, "shuffle": False},
            "optimizer": {"type": "SGD", "lr": 0.5},
            "lr_scheduler": {"type": "StepLR", "step_size": 10},
            "hooks": [
                {"type": "TextLoggerHook", "interval": 1},
                {"type": "CheckpointHook", "interval": 1},
                *hooks,
            ],
        }
        return cfg

    trainer = PlainTrainer(
        model=str(folder),
        cfg_modify_fn=configure,
        train_dataset=Clips(),
        work_dir=str(work_dir),
        device="cpu",
    )
    trainer.train()
    return trainer


def logged(work_dir: Path) -> list[tuple[int, int, float]]:
    """Epoch, iteration in it, and NIQE of the lines that have one."""
    key = "evaluation/niqe"
    (path,) = work_dir.glob("*.log.json")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [(line["epoch"], line["iter"], line[key]) for line in lines if key in line]


def test_niqe_is_logged_every_so_many_iterations_and_the_best_model_kept(
    clips: Path, folder: Path, tmp_path: Path
) -> None:
    hook = {
        "type": "NiqeEvaluationHook",
        "data": str(clips),
        "interval": 1,
        "start_idx": 2,
        "save_best": True,
    }
    trainer = train(folder, tmp_path, [hook])
    found = logged(tmp_path)
    assert [(epoch, number) for epoch, number, _ in found] == [(1, 2), (2, 1), (2, 2)]
    values = [value for _, _, value in found]
    assert len(set(values)) == 3
    kept = json.loads((tmp_path / BEST / "niqe.json").read_text())
    assert kept["niqe"] == pytest.approx(min(values), abs=1e-5)
    assert kept["iter"] == 2 + values.index(min(values))
    (hook_object,) = (h for h in trainer.hooks if type(h).__name__ == "NiqeEvaluationHook")
    assert hook_object.state_dict() == {"best": kept["niqe"]}

    video = make_video(tmp_path / "clip.mp4", moving_pattern(2))
    enhance = pipeline("video-super-resolution", str(tmp_path / BEST), device="cpu")
    output = enhance(str(video), output_video=str(tmp_path / "out.mp4"))["output_video"]
    assert Path(output).is_file()
    assert sorted(path.name for path in tmp_path.iterdir() if "best" in path.name) == [BEST]
    method = ModelMethod.from_folder(tmp_path / BEST, device="cpu", dtype="float32")
    options = EvaluationOptions(protocols=("all-frames",))
    again = evaluate_super_resolution(VideoLQ(clips), method, options=options)
    assert again.metrics["niqe"] == pytest.approx(kept["niqe"], abs=1e-6)


def test_measuring_changes_nothing_in_the_training(
    clips: Path, folder: Path, tmp_path: Path
) -> None:
    hook = {"type": "NiqeEvaluationHook", "data": str(clips), "interval": 1}
    weights = [
        train(folder, tmp_path / str(len(hooks)), hooks, epochs=1).model.state_dict()
        for hooks in ([], [hook])
    ]
    assert all(torch.equal(weights[0][key], weights[1][key]) for key in weights[0])
    assert not (tmp_path / "1" / BEST).exists()


def test_niqe_is_logged_after_epochs(clips: Path, folder: Path, tmp_path: Path) -> None:
    hook = {"type": "NiqeEvaluationHook", "data": str(clips), "interval": 2, "by_epoch": True}
    train(folder, tmp_path, [hook])
    ((epoch, _, value),) = logged(tmp_path)
    assert epoch == 2
    assert math.isfinite(value)


def test_a_hook_goes_on_from_a_checkpoint(clips: Path) -> None:
    hooks = [build_hook({"type": "NiqeEvaluationHook", "data": str(clips)}) for _ in range(2)]
    hooks[0].best = 3.5
    hooks[1].load_state_dict(hooks[0].state_dict())
    assert hooks[1].best == 3.5


def test_wrong_arguments_are_refused_in_one_line(clips: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="interval must be a whole number of at least 1, got 0"):
        build_hook({"type": "NiqeEvaluationHook", "data": str(clips), "interval": 0})
    with pytest.raises(InputError, match="there is no folder"):
        build_hook({"type": "NiqeEvaluationHook", "data": str(tmp_path / "none")})


def test_models_of_another_task_are_refused(clips: Path, tmp_path: Path) -> None:
    folder = write_interpolation_folder(tmp_path / "model")
    hook = build_hook({"type": "NiqeEvaluationHook", "data": str(clips)})
    trainer = EpochBasedTrainer(model=str(folder), work_dir=str(tmp_path), max_epochs=1)
    with pytest.raises(ConfigError, match="measures models for video-super-resolution"):
        hook.do_evaluate(trainer)
