"""`build_trainer(...).train()`: tasks, stages, ModelScope's hooks, stops, several processes."""

import json
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from modelscope.pipelines import pipeline
from modelscope.trainers import build_trainer
from modelscope.trainers.hooks.hook import Hook
from safetensors.torch import load_file, save_file

import msvsr  # noqa: F401  (it registers the trainers)
from msvsr.data.training_clips import TrainingClips, TrainingClipsConfig
from msvsr.errors import CheckpointError, ConfigError, InputError
from tests.support.clips import make_video
from tests.support.models import (
    tiny_network,
    write_interpolation_folder,
    write_model_folder,
)
from tests.support.processes import run_together
from tests.support.training import STAGE_2, write_clip, write_vgg

NUM_STEPS = 4
SMALL = {
    "num_steps": NUM_STEPS,
    "batch_size": 2,
    "micro_batch_size": 0,
    "footage": {
        "samples": {"num_frames": 4, "crop_size": 32},
        "degradation": {
            "first": {"video": {"probability": 0.0}},
            "final": {"video": {"probability": 0.0}},
        },
    },
    "optimizer": {"schedule": "constant", "learning_rate": 1e-3, "ramp_steps": 0},
}

pytestmark = pytest.mark.filterwarnings("ignore:distutils Version classes:DeprecationWarning")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model_folder(tmp_path_factory.mktemp("model"), weights_name="pytorch_model.pt")


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips") / "mine"
    for seed, name in enumerate(("a", "b")):
        write_clip(folder / name, seed)
    return folder


class Recorder(Hook):  # type: ignore[misc]
    """Writes down when it is called, and may press Ctrl-C."""

    def __init__(self, press_at: int | None = None) -> None:
        self.calls: list[tuple[str, int, int, int]] = []
        self.learning_rates: list[float] = []
        self.losses: list[float] = []
        self._press_at = press_at

    def _note(self, stage: str, trainer: Any) -> None:  # noqa: ANN401
        self.calls.append((stage, trainer.epoch, trainer.inner_iter, trainer.iter))

    def before_run(self, trainer: Any) -> None:  # noqa: ANN401
        """Note it."""
        self._note("before_run", trainer)

    def before_train_epoch(self, trainer: Any) -> None:  # noqa: ANN401
        """Note it."""
        self._note("before_train_epoch", trainer)

    def before_train_iter(self, trainer: Any) -> None:  # noqa: ANN401
        """Note it."""
        self._note("before_train_iter", trainer)

    def after_train_iter(self, trainer: Any) -> None:  # noqa: ANN401
        """Note it."""
        self._note("after_train_iter", trainer)
        self.learning_rates.append(trainer.optimizer.param_groups[-1]["lr"])
        self.losses.append(trainer.train_outputs["loss"])
        if trainer.iter == self._press_at:
            signal.raise_signal(signal.SIGINT)

    def after_train_epoch(self, trainer: Any) -> None:  # noqa: ANN401
        """Note it."""
        self._note("after_train_epoch", trainer)

    def after_run(self, trainer: Any) -> None:  # noqa: ANN401
        """Note it."""
        self._note("after_run", trainer)


def make(model: Path, data: object, work_dir: Path, **more: Any) -> Any:  # noqa: ANN401
    """A trainer whose recipe is made small; ``train`` changes it further."""
    changes = more.pop("train", {})

    def modify(cfg: Any) -> Any:  # noqa: ANN401
        content = SMALL if cfg.task == "video-super-resolution" else {}
        for section in (content, changes):
            cfg.merge_from_dict({f"train.{key}": value for key, value in section.items()})
        return cfg

    fixed = {"model": str(model), "train_dataset": data, "work_dir": str(work_dir)}
    arguments = {**fixed, "cfg_modify_fn": modify, "device": "cpu", **more}
    return build_trainer(default_args=arguments)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(value, second[name]) for name, value in first.items())


def text_log(work_dir: Path) -> list[dict[str, Any]]:
    (path,) = work_dir.glob("*.log.json")
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_fine_tuning_starts_from_the_model_and_ends_in_a_folder_for_pipelines(
    model: Path, clips: Path, tmp_path: Path
) -> None:
    trainer = make(model, str(clips), tmp_path / "work")
    trainer.train()
    output = tmp_path / "work" / "output"
    kept = weights(output)
    changes = [float((kept[n] - v).abs().max()) for n, v in tiny_network().state_dict().items()]
    assert 0 < max(changes) < 0.02
    held = trainer.model.model.state_dict()
    assert all(torch.equal(value, held[name]) for name, value in kept.items())
    assert all(parameter.requires_grad for parameter in trainer.model.parameters())
    configuration = json.loads((output / "configuration.json").read_text())
    before = json.loads((model / "configuration.json").read_text())
    assert configuration["model"]["generator"].items() >= before["model"]["generator"].items()
    record = json.loads((output / "training.json").read_text())
    assert record["footage"]["sources"][0]["path"] == "mine"
    assert record["optimizer"]["betas"] == [0.9, 0.99]  # of the recipe for fine-tuning
    assert "| data | mine |" in (output / "README.md").read_text()

    source = make_video(tmp_path / "in.mp4", 2, size=(64, 64))
    upscale = pipeline("video-super-resolution", model=str(output), device="cpu")
    upscale(str(source), output_video=str(tmp_path / "out.mp4"))
    assert (tmp_path / "out.mp4").stat().st_size > 0


