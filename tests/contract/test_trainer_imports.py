"""Which trainer, metric and hook ModelScope builds, in processes of their own."""

import json
from pathlib import Path

import pytest

from tests.support.models import write_interpolation_folder, write_model_folder
from tests.support.processes import run_python

BUILT_IN_TRAINER = "modelscope.trainers.trainer"
OURS = {
    "super_resolution": "msvsr.plugin.super_resolution.trainer",
    "frame_interpolation": "msvsr.plugin.frame_interpolation.trainer",
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A model folder of each task, in the official layout."""
    path = tmp_path_factory.mktemp("models")
    return {
        "super_resolution": write_model_folder(path / "one", weights_name="pytorch_model.pt"),
        "frame_interpolation": write_interpolation_folder(path / "two", layout="official"),
    }


ORDERS = """
import importlib, json, sys
order, built_in, first, second, work_dir = sys.argv[1:]
if order == "built-in first":
    importlib.import_module(built_in)
else:
    from modelscope.trainers import build_trainer
import msvsr
from modelscope.trainers import build_trainer
found = []
for folder in (first, second):
    trainer = build_trainer(default_args=dict(model=folder, train_dataset=None, work_dir=work_dir))
    EpochBasedTrainer = importlib.import_module(built_in).EpochBasedTrainer
    assert isinstance(trainer, EpochBasedTrainer)
    found.append([type(trainer).__module__, type(trainer.model).__module__])
print(json.dumps(found))
"""


@pytest.mark.parametrize("order", ["built-in first", "built-in later"])
def test_the_default_trainer_of_our_models_is_ours(
    order: str, folders: dict[str, Path], tmp_path: Path
) -> None:
    found = run_python(ORDERS, order, BUILT_IN_TRAINER, *folders.values(), tmp_path)
    assert [trainer for trainer, _ in found] == list(OURS.values())
    assert [model for _, model in found] == [
        name.replace(".trainer", ".model") for name in OURS.values()
    ]


def test_other_models_keep_modelscopes_own_trainer(tmp_path: Path) -> None:
    """With its arguments, ``trust_remote_code`` among them; derived classes keep themselves."""
    configuration = {
        "framework": "pytorch",
        "task": "image-classification",
        "model": {"type": "not-ours"},
        "train": {"max_epochs": 1},
    }
    (tmp_path / "configuration.json").write_text(json.dumps(configuration))
    code = """
import json, sys
import msvsr, torch
from modelscope.trainers import build_trainer
from modelscope.trainers.builder import TRAINERS
from modelscope.trainers.trainer import EpochBasedTrainer
folder = sys.argv[1]
def make(**more):
    arguments = dict(model=torch.nn.Linear(1, 1), cfg_file=f"{folder}/configuration.json",
                     work_dir=folder, trust_remote_code=True, **more)
    return build_trainer(default_args=arguments)
trainer = make()
answer = [type(trainer) is EpochBasedTrainer, trainer.trust_remote_code]
class Derived(TRAINERS.get("trainer")):
    pass
TRAINERS.register_module(module_name="derived", module_cls=Derived)
other = build_trainer("derived", dict(model=torch.nn.Linear(1, 1), work_dir=folder,
                                      cfg_file=f"{folder}/configuration.json"))
print(json.dumps([*answer, type(other).__name__, type(other.model).__name__]))
"""
    assert run_python(code, tmp_path) == [True, True, "Derived", "Linear"]


def test_trainers_metrics_and_the_hook_are_found_by_their_names(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    code = """
import json, sys
import msvsr
from modelscope.metrics import build_metric
from modelscope.trainers import build_trainer
from modelscope.trainers.hooks.builder import build_hook
first, second, work_dir, clips = sys.argv[1:]
metrics = [build_metric(f"video-{name}-metric")
           for name in ("super-resolution", "frame-interpolation")]
trainers = [build_trainer(name, dict(model=folder, work_dir=work_dir))
            for name, folder in (("video-super-resolution", first),
                                 ("video-frame-interpolation", second))]
hook = build_hook({"type": "NiqeEvaluationHook", "data": clips, "interval": 5})
built_in = [name for name in sys.modules if name.startswith("modelscope.metrics.video_")]
print(json.dumps([[type(part).__module__ for part in (*metrics, *trainers, hook)], built_in]))
"""
    clips = tmp_path / "clips"
    clips.mkdir()
    (clips / "0.png").write_bytes(b"")
    modules, built_in = run_python(code, *folders.values(), tmp_path / "work", clips)
    assert modules == [
        "msvsr.plugin.super_resolution.metric",
        "msvsr.plugin.frame_interpolation.metric",
        *OURS.values(),
        "msvsr.plugin.super_resolution.niqe_hook",
    ]
    assert built_in == []


def test_shipped_names_and_cached_ids_need_no_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An address where nobody answers stands for a machine without a network."""
    model_id = "somebody/a-model-of-ours"
    cached = write_model_folder(tmp_path / "cache" / "models" / model_id)
    monkeypatch.setenv("MODELSCOPE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("MODELSCOPE_ENDPOINT", "http://127.0.0.1:9")
    code = """
import json, sys
import msvsr
from modelscope.trainers import build_trainer
from msvsr.plugin.our_models import needs_no_hub
model_id, work_dir = sys.argv[1:]
found = []
for model in ("realbasicvsr_lite_x4", model_id):
    trainer = build_trainer(default_args=dict(model=model, work_dir=work_dir))
    found.append([type(trainer).__name__, trainer.model_dir])
print(json.dumps([*found, needs_no_hub("somebody/else"), needs_no_hub(model_id, "v1.0")]))
"""
    shipped, of_id, *others = run_python(code, model_id, tmp_path / "work")
    assert shipped[0] == of_id[0] == "VideoSuperResolutionTrainer"
    assert shipped[1].endswith("realbasicvsr_lite_x4")
    assert of_id[1] == str(cached)
    assert others == [False, False]
