"""``msvsr split`` and ``msvsr merge``: files in, files out, and nothing lost on the way back."""

import io
import json
import wave
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from msvsr.cli import main
from msvsr.video import probe
from tests.support.clips import AudioTrack, frame_times, make_video, moving_pattern, packets_of

Array = np.ndarray


def run(command: str, *arguments: object) -> int:
    return main([command, *map(str, arguments)])


def listing(path: Path) -> list[str]:
    return sorted(each.name for each in path.iterdir())


def read(path: Path) -> list[Array]:
    return [
        cv2.imread(str(each), cv2.IMREAD_UNCHANGED)
        for each in sorted(path.iterdir(), key=lambda each: each.name)
    ]


def noise(path: Path, count: int, dtype: type = np.uint8) -> Path:
    """A folder of images in which every value occurs; odd sides."""
    path.mkdir()
    rng = np.random.default_rng(0)
    for number in range(count):
        image = rng.integers(0, np.iinfo(dtype).max + 1, (37, 53, 3)).astype(dtype)
        cv2.imwrite(str(path / f"{number:08d}.png"), image)
    return path


@pytest.mark.parametrize(
    ("name", "codec"), [("x.mkv", "ffv1"), ("x.mp4", "h264-lossless"), ("x.mov", "h264-lossless")]
)
def test_a_round_trip_through_a_lossless_codec_keeps_every_value(
    name: str, codec: str, tmp_path: Path
) -> None:
    source, video, back = noise(tmp_path / "in", 5), tmp_path / name, tmp_path / "back"
    assert run("merge", source, video, "--codec", codec, "--fps", "30000/1001") == 0
    tick = Fraction(1, 1000) if name.endswith(".mkv") else 0  # Matroska counts milliseconds
    assert abs(frame_times(video)[1] - Fraction(1001, 30000)) <= tick / 2
    assert run("split", video, back) == 0
    assert listing(back) == listing(source)
    for first, second in zip(read(source), read(back), strict=True):
        assert second.dtype == np.uint8
        np.testing.assert_array_equal(first, second)


def test_16_bits_come_back_from_ffv1(tmp_path: Path) -> None:
    source, video, back = noise(tmp_path / "in", 3, np.uint16), tmp_path / "x.mkv", tmp_path / "b"
    assert run("merge", source, video, "--codec", "ffv1") == 0
    assert run("split", video, back) == 0
    for first, second in zip(read(source), read(back), strict=True):
        assert second.dtype == np.uint16
        np.testing.assert_array_equal(first, second)
    assert run("split", video, tmp_path / "c", "--depth", 8) == 0
    assert read(tmp_path / "c")[0].dtype == np.uint8


def test_a_video_goes_through_images_and_back_unchanged(tmp_path: Path) -> None:
    images = moving_pattern(6)
    video = make_video(tmp_path / "in.mkv", images, codec="ffv1", pixel_format="bgr0")
    assert run("split", video, tmp_path / "images") == 0
    for image, expected in zip(read(tmp_path / "images"), images, strict=True):
        np.testing.assert_array_equal(image[..., ::-1], expected)
    again = tmp_path / "again.mkv"
    assert run("merge", tmp_path / "images", again, "--codec", "ffv1", "--fps", 25) == 0
    assert frame_times(again) == frame_times(video)


def test_names_steps_and_parts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    images = moving_pattern(10)
    video = make_video(tmp_path / "in.mkv", images, codec="ffv1", pixel_format="bgr0")
    output = tmp_path / "out"
    naming = ["--pattern", "shot_%03d.png", "--first-number", 7, "--every", 3]
    assert run("split", video, output, *naming, "--start", "0.08", "--end", "0.36") == 0
    assert listing(output) == ["shot_007.png", "shot_008.png", "shot_009.png"]
    for image, number in zip(read(output), (2, 5, 8), strict=True):
        np.testing.assert_array_equal(image[..., ::-1], images[number])
    printed = capsys.readouterr()
    assert "3 frames, 64x48, 25 to 8.333 fps" in printed.out
    assert f"msvsr merge {output} VIDEO --fps 25/3 joins them" in printed.out
    assert printed.err == ""