def test_the_second_stage_is_a_recipe_with_weights_of_vgg(
    model: Path, clips: Path, tmp_path: Path
) -> None:
    recipe = tmp_path / "stage2.json"
    recipe.write_text(json.dumps(STAGE_2))
    more = {"recipe": recipe, "vgg_weights": write_vgg(tmp_path / "vgg")}
    recorder = Recorder()
    train = {"num_steps": 2, "optimizer.learning_rate": 5e-4}
    make(model, clips, tmp_path / "work", train=train, callbacks=[recorder], **more).train()
    assert recorder.learning_rates == [5e-4] * 2
    state = torch.load(tmp_path / "work" / "checkpoint.pt", weights_only=True)
    assert state["step"] == 2
    assert state["discriminator_network"]
    assert (tmp_path / "work" / "output" / "model.safetensors").is_file()


def test_interpolation_is_trained_in_both_stages(tmp_path: Path) -> None:
    official = write_interpolation_folder(tmp_path / "official", layout="official")
    write_clip(tmp_path / "clips" / "one", 0, num_frames=7, size=192)
    teacher = tmp_path / "teacher.safetensors"
    original = torch.load(official / "raft-sintel.pt", weights_only=True)
    save_file({key.removeprefix("module."): value for key, value in original.items()}, teacher)
    train = {"num_steps": 1, "batch_size": 1, "synthesis_loss.synthetic_share": 0.0}
    more = {"cache_dir": tmp_path / "cache"}
    flow = {**train, "stage": "flow", "flow_loss": {"teacher_iterations": 1}}
    data = [str(tmp_path / "clips")]
    make(official, data, tmp_path / "flow", train=flow, teacher=teacher, **more).train()
    first = tmp_path / "flow" / "output"
    make(first, data, tmp_path / "work", train=train, **more).train()
    output = tmp_path / "work" / "output"
    files = ("flow.safetensors", "interpolator.safetensors")
    flows, interpolators = ([load_file(f / name) for f in (first, output)] for name in files)
    assert same(*flows)
    assert not same(*interpolators)
    assert not same({k.removeprefix("module."): v for k, v in original.items()}, flows[0])
    source = make_video(tmp_path / "in.mp4", 4, size=(64, 64))
    interpolate = pipeline("video-frame-interpolation", model=str(output), device="cpu")
    interpolate(str(source), output_video=str(tmp_path / "out.mp4"))
    assert (tmp_path / "out.mp4").stat().st_size > 0


def test_hooks_run_at_their_moments_and_log_what_happens(
    model: Path, clips: Path, tmp_path: Path
) -> None:
    recorder = Recorder()
    hooks = [
        {"type": "TextLoggerHook", "interval": 1},
        {"type": "CheckpointHook", "interval": 1},
        {"type": "IterTimerHook"},
        {"type": "EvaluationHook", "interval": 1},
        {"type": "BestCkptSaverHook", "metric_key": "niqe", "rule": "min"},
        {"type": "NiqeEvaluationHook", "data": str(clips), "interval": 3},
    ]
    more = {"eval_dataset": str(clips), "callbacks": [recorder]}
    trainer = make(model, clips, tmp_path, train={"max_epochs": 2, "hooks": hooks}, **more)
    trainer.train()
    steps = [(0, 0, 0), (0, 1, 1), (1, 0, 2), (1, 1, 3)]
    moments = [(f"{when}_train_iter", *step) for step in steps for when in ("before", "after")]
    first, second = moments[:4], moments[4:]
    assert recorder.calls == [
        ("before_run", 0, 0, 0),
        ("before_train_epoch", 0, 0, 0),
        *first,
        ("after_train_epoch", 0, 1, 1),
        ("before_train_epoch", 1, 0, 2),
        *second,
        ("after_train_epoch", 1, 1, 3),
        ("after_run", 2, 0, 4),
    ]
    lines = text_log(tmp_path)
    trained = [line for line in lines if line["mode"] == "train" and "loss" in line]
    assert [(line["epoch"], line["iter"]) for line in trained] == [(1, 1), (1, 2), (2, 1), (2, 2)]
    for line, loss in zip(trained, recorder.losses, strict=True):
        assert line["loss"] == pytest.approx(loss, abs=1e-5)
        assert line["lr"] == 1e-3
        assert line["iter_time"] > 0
        assert {"pixel", "cleaning", "gradient_norm", "data_load_time"} <= set(line)
    assert "evaluation/niqe" in trained[2]  # after the third step, from the hook that measures NIQE
    scores = [line["evaluation/niqe[paper]"] for line in lines if line["mode"] == "eval"]
    assert len(scores) == 2
    assert scores[0] != scores[1]
    assert scores[1] == pytest.approx(trainer.metric_values["niqe[paper]"], abs=1e-5)
    names = {path.name for path in tmp_path.iterdir()}
    assert {"epoch_1.pth", "epoch_2.pth", "epoch_2_trainer_state.pth"} <= names
    assert same(weights(tmp_path / "output"), trainer.model.model.state_dict())
    (best,) = tmp_path.glob("best_epoch?_niqe*.?*[0-9].pth")
    kept = torch.load(best, weights_only=True)
    held = {f"model.{key}": value for key, value in weights(tmp_path / "output_best").items()}
    assert same(held, kept)


