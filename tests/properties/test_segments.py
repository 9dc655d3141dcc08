"""Plans of time and space hold for any length and size."""

from hypothesis import given
from hypothesis import strategies as st

from msvsr.engine.propagation import split_windows
from msvsr.engine.segments import SegmentRules, stream_segments
from msvsr.engine.tiles import plan_tiles

shots = st.lists(st.integers(1, 40), min_size=1, max_size=5)
rules = st.builds(
    SegmentRules,
    core=st.integers(1, 12),
    lead=st.integers(0, 5),
    tail=st.integers(0, 5),
    carries_state=st.booleans(),
)


def stream(lengths: list[int]) -> list[tuple[int, bool]]:
    starts = {sum(lengths[:index]) for index in range(len(lengths))}
    return [(number, number in starts) for number in range(sum(lengths))]


@given(shots, rules)
def test_every_frame_is_in_exactly_one_core_in_order(
    lengths: list[int], rules: SegmentRules
) -> None:
    cores: list[int] = []
    for segment in stream_segments(stream(lengths), rules):
        cores.extend(segment.items[segment.lead : segment.lead + segment.core])
    assert cores == list(range(sum(lengths)))


@given(shots, rules)
def test_segments_stay_inside_a_shot_and_are_bounded(
    lengths: list[int], rules: SegmentRules
) -> None:
    shot_of = [shot for shot, length in enumerate(lengths) for _ in range(length)]
    begun: set[int] = set()
    for segment in stream_segments(stream(lengths), rules):
        (shot,) = {shot_of[number] for number in segment.items}
        assert len(segment.items) <= rules.lead + rules.core + rules.tail
        assert segment.lead <= rules.lead
        assert segment.starts_shot == (shot not in begun)
        assert not (segment.continues and segment.starts_shot)
        begun.add(shot)


@given(shots, rules)
def test_finished_items_never_come_back(lengths: list[int], rules: SegmentRules) -> None:
    segments = list(stream_segments(stream(lengths), rules))
    for index, segment in enumerate(segments):
        finished = set(segment.items[: segment.finished])
        later = {number for after in segments[index + 1 :] for number in after.items}
        assert not finished & later
        assert set(segment.items) - finished <= later


@given(st.integers(1, 12), st.integers(0, 6))
def test_a_short_shot_is_one_segment(core: int, tail: int) -> None:
    rules = SegmentRules(core=core, lead=0, tail=tail, carries_state=True)
    assert len(list(stream_segments(stream([core + tail]), rules))) == 1
    assert len(list(stream_segments(stream([core + tail + 1]), rules))) > 1


@given(st.integers(1, 60), st.integers(1, 20))
def test_windows_cover_once(num_frames: int, window: int) -> None:
    windows = split_windows(range(num_frames), window)
    assert [number for each in windows for number in each] == list(range(num_frames))
    assert max(map(len, windows)) <= window


@given(st.integers(1, 80), st.integers(1, 80), st.integers(1, 40), st.integers(0, 9))
def test_tiles_cover_each_pixel_once(height: int, width: int, tile: int, radius: int) -> None:
    covered = [[0] * width for _ in range(height)]
    for each in plan_tiles(height, width, tile, radius):
        top, bottom, left, right = each.core
        assert max(bottom - top, right - left) <= tile
        for y in range(top, bottom):
            for x in range(left, right):
                covered[y][x] += 1
        outer = each.padded
        assert (outer[0], outer[2]) == (max(top - radius, 0), max(left - radius, 0))
        assert (outer[1], outer[3]) == (min(bottom + radius, height), min(right + radius, width))
    assert all(count == 1 for row in covered for count in row)
