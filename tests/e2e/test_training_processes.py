"""Several processes train as one does; one that fails ends the others; signals are obeyed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from msvsr.archs.raft import RAFT
from tests.support.processes import one_core, run_together
from tests.support.training import (
    STAGE_1,
    STAGE_2,
    TINY_INTERPOLATION,
    read_log,
    write_clip,
    write_vgg,
)

WARMUP = {
    **STAGE_1,
    "footage": None,
    "data": {"clips": [{"name": "seen", "shrink": 1}], "crop": {"num_frames": 3, "size": 32}},
    "loss": {},
    "flow_warmup_steps": 3,
}
INTERPOLATION: dict[str, Any] = {
    "task": "video-frame-interpolation",
    "stage": "flow",
    "data": {"clips": [{"name": "large", "shrink": 1}], "crop": {"num_frames": 7, "size": 128}},
    "network": TINY_INTERPOLATION,
    "flow_loss": {"matching_steps": 2, "teacher_iterations": 1, "num_foregrounds": 1},
    "optimizer": {"ramp_steps": 1, "learning_rate": 1e-3},
    "batch_size": 2,
    "precision": "float32",
}
RUNS = {"1": STAGE_1, "2": STAGE_2, "warm-up": WARMUP, "interpolation": INTERPOLATION}
NUM_STEPS = {"1": 6, "2": 3, "warm-up": 6, "interpolation": 4}

CURVE = """
import json, sys
from pathlib import Path
from msvsr.training.events import SilentEvents
from msvsr.training.processes import join_processes
from msvsr.training.start import Places, make_trainer, read_run

class Curve(SilentEvents):
    def __init__(self, path, failing):
        self.path, self.failing = path, failing
    def before_step(self, step):
        if step == 1 and self.failing:
            raise RuntimeError("this process was told to fail")
    def after_step(self, step, values):
        with self.path.open("a") as file:
            file.write(json.dumps(dict(values)) + "\\n")

root, work, failing = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] == "fail"
processes = join_processes("cpu")
work.mkdir(exist_ok=True)
places = Places(
    data_dir=root / "data", work_dir=work, cache_dir=root / f"cache{processes.rank}",
    vgg=root / "vgg", teacher=root / "teacher.safetensors",
)
events = Curve(work / f"curve{processes.rank}.jsonl", failing and processes.rank == 1)
run = read_run(work.with_suffix(".json"))
make_trainer(run, places, num_workers=0, processes=processes, events=events).run()
processes.leave()
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clips, random weights, and the script that writes down each process's losses."""
    root = tmp_path_factory.mktemp("processes")
    write_clip(root / "data" / "seen", 0)
    write_clip(root / "data" / "large", 1, num_frames=7, size=136)
    write_vgg(root / "vgg")
    torch.manual_seed(1)
    save_file(RAFT(small=True).state_dict(), root / "teacher.safetensors")
    (root / "curve.py").write_text(CURVE)
    return root


def launch(root: Path, name: str, num_processes: int, *, mode: str = "") -> tuple[int, str]:
    """Run the script; returns its exit status and what it said."""
    done = run_together(root / "curve.py", root, root / name, mode, count=num_processes)
    return done.returncode, done.stderr


def read_curve(path: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("kind", list(RUNS))
def test_two_processes_learn_what_one_does(root: Path, kind: str) -> None:
    content = {**RUNS[kind], "num_steps": NUM_STEPS[kind]}
    for count in (1, 2):
        name = f"{kind}-{count}"
        (root / f"{name}.json").write_text(json.dumps(content))
        status, message = launch(root, name, count)
        assert status == 0, message
    alone, first, second = (
        read_curve(root / path)
        for path in (f"{kind}-1/curve0.jsonl", f"{kind}-2/curve0.jsonl", f"{kind}-2/curve1.jsonl")
    )
    assert len(alone) == NUM_STEPS[kind]
    assert first == second
    for one, two in zip(alone, first, strict=True):
        assert one.keys() == two.keys()
        for key in one.keys() - {"found"}:  # a share of the places, not a mean over samples
            tolerance = 1e-4 if "norm" in key else 1e-5
            assert two[key] == pytest.approx(one[key], rel=tolerance, abs=1e-7), key
    file = "flow.safetensors" if kind == "interpolation" else "model.safetensors"
    weights, others = (load_file(root / f"{kind}-{count}" / file) for count in (1, 2))
    for name, value in weights.items():
        if name.startswith("fnet.") and name.endswith(".bias"):
            continue  # instance normalisation takes it out: its gradient is rounding alone
        # Adam turns rounding of a vanishing gradient into a part of the learning rate, 1e-3: so it
        # is the mean that must agree, to a hundredth of one step.
        assert (others[name] - value).abs().mean() < 1e-5, name


def test_failing_process_ends_the_others(root: Path) -> None:
    (root / "broken.json").write_text(json.dumps({**STAGE_1, "num_steps": 100}))
    started = time.monotonic()
    status, message = launch(root, "broken", 2, mode="fail")
    assert status != 0
    assert "this process was told to fail" in message
    assert time.monotonic() - started < 100
    assert len(read_curve(root / "broken" / "curve0.jsonl")) < 3


def test_batch_that_cannot_be_shared_is_refused(root: Path) -> None:
    (root / "odd.json").write_text(json.dumps({**STAGE_1, "batch_size": 3}))
    status, message = launch(root, "odd", 2)
    assert status != 0
    assert "must be a multiple of the number of processes, got 3 for 2 processes" in message


@pytest.mark.skipif(sys.platform == "win32", reason="signals are those of POSIX")
@pytest.mark.parametrize(
    ("number", "workers"), [(signal.SIGINT, 1), (signal.SIGTERM, 0)], ids=["Ctrl-C", "SIGTERM"]
)
def test_signal_saves_the_run_and_ends_it(
    root: Path, tmp_path: Path, number: signal.Signals, workers: int
) -> None:
    path, work = tmp_path / "run.json", tmp_path / "work"
    path.write_text(json.dumps({**STAGE_1, "num_steps": 100_000, "sample_steps": 1}))
    command = [sys.executable, "-m", "msvsr", "train", str(path), "--workers", str(workers)]
    command += ["--data-dir", str(root / "data"), "--work-dir", str(work)]
    run = subprocess.Popen(
        command, env=one_core(), stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    deadline = time.monotonic() + 100
    while not list(work.glob("samples/*.png")) and time.monotonic() < deadline:
        time.sleep(0.1)
    if number == signal.SIGINT:  # a terminal sends it to all processes
        os.killpg(run.pid, number)
    else:
        run.send_signal(number)
    _, message = run.communicate(timeout=60)
    assert run.returncode == 130
    assert "Traceback" not in message
    state = torch.load(work / "checkpoint.pt", weights_only=True)
    assert state["step"] >= 1
    assert not (work / "model.safetensors").exists()
    steps = [line["step"] for line in read_log(work)] if (work / "log.jsonl").exists() else []
    assert all(step <= state["step"] for step in steps)
