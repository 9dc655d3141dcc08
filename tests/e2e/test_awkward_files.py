"""Real files that break readers, from the shared folder; skipped where it is absent.

The unit tests prove the same behaviours on files that they make themselves.
"""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from msvsr.errors import VideoError
from msvsr.video import OutputOptions, open_sink, open_source, probe
from tests.support.clips import frame_times, packets_of

# name: number of frames, upright (height, width)
EXPECTED = {
    "big_buck_bunny_432_433.webm": (24, (720, 1280)),
    "flv_sample.flv": (30, (720, 1080)),
    "mkv_sample_with_srt.mkv": (30, (720, 1080)),
    "mp4_sample_android_slow_motion.mp4": (7, (720, 1280)),
    "mp4_sample_fragmented.mp4": (30, (720, 1080)),
    "mp4_sample_with_color_info.mp4": (9, (1920, 1080)),
    "nasa_13013.mp4": (390, (270, 480)),
    "newtonscradle.gif": (36, (150, 200)),
    "no_duration.webm": (74, (720, 1280)),
    "ts_sample_h265_rps_pred.ts": (16, (686, 914)),
    "video_0.mov": (3, (320, 568)),
    "video_90.mov": (3, (568, 320)),
    "vp9_bear-vp9-odd-dimensions.webm": (30, (121, 161)),
}


@pytest.fixture(scope="module")
def awkward(shared_data: Path) -> Path:
    return shared_data / "awkward"


def _independent_times(path: Path, stream_index: int) -> list[Fraction]:
    with av.open(str(path)) as container:
        stream = container.streams[stream_index]
        return [f.pts * f.time_base for p in container.demux(stream) for f in p.decode()]


@pytest.mark.parametrize("name", EXPECTED)
def test_frames_and_timestamps(awkward: Path, name: str) -> None:
    count, size = EXPECTED[name]
    with open_source(awkward / name) as source:
        frames = [(frame.time_seconds, frame.size) for frame in source]
    assert len(frames) == count
    assert {frame_size for _, frame_size in frames} == {source.info.size} == {size}
    independent = _independent_times(awkward / name, source.info.stream_index)
    assert [time for time, _ in frames] == independent
    assert source.warnings == ()


@pytest.mark.parametrize(
    "name",
    ["flv_sample.flv", "newtonscradle.gif", "mp4_sample_fragmented.mp4", "video_90.mov",
     "mp4_sample_android_slow_motion.mp4", "ts_sample_h265_rps_pred.ts", "mkv_sample_with_srt.mkv"],
)  # fmt: skip
def test_a_copy_has_the_same_timestamps(awkward: Path, name: str, tmp_path: Path) -> None:
    options = OutputOptions(preset="ultrafast")
    with open_source(awkward / name) as source:
        times = []
        with open_sink(tmp_path / "b.mp4", source, options=options) as sink:
            for frame in source:
                times.append(frame.time_seconds - source.origin_seconds)
                sink.write(frame)
    assert frame_times(tmp_path / "b.mp4") == times
    assert sink.warnings == ()
    info = probe(tmp_path / "b.mp4")
    assert info.rotation_degrees == 0
    assert info.sample_aspect_ratio == source.info.sample_aspect_ratio
    assert len(info.audio_streams) == len(source.info.audio_streams)
    assert len(info.subtitle_streams) == len(source.info.subtitle_streams)


def test_rotated_files_are_turned_clockwise(awkward: Path) -> None:
    with av.open(str(awkward / "video_90.mov")) as container:
        stored = next(container.decode(video=0)).to_ndarray(format="rgb24").astype(int)
    with open_source(awkward / "video_90.mov") as source:
        upright = next(iter(source)).image
    assert np.abs(np.rot90(stored, -1) - upright).mean() < 4


def test_two_sound_and_two_subtitle_streams_arrive(awkward: Path, tmp_path: Path) -> None:
    path = awkward / "nasa_13013.mp4"
    with (
        open_source(path) as source,
        open_sink(tmp_path / "b.mp4", source, options=OutputOptions(preset="ultrafast")) as sink,
    ):
        for frame in source:
            sink.write(frame)
    for kind in ("audio", "subtitles"):
        for index in (0, 1):
            assert packets_of(tmp_path / "b.mp4", kind, index) == packets_of(path, kind, index)
    assert "video stream 0 (h264) not kept" in sink.warnings[0]


def test_a_deep_file_keeps_its_tags(awkward: Path) -> None:
    info = probe(awkward / "mp4_sample_with_color_info.mp4")
    assert (info.bit_depth, info.color.matrix, info.color.transfer_code) == (10, "bt2020", 18)
    assert info.rotation_degrees == 90


def test_the_header_of_a_fragmented_file_is_not_believed(awkward: Path) -> None:
    info = probe(awkward / "mp4_sample_fragmented.mp4", count_frames=True)
    assert (info.num_frames_from_header, info.num_frames_from_content) == (None, 30)


def test_a_wrong_rate_is_seen_through(awkward: Path) -> None:
    assert probe(awkward / "flv_sample.flv").frame_rate == 30


def test_frames_before_the_damage_come_out(awkward: Path) -> None:
    with open_source(awkward / "corrupted.mp4") as source:
        assert [frame.pts for frame in source] == [1024 * k for k in range(28)]
    (warning,) = source.warnings
    assert "damaged at 2.80 s: 22 frames cannot be decoded" in warning


def test_a_file_without_a_frame_is_one_clear_line(awkward: Path) -> None:
    with pytest.raises(VideoError, match="not one frame can be decoded") as caught:
        open_source(awkward / "vp9_invalid-bitstream.webm")
    assert "\n" not in str(caught.value)


def test_the_sound_of_a_real_clip_is_unchanged(shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "train" / "bigbuckbunny.mp4"
    with (
        open_source(path) as source,
        open_sink(tmp_path / "b.mp4", source, options=OutputOptions(preset="ultrafast")) as sink,
    ):
        for frame in source:
            sink.write(frame)
    assert sink.result.num_frames == 132
    assert packets_of(tmp_path / "b.mp4", "audio") == packets_of(path, "audio")
