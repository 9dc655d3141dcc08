"""Folders of images, in and out."""

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import pytest

from msvsr.errors import ConfigError, VideoError
from msvsr.frame import Frame
from msvsr.video import OutputOptions, SourceOptions, open_sink, open_source, probe
from tests.support.clips import AudioTrack, frame_times, make_video, moving_pattern


def _save(folder: Path, names: list[str], size: tuple[int, int] = (24, 32)) -> list[np.ndarray]:
    folder.mkdir(exist_ok=True)
    images = moving_pattern(len(names), size)
    for name, image in zip(names, images, strict=True):
        PIL.Image.fromarray(image).save(folder / name)
    return images


def test_images_come_in_natural_order(tmp_path: Path) -> None:
    images = _save(tmp_path / "in", ["f1.png", "f2.png", "f10.png", "F11.png"])
    (tmp_path / "in" / "notes.txt").write_text("not an image")
    (tmp_path / "in" / ".hidden.png").write_bytes(b"")
    with open_source(tmp_path / "in") as source:
        frames = list(source)
    assert all(np.array_equal(f.image, i) for f, i in zip(frames, images, strict=True))
    assert [frame.time_seconds for frame in frames] == [Fraction(k, 25) for k in range(4)]
    assert source.info.is_image_folder
    assert source.warnings == ()


@pytest.mark.parametrize("suffix", ["png", "bmp", "tiff", "webp", "jpg"])
def test_formats(tmp_path: Path, suffix: str) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    image = moving_pattern(1, (24, 32))[0]
    lossless = {"lossless": True} if suffix == "webp" else {}
    PIL.Image.fromarray(image).save(folder / f"0.{suffix}", **lossless)
    with open_source(folder) as source:
        found = next(iter(source)).image
    difference = np.abs(found.astype(int) - image).mean()
    assert difference < 4 if suffix == "jpg" else difference == 0


