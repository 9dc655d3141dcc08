"""The official ids through ModelScope's real client, against a stand-in for the Hub."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from msvsr.video import probe
from tests.support.clips import make_video
from tests.support.hub import StandInHub
from tests.support.models import write_interpolation_folder, write_model_folder

MODEL_ID = "damo/cv_realbasicvsr_video-super-resolution_videolq"
INTERPOLATION_ID = "damo/cv_raft_video-frame-interpolation_practical"

REPOSITORY = Path(__file__).resolve().parents[2]
CARD = REPOSITORY / "configuration" / "realbasicvsr_x4" / "README.md"
INTERPOLATION_CARD = REPOSITORY / "configuration" / "raft_interpolation_practical" / "README.md"

NUM_FRAMES = 4

REPORT = """
import json, sys
print(json.dumps([result, type(video_super_resolution_pipeline).__module__]))
"""

INTERPOLATION_REPORT = """
import json
module = type(video_frame_interpolation_practical_pipeline).__module__
print(json.dumps([[result1, result2, result3], module]))
"""

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


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandInHub]:
    """A hub that has the official models, made small, and the cards' videos."""
    folder = tmp_path_factory.mktemp("hub")
    models = {
        MODEL_ID: write_model_folder(folder / "model", weights_name="pytorch_model.pt"),
        INTERPOLATION_ID: write_interpolation_folder(folder / "raft", layout="official"),
    }
    video = make_video(folder / "000.mp4", NUM_FRAMES)
    names = ("000.mp4", "video_frame_interpolation_test.mp4")
    with StandInHub(models, {f"/test/videos/{name}": video for name in names}) as server:
        yield server


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ModelScope's cache, empty at first."""
    return tmp_path_factory.mktemp("cache")


def run_python(code: str, *arguments: str, hub: StandInHub, cache: Path) -> Any:  # noqa: ANN401
    """What code that prints one line of JSON at its end says in a new interpreter."""
    settings = {"OMP_NUM_THREADS": "1", "TMPDIR": str(cache), **hub.environment(cache)}
    run = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**os.environ, **settings},
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout.splitlines()[-1])


def first_example(card: Path) -> str:
    """The first code block of a model card."""
    return card.read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]


def example_for(card: Path, hub: StandInHub) -> str:
    """That code, with one thing replaced: the server that has the video."""
    code = first_example(card)
    server = re.search(r"'(https://[^/]+)/test/videos/", code)
    assert server is not None
    return code.replace(server[1], hub.url)


@pytest.mark.parametrize(
    ("card", "seed"),
    [(CARD, "000_9b74ff920cd8a5fa.txt"), (INTERPOLATION_CARD, "004_296d93890ba0e0a2.txt")],
)
def test_our_card_shows_the_official_code(card: Path, seed: str) -> None:
    official = REPOSITORY.parent / "shared" / "seeds" / seed
    if not official.is_file():
        pytest.skip("the official card is not beside the checkout")
    assert first_example(card) == "import msvsr\n" + first_example(official)


def test_the_cards_code_runs_unchanged_after_import_msvsr(hub: StandInHub, cache: Path) -> None:
    result, module = run_python(example_for(CARD, hub) + REPORT, hub=hub, cache=cache)
    assert module == "msvsr.plugin.super_resolution.pipeline"
    info = probe(result, count_frames=True)
    assert (info.size, info.num_frames_from_content) == ((192, 256), NUM_FRAMES)


def test_the_interpolation_cards_three_examples_run_unchanged(hub: StandInHub, cache: Path) -> None:
    code = example_for(INTERPOLATION_CARD, hub) + INTERPOLATION_REPORT
    results, module = run_python(code, hub=hub, cache=cache)
    assert module == "msvsr.plugin.frame_interpolation.pipeline"
    infos = [probe(result, count_frames=True) for result in results]
    # A ratio of 4, 50 frames per second, and twice the 25 of the source.
    assert [info.frame_rate for info in infos] == [100, 50, 50]
    assert [info.num_frames_from_content for info in infos] == [16, 8, 8]


def test_ids_become_folders_and_the_cache_needs_no_network(hub: StandInHub, cache: Path) -> None:
    # Self-contained: the first look-up downloads what the test above may have left already.
    run_python(RESOLVE, MODEL_ID, hub=hub, cache=cache)
    asked = len(hub.requests)
    names = (MODEL_ID, "realbasicvsr_x4", "damo/no_such_model", INTERPOLATION_ID)
    (by_id, by_name, missing, other), cached = run_python(RESOLVE, *names, hub=hub, cache=cache)
    assert by_id == by_name
    assert MODEL_ID in cached
    assert {"configuration.json", "pytorch_model.pt"} <= {p.name for p in Path(by_id).iterdir()}
    assert missing.startswith("model 'damo/no_such_model' is neither a folder nor complete")
    assert len(missing.splitlines()) == 1
    assert other == (
        f"'{INTERPOLATION_ID}' is a model for video-frame-interpolation, "
        "expected one for video-super-resolution: name another"
    )
    assert all("no_such_model" in path for path in hub.requests[asked:])


def test_an_interrupted_download_is_completed(hub: StandInHub, cache: Path) -> None:
    [[folder], _] = run_python(RESOLVE, MODEL_ID, hub=hub, cache=cache)
    weights = Path(folder) / "pytorch_model.pt"
    content = weights.read_bytes()
    weights.unlink()
    answers, cached = run_python(RESOLVE, MODEL_ID, hub=hub, cache=cache)
    assert answers == [folder]
    assert MODEL_ID in cached
    assert weights.read_bytes() == content
