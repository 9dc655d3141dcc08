"""The code of the official model cards, as printed, with ``import msvsr`` in front.

It runs in processes of its own, against a stand-in for the Hub with models and data in the official
layouts. What our cards show is what the official ones show, so each snippet runs once.
"""

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from msvsr.video import probe
from tests.support.clips import make_video
from tests.support.hub import StandInHub
from tests.support.hub_datasets import write_interpolation_set, write_videolq
from tests.support.models import write_interpolation_folder, write_model_folder

MODEL_ID = "damo/cv_realbasicvsr_video-super-resolution_videolq"
INTERPOLATION_ID = "damo/cv_raft_video-frame-interpolation_practical"

REPOSITORY = Path(__file__).resolve().parents[2]
CARDS = {
    name: REPOSITORY / "configuration" / name / "README.md"
    for name in ("realbasicvsr_x4", "raft_interpolation_practical")
}
OFFICIAL_CARDS = {
    "realbasicvsr_x4": "000_9b74ff920cd8a5fa.txt",
    "raft_interpolation_practical": "004_296d93890ba0e0a2.txt",
}

NUM_FRAMES = 4
NUM_EVALUATED = 8

REPORT = """
import json
print(json.dumps([result, type(video_super_resolution_pipeline).__module__]))
"""

INTERPOLATION_REPORT = """
import json
module = type(video_frame_interpolation_practical_pipeline).__module__
print(json.dumps([[result1, result2, result3], module]))
"""

EVALUATION_REPORT = """
import json
print(json.dumps([metric_values, type(trainer).__module__, tmp_dir]))
"""


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandInHub]:
    """A hub that has the official models, made small, the cards' videos, and small data sets."""
    folder = tmp_path_factory.mktemp("hub")
    models = {
        MODEL_ID: write_model_folder(folder / "model", weights_name="pytorch_model.pt"),
        INTERPOLATION_ID: write_interpolation_folder(folder / "raft", layout="official"),
    }
    for model in models.values():
        complete_configuration(model / "configuration.json")
    video = make_video(folder / "000.mp4", NUM_FRAMES)
    files = {
        f"/test/videos/{name}": video for name in ("000.mp4", "video_frame_interpolation_test.mp4")
    }
    datasets = {
        "huizheng/VideoLQ": write_videolq(folder / "videolq", num_frames=NUM_EVALUATED),
        "aojie1997/cv_video-frame-interpolation_ValidationDataset": write_interpolation_set(
            folder / "validation"
        ),
    }
    with StandInHub(models, files, datasets) as server:
        yield server


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ModelScope's cache, empty at first."""
    return tmp_path_factory.mktemp("cache")


def complete_configuration(path: Path) -> None:
    """Add the parts for evaluation that the official configurations have."""
    loader = {"batch_size_per_gpu": 1, "workers_per_gpu": 0}
    parts = {"dataset": {}, "train": {"max_epochs": 1}, "evaluation": {"dataloader": loader}}
    path.write_text(json.dumps({**json.loads(path.read_text()), **parts}))


def examples(card: Path) -> list[str]:
    """The blocks of a card that show Python: how to use the model, and how to evaluate it."""
    text = card.read_text(encoding="utf-8")
    blocks = [block.split("```")[0] for block in text.split("```python\n")[1:]]
    return [block for block in blocks if "import" in block]


def run(code: str, hub: StandInHub, cache: Path) -> Any:  # noqa: ANN401
    """What code that prints one line of JSON at its end says."""
    process = hub.run("-c", code, cache=cache)
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout.splitlines()[-1])


def with_our_server(code: str, hub: StandInHub) -> str:
    """The code, with one thing replaced: the server that has the video."""
    server = re.search(r"'(https://[^/]+)/test/videos/", code)
    assert server is not None
    return code.replace(server[1], hub.url)


@pytest.mark.parametrize("name", CARDS)
def test_our_card_shows_the_official_code(name: str) -> None:
    official = REPOSITORY.parent / "shared" / "seeds" / OFFICIAL_CARDS[name]
    if not official.is_file():
        pytest.skip("the official card is not beside the checkout")
    shown = examples(CARDS[name])
    assert shown == ["import msvsr\n" + code for code in examples(official)]
    assert len(shown) == 2


def test_super_resolution_runs_as_printed(hub: StandInHub, cache: Path) -> None:
    code = with_our_server(examples(CARDS["realbasicvsr_x4"])[0], hub)
    result, module = run(code + REPORT, hub, cache)
    assert module == "msvsr.plugin.super_resolution.pipeline"
    info = probe(result, count_frames=True)
    assert (info.size, info.num_frames_from_content) == ((192, 256), NUM_FRAMES)


def test_interpolation_runs_as_printed(hub: StandInHub, cache: Path) -> None:
    code = with_our_server(examples(CARDS["raft_interpolation_practical"])[0], hub)
    results, module = run(code + INTERPOLATION_REPORT, hub, cache)
    assert module == "msvsr.plugin.frame_interpolation.pipeline"
    infos = [probe(result, count_frames=True) for result in results]
    # A ratio of 4, 50 frames per second, and twice the 25 of the source.
    assert [info.frame_rate for info in infos] == [100, 50, 50]
    assert [info.num_frames_from_content for info in infos] == [16, 8, 8]


def test_the_evaluation_of_super_resolution_runs_as_printed(hub: StandInHub, cache: Path) -> None:
    code = examples(CARDS["realbasicvsr_x4"])[1]
    metrics, module, work_dir = run(code + EVALUATION_REPORT, hub, cache)
    assert module == "msvsr.plugin.super_resolution.trainer"
    assert {"niqe", "niqe[paper]", "niqe[modelscope-card]"} <= set(metrics)
    assert all(math.isfinite(value) and value > 0 for value in metrics.values())
    assert any(Path(work_dir).rglob("*.json"))


def test_the_evaluation_of_interpolation_runs_as_printed(hub: StandInHub, cache: Path) -> None:
    code = examples(CARDS["raft_interpolation_practical"])[1]
    metrics, module, work_dir = run(code + EVALUATION_REPORT, hub, cache)
    assert module == "msvsr.plugin.frame_interpolation.trainer"
    assert {"psnr", "ssim", "psnr[standard]", "ssim[standard]"} <= set(metrics)
    # Random weights blend the two frames in the middle: near the one between them, and not it.
    assert 20 < metrics["psnr"] < 40
    assert 0.5 < metrics["ssim"] < 1
    assert any(Path(work_dir).rglob("*.json"))
