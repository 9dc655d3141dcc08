"""Reading: what comes out of files that carry unusual things."""

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from msvsr.errors import ConfigError, VideoError
from msvsr.video import FrameSource, SourceOptions, open_source, probe
from tests.support.clips import (
    ROTATE_90,
    AudioTrack,
    SubtitleTrack,
    frame_times,
    make_video,
    moving_pattern,
)

IRREGULAR = [0, 1000, 3000, 3500, 9000, 9001, 12000, 13000]
VFR_CLOCK = Fraction(1, 30000)


def test_every_timestamp_of_a_variable_rate_file_is_kept(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", 8, pts=IRREGULAR, time_base=VFR_CLOCK)
    with open_source(path) as source:
        frames = list(source)
    assert [frame.time_seconds for frame in frames] == [tick * VFR_CLOCK for tick in IRREGULAR]
    assert isinstance(source, FrameSource)
    assert source.warnings == ()


def test_a_frame_lasts_until_the_next_one(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", 8, pts=IRREGULAR, time_base=VFR_CLOCK)
    with open_source(path) as source:
        frames = list(source)
    ends = [frame.pts + (frame.duration or 0) for frame in frames[:-1]]
    assert ends == [frame.pts for frame in frames[1:]]
    assert frames[-1].duration is not None


def test_counting_tells_variable_from_constant_rate(tmp_path: Path) -> None:
    variable = make_video(tmp_path / "v.mp4", 8, pts=IRREGULAR, time_base=VFR_CLOCK)
    rounded = make_video(tmp_path / "c.mkv", 8, rate=Fraction(30000, 1001))
    counted = probe(variable, count_frames=True)
    assert (counted.num_frames_from_content, counted.is_variable_rate) == (8, True)
    assert probe(rounded, count_frames=True).is_variable_rate is False
    assert probe(variable).num_frames_from_content is None


def test_iterating_again_starts_again(tmp_path: Path) -> None:
    source = open_source(make_video(tmp_path / "a.mp4", 5))
    next(iter(source))
    assert [frame.pts for frame in source] == [frame.pts for frame in source]
    assert len(list(source)) == 5


@pytest.mark.parametrize(
    ("matrix", "turns", "is_mirrored"),
    [
        (ROTATE_90, 1, False),
        ((-65536, 0, 0, 0, -65536, 0, 0, 0, 1 << 30), 2, False),
        ((0, -65536, 0, 65536, 0, 0, 0, 0, 1 << 30), 3, False),
        ((-65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30), 0, True),
    ],
)
def test_frames_come_out_upright(
    tmp_path: Path, matrix: tuple[int, ...], turns: int, is_mirrored: bool
) -> None:
    stored = moving_pattern(2)
    path = make_video(tmp_path / "a.mov", stored, display_matrix=matrix)
    with open_source(path) as source:
        frame = next(iter(source))
        info = source.info
    plain = stored[0][:, ::-1] if is_mirrored else stored[0]
    expected = np.rot90(plain, -turns)
    assert frame.size == info.size == expected.shape[:2]
    assert (info.rotation_degrees, info.is_mirrored) == (90 * turns, is_mirrored)
    assert np.abs(frame.image.astype(int) - expected).mean() < 4


def test_a_turned_pixel_swaps_its_sides(tmp_path: Path) -> None:
    path = make_video(
        tmp_path / "a.mp4", 2, sample_aspect_ratio=Fraction(4, 3), display_matrix=ROTATE_90
    )
    assert probe(path).sample_aspect_ratio == Fraction(3, 4)


def test_a_part_is_read_from_its_first_frame_to_before_its_end(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", 20, options={"g": "5"})
    with open_source(path, SourceOptions(start_seconds=0.2, end_seconds=0.4)) as source:
        times = [frame.time_seconds for frame in source]
    assert times == [Fraction(k, 25) for k in range(5, 10)]
    assert source.origin_seconds == Fraction(5, 25)
    assert source.stop_seconds == Fraction(2, 5)


def test_a_part_far_into_a_file_is_the_same_as_without_seeking(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", 150, options={"g": "12", "bf": "2"})
    with open_source(path) as whole, open_source(path, SourceOptions(start_seconds=4.28)) as part:
        expected = [frame for frame in whole if frame.time_seconds >= Fraction(428, 100)]
        found = list(part)
    assert [frame.pts for frame in found] == [frame.pts for frame in expected]
    assert all(np.array_equal(a.image, b.image) for a, b in zip(found, expected, strict=True))


def test_a_part_without_frames_is_an_error(tmp_path: Path) -> None:
    source = open_source(make_video(tmp_path / "a.mp4", 5), SourceOptions(start_seconds=9))
    with pytest.raises(VideoError, match="no frame of the video"):
        list(source)


def test_times_count_from_the_start_of_the_file(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.ts", 10, pts=range(50, 60), container_format="mpegts")
    first = frame_times(path)[0]
    assert first == 2
    with open_source(path) as whole, open_source(path, SourceOptions(start_seconds=0.2)) as part:
        assert whole.origin_seconds == first
        assert next(iter(part)).time_seconds - first == Fraction(1, 5)


def test_deep_sources_come_out_with_16_bits(tmp_path: Path) -> None:
    white = np.full((16, 16, 3), 65535, np.uint16)
    path = make_video(tmp_path / "a.mkv", [white] * 2, codec="ffv1", pixel_format="yuv420p10le")
    with open_source(path) as source:
        frame = next(iter(source))
    assert frame.image.dtype == np.uint16
    assert source.info.bit_depth == 10
    assert frame.image.min() > 65400


def test_cover_art_is_not_the_video(tmp_path: Path) -> None:
    cover = make_video(tmp_path / "cover.mp4", 1, size=(128, 128), codec="mjpeg",
                       pixel_format="yuvj420p")  # fmt: skip
    clip = make_video(tmp_path / "clip.mp4", 3)
    both = tmp_path / "both.mkv"
    with av.open(str(cover)) as a, av.open(str(clip)) as b, av.open(str(both), "w") as output:
        art = output.add_stream_from_template(a.streams.video[0], opaque=True)
        art.disposition = av.stream.Disposition.attached_pic
        video = output.add_stream_from_template(b.streams.video[0], opaque=True)
        for container, target in ((a, art), (b, video)):
            for packet in container.demux(video=0):
                if packet.dts is not None:
                    packet.stream = target
                    output.mux(packet)
    info = probe(both)
    assert info.size == (48, 64)
    assert info.other_streams[0].kind == "video"


def test_streams_tags_and_chapters_are_listed(tmp_path: Path) -> None:
    path = make_video(
        tmp_path / "a.mkv",
        10,
        audio=[AudioTrack(), AudioTrack(codec="libopus", language="deu")],
        subtitles=[SubtitleTrack(language="fra")],
        metadata={"title": "A film"},
    )
    info = probe(path)
    assert [(s.codec, s.language) for s in info.audio_streams] == [("aac", "eng"), ("opus", "deu")]
    assert [s.language for s in info.subtitle_streams] == ["fra"]
    assert info.metadata["title"] == "A film"
    assert info.audio_streams[0].sample_rate == 48000


def test_missing_timestamps_follow_at_the_usual_distance(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.h264", 6, container_format="h264", options={"bf": "0"})
    with open_source(path) as source:
        times = [frame.time_seconds for frame in source]
    assert len(times) == 6
    assert {b - a for a, b in pairwise(times)} == {1 / source.info.frame_rate}


def test_a_wrong_rate_in_the_header_is_not_believed(tmp_path: Path) -> None:
    path = make_video(
        tmp_path / "a.flv", 12, rate=Fraction(1000), pts=[33 * k for k in range(12)],
        time_base=Fraction(1, 1000),
    )  # fmt: skip
    assert abs(probe(path).frame_rate - Fraction(1000, 33)) < 1


def test_interlaced_input_is_named(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", 3, options={"x264-params": "tff=1"})
    with open_source(path) as source:
        assert len(list(source)) == 3
    assert "interlaced" in source.warnings[0]


def test_a_change_of_size_is_scaled_and_named(tmp_path: Path) -> None:
    parts = [make_video(tmp_path / f"{n}.ts", 3, size=size, container_format="mpegts")
             for n, size in enumerate([(48, 64), (96, 128)])]  # fmt: skip
    both = tmp_path / "both.ts"
    both.write_bytes(parts[0].read_bytes() + parts[1].read_bytes())
    with open_source(both) as source:
        sizes = {frame.size for frame in source}
    assert sizes == {(48, 64)}
    assert any("another size" in line for line in source.warnings)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda path: path.write_bytes(b""), "empty"),
        (lambda path: path.write_text("no video\n" * 50), "not a video|holds only"),
        (lambda path: path.mkdir(), "no image in this folder"),
        (lambda path: None, "no such file"),
    ],
)
def test_what_is_no_video_ends_in_one_clear_line(
    tmp_path: Path, make: Callable[[Path], object], expected: str
) -> None:
    path = tmp_path / "thing.mp4"
    make(path)
    with pytest.raises(VideoError, match=expected) as caught:
        open_source(path)
    assert "\n" not in str(caught.value)


def test_sound_alone_is_no_video(tmp_path: Path) -> None:
    clip = make_video(tmp_path / "clip.mp4", 3, audio=[AudioTrack()])
    alone = tmp_path / "alone.m4a"
    with av.open(str(clip)) as source, av.open(str(alone), "w", format="mp4") as output:
        target = output.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(audio=0):
            if packet.dts is not None:
                packet.stream = target
                output.mux(packet)
    with pytest.raises(VideoError, match="holds only audio"):
        open_source(alone)


def test_a_video_refuses_a_frame_rate(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", 2)
    with pytest.raises(ConfigError, match="folders of images"):
        open_source(path, SourceOptions(frame_rate=Fraction(30)))


def test_a_name_that_looks_like_an_address_is_still_a_file(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a%03d: b#c?.mp4", 2)
    with open_source(path) as source:
        assert len(list(source)) == 2
