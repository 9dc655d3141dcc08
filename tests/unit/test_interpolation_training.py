"""Training of interpolation: both stages, stopping and going on, what is left on disk, refusals."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from msvsr.archs.raft import RAFT
from msvsr.cli.main import main
from msvsr.errors import CheckpointError, ConfigError, InputError
from msvsr.models.config_json import dataclass_from_mapping, read_json
from msvsr.models.raft_interpolation import RaftInterpolation
from msvsr.training import loop
from msvsr.training.interpolation.config import InterpolationTrainingConfig
from msvsr.training.interpolation.trainer import InterpolationTrainer
from tests.support.training import TINY_INTERPOLATION, write_clip

NETWORK = {
    **TINY_INTERPOLATION,
    "interpolator": {**TINY_INTERPOLATION["interpolator"], "attention": True},
}
RUN: dict[str, object] = {
    "task": "video-frame-interpolation",
    "stage": "flow",
    "data": {"clips": [{"name": "seen", "shrink": 1}], "crop": {"num_frames": 7, "size": 128}},
    "network": NETWORK,
    "flow_loss": {"matching_steps": 1, "teacher_iterations": 1, "num_foregrounds": 1},
    "optimizer": {"ramp_steps": 1, "learning_rate": 1e-3},
    "validation": {
        "clips": [{"name": "unseen", "shrink": 1}],
        "num_triplets": 1,
        "size": 128,
    },
    "batch_size": 2,
    "num_steps": 2,
    "bfloat16": False,
}
SYNTHESIS = {"stage": "synthesis", "batch_size": 1}


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where things are, and the runs of both stages that most tests look at."""

    data: Path
    cache: Path
    teacher: Path
    flow: Path
    synthesis: Path

    def trainer(
        self,
        work_dir: Path,
        *,
        teacher: Path | None = None,
        initial: Path | None = None,
        **changes: object,
    ) -> InterpolationTrainer:
        """A trainer of the small run, with changes to it."""
        config = dataclass_from_mapping(InterpolationTrainingConfig, {**RUN, **changes}, "run")
        return InterpolationTrainer(
            config, self.data, self.cache, work_dir, 0, teacher=teacher, initial=initial
        )


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    """Two clips, a teacher, and an unbroken run of each stage."""
    root = tmp_path_factory.mktemp("training")
    for seed, name in enumerate(("seen", "unseen")):
        write_clip(root / "data" / name, seed, num_frames=7, size=136)
    torch.manual_seed(1)
    teacher = {f"module.{name}": value for name, value in RAFT(small=True).state_dict().items()}
    save_file(teacher, root / "teacher.safetensors")
    places = Places(
        data=root / "data",
        cache=root / "cache",
        teacher=root / "teacher.safetensors",
        flow=root / "flow",
        synthesis=root / "synthesis",
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "_LOG_EVERY_STEPS", 1)
        places.trainer(places.flow, teacher=places.teacher).run()
        places.trainer(places.synthesis, initial=places.flow, **SYNTHESIS).run()
    return places


def assert_same_weights(folder: Path, other: Path, name: str) -> None:
    weights, others = load_file(folder / name), load_file(other / name)
    assert weights.keys() == others.keys()
    for key, value in weights.items():
        assert torch.equal(value, others[key]), key


def copy_of(network: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}


def changed_parts(network: nn.Module, before: dict[str, torch.Tensor]) -> set[str]:
    """First names of the parameters that are not what they were."""
    state = network.state_dict()
    return {name.split(".")[0] for name in before if not torch.equal(before[name], state[name])}


def test_stopped_and_continued_flow_run_gives_the_weights_of_an_unbroken_one(
    places: Places, tmp_path: Path
) -> None:
    for _ in range(2):
        places.trainer(tmp_path, teacher=places.teacher).run(max_steps=1)
    assert_same_weights(tmp_path, places.flow, "flow.safetensors")


def test_stopped_and_continued_synthesis_run_gives_the_weights_of_an_unbroken_one(
    places: Places, tmp_path: Path
) -> None:
    for _ in range(2):
        places.trainer(tmp_path, initial=places.flow, **SYNTHESIS).run(max_steps=1)
    assert_same_weights(tmp_path, places.synthesis, "interpolator.safetensors")


def test_matching_trains_the_compared_features_and_then_the_whole_flow_network(
    places: Places, tmp_path: Path
) -> None:
    trainer = places.trainer(tmp_path, teacher=places.teacher)
    flow, interpolator = copy_of(trainer.flow), copy_of(trainer.interpolator)
    trainer.run(max_steps=1)
    assert changed_parts(trainer.flow, flow) == {"fnet"}
    trainer.run(max_steps=1)
    assert changed_parts(trainer.flow, flow) == {"fnet", "cnet", "update_block"}
    assert not changed_parts(trainer.interpolator, interpolator)
    assert not (tmp_path / "interpolator.safetensors").exists()


