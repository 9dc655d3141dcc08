"""The original project's command line: its arguments, its files, and the same pixels."""

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from msvsr.cli import main
from msvsr.compat.original_inference import load_original_model
from msvsr.errors import ConfigError
from msvsr.video import open_source, probe
from tests.support.clips import AudioTrack, Chapter, frame_times, make_video, moving_pattern
from tests.support.models import TINY, tiny_network, write_model_folder

SETTINGS = ", ".join(f"{name}={value!r}" for name, value in TINY.items())
CONFIG = f"""
exp_name = 'tiny'
model = dict(
    type='RealBasicVSR',
    generator=dict(type='RealBasicVSRNet', is_sequential_cleaning=True, {SETTINGS}),
    discriminator=dict(type='UNetDiscriminatorWithSpectralNorm', in_channels=3),
    is_use_ema=True)
test_cfg = dict(metrics=[])
work_dir = f'./work_dirs/{{exp_name}}'
"""


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("configs") / "realbasicvsr_x4.py"
    path.write_text(CONFIG)
    return path


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file as the training framework leaves it: averaged and last weights, and much beside."""
    weights = tiny_network().state_dict()
    state = {f"generator_ema.{key}": value for key, value in weights.items()}
    state |= {f"generator.{key}": torch.zeros_like(value) for key, value in weights.items()}
    state |= {"discriminator.conv0.weight": torch.ones(2), "step_counter": torch.zeros(1)}
    path = tmp_path_factory.mktemp("checkpoints") / "RealBasicVSR_x4.pth"
    meta = {"iter": 150_000, "mmcv_version": "1.3.17", "config": CONFIG}
    torch.save({"meta": meta, "state_dict": state, "optimizer": {"generator": {"lr": 1e-4}}}, path)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    source = tmp_path / "data" / "demo_000"
    source.mkdir(parents=True)
    for index, image in enumerate(moving_pattern(5, size=(64, 72))):
        cv2.imwrite(str(source / f"{index:08d}.png"), image)
    return source


def inference(config: Path, checkpoint: Path, *arguments: object) -> int:
    fixed = ["--device", "cpu", "--dtype", "float32"]
    paths = [str(config), str(checkpoint)]
    return main(["inference-realbasicvsr", *paths, *map(str, arguments), *fixed])


def images_of(path: Path) -> list[np.ndarray]:
    with open_source(path) as source:
        return [frame.image for frame in source]


def by_the_network(images: list[np.ndarray], length: int | None) -> list[np.ndarray]:
    """The frames in independent windows through the plain network, as the original does it."""
    network = tiny_network().eval()
    clip = torch.stack([torch.from_numpy(image.copy()) for image in images])
    clip = (clip.movedim(-1, -3).float() / 255)[None]  # n t c h w
    with torch.inference_mode():
        parts = [network(part).sr for part in clip.split(length or len(images), dim=1)]
    frames = torch.cat(parts, dim=1)[0].clamp(0, 1).movedim(-3, -1)
    return list((frames * 255).round().byte().numpy())


@pytest.mark.parametrize(
    ("options", "length"),
    [
        ([], None),
        (["--max_seq_len", "1"], 1),
        (["--max_seq_len=2"], 2),
        (["--max-seq-len", "2"], 2),
        (["--max_seq_len", "9"], 9),
    ],
)
def test_a_folder_becomes_what_the_network_makes_of_its_windows(
    options: list[str],
    length: int | None,
    config: Path,
    checkpoint: Path,
    folder: Path,
    tmp_path: Path,
) -> None:
    output = tmp_path / "results" / "demo_000"
    assert inference(config, checkpoint, folder, output, *options) == 0
    expected = by_the_network(images_of(folder), length)
    for result, image in zip(images_of(output), expected, strict=True):
        # Sums in another order, so a value near a half may be rounded the other way.
        assert np.abs(result.astype(int) - image).max() <= 1
        assert np.mean(result != image) < 1e-3


@pytest.mark.parametrize("length", [2, 3])
def test_it_equals_our_own_command_without_context(
    length: int, config: Path, checkpoint: Path, folder: Path, tmp_path: Path
) -> None:
    model = write_model_folder(tmp_path / "model")
    assert inference(config, checkpoint, folder, tmp_path / "a", "--max_seq_len", length) == 0
    upscale = ["upscale", str(folder), "-o", str(tmp_path / "b"), "--model", str(model)]
    limits = ["--max-frames", str(length), "--overlap", "0", "--device", "cpu"]
    assert main([*upscale, *limits, "--dtype", "float32"]) == 0
    for left, right in zip(images_of(tmp_path / "a"), images_of(tmp_path / "b"), strict=True):
        np.testing.assert_array_equal(left, right)


def test_a_cut_does_not_move_the_windows(
    config: Path, checkpoint: Path, folder: Path, tmp_path: Path
) -> None:
    for index, image in enumerate(moving_pattern(3, size=(64, 72)), 5):
        cv2.imwrite(str(folder / f"{index:08d}.png"), 255 - image)
    assert inference(config, checkpoint, folder, tmp_path / "a", "--max_seq_len", 4) == 0
    expected = by_the_network(images_of(folder), 4)
    for result, image in zip(images_of(tmp_path / "a"), expected, strict=True):
        assert np.abs(result.astype(int) - image).max() <= 1


def test_images_keep_their_names_and_with_false_their_formats(
    config: Path, checkpoint: Path, tmp_path: Path
) -> None:
    source = tmp_path / "in.put"
    source.mkdir()
    images = moving_pattern(3, (64, 64))
    for name, image in zip(("f10.jpg", "f9.png", "a.v2.jpeg"), images, strict=True):
        cv2.imwrite(str(source / name), image)
    (source / "notes.txt").write_text("no image")
    output = tmp_path / "out.put"
    assert inference(config, checkpoint, source, output) == 0
    assert {path.name for path in output.iterdir()} == {"f10.png", "f9.png", "a.v2.png"}
    # In natural order, f9 comes before f10.
    alone = [
        cv2.imread(str(source / name))[..., ::-1] for name in ("a.v2.jpeg", "f9.png", "f10.jpg")
    ]
    last = by_the_network(alone, None)[2]
    result = cv2.imread(str(output / "f10.png"))[..., ::-1]
    assert np.abs(result.astype(int) - last).max() <= 1

    kept = tmp_path / "kept"
    for word in ("False", "0"):
        assert inference(config, checkpoint, source, kept, "--is_save_as_png", word) == 0
    assert {path.name for path in kept.iterdir()} == {"f10.jpg", "f9.png", "a.v2.jpeg"}
    assert (kept / "f10.jpg").read_bytes()[:2] == b"\xff\xd8"


def test_results_join_and_replace_what_is_in_the_folder(
    config: Path, checkpoint: Path, folder: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    output.mkdir()
    (output / "notes.txt").write_text("stays")
    (output / "00000001.png").write_bytes(b"old")
    assert inference(config, checkpoint, folder, output) == 0
    assert inference(config, checkpoint, folder, output) == 0  # as often as one likes
    assert (output / "notes.txt").read_text() == "stays"
    assert cv2.imread(str(output / "00000001.png")).shape == (256, 288, 3)
    assert {path.name for path in tmp_path.iterdir()} == {"data", "out"}
    assert len(list(output.iterdir())) == 6


def test_a_folder_becomes_a_video(
    config: Path, checkpoint: Path, folder: Path, tmp_path: Path
) -> None:
    output = tmp_path / "new" / "demo.mp4"
    assert inference(config, checkpoint, folder, output) == 0
    assert probe(output).size == (256, 288)
    assert frame_times(output) == [Fraction(index, 25) for index in range(5)]
    assert inference(config, checkpoint, folder, output, "--fps", "12.5") == 0
    assert frame_times(output) == [Fraction(2 * index, 25) for index in range(5)]


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return make_video(
        tmp_path / "clip.mp4",
        6,
        size=(64, 64),
        rate=Fraction(30),
        audio=[AudioTrack(seconds=0.2)],
        chapters=[Chapter(start=0.0, end=0.1, title="one")],
    )


def test_a_video_becomes_a_folder(
    config: Path, checkpoint: Path, video: Path, tmp_path: Path
) -> None:
    output = tmp_path / "frames"
    assert inference(config, checkpoint, video, output, "--is_save_as_png", "False") == 0
    assert sorted(path.name for path in output.iterdir()) == [f"{i:08d}.png" for i in range(6)]
    expected = by_the_network(images_of(video), None)
    for result, image in zip(images_of(output), expected, strict=True):
        assert np.abs(result.astype(int) - image).max() <= 1


def test_a_video_becomes_a_video_in_step_with_its_sound(
    config: Path, checkpoint: Path, video: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out.mp4"
    for options in ([], ["--fps", "30"]):
        assert inference(config, checkpoint, video, output, *options) == 0
        assert frame_times(output) == frame_times(video)
        assert len(probe(output).audio_streams) == 1


def test_another_rate_shows_every_frame_at_it_and_says_what_is_lost(
    config: Path,
    checkpoint: Path,
    video: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = tmp_path / "out.mp4"
    assert inference(config, checkpoint, video, output, "--fps", "12.5") == 0
    assert frame_times(output) == [Fraction(2 * index, 25) for index in range(6)]
    info = probe(output)
    assert info.audio_streams == ()
    assert info.chapters == ()
    (warning,) = capsys.readouterr().err.splitlines()
    assert "12.5 instead of 30" in warning


def test_it_runs_as_a_module(config: Path, checkpoint: Path, folder: Path, tmp_path: Path) -> None:
    module = [sys.executable, "-m", "msvsr.compat.inference_realbasicvsr"]
    paths = [str(path) for path in (config, checkpoint, folder, tmp_path / "out")]
    done = subprocess.run([*module, *paths, "--device", "cpu"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "5 frames, 72x64 to 288x256" in done.stdout
    assert len(list((tmp_path / "out").iterdir())) == 5
    wrong = subprocess.run([*module, *paths[:3]], capture_output=True, text=True)
    assert wrong.returncode == 2
    assert "OUTPUT" in wrong.stderr
    assert wrong.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "status", "expected"),
    [
        (["no.py", "CHECKPOINT", "INPUT", "out"], 2, "no.py"),
        (["CONFIG", "no.pth", "INPUT", "out"], 1, "no.pth"),
        (["CONFIG", "CHECKPOINT", "no folder", "out"], 1, "no folder"),
        (["CONFIG", "CHECKPOINT", "INPUT", "INPUT"], 1, "the output is the input"),
        (["CONFIG", "CHECKPOINT", "INPUT", "out.avi"], 2, ".avi is not written"),
        (["CONFIG", "CHECKPOINT", "INPUT", "file"], 1, "is a file"),
        (["CONFIG", "CHECKPOINT", "INPUT", "out", "--max_seq_len", "0"], 2, "max_seq_len"),
        (["CONFIG", "CHECKPOINT", "INPUT", "out", "--is_save_as_png", "maybe"], 2, "'maybe'"),
        (["CONFIG", "CHECKPOINT", "INPUT", "out.mp4", "--fps", "0"], 2, "frame rate"),
    ],
)
def test_what_is_wrong_is_one_line_and_leaves_nothing(
    arguments: list[str],
    status: int,
    expected: str,
    config: Path,
    checkpoint: Path,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    places = {"CONFIG": str(config), "CHECKPOINT": str(checkpoint), "INPUT": str(folder)}
    given = [places.get(argument, argument) for argument in arguments]
    assert main(["inference-realbasicvsr", *given, "--device", "cpu"]) == status
    (line,) = capsys.readouterr().err.splitlines()
    assert expected in line
    assert {path.name for path in tmp_path.iterdir()} == {"data", "file"}
    assert len(list(folder.iterdir())) == 5


def test_two_images_are_never_written_under_one_name(
    config: Path,
    checkpoint: Path,
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    image = cv2.imread(str(folder / "00000000.png"))
    cv2.imwrite(str(folder / "00000000.jpg"), image)
    assert inference(config, checkpoint, folder, tmp_path / "out") == 2
    assert "would both become 00000000.png" in capsys.readouterr().err
    assert inference(config, checkpoint, folder, tmp_path / "out", "--is_save_as_png=no") == 0
    assert len(list((tmp_path / "out").iterdir())) == 6


def test_an_image_that_cannot_be_read_leaves_the_names_of_the_others(
    config: Path,
    checkpoint: Path,
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (folder / "00000002.png").write_bytes(b"damaged")
    assert inference(config, checkpoint, folder, tmp_path / "out") == 0
    assert "00000002.png cannot be decoded" in capsys.readouterr().err
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["00000000.png", "00000001.png", "00000003.png", "00000004.png"]


def test_the_averaged_weights_are_taken(config: Path, checkpoint: Path) -> None:
    model = load_original_model(config, checkpoint, device="cpu", dtype="float32")
    expected = tiny_network().state_dict()
    for key, value in model.network.state_dict().items():
        torch.testing.assert_close(value, expected[key])
    with pytest.raises(ConfigError, match="toaster"):
        load_original_model(config, checkpoint, device="toaster")