def test_jpeg_files_have_the_quality_that_was_asked_for(tmp_path: Path) -> None:
    video = make_video(tmp_path / "in.mp4", 2)
    assert run("split", video, tmp_path / "good", "--format", "jpeg", "--quality", 95) == 0
    assert run("split", video, tmp_path / "bad", "--pattern", "%d.jpg", "--quality", 10) == 0
    assert listing(tmp_path / "good") == ["00000000.jpg", "00000001.jpg"]
    assert listing(tmp_path / "bad") == ["0.jpg", "1.jpg"]
    good, bad = ((tmp_path / name).stat().st_size for name in ("good/00000000.jpg", "bad/0.jpg"))
    assert good > 1.5 * bad


def test_an_uneven_rhythm_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pts = [0, 512, 1024, 2048, 2560, 4096]
    video = make_video(tmp_path / "in.mp4", 6, pts=pts, time_base=Fraction(1, 12800))
    assert run("split", video, tmp_path / "out") == 0
    assert "not evenly spaced" in capsys.readouterr().err
    milliseconds = [0, 33, 67, 100, 133, 167]
    even = make_video(tmp_path / "b.mp4", 6, pts=milliseconds, time_base=Fraction(1, 1000))
    assert run("split", even, tmp_path / "even", "--quiet") == 0
    assert capsys.readouterr() == ("", "")


