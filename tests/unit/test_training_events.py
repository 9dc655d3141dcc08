"""Who watches a run: events, progress, sample pictures, and how a run is asked to end."""

import signal
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from msvsr.training import interrupts
from msvsr.training.events import SilentEvents, TrainingEvents, TrainingProgress
from msvsr.training.interrupts import catch_interrupts
from msvsr.training.pictures import side_by_side, write_pictures
from msvsr.training.timing import Stopwatch
from msvsr.training.trainer import Trainer
from tests.support.training import STAGE_1, make_config, read_log, write_clip

VALIDATION = {"clips": [{"name": "unseen", "shrink": 1}], "num_frames": 3, "size": 32}


class Notes(SilentEvents):
    """Writes down what happens."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.calls: list[tuple[str, object]] = []
        self.progress: list[TrainingProgress] = []

    def before_step(self, step: int) -> None:
        """Note it."""
        self.calls.append(("before", step))

    def after_step(self, step: int, values: Mapping[str, float]) -> None:
        """Note it."""
        assert {"total", "pixel", "gradient_norm", "learning_rate"} <= set(values)
        self.calls.append(("after", step))

    def on_progress(self, progress: TrainingProgress) -> None:
        """Note it."""
        self.progress.append(progress)

    def on_validate(self, network: nn.Module) -> Mapping[str, float]:
        """One more score."""
        assert not network.training
        return {"parameters": float(sum(each.numel() for each in network.parameters()))}

    def after_validation(self, scores: Mapping[str, float]) -> None:
        """Note it."""
        self.calls.append(("validated", sorted(scores)))

    def after_save(self, path: Path) -> None:
        """Note it."""
        self.calls.append(("saved", path.name))


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip to train on and one to validate on."""
    root = tmp_path_factory.mktemp("events")
    write_clip(root / "seen", 0)
    write_clip(root / "unseen", 1)
    return root


def make_trainer(
    data_dir: Path, work_dir: Path, events: TrainingEvents | None = None, **changes: object
) -> Trainer:
    config = make_config(STAGE_1, batch_size=1, **changes)
    return Trainer(config, data_dir, work_dir.parent / "cache", work_dir, 0, events=events)


def test_events_come_in_order(data_dir: Path, tmp_path: Path) -> None:
    notes = Notes()
    changes = {"validation": VALIDATION, "validation_steps": 2, "checkpoint_steps": 1}
    run = make_trainer(data_dir, tmp_path / "run", notes, **changes)
    assert run.run(max_steps=2) == "limit"
    scores = ["gain_db", "gain_db/unseen", "parameters"]
    saved, validated = ("saved", "checkpoint.pt"), ("validated", scores)
    first = [("before", 0), ("after", 1), saved]
    second = [("before", 1), ("after", 2), saved, validated]
    assert notes.calls == [*first, *second, saved]
    assert run.run() == "finished"
    lines = [line for line in read_log(tmp_path / "run") if "validation" in line]
    assert [line["step"] for line in lines] == [2, 4]
    assert all(line["parameters"] > 100 for line in lines)


def test_progress_tells_speed_wait_and_time_left(data_dir: Path, tmp_path: Path) -> None:
    notes = Notes()
    make_trainer(data_dir, tmp_path / "run", notes).run(max_steps=3)
    assert [each.step for each in notes.progress] == [1, 2, 3]
    assert {each.num_steps for each in notes.progress} == {3}
    assert all(each.images_per_second > 0 for each in notes.progress)
    assert all(0 < each.data_wait_share < 1 for each in notes.progress)
    first, _, last = notes.progress
    assert first.seconds_left is not None
    assert first.seconds_left > 0
    assert last.seconds_left == 0
    assert last.losses["total"] > 0


def test_stopwatch_counts_images_and_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("msvsr.training.timing.time.monotonic", lambda: now[0])
    watch = Stopwatch(num_steps=2)
    assert watch.seconds_for(5) is None
    for _ in range(4):
        with watch.waiting():
            now[0] += 1.0
        now[0] += 3.0
        watch.add_step(8)
    assert watch.images_per_second == pytest.approx(2.0)
    assert watch.data_wait_share == pytest.approx(0.25)
    assert watch.seconds_for(5) == pytest.approx(20.0)
    assert watch.figures()["data_seconds"] == pytest.approx(4.0)
    with watch.pausing():
        now[0] += 60.0  # a validation
    now[0] += 4.0
    watch.add_step(8)
    assert watch.images_per_second == pytest.approx(2.0)
    assert watch.seconds == pytest.approx(80.0)


def test_watcher_can_end_the_run(data_dir: Path, tmp_path: Path) -> None:
    class Stopper(SilentEvents):
        def after_step(self, step: int, values: Mapping[str, float]) -> None:
            if step == 2:
                run.stop()

    run = make_trainer(data_dir, tmp_path / "run", Stopper())
    assert run.run() == "limit"
    assert run.step == 2
    assert (tmp_path / "run" / "model.safetensors").exists()


def test_ctrl_c_ends_the_run_after_the_step_and_keeps_its_state(
    data_dir: Path, tmp_path: Path
) -> None:
    class Presser(SilentEvents):
        def before_step(self, step: int) -> None:
            if step == 1:
                signal.raise_signal(signal.SIGINT)

    assert make_trainer(data_dir, tmp_path / "run", Presser()).run() == "interrupted"
    assert make_trainer(data_dir, tmp_path / "run").step == 2
    assert not (tmp_path / "run" / "model.safetensors").exists()
    make_trainer(data_dir, tmp_path / "run").run()
    make_trainer(data_dir, tmp_path / "whole").run()
    ends = [
        torch.load(tmp_path / name / "checkpoint.pt", weights_only=True)["network"]
        for name in ("run", "whole")
    ]
    assert all(torch.equal(value, ends[1][name]) for name, value in ends[0].items())


def test_second_ctrl_c_ends_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.getsignal(signal.SIGINT)
    with catch_interrupts() as interrupt:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)  # the launcher's copy of the first
        assert interrupt.is_requested
        monkeypatch.setattr(interrupts, "_ECHO_SECONDS", -1.0)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_pictures_show_input_output_and_truth(data_dir: Path, tmp_path: Path) -> None:
    notes = Notes()
    changes = {"validation": VALIDATION, "sample_steps": 2}
    run = make_trainer(data_dir, tmp_path / "run", notes, **changes)
    run.run(max_steps=3)
    (path,) = (tmp_path / "run" / "samples").iterdir()
    assert path.name == "0000002_unseen.png"
    assert ("saved", path.name) in notes.calls
    picture = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    assert picture.shape == (32, 3 * 32 + 2 * 4, 3)
    np.testing.assert_array_equal(picture[:, -32:], run.held_out[0].gt[1])
    assert (picture[:, 32:36] == 255).all()
    assert np.abs(picture[:, :32].astype(int) - picture[:, 36:68]).max() > 0


def test_pictures_show_a_sample_where_nothing_is_held_out(data_dir: Path, tmp_path: Path) -> None:
    run = make_trainer(data_dir, tmp_path / "run")
    (name,) = run.pictures()
    assert name == "sample"


def test_picture_is_replaced_as_a_whole(tmp_path: Path) -> None:
    image = np.zeros((4, 4, 3), np.uint8)
    image[..., 0] = 200  # red
    for _ in range(2):
        (path,) = write_pictures(tmp_path / "samples", 7, {"a.mp4": side_by_side([image])})
    assert [each.name for each in path.parent.iterdir()] == ["0000007_a.png"]
    assert cv2.imread(str(path))[0, 0].tolist() == [0, 0, 200]
