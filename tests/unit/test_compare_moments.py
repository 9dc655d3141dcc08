"""Clips of different rates, lengths and shapes are brought together by time and by size."""

from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from msvsr.app.compare.clips import Clips, open_clips
from msvsr.app.compare.fitting import fit
from msvsr.app.compare.moments import Moment, play_in_step
from msvsr.app.compare.options import CompareOptions
from msvsr.errors import ConfigError
from tests.support.clips import AudioTrack, make_video


def counted(count: int, size: tuple[int, int] = (16, 24)) -> list[np.ndarray]:
    """Frames whose grey tells their number."""
    return [np.full((*size, 3), 20 + 8 * number, np.uint8) for number in range(count)]


def clip(path: Path, count: int, rate: Fraction, **more: object) -> Path:
    return make_video(path, counted(count), rate=rate, codec="ffv1", pixel_format="bgr0", **more)


def number_of(image: np.ndarray) -> int:
    return round((float(image.mean()) - 20) / 8)


def play(*places: Path, options: CompareOptions | None = None) -> tuple[Clips, list[Moment]]:
    with ExitStack() as stack:
        clips = open_clips(stack, list(places), options or CompareOptions())
        return clips, list(play_in_step(clips))


def numbers(moments: list[Moment], place: int) -> list[int]:
    return [number_of(moment.images[place]) for moment in moments]


def test_the_fastest_clip_gives_the_instants(tmp_path: Path) -> None:
    slow = clip(tmp_path / "slow.mkv", 3, Fraction(25))
    fast = clip(tmp_path / "fast.mkv", 12, Fraction(100))
    clips, moments = play(slow, fast)
    assert numbers(moments, 0) == [0] * 4 + [1] * 4 + [2] * 4
    assert numbers(moments, 1) == list(range(12))
    assert [moment.seconds for moment in moments] == [Fraction(n, 100) for n in range(12)]
    assert [moment.is_new[0] for moment in moments] == [True, False, False, False] * 3
    assert clips.num_moments == 12


def test_rates_without_a_common_factor(tmp_path: Path) -> None:
    film = clip(tmp_path / "film.mkv", 4, Fraction(24))
    video = clip(tmp_path / "video.mkv", 10, Fraction(60))
    _, moments = play(film, video)
    assert numbers(moments, 0) == [0, 0, 0, 1, 1, 2, 2, 2, 3, 3]


def test_instants_that_were_rounded_still_meet(tmp_path: Path) -> None:
    """One file counts thirtieths, the other milliseconds."""
    exact = clip(tmp_path / "exact.mkv", 9, Fraction(30))
    ticks = [round(1000 * number / 30) + (number % 2) for number in range(9)]
    rounded = make_video(
        tmp_path / "rounded.mp4",
        counted(9),
        rate=Fraction(30),
        pts=ticks,
        time_base=Fraction(1, 1000),
        options={"crf": "0"},
    )
    for pair in ((exact, rounded), (rounded, exact)):
        _, moments = play(*pair)
        assert numbers(moments, 0) == numbers(moments, 1) == list(range(9))


def test_an_irregular_rhythm_is_kept(tmp_path: Path) -> None:
    pts = [0, 512, 1024, 2048, 2560, 4096]
    clips = [
        make_video(tmp_path / name, counted(6), pts=pts, time_base=Fraction(1, 12800))
        for name in ("a.mp4", "b.mp4")
    ]
    _, moments = play(*clips)
    assert [moment.seconds for moment in moments] == [Fraction(tick, 12800) for tick in pts]
    assert numbers(moments, 0) == numbers(moments, 1) == list(range(6))


def test_a_clip_that_ends_early_is_held(tmp_path: Path) -> None:
    short = clip(tmp_path / "short.mkv", 3, Fraction(50))
    long = clip(tmp_path / "long.mkv", 4, Fraction(25))
    _, moments = play(short, long)
    assert numbers(moments, 0) == [0, 1, 2, 2, 2, 2, 2, 2]
    assert numbers(moments, 1) == [0, 0, 1, 1, 2, 2, 3, 3]
    assert [moment.is_over[0] for moment in moments] == [False] * 3 + [True] * 5
    assert not any(moment.is_over[1] for moment in moments)


