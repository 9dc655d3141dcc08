"""Writing: what arrives in the output, and that nothing arrives when something goes wrong."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from msvsr.errors import ConfigError, InputError, ShapeError, VideoError
from msvsr.frame import Frame
from msvsr.video import FrameSink, OutputOptions, SourceOptions, open_sink, open_source, probe
from tests.support.clips import (
    ROTATE_90,
    AudioTrack,
    Chapter,
    frame_times,
    make_video,
    moving_pattern,
)

IRREGULAR = [0, 1000, 3000, 3500, 9000, 9001, 12000, 13000]
VFR_CLOCK = Fraction(1, 30000)
FAST = OutputOptions(preset="veryfast")


def _frames(count: int = 6, size: tuple[int, int] = (48, 64)) -> list[Frame]:
    tick = Fraction(1, 25)
    images = moving_pattern(count, size)
    return [Frame(image=image, pts=k, time_base=tick, duration=1) for k, image in enumerate(images)]


def _copy(path: Path, output: Path, options: OutputOptions = FAST, **reading: float) -> FrameSink:
    with open_source(path, SourceOptions(**reading)) as source:
        with open_sink(output, source, size=source.info.size, options=options) as sink:
            for frame in source:
                sink.write(frame)
        return sink


def _write(output: Path, frames: Iterable[Frame], options: OutputOptions = FAST) -> FrameSink:
    with open_sink(output, options=options) as sink:
        for frame in frames:
            sink.write(frame)
    return sink


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_every_timestamp_arrives(tmp_path: Path, suffix: str) -> None:
    path = make_video(tmp_path / "a.mp4", 8, pts=IRREGULAR, time_base=VFR_CLOCK)
    output = tmp_path / f"b{suffix}"
    sink = _copy(path, output, OutputOptions(preset="medium"))  # with B-frames
    expected = [tick * VFR_CLOCK for tick in IRREGULAR]
    limit = Fraction(1, 2000) if suffix == ".mkv" else 0  # Matroska counts milliseconds
    assert all(abs(a - b) <= limit for a, b in zip(frame_times(output), expected, strict=True))
    assert sink.result.num_frames == 8
    assert sink.warnings == ()


def test_the_last_frame_lasts_as_long_as_in_the_source(tmp_path: Path) -> None:
    path = make_video(
        tmp_path / "a.mp4", 4, pts=[0, 1, 2, 3], durations=[1, 1, 1, 7], time_base=Fraction(1, 25)
    )
    _copy(path, tmp_path / "b.mp4")
    before, after = (probe(p, count_frames=True) for p in (path, tmp_path / "b.mp4"))
    assert after.duration_seconds_from_content == before.duration_seconds_from_content
    assert before.duration_seconds_from_content == Fraction(10, 25)


def test_frame_rates_that_no_decimal_holds_stay_exact(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", 8, rate=Fraction(30000, 1001))
    _copy(path, tmp_path / "b.mp4")
    assert frame_times(tmp_path / "b.mp4") == [Fraction(1001 * k, 30000) for k in range(8)]


def test_interpolated_instants_fit_when_their_clock_is_named(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", 4, rate=Fraction(24))
    instants = [Fraction(k, 60) for k in range(10)]
    with open_source(path) as source:
        image = next(iter(source)).image
        with open_sink(tmp_path / "b.mp4", source, time_base=Fraction(1, 60)) as sink:
            for k, instant in enumerate(instants):
                sink.write(Frame(image=image, pts=k, time_base=Fraction(1, 60)))
                assert sink.num_frames == k + 1
                assert instant == k * Fraction(1, 60)
    assert frame_times(tmp_path / "b.mp4") == instants


def test_a_part_starts_at_zero(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", 20, options={"g": "5"})
    _copy(path, tmp_path / "b.mp4", start_seconds=0.2, end_seconds=0.6)
    assert frame_times(tmp_path / "b.mp4") == [Fraction(k, 25) for k in range(10)]


def test_a_late_start_of_the_video_is_kept(tmp_path: Path) -> None:
    path = make_video(
        tmp_path / "a.mp4", 8, pts=range(2, 10), rate=Fraction(30000, 1001), audio=[AudioTrack()],
        container_options={"movie_timescale": "30000"},
    )  # fmt: skip
    assert frame_times(path)[0] == Fraction(2002, 30000)
    _copy(path, tmp_path / "b.mp4")
    assert frame_times(tmp_path / "b.mp4")[0] == Fraction(2002, 30000)


def test_shape_and_rotation(tmp_path: Path) -> None:
    path = make_video(
        tmp_path / "a.mp4", 3, sample_aspect_ratio=Fraction(4, 3), display_matrix=ROTATE_90
    )
    for name in ("b.mp4", "b.mkv"):
        _copy(path, tmp_path / name)
        info = probe(tmp_path / name)
        assert info.size == (64, 48)
        assert info.rotation_degrees == 0
        assert info.sample_aspect_ratio == Fraction(3, 4)


def test_a_pixel_shape_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", 2, sample_aspect_ratio=Fraction(4, 3))
    sink = _copy(path, tmp_path / "b.webm", OutputOptions(crf=40))
    assert any("pixel shape" in line for line in sink.warnings)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_tags_and_chapters_arrive(tmp_path: Path, suffix: str) -> None:
    path = make_video(
        tmp_path / f"a{suffix}",
        20,
        metadata={"title": "A film", "comment": "by hand"},
        chapters=[Chapter(start=0, end=0.4, title="One"), Chapter(start=0.4, end=0.8, title="Two")],
    )
    sink = _copy(path, tmp_path / f"b{suffix}")
    info = probe(tmp_path / f"b{suffix}")
    tags = {key.lower(): value for key, value in info.metadata.items()}
    assert (tags["title"], tags["comment"]) == ("A film", "by hand")
    assert [(c.title, c.start_seconds) for c in info.chapters] == [
        ("One", 0),
        ("Two", Fraction(2, 5)),
    ]
    assert sink.warnings == ()


def test_unusual_tags_arrive_in_mp4(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mkv", 3, metadata={"camera_mood": "grim", "title": "T"})
    _copy(path, tmp_path / "b.mp4")
    tags = {key.lower(): value for key, value in probe(tmp_path / "b.mp4").metadata.items()}
    assert tags["camera_mood"] == "grim"
    assert tags["title"] == "T"


def test_chapters_move_with_a_part(tmp_path: Path) -> None:
    path = make_video(
        tmp_path / "a.mkv", 20, options={"g": "1"},
        chapters=[Chapter(start=0, end=0.1, title="One"), Chapter(start=0.1, end=0.8, title="Two")],
    )  # fmt: skip
    _copy(path, tmp_path / "b.mkv", start_seconds=0.2)
    (chapter,) = probe(tmp_path / "b.mkv").chapters
    assert (chapter.title, chapter.start_seconds) == ("Two", 0)
    assert chapter.end_seconds == Fraction(6, 10)


@pytest.mark.parametrize(
    ("name", "codec", "expected"),
    [
        ("b.mp4", "hevc", "hevc"),
        ("b.mkv", "ffv1", "ffv1"),
        ("b.mkv", "h264-lossless", "h264"),
        ("b.webm", None, "vp9"),
        ("b.webm", "av1", "av1"),
    ],
)
def test_codecs(
    tmp_path: Path, name: str, codec: str | None, expected: str, capfd: pytest.CaptureFixture[str]
) -> None:
    frames = _frames(4, (64, 64))
    _write(tmp_path / name, frames, OutputOptions(codec=codec))
    with av.open(str(tmp_path / name)) as container:
        assert container.streams.video[0].codec_context.codec.canonical_name == expected
    with open_source(tmp_path / name) as source:
        images = [frame.image for frame in source]
    if codec in ("ffv1", "h264-lossless"):
        assert all(np.array_equal(a, f.image) for a, f in zip(images, frames, strict=True))
    assert len(images) == 4
    assert capfd.readouterr().err == ""


def test_deep_sources_stay_deep_where_the_codec_can(tmp_path: Path) -> None:
    ramp = np.broadcast_to(np.linspace(0, 65535, 256).astype(np.uint16)[None, :, None],
                           (32, 256, 3))  # fmt: skip
    path = make_video(tmp_path / "a.mkv", [ramp] * 2, codec="ffv1", pixel_format="yuv420p10le")
    with open_source(path) as source:
        assert len(np.unique(next(iter(source)).image[0, :, 1])) == 256  # no banding
    for name, options, depth in (
        ("hevc.mp4", OutputOptions(codec="hevc", preset="ultrafast"), 10),
        ("h264.mp4", FAST, 8),
        ("ffv1.mkv", OutputOptions(codec="ffv1"), 16),
    ):
        _copy(path, tmp_path / name, options)
        assert probe(tmp_path / name).bit_depth == depth


@pytest.mark.parametrize("size", [(47, 64), (48, 63), (47, 63)])
def test_odd_sizes_keep_every_pixel(tmp_path: Path, size: tuple[int, int]) -> None:
    sink = _write(tmp_path / "b.mp4", _frames(3, size))
    info = probe(tmp_path / "b.mp4")
    assert info.size == size
    assert info.pixel_format == "yuv444p"
    assert "yuv444p" in sink.warnings[0]


def test_a_layout_that_cannot_hold_the_size_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="even width and height"):
        open_sink(tmp_path / "b.mp4", size=(47, 64), options=OutputOptions(pixel_format="yuv420p"))


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("b.avi", OutputOptions(), "is not written"),
        ("b.gif", OutputOptions(), "is not written"),
        ("b.mp4", OutputOptions(codec="ffv1"), "use .mkv"),
        ("b.mp4", OutputOptions(pixel_format="nonsense"), "must be a name that FFmpeg knows"),
        ("b.mp4", OutputOptions(pixel_format="pal8"), "takes no pixel_format"),
        ("b.mp4", OutputOptions(preset="nonsense"), "does not accept these settings"),
        ("b.mp4", OutputOptions(encoder_options={"nonsense": "1"}), "knows no nonsense"),
        ("b.mkv", OutputOptions(codec="ffv1", preset="slow"), "has no presets"),
    ],
)
def test_wrong_options_show_before_the_work(
    tmp_path: Path, name: str, options: OutputOptions, expected: str
) -> None:
    with pytest.raises(ConfigError, match=expected) as caught:
        open_sink(tmp_path / name, size=(48, 64), options=options)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_encoder_options_reach_the_encoder(tmp_path: Path) -> None:
    _write(tmp_path / "b.mp4", _frames(6), OutputOptions(encoder_options={"g": "1"}))
    with av.open(str(tmp_path / "b.mp4")) as container:
        assert all(p.is_keyframe for p in container.demux(video=0) if p.size)


def test_a_constant_rate_repeats_and_drops(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", 8, pts=IRREGULAR, time_base=VFR_CLOCK)
    options = OutputOptions(preset="veryfast", constant_frame_rate=Fraction(30))
    sink = _copy(path, tmp_path / "b.mp4", options)
    times = frame_times(tmp_path / "b.mp4")
    assert times == [Fraction(k, 30) for k in range(len(times))]
    assert sink.num_frames == len(times) == 14


def test_wrong_frames_are_refused(tmp_path: Path) -> None:
    first, second = _frames(2)
    with pytest.raises(InputError, match="later than"):
        _write(tmp_path / "b.mp4", [second, first])
    sink = open_sink(tmp_path / "b.mp4", size=(32, 32))
    with pytest.raises(ShapeError), sink:
        sink.write(first)
    assert list(tmp_path.iterdir()) == []


def test_no_frames_make_no_output(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="no frame was written"), open_sink(tmp_path / "b.mp4"):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["b.mp4", "b.mkv", "frames", "new/deep/b.mp4", "new/deep/frames"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError, SystemExit])
def test_an_interrupted_run_leaves_nothing(
    tmp_path: Path, name: str, error: type[BaseException]
) -> None:
    def interrupted() -> Iterator[Frame]:
        yield from _frames(6)
        raise error

    with pytest.raises(error):
        _write(tmp_path / name, interrupted())
    assert list(tmp_path.iterdir()) == []


def test_missing_folders_are_made(tmp_path: Path) -> None:
    _write(tmp_path / "new" / "deep" / "b.mp4", _frames(2))
    assert (tmp_path / "new" / "deep" / "b.mp4").is_file()


_SLOW_JOB = """
import sys, time
from fractions import Fraction
import numpy as np
from msvsr.frame import Frame
from msvsr.video import open_sink
with open_sink(sys.argv[1]) as sink:
    for k in range(1000):
        image = np.full((48, 64, 3), k % 256, np.uint8)
        sink.write(Frame(image=image, pts=k, time_base=Fraction(1, 25)))
        time.sleep(0.05)