def test_gray_palette_and_transparent_images_become_rgb(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    base = PIL.Image.fromarray(moving_pattern(1, (24, 32))[0])
    for index, mode in enumerate(("L", "P", "RGBA", "1")):
        base.convert(mode).save(tmp_path / "in" / f"{index}.png")
    with open_source(tmp_path / "in") as source:
        assert {frame.image.shape for frame in source} == {(24, 32, 3)}


def test_16_bit_images_stay_deep(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    image = np.random.default_rng(0).integers(0, 65536, (8, 8, 3), dtype=np.uint16)
    cv2.imwrite(str(tmp_path / "in" / "0.png"), image[..., ::-1])
    with open_source(tmp_path / "in") as source:
        assert np.array_equal(next(iter(source)).image, image)
        options = OutputOptions(png_bit_depth=16)
        with open_sink(tmp_path / "out", source, options=options) as sink:
            for frame in source:
                sink.write(frame)
    with open_source(tmp_path / "out") as copy:
        assert np.array_equal(next(iter(copy)).image, image)


def test_photographs_come_out_upright(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    exif = PIL.Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by 90 degrees
    stored = PIL.Image.fromarray(moving_pattern(1, (24, 32))[0])
    stored.save(tmp_path / "in" / "0.jpg", exif=exif)
    with open_source(tmp_path / "in") as source:
        assert next(iter(source)).size == source.info.size == (32, 24)


def test_mixed_sizes_are_one_clear_error(tmp_path: Path) -> None:
    _save(tmp_path / "in", ["0.png", "1.png"])
    _save(tmp_path / "in", ["2.png"], (30, 32))
    with pytest.raises(VideoError, match=r"0\.png is 32x24 and 2\.png is 32x30"):
        open_source(tmp_path / "in")


def test_a_broken_image_is_left_out_and_named(tmp_path: Path) -> None:
    _save(tmp_path / "in", ["0.png", "1.png", "2.png"])
    (tmp_path / "in" / "1.png").write_bytes(b"broken")
    with open_source(tmp_path / "in") as source:
        assert [frame.pts for frame in source] == [0, 2]
    assert "1.png cannot be decoded" in source.warnings[0]


def test_only_broken_images_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "1.png").write_bytes(b"broken")
    with pytest.raises(VideoError, match="not one image can be decoded"):
        open_source(tmp_path / "in")


def test_a_rate_and_a_part(tmp_path: Path) -> None:
    _save(tmp_path / "in", [f"{k}.png" for k in range(10)])
    rate = Fraction(10)
    options = SourceOptions(frame_rate=rate, start_seconds=0.3, end_seconds=0.6)
    with open_source(tmp_path / "in", options) as source:
        assert [frame.time_seconds for frame in source] == [Fraction(k, 10) for k in (3, 4, 5)]
        with open_sink(tmp_path / "b.mp4", source) as sink:
            for frame in source:
                sink.write(frame)
    assert frame_times(tmp_path / "b.mp4") == [0, Fraction(1, 10), Fraction(1, 5)]
    with pytest.raises(VideoError, match="none of the 10 images"):
        open_source(tmp_path / "in", SourceOptions(start_seconds=9))


def test_one_image_is_one_frame(tmp_path: Path) -> None:
    _save(tmp_path / "in", ["0.png", "1.png"])
    info = probe(tmp_path / "in" / "1.png", count_frames=True)
    assert (info.num_frames_from_content, info.size) == (1, (24, 32))


def test_a_video_becomes_a_folder_of_images(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", 4, audio=[AudioTrack()])
    with open_source(path) as source, open_sink(tmp_path / "out.v2", source) as sink:
        images = []
        for frame in source:
            sink.write(frame)
            images.append(frame.image)
    names = sorted(p.name for p in (tmp_path / "out.v2").iterdir())
    assert names == [f"{k:08d}.png" for k in range(4)]
    with open_source(tmp_path / "out.v2") as copy:
        assert all(np.array_equal(f.image, i) for f, i in zip(copy, images, strict=True))
    assert "sound is not kept" in sink.warnings[0]


def _write_folder(folder: Path, count: int, options: OutputOptions) -> None:
    with open_sink(folder, options=options) as sink:
        for k, image in enumerate(moving_pattern(count, (16, 16))):
            sink.write(Frame(image=image, pts=k, time_base=Fraction(1, 25)))


def test_a_folder_is_replaced_whole_and_only_when_asked(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    options = OutputOptions(frame_pattern="f%03d.png")
    folder.mkdir()
    _write_folder(folder, 3, options)  # an empty folder is as good as none
    with pytest.raises(VideoError, match="exists already"):
        _write_folder(folder, 2, options)
    _write_folder(folder, 2, OutputOptions(frame_pattern="f%03d.png", overwrite=True))
    assert sorted(path.name for path in folder.iterdir()) == ["f000.png", "f001.png"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_folder_with_other_things_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.doc").write_text("precious")
    with pytest.raises(VideoError, match=r"other files \(thesis\.doc\)"):
        _write_folder(tmp_path / "out", 2, OutputOptions(overwrite=True))
    assert (tmp_path / "out" / "thesis.doc").read_text() == "precious"


@pytest.mark.parametrize(
    "wrong",
    [
        {"codec": "mpeg9"}, {"crf": -1}, {"crf": 60, "codec": "h264"}, {"png_bit_depth": 12},
        {"frame_pattern": "a.png"}, {"frame_pattern": "../%d.png"},
        {"constant_frame_rate": Fraction(0)},
    ],
)  # fmt: skip
def test_wrong_output_options_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="got"):
        OutputOptions(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wrong",
    [
        {"start_seconds": -1.0}, {"end_seconds": float("nan")},
        {"start_seconds": 2.0, "end_seconds": 2.0}, {"frame_rate": Fraction(-5)},
    ],
)  # fmt: skip
def test_wrong_source_options_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="got"):
        SourceOptions(**wrong)  # type: ignore[arg-type]
