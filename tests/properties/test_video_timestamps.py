"""Laws of the arithmetic on time and orientation."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from msvsr.frame import Frame
from msvsr.video.orientation import Orientation, orientation_from_matrix
from msvsr.video.pacing import ConstantRate
from msvsr.video.timestamps import (
    TimestampRepair,
    common_time_base,
    nearest_tick,
    seconds_to_fraction,
)

positive = st.fractions(min_value=Fraction(1, 100_000), max_value=100, max_denominator=100_000)
rates = st.sampled_from([Fraction(24000, 1001), *map(Fraction, (7, 25, 30, 60))])


@given(st.lists(st.one_of(st.none(), st.integers(0, 10_000_000)), min_size=1))
def test_repaired_timestamps_increase(values: list[int | None]) -> None:
    repair = TimestampRepair(frame_ticks=3000, second_ticks=90_000)
    repaired = [repair.next(value) for value in values]
    assert all(a < b for a, b in pairwise(repaired))


@given(st.lists(st.integers(-(10**9), 10**9), min_size=1, unique=True))
def test_good_timestamps_are_not_touched(values: list[int]) -> None:
    repair = TimestampRepair(frame_ticks=1, second_ticks=1000)
    assert [repair.next(value) for value in sorted(values)] == sorted(values)
    assert (repair.num_missing, repair.num_moved, repair.num_restarts) == (0, 0, 0)


@given(st.lists(positive, min_size=1, max_size=3))
def test_every_instant_is_a_tick_of_the_common_clock(instants: list[Fraction]) -> None:
    tick = common_time_base(instants)
    if tick is not None:
        assert all((instant / tick).denominator == 1 for instant in instants)
        assert tick <= min(instants)


@given(st.fractions(max_denominator=10**6), positive)
def test_the_nearest_tick_is_at_most_half_a_tick_away(
    seconds: Fraction, time_base: Fraction
) -> None:
    assert abs(nearest_tick(seconds, time_base) * time_base - seconds) <= time_base / 2


@given(st.integers(0, 10**6), st.integers(1, 1000))
def test_seconds_given_as_a_float_mean_the_simple_fraction(ticks: int, rate: int) -> None:
    assert seconds_to_fraction(ticks / 1000) == Fraction(ticks, 1000)
    exact = Fraction(ticks % 1000, rate)
    assert seconds_to_fraction(float(exact)) == exact


def _pace(times: list[Fraction], rate: Fraction) -> list[tuple[int, int]]:
    image = np.zeros((1, 1, 3), np.uint8)
    pacer, tick = ConstantRate(rate), Fraction(1, 100_000)
    out: list[tuple[int, int]] = []
    ids: dict[int, int] = {}
    for index, seconds in enumerate(times):
        own = image + np.uint8(0)
        ids[id(own)] = index
        frame = Frame(image=own, pts=nearest_tick(seconds, tick), time_base=tick, duration=1)
        out += [(f.pts, ids[id(f.image)]) for f in pacer.push(frame, Fraction(0))]
    return out + [(f.pts, ids[id(f.image)]) for f in pacer.finish(Fraction(0))]


@given(st.lists(st.integers(1, 200_000), min_size=1, max_size=12), rates)
def test_a_constant_rate_has_no_holes(steps: list[int], rate: Fraction) -> None:
    times = [Fraction(t, 100_000) for t in np.cumsum(steps).tolist()]
    slots = _pace(times, rate)
    numbers = [slot for slot, _ in slots]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert [frame for _, frame in slots] == sorted(frame for _, frame in slots)


@given(st.integers(2, 40), rates)
def test_a_constant_rate_changes_nothing_that_is_constant_but_rounded(
    count: int, rate: Fraction
) -> None:
    times = [Fraction(nearest_tick(k / rate, Fraction(1, 1000)), 1000) for k in range(count)]
    assert _pace(times, rate) == [(k, k) for k in range(count)]


@given(st.sampled_from([0, 90, 180, 270]), st.booleans(), st.integers(1, 5), st.integers(1, 5))
def test_an_orientation_moves_pixels_as_its_matrix_moves_points(
    degrees: int, is_mirrored: bool, height: int, width: int
) -> None:
    turn = {0: (1, 0, 0, 1), 90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}
    a, b, c, d = turn[degrees]
    if is_mirrored:
        a, b = -a, -b
    orientation = orientation_from_matrix([a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30])
    assert orientation == Orientation(rotation_degrees=degrees, is_mirrored=is_mirrored)
    stored = np.arange(height * width * 3, dtype=np.uint16).reshape(height, width, 3)
    upright = orientation.apply(stored)
    points = [(a * x + c * y, b * x + d * y) for y in range(height) for x in range(width)]
    left, top = min(x for x, _ in points), min(y for _, y in points)
    moved = np.empty_like(upright)
    for (x, y), value in zip(points, stored.reshape(-1, 3), strict=True):
        moved[y - top, x - left] = value
    assert np.array_equal(moved, upright)
