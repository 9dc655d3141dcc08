"""Reading damaged files: real frames only, and what was lost is said."""

from pathlib import Path

import av
import numpy as np
import pytest

from msvsr.errors import VideoError
from msvsr.video import open_source
from tests.support.clips import break_packet, cut_short, make_video

PACKETS_PER_KEY = 8


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return make_video(
        tmp_path / "clip.mp4",
        32,
        options={"g": str(PACKETS_PER_KEY), "bf": "0", "preset": "fast", "sc_threshold": "0"},
    )


def _decode(path: Path) -> dict[int, np.ndarray]:
    with open_source(path) as source:
        return {frame.pts: frame.image for frame in source}


def test_a_hole_loses_the_frames_up_to_the_next_key_frame(clip: Path) -> None:
    whole = list(_decode(clip))
    break_packet(clip, 11)
    with open_source(clip) as source:
        found = [frame.pts for frame in source]
    assert found[:9] == whole[:9]
    assert set(whole[:11] + whole[16:]) >= set(found) >= set(whole[:9] + whole[16:])
    lost = len(whole) - len(found)
    assert len(source.warnings) == 1
    assert f"{lost} frames cannot be decoded" in source.warnings[0]
    assert "damaged at 0.4" in source.warnings[0]


def test_frames_around_a_hole_are_the_real_ones(clip: Path) -> None:
    whole = _decode(clip)
    break_packet(clip, 11)
    for pts, image in _decode(clip).items():
        assert np.array_equal(image, whole[pts])


def test_a_broken_first_key_frame_loses_its_group_only(clip: Path) -> None:
    whole = list(_decode(clip))
    break_packet(clip, 0)
    assert list(_decode(clip)) == whole[PACKETS_PER_KEY:]


def test_nothing_decodable_is_an_error(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", 4)
    for index in range(4):
        break_packet(path, index)
    with pytest.raises(VideoError, match="not one frame can be decoded"):
        open_source(path)


def test_an_unknown_codec_is_an_error(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", 4)
    path.write_bytes(path.read_bytes().replace(b"avc1", b"what"))
    with pytest.raises(VideoError, match="codec is unknown"):
        open_source(path)


def test_a_file_cut_short_says_so(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", 32, container_options={"movflags": "+faststart"})
    cut_short(path, 0.6)
    with open_source(path) as source:
        count = len(list(source))
    assert 5 < count < 32
    assert any(f"{count} frames were read" in line for line in source.warnings)


def test_an_index_cut_off_is_one_clear_line(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", 8)  # the index stands at the end
    cut_short(path, 0.5)
    with pytest.raises(VideoError, match="not a video that can be read, or it is damaged"):
        open_source(path)


def test_a_matroska_file_cut_short_says_so(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mkv", 100)
    cut_short(path, 0.5)
    with open_source(path) as source:
        count = len(list(source))
    assert 20 < count < 100
    assert source.warnings


def test_ffmpeg_keeps_quiet(clip: Path, capfd: pytest.CaptureFixture[str]) -> None:
    break_packet(clip, 11)
    _decode(clip)
    assert capfd.readouterr().err == ""
    assert av.logging.get_level() is None
