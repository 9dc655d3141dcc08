"""``msvsr train`` as a person uses it: both stages, stops, several processes, model folders."""

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import pytest
import torch
from safetensors.torch import load_file

from msvsr.cli import main
from msvsr.cli import train as command
from msvsr.cli.console import TrainingDisplay
from msvsr.models.raft_interpolation import RaftInterpolation
from tests.support.clips import make_video
from tests.support.models import TINY_INTERPOLATION, write_interpolation_folder
from tests.support.processes import run_together
from tests.support.training import STAGE_1, STAGE_2, read_log, write_clip, write_vgg

HELD_OUT = {"clips": [{"name": "unseen", "shrink": 1}], "num_frames": 3, "size": 32}
STAGES = {
    "stage1": {**STAGE_1, "num_steps": 3, "validation": HELD_OUT, "sample_steps": 2},
    "stage2": {**STAGE_2, "num_steps": 2, "validation": HELD_OUT},
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clips, configurations, weights of VGG19."""
    root = tmp_path_factory.mktemp("train")
    write_clip(root / "data" / "seen", 0)
    write_clip(root / "data" / "unseen", 1)
    write_vgg(root / "vgg")
    for name, content in STAGES.items():
        (root / f"{name}.json").write_text(json.dumps(content))
    return root


def arguments(root: Path, stage: str, work_dir: Path, *more: object) -> list[str]:
    fixed = ["--data-dir", root / "data", "--device", "cpu", "--workers", "0"]
    return [
        *map(str, ["train", root / f"{stage}.json", "--work-dir", work_dir, *fixed, *more]),
    ]


def train(root: Path, stage: str, work_dir: Path, *more: object) -> int:
    return main(arguments(root, stage, work_dir, *more))


def weights(work_dir: Path) -> dict[str, torch.Tensor]:
    return load_file(work_dir / "model.safetensors")


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(value, second[name]) for name, value in first.items())


def test_both_stages_end_in_a_folder_that_pipelines_load(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from modelscope.pipelines import pipeline

    first, second = tmp_path / "first", tmp_path / "second"
    assert train(root, "stage1", first) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith(f"{first}: 3 of 3 steps, ")
    lines = printed.err.splitlines()
    assert lines[0].startswith("step 1/3, loss ")
    assert "images/s" in lines[0]
    assert "% waiting for data" in lines[0]
    assert any(line.startswith("step 3/3, ") and "0:00:00 left" in line for line in lines)
    assert any("dB over bicubic interpolation" in line for line in lines)
    assert [path.name for path in (first / "samples").iterdir()] == ["0000002_unseen.png"]

    more = ("--initial", first, "--vgg-weights", root / "vgg", "--precision", "bfloat16", "--json")
    assert train(root, "stage2", second, *more) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    report = json.loads(printed.out)
    assert report["folder"] == str(second)
    assert (report["outcome"], report["step"], report["num_steps"]) == ("finished", 2, 2)
    plain, ours = (report["validation"]["unseen"][key] for key in ("plain_psnr_y", "psnr_y"))
    assert plain > 0 < ours
    assert json.loads((second / "training.json").read_text())["precision"] == "bfloat16"
    changes = [float((weights(second)[n] - v).abs().max()) for n, v in weights(first).items()]
    assert 0 < max(changes) < 0.1  # a start from random weights would be further away

    source = make_video(tmp_path / "in.mp4", 2, size=(64, 64))
    upscale = pipeline("video-super-resolution", model=str(second), device="cpu")
    output = upscale(str(source), output_video=str(tmp_path / "out.mp4"))["output_video"]
    capture = cv2.VideoCapture(output)
    assert capture.read()[1].shape == (256, 256, 3)


@pytest.mark.parametrize("stage", list(STAGES))
def test_a_stopped_run_goes_on_as_if_it_had_not_been(
    stage: str, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    vgg = ("--vgg-weights", root / "vgg")
    assert train(root, stage, tmp_path / "whole", *vgg) == 0
    capsys.readouterr()
    assert train(root, stage, tmp_path / "parts", "--steps", "1", *vgg) == 0
    total = STAGES[stage]["num_steps"]
    printed = capsys.readouterr()
    assert f"1 of {total} steps" in printed.out
    assert printed.out.endswith("; the same command goes on from there\n")
    assert train(root, stage, tmp_path / "parts", "--resume", *vgg) == 0
    assert capsys.readouterr().err.startswith(f"going on at step 1 of {total}\n")
    assert same(weights(tmp_path / "parts"), weights(tmp_path / "whole"))


def test_a_run_begins_anew_when_asked_and_keeps_the_old_state(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    work_dir = tmp_path / "work"
    assert train(root, "stage1", work_dir, "--resume") == 2
    assert "holds no checkpoint.pt to go on from" in capsys.readouterr().err
    assert train(root, "stage1", work_dir, "--quiet") == 0
    assert capsys.readouterr() == ("", "")
    first, log = weights(work_dir), read_log(work_dir)
    assert train(root, "stage1", work_dir, "--no-resume", "--minutes", "0") == 0
    assert "1 of 3 steps" in (printed := capsys.readouterr().out)
    assert "without --no-resume goes on" in printed
    assert not same(weights(work_dir), first)
    kept = torch.load(work_dir / "checkpoint.old.pt", weights_only=True)
    assert kept["step"] == 3
    assert len((work_dir / "log.old.jsonl").read_text().splitlines()) == len(log)


def test_ctrl_c_saves_and_says_how_to_go_on(
    root: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    @contextmanager
    def press(**_: Any) -> Iterator[TrainingDisplay]:  # noqa: ANN401
        yield TrainingDisplay(lambda _: signal.raise_signal(signal.SIGINT), print)

    with monkeypatch.context() as patch:
        patch.setattr(command, "training_bar", press)
        assert train(root, "stage1", tmp_path / "work") == 130
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith("msvsr: interrupted at step 1 of 3; what was learned is in ")
    assert line.endswith("the same command goes on from there")
    assert not (tmp_path / "work" / "model.safetensors").exists()
    assert train(root, "stage1", tmp_path / "work") == 0
    assert train(root, "stage1", tmp_path / "whole") == 0
    assert same(weights(tmp_path / "work"), weights(tmp_path / "whole"))


def test_torchrun_shares_the_work_and_tells_once(root: Path, tmp_path: Path) -> None:
    assert train(root, "stage1", tmp_path / "one", "--quiet") == 0
    run = run_together("-m", "msvsr", *arguments(root, "stage1", tmp_path / "two"))
    assert run.returncode == 0, run.stderr
    assert run.stdout.count("3 of 3 steps") == 1
    assert run.stderr.count("step 3/3") == 1
    for name, value in weights(tmp_path / "one").items():
        torch.testing.assert_close(weights(tmp_path / "two")[name], value, rtol=1e-4, atol=1e-4)


def test_interpolation_goes_on_from_an_official_folder(root: Path, tmp_path: Path) -> None:
    """Its two files have other names and keys, and its recipe names no clips."""
    official = write_interpolation_folder(tmp_path / "official", layout="official")
    for name in ("a", "b"):
        write_clip(root / "large" / name, 2, num_frames=7, size=192)
    recipe = {
        "task": "video-frame-interpolation",
        "stage": "synthesis",
        "network": {key: TINY_INTERPOLATION[key] for key in ("network", "interpolator")},
        "synthesis_loss": {"synthetic_share": 0.0},
        "optimizer": {"ramp_steps": 0, "learning_rate": 1e-4},
        "batch_size": 1,
        "num_steps": 1,
        "precision": "float32",
    }
    (tmp_path / "vfi.json").write_text(json.dumps(recipe))
    argv = ["train", tmp_path / "vfi.json", "--data-dir", root / "large", "--initial", official]
    argv += ["--work-dir", tmp_path / "work", "--cache-dir", tmp_path, "--device", "cpu", "--quiet"]
    assert main([*map(str, argv), "--workers", "0"]) == 0
    found = json.loads((tmp_path / "work" / "training.json").read_text())["data"]["clips"]
    assert [clip["name"] for clip in found] == ["a", "b"]
    before, after = (
        RaftInterpolation.from_folder(folder, device="cpu", dtype="float32").networks.state_dict()
        for folder in (official, tmp_path / "work")
    )
    changes = [float((after[name] - value).abs().max()) for name, value in before.items()]
    assert 0 < max(changes) < 1e-3


def test_the_list_shows_names_that_are_configurations(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--list"]) == 0
    printed = capsys.readouterr().out
    assert "realbasicvsr_x4/training_stage1\n" in printed
    assert "video-super-resolution, 300,000 steps of 16 samples" in printed
    assert main(["train", "--list", "--json"]) == 0
    names = [entry["name"] for entry in json.loads(capsys.readouterr().out)]
    assert f"{names[0]}\n" in printed
    assert main(["train", "realbasicvsr_x4/training_stage1", "--data-dir", "none"]) == 1
    assert "none" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ([], "needs a configuration"),
        (["nothing.json", "--data-dir", "."], "no training configuration 'nothing.json'"),
        (["realbasicvsr_x4/training_stage1"], "needs --data-dir"),
        (["a.json", "--data-dir", ".", "--workers", "-1"], "--workers must be at least 0, got -1"),
        (["a.json", "--data-dir", ".", "--threads", "0"], "--threads must be at least 1, got 0"),
        (
            ["realbasicvsr_x4/training_stage1", "--data-dir", ".", "--precision", "int8"],
            "precision must be one of float32, bfloat16, float16",
        ),
    ],
)
def test_wrong_usage_is_one_line(
    more: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", *more]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