def test_images_follow_in_natural_order(tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    images = moving_pattern(12)
    for number, image in enumerate(images):
        cv2.imwrite(str(source / f"frame{number}.png"), image[..., ::-1])
    assert run("merge", source, tmp_path / "x.mkv", "--codec", "ffv1") == 0
    assert run("split", tmp_path / "x.mkv", tmp_path / "out") == 0
    for image, expected in zip(read(tmp_path / "out"), images, strict=True):
        np.testing.assert_array_equal(image[..., ::-1], expected)


def test_gaps_in_the_numbers_are_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = noise(tmp_path / "in", 12)
    for number in (3, 4, 9):
        (source / f"{number:08d}.png").unlink()
    assert run("merge", source, tmp_path / "x.mp4", "--fps", 10) == 0
    printed = capsys.readouterr()
    (line,) = [line for line in printed.err.splitlines() if "numbers are" in line]
    assert "missing between 0 and 11: 3, 4, 9;" in line
    assert len(frame_times(tmp_path / "x.mp4")) == 9


def test_every_fifth_number_is_no_gap(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = noise(tmp_path / "in", 16)
    for number in range(16):
        if number % 5:
            (source / f"{number:08d}.png").unlink()
    assert run("merge", source, tmp_path / "x.mkv", "--codec", "ffv1") == 0
    assert capsys.readouterr().err == ""


def test_foreign_names_and_doubles_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = noise(tmp_path / "in", 3)
    cv2.imwrite(str(source / "00000001.bmp"), read(source)[1])
    assert run("merge", source, tmp_path / "x.mkv", "--codec", "ffv1") == 0
    assert "the same number" in capsys.readouterr().err
    (source / "00000001.bmp").rename(source / "cover.bmp")
    assert run("merge", source, tmp_path / "y.mkv", "--codec", "ffv1") == 0
    assert "not named alike (00000000.png, cover.bmp)" in capsys.readouterr().err


def test_mixed_sizes_are_one_line_and_leave_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = noise(tmp_path / "in", 3)
    cv2.imwrite(str(source / "00000001.png"), np.zeros((8, 8, 3), np.uint8))
    assert run("merge", source, tmp_path / "x.mp4") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "53x37 and 00000001.png is 8x8" in line
    assert listing(tmp_path) == ["in"]


def test_sound_of_another_file_starts_with_the_frames_and_ends_with_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = noise(tmp_path / "in", 10)
    late = make_video(
        tmp_path / "late.mkv",
        30,
        pts=list(range(25, 55)),
        audio=[AudioTrack(seconds=1.2, start_seconds=1.0)],
    )
    output = tmp_path / "x.mp4"
    assert run("merge", source, output, "--fps", 20, "--audio", late) == 0
    assert frame_times(output) == [Fraction(number, 20) for number in range(10)]
    kept, whole = packets_of(output, "audio"), packets_of(late, "audio")
    assert [data for _, data in kept] == [data for _, data in whole[: len(kept)]]
    assert abs(kept[0][0]) < Fraction(1, 40)
    assert Fraction(9, 20) < kept[-1][0] < Fraction(1, 2)
    assert "cut off where the frames end" in capsys.readouterr().err


def test_sound_may_come_from_a_file_without_pictures(tmp_path: Path) -> None:
    source, sound = noise(tmp_path / "in", 10), tmp_path / "tone.wav"
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(np.arange(3200, dtype=np.int16).tobytes())
    sound.write_bytes(buffer.getvalue())
    assert run("merge", source, tmp_path / "x.mkv", "--audio", sound) == 0
    (stream,) = probe(tmp_path / "x.mkv").audio_streams
    assert (stream.sample_rate, stream.codec) == (8000, "pcm_s16le")


def test_json_for_scripts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = noise(tmp_path / "in", 4)
    assert run("merge", source, tmp_path / "x.mkv", "--codec", "ffv1", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["num_frames"], report["output_size"]) == (4, [37, 53])
    assert run("split", tmp_path / "x.mkv", tmp_path / "out", "--json", "--every", 2) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["num_frames"], report["output_frame_rate"]) == (2, "25/2")


def test_existing_outputs_are_kept_unless_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video = make_video(tmp_path / "in.mp4", 3)
    output, merged = tmp_path / "out", tmp_path / "merged.mp4"
    assert run("split", video, output, "--quiet") == 0
    before = (output / "00000000.png").stat().st_mtime_ns
    merged.write_bytes(b"precious")
    assert run("split", video, output) == 1
    assert run("merge", output, merged) == 1
    assert len(capsys.readouterr().err.splitlines()) == 2
    assert (output / "00000000.png").stat().st_mtime_ns == before
    assert merged.read_bytes() == b"precious"
    assert run("split", video, output, "--overwrite", "--every", 2) == 0
    assert listing(output) == ["00000000.png", "00000001.png"]
    assert run("merge", output, merged, "--overwrite") == 0
    (output / "letter.txt").write_text("precious")
    assert run("split", video, output, "--overwrite") == 1
    assert "letter.txt" in listing(output)


def test_nothing_is_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    video = make_video(tmp_path / "in.mp4", 4)
    encode, calls = cv2.imencode, []

    def interrupt_third(*arguments: object) -> object:
        calls.append(arguments)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return encode(*arguments)

    monkeypatch.setattr(cv2, "imencode", interrupt_third)
    assert run("split", video, tmp_path / "new" / "out") == 130
    assert "interrupted" in capsys.readouterr().err
    assert listing(tmp_path) == ["in.mp4"]


@pytest.mark.parametrize(
    ("arguments", "status", "expected"),
    [
        (["split", "in.mp4", "out.mp4"], 2, "name of a folder"),
        (["split", "none.mp4", "out"], 1, "none.mp4"),
        (["split", "in.mp4", "out", "--pattern", "a.png"], 2, "%08d.png"),
        (["split", "in.mp4", "out", "--pattern", "../%d.png"], 2, "%08d.png"),
        (["split", "in.mp4", "out", "--format", "tiff"], 2, "png or jpeg"),
        (["split", "in.mp4", "out", "--format", "jpeg", "--pattern", "%d.png"], 2, "contradict"),
        (["split", "in.mp4", "out", "--format", "jpeg", "--depth", "16"], 2, "bit_depth"),
        (["split", "in.mp4", "out", "--every", "0"], 2, "every"),
        (["split", "in.mp4", "out", "--start", "9"], 1, "no frame"),
        (["split", "images", "images", "--overwrite"], 1, "the output is the input"),
        (["merge", "in.mp4", "x.mp4"], 1, "folder of images"),
        (["merge", "images", "x"], 2, "name of a video"),
        (["merge", "images", "x.gif"], 2, ".gif is not written"),
        (["merge", "images", "x.mp4", "--codec", "ffv1"], 2, "ffv1"),
        (["merge", "images", "x.mp4", "--audio", "in.mp4"], 1, "no sound"),
        (["merge", "images", "x.mp4", "--audio", "none.wav"], 1, "none.wav"),
        (["merge", "images", "x.mp4", "--fps", "0"], 2, "frame rate"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_leaves_nothing(
    arguments: list[str],
    status: int,
    expected: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    make_video(tmp_path / "in.mp4", 2)
    noise(tmp_path / "images", 2)
    assert run(*arguments) == status
    (line,) = capsys.readouterr().err.splitlines()
    assert expected in line
    assert listing(tmp_path) == ["images", "in.mp4"]
