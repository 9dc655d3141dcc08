"""Laws of the timeline: exact instants, no drift, no gaps, every source frame in its place."""

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from msvsr.engine.options import InterpolationOptions
from msvsr.engine.timeline import (
    InstantReader,
    Output,
    Span,
    Timeline,
    plan_outputs,
    steady_rate,
)
from msvsr.errors import InputError
from msvsr.frame import Frame

NTSC_FILM = Fraction(24000, 1001)
PIXEL = np.zeros((1, 1, 3), np.uint8)

source_rates = st.sampled_from([NTSC_FILM, Fraction(30000, 1001), *map(Fraction, (10, 24, 25, 60))])
output_rates = st.one_of(
    st.sampled_from([Fraction(60000, 1001), Fraction(60)]),
    st.fractions(Fraction(1, 2), 240, max_denominator=1001),
)
ratios = st.fractions(Fraction(101, 100), 12, max_denominator=1001)
clocks = st.sampled_from([Fraction(1, ticks) for ticks in (1000, 12800, 24000, 90_000)])
starts = st.integers(-100_000, 10_000_000)
steps = st.lists(st.integers(1, 1500), min_size=0, max_size=12)


def frame_at(pts: int, time_base: Fraction, duration: int | None = None) -> Frame:
    return Frame(image=PIXEL, pts=pts, time_base=time_base, duration=duration)


def rounded(seconds: Fraction, time_base: Fraction) -> int:
    return math.floor(seconds / time_base + Fraction(1, 2))


def plan(
    frames: Sequence[Frame], rate: Fraction, options: InterpolationOptions
) -> tuple[list[Fraction], list[Output], Fraction]:
    """The source's instants, the outputs, and when the last source frame ends."""
    reader = InstantReader(rate, snaps=not options.keep_rhythm)
    instants = [reader.next(frame) for frame in frames]
    timeline = Timeline.begin(frames[0], rate, options)
    last_duration = reader.duration(frames[-1])
    outputs = list(plan_outputs(instants, timeline, last_duration=last_duration))
    return instants, outputs, instants[-1] + last_duration


def variable(start: int, steps: Sequence[int], time_base: Fraction) -> list[Frame]:
    pts = accumulate(steps, initial=start)
    return [frame_at(each, time_base, 700) for each in pts]


def constant(count: int, rate: Fraction, time_base: Fraction, start: int = 0) -> list[Frame]:
    """Frames at a constant rate as a container with a coarse clock stores them."""
    first = start * time_base
    ticks = [rounded(first + number / rate, time_base) for number in range(count + 1)]
    return [frame_at(now, time_base, then - now) for now, then in pairwise(ticks)]


@given(starts, steps, clocks, source_rates, output_rates)
def test_a_constant_rate_is_exact_and_complete(
    start: int, steps: list[int], clock: Fraction, rate: Fraction, out_fps: Fraction
) -> None:
    frames = variable(start, steps, clock)
    _, outputs, end = plan(frames, rate, InterpolationOptions(out_fps=out_fps))
    first = start * clock
    assert [each.instant for each in outputs] == [
        first + number / out_fps for number in range(len(outputs))
    ]
    assert len(outputs) == math.ceil((end - first) * out_fps)


@given(starts, steps, clocks, source_rates, output_rates)
def test_outputs_lie_where_their_timestep_says(
    start: int, steps: list[int], clock: Fraction, rate: Fraction, out_fps: Fraction
) -> None:
    frames = variable(start, steps, clock)
    instants, outputs, _ = plan(frames, rate, InterpolationOptions(out_fps=out_fps))
    for index, timestep, instant in outputs:
        assert 0 <= timestep < 1
        if index + 1 < len(instants):
            interval = instants[index + 1] - instants[index]
            assert instant == instants[index] + timestep * interval
        else:
            assert timestep == 0
            assert instant >= instants[index]
    assert [each.left_index for each in outputs] == sorted(each.left_index for each in outputs)


@given(starts, steps, clocks, source_rates, output_rates)
def test_source_frames_on_the_grid_are_kept(
    start: int, steps: list[int], clock: Fraction, rate: Fraction, out_fps: Fraction
) -> None:
    frames = variable(start, steps, clock)
    instants, outputs, _ = plan(frames, rate, InterpolationOptions(out_fps=out_fps))
    on_grid = [
        index
        for index, instant in enumerate(instants)
        if ((instant - instants[0]) * out_fps).denominator == 1
    ]
    kept = {each.left_index for each in outputs if each.instant == instants[each.left_index]}
    assert kept == set(on_grid)
    assert all(each.timestep == 0 for each in outputs if each.instant in instants)


