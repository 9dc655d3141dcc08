"""``msvsr crop-subimages``: the files of the original tool, in one go or in several."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from msvsr.cli import main
from msvsr.data import subimages
from msvsr.data.subimages import SubimageConfig, cut_subimages, plan_offsets

Array = np.ndarray
REPOSITORY = Path(__file__).resolve().parents[2]


def frame(seed: int, size: tuple[int, int] = (36, 64)) -> Array:
    return np.random.default_rng(seed).integers(0, 256, (*size, 3)).astype(np.uint8)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Two clips of two images, named as REDS names them."""
    root = tmp_path / "train_sharp"
    for clip in range(2):
        folder = root / f"{clip:03d}"
        folder.mkdir(parents=True)
        for index in range(2):
            cv2.imwrite(str(folder / f"{index:08d}.png"), frame(10 * clip + index))
    return root


def crop(*arguments: object, workers: int = 1) -> int:
    numbers = ["--size", 24, "--step", 12, "--workers", workers]
    return main(["crop-subimages", *map(str, [*numbers, *arguments])])


def files(folder: Path) -> dict[str, Array]:
    return {
        path.relative_to(folder).as_posix(): cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        for path in sorted(folder.rglob("*.png"))
    }


def original_files(source: Path, size: int, step: int, threshold: int) -> dict[str, Array]:
    """What the tool that prepares REDS writes, by its description."""
    expected = {}
    for path in sorted(source.rglob("*.png")):
        image = cv2.imread(str(path))
        starts = []
        for side in image.shape[:2]:
            places = [start for start in range(0, side, step) if start + size <= side]
            rest = side - (places[-1] + size)
            starts.append(places + ([side - size] if rest > threshold else []))
        number = 0
        for top in starts[0]:
            for left in starts[1]:
                number += 1
                name = f"{path.parent.name}_s{number:03d}/{path.name}"
                expected[name] = image[top : top + size, left : left + size]
    return expected


@pytest.mark.parametrize("threshold", [0, 4])
def test_files_are_those_of_the_original_tool(source: Path, threshold: int) -> None:
    assert crop(source, "--threshold", threshold) == 0
    found = files(source.with_name("train_sharp_sub"))  # beside it, where the original puts them
    expected = original_files(source, 24, 12, threshold)
    assert list(found) == sorted(expected)
    for name, image in expected.items():
        np.testing.assert_array_equal(found[name], image)
    assert len(found) == 4 * (10 if threshold == 0 else 8)


def test_a_frame_of_reds_becomes_ten() -> None:
    config = SubimageConfig()
    assert plan_offsets(720, config) == [0, 240]
    assert plan_offsets(1280, config) == [0, 240, 480, 720, 800]


def test_several_processes_write_the_same(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert crop(source, "-o", tmp_path / "one") == 0
    assert crop(source, "-o", tmp_path / "two", workers=2) == 0
    one, two = files(tmp_path / "one"), files(tmp_path / "two")
    assert list(one) == list(two)
    assert all(np.array_equal(one[name], two[name]) for name in one)
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{tmp_path / 'one'}: 4 images cut into 40 in 20 clips, ")
    assert second.startswith(f"{tmp_path / 'two'}: 4 images cut into 40 in 20 clips, ")


def test_only_what_is_missing_is_made_again(
    source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = source.with_name("train_sharp_sub")
    assert crop(source) == 0
    before = {path: path.stat().st_mtime_ns for path in output.rglob("*.png")}
    lost = output / "001_s004" / "00000001.png"
    lost.unlink()
    capsys.readouterr()
    assert crop(source, "--json", "--compression", 9) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["num_images"], report["num_skipped"], report["num_subimages"]) == (4, 3, 40)
    after = {path: path.stat().st_mtime_ns for path in output.rglob("*.png")}
    assert after.keys() == before.keys()
    assert [path for path in after if after[path] != before[path]] == [lost]


def test_ctrl_c_says_how_to_go_on_and_leaves_no_partial_file(
    source: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cut, calls = subimages._cut, []

    def interrupt_second(task: subimages._Task) -> bool:
        calls.append(task)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return cut(task)

    monkeypatch.setattr(subimages, "_cut", interrupt_second)
    assert crop(source) == 130
    assert "interrupted after 1 of 4 images" in capsys.readouterr().err
    output = source.with_name("train_sharp_sub")
    assert len(files(output)) == 10
    monkeypatch.undo()
    assert crop(source) == 0
    assert files(output).keys() == original_files(source, 24, 12, 0).keys()
    names = {path.name for path in output.rglob("*") if path.is_file()}
    assert names == {"00000000.png", "00000001.png", "subimages.json"}


def test_ctrl_c_is_one_line_while_processes_start_and_work(tmp_path: Path) -> None:
    folder = tmp_path / "in" / "clip"
    folder.mkdir(parents=True)
    large = frame(0, (600, 600))
    for index in range(60):
        cv2.imwrite(str(folder / f"{index}.png"), large)
    command = [sys.executable, "-m", "msvsr", "crop-subimages", folder.parent, "--workers", "2"]
    run = subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, start_new_session=True, cwd=REPOSITORY
    )
    output = tmp_path / "in_sub"
    deadline = time.monotonic() + 60
    while not (output / "subimages.json").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.5)  # by now the processes are starting
    os.killpg(run.pid, signal.SIGINT)
    _, errors = run.communicate(timeout=60)
    assert run.returncode == 130
    (line,) = errors.strip().splitlines()
    assert "the same command goes on from there" in line
    assert not list(output.rglob("*.tmp"))


