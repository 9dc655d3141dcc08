"""The command line as a person uses it: real files in, real files out, one line for what fails."""

import json
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from msvsr.cli import main
from tests.support.clips import (
    AudioTrack,
    break_packet,
    cut_short,
    frame_times,
    make_video,
    moving_pattern,
    packets_of,
)
from tests.support.models import write_model_folder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_model_folder(tmp_path_factory.mktemp("model")))


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "my clip; with 'odd' name.mp4"
    irregular = [0, 512, 1024, 2048, 2560, 4096]
    make_video(
        path, 6, pts=irregular, time_base=Fraction(1, 12800), audio=[AudioTrack(seconds=0.5)]
    )
    return path


def listing(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def upscale(*arguments: object, model: str) -> int:
    fixed = ["--device", "cpu", "--dtype", "float32", "--model", model]
    return main(["upscale", *map(str, arguments), *fixed])


def test_a_video_becomes_four_times_as_large_with_its_sound_and_instants(
    clip: Path, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert upscale(clip, model=model) == 0
    output = clip.with_name("my clip; with 'odd' name_x4.mp4")
    assert frame_times(output) == frame_times(clip)
    assert packets_of(output, "audio") == packets_of(clip, "audio")
    printed = capsys.readouterr()
    assert "6 frames, 64x48 to 256x192" in printed.out
    assert printed.err == ""
    assert listing(clip.parent) == {clip.name, output.name}


def test_folders_of_images_in_and_out(tmp_path: Path, model: str) -> None:
    source, output = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    for index, image in enumerate(moving_pattern(3, size=(33, 41))):
        cv2.imwrite(str(source / f"frame{index}.png"), image)
    assert upscale(source, "-o", output, model=model) == 0
    assert len(listing(output)) == 3
    for path in output.iterdir():
        assert cv2.imread(str(path)).shape == (132, 164, 3)

    video = tmp_path / "out.mp4"
    assert upscale(source, "-o", video, "--fps", "30000/1001", model=model) == 0
    assert frame_times(video)[1] == Fraction(1001, 30000)

    assert upscale(video, "-o", tmp_path / "again", "--end", "0.05", model=model) == 0
    assert len(listing(tmp_path / "again")) == 2


def test_json_for_scripts(clip: Path, model: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert upscale(clip, "-o", clip.parent / "x.mkv", "--json", "--no-audio", model=model) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["num_frames"] == 6
    assert report["output_size"] == [192, 256]
    assert Path(report["output"]).is_file()
    assert packets_of(Path(report["output"]), "video")
    assert main(["info", str(clip.parent / "x.mkv"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["audio_streams"] == []


def test_quiet_prints_nothing(clip: Path, model: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert upscale(clip, "--quiet", model=model) == 0
    assert capsys.readouterr() == ("", "")


def test_start_and_end(clip: Path, model: str) -> None:
    output = clip.parent / "part.mp4"
    assert upscale(clip, "-o", output, "--start", "0:00.03", "--end", "0.2", model=model) == 0
    assert len(frame_times(output)) == 3
    assert frame_times(output)[0] == 0


def test_an_existing_output_is_kept_unless_asked(
    clip: Path, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    output = clip.parent / "there.mp4"
    output.write_bytes(b"precious")
    assert upscale(clip, "-o", output, model=model) == 1
    assert output.read_bytes() == b"precious"
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "there.mp4" in error
    assert upscale(clip, "-o", output, "--overwrite", model=model) == 0
    assert len(frame_times(output)) == 6


def test_damage_in_the_middle_keeps_what_comes_before(
    tmp_path: Path, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "damaged.mp4"
    make_video(source, 12, options={"g": "1", "bf": "0"})
    break_packet(source, 8)
    status = upscale(source, "-o", tmp_path / "out.mp4", model=model)
    error = capsys.readouterr().err
    assert status == 0
    assert len(frame_times(tmp_path / "out.mp4")) >= 8
    assert error.startswith("msvsr: warning:")


def truncated(path: Path) -> None:
    make_video(path, 6)
    cut_short(path, 0.5)


BAD_INPUTS = {
    "empty.mp4": lambda path: path.write_bytes(b""),
    "text.mp4": lambda path: path.write_text("this is no video"),
    "headless.mp4": truncated,
    "missing.mp4": lambda path: None,
    "folder": lambda path: path.mkdir(),
}


@pytest.mark.parametrize("name", BAD_INPUTS)
def test_bad_input_is_one_line_and_leaves_nothing(
    name: str, tmp_path: Path, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    BAD_INPUTS[name](tmp_path / name)
    before = listing(tmp_path)
    assert upscale(tmp_path / name, "-o", tmp_path / "out.mp4", model=model) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("msvsr: error:")
    assert printed.err.count("\n") == 1
    assert name in printed.err
    assert listing(tmp_path) == before


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["upscale"], "INPUT"),
        (["upsacle", "x.mp4"], "upsacle"),
        (["upscale", "x.mp4", "--crf", "best"], "--crf"),
        (["upscale", "x.mp4", "--crf", "99"], "crf"),
        (["upscale", "x.mp4", "--codec", "divx"], "h264"),
        (["upscale", "x.mp4", "--start", "soon"], "1:30"),
        (["upscale", "x.mp4", "--start", "5", "--end", "4"], "end_seconds"),
        (["upscale", "x.mp4", "--fps", "0"], "frame rate"),
        (["upscale", "x.mp4", "--tile", "1"], "tile"),
        (["upscale", "x.mp4", "--refine-scope", "movie"], "shot, frame"),
        (["upscale", "x.mp4", "--encoder-option", "tune"], "KEY=VALUE"),
        (["upscale", "x.mp4", "--dtype", "float8"], "float8"),
        (["upscale", "x.mp4", "--device", "toaster"], "toaster"),
        (["upscale", "x.mp4", "--model", "no-such-model"], "no-such-model"),
    ],
)
def test_wrong_usage_is_told_and_exits_with_2(
    arguments: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert expected in line


def test_an_unexpected_error_is_one_line_too(
    clip: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("msvsr.video.probe", lambda *_, **__: 1 / 0)
    assert main(["info", str(clip)]) == 1
    assert "unexpected ZeroDivisionError" in capsys.readouterr().err


def test_info_shows_what_the_reader_sees(clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(clip), "--count"]) == 0
    printed = capsys.readouterr().out
    for part in ("64x48", "6 (counted), variable rate", "aac", "h264"):
        assert part in printed


def test_models_are_listed_with_where_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    assert "realbasicvsr_lite_x4 (default)" in capsys.readouterr().out
    assert main(["models", "--json"]) == 0
    for entry in json.loads(capsys.readouterr().out):
        assert Path(entry["folder"], "configuration.json").is_file()


def test_help_is_quick_and_loads_nothing_heavy() -> None:
    heavy = ("torch", "numpy", "av", "modelscope", "cv2")
    code = (
        "import sys; from msvsr.cli import main; status = main(['upscale', '--help']); "
        f"print([name for name in {heavy} if name in sys.modules]); sys.exit(status)"
    )
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("[]\n")
    assert time.monotonic() - began < 5  # generous for a busy machine; it takes a tenth of a second


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=str)
def test_an_interrupted_run_leaves_nothing(number: int, tmp_path: Path, model: str) -> None:
    source = tmp_path / "long.mp4"
    make_video(source, 400)
    arguments = [source, "-o", tmp_path / "out.mp4", "--model", model, "--device", "cpu"]
    options = ["--max-shot-frames", "20", "--look-ahead", "5"]
    # A runner in the background ignores Ctrl-C, and children inherit that.
    code = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from msvsr.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, "upscale", *map(str, arguments), *options],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while listing(tmp_path) == {source.name} and time.monotonic() < deadline:
        time.sleep(0.05)  # until the hidden output is begun
    assert len(listing(tmp_path)) == 2, "the run never began to write"
    process.send_signal(number)
    _, error = process.communicate(timeout=60)
    assert process.returncode in (130, 143)
    assert "Traceback" not in error
    assert listing(tmp_path) == {source.name}


def test_values_come_through_unharmed(tmp_path: Path, model: str) -> None:
    """A lossless output holds the very values of a folder of PNGs."""
    source = tmp_path / "in.mp4"
    make_video(source, 3)
    assert upscale(source, "-o", tmp_path / "png", model=model) == 0
    assert upscale(source, "-o", tmp_path / "x.mkv", "--codec", "ffv1", model=model) == 0
    from msvsr.video import open_source

    with open_source(tmp_path / "png") as folder, open_source(tmp_path / "x.mkv") as video:
        for left, right in zip(folder, video, strict=True):
            assert np.abs(left.image.astype(int) - right.image).max() <= 2