def test_early_stop_ends_the_training(model: Path, clips: Path, tmp_path: Path) -> None:
    hooks = [
        {"type": "EvaluationHook", "interval": 1, "by_epoch": False},
        {
            "type": "EarlyStopHook",
            "metric_key": "niqe",
            "rule": "max",
            "min_delta": 1e6,  # no measurement after the first is so much better
            "patience": 2,
            "by_epoch": False,
        },
    ]
    train = {"num_steps": 50, "hooks": hooks}
    trainer = make(model, clips, tmp_path, train=train, eval_dataset=str(clips))
    trainer.train()
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["step"] == 3
    assert same(weights(tmp_path / "output"), trainer.model.model.state_dict())


def test_a_stopped_training_goes_on_as_if_it_had_not_been(
    model: Path, clips: Path, tmp_path: Path
) -> None:
    hook = {"type": "NiqeEvaluationHook", "data": str(clips), "interval": 2}
    train = {"hooks": [hook], "max_epochs": 2}
    make(model, clips, tmp_path / "whole", train=train).train()
    stopped = make(model, clips, tmp_path / "parts", train=train, callbacks=[Recorder(press_at=2)])
    with pytest.raises(KeyboardInterrupt):
        stopped.train()
    recorder = Recorder()
    trainer = make(model, clips, tmp_path / "parts", train=train, callbacks=[recorder])
    trainer.train()
    assert recorder.calls[:3] == [
        ("before_run", 1, 1, 3),
        ("before_train_epoch", 1, 1, 3),
        ("before_train_iter", 1, 1, 3),
    ]
    assert same(weights(tmp_path / "parts" / "output"), weights(tmp_path / "whole" / "output"))
    best = [hook.best for hook in trainer.hooks if type(hook).__name__ == "NiqeEvaluationHook"]
    (remembered,) = (
        hook.best for hook in stopped.hooks if type(hook).__name__ == "NiqeEvaluationHook"
    )
    assert best[0] <= remembered < float("inf")
    trainer.train()  # nothing is left to do
    assert [call[0] for call in recorder.calls[-2:]] == ["before_run", "after_run"]


def test_samples_may_be_a_data_set_or_videos(model: Path, clips: Path, tmp_path: Path) -> None:
    config = TrainingClipsConfig(num_frames=4, crop_size=32)
    samples = TrainingClips(clips, config=config)
    make(model, samples, tmp_path / "one", train={"num_steps": 1}).train()
    card = (tmp_path / "one" / "output" / "README.md").read_text()
    assert "| data | samples of its own |" in card
    video = make_video(tmp_path / "video.mp4", 4, size=(48, 64))
    make(model, [video, clips / "a"], tmp_path / "two", train={"num_steps": 1}).train()
    record = json.loads((tmp_path / "two" / "output" / "training.json").read_text())
    paths = [source["path"] for source in record["footage"]["sources"]]
    assert paths[0].endswith("video.mp4")
    assert paths[1].endswith("mine/a")


def test_weights_of_a_file_may_be_the_start(model: Path, clips: Path, tmp_path: Path) -> None:
    other = tiny_network(5).state_dict()
    torch.save({"params": other}, tmp_path / "other.pth")
    trainer = make(model, clips, tmp_path / "work", train={"num_steps": 1})
    trainer.train(str(tmp_path / "other.pth"))
    kept = weights(tmp_path / "work" / "output")
    assert max(float((kept[name] - value).abs().max()) for name, value in other.items()) < 0.01
    with pytest.raises(ConfigError, match=r"holds a run already: call train\(\) without"):
        trainer.train(str(tmp_path / "other.pth"))


