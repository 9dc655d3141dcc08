"""What `import msvsr` costs and does, in processes of their own because the order matters."""

import sys
from pathlib import Path

import pytest

from tests.support.models import write_interpolation_folder, write_model_folder
from tests.support.processes import run_python

BUILT_IN_MODEL = (
    "modelscope.models.cv.video_super_resolution.real_basicvsr_for_video_super_resolution"
)
BUILT_IN_PIPELINE = "modelscope.pipelines.cv.video_super_resolution_pipeline"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A local model folder in the official layout."""
    path = tmp_path_factory.mktemp("model")
    return write_model_folder(path, weights_name="pytorch_model.pt")


@pytest.fixture(scope="module")
def folders(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One for each task, by our package that serves it."""
    path = tmp_path_factory.mktemp("interpolation")
    return {
        "super_resolution": folder,
        "frame_interpolation": write_interpolation_folder(path, layout="official"),
    }


def test_importing_costs_next_to_nothing() -> None:
    code = """
import json, sys, time
before, start = set(sys.modules), time.perf_counter()
import msvsr
seconds = time.perf_counter() - start
print(json.dumps([seconds, sorted(set(sys.modules) - before)]))
"""
    seconds, loaded = run_python(code)
    ours = [name for name in loaded if name.split(".")[0] == "msvsr"]
    foreign = {name.split(".")[0] for name in loaded} - set(sys.stdlib_module_names) - {"msvsr"}
    assert not foreign
    assert ours == [
        "msvsr",
        "msvsr.plugin",
        "msvsr.plugin.activation",
        "msvsr.plugin.import_hook",
        "msvsr.plugin.names",
    ]
    assert seconds < 0.5  # 10 ms on a quiet machine


def test_public_names_are_loaded_when_they_are_used() -> None:
    code = """
import json, sys
import msvsr
listed = set(msvsr.__all__) <= set(dir(msvsr))
options = msvsr.EngineOptions(window=5)
try:
    msvsr.nonsense
except AttributeError as error:
    message = str(error)
print(json.dumps([listed, options.window, "torch" in sys.modules, message]))
"""
    assert run_python(code) == [True, 5, False, "module 'msvsr' has no attribute 'nonsense'"]


@pytest.mark.parametrize("package", ["super_resolution", "frame_interpolation"])
def test_our_classes_are_served_and_the_built_in_ones_never_imported(
    package: str, folders: dict[str, Path]
) -> None:
    code = """
import json, sys
from modelscope.pipelines import pipeline  # before msvsr: its hook comes too late for this one
import msvsr
from modelscope.utils.constant import Tasks
folder, package = sys.argv[1:]
made = pipeline(getattr(Tasks, f"video_{package}"), folder)
from modelscope.preprocessors import Preprocessor
parts = [made, made.model, made.preprocessor, Preprocessor.from_pretrained(folder)]
built_in = [name for name in sys.modules if name.startswith((
    f"modelscope.models.cv.video_{package}.", f"modelscope.pipelines.cv.video_{package}"))]
print(json.dumps([[type(part).__module__ for part in parts], built_in]))
"""
    modules, built_in = run_python(code, folders[package], package)
    expected = ("pipeline", "model", "preprocessor", "preprocessor")
    assert modules == [f"msvsr.plugin.{package}.{name}" for name in expected]
    assert built_in == []


def test_every_registration_is_served_by_the_module_that_it_names() -> None:
    code = """
import json
import msvsr
import sys
from msvsr.plugin.names import DEFAULT_GROUP, DEFAULT_TRAINER, REGISTRATIONS
from modelscope.metrics.builder import METRICS
from modelscope.models.builder import MODELS
from modelscope.msdatasets.dataset_cls.custom_datasets.builder import CUSTOM_DATASETS
from modelscope.pipelines.builder import PIPELINES
from modelscope.preprocessors.builder import PREPROCESSORS
from modelscope.trainers.builder import TRAINERS
from modelscope.trainers.hooks.builder import HOOKS
from modelscope.utils.import_utils import LazyImportModule
registries = {"MODELS": MODELS, "PIPELINES": PIPELINES, "PREPROCESSORS": PREPROCESSORS,
              "CUSTOM_DATASETS": CUSTOM_DATASETS, "METRICS": METRICS, "TRAINERS": TRAINERS,
              "HOOKS": HOOKS}
wrong = []
for (registry, group, name), module in REGISTRATIONS.items():
    LazyImportModule.import_module((registry, group, name))
    found = registries[registry].get(name, group)
    home = found.__module__ if found else None
    if (registry, group, name) == ("TRAINERS", DEFAULT_GROUP, DEFAULT_TRAINER):
        # It passes for a class of ModelScope, see there.
        home = module if found in vars(sys.modules[module]).values() else home
    if home != module:
        wrong.append([registry, group, name, str(found)])
print(json.dumps([len(REGISTRATIONS), wrong]))
"""
    count, wrong = run_python(code)
    assert wrong == []
    assert count >= 16


ORDERS = """
import importlib, json, sys, types
order, built_in, folder = sys.argv[1:4]
if order == "built-in first":
    importlib.import_module(built_in)
import msvsr
from modelscope.models import Model
served = [type(Model.from_pretrained(folder)).__module__]
if order == "built-in later":
    module = importlib.import_module(built_in)  # its plain decorator refuses a name that is taken
    import inspect
    assert inspect.getsource(module)  # its loader is its own again
    assert module.RealBasicVSRNetForVideoSR.group_key == "video-super-resolution"
    served.append(type(Model.from_pretrained(folder)).__module__)
print(json.dumps(served))
"""


@pytest.mark.parametrize("order", ["built-in first", "built-in later"])
def test_the_built_in_model_may_be_imported_too(order: str, folder: Path) -> None:
    served = run_python(ORDERS, order, BUILT_IN_MODEL, folder)
    assert set(served) == {"msvsr.plugin.super_resolution.model"}