@given(starts, steps, clocks, source_rates)
def test_real_instants_move_by_less_than_a_tick_and_stay_in_order(
    start: int, steps: list[int], clock: Fraction, rate: Fraction
) -> None:
    frames = variable(start, steps, clock)
    instants, _, _ = plan(frames, rate, InterpolationOptions())
    for frame, instant in zip(frames, instants, strict=True):
        assert abs(frame.time_seconds - instant) < clock
        assert abs(frame.time_seconds - instant) <= 1 / (4 * rate)
    assert all(left < right for left, right in pairwise(instants))


@given(st.integers(1, 60), st.integers(2, 5), source_rates, clocks, starts)
def test_whole_ratios_keep_every_source_frame_whatever_the_clock_rounds(
    count: int, ratio: int, rate: Fraction, clock: Fraction, start: int
) -> None:
    frames = constant(count, rate, clock, start)
    _, outputs, _ = plan(frames, rate, InterpolationOptions(interp_ratio=Fraction(ratio)))
    assert len(outputs) == count * ratio
    inner = outputs[: (count - 1) * ratio]
    assert [(each.left_index, each.timestep) for each in inner] == [
        (number // ratio, Fraction(number % ratio, ratio)) for number in range(len(inner))
    ]


@given(st.integers(1, 60), source_rates, output_rates, st.sampled_from([0, 17, 1234]))
def test_milliseconds_give_the_plan_of_exact_instants(
    count: int, rate: Fraction, out_fps: Fraction, start: int
) -> None:
    options = InterpolationOptions(out_fps=out_fps)
    exact = [frame_at(number, 1 / rate, 1) for number in range(count)]
    _, expected, _ = plan(exact, rate, options)
    _, outputs, _ = plan(constant(count, rate, Fraction(1, 1000), start), rate, options)
    assert [(each.left_index, each.timestep) for each in outputs] == [
        (each.left_index, each.timestep) for each in expected
    ]


@given(st.integers(1, 60), st.integers(0, 999), source_rates)
def test_clocks_that_cut_off_are_read_like_those_that_round(
    count: int, start: int, rate: Fraction
) -> None:
    clock, first = Fraction(1, 1000), Fraction(start, 7919)
    frames = [frame_at(math.floor((first + k / rate) / clock), clock) for k in range(count)]
    instants, _, _ = plan(frames, rate, InterpolationOptions())
    assert instants == [instants[0] + number / rate for number in range(count)]


@given(starts, steps, clocks, source_rates, ratios, st.booleans())
def test_a_kept_rhythm_divides_each_interval_evenly(
    start: int, steps: list[int], clock: Fraction, rate: Fraction, ratio: Fraction, holds: bool
) -> None:
    frames = variable(start, steps, clock)
    options = InterpolationOptions(interp_ratio=ratio, keep_rhythm=True, hold_last=holds)
    instants, outputs, end = plan(frames, rate, options)
    assert instants == [frame.time_seconds for frame in frames]
    count = len(frames)
    assert len(outputs) == (
        math.ceil(count * ratio) if holds else math.floor((count - 1) * ratio) + 1
    )
    edges = [*instants, end]
    for number, (index, timestep, instant) in enumerate(outputs):
        position = number / ratio
        assert index == math.floor(position)
        assert instant == edges[index] + (position - index) * (edges[index + 1] - edges[index])
        assert timestep == (position - index if index + 1 < count else 0)
    assert all(left.instant < right.instant for left, right in pairwise(outputs))


@given(starts, steps, clocks, source_rates, ratios, output_rates, st.booleans())
def test_the_clock_has_a_tick_on_every_output_instant(
    start: int,
    steps: list[int],
    clock: Fraction,
    rate: Fraction,
    ratio: Fraction,
    out_fps: Fraction,
    keeps_rhythm: bool,
) -> None:
    frames = variable(start, steps, clock)
    options = (
        InterpolationOptions(interp_ratio=ratio, keep_rhythm=True)
        if keeps_rhythm
        else InterpolationOptions(out_fps=out_fps)
    )
    _, outputs, _ = plan(frames, rate, options)
    timeline = Timeline.begin(frames[0], rate, options)
    for each in outputs:
        assert timeline.ticks(each.instant) * timeline.time_base == each.instant


@given(st.integers(2, 30), ratios)
def test_without_holding_the_output_ends_at_the_last_source_frame(
    count: int, ratio: Fraction
) -> None:
    options = InterpolationOptions(interp_ratio=ratio, hold_last=False)
    instants, outputs, _ = plan(
        constant(count, Fraction(25), Fraction(1, 25)), Fraction(25), options
    )
    assert outputs[-1].instant <= instants[-1] < outputs[-1].instant + 1 / (25 * ratio)
    held = [each for each in outputs if each.left_index == count - 1]
    assert [each.instant for each in held] in ([], [instants[-1]])


@given(st.integers(0, 6), source_rates, clocks, starts)
def test_a_right_rate_is_never_corrected(
    count: int, rate: Fraction, clock: Fraction, start: int
) -> None:
    assert steady_rate(constant(count, rate, clock, start), rate) == rate


@pytest.mark.parametrize(
    ("pts", "nominal", "expected"),
    [
        ([0, 20, 40, 60], Fraction(5400, 179), 30),  # the last frame's duration is short
        ([0, 20, 40, 61], Fraction(5400, 179), Fraction(5400, 179)),  # uneven
        ([0, 21, 42, 63, 84], Fraction(200, 7), Fraction(200, 7)),  # nothing is wrong
        ([0, 21, 42, 63, 84], 29, Fraction(200, 7)),  # nothing usual, but further than rounding
        ([0, 20], Fraction(5400, 179), Fraction(5400, 179)),  # too few to tell
        ([0, 20, 40, 60], Fraction(25), 25),  # too far away: a variable rate
    ],
    ids=str,
)
def test_a_slightly_wrong_rate_is_corrected_by_even_frames(
    pts: list[int], nominal: Fraction | int, expected: Fraction | int
) -> None:
    frames = [frame_at(tick, Fraction(1, 600)) for tick in pts]
    assert steady_rate(frames, Fraction(nominal)) == expected


@pytest.mark.parametrize("clock", [Fraction(1, 1000), Fraction(1, 90_000)])
def test_an_hour_does_not_drift(clock: Fraction) -> None:
    rate, start, far = NTSC_FILM, 41 * clock, 100_000
    numbers = [0, *range(1, far, 997), far, far + 1]
    reader = InstantReader(rate)
    frames = [frame_at(rounded(start + number / rate, clock), clock) for number in numbers]
    instants = [reader.next(frame) for frame in frames]
    assert instants == [start + number / rate for number in numbers]
    timeline = Timeline.begin(frames[0], rate, InterpolationOptions(interp_ratio=Fraction(2)))
    span = Span(index=far, start=instants[-2], end=instants[-1])
    assert list(timeline.outputs_in(span)) == [
        Output(far, Fraction(0), start + far / rate),
        Output(far, Fraction(1, 2), start + (2 * far + 1) / (2 * rate)),
    ]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (InterpolationOptions(), ["0", "1/2", "0", "0"]),
        (InterpolationOptions(hold_last=False), ["0", "1/2", "0"]),
        (InterpolationOptions(interp_ratio=Fraction(5, 2)), ["0", "2/5", "4/5", "0", "0"]),
        (InterpolationOptions(out_fps=Fraction(10)), ["0"]),
        (InterpolationOptions(interp_ratio=Fraction(3), out_fps=Fraction(1)), None),
    ],
    ids=str,
)
def test_two_frames(options: InterpolationOptions, expected: list[str] | None) -> None:
    _, outputs, _ = plan(constant(2, Fraction(25), Fraction(1, 25)), Fraction(25), options)
    timesteps = [str(each.timestep) for each in outputs]
    assert timesteps == (expected or ["0", "1/3", "2/3", "0", "0", "0"])


def test_frames_out_of_order_are_refused() -> None:
    reader = InstantReader(Fraction(25))
    reader.next(frame_at(10, Fraction(1, 25)))
    with pytest.raises(InputError, match="order of their instants"):
        reader.next(frame_at(10, Fraction(1, 25)))
