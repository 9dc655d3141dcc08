"""``msvsr interpolate`` and ``msvsr enhance`` as a person uses them: real files in and out."""

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
from msvsr.video import open_source, probe
from tests.support.clips import AudioTrack, frame_times, make_video, moving_pattern, packets_of
from tests.support.models import write_interpolation_folder, write_model_folder

CPU = ["--device", "cpu", "--dtype", "float32"]


@pytest.fixture(scope="module")
def smoother(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_interpolation_folder(tmp_path_factory.mktemp("smoother")))


@pytest.fixture(scope="module")
def enlarger(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_model_folder(tmp_path_factory.mktemp("enlarger")))


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "my clip; with 'odd' name.mp4"
    return make_video(path, 4, rate=Fraction(24000, 1001), audio=[AudioTrack(seconds=0.2)])


def listing(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def interpolate(*arguments: object, model: str) -> int:
    return main(["interpolate", *map(str, arguments), *CPU, "--model", model])


def enhance(*arguments: object, smoother: str, enlarger: str) -> int:
    models = ["--upscale-model", enlarger, "--interpolate-model", smoother]
    return main(["enhance", *map(str, arguments), *CPU, *models])


def write_images(folder: Path, count: int, size: tuple[int, int] = (33, 41)) -> None:
    folder.mkdir()
    for index, image in enumerate(moving_pattern(count, size=size)):
        cv2.imwrite(str(folder / f"frame{index}.png"), image)


def test_film_becomes_60_frames_per_second_with_its_sound(
    clip: Path, smoother: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert interpolate(clip, "--fps", "60", model=smoother) == 0
    output = clip.with_name("my clip; with 'odd' name_60fps.mp4")
    assert frame_times(output) == [Fraction(number, 60) for number in range(11)]
    assert packets_of(output, "audio") == packets_of(clip, "audio")
    printed = capsys.readouterr()
    assert "11 frames, 64x48, 23.976 to 60 fps" in printed.out
    assert printed.err == ""
    assert listing(clip.parent) == {clip.name, output.name}


@pytest.mark.parametrize(
    ("arguments", "rate"),
    [
        ([], "48000/1001"),
        (["--ratio", "3"], "72000/1001"),
        (["--ratio", "5/2"], "60000/1001"),
        (["--ratio", "2.5"], "60000/1001"),
        (["--fps", "59.94"], "60000/1001"),
        (["--fps", "60000/1001"], "60000/1001"),
        (["--fps", "29.97"], "30000/1001"),
        (["--fps", "12.5"], "25/2"),
        (["--keep-rhythm", "--ratio", "2"], "48000/1001"),
        (["--replace-duplicates", "--at-cuts", "blend", "--no-cuts"], "48000/1001"),
    ],
)
def test_ratios_and_rates_are_exact(
    arguments: list[str], rate: str, clip: Path, smoother: str
) -> None:
    output = clip.parent / "out.mp4"
    assert interpolate(clip, "-o", output, *arguments, model=smoother) == 0
    times = frame_times(output)
    assert len(times) >= 2
    assert times == [number / Fraction(rate) for number in range(len(times))]


def test_the_ratio_wins_and_a_line_says_so(
    clip: Path, smoother: str, capsys: pytest.CaptureFixture[str]
) -> None:
    both = ["-o", clip.parent / "out.mp4", "--ratio", "3", "--fps", "60", "--overwrite"]
    assert interpolate(clip, *both, model=smoother) == 0
    printed = capsys.readouterr()
    assert printed.err.startswith("msvsr: warning: both a ratio and a frame rate")
    assert printed.err.count("\n") == 1
    assert "12 frames" in printed.out
    assert interpolate(clip, *both, "--quiet", model=smoother) == 0
    assert capsys.readouterr() == ("", "")


def test_two_images_become_three_and_a_folder_becomes_a_video(
    tmp_path: Path, smoother: str
) -> None:
    write_images(tmp_path / "in", 2)
    assert interpolate(tmp_path / "in", "-o", tmp_path / "out", "--ratio", 2, model=smoother) == 0
    assert len(listing(tmp_path / "out")) == 3
    with open_source(tmp_path / "in") as source, open_source(tmp_path / "out") as result:
        before, after = [f.image for f in source], [f.image for f in result]
    np.testing.assert_array_equal(after[0], before[0])
    np.testing.assert_array_equal(after[2], before[1])

    video = tmp_path / "out.mp4"
    rates = ["--input-fps", "24", "--fps", "60"]
    assert interpolate(tmp_path / "in", "-o", video, *rates, model=smoother) == 0
    assert frame_times(video) == [Fraction(number, 60) for number in range(3)]


def test_the_rate_of_images_has_one_name_in_all_commands(
    tmp_path: Path, smoother: str, enlarger: str
) -> None:
    write_images(tmp_path / "in", 2, size=(32, 32))
    output = ["-o", tmp_path / "out.mp4", "--overwrite"]
    for name in ("--input-fps", "--fps"):
        arguments = ["upscale", tmp_path / "in", *output, name, "10", *CPU, "--model", enlarger]
        assert main([*map(str, arguments)]) == 0
        assert frame_times(tmp_path / "out.mp4") == [0, Fraction(1, 10)]
    both = [*output, "--upscale", "--input-fps", "10", "--fps", "20"]
    assert enhance(tmp_path / "in", *both, smoother=smoother, enlarger=enlarger) == 0
    assert frame_times(tmp_path / "out.mp4") == [0, Fraction(1, 20), Fraction(1, 10)]


def test_json_for_scripts(clip: Path, smoother: str, capsys: pytest.CaptureFixture[str]) -> None:
    output = clip.parent / "x.mkv"
    assert interpolate(clip, "-o", output, "--json", "--no-audio", model=smoother) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["num_frames"] == 8
    assert report["output_size"] == report["input_size"] == [48, 64]
    assert report["input_frame_rate"] == "24000/1001"
    assert report["output_frame_rate"] == "48000/1001"
    assert Path(report["output"]) == output
    assert probe(output).audio_streams == ()


def test_an_existing_output_is_kept_unless_asked(
    clip: Path, smoother: str, capsys: pytest.CaptureFixture[str]
) -> None:
    output = clip.parent / "there.mp4"
    output.write_bytes(b"precious")
    assert interpolate(clip, "-o", output, model=smoother) == 1
    assert output.read_bytes() == b"precious"
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "there.mp4" in error
    assert interpolate(clip, "-o", output, "--overwrite", model=smoother) == 0
    assert len(frame_times(output)) == 8


@pytest.mark.parametrize("order", ["auto", "upscale-first", "interpolate-first"])
def test_larger_and_smoother_at_once(
    order: str, clip: Path, smoother: str, enlarger: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["--upscale", "--ratio", "2", "--order", order]
    assert enhance(clip, *asked, smoother=smoother, enlarger=enlarger) == 0
    output = clip.with_name("my clip; with 'odd' name_x4_47.952fps.mp4")
    assert probe(output).size == (192, 256)
    assert len(frame_times(output)) == 8
    assert packets_of(output, "audio") == packets_of(clip, "audio")
    assert "8 frames, 64x48 to 256x192, 23.976 to 47.952 fps" in capsys.readouterr().out
    assert listing(clip.parent) == {clip.name, output.name}


def test_enhance_does_no_more_than_is_asked(clip: Path, smoother: str, enlarger: str) -> None:
    models = {"smoother": smoother, "enlarger": enlarger}
    assert enhance(clip, "-o", clip.parent / "large.mp4", "--upscale", **models) == 0
    assert enhance(clip, "-o", clip.parent / "smooth.mp4", "--fps", "60", **models) == 0
    large, smooth = clip.parent / "large.mp4", clip.parent / "smooth.mp4"
    assert (probe(large).size, len(frame_times(large))) == ((192, 256), 4)
    assert (probe(smooth).size, len(frame_times(smooth))) == ((48, 64), 11)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["interpolate"], "INPUT"),
        (["interpolate", "x.mp4", "--ratio", "1"], "interp_ratio must be above 1"),
        (["interpolate", "x.mp4", "--ratio", "1/2"], "give out_fps"),
        (["interpolate", "x.mp4", "--ratio", "1/0"], "is no ratio: expected 2, 2.5 or 5/2"),
        (["interpolate", "x.mp4", "--ratio", "twice"], "is no ratio"),
        (["interpolate", "x.mp4", "--fps", "0"], "is no frame rate"),
        (["interpolate", "x.mp4", "--fps", "1e9"], "out_fps"),
        (["interpolate", "x.mp4", "--fps", "60", "--keep-rhythm"], "keep_rhythm"),
        (["interpolate", "x.mp4", "--at-cuts", "jump"], "repeat, blend"),
        (["interpolate", "x.mp4", "--constant-fps", "30", "--model", "SMOOTHER"], "--fps"),
        (["interpolate", "x.mp4", "--tile", "64"], "--tile"),
        (["interpolate", "x.mp4", "--device", "toaster", "--model", "SMOOTHER"], "toaster"),
        (["interpolate", "x.mp4", "--model", "no-such-model"], "no-such-model"),
        (["interpolate", "x.mp4", "--model", "ENLARGER"], "video-super-resolution"),
        (["upscale", "x.mp4", "--model", "SMOOTHER"], "video-frame-interpolation"),
        (["enhance", "x.mp4"], "nothing to do: give --upscale, --ratio or --fps"),
        (["enhance", "x.mp4", "--upscale", "--keep-rhythm"], "need --ratio or --fps"),
        (["enhance", "x.mp4", "--upscale", "--fps", "0.0"], "is no frame rate"),
        (
            ["enhance", "x.mp4", "--upscale", "--ratio", "2", "--order", "both",
             "--upscale-model", "ENLARGER", "--interpolate-model", "SMOOTHER"],
            "order must be one of",
        ),
        (
            ["enhance", "x.mp4", "--upscale", "--ratio", "2", "--constant-fps", "30",
             "--upscale-model", "ENLARGER", "--interpolate-model", "SMOOTHER"],
            "--fps",
        ),
    ],
)  # fmt: skip
def test_wrong_usage_is_told_and_exits_with_2(
    arguments: list[str],
    expected: str,
    smoother: str,
    enlarger: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folders = {"SMOOTHER": smoother, "ENLARGER": enlarger}
    assert main([folders.get(argument, argument) for argument in arguments]) == 2
    printed = capsys.readouterr()
    (line,) = printed.err.splitlines()
    assert expected in line
    assert "unexpected" not in line
    assert printed.out == ""


def test_a_rate_for_images_does_not_suit_a_video(
    clip: Path, smoother: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert interpolate(clip, "--input-fps", "24", model=smoother) == 2
    assert "frame_rate is for folders of images" in capsys.readouterr().err
    assert listing(clip.parent) == {clip.name}


@pytest.mark.parametrize("command", ["interpolate", "enhance"])
def test_bad_input_is_one_line_and_leaves_nothing(
    command: str, tmp_path: Path, smoother: str, enlarger: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "text.mp4").write_text("this is no video")
    arguments = [tmp_path / "text.mp4", "-o", tmp_path / "out.mp4", "--ratio", "2"]
    if command == "interpolate":
        assert interpolate(*arguments, model=smoother) == 1
    else:
        assert enhance(*arguments, "--upscale", smoother=smoother, enlarger=enlarger) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("msvsr: error:")
    assert printed.err.count("\n") == 1
    assert "text.mp4" in printed.err
    assert listing(tmp_path) == {"text.mp4"}


def test_models_of_both_tasks_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--json"]) == 0
    tasks = {entry["task"] for entry in json.loads(capsys.readouterr().out)}
    assert tasks == {"video-super-resolution", "video-frame-interpolation"}


@pytest.mark.parametrize("command", ["interpolate", "enhance"])
def test_help_is_quick_and_loads_nothing_heavy(command: str) -> None:
    heavy = ("torch", "numpy", "av", "modelscope", "cv2")
    code = (
        f"import sys; from msvsr.cli import main; status = main(['{command}', '--help']); "
        f"print([name for name in {heavy} if name in sys.modules]); sys.exit(status)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("[]\n")
    assert "--input-fps" in done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_an_interrupted_run_leaves_nothing(tmp_path: Path, smoother: str, enlarger: str) -> None:
    source = make_video(tmp_path / "long.mp4", 400)
    models = ["--upscale-model", enlarger, "--interpolate-model", smoother]
    code = "import sys; from msvsr.cli import main; sys.exit(main(sys.argv[1:]))"
    process = subprocess.Popen(
        [
            sys.executable, "-c", code, "enhance", str(source), "-o", str(tmp_path / "out.mp4"),
            "--upscale", "--ratio", "2", "--max-shot-frames", "10", "--look-ahead", "2",
            *CPU, *models,
        ],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while listing(tmp_path) == {source.name} and time.monotonic() < deadline:
        time.sleep(0.05)  # until the hidden output is begun
    begun = listing(tmp_path)
    process.send_signal(signal.SIGTERM)
    _, error = process.communicate(timeout=60)
    assert len(begun) == 2, "the run never began to write"
    assert process.returncode in (130, 143)
    assert "Traceback" not in error
    assert listing(tmp_path) == {source.name}
