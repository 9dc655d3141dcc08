"""Weights that a loss or a flow network needs, taken from a Hub by ``msvsr train``."""

import json
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import torch
from safetensors.torch import load_file

from msvsr.archs.vgg import VGG19_FILE
from tests.support.hub import StandInHub
from tests.support.models import TINY, tiny_network, write_model_folder
from tests.support.training import STAGE_2, write_clip, write_vgg

MODEL_ID, VGG_ID = "damo/cv_realbasicvsr_video-super-resolution_videolq", "somebody/vgg"
SPYNET = "basicvsr.spynet."


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandInHub]:
    """A hub with a model, and a repository that holds VGG19 among other things."""
    folder = tmp_path_factory.mktemp("hub")
    vgg = write_vgg(folder / "vgg")
    (vgg / "unrelated.bin").write_bytes(b"large")
    with StandInHub({MODEL_ID: write_model_folder(folder / "model"), VGG_ID: vgg}) as server:
        yield server


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clips, a configuration of the second stage, and ModelScope's cache."""
    root = tmp_path_factory.mktemp("root")
    write_clip(root / "data" / "seen", 0)
    network = {key: value for key, value in TINY.items() if key != "type"}
    (root / "run.json").write_text(json.dumps({**STAGE_2, "network": network, "num_steps": 1}))
    return root


def train(hub: StandInHub, root: Path, name: str, *more: object) -> CompletedProcess[str]:
    places = ("--data-dir", root / "data", "--work-dir", root / name, "--device", "cpu")
    options = ("--workers", 0, "--quiet", *more)
    return hub.run(
        "-m", "msvsr", "train", root / "run.json", *places, *options, cache=root / "cache"
    )


def test_weights_of_losses_and_flow_come_from_the_hub_once(hub: StandInHub, root: Path) -> None:
    weights = ("--vgg-weights", VGG_ID, "--spynet-weights", MODEL_ID)
    run = train(hub, root, "first", *weights)
    assert run.returncode == 0, run.stderr
    fetched = [name for name, _ in hub.downloads]
    assert VGG19_FILE in fetched
    assert "unrelated.bin" not in fetched
    trained = load_file(root / "first" / "model.safetensors")
    published = tiny_network().state_dict()
    flow = [name for name in published if name.startswith(SPYNET)]
    assert flow
    assert all(torch.equal(trained[name], published[name]) for name in flow)
    rest = [name for name in published if not name.startswith(SPYNET)]
    assert not any(torch.equal(trained[name], published[name]) for name in rest)

    hub.downloads.clear()
    assert train(hub, root, "second", *weights).returncode == 0
    assert hub.downloads == []


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--vgg-weights", MODEL_ID, f"has no file {VGG19_FILE}: name another model id, or a file"),
        ("--spynet-weights", "no/such", "model 'no/such' is neither a folder nor complete"),
        ("--spynet-weights", VGG_ID, "no weights in"),
    ],
)
def test_what_the_hub_does_not_have_is_told_in_one_line(
    hub: StandInHub, root: Path, option: str, value: str, message: str
) -> None:
    run = train(hub, root, "refused", option, value)
    assert run.returncode in (1, 2)
    told = run.stderr.splitlines()[-1]
    assert told.startswith("msvsr: error: ")
    assert message in told
    assert not (root / "refused" / "model.safetensors").exists()
