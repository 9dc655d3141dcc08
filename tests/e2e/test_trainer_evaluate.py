"""`build_trainer(...).evaluate()` as the model cards call it, on small models and clips."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import modelscope.trainers.base
import numpy as np
import pytest
import torch
from modelscope.metrics import build_metric
from modelscope.models import Model
from modelscope.trainers import build_trainer
from modelscope.trainers.trainer import EpochBasedTrainer

import msvsr  # noqa: F401  (it registers the trainers)
from msvsr.engine.upscale import upscale_frames
from msvsr.errors import CheckpointError, ConfigError, InputError
from msvsr.evaluation import EvaluationProgress
from msvsr.frame import Frame
from msvsr.plugin.frame_interpolation.dataset import VideoFrameInterpolationDataset
from msvsr.plugin.super_resolution.dataset import VideoSuperResolutionDataset
from msvsr.plugin.super_resolution.trainer import VideoSuperResolutionTrainer
from tests.support.clips import moving_pattern
from tests.support.models import tiny_network, write_interpolation_folder, write_model_folder
from tests.support.processes import run_together

NUM_CLIPS, NUM_FRAMES = 3, 4
PROTOCOLS = ["niqe", "niqe[paper]", "niqe[modelscope-card]"]


@pytest.fixture(autouse=True)
def no_alexnet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A torch hub without weights, whatever this machine has."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))


@pytest.fixture
def no_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    """ModelScope's own trainer asks the Hub whether a folder is the newest, for 20 seconds."""
    monkeypatch.setattr(modelscope.trainers.base, "check_local_model_is_latest", lambda *_, **__: 0)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model_folder(tmp_path_factory.mktemp("model"), weights_name="pytorch_model.pt")


@pytest.fixture(scope="module")
def interpolation_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_interpolation_folder(tmp_path_factory.mktemp("raft"), layout="official")


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clips(tmp_path_factory.mktemp("clips"), NUM_CLIPS)


