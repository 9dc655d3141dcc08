"""The demonstration makes its files and scores, with any upscaler behind it."""

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from msvsr.app import demo
from msvsr.app.jobs import VideoReport
from msvsr.cli import main
from msvsr.errors import VideoError
from msvsr.frame import Frame
from msvsr.video import SourceOptions, open_sink, open_source, probe

FILES = {
    "interpolation.mp4",
    "interpolation.png",
    "low_quality.mp4",
    "side_by_side.mp4",
    "side_by_side.png",
    "upscaled.mp4",
}


def smooth_upscale(source: str | Path, target: Path, reading: SourceOptions) -> VideoReport:
    """Stand in for the model: bilinear interpolation by 4."""
    with open_source(source, reading) as frames:
        height, width = frames.info.size
        size = (4 * height, 4 * width)
        with open_sink(target, size=size) as sink:
            for frame in frames:
                sink.write(frame.with_image(cv2.resize(frame.image, size[::-1])))
    return VideoReport(
        output=target,
        num_frames=sink.num_frames,
        input_size=(height, width),
        output_size=size,
        input_frame_rate=frames.info.frame_rate,
        output_frame_rate=frames.info.frame_rate,
        seconds=1.0,
        warnings=(),
    )


def repeat_frames(source: Path, target: Path, reading: SourceOptions) -> VideoReport:
    """Stand in for the model: each frame twice."""
    with open_source(source, reading) as frames:
        images = [frame.image for frame in frames]
    size = frames.info.size
    with open_sink(target, size=size) as sink:
        for index in range(2 * len(images) - 1):
            tick = Fraction(1, 24)
            sink.write(Frame(image=images[index // 2], pts=index, time_base=tick))
    return VideoReport(
        output=target,
        num_frames=sink.num_frames,
        input_size=size,
        output_size=size,
        input_frame_rate=frames.info.frame_rate,
        output_frame_rate=2 * frames.info.frame_rate,
        seconds=1.0,
        warnings=(),
    )


def run(source: str | Path | None, folder: Path, num_frames: int = 4) -> demo.DemoResult:
    return demo.run_demo(
        source, folder, num_frames=num_frames, upscale=smooth_upscale, interpolate=repeat_frames
    )


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[demo.DemoResult, Path]:
    folder = tmp_path_factory.mktemp("demo") / "new"
    return run(None, folder), folder


def test_the_drawn_clip_is_measured(drawn: tuple[demo.DemoResult, Path]) -> None:
    comparison = drawn[0].comparison
    assert comparison.bicubic is not None
    assert comparison.model is not None
    # A blurred, noisy, compressed and detailed picture: far from perfect, far from unrelated.
    assert 18 < comparison.bicubic.psnr_y < 30
    # Bilinear is a little worse than bicubic.
    assert 0 < comparison.bicubic.psnr_y - comparison.model.psnr_y < 3


def test_only_the_results_stay_in_the_folder(drawn: tuple[demo.DemoResult, Path]) -> None:
    names = {path.name for path in drawn[1].iterdir()}
    assert names == FILES


def test_sizes_and_numbers_of_frames(drawn: tuple[demo.DemoResult, Path]) -> None:
    sizes = {
        "low_quality.mp4": (180, 320),
        "upscaled.mp4": (720, 1280),
        "side_by_side.mp4": (754, 2568),
    }
    for name, size in sizes.items():
        info = probe(drawn[1] / name, count_frames=True)
        assert info.size == size
        assert info.num_frames_from_content == 4
        assert info.frame_rate == 24


def test_frames_are_left_out_made_again_and_measured(
    drawn: tuple[demo.DemoResult, Path],
) -> None:
    remade = drawn[0].remade
    assert remade is not None
    # Of four frames the last has no neighbour behind it.
    assert remade.num_made == 1
    assert remade.report.input_frame_rate == 12
    # The camera pans: a blend is a ghost, but nearer than the frame before.
    assert 15 < remade.model.psnr_y < remade.blend.psnr_y < 35
    info = probe(remade.video, count_frames=True)
    assert info.num_frames_from_content == 3
    assert info.frame_rate == 24
    assert info.size == (394, 2 * 640 + 8)


def test_pictures_have_three_columns(drawn: tuple[demo.DemoResult, Path]) -> None:
    result = drawn[0]
    assert result.remade is not None
    for path in (result.comparison.picture, result.remade.picture):
        picture = cv2.imread(str(path))
        assert picture is not None
        assert picture.shape[1] == 3 * 624 + 2 * 8


def test_a_file_is_compared_without_scores(tmp_path: Path) -> None:
    source = tmp_path / "images"
    source.mkdir()
    rng = np.random.default_rng(0)
    for index in range(3):
        cv2.imwrite(str(source / f"{index:03d}.png"), rng.integers(0, 255, (270, 482, 3)))
    result = run(source, tmp_path / "out")
    assert result.comparison.bicubic is None
    assert result.comparison.model is None
    assert result.report.num_frames == 3
    # Halves are cut to 1280x720.
    assert probe(result.comparison.video).size == (754, 2568)
    assert not (tmp_path / "out" / "low_quality.mp4").exists()
    # What is left out of it is known, whatever the file is.
    assert result.remade is not None
    assert result.remade.report.input_size == (270, 482)


@pytest.mark.parametrize(("num_frames", "side"), [(2, 64), (3, 12)])
def test_too_few_frames_or_pixels_are_only_upscaled(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], num_frames: int, side: int
) -> None:
    source = tmp_path / "images"
    source.mkdir()
    for index in range(num_frames):
        cv2.imwrite(str(source / f"{index}.png"), np.full((side, side, 3), 99, np.uint8))
    result = run(source, tmp_path / "out")
    assert result.remade is None
    demo.show_demo(result)
    assert "left out" not in capsys.readouterr().out


def test_only_the_beginning_of_a_large_file_is_taken(tmp_path: Path) -> None:
    source = tmp_path / "large.mp4"
    with open_sink(source, size=(480, 640)) as sink:
        from_nothing = np.zeros((480, 640, 3), np.uint8)
        for index in range(20):
            sink.write(Frame(image=from_nothing, pts=index, time_base=Fraction(1, 25)))
    result = run(source, tmp_path / "out")
    assert result.report.num_frames == 72 * 320 * 180 // (480 * 640)


def test_a_second_run_replaces_the_first(tmp_path: Path) -> None:
    for _ in range(2):
        run(None, tmp_path, num_frames=3)
    assert {path.name for path in tmp_path.iterdir()} == FILES


def test_nothing_is_left_after_a_failure(tmp_path: Path) -> None:
    def fail(source: str | Path, target: Path, reading: SourceOptions) -> VideoReport:
        raise VideoError("no")

    with pytest.raises(VideoError, match="no"):
        demo.run_demo(None, tmp_path, num_frames=1, upscale=fail)
    assert {path.name for path in tmp_path.iterdir()} == {"low_quality.mp4"}


def test_what_is_shown_names_scores_and_files(
    drawn: tuple[demo.DemoResult, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    result, folder = drawn
    demo.show_demo(result)
    shown = capsys.readouterr().out
    assert "4 frames of 320x180 upscaled to 1280x720" in shown
    assert result.comparison.bicubic is not None
    assert f"bicubic  {result.comparison.bicubic.psnr_y:8.2f} dB" in shown
    assert result.remade is not None
    assert "every other frame left out and made again: 1 of 640x360 in 1.0 s" in shown
    assert f"blend    {result.remade.blend.psnr_y:8.2f} dB" in shown
    for name in FILES:
        assert str(folder / name) in shown


def test_a_clip_that_stands_still_has_no_gain(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "images"
    source.mkdir()
    for index in range(3):
        cv2.imwrite(str(source / f"{index}.png"), np.full((32, 32, 3), 99, np.uint8))
    demo.show_demo(run(source, tmp_path / "out"))
    shown = capsys.readouterr().out
    assert "left out" in shown
    assert "nan" not in shown


def test_a_missing_file_ends_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", "no-such.mp4", "--output-dir", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert "error: no-such.mp4" in error
    assert error.count("\n") == 1


def test_a_file_in_the_way_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "demo").touch()
    with pytest.raises(VideoError, match="demo: no folder"):
        demo.run_demo(None, tmp_path / "demo", upscale=smooth_upscale)