def test_clips_are_held_out_where_the_configuration_says(
    model: Path, clips: Path, tmp_path: Path
) -> None:
    write_clip(tmp_path / "unseen", 7)
    name = str(tmp_path / "unseen")
    validation = {"clips": [{"name": name, "shrink": 1}], "num_frames": 3, "size": 32}
    train = {"num_steps": 2, "validation": validation, "validation_steps": 1}
    train["logging"] = {"interval": 1}
    make(model, clips, tmp_path / "work", train=train).train()
    assert "validation/gain_db" in text_log(tmp_path / "work")[1]
    assert "| unseen |" in (tmp_path / "work" / "output" / "README.md").read_text().replace(
        f"{tmp_path}/", ""
    )


def test_what_the_loop_does_itself_is_left_out(
    model: Path, clips: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    train = {
        "num_steps": 1,
        "optimizer_hook": {"type": "OptimizerHook"},
        "hooks": [{"type": "OptimizerHook"}, {"type": "LrSchedulerHook"}],
    }
    trainer = make(model, clips, tmp_path, train=train, launcher="pytorch")
    assert not {type(hook).__name__ for hook in trainer.hooks} & {"OptimizerHook", "DDPHook"}
    trainer.train()
    assert "left out, for the training loop does it: OptimizerHook, LrSchedulerHook" in caplog.text


def test_tensorboard_gets_the_losses(model: Path, clips: Path, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    train = {"hooks": [{"type": "TensorboardHook", "interval": 1}]}
    make(model, clips, tmp_path, train=train).train()
    assert list((tmp_path / "tensorboard_output").glob("events.*"))


def test_what_cannot_be_trained_is_refused_in_one_line(
    model: Path, clips: Path, tmp_path: Path
) -> None:
    cases: list[tuple[type[Exception], str, dict[str, Any]]] = [
        (ConfigError, "unknown key speed in train: accepted are", {"train": {"speed": 1}}),
        (ConfigError, "use_fp16 have no place", {"use_fp16": True}),
        (InputError, "train needs a train_dataset", {"data": None}),
        (InputError, "train_dataset must be a folder of clips.*got int", {"data": 3}),
        (InputError, "there is no file or folder", {"data": tmp_path / "none"}),
        (CheckpointError, "vgg19", {"train": {"loss.perceptual": 1.0}, "vgg_weights": tmp_path}),
    ]
    for kind, message, more in cases:
        data = more.pop("data", clips)
        with pytest.raises(kind, match=message) as caught:
            make(model, data, tmp_path / "work", **more).train()
        assert "\n" not in str(caught.value)
    with pytest.raises(ConfigError, match="no training configuration 'nothing'"):
        make(model, clips, tmp_path / "work", recipe="nothing")
    with pytest.raises(ConfigError, match="the recipe is one for video-frame-interpolation"):
        make(model, clips, tmp_path / "work", recipe="raft_interpolation_lite/training_flow")


SEVERAL = """
import json, os, sys
import msvsr
from modelscope.trainers import build_trainer
from modelscope.trainers.hooks.hook import Hook
model, clips, work_dir, train = sys.argv[1:]
curve = []
class Curve(Hook):
    def after_train_iter(self, trainer):
        curve.append(trainer.train_outputs["loss"])
def modify(cfg):
    cfg.merge_from_dict({f"train.{key}": value for key, value in json.loads(train).items()})
    return cfg
trainer = build_trainer(default_args=dict(
    model=model, train_dataset=clips, eval_dataset=clips, work_dir=work_dir, device="cpu",
    cfg_modify_fn=modify, callbacks=[Curve()],
))
trainer.train()
found = {"curve": curve, "niqe": trainer.evaluate(protocols="all-frames")["niqe"]}
with open(f"{work_dir}/rank{os.environ['RANK']}.json", "w") as file:
    json.dump(found, file)
"""


def test_two_processes_learn_what_one_does(model: Path, clips: Path, tmp_path: Path) -> None:
    recorder = Recorder()
    more = {"callbacks": [recorder], "eval_dataset": str(clips)}
    trainer = make(model, clips, tmp_path / "one", **more)
    trainer.train()
    alone = trainer.evaluate(protocols="all-frames")["niqe"]
    script, work_dir = tmp_path / "script.py", tmp_path / "two"
    script.write_text(SEVERAL)
    run = run_together(script, model, clips, work_dir, json.dumps(SMALL))
    assert run.returncode == 0, run.stderr
    found = [json.loads((work_dir / f"rank{rank}.json").read_text()) for rank in range(2)]
    assert found[0] == found[1]
    assert found[0]["curve"] == pytest.approx(recorder.losses, rel=1e-5)
    assert found[0]["niqe"] == pytest.approx(alone, abs=1e-2)
    assert run.stderr.count("model folder: ") == 1