def test_second_stage_starts_with_the_weights_of_the_first(places: Places, tmp_path: Path) -> None:
    trainer = places.trainer(tmp_path, initial=places.flow, **SYNTHESIS)
    for network in (trainer.flow, trainer.mean_flow):
        assert not changed_parts(network, load_file(places.flow / "flow.safetensors"))
    later = places.trainer(tmp_path, initial=places.synthesis, **SYNTHESIS)
    weights = load_file(places.synthesis / "interpolator.safetensors")
    assert not changed_parts(later.interpolator, weights)
    assert changed_parts(trainer.interpolator, weights)


def test_flow_stays_as_it_is_in_the_second_stage_unless_it_has_a_rate(
    places: Places, tmp_path: Path
) -> None:
    assert_same_weights(places.flow, places.synthesis, "flow.safetensors")
    trainer = places.trainer(
        tmp_path, initial=places.flow, flow_rate_factor=0.2, num_steps=100, **SYNTHESIS
    )
    rates = trainer.learning_rates()
    assert rates["flow"] == pytest.approx(0.2 * rates["interpolator"])
    before = copy_of(trainer.flow), copy_of(trainer.interpolator)
    trainer.train_step(trainer.dataset[0][None])
    assert "fnet" in changed_parts(trainer.flow, before[0])
    assert "internet" in changed_parts(trainer.interpolator, before[1])


def test_teacher_holds_the_flow_in_the_second_stage(places: Places, tmp_path: Path) -> None:
    changes = {
        **SYNTHESIS,
        "flow_rate_factor": 1.0,
        "synthesis_loss": {"distillation": 0.1, "noise": 0.05, "teacher_iterations": 1},
    }
    with pytest.raises(ConfigError, match="'synthesis' of this configuration needs a teacher"):
        places.trainer(tmp_path / "alone", initial=places.flow, **changes)
    trainer = places.trainer(
        tmp_path / "run", initial=places.flow, teacher=places.teacher, **changes
    )
    losses = trainer.losses(trainer.dataset[0][None])
    weighed = losses["pixel"] + 0.1 * losses["warped"] + 0.1 * losses["distillation"]
    torch.testing.assert_close(losses["total"], weighed)
    assert losses["distillation"] > 0
    losses["total"].backward()  # type: ignore[no-untyped-call]
    assert all(each.grad is None for each in trainer.teacher.parameters())


def test_each_step_makes_scenes_of_its_own(places: Places, tmp_path: Path) -> None:
    trainer = places.trainer(tmp_path, teacher=places.teacher, flow_loss={"matching_steps": 9})
    batch, values = trainer.dataset[0][None], []
    for trainer.step in (0, 1, 0):
        with torch.no_grad():
            values.append(float(trainer.losses(batch)["total"]))
    assert values[0] == values[2] != values[1]


def test_learning_rate_has_a_schedule_for_matching_and_one_for_the_rest(
    places: Places, tmp_path: Path
) -> None:
    trainer = places.trainer(
        tmp_path,
        teacher=places.teacher,
        num_steps=300,
        flow_loss={"matching_steps": 100},
        optimizer={"learning_rate": 1.0, "final_learning_rate": 0.0, "ramp_steps": 10},
    )
    rates = []
    for trainer.step in (0, 50, 99, 100, 200, 299):
        rates.append(trainer.learning_rates()["flow"])
    assert rates == pytest.approx([0.1, 0.5, 0, 0.1, 0.5, 0], abs=1e-3)


def test_weights_of_a_run_are_those_of_a_model_folder(places: Places, tmp_path: Path) -> None:
    for name in ("flow.safetensors", "interpolator.safetensors"):
        shutil.copy(places.synthesis / name, tmp_path)
    configuration = {"task": "video-frame-interpolation", "model": NETWORK}
    (tmp_path / "configuration.json").write_text(json.dumps(configuration))
    model = RaftInterpolation.from_folder(tmp_path, device="cpu", dtype="float32")
    first, second = (model.encode(torch.rand(3, 50, 60)) for _ in range(2))
    made = model.synthesize(first, second, model.estimate_motion(first, second), 0.5)
    assert made.shape == (3, 50, 60)
    assert torch.isfinite(made).all()
    assert not changed_parts(model.networks.flow, load_file(tmp_path / "flow.safetensors"))


@pytest.mark.parametrize("stage", ["flow", "synthesis"])
def test_log_holds_losses_and_held_out_quality(places: Places, stage: str) -> None:
    text = (getattr(places, stage) / "log.jsonl").read_text()
    *steps, validation = [json.loads(line) for line in text.splitlines()]
    assert [line["step"] for line in steps] == [1, 2]
    names = {"flow": {"flow", "error"}, "synthesis": {"pixel", "warped"}}[stage]
    assert names | {"total", "gradient_norm", "learning_rate", "minutes"} <= set(steps[1])
    assert all(np.isfinite(line["total"]) and line["gradient_norm"] > 0 for line in steps)
    ((name, (blend, made)),) = validation["validation"].items()
    assert name == "unseen"
    assert validation["gain_db"] == pytest.approx(made - blend)
    # A blend of two frames two pixels apart is a little blurred, no more.
    assert 25 < blend < 60
    assert 5 < made < 60


