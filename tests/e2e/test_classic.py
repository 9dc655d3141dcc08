"""``msvsr classic`` as a person uses it: videos, folders and images, in and out."""

import json
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

import msvsr
from msvsr.classical import Clahe, Gaussian, Scale, apply_steps, parse_steps
from msvsr.cli import main
from msvsr.errors import ConfigError
from msvsr.video import open_source, probe
from tests.support.clips import (
    AudioTrack,
    SubtitleTrack,
    frame_times,
    make_video,
    moving_pattern,
    packets_of,
)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A video of variable rate with sound and subtitles."""
    return make_video(
        tmp_path / "my clip.mkv",
        6,
        pts=[0, 512, 1024, 2048, 2560, 4096],
        time_base=Fraction(1, 12800),
        audio=[AudioTrack(seconds=0.5)],
        subtitles=[SubtitleTrack()],
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    source = tmp_path / "in"
    source.mkdir()
    for index, image in enumerate(moving_pattern(3, size=(33, 41))):
        cv2.imwrite(str(source / f"frame{index}.png"), image)
    return source


def classic(*arguments: object) -> int:
    return main(["classic", *map(str, arguments)])


def images_of(path: Path) -> list[np.ndarray]:
    with open_source(path) as source:
        return [frame.image for frame in source]


def test_a_video_keeps_its_instants_sound_and_subtitles(
    clip: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert classic(clip, "--steps", "sharpen,denoise,upscale:factor=2") == 0
    output = clip.with_name("my clip_classic.mkv")
    assert frame_times(output) == frame_times(clip)
    assert packets_of(output, "audio") == packets_of(clip, "audio")
    assert packets_of(output, "subtitles") == packets_of(clip, "subtitles")
    printed = capsys.readouterr()
    assert "6 frames, 64x48 to 128x96" in printed.out
    assert printed.err == ""


def test_the_steps_are_what_happens_to_each_frame(clip: Path, tmp_path: Path) -> None:
    text = "unsharp:amount=0.8:radius=2,median:size=3,scale:factor=1.5:method=lanczos"
    output = tmp_path / "out.mkv"
    assert classic(clip, "-o", output, "--codec", "h264-lossless", "--steps", text) == 0
    results, sources = images_of(output), images_of(clip)
    assert len(results) == len(sources) == 6
    for result, source in zip(results, sources, strict=True):
        np.testing.assert_array_equal(result, apply_steps(source, parse_steps(text)))


def test_folders_in_and_out(folder: Path, tmp_path: Path) -> None:
    assert classic(folder, "--steps", "bicubic:factor=0.5") == 0
    results = images_of(folder.with_name("in_classic"))
    assert [image.shape for image in results] == [(16, 20, 3)] * 3
    video = tmp_path / "out.mp4"
    assert classic(folder, "-o", video, "--fps", "30000/1001", "--steps", "nearest:factor=2") == 0
    assert frame_times(video)[1] == Fraction(1001, 30000)
    assert probe(video).size == (66, 82)


def test_an_image_gives_an_image(folder: Path, tmp_path: Path) -> None:
    source = folder / "frame1.png"
    assert classic(source, "--steps", "clahe") == 0
    (expected,) = (Clahe()(image) for image in images_of(source))
    (result,) = images_of(folder / "frame1_classic.png")
    np.testing.assert_array_equal(result, expected)
    for suffix in (".jpg", ".webp", ".bmp", ".tif"):
        output = tmp_path / f"new folder/out{suffix}"
        assert classic(source, "-o", output, "--steps", "clahe") == 0
        (image,) = images_of(output)
        assert np.abs(image.astype(int) - expected).mean() < 3
    assert classic(source, "-o", tmp_path / "frames", "--steps", "clahe") == 0
    assert [path.name for path in (tmp_path / "frames").iterdir()] == ["00000000.png"]


def test_16_bits_stay(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    deep = rng.integers(0, 65536, (20, 30, 3), dtype=np.uint16)
    source = tmp_path / "in"
    source.mkdir()
    for index in range(2):
        cv2.imwrite(str(source / f"{index}.png"), deep[..., ::-1])
    expected = apply_steps(deep, [Gaussian(), Scale(factor=2)])
    steps = "gaussian,scale:factor=2"
    assert classic(source, "-o", tmp_path / "out", "--steps", steps) == 0
    assert classic(source / "0.png", "-o", tmp_path / "x.tif", "--steps", steps) == 0
    assert classic(source / "0.png", "-o", tmp_path / "x.png", "--steps", steps) == 0
    for path in (tmp_path / "out/00000001.png", tmp_path / "x.tif", tmp_path / "x.png"):
        (result,) = images_of(path)
        np.testing.assert_array_equal(result, expected)
    assert classic(source / "0.png", "-o", tmp_path / "x.jpg", "--steps", steps) == 0
    assert images_of(tmp_path / "x.jpg")[0].dtype == np.uint8


def test_10_bit_video_stays_10_bit(tmp_path: Path) -> None:
    source = make_video(tmp_path / "in.mp4", 3, codec="libx265", pixel_format="yuv420p10le")
    output = tmp_path / "out.mp4"
    assert classic(source, "-o", output, "--codec", "hevc", "--steps", "bilateral,equalize") == 0
    assert probe(output).bit_depth == 10
    assert classic(source, "-o", tmp_path / "out", "--steps", "mean") == 0
    assert probe(tmp_path / "out").bit_depth == 16


def test_the_library_takes_steps_or_a_text(clip: Path, tmp_path: Path) -> None:
    seen: list[float] = []
    report = msvsr.classic_video(
        clip,
        tmp_path / "a.mp4",
        steps=[Gaussian(sigma=2), Scale(factor=0.5)],
        on_progress=lambda progress: seen.append(progress.frames_done),
    )
    assert report.output_size == (24, 32)
    assert seen == [1, 2, 3, 4, 5, 6]
    same = msvsr.classic_video(clip, tmp_path / "b.mp4", steps="gaussian:sigma=2,scale:factor=0.5")
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()
    assert same.num_frames == 6
    with pytest.raises(ConfigError, match="no step"):
        msvsr.classic_video(clip, tmp_path / "c.mp4", steps=[])


def test_json_and_quiet(clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert classic(clip, "-o", tmp_path / "a.mp4", "--steps", "mean", "--json", "--no-audio") == 0
    assert json.loads(capsys.readouterr().out)["output_size"] == [48, 64]
    assert classic(clip, "-o", tmp_path / "b.mp4", "--steps", "mean", "--quiet") == 0
    assert capsys.readouterr() == ("", "")


def test_list_explains_every_step_without_an_input(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["classic", "--list"]) == 0
    printed = capsys.readouterr().out
    for part in ("unsharp, sharpen\n", "amount=1.0", "lanczos  short for scale:method=lanczos"):
        assert part in printed
    assert max(map(len, printed.splitlines())) <= 96


@pytest.mark.parametrize(
    ("steps", "output", "status", "expected"),
    [
        ("sharpn", "out.mp4", 2, "'sharpn'"),
        ("median:size=4", "out.mp4", 2, "odd from 3 to 31"),
        ("scale:factor=16,scale:factor=16,scale:factor=16", "out.mp4", 2, "scale by less"),
        ("mean", "out.png", 2, ".png is not written"),
        ("mean", "my clip.mkv", 1, "the output is the input"),
        ("mean", "out.gif", 2, ".gif is not written"),
    ],
)
def test_what_is_wrong_is_one_line_and_leaves_nothing(
    steps: str,
    output: str,
    status: int,
    expected: str,
    clip: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert classic(clip, "-o", clip.parent / output, "--steps", steps) == status
    (line,) = capsys.readouterr().err.splitlines()
    assert expected in line
    assert [path.name for path in clip.parent.iterdir()] == [clip.name]


def test_an_image_is_never_written_over_itself(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = folder / "frame0.png"
    before = source.read_bytes()
    assert classic(source, "-o", source, "--overwrite", "--steps", "mean") == 1
    assert "the output is the input" in capsys.readouterr().err
    assert classic(source, "-o", folder / "frame1.png", "--steps", "mean") == 1
    assert "exists already" in capsys.readouterr().err
    assert source.read_bytes() == before


def test_steps_are_asked_for(clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert classic(clip) == 2
    assert "--steps" in capsys.readouterr().err