"""


@pytest.mark.skipif(os.name != "posix", reason="Windows has no polite kill")
def test_a_polite_kill_leaves_nothing(tmp_path: Path, repository: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", _SLOW_JOB, str(tmp_path / "b.mp4")], cwd=repository
    )
    try:
        for _ in range(200):
            if any(path.stat().st_size for path in tmp_path.iterdir()):
                break
            time.sleep(0.05)
        time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 128 + signal.SIGTERM
    finally:
        process.kill()
    assert list(tmp_path.iterdir()) == []


def test_an_existing_file_is_not_replaced_unless_asked(tmp_path: Path) -> None:
    output = tmp_path / "b.mp4"
    output.write_text("precious")
    with pytest.raises(VideoError, match="exists already"):
        _write(output, _frames(2))
    assert output.read_text() == "precious"
    _write(output, _frames(2), OutputOptions(preset="veryfast", overwrite=True))
    assert probe(output).size == (48, 64)


def test_a_file_that_appears_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    output = tmp_path / "b.mp4"

    def frames() -> Iterator[Frame]:
        yield from _frames(2)
        output.write_text("precious")

    with pytest.raises(VideoError, match="exists already"):
        _write(output, frames())
    assert [path.name for path in tmp_path.iterdir()] == ["b.mp4"]
    assert output.read_text() == "precious"


def test_the_output_cannot_be_the_input(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", 2)
    (tmp_path / "link.mp4").symlink_to(path)
    with open_source(path) as source:
        for name in (path, tmp_path / "." / "a.mp4", tmp_path / "link.mp4"):
            with pytest.raises(VideoError, match="the output is the input"):
                open_sink(name, source, options=OutputOptions(overwrite=True))


def test_a_place_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(VideoError, match="choose another place") as caught:
        _write(tmp_path / "file" / "b.mp4", _frames(1))
    assert "\n" not in str(caught.value)


def test_the_index_stands_first_in_mp4(tmp_path: Path) -> None:
    _write(tmp_path / "b.mp4", _frames(4))
    content = (tmp_path / "b.mp4").read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


def test_memory_does_not_grow_with_the_length(tmp_path: Path) -> None:
    psutil = pytest.importorskip("psutil")
    path = make_video(tmp_path / "a.mp4", 400, size=(240, 320), audio=[AudioTrack(seconds=16)])
    process, seen = psutil.Process(), []
    with open_source(path) as source, open_sink(tmp_path / "b.mp4", source, options=FAST) as sink:
        for index, frame in enumerate(source):
            sink.write(frame)
            if index in (150, 399):
                seen.append(process.memory_info().rss)
    assert seen[1] - seen[0] < 12 * 2**20  # 250 frames of RGB are 55 MiB