def test_start_and_end_hold_for_every_clip(tmp_path: Path) -> None:
    slow = clip(tmp_path / "slow.mkv", 10, Fraction(25))
    fast = clip(tmp_path / "fast.mkv", 20, Fraction(50))
    options = CompareOptions(start_seconds=Fraction(1, 10), end_seconds=Fraction(1, 5))
    _, moments = play(slow, fast, options=options)
    # The left clip's first frame that is kept is shown at 0.12 s, the other's at 0.10 s.
    assert numbers(moments, 0) == [3, 3, 4, 4]
    assert numbers(moments, 1) == [6, 7, 8, 9]
    ends = moments[-1].seconds + moments[-1].duration_seconds
    assert ends == Fraction(1, 5)


def test_pictures_begin_together_where_a_file_begins_with_sound(tmp_path: Path) -> None:
    late = clip(
        tmp_path / "late.mkv",
        4,
        Fraction(25),
        pts=[10, 11, 12, 13],
        audio=[AudioTrack(seconds=0.6)],
    )
    plain = clip(tmp_path / "plain.mkv", 4, Fraction(25))
    _, moments = play(late, plain)
    assert numbers(moments, 0) == numbers(moments, 1) == [0, 1, 2, 3]


def test_folders_take_the_rate_of_the_video_and_single_images_stay(tmp_path: Path) -> None:
    video = clip(tmp_path / "video.mkv", 4, Fraction(50))
    folder, still = tmp_path / "folder", tmp_path / "still.png"
    folder.mkdir()
    for number, image in enumerate(counted(4)):
        cv2.imwrite(str(folder / f"{number}.png"), image)
    cv2.imwrite(str(still), counted(1)[0])
    clips, moments = play(folder, video, still)
    assert numbers(moments, 0) == [0, 1, 2, 3]
    assert numbers(moments, 2) == [0] * 4
    assert not moments[-1].is_over[2]
    assert [each.label for each in clips.panels] == ["folder", "video", "still"]


def test_a_header_without_a_length_is_counted(tmp_path: Path) -> None:
    cut = clip(tmp_path / "a.mkv", 5, Fraction(25), container_options={"live": "1"})
    clips, moments = play(cut, clip(tmp_path / "b.mkv", 3, Fraction(25)))
    assert clips.num_moments == len(moments) == 5


def test_names_that_are_equal_get_the_folder_before_them(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        clip(tmp_path / name / "clip.mkv", 1, Fraction(25))
    clips, _ = play(tmp_path / "one" / "clip.mkv", tmp_path / "two" / "clip.mkv")
    assert [each.label for each in clips.panels] == ["one/clip", "two/clip"]


def test_a_rate_is_only_for_folders(tmp_path: Path) -> None:
    video = clip(tmp_path / "a.mkv", 1, Fraction(25))
    with pytest.raises(ConfigError, match="folders of images"):
        play(video, video, options=CompareOptions(frame_rate=Fraction(30)))


def test_nearest_repeats_pixels_and_bicubic_does_not() -> None:
    image = np.random.default_rng(0).integers(0, 256, (6, 8, 3)).astype(np.uint8)
    nearest = fit(image, (6, 8), (24, 32), "nearest")
    np.testing.assert_array_equal(nearest, image.repeat(4, axis=0).repeat(4, axis=1))
    assert not np.array_equal(fit(image, (6, 8), (24, 32), "bicubic"), nearest)


def test_other_shapes_get_bars_and_pixels_that_are_not_square_are_squared() -> None:
    white = np.full((10, 10, 3), 255, np.uint8)
    framed = fit(white, (10, 10), (10, 20), "bicubic")
    assert (framed[:, 5:15] == 255).all()
    assert not framed[:, :5].any()
    assert not framed[:, 15:].any()
    assert (fit(white, (10, 20), (10, 20), "bicubic") == 255).all()  # pixels twice as wide


def test_deep_frames_become_8_bits() -> None:
    deep = np.full((4, 4, 3), 65535, np.uint16)
    assert (fit(deep, (4, 4), (4, 4), "bicubic") == 255).all()
