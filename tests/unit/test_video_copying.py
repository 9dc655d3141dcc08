"""Sound and subtitles: the same bytes at the same instants, and what is lost is named."""

from fractions import Fraction
from pathlib import Path

import av
import pytest

from msvsr.video import FrameSink, OutputOptions, SourceOptions, open_sink, open_source, probe
from tests.support.clips import AudioTrack, SubtitleTrack, make_video, packets_of

FAST = OutputOptions(preset="veryfast")
MILLISECOND = Fraction(1, 1000)


def _copy(path: Path, output: Path, options: OutputOptions = FAST, **reading: float) -> FrameSink:
    with open_source(path, SourceOptions(**reading)) as source:
        with open_sink(output, source, size=source.info.size, options=options) as sink:
            for frame in source:
                sink.write(frame)
        return sink


def _close(a: list[tuple[Fraction, bytes]], b: list[tuple[Fraction, bytes]]) -> bool:
    return len(a) == len(b) and all(
        abs(x[0] - y[0]) <= MILLISECOND and x[1] == y[1] for x, y in zip(a, b, strict=True)
    )


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize("start_seconds", [0.0, 0.055])
def test_sound_arrives_unchanged_and_in_step(
    tmp_path: Path, suffix: str, start_seconds: float
) -> None:
    path = make_video(
        tmp_path / "a.mp4",
        15,
        audio=[AudioTrack(start_seconds=start_seconds)],
        container_options={"movie_timescale": "48000"},
    )  # AAC: its first packet is encoder delay and lies before zero
    sink = _copy(path, tmp_path / f"b{suffix}")
    before, after = packets_of(path, "audio"), packets_of(tmp_path / f"b{suffix}", "audio")
    assert _close(before, after)
    assert [stream.codec for stream in sink.result.streams_copied] == ["aac"]
    if suffix == ".mp4":
        assert before == after
    with open_source(tmp_path / f"b{suffix}") as source:
        assert next(iter(source)).pts == 0


def test_every_stream_keeps_its_language_and_its_marks(tmp_path: Path) -> None:
    path = make_video(
        tmp_path / "a.mkv",
        15,
        audio=[AudioTrack(), AudioTrack(codec="libopus", language="deu", frequency=880)],
        subtitles=[SubtitleTrack(), SubtitleTrack(language="fra", lines=[(0.2, 0.5, "salut")])],
    )
    sink = _copy(path, tmp_path / "b.mkv")
    info = probe(tmp_path / "b.mkv")
    assert [s.language for s in info.audio_streams] == ["eng", "deu"]
    assert [s.language for s in info.subtitle_streams] == ["eng", "fra"]
    for kind in ("audio", "subtitles"):
        for index in (0, 1):
            expected = packets_of(path, kind, index)
            assert packets_of(tmp_path / "b.mkv", kind, index) == expected
    assert len(sink.result.streams_copied) == 4
    assert sink.warnings == ()


def test_plain_subtitles_change_form_with_the_container(tmp_path: Path) -> None:
    lines = [(0.1, 0.3, "<i>one &amp; two</i>"), (0.4, 0.5, "zwölf")]
    path = make_video(tmp_path / "a.mkv", 15, subtitles=[SubtitleTrack(lines=lines)])
    assert _copy(path, tmp_path / "b.mp4").warnings == ()
    texts = [(t, p) for t, p in packets_of(tmp_path / "b.mp4", "subtitles") if len(p) > 2]
    assert [(t, p[2:].decode()) for t, p in texts] == [
        (Fraction(1, 10), "one & two"),
        (Fraction(2, 5), "zwölf"),
    ]
    assert _copy(tmp_path / "b.mp4", tmp_path / "c.mkv").warnings == ()
    assert [(t, p.decode()) for t, p in packets_of(tmp_path / "c.mkv", "subtitles")] == [
        (Fraction(1, 10), "one & two"),
        (Fraction(2, 5), "zwölf"),
    ]


def test_what_the_container_cannot_hold_is_named(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mkv", 5, audio=[AudioTrack()], subtitles=[SubtitleTrack()])
    sink = _copy(path, tmp_path / "b.webm", OutputOptions(crf=40))
    assert len(sink.warnings) == 2
    assert "sound stream 1 (eng) is not kept: webm files cannot hold aac" in sink.warnings[0]
    assert sink.result.streams_copied == ()


def test_sound_and_subtitles_can_be_left_out(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mkv", 5, audio=[AudioTrack()], subtitles=[SubtitleTrack()])
    options = OutputOptions(preset="veryfast", keep_audio=False, keep_subtitles=False)
    sink = _copy(path, tmp_path / "b.mkv", options)
    info = probe(tmp_path / "b.mkv")
    assert (info.audio_streams, info.subtitle_streams, sink.warnings) == ((), (), ())


def test_a_part_takes_its_sound_and_subtitles_along(tmp_path: Path) -> None:
    lines = [(0.0, 0.1, "gone"), (0.1, 0.5, "reaches over"), (0.9, 1.0, "too late")]
    path = make_video(
        tmp_path / "a.mkv", 30, options={"g": "5"},
        audio=[AudioTrack(seconds=1.2)], subtitles=[SubtitleTrack(lines=lines)],
    )  # fmt: skip
    _copy(path, tmp_path / "b.mkv", start_seconds=0.2, end_seconds=0.8)
    before, after = packets_of(path, "audio"), packets_of(tmp_path / "b.mkv", "audio")
    start, end = Fraction(1, 5), Fraction(4, 5)
    assert after == [(t - start, data) for t, data in before if start <= t < end]
    assert packets_of(tmp_path / "b.mkv", "subtitles") == [(0, b"reaches over")]


def test_sound_is_interleaved_with_the_video(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", 100, audio=[AudioTrack(seconds=4)])
    _copy(path, tmp_path / "b.mp4")
    with av.open(str(tmp_path / "b.mp4")) as container:
        places = {"audio": [], "video": []}
        for packet in container.demux():
            if packet.size:
                places[packet.stream.type].append((packet.pos, packet.dts * packet.time_base))
    gaps = [
        min(abs(time - other) for position, other in places["audio"] if position < place)
        for place, time in places["video"][10:]
    ]
    assert max(gaps) < Fraction(1, 2)


def test_further_video_streams_are_named(tmp_path: Path) -> None:
    first = make_video(tmp_path / "1.mp4", 5)
    second = make_video(tmp_path / "2.mp4", 5, size=(96, 128))
    both = tmp_path / "both.mp4"
    with av.open(str(first)) as a, av.open(str(second)) as b, av.open(str(both), "w") as output:
        targets = [output.add_stream_from_template(c.streams.video[0], opaque=True) for c in (a, b)]
        for container, target in zip((a, b), targets, strict=True):
            for packet in container.demux(video=0):
                if packet.dts is not None:
                    packet.stream = target
                    output.mux(packet)
    sink = _copy(both, tmp_path / "c.mp4")
    other = 1 - probe(both).stream_index
    assert f"video stream {other} (h264) not kept" in sink.warnings[0]
