"""Evaluation by several real processes, as torchrun starts them."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.evaluation import write_clips
from tests.support.processes import run_together

LENGTHS = (2, 4, 3)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_clips(tmp_path / "data", LENGTHS, size=(32, 64))


def run_processes(
    repository: Path, folder: Path, data: Path, count: int, name: str = ""
) -> list[dict[str, Any]]:
    """What each process says, with the work folder ``folder / name``."""
    output = folder / f"output-{name or count}"
    output.mkdir()
    script = repository / "tests" / "support" / "evaluate_together.py"
    run = run_together(script, data, folder / f"work-{name or count}", output, count=count)
    assert run.returncode == 0, run.stderr
    return [json.loads(path.read_text()) for path in sorted(output.iterdir())]


def without_time(report: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in report.items() if key != "seconds_per_frame"}


def test_two_processes_give_the_numbers_of_one(
    repository: Path, tmp_path: Path, data: Path
) -> None:
    (alone,) = run_processes(repository, tmp_path, data, 1)
    first, second = run_processes(repository, tmp_path, data, 2)
    assert first["report"] == second["report"]
    assert first["metrics"] == second["metrics"] == alone["metrics"]
    assert without_time(first["report"]) == without_time(alone["report"])
    assert (first["is_first"], second["is_first"]) == (True, False)
    # Each did its share and knows in the end of all: the card takes the first clip once more.
    assert (first["clips"], second["clips"]) == (["000", "002"], ["001", "002"])
    total = sum(LENGTHS) + LENGTHS[0]
    assert first["last"] == second["last"] == [len(LENGTHS), total, total]
    # They can do so again.
    assert first["metrics_of_second_call"] == second["metrics_of_second_call"] == first["metrics"]
    works = [tmp_path / "work-1", tmp_path / "work-2"]
    written = [sorted(p.relative_to(w).as_posix() for p in w.rglob("*")) for w in works]
    assert written[0] == written[1]
    assert json.loads((works[1] / "report.json").read_text()) == first["report"]


def test_an_error_in_one_process_ends_all(repository: Path, tmp_path: Path, data: Path) -> None:
    (data / "001" / "00000002.png").write_bytes(b"no image")
    first, second = run_processes(repository, tmp_path, data, 2, "broken")
    assert "clip 001, frame 2" in second["error"]
    assert first["error"].startswith("process 1 of 2 failed: VideoError: clip 001, frame 2")
    assert not (tmp_path / "work-broken" / "report.json").exists()
    kept = {path.stem for path in (tmp_path / "work-broken" / "scores").rglob("*.json")}
    assert kept == {"000"}  # what was finished is kept for the next time
