"""Frames of video files by number: the pixels of a whole pass, without decoding all of it."""

import pickle
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from msvsr.errors import InputError, VideoError
from msvsr.video import open_source, probe, random_access
from msvsr.video.random_access import RandomAccessVideo
from tests.support.clips import ROTATE_90, break_packet, cut_short, make_video

NUM_FRAMES = 40
OUT_OF_ORDER = {"g": "12", "bf": "3", "sc_threshold": "0", "preset": "fast"}

KINDS: dict[str, dict[str, Any]] = {
    "b-frames.mp4": {"options": OUT_OF_ORDER},
    "open-gop.mkv": {"options": OUT_OF_ORDER | {"x264-params": "open-gop=1"}},
    "stream.ts": {"options": OUT_OF_ORDER},
    "hevc.mp4": {"codec": "libx265", "options": {"x265-params": "log-level=none:keyint=12"}},
    "ten-bit.mp4": {"options": OUT_OF_ORDER, "pixel_format": "yuv420p10le"},
    "turned.mp4": {"options": OUT_OF_ORDER, "display_matrix": ROTATE_90},
    "vp9.webm": {"codec": "libvpx-vp9", "options": {"g": "12", "deadline": "realtime"}},
    "hidden-frames.webm": {
        "codec": "libvpx",
        "options": {"g": "12", "auto-alt-ref": "1", "lag-in-frames": "8"},
    },
    "no-instants.avi": {"codec": "mpeg4", "options": {"g": "12", "bf": "2"}},
    "irregular.mp4": {
        "options": OUT_OF_ORDER,
        "pts": [index * index for index in range(NUM_FRAMES)],
        "time_base": Fraction(1, 12800),
    },
    "fragments.mp4": {
        "options": OUT_OF_ORDER,
        "container_options": {"movflags": "frag_keyframe+empty_moov"},
    },
}


def decode_all(path: Path) -> list[np.ndarray]:
    with open_source(path) as source:
        return [frame.image for frame in source]


@pytest.mark.parametrize("name", KINDS)
def test_frames_by_number_are_those_of_a_whole_pass(name: str, tmp_path: Path) -> None:
    path = make_video(tmp_path / name, NUM_FRAMES, **KINDS[name])
    frames = decode_all(path)
    video = RandomAccessVideo(str(path))
    assert len(video) == len(frames) == NUM_FRAMES
    for indices in ([0], [11, 12, 13], range(5, 39, 4), [38, 39], [24], [23, 36]):
        found = list(video.read(indices))
        assert len(found) == len(indices)
        for index, image in zip(indices, found, strict=True):
            np.testing.assert_array_equal(image, frames[index])


def test_only_what_lies_behind_the_key_frame_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_video(tmp_path / "a.mp4", NUM_FRAMES, options=OUT_OF_ORDER | {"bf": "0"})
    video = RandomAccessVideo(str(path))
    decoded = count_decoded(monkeypatch)
    list(video.read([30, 31]))
    assert len(decoded) == 8  # 24, a key frame, to 31


def test_frames_that_no_other_needs_are_not_decoded_on_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_video(tmp_path / "a.mp4", NUM_FRAMES, options=OUT_OF_ORDER | {"g": "40"})
    video = RandomAccessVideo(str(path))
    decoded = count_decoded(monkeypatch)
    (image,) = video.read([36])
    assert len(decoded) < 25
    np.testing.assert_array_equal(image, decode_all(path)[36])


def count_decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    decoded: list[int] = []
    decode = random_access.decode_packets

    def counting(*arguments: Any, **options: Any) -> Iterator[Any]:  # noqa: ANN401
        for frame in decode(*arguments, **options):
            decoded.append(frame.pts)
            yield frame

    monkeypatch.setattr(random_access, "decode_packets", counting)
    return decoded


def test_a_header_that_promises_too_much_is_not_believed(tmp_path: Path) -> None:
    path = make_video(
        tmp_path / "a.mp4",
        NUM_FRAMES,
        options={"g": "10", "bf": "0"},
        container_options={"movflags": "faststart"},
    )
    cut_short(path, 0.6)
    assert probe(path).num_frames_from_header == NUM_FRAMES
    video = RandomAccessVideo(str(path))
    assert NUM_FRAMES / 3 < len(video) < NUM_FRAMES
    frames = decode_all(path)
    number = len(frames) - 1  # the very last packet may be cut in two
    np.testing.assert_array_equal(next(video.read([number])), frames[number])


def test_a_clock_that_starts_again_does_not_confuse_frames(tmp_path: Path) -> None:
    part = make_video(tmp_path / "part.ts", 8, options={"g": "4"})
    other = make_video(tmp_path / "other.ts", 8, size=(48, 64), options={"g": "4"}, matrix=1)
    path = tmp_path / "spliced.ts"
    path.write_bytes(part.read_bytes() + other.read_bytes())
    frames = decode_all(path)
    video = RandomAccessVideo(str(path))
    assert len(video) == len(frames)
    for index in (2, len(frames) - 3):
        np.testing.assert_array_equal(next(video.read([index])), frames[index])


def test_a_damaged_place_is_named_and_others_can_be_read(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", NUM_FRAMES, options={"g": "10", "bf": "0"})
    break_packet(path, 13)
    video = RandomAccessVideo(str(path))
    with pytest.raises(VideoError, match=r"a\.mp4: \d+ of the frames 12 to 15 cannot be decoded"):
        list(video.read([12, 13, 14, 15]))
    assert len(list(video.read([20, 25]))) == 2


@pytest.mark.parametrize("indices", [[], [3, 3], [5, 4], [-1], [8]])
def test_numbers_of_frames_that_do_not_exist_are_refused(
    indices: list[int], tmp_path: Path
) -> None:
    video = RandomAccessVideo(str(make_video(tmp_path / "a.mp4", 8)))
    with pytest.raises(InputError, match="from 0 to 7"):
        list(video.read(indices))


def test_it_travels_to_another_process(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", 8)
    copy = pickle.loads(pickle.dumps(RandomAccessVideo(str(path))))  # noqa: S301 - made here
    np.testing.assert_array_equal(next(copy.read([5])), decode_all(path)[5])
