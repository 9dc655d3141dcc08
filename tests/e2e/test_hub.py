"""Models of the Hub through ModelScope's real client, against a stand-in for the Hub."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
import torch

from msvsr.video import probe
from tests.support.clips import make_video
from tests.support.hub import StandInHub
from tests.support.models import write_interpolation_folder, write_model_folder

MODEL_ID = "damo/cv_realbasicvsr_video-super-resolution_videolq"
INTERPOLATION_ID = "damo/cv_raft_video-frame-interpolation_practical"
OTHER_ID = "someone/model-without-weights"

WEIGHTS = "pytorch_model.pt"
MEBIBYTE = 2**20

CARD = "---\ntasks:\n- video-super-resolution\n---\n\n# A *model*\n\nSee [this](https://example.org).\n"

RESOLVE = """
import json, sys
from msvsr.errors import ConfigError
from msvsr.plugin.hub import cached_models, resolve_model
answers = []
for name in sys.argv[1:]:
    try:
        answers.append(str(resolve_model(name)))
    except ConfigError as error:
        answers.append(str(error))
print(json.dumps([answers, sorted(cached_models())]))
"""

PIPELINE = """
import json, sys
{imports}
try:
    model = pipeline('video-super-resolution', sys.argv[1], device='cpu')
    answer = model(sys.argv[2], output_video=sys.argv[3])['output_video']
except Exception as error:
    answer = str(error)