def test_other_settings_are_not_mixed_in(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert crop(source) == 0
    capsys.readouterr()
    assert crop(source, "--step", 8) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "'step': 12" in line
    assert "'step': 8" in line


def test_a_single_clip_and_clips_in_folders_keep_their_names(tmp_path: Path, source: Path) -> None:
    assert crop(source / "000", "-o", tmp_path / "single") == 0
    assert {name.split("/")[0][:5] for name in files(tmp_path / "single")} == {"000_s"}
    source.rename(tmp_path / "outer")
    (tmp_path / "deep").mkdir()
    (tmp_path / "outer").rename(tmp_path / "deep" / "outer")
    assert crop(tmp_path / "deep", "-o", tmp_path / "deep" / "sub") == 0
    assert "outer/001_s010/00000001.png" in files(tmp_path / "deep" / "sub")
    assert crop(tmp_path / "deep", "-o", tmp_path / "deep" / "sub") == 0  # not its own output
    assert len(files(tmp_path / "deep" / "sub")) == 40


def test_depth_and_channels_stay(tmp_path: Path) -> None:
    folder = tmp_path / "in" / "clip"
    folder.mkdir(parents=True)
    deep = np.random.default_rng(0).integers(0, 65536, (24, 36, 3)).astype(np.uint16)
    grey = deep[..., 0].astype(np.uint8)
    cv2.imwrite(str(folder / "deep.png"), deep)
    cv2.imwrite(str(folder / "grey.png"), grey)
    cv2.imwrite(str(folder / "photo.jpg"), grey)
    report = cut_subimages(tmp_path / "in", tmp_path / "out", SubimageConfig(size=24, step=24))
    assert report.num_subimages == 6
    found = files(tmp_path / "out")
    np.testing.assert_array_equal(found["clip_s002/deep.png"], deep[:, 12:])
    np.testing.assert_array_equal(found["clip_s001/grey.png"], grey[:, :24])
    assert "clip_s001/photo.png" in found


def small_image(source: Path) -> None:
    cv2.imwrite(str(source / "000" / "00000000.png"), frame(0, (20, 64)))


def broken_image(source: Path) -> None:
    (source / "001" / "00000001.png").write_bytes(b"no image")


def other_size(source: Path) -> None:
    cv2.imwrite(str(source / "001" / "00000001.png"), frame(0, (40, 64)))


def two_of_a_name(source: Path) -> None:
    cv2.imwrite(str(source / "001" / "00000001.jpg"), frame(0))


def empty(source: Path) -> None:
    for path in source.rglob("*.png"):
        path.unlink()


def missing(source: Path) -> None:
    source.rename(source.with_name("elsewhere"))


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (small_image, "clip 000: images must have at least 24x24 pixels to be cut, got 64x20"),
        (broken_image, "00000001.png is not an image"),
        (other_size, "clip 001: all images must be as large as the first"),
        (two_of_a_name, "would both become 00000001.png"),
        (empty, "found no image"),
        (missing, "there is no folder"),
    ],
)
def test_what_cannot_be_cut_is_one_line(
    spoil: object, expected: str, source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(source)  # type: ignore[operator]
    assert crop(source) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert expected in line


def test_an_error_in_another_process_is_one_line_too(
    source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken_image(source)
    assert crop(source, workers=2) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "00000001.png is not an image" in line


@pytest.mark.parametrize(
    "arguments",
    [["--size", "0"], ["--step", "0"], ["--threshold", "-1"], ["--compression", "10"],
     ["--workers", "0"], ["--size", "big"]],
)  # fmt: skip
def test_impossible_numbers_are_wrong_usage(
    arguments: list[str], source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert crop(source, *arguments) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_quiet_prints_nothing(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert crop(source, "--quiet") == 0
    assert capsys.readouterr() == ("", "")
