"""What trainers make of recipes, of clips and weights that a user names, and of hooks."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest
import torch
from modelscope.trainers.hooks.hook import Hook
from modelscope.trainers.utils.log_buffer import LogBuffer

from msvsr.data.cache import ClipSource
from msvsr.data.windows import WindowDataset, WindowDatasetConfig
from msvsr.errors import CheckpointError, ConfigError, InputError
from msvsr.models.interpolation_config import InterpolationConfig
from msvsr.models.raft_interpolation import load_networks
from msvsr.plugin.training_data import name_clips, use_data
from msvsr.plugin.training_hooks import HookEvents, is_unused
from msvsr.plugin.training_recipes import default_recipe, find_recipe, list_recipes
from msvsr.plugin.training_settings import left_out, merge_recipe, read_run_settings
from msvsr.plugin.training_weights import find_initial, find_teacher
from msvsr.training.config import FootageConfig, TrainingConfig
from msvsr.training.interpolation.config import InterpolationTrainingConfig
from msvsr.training.start import parse_run, read_run
from tests.support.models import TINY_INTERPOLATION, write_interpolation_folder, write_model_folder
from tests.support.training import STAGE_1, make_config, write_clip


class FakeTrainer:
    """What events ask of a trainer."""

    is_stopping = False
    _epoch = _inner_iter = _iter = 0
    invoke_hook: Any = staticmethod(lambda _: None)

    def __init__(self, work_dir: Path = Path(), hooks: tuple[Hook, ...] = ()) -> None:
        self.work_dir, self.hooks = work_dir, hooks
        self.log_buffer, self.logger = LogBuffer(), logging.getLogger("test")

    @property
    def iter(self) -> int:
        """Steps done."""
        return self._iter


SUPER_RESOLUTION, INTERPOLATION = "video-super-resolution", "video-frame-interpolation"
SYNTHESIS = {"task": INTERPOLATION, "stage": "synthesis"}


def interpolation_run(**more: Any) -> InterpolationTrainingConfig:  # noqa: ANN401
    config = parse_run({**SYNTHESIS, **more}, "test")
    assert isinstance(config, InterpolationTrainingConfig)
    return config


def test_every_shipped_recipe_is_found_by_its_name_and_can_be_read() -> None:
    recipes = list_recipes()
    assert {"realbasicvsr_x4/training_stage1", "realbasicvsr_x4/training_stage2"} <= set(recipes)
    for name, path in recipes.items():
        assert find_recipe(name) == find_recipe(f"{name}.json") == find_recipe(path) == path
        assert read_run(path).num_steps > 0


@pytest.mark.parametrize("task", [SUPER_RESOLUTION, INTERPOLATION])
def test_fine_tuning_has_a_recipe_that_needs_no_more_weights(task: str, tmp_path: Path) -> None:
    config = read_run(default_recipe(task, tmp_path))
    assert config.task == task
    if isinstance(config, TrainingConfig):
        assert not config.loss.perceptual + config.loss.adversarial + config.flow_warmup_steps
    else:
        assert config.stage == "synthesis"
        assert not config.synthesis_loss.perceptual + config.synthesis_loss.distillation
    own = tmp_path / "training_finetune.json"
    own.write_text("{}")
    assert default_recipe(task, tmp_path) == own


def test_recipes_beside_a_model_come_first(tmp_path: Path) -> None:
    (tmp_path / "training.json").write_text("{}")
    assert find_recipe("training", tmp_path) == tmp_path / "training.json"
    with pytest.raises(ConfigError, match=r"no training configuration 'training': expected a JSON"):
        find_recipe("training")


def test_the_configuration_wins_over_the_recipe_key_by_key() -> None:
    recipe = {"footage": {"sources": []}, "optimizer": {"learning_rate": 1.0, "ramp_steps": 0}}
    theirs = {"optimizer": {"type": "AdamW", "lr": 1e-3}, "lr_scheduler": {}, "max_epochs": 2}
    assert merge_recipe(recipe, theirs)["optimizer"] == recipe["optimizer"]
    assert left_out(theirs) == ["lr_scheduler", "optimizer"]
    ours = merge_recipe(recipe, {"optimizer": {"learning_rate": 2.0}, "data": {"clips": []}})
    assert ours["optimizer"] == {"learning_rate": 2.0, "ramp_steps": 0}
    assert "footage" not in ours  # samples are made of one of both
    assert "footage" in recipe


def test_settings_are_read_without_the_keys_of_modelscope() -> None:
    train = {**STAGE_1, "max_epochs": 3, "hooks": [{"type": "IterTimerHook"}], "work_dir": "x"}
    assert read_run_settings(train, SUPER_RESOLUTION) == make_config(STAGE_1)
    with pytest.raises(ConfigError, match="one for video-super-resolution, but the model is one"):
        read_run_settings(train, INTERPOLATION)
    with pytest.raises(ConfigError, match="unknown key speed in train"):
        read_run_settings({**train, "speed": 1}, SUPER_RESOLUTION)


def test_footage_keeps_how_it_is_used_and_no_path_of_the_machine(tmp_path: Path) -> None:
    write_clip(tmp_path / "mine" / "a", 0)
    write_clip(tmp_path / "more", 1)
    content = {**STAGE_1["footage"], "sources": [{"path": ".", "shrink": 2, "max_frames": 7}]}
    found = use_data(make_config(STAGE_1, footage=content), tmp_path / "mine")
    assert found.data_dir == tmp_path
    assert isinstance(found.config, TrainingConfig)
    assert found.config.footage is not None
    (source,) = found.config.footage.sources
    assert (source.path, source.shrink, source.max_frames) == ("mine", 2, 7)
    assert found.config.footage.samples.num_frames == 4
    several = use_data(make_config(STAGE_1), [tmp_path / "mine" / "a", str(tmp_path / "more")])
    assert isinstance(several.config.footage, FootageConfig)  # type: ignore[union-attr]
    assert [source.path for source in several.config.footage.sources] == ["mine/a", "more"]  # type: ignore[union-attr]
    plain = {**STAGE_1, "footage": None, "loss": {}}
    decoded = make_config(plain, data={"clips": [{"name": "x"}], "crop": {"size": 32}})
    with pytest.raises(InputError, match=r"clip a: samples need 6 frames of 32x32 .* 5 of 24x24"):
        use_data(decoded, tmp_path / "mine")


def test_clips_of_interpolation_are_named_one_by_one(tmp_path: Path) -> None:
    for name in ("b/c", "a"):
        write_clip(tmp_path / "all" / name, 0, num_frames=7, size=192)
    named = name_clips(interpolation_run(), tmp_path / "all")
    assert named.data is not None
    assert [(clip.name, clip.shrink) for clip in named.data.clips] == [("a", 1), ("b/c", 1)]
    itself = use_data(interpolation_run(), tmp_path / "all" / "a")
    assert [clip.name for clip in itself.config.data.clips] == ["a"]  # type: ignore[union-attr]
    data = WindowDatasetConfig(clips=named.data.clips)
    given = WindowDataset(data, tmp_path / "all", tmp_path / "cache", 0)
    assert use_data(interpolation_run(), given).dataset is given
    write_clip(tmp_path / "all" / "short", 0, num_frames=3, size=192)
    with pytest.raises(InputError, match="clip short: samples need 7 frames of 192x192"):
        name_clips(interpolation_run(), tmp_path / "all")


def test_no_data_are_needed_where_the_configuration_names_some() -> None:
    assert use_data(make_config(STAGE_1), None).config == make_config(STAGE_1)
    everything = make_config(STAGE_1, footage={**STAGE_1["footage"], "sources": [{"path": "."}]})
    for config in (everything, make_config(STAGE_1, footage=None), interpolation_run()):
        with pytest.raises(InputError, match="train needs a train_dataset"):
            use_data(config, None)
    with pytest.raises(InputError, match=r"or WindowDataset, got \[\]: give one of them"):
        use_data(interpolation_run(), [])
    data = {"clips": [{"name": "a"}]}
    assert use_data(interpolation_run(data=data), None).config.data == WindowDatasetConfig(  # type: ignore[union-attr]
        clips=(ClipSource(name="a"),)
    )


def test_official_weights_are_brought_into_the_layout_that_training_reads(tmp_path: Path) -> None:
    official = write_interpolation_folder(tmp_path / "official", layout="official")
    sizes = InterpolationConfig.from_mapping({"model": TINY_INTERPOLATION})
    network = {key: TINY_INTERPOLATION[key] for key in ("network", "interpolator")}
    config = interpolation_run(network=network)
    expected = load_networks(official, sizes).state_dict()
    with find_initial(official, config) as folder:
        assert folder is not None
        assert folder != official
        found = load_networks(folder, sizes).state_dict()
    assert all(torch.equal(value, found[name]) for name, value in expected.items())
    assert not folder.exists()
    ours = write_interpolation_folder(tmp_path / "ours")
    with find_initial(ours, config) as folder:
        assert folder == ours
    with find_initial(None, config) as folder:
        assert folder is None
    model = write_model_folder(tmp_path / "model")
    with (
        pytest.raises(ConfigError, match="is a model for video-super-resolution"),
        find_initial(model, config),
    ):
        pass
    assert find_teacher(official) == official / "raft-sintel.pt"
    with pytest.raises(CheckpointError, match="no flow weights in"):
        find_teacher(model)


def test_hooks_that_step_the_optimiser_are_known_with_what_derives_from_them() -> None:
    base = type("LrSchedulerHook", (Hook,), {})
    assert is_unused(type("MyHook", (base,), {})())
    assert not is_unused(Hook())


@pytest.mark.parametrize(
    ("epochs", "steps_per_epoch", "expected"),
    [(1, None, (10, 1)), (4, None, (3, 4)), (1, 4, (4, 3))],
)
def test_steps_are_shared_among_epochs(
    epochs: int, steps_per_epoch: int | None, expected: tuple[int, int]
) -> None:
    calls: list[tuple[str, int, int]] = []
    trainer = FakeTrainer()
    trainer.invoke_hook = lambda name: calls.append((name, trainer._epoch, trainer._inner_iter))
    events = HookEvents(trainer, 10, epochs, steps_per_epoch)
    assert (events.steps_per_epoch, events.num_epochs) == expected
    events.begin(0)
    for step in range(10):
        events.before_step(step)
        events.after_step(step + 1, {"total": 1.0, "learning_rate": 0.1})
    begun = [epoch for name, epoch, _ in calls if name == "before_train_epoch"]
    ended = [(epoch, inner) for name, epoch, inner in calls if name == "after_train_epoch"]
    assert begun == list(range(expected[1]))
    size = expected[0]
    assert ended == [(i, min(size, 10 - i * size) - 1) for i in range(expected[1])]


def test_what_hooks_remember_comes_back_with_the_state_of_the_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Memory(Hook):  # type: ignore[misc]
        best = 0.0

        def state_dict(self) -> dict[str, float]:
            """What a checkpoint keeps."""
            return {"best": self.best}

        def load_state_dict(self, state_dict: dict[str, float]) -> None:
            """Go on from a checkpoint."""
            self.best = state_dict["best"]

    def make(*hooks: Hook) -> HookEvents:
        return HookEvents(FakeTrainer(tmp_path, hooks), 10, 1, None)

    first, second = Memory(), Memory()
    first.best = 3.5
    make(Hook(), first).after_save(tmp_path / "checkpoint.pt")
    make(Hook(), second).begin(2)
    assert second.best == 3.5
    make(second).begin(2)
    assert "is of other hooks: they begin anew" in caplog.text
    (tmp_path / "hooks.pt").write_bytes(b"broken")
    make(second).begin(2)
    assert "cannot be read, hooks begin anew" in caplog.text


def test_the_shipped_fine_tuning_recipes_are_json_of_known_keys() -> None:
    for name, path in list_recipes().items():
        if name.endswith("training_finetune"):
            content = json.loads(path.read_text())
            assert parse_run(content, path.name).precision_name == "float32"