print(json.dumps(answer))
"""


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandInHub]:
    """A hub that has the official models, made small, with a file of a few MiB."""
    folder = tmp_path_factory.mktemp("hub")
    models = {
        MODEL_ID: write_model_folder(folder / "model", weights_name=WEIGHTS),
        INTERPOLATION_ID: write_interpolation_folder(folder / "raft", layout="official"),
        OTHER_ID: write_model_folder(folder / "other", weights_name=WEIGHTS),
    }
    make_large(models[MODEL_ID] / WEIGHTS)
    (models[MODEL_ID] / "README.md").write_text(CARD)
    (models[OTHER_ID] / WEIGHTS).unlink()
    (models[OTHER_ID] / "README.md").write_text(CARD)
    with StandInHub(models) as server:
        yield server


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ModelScope's cache, empty at first."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("clip") / "in.mp4", 2)


def make_large(weights: Path) -> None:
    """Put something beside the weights of a file, as training does, of 4 MiB."""
    beside = torch.rand(MEBIBYTE, generator=torch.Generator().manual_seed(0))
    torch.save({**torch.load(weights, weights_only=True), "optimizer": beside}, weights)


def run_python(code: str, *arguments: object, hub: StandInHub, cache: Path) -> Any:  # noqa: ANN401
    """What code that prints one line of JSON at its end says in a new interpreter."""
    run = hub.run("-c", code, *arguments, cache=cache)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout.splitlines()[-1])


def msvsr(
    *arguments: object, hub: StandInHub, cache: Path, **settings: str
) -> CompletedProcess[str]:
    """Run the command line in a new process."""
    return hub.run("-m", "msvsr", *arguments, cache=cache, **settings)


def upscale(clip: Path, output: Path, model: object) -> tuple[object, ...]:
    """Arguments of a command that upscales with a model."""
    return ("upscale", clip, "-o", output, "--device", "cpu", "--model", model)


def last_line(text: str) -> str:
    return text.splitlines()[-1]


def test_ids_become_folders_and_the_cache_needs_no_network(hub: StandInHub, cache: Path) -> None:
    # Self-contained: the first look-up downloads what another test may have left already.
    run_python(RESOLVE, MODEL_ID, hub=hub, cache=cache)
    asked = len(hub.requests)
    names = (MODEL_ID, "realbasicvsr_x4", "damo/no_such_model", INTERPOLATION_ID)
    (by_id, by_name, missing, other), cached = run_python(RESOLVE, *names, hub=hub, cache=cache)
    assert by_id == by_name
    assert MODEL_ID in cached
    assert {"configuration.json", WEIGHTS} <= {path.name for path in Path(by_id).iterdir()}
    assert missing.startswith("model 'damo/no_such_model' is neither a folder nor complete")
    assert len(missing.splitlines()) == 1
    assert other == (
        f"'{INTERPOLATION_ID}' is a model for video-frame-interpolation, "
        "expected one for video-super-resolution: name another"
    )
    assert all("no_such_model" in path for path in hub.requests[asked:])


def test_a_download_fetches_only_what_is_missing(hub: StandInHub, cache: Path) -> None:
    folder = Path(last_line(msvsr("download", MODEL_ID, hub=hub, cache=cache).stdout))
    content = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).unlink()
    hub.downloads.clear()
    run = msvsr("download", "realbasicvsr_x4", "--json", hub=hub, cache=cache)
    assert json.loads(run.stdout) == {
        "model": "realbasicvsr_x4",
        "hub_id": MODEL_ID,
        "folder": str(folder),
    }
    assert hub.downloads == [(WEIGHTS, None)]
    assert (folder / WEIGHTS).read_bytes() == content
    models = json.loads(msvsr("models", "--json", hub=hub, cache=cache).stdout)
    cached = {model["hub_id"]: model["cached_folder"] for model in models}
    assert cached[MODEL_ID] == str(folder)
    assert INTERPOLATION_ID in cached


def test_a_partly_deleted_model_is_completed_when_it_is_used(hub: StandInHub, cache: Path) -> None:
    [[folder], _] = run_python(RESOLVE, MODEL_ID, hub=hub, cache=cache)
    weights = Path(folder) / WEIGHTS
    content = weights.read_bytes()
    weights.unlink()
    answers, cached = run_python(RESOLVE, MODEL_ID, hub=hub, cache=cache)
    assert answers == [folder]
    assert MODEL_ID in cached
    assert weights.read_bytes() == content


def test_a_broken_download_goes_on_in_the_middle_of_a_file(hub: StandInHub, tmp_path: Path) -> None:
    hub.break_off(WEIGHTS, 5 * MEBIBYTE // 2)
    run = msvsr("download", MODEL_ID, hub=hub, cache=tmp_path, MODELSCOPE_DOWNLOAD_MAX_RETRIES="0")
    assert run.returncode != 0
    assert f"downloading it failed ({WEIGHTS} did not arrive)" in last_line(run.stderr)
    [part] = tmp_path.rglob("*.incomplete")
    check_the_rest(part, hub, tmp_path)


def test_ctrl_c_stops_a_download_that_goes_on_later(hub: StandInHub, tmp_path: Path) -> None:
    hub.break_off(WEIGHTS, 5 * MEBIBYTE // 2, stall=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "msvsr", "download", MODEL_ID],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **hub.environment(tmp_path)},
    )
    part = wait_for(tmp_path, "*.incomplete", MEBIBYTE)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=180)  # a stalled connection may end first
    assert process.returncode == 130
    assert last_line(told) == "msvsr: interrupted; the same command goes on where it stopped"
    assert "Traceback" not in told
    check_the_rest(part, hub, tmp_path)


def wait_for(folder: Path, pattern: str, num_bytes: int) -> Path:
    """Wait until a file has so much content."""
    for _ in range(600):
        for path in folder.rglob(pattern):
            if path.stat().st_size >= num_bytes:
                return path
        time.sleep(0.1)
    raise TimeoutError(pattern)


def check_the_rest(part: Path, hub: StandInHub, cache: Path) -> None:
    """A download that follows asks for no byte twice and for no finished file."""
    arrived = part.stat().st_size
    assert arrived >= MEBIBYTE
    hub.downloads.clear()
    run = msvsr("download", MODEL_ID, hub=hub, cache=cache)
    assert run.returncode == 0, run.stderr
    assert hub.downloads == [(WEIGHTS, f"bytes={arrived}-")]
    [weights] = cache.rglob(WEIGHTS)
    assert weights.read_bytes() == (hub.models[MODEL_ID] / WEIGHTS).read_bytes()
    assert not part.exists()


def test_what_a_model_lacks_is_named(
    hub: StandInHub, cache: Path, clip: Path, tmp_path: Path
) -> None:
    folder = write_model_folder(tmp_path / "mine", weights_name=WEIGHTS)
    (folder / WEIGHTS).unlink()
    by_command = msvsr(*upscale(clip, tmp_path / "x.mp4", folder), hub=hub, cache=cache).stderr
    code = PIPELINE.format(imports="import msvsr\nfrom modelscope.pipelines import pipeline")
    by_pipeline = run_python(code, folder, clip, tmp_path / "x.mp4", hub=hub, cache=cache)
    by_download = msvsr("download", OTHER_ID, hub=hub, cache=cache).stderr
    for told in (last_line(by_command), by_pipeline, last_line(by_download)):
        assert "no weights in" in told
        assert WEIGHTS in told


@pytest.mark.parametrize("command", ["download", "card"])
def test_what_is_no_model_is_told_in_one_line(command: str, hub: StandInHub, cache: Path) -> None:
    run = msvsr(command, "no/such-model", hub=hub, cache=cache)
    assert run.returncode == 2
    assert last_line(run.stderr).startswith("msvsr: error: model 'no/such-model' is neither")


def test_without_a_network_the_cache_serves_all(cache: Path, clip: Path, tmp_path: Path) -> None:
    folder = write_model_folder(tmp_path / "model", weights_name=WEIGHTS)
    with StandInHub({MODEL_ID: folder}) as hub:
        assert msvsr("download", MODEL_ID, hub=hub, cache=tmp_path).returncode == 0
    asked = list(hub.requests)
    output = tmp_path / "by_command.mp4"
    run = msvsr(*upscale(clip, output, MODEL_ID), hub=hub, cache=tmp_path)
    assert run.returncode == 0, run.stderr
    assert probe(output).size == (192, 256)
    orders = {
        "before": "import msvsr\nfrom modelscope.pipelines import pipeline",
        "after": "import modelscope.pipelines, msvsr\nfrom modelscope.pipelines import pipeline",
    }
    for order, imports in orders.items():
        output = tmp_path / f"{order}.mp4"
        code = PIPELINE.format(imports=imports)
        answer = run_python(code, MODEL_ID, clip, output, hub=hub, cache=tmp_path)
        assert answer == str(output)
        assert probe(output).size == (192, 256)
    assert hub.requests == asked


def test_a_card_is_fetched_without_the_weights(hub: StandInHub, tmp_path: Path) -> None:
    hub.downloads.clear()
    plain = msvsr("card", OTHER_ID, hub=hub, cache=tmp_path)
    assert plain.stdout == "# A *model*\n\nSee [this](https://example.org).\n"
    assert hub.downloads == [("README.md", None)]
    hub.downloads.clear()
    assert msvsr("card", OTHER_ID, "--raw", hub=hub, cache=tmp_path).stdout == CARD
    assert hub.downloads == []
