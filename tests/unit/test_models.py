"""Model folders, configurations, devices and types."""

import json
from pathlib import Path

import pytest
import torch

from msvsr.errors import CheckpointError, ConfigError
from msvsr.models.catalog import (
    FRAME_INTERPOLATION_TASK,
    SUPER_RESOLUTION_TASK,
    find_model_folder,
    list_models,
)
from msvsr.models.config import GeneratorConfig, SuperResolutionConfig, read_configuration
from msvsr.models.devices import choose_device, choose_dtype
from msvsr.models.interpolation_config import InterpolationConfig
from msvsr.models.realbasicvsr import RealBasicVSR, build_network
from tests.support.models import TINY, tiny_network, write_model_folder

OFFICIAL = {
    "framework": "pytorch",
    "task": "video-super-resolution",
    "model": {
        "type": "real-basicvsr",
        "generator": {
            "mid_channels": 64,
            "num_propagation_blocks": 20,
            "num_cleaning_blocks": 20,
            "dynamic_refine_thres": 5,
            "spynet_pretrained": None,
            "is_fix_cleaning": False,
            "is_sequential_cleaning": True,
        },
        "max_seq_len": 7,
    },
    "pipeline": {"type": "realbasicvsr-video-super-resolution"},
}


def test_all_official_keys_are_understood() -> None:
    config = SuperResolutionConfig.from_mapping(OFFICIAL)
    assert config.max_seq_len == 7
    assert config.generator.dynamic_refine_thres == 5


def test_the_smallest_official_configuration_is_the_official_size() -> None:
    model = {"type": "real-basicvsr", "generator": {}, "max_seq_len": 7}
    assert SuperResolutionConfig.from_mapping({"model": model}).generator == GeneratorConfig()


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"generator": {"mid_chanels": 8}}, "unknown key mid_chanels in model.generator"),
        ({"generators": {}}, "unknown key generators in model"),
        ({"generator": {"mid_channels": 0}}, "mid_channels must be a whole number"),
        ({"generator": {"mid_channels": "64"}}, "mid_channels must be int"),
        ({"generator": {"dynamic_refine_thres": 300}}, r"must lie in \[0, 255\]"),
        ({"generator": {"flow_kernel_size": 4}}, "must be odd"),
        ({"max_seq_len": 0}, "max_seq_len"),
    ],
)
def test_wrong_configurations_are_named(model: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        SuperResolutionConfig.from_mapping({"model": model})


@pytest.mark.parametrize("content", ["", "[1]", "{broken"])
def test_unreadable_configuration(content: str, tmp_path: Path) -> None:
    (tmp_path / "configuration.json").write_text(content)
    with pytest.raises(ConfigError, match=r"configuration\.json"):
        read_configuration(tmp_path)


@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.pt"])
def test_a_folder_gives_its_model(name: str, tmp_path: Path) -> None:
    folder = write_model_folder(tmp_path / "model", seed=3, weights_name=name)
    model = RealBasicVSR.from_folder(folder, device="cpu", dtype="float32")
    expected = tiny_network(seed=3).state_dict()
    actual = model.network.state_dict()
    assert all(torch.equal(actual[key], expected[key]) for key in expected)


def test_a_folder_without_weights_says_so(tmp_path: Path) -> None:
    folder = write_model_folder(tmp_path)
    (folder / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match="no weights in"):
        RealBasicVSR.from_folder(folder, device="cpu")


def test_half_precision_leaves_the_flow_network_alone() -> None:
    network = build_network(GeneratorConfig(**TINY))  # type: ignore[arg-type]
    before = {key: value.clone() for key, value in network.basicvsr.spynet.state_dict().items()}
    model = RealBasicVSR(network, device="cpu", dtype="bfloat16")
    after = model.network.basicvsr.spynet.state_dict()
    assert all(torch.equal(after[key], before[key]) for key in before)
    assert model.network.basicvsr.conv_hr.weight.dtype == torch.bfloat16
    assert model.network.image_cleaning[1].weight.dtype == torch.bfloat16


def test_shipped_folders_are_listed_and_found() -> None:
    names = {entry.name for entry in list_models()}
    assert {"realbasicvsr_lite_x4", "realbasicvsr_x4", "raft_interpolation_practical"} <= names
    assert find_model_folder("realbasicvsr_x4").name == "realbasicvsr_x4"
    assert find_model_folder(None).name == "realbasicvsr_lite_x4"
    readers = {
        SUPER_RESOLUTION_TASK: SuperResolutionConfig.from_mapping,
        FRAME_INTERPOLATION_TASK: InterpolationConfig.from_mapping,
    }
    for entry in list_models():
        readers[entry.task](read_configuration(entry.folder))


def test_an_unknown_model_is_answered_with_what_there_is() -> None:
    with pytest.raises(ConfigError, match="realbasicvsr_lite_x4"):
        find_model_folder("nonsense")


def test_devices() -> None:
    assert choose_device("cpu") == torch.device("cpu")
    assert choose_device("auto").type in ("cpu", "cuda", "mps")
    for unknown in ("toaster", "cuda:99", ""):
        with pytest.raises(ConfigError):
            choose_device(unknown)


def test_dtypes() -> None:
    cpu = torch.device("cpu")
    assert choose_dtype("bfloat16", cpu) == torch.bfloat16
    assert choose_dtype("auto", torch.device("cuda")) == torch.float16
    assert choose_dtype("auto", cpu) in (torch.float32, torch.bfloat16)
    with pytest.raises(ConfigError, match="float64"):
        choose_dtype("float64", cpu)


def test_the_embedded_model_is_small_and_whole() -> None:
    folder = find_model_folder(None)
    weights = folder / "model.safetensors"
    assert weights.stat().st_size < 8_000_000
    RealBasicVSR.from_folder(folder, device="cpu")
    assert json.loads((folder / "configuration.json").read_text())["task"] == (
        "video-super-resolution"
    )