def test_training_goes_on_after_a_validation_in_between(places: Places, tmp_path: Path) -> None:
    trainer = places.trainer(tmp_path, initial=places.flow, **SYNTHESIS)
    trainer.validate()
    assert np.isfinite(trainer.train_step(trainer.dataset[0][None])["gradient_norm"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"stage": "flow"}, "needs a teacher"),
        ({"stage": "synthesis"}, "needs a trained flow network"),
        ({"stage": "flows"}, r"stage must be one of flow, synthesis, got 'flows'"),
        ({"task": "video-super-resolution"}, r"task must be one of video-frame-interpolation, got"),
        ({"data": {"clips": [{"name": "seen"}], "crop": {"num_frames": 5}}}, "at least 7, got 5"),
        (
            {"data": {"clips": [{"name": "seen"}], "crop": {"num_frames": 7, "size": 120}}},
            "crop.size must be a multiple of 32 and at least 128, got 120",
        ),
        ({"flow_loss": {"synthetic_share": 1.5}}, "synthetic_share must lie in"),
        ({"flow_rate_factor": -1}, "flow_rate_factor"),
        ({"validation": {"num_triplets": 0}}, "num_triplets of at least 1"),
        ({"validation": {"size": 96}}, "size of at least 128"),
        ({"validation": {"clips": [{"name": "seen"}]}}, "must not be trained on"),
        ({"batch_size": 0}, "batch_size"),
    ],
)
def test_impossible_run_is_refused_in_one_line(
    places: Places, tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        places.trainer(tmp_path, **changes)
    assert "\n" not in str(caught.value)


def test_weights_to_start_from_must_be_there_and_fit(places: Places, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"flow\.safetensors"):
        places.trainer(tmp_path / "run", initial=tmp_path, **SYNTHESIS)
    save_file({"a": torch.ones(1)}, tmp_path / "other.safetensors")
    with pytest.raises(CheckpointError, match="belong to another network"):
        places.trainer(tmp_path / "run", teacher=tmp_path / "other.safetensors")
    assert not (tmp_path / "run").exists()


def test_work_folder_of_another_stage_is_refused(places: Places) -> None:
    with pytest.raises(CheckpointError, match="belongs to another run: give another work folder"):
        places.trainer(places.flow, initial=places.flow, **SYNTHESIS)


def test_clip_that_gives_no_triplet_is_named(places: Places, tmp_path: Path) -> None:
    write_clip(places.data / "short", seed=3, num_frames=2, size=136)
    write_clip(places.data / "small", seed=3, num_frames=7, size=100)
    for name in ("short", "small"):
        validation = {"clips": [{"name": name, "shrink": 1}]}
        with pytest.raises(InputError, match=f"3 frames and sides of 128 pixels, '{name}' has"):
            places.trainer(tmp_path, teacher=places.teacher, validation=validation)


def run_command(places: Places, folder: Path, content: object, *more: str) -> int:
    path = folder / "run.json"
    path.write_text(json.dumps(content))
    arguments = [str(path), "--data-dir", str(places.data), "--cache-dir", str(places.cache)]
    return main(["train", *arguments, "--work-dir", str(folder / "run"), "--workers", "0", *more])


def test_command_trains_the_task_that_the_file_names(places: Places, tmp_path: Path) -> None:
    content = {**RUN, "validation": {}}
    more = ["--teacher", str(places.teacher), "--steps", "1"]
    assert run_command(places, tmp_path, content, *more) == 0
    assert (tmp_path / "run" / "flow.safetensors").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, "needs a teacher"),
        ({"stage": "synthesis"}, "needs a trained flow network"),
        ({"task": "video-deblurring"}, "run.json: task must be 'video-frame-interpolation'"),
        ({"task": None}, "unknown key flow_loss, stage"),
    ],
)
def test_command_answers_a_wrong_run_with_one_line(
    places: Places,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    changes: dict[str, object],
    message: str,
) -> None:
    content = {key: value for key, value in {**RUN, **changes}.items() if value is not None}
    assert run_command(places, tmp_path, content) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "stage"), [("flow", "flow"), ("synthesis", "synthesis"), ("finish", "synthesis")]
)
def test_shipped_runs_are_read_and_keep_their_held_out_clips_apart(
    repository: Path, name: str, stage: str
) -> None:
    path = repository / "configuration" / "raft_interpolation_lite" / f"training_{name}.json"
    run = dataclass_from_mapping(InterpolationTrainingConfig, read_json(path), path.name)
    assert run.stage == stage
    assert {clip.name for clip in run.validation.clips} >= {"03_blocks.mp4", "bikes.mp4"}
