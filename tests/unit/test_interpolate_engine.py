"""The interpolation engine: which frames come out, when, and what is computed and kept for them."""

import weakref
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch

from msvsr.engine.interpolate import interpolate_frames
from msvsr.engine.options import InterpolationOptions
from msvsr.errors import ConfigError, InputError, ShapeError
from msvsr.frame import Frame
from msvsr.models.contract import NeighbourMotion

RATE = Fraction(25)
SIZE = (36, 48)


class Encoded:
    """What the model below keeps of a frame."""

    def __init__(self, image: torch.Tensor) -> None:
        self.image = image
        self.number = int(image[0, 0, 0] * 255)  # frames carry their number in a corner


class Motion:
    """What it keeps of a pair."""

    def __init__(self, first: Encoded, second: Encoded) -> None:
        self.pair = (first.number, second.number)


class Blender:
    """A model that blends, and writes down what it is asked."""

    device = torch.device("cpu")

    def __init__(self) -> None:
        self.encoded: list[int] = []
        self.pairs: list[tuple[int, int]] = []
        self.calls: list[tuple[int, int, float, Any, Any]] = []
        self.alive: weakref.WeakSet[Any] = weakref.WeakSet()
        self.most_alive = {Encoded: 0, Motion: 0}

    def _watch(self, made: Any) -> None:  # noqa: ANN401
        self.alive.add(made)
        count = sum(isinstance(each, type(made)) for each in self.alive)
        self.most_alive[type(made)] = max(self.most_alive[type(made)], count)

    def encode(self, image: torch.Tensor) -> Encoded:
        """Note the frame."""
        assert image.dtype == torch.float32
        assert image.shape == (3, *SIZE)
        encoded = Encoded(image)
        self._watch(encoded)
        self.encoded.append(encoded.number)
        return encoded

    def estimate_motion(self, first: Encoded, second: Encoded) -> Motion:
        """Note the pair."""
        motion = Motion(first, second)
        self._watch(motion)
        self.pairs.append(motion.pair)
        return motion

    def synthesize(
        self,
        first: Encoded,
        second: Encoded,
        motion: Motion,
        timestep: float,
        *,
        before: NeighbourMotion[Motion] | None = None,
        after: NeighbourMotion[Motion] | None = None,
    ) -> torch.Tensor:
        """Note what is known around the instant, and blend."""
        assert motion.pair == (first.number, second.number)
        assert 0 < timestep < 1
        beside = [
            None if each is None else (each.motion.pair, each.length) for each in (before, after)
        ]
        self.calls.append((first.number, second.number, timestep, *beside))
        return torch.lerp(first.image, second.image, timestep)


