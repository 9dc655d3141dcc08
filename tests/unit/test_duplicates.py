"""Repeated frames are left out where motion surrounds them; stills and shots stay."""

import weakref
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction

import numpy as np
import pytest

from msvsr.engine.duplicates import keep_all, merge_duplicates
from msvsr.frame import Frame

SIZE = (64, 96)
TWOS = [index // 2 for index in range(12)]


def texture(seed: int, width: int = 400) -> np.ndarray:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (8, width // 8, 3))
    return np.kron(coarse, np.ones((8, 8, 1))).astype(np.uint8)


def moving(position: int, seed: int = 0) -> np.ndarray:
    """A texture that is two pixels further on at each position."""
    return texture(seed)[:, 2 * position : 2 * position + SIZE[1]]


def stream(
    positions: Sequence[int],
    *,
    noise: float = 0.0,
    cuts: Sequence[int] = (),
    dtype: type = np.uint8,
    ticks: int = 1,
) -> Iterator[tuple[Frame, bool]]:
    """Frames of a pan at these positions, with noise that differs from frame to frame."""
    rng = np.random.default_rng(1)
    scale = np.iinfo(dtype).max / 255
    for index, position in enumerate(positions):
        seed = sum(index >= cut for cut in cuts)
        clean = moving(position, seed).astype(float)
        image = clean + rng.normal(0, noise, clean.shape) if noise else clean
        pixels = (image.clip(0, 255) * scale).round().astype(dtype)
        frame = Frame(image=pixels, pts=index * ticks, time_base=Fraction(1, 30), duration=ticks)
        yield frame, index == 0 or index in cuts


def pull_up(index: int) -> int:
    return index * 4 // 5


def on_twos(index: int) -> int:
    return index // 2


def on_threes(index: int) -> int:
    return index // 3


@pytest.mark.parametrize("noise", [0.0, 4.0])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("pattern", [pull_up, on_twos, on_threes])
def test_each_picture_is_kept_once(
    pattern: Callable[[int], int], dtype: type, noise: float
) -> None:
    positions = [pattern(index) for index in range(30)]
    kept = list(merge_duplicates(stream(positions, noise=noise, dtype=dtype)))
    firsts = [positions.index(position) for position in sorted(set(positions))]
    assert [each.frame.pts for each in kept] == firsts
    assert [each.num_frames for each in kept] == [positions.count(positions[i]) for i in firsts]
    assert [each.starts_shot for each in kept] == [True] + [False] * (len(kept) - 1)


def test_a_kept_frame_is_shown_as_long_as_its_repeats() -> None:
    kept = list(merge_duplicates(stream([on_threes(index) for index in range(11)], ticks=2)))
    assert [each.frame.duration for each in kept] == [6, 6, 6, 4]
    end = kept[-1].frame.pts + (kept[-1].frame.duration or 0)
    assert end == 11 * 2


@pytest.mark.parametrize(
    ("positions", "why"),
    [
        (list(range(20)), "every frame moves"),
        ([0] * 20, "nothing ever moves"),
        ([*range(8), *[8] * 6, *range(9, 16)], "a still between movements"),
        ([*[0] * 6, *range(1, 12)], "a still at the beginning"),
        ([*range(12), *[12] * 6], "a still at the end"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("noise", [0.0, 4.0])
def test_movements_and_stills_are_left_alone(positions: list[int], why: str, noise: float) -> None:
    kept = list(merge_duplicates(stream(positions, noise=noise)))
    assert [each.frame.pts for each in kept] == list(range(len(positions))), why


def test_a_small_movement_in_a_still_picture_is_no_repeat() -> None:
    frames = []
    for index in range(12):
        image = moving(0).copy()
        image[24:32, 4 * index : 4 * index + 8] = 255  # a dot
        frames.append((Frame(image=image, pts=index, time_base=Fraction(1, 30)), index == 0))
    assert len(list(merge_duplicates(frames))) == 12


def test_a_small_movement_beside_a_large_one_is_no_repeat() -> None:
    frames = []
    for index, (frame, starts_shot) in enumerate(stream([on_twos(index) for index in range(16)])):
        image = np.tile(frame.image, (4, 4, 1))
        image[24:32, 24:32] = 100 + 55 * (index % 2)
        frames.append((frame.with_image(image), starts_shot))
    assert len(list(merge_duplicates(frames))) == 16


def test_long_repeats_are_stills_at_low_rates() -> None:
    positions = [on_threes(index) for index in range(12)]
    assert len(list(merge_duplicates(stream(positions, ticks=4)))) == 12


def test_a_shot_keeps_its_first_frame_and_repeats_end_with_it() -> None:
    positions = [on_twos(index) for index in range(20)]
    cuts = (7, 12)
    kept = list(merge_duplicates(stream(positions, cuts=cuts)))
    assert [each.frame.pts for each in kept if each.starts_shot] == [0, *cuts]
    assert [each.frame.pts for each in kept] == [0, 2, 4, 6, 7, 8, 10, 12, 14, 16, 18]
    assert sum(each.num_frames for each in kept) == len(positions)


def test_a_shot_that_begins_like_the_last_one_ended_keeps_its_first_frame() -> None:
    frames = [(frame, index in (0, 7)) for index, (frame, _) in enumerate(stream(TWOS))]
    kept = list(merge_duplicates(frames))
    assert [each.frame.pts for each in kept] == [0, 2, 4, 6, 7, 8, 10]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_very_short_streams_stay(count: int) -> None:
    assert len(list(merge_duplicates(stream([0] * count)))) == count


def test_only_a_few_frames_are_held() -> None:
    alive: weakref.WeakSet[Frame] = weakref.WeakSet()

    def watched() -> Iterator[tuple[Frame, bool]]:
        for frame, starts_shot in stream([on_twos(index) for index in range(60)]):
            alive.add(frame)
            yield frame, starts_shot

    most = max(len(alive) for _ in merge_duplicates(watched()))
    assert most <= 8


def test_all_are_kept_when_nobody_asks() -> None:
    assert [each.num_frames for each in keep_all(stream([0, 0, 1, 1]))] == [1, 1, 1, 1]
