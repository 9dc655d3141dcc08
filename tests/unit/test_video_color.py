"""Colours: what goes in comes out, whatever matrix and range the file uses.

The files are made, and the outputs are read, by arithmetic or by swscale called with explicit
arguments: not by the code under test.
"""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest

from msvsr.frame import Frame
from msvsr.video import OutputOptions, open_sink, open_source, probe
from tests.support.clips import make_video, yuv_to_rgb

PATCH = 32
COLORS = [
    (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (0, 255, 255), (255, 0, 255),
    (255, 255, 255), (0, 0, 0), (128, 128, 128), (200, 120, 90), (30, 60, 20), (16, 235, 128),
]  # fmt: skip
NAMES = {1: "bt709", 6: "bt601", 9: "bt2020"}


def _patches(patch: int = PATCH) -> npt.NDArray[np.uint8]:
    grid = np.array(COLORS, np.uint8).reshape(3, 4, 3)
    return grid.repeat(patch, 0).repeat(patch, 1)


def _centers(image: npt.NDArray[np.generic], patch: int) -> npt.NDArray[np.float64]:
    half = patch // 2
    return image[half::patch, half::patch].astype(np.float64).reshape(-1, 3)


@pytest.mark.parametrize("is_full", [False, True])
@pytest.mark.parametrize("matrix", [1, 6, 9])
def test_a_file_is_read_with_its_own_matrix_and_range(
    tmp_path: Path, matrix: int, is_full: bool
) -> None:
    path = make_video(tmp_path / "a.mp4", [_patches()], matrix=matrix, is_full=is_full,
                      options={"crf": "0"})  # fmt: skip
    with open_source(path) as source:
        frame = next(iter(source))
    assert source.info.color.matrix == NAMES[matrix]
    assert source.info.color.range == ("full" if is_full else "limited")
    assert np.abs(_centers(frame.image, PATCH) - COLORS).max() <= 2


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize("is_full", [False, True])
@pytest.mark.parametrize("matrix", [1, 6])
def test_colors_survive_at_four_times_the_size(
    tmp_path: Path, matrix: int, is_full: bool, suffix: str
) -> None:
    path = make_video(tmp_path / "a.mp4", [_patches()] * 2, matrix=matrix, is_full=is_full,
                      primaries=matrix, transfer=matrix, options={"crf": "0"})  # fmt: skip
    output = tmp_path / f"b{suffix}"
    options = OutputOptions(preset="veryfast", crf=1)
    with open_source(path) as source, open_sink(output, source, options=options) as sink:
        for frame in source:
            large = frame.image.repeat(4, 0).repeat(4, 1)
            sink.write(Frame(image=large, pts=frame.pts, time_base=frame.time_base))
    color = probe(output).color
    assert (color.matrix_code, color.range) == (matrix, "full" if is_full else "limited")
    assert (color.primaries_code, color.transfer_code) == (matrix, matrix)
    with av.open(str(output)) as container:
        decoded = next(container.decode(video=0))
    by_swscale = decoded.reformat(
        format="rgb24",
        src_colorspace=5 if matrix == 6 else 1,
        src_color_range=2 if is_full else 1,
        dst_color_range=2,
        interpolation="BICUBIC",
    ).to_ndarray()
    planes = [
        np.frombuffer(plane, np.uint8).reshape(plane.height, -1)[:, : plane.width]
        for plane in decoded.planes
    ]
    upsampled = [planes[0], *(p.repeat(2, 0).repeat(2, 1) for p in planes[1:])]
    by_hand = 255 * yuv_to_rgb(np.stack(upsampled).astype(float), matrix, is_full=is_full)
    assert np.abs(_centers(by_hand, 4 * PATCH) - COLORS).max() <= 2
    assert np.abs(_centers(by_swscale, 4 * PATCH) - COLORS).max() <= 3  # its fast path rounds down


def test_untagged_files_are_guessed_by_their_height(tmp_path: Path) -> None:
    for height, expected in ((576, "bt601"), (720, "bt709")):
        path = make_video(tmp_path / f"{height}.mp4", 1, size=(height, 64), is_tagged=False)
        color = probe(path).color
        assert (color.matrix, color.range, color.is_matrix_guessed) == (expected, "limited", True)


def test_a_guess_is_written_down_so_that_a_larger_size_does_not_change_it(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", 1, size=(180, 64), is_tagged=False)
    with open_source(path) as source, open_sink(tmp_path / "b.mp4", source) as sink:
        for frame in source:
            large = frame.image.repeat(4, 0).repeat(4, 1)
            sink.write(Frame(image=large, pts=frame.pts, time_base=frame.time_base))
    color = probe(tmp_path / "b.mp4").color
    assert (color.matrix, color.is_matrix_guessed) == ("bt601", False)


def test_rgb_sources_are_read_exactly(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mkv", [_patches(8)], codec="ffv1", pixel_format="bgr0")
    with open_source(path) as source:
        assert np.array_equal(next(iter(source)).image, _patches(8))


@pytest.mark.parametrize("is_full", [False, True])
def test_deep_colors_are_read_to_half_a_level(tmp_path: Path, is_full: bool) -> None:
    deep = _patches().astype(np.uint16) * 257
    path = make_video(tmp_path / "a.mkv", [deep], codec="ffv1", pixel_format="yuv420p10le",
                      matrix=9, is_full=is_full)  # fmt: skip
    with open_source(path) as source:
        found = _centers(next(iter(source)).image, PATCH) / 257
    assert np.abs(found - COLORS).max() < 0.8


def test_tags_that_swscale_cannot_convert_do_not_matter(tmp_path: Path) -> None:
    images = []
    for transfer in (1, 9):  # 9 is logarithmic; PyAV 17 refuses it
        path = make_video(tmp_path / f"{transfer}.mp4", [_patches()], transfer=transfer)
        with open_source(path) as source:
            images.append(next(iter(source)).image)
            assert source.info.color.transfer_code == transfer
    assert np.array_equal(images[0], images[1])


@pytest.mark.parametrize("is_full", [False, True])
@pytest.mark.parametrize("matrix", [1, 6, 9])
def test_deep_frames_are_written_with_the_matrix_of_their_source(
    tmp_path: Path, matrix: int, is_full: bool
) -> None:
    path = make_video(tmp_path / "a.mkv", [_patches().astype(np.uint16) * 257], codec="ffv1",
                      pixel_format="yuv420p10le", matrix=matrix, is_full=is_full)  # fmt: skip
    options = OutputOptions(codec="ffv1", pixel_format="yuv444p10le")
    with open_source(path) as source, open_sink(tmp_path / "b.mkv", source, options=options) as to:
        for frame in source:
            to.write(frame)
    with av.open(str(tmp_path / "b.mkv")) as container:
        decoded = next(container.decode(video=0))
    planes = [
        np.frombuffer(plane, np.uint16).reshape(plane.height, -1)[:, : plane.width]
        for plane in decoded.planes
    ]
    found = 255 * yuv_to_rgb(np.stack(planes).astype(float), matrix, is_full=is_full, bits=10)
    assert np.abs(_centers(found, PATCH) - COLORS).max() < 1.5  # rounded to 10 bits twice


def test_deep_frames_are_written_as_they_are(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 65536, (16, 16, 3), dtype=np.uint16)
    frame = Frame(image=image, pts=0, time_base=Fraction(1, 25))
    options = OutputOptions(codec="ffv1", pixel_format="gbrp16le")
    with open_sink(tmp_path / "b.mkv", options=options) as sink:
        sink.write(frame)
    with open_source(tmp_path / "b.mkv") as source:
        assert np.array_equal(next(iter(source)).image, image)


def test_chroma_lies_where_players_expect_it(tmp_path: Path) -> None:
    wave = 60 * np.cos(2 * np.pi * np.arange(128) / 32)
    image = np.full((32, 128, 3), 128.0)
    image[..., 0] += wave
    image[..., 2] -= wave
    with open_sink(tmp_path / "b.mp4", options=OutputOptions(crf=0)) as sink:
        sink.write(Frame(image=image.astype(np.uint8), pts=0, time_base=Fraction(1, 25)))
    with av.open(str(tmp_path / "b.mp4")) as container:
        plane = next(container.decode(video=0)).planes[2]
    red = np.frombuffer(plane, np.uint8).reshape(16, -1)[8, :64].astype(float)
    turn = np.exp(-2j * np.pi * np.arange(64) / 16)
    shift = np.angle((red - red.mean()) @ turn) * 32 / (2 * np.pi)  # pixels; 0.5 were between
    assert abs(shift) < 0.1