def make_frames(
    count: int,
    *,
    cuts: Sequence[int] = (),
    dtype: type = np.uint8,
    pts: Sequence[int] | None = None,
    size: tuple[int, int] = SIZE,
) -> list[Frame]:
    """A texture moving by a pixel per frame, another one in each shot."""
    height, width = size
    top, frames = np.iinfo(dtype).max, []
    for index in range(count):
        rng = np.random.default_rng(sum(index >= cut for cut in cuts))
        coarse = rng.integers(0, top, (height // 4, (width + 240) // 4, 3))
        wide = np.kron(coarse, np.ones((4, 4, 1))).astype(dtype)
        image = wide[:, index % 240 : index % 240 + width].copy()
        image[0, 0] = index % 256 if dtype is np.uint8 else index % 256 * 257
        tick = index * 512 if pts is None else pts[index]
        frames.append(Frame(image=image, pts=tick, time_base=Fraction(1, 12800), duration=512))
    return frames


def run(
    frames: Sequence[Frame],
    model: Blender | None = None,
    **options: Any,  # noqa: ANN401
) -> list[Frame]:
    given = InterpolationOptions(**{"detect_cuts": False, **options})
    return list(interpolate_frames(iter(frames), model or Blender(), given, frame_rate=RATE))


def same(left: Frame, right: Frame) -> bool:
    return left.image.dtype == right.image.dtype and np.array_equal(left.image, right.image)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_source_frames_come_out_bit_for_bit_between_made_ones(dtype: type) -> None:
    frames = make_frames(5, dtype=dtype)
    outputs = run(frames)
    assert len(outputs) == 10
    assert all(same(output, frame) for output, frame in zip(outputs[::2], frames, strict=True))
    assert same(outputs[-1], frames[-1])
    (made,) = run(frames, interp_ratio=Fraction(3))[4:5]
    assert made.image.dtype == dtype
    expected = (2 * frames[1].image.astype(float) + frames[2].image) / 3
    assert np.abs(made.image - expected).max() <= 0.34  # thirds, rounded to the nearest


def test_instants_and_durations_are_exact() -> None:
    outputs = run(make_frames(5, pts=[7, 519, 1031, 1543, 2055]), out_fps=Fraction(60000, 1001))
    period = Fraction(1001, 60000)
    first = Fraction(7, 12800)
    assert [frame.time_seconds for frame in outputs] == [
        first + number * period for number in range(len(outputs))
    ]
    assert all((frame.duration or 0) * frame.time_base == period for frame in outputs)
    assert len({frame.time_base for frame in outputs}) == 1
    assert len(outputs) == 12  # 200 ms


def test_inner_pairs_know_both_neighbours_and_outer_pairs_none() -> None:
    model = Blender()
    run(make_frames(5), model)
    assert model.calls == [
        (0, 1, 0.5, None, None),
        (1, 2, 0.5, ((0, 1), 1.0), ((2, 3), 1.0)),
        (2, 3, 0.5, ((1, 2), 1.0), ((3, 4), 1.0)),
        (3, 4, 0.5, None, None),
    ]


@pytest.mark.parametrize("options", [{}, {"interp_ratio": Fraction(5)}, {"out_fps": Fraction(31)}])
def test_everything_is_computed_once_and_let_go(options: dict[str, Any]) -> None:
    model, count = Blender(), 200
    assert most_frames_alive(count, model, options) <= 6  # the first ones are read together
    assert model.encoded == list(range(count))
    assert model.pairs == list(pairwise(range(count)))
    assert model.most_alive == {Encoded: 3, Motion: 3}


def test_frames_are_let_go_where_nothing_is_computed() -> None:
    assert most_frames_alive(60, Blender(), {"out_fps": Fraction(5, 2)}) <= 6


def most_frames_alive(count: int, model: Blender, options: dict[str, Any]) -> int:
    """How many source frames there are at most while one is read or made."""
    alive: weakref.WeakSet[Frame] = weakref.WeakSet()
    most = 0

    def source() -> Iterator[Frame]:
        nonlocal most
        for frame in make_frames(count):
            alive.add(own := replace(frame))
            most = max(most, len(alive))
            yield own
            del own

    given = InterpolationOptions(detect_cuts=False, **options)
    for _ in interpolate_frames(source(), model, given, frame_rate=RATE):
        most = max(most, len(alive))
    return most


def test_only_what_is_needed_is_computed() -> None:
    model = Blender()
    run(make_frames(41), model, out_fps=Fraction(5, 2))  # every tenth frame
    assert (model.encoded, model.pairs) == ([], [])
    run(make_frames(41), model, out_fps=Fraction(2))  # every 12.5th
    assert sorted(model.encoded) == [11, 12, 13, 14, 36, 37, 38, 39]
    assert sorted(model.pairs) == [(11, 12), (12, 13), (13, 14), (36, 37), (37, 38), (38, 39)]


@pytest.mark.parametrize("at_cuts", ["repeat", "blend"])
def test_nothing_is_interpolated_across_a_cut(at_cuts: str) -> None:
    model, frames = Blender(), make_frames(16, cuts=[8])
    outputs = run(frames, model, detect_cuts=True, at_cuts=at_cuts)
    assert (7, 8) not in model.pairs
    beside = {call[:2]: call[3:] for call in model.calls}
    assert len(beside) == 14
    without = [pair for pair, motions in beside.items() if motions == (None, None)]
    assert without == [(0, 1), (6, 7), (8, 9), (14, 15)]
    assert all(None not in beside[pair] for pair in beside if pair not in without)
    blended = (frames[7].image.astype(float) + frames[8].image) / 2
    expected = frames[7].image if at_cuts == "repeat" else blended
    assert np.abs(outputs[15].image - expected).max() <= 0.5 + 1e-2
    assert same(outputs[16], frames[8])


@pytest.mark.parametrize(
    ("count", "holds", "expected"), [(0, True, 0), (1, True, 2), (1, False, 1), (2, True, 4),
                                     (2, False, 3), (3, True, 6), (3, False, 5)]
)  # fmt: skip
def test_very_short_clips(count: int, holds: bool, expected: int) -> None:
    model, frames = Blender(), make_frames(count)
    outputs = run(frames, model, hold_last=holds, detect_cuts=True)
    assert len(outputs) == expected
    assert all(same(output, frame) for output, frame in zip(outputs[::2], frames, strict=True))
    assert all(call[3:] == (None, None) for call in model.calls)


def test_variable_rates_come_out_constant_by_their_real_instants() -> None:
    model = Blender()
    outputs = run(make_frames(5, pts=[0, 512, 1280, 1792, 2560]), model)  # 40, 60, 40, 60 ms
    assert [frame.time_seconds for frame in outputs] == [Fraction(k, 50) for k in range(12)]
    assert model.calls == [
        (0, 1, 0.5, None, None),
        (
            1,
            2,
            pytest.approx(1 / 3),
            ((0, 1), pytest.approx(2 / 3)),
            ((2, 3), pytest.approx(2 / 3)),
        ),
        (
            1,
            2,
            pytest.approx(2 / 3),
            ((0, 1), pytest.approx(2 / 3)),
            ((2, 3), pytest.approx(2 / 3)),
        ),
        (2, 3, 0.5, ((1, 2), 1.5), ((3, 4), 1.5)),
        (3, 4, pytest.approx(1 / 3), None, None),
        (3, 4, pytest.approx(2 / 3), None, None),
    ]


def test_a_kept_rhythm_is_multiplied() -> None:
    pts = [0, 512, 1280, 1792, 2560]
    frames = make_frames(5, pts=pts)
    outputs = run(frames, keep_rhythm=True, interp_ratio=Fraction(2))
    expected = [0, 256, 512, 896, 1280, 1536, 1792, 2176, 2560, 2816]
    assert [frame.time_seconds * 12800 for frame in outputs] == expected
    assert all(same(output, frame) for output, frame in zip(outputs[::2], frames, strict=True))


@pytest.mark.parametrize("ratio", [Fraction(2), Fraction(5, 2), Fraction(24000, 23023)])
def test_a_kept_rhythm_leaves_no_gaps(ratio: Fraction) -> None:
    frames = make_frames(5, pts=[0, 512, 1280, 1792, 2560])
    outputs = run(frames, keep_rhythm=True, interp_ratio=ratio)
    ends = [(frame.pts + (frame.duration or 0)) * frame.time_base for frame in outputs]
    assert ends == [*(frame.time_seconds for frame in outputs[1:]), Fraction(2560 + 512, 12800)]


def test_uneven_neighbours_are_of_no_use() -> None:
    model = Blender()
    run(make_frames(4, pts=[0, 100, 612, 1124]), model)
    assert [call[3:] for call in model.calls if call[:2] == (1, 2)] == [(None, None)] * 2


def test_a_picture_that_stood_still_for_long_is_held() -> None:
    model, frames = Blender(), make_frames(4, pts=[0, 512, 512 + 12800, 1024 + 12800])
    outputs = run(frames, model)
    assert (1, 2) not in model.pairs
    assert all(same(output, frames[1]) for output in outputs[2:52])
    assert same(outputs[52], frames[2])


def test_a_header_that_is_a_little_wrong_does_not_blur_source_frames() -> None:
    frames, options = make_frames(30), InterpolationOptions(detect_cuts=False)
    outputs = list(interpolate_frames(frames, Blender(), options, frame_rate=RATE * 30 / 29))
    assert len(outputs) == 60
    assert all(same(output, frame) for output, frame in zip(outputs[::2], frames, strict=True))


def test_milliseconds_do_not_blur_source_frames() -> None:
    pts = [round(1000 * number / 24) for number in range(30)]
    frames = [
        Frame(image=frame.image, pts=tick, time_base=Fraction(1, 1000), duration=42)
        for frame, tick in zip(make_frames(30), pts, strict=True)
    ]
    options = InterpolationOptions(detect_cuts=False)
    outputs = list(interpolate_frames(frames, Blender(), options, frame_rate=Fraction(24)))
    assert len(outputs) == 60
    assert all(same(output, frame) for output, frame in zip(outputs[::2], frames, strict=True))


@pytest.mark.parametrize(("pattern", "distinct"), [((4, 5), 25), ((1, 2), 16), ((1, 3), 11)])
def test_duplicates_are_replaced_and_time_does_not_shrink(
    pattern: tuple[int, int], distinct: int
) -> None:
    moving = make_frames(32)
    numbers = [index * pattern[0] // pattern[1] for index in range(31)]
    frames = [moving[number].with_image(moving[number].image) for number in numbers]
    frames = [
        Frame(image=frame.image, pts=index * 512, time_base=frame.time_base, duration=512)
        for index, frame in enumerate(frames)
    ]
    model, plain = Blender(), run(frames, Blender())
    outputs = run(frames, model, replace_duplicates=True)
    assert len(set(model.encoded)) == len(model.encoded) == distinct
    assert [frame.time_seconds for frame in outputs] == [frame.time_seconds for frame in plain]
    last = numbers.index(numbers[-1])
    repeated = [k for k in range(1, last) if numbers[k] == numbers[k - 1]]
    assert repeated
    assert not any(same(outputs[2 * k], frames[k]) for k in repeated)
    kept = [k for k in range(1, last) if k not in repeated]
    assert all(same(outputs[2 * k], frames[k]) for k in kept)


@pytest.mark.parametrize(
    "options", [{}, {"out_fps": Fraction(7)}, {"replace_duplicates": True}, {"hold_last": False}]
)
def test_progress_adds_up_to_the_source_frames(options: dict[str, Any]) -> None:
    moving, work = make_frames(12), []
    frames = [moving[index].with_image(moving[index // 2 * 2].image) for index in range(12)]
    given = InterpolationOptions(detect_cuts=False, **options)
    for _ in interpolate_frames(frames, Blender(), given, frame_rate=RATE, on_work=work.append):
        assert sum(work) <= 12 + 1e-9
    assert sum(work) == pytest.approx(12)


def test_frames_are_consumed_as_they_are_needed() -> None:
    taken = 0

    def source() -> Iterator[Frame]:
        nonlocal taken
        for frame in make_frames(40):
            taken += 1
            yield frame

    outputs = interpolate_frames(source(), Blender(), frame_rate=RATE)
    next(outputs)
    assert taken <= 6


def test_sources_are_not_changed() -> None:
    frames = make_frames(4)
    copies = [frame.image.copy() for frame in frames]
    run(frames)
    assert all(np.array_equal(a.image, b) for a, b in zip(frames, copies, strict=True))


def test_frames_of_another_size_are_named() -> None:
    frames = [*make_frames(2), *make_frames(3, size=(40, 48))[2:]]
    with pytest.raises(ShapeError, match="frame 2 has 48x40"):
        run(frames)


def test_frames_out_of_order_are_refused() -> None:
    with pytest.raises(InputError, match="sort them"):
        run(make_frames(3, pts=[0, 512, 512]))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"interp_ratio": Fraction(1)}, "interp_ratio must be above 1.*give out_fps"),
        ({"interp_ratio": Fraction(1001)}, "interp_ratio must be at most 1000"),
        ({"interp_ratio": 2.5}, r"interp_ratio must be an exact number, got 2.5.*Fraction"),
        ({"interp_ratio": True}, "interp_ratio must be an exact number"),
        ({"out_fps": Fraction(0)}, "out_fps must lie above 0"),
        ({"out_fps": Fraction(20_000)}, "out_fps must lie above 0 and at most at 10000"),
        ({"out_fps": "60"}, "out_fps must be an exact number"),
        ({"out_fps": Fraction(60), "keep_rhythm": True}, "keep_rhythm.*give interp_ratio"),
        ({"at_cuts": "fade"}, "at_cuts must be one of repeat, blend"),
    ],
    ids=str,
)
def test_impossible_options_are_refused_in_one_line(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        InterpolationOptions(**wrong)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "rate"),
    [
        ({}, Fraction(48000, 1001)),
        ({"out_fps": Fraction(60)}, 60),
        ({"interp_ratio": Fraction(5, 2), "out_fps": Fraction(60)}, Fraction(60000, 1001)),
    ],
    ids=str,
)
def test_the_ratio_wins_over_the_rate(options: dict[str, Any], rate: Fraction) -> None:
    given = InterpolationOptions(**options)
    assert given.output_rate(Fraction(24000, 1001)) == rate