def write_clips(folder: Path, count: int, size: tuple[int, int] = (48, 64)) -> Path:
    """A folder of clip folders, noise over a moving pattern."""
    generator = np.random.default_rng(0)
    for clip in range(count):
        (folder / f"{clip:03d}").mkdir(parents=True)
        for number, image in enumerate(moving_pattern(NUM_FRAMES, size)):
            noisy = image // 2 + generator.integers(0, 128, image.shape, dtype=np.uint8)
            cv2.imwrite(str(folder / f"{clip:03d}" / f"{number:08d}.png"), noisy)
    return folder


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two samples of four frames and the one in the middle."""
    folder = tmp_path_factory.mktemp("vfi") / "middlebury"
    for sample in ("beach", "street"):
        (folder / sample).mkdir(parents=True)
        for number, image in enumerate(moving_pattern(5)):
            cv2.imwrite(str(folder / sample / f"im{number}.png"), image)
    return folder


def rows_of(clips: Path) -> list[dict[str, Any]]:
    paths = sorted(clips.glob("*/*.png"))
    return [{"LQ Frame:FILE": str(path), "Clip Num": int(path.parent.name)} for path in paths]


def make(model: object, data: object, work_dir: Path, **more: Any) -> Any:  # noqa: ANN401
    arguments = {"model": model, "train_dataset": None, "eval_dataset": data, **more}
    return build_trainer(default_args={**arguments, "work_dir": str(work_dir)})


def test_niqe_comes_under_three_labelled_protocols(
    model: Path, clips: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    trainer = make(str(model), VideoSuperResolutionDataset(rows_of(clips)), tmp_path)
    values = trainer.evaluate()
    assert isinstance(trainer, EpochBasedTrainer)
    assert list(values) == PROTOCOLS
    assert trainer.metric_values == values
    assert all(value > 0 for value in values.values())
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["niqe"] == values["niqe"]
    assert list(report["protocols"]) == ["all-frames", "paper", "modelscope-card"]
    assert len(report["protocols"]["all-frames"]["clips"]) == NUM_CLIPS
    assert report["model"]["files"] == ["configuration.json", "pytorch_model.pt"]
    for protocol in report["protocols"].values():
        assert protocol["title"] in " ".join(caplog.text.split())


def test_a_stopped_evaluation_goes_on_where_it_was(
    model: Path, clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = make(str(model), str(clips), tmp_path / "whole").evaluate()

    def stop(_: object, progress: EvaluationProgress) -> None:
        if progress.clips_done == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("msvsr.plugin.video_trainer._Lines.__call__", stop)
        with pytest.raises(KeyboardInterrupt):
            make(str(model), str(clips), tmp_path / "work").evaluate()
    assert not (tmp_path / "work" / "report.json").exists()

    made: list[Frame] = []

    def count(*arguments: Any) -> Iterator[Frame]:  # noqa: ANN401
        for frame in upscale_frames(*arguments):
            made.append(frame)
            yield frame

    monkeypatch.setattr("msvsr.evaluation.upscaling_methods.upscale_frames", count)
    assert make(str(model), str(clips), tmp_path / "work").evaluate() == whole
    assert len(made) == NUM_FRAMES  # the last clip alone


def test_interpolation_has_the_cards_numbers_first_and_the_usual_ones_beside(
    interpolation_model: Path, samples: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    trainer = make(str(interpolation_model), str(samples), tmp_path)
    values = trainer.evaluate()
    assert list(values)[:2] == ["psnr", "ssim"]
    assert {"psnr[standard]", "ssim[standard]", "psnr_y[standard]", "ssim_y[standard]"} < set(
        values
    )
    assert not any(name.startswith("lpips") for name in values)
    assert "alexnet-owt-7be5be79.pth" in caplog.text
    report = json.loads((tmp_path / "report.json").read_text())
    card = report["protocols"]["modelscope-card"]
    assert [clip["name"] for clip in card["clips"]] == ["beach", "street"]
    assert card["published"]["psnr"] == 34.44
    assert all(clip["metrics"]["psnr"] > 0 for clip in card["clips"])


def test_the_model_in_memory_is_what_is_evaluated(model: Path, clips: Path, tmp_path: Path) -> None:
    trainer = make(str(model), str(clips), tmp_path)
    options = {"protocols": "all-frames"}
    before = trainer.evaluate(**options)
    first = trainer.report.model
    with torch.no_grad():
        for parameter in trainer.model.parameters():
            parameter.mul_(1.1)
    after = trainer.evaluate(**options)
    assert before != after
    assert trainer.report.model.sha256 != first.sha256
    assert first.files
    assert not trainer.report.model.files
    assert all(parameter.requires_grad for parameter in trainer.model.parameters())


@pytest.mark.parametrize("kind", ["file", "saved", "folder"])
def test_weights_of_a_checkpoint_are_loaded_first(
    kind: str, model: Path, clips: Path, tmp_path: Path
) -> None:
    other = write_model_folder(tmp_path / "other", seed=1)
    path = {"file": tmp_path / "w.pth", "saved": tmp_path / "epoch_1", "folder": other}[kind]
    weights = tiny_network(1).state_dict()
    torch.save({"params": weights}, tmp_path / "w.pth")
    torch.save({f"model.{key}": value for key, value in weights.items()}, tmp_path / "epoch_1.pth")
    options = {"protocols": ("all-frames",), "dtype": "float32"}
    expected = make(str(other), str(clips), tmp_path / "one").evaluate(**options)
    trainer = make(str(model), str(clips), tmp_path / "two")
    assert trainer.evaluate(str(path), **options) == pytest.approx(expected, rel=1e-6)
    with pytest.raises(CheckpointError, match="no weights file"):
        trainer.evaluate(str(tmp_path / "none.pth"))


def test_models_come_as_folders_names_and_objects(model: Path, clips: Path, tmp_path: Path) -> None:
    of_object = make(Model.from_pretrained(str(model)), str(clips), tmp_path)
    of_path = make(model, str(clips), tmp_path)
    named = build_trainer(
        default_args={
            "model": None,
            "cfg_file": str(model / "configuration.json"),
            "eval_dataset": str(clips),
            "work_dir": str(tmp_path),
        }
    )
    found = [trainer.evaluate(protocols="all-frames") for trainer in (of_object, of_path, named)]
    assert found[0] == found[1] == found[2]
    assert {type(trainer) for trainer in (of_object, of_path, named)} == {
        VideoSuperResolutionTrainer
    }


def test_the_configuration_says_what_is_evaluated_and_the_caller_wins(
    model: Path, clips: Path, tmp_path: Path
) -> None:
    def configure(cfg: Any) -> Any:  # noqa: ANN401
        cfg.evaluation = {
            "dataloader": {"batch_size_per_gpu": 1, "workers_per_gpu": 0},
            "metrics": ["video-super-resolution-metric"],
            "protocols": ["paper"],
            "save_frames": True,
            "memory_gib": 0.5,
        }
        return cfg

    trainer = make(str(model), str(clips), tmp_path, cfg_modify_fn=configure)
    assert list(trainer.evaluate()) == ["niqe"]
    assert len(list((tmp_path / "frames").glob("*/*.png"))) == NUM_CLIPS * NUM_FRAMES
    assert list(trainer.evaluate(protocols=["modelscope-card"], save_frames=False)) == ["niqe"]
    assert trainer.report.protocols[0].protocol.name == "modelscope-card"


def test_what_cannot_be_evaluated_is_refused_in_one_line(
    model: Path, interpolation_model: Path, clips: Path, tmp_path: Path
) -> None:
    trainer = make(str(model), None, tmp_path)
    with pytest.raises(ConfigError, match=r"needs an eval_dataset .*, got NoneType"):
        trainer.evaluate()
    trainer = make(str(model), str(clips), tmp_path)
    with pytest.raises(ConfigError, match="unknown option nonsense: accepted are metrics"):
        trainer.evaluate(nonsense=1)
    with pytest.raises(ConfigError, match="save_frames=True"):
        trainer.evaluate(saving_fn=print)
    with pytest.raises(InputError, match=r"Trainer: there is no folder"):
        make(str(model), str(tmp_path / "none"), tmp_path)
    with pytest.raises(InputError, match="'LQ Frame:FILE'"):
        make(str(model), [{"image": "a.png"}], tmp_path)
    with pytest.raises(ConfigError, match="is a model for video-frame-interpolation"):
        build_trainer(
            "video-super-resolution", {"model": str(interpolation_model), "work_dir": str(tmp_path)}
        )


@pytest.mark.filterwarnings("ignore:distutils Version classes:DeprecationWarning")
@pytest.mark.usefixtures("no_hub")
def test_modelscopes_own_loop_works_with_our_models_and_metrics(
    model: Path, interpolation_model: Path, samples: Path, tmp_path: Path
) -> None:
    clips = write_clips(tmp_path / "clips", 2, size=(64, 64))  # the engine fills up smaller ones
    plain = EpochBasedTrainer(
        model=str(model),
        cfg_file=str(model / "configuration.json"),
        eval_dataset=VideoSuperResolutionDataset(str(clips)),
        work_dir=str(tmp_path),
        max_epochs=1,
        cfg_options={
            "evaluation.dataloader.batch_size_per_gpu": 1,
            "evaluation.dataloader.workers_per_gpu": 0,
        },
    )
    ours = make(str(model), str(clips), tmp_path)
    streamed = ours.evaluate(detect_cuts=False, dtype="float32")
    assert plain.evaluate()["niqe"] == pytest.approx(streamed["niqe"], abs=1e-3)

    trainer = make(str(interpolation_model), VideoFrameInterpolationDataset(str(samples)), tmp_path)
    trainer.model.eval()
    metric = build_metric(trainer.metrics[0])
    looped = trainer.evaluation_loop(trainer.get_eval_data_loader(), [metric])
    streamed = trainer.evaluate(dtype="float32")
    assert looped["psnr[standard]"] == pytest.approx(streamed["psnr[standard]"], abs=1e-3)
    assert looped["ssim_y[standard]"] == pytest.approx(streamed["ssim_y[standard]"], abs=1e-4)


SEVERAL = """
import json, os, sys
import msvsr, torch
torch.set_num_threads(int(sys.argv.pop()))  # rounding goes by threads
from modelscope.trainers import build_trainer
model, clips, work_dir = sys.argv[1:]
trainer = build_trainer(default_args=dict(model=model, eval_dataset=clips, work_dir=work_dir))
with open(f"{work_dir}/rank{os.environ['RANK']}.json", "w") as file:
    json.dump(trainer.evaluate(), file)
"""


def test_two_processes_have_the_numbers_of_one(model: Path, clips: Path, tmp_path: Path) -> None:
    alone = make(str(model), str(clips), tmp_path / "one").evaluate()
    script, work_dir = tmp_path / "script.py", tmp_path / "two"
    script.write_text(SEVERAL)
    work_dir.mkdir()
    run = run_together(script, model, clips, work_dir, torch.get_num_threads())
    assert run.returncode == 0, run.stderr
    found = [json.loads((work_dir / f"rank{rank}.json").read_text()) for rank in range(2)]
    assert found[0] == found[1] == pytest.approx(alone, abs=1e-9)
    assert run.stderr.count("evaluation of ") == 1
