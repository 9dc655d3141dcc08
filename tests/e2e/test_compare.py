"""``msvsr compare``: what each kind of output holds, and what is refused."""

import base64
import json
import re
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import pytest

from msvsr.app.compare import gifs
from msvsr.cli import main
from msvsr.metrics import psnr, ssim
from msvsr.video import open_source, probe
from tests.support.clips import AudioTrack, SubtitleTrack, make_video, moving_pattern, packets_of

Array = np.ndarray
SIZE = (48, 64)


@pytest.fixture
def left(tmp_path: Path) -> Path:
    """A folder of 12 small frames."""
    return folder(tmp_path / "left", [image[::2, ::2] for image in moving_pattern(12, SIZE)])


@pytest.fixture
def right(tmp_path: Path) -> Path:
    """The same frames twice as large, and negative."""
    return folder(tmp_path / "right", [255 - image for image in moving_pattern(12, SIZE)])


def folder(path: Path, images: list[Array]) -> Path:
    path.mkdir()
    for number, image in enumerate(images):
        cv2.imwrite(str(path / f"{number:03d}.png"), image[..., ::-1])
    return path


def compare(*arguments: object) -> int:
    return main(["compare", *map(str, arguments)])


def frames(path: Path) -> list[Array]:
    with open_source(path) as source:
        return [frame.image for frame in source]


def listing(path: Path) -> set[str]:
    return {each.name for each in path.iterdir()}


def original_frames(
    left: list[Array], right: list[Array], start: int, pause: int, repeats: int, step: int
) -> list[Array]:
    """What the original project's tool shows, by its description, with a line of 6 pixels."""
    shown = []

    def merged(x: int) -> Array:
        image = left[i].copy()
        for column in range(image.shape[1]):
            if x <= column < x + 6:
                image[:, column] = 255
            elif column >= x + 6:
                image[:, column] = right[i][:, column]
        return image

    x = 0
    for i in range(len(left)):
        x = step * (i - start)
        shown.append(left[i] if i < start else merged(x))
        shown += [shown[-1]] * (repeats if i == pause else 0)
    shown += [shown[-1]] * repeats
    x = min(x, left[0].shape[1] - 6)
    while x + 6 > 0:
        shown.append(merged(x))
        x -= step
    return shown + [right[-1]] * (1 + repeats)


def test_the_slider_shows_what_the_original_tool_shows(
    left: Path, right: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """To a folder of PNGs, so that every pixel counts; the original fails where sizes differ."""
    numbers = {"start": 2, "pause": 5, "repeats": 3, "step": 7}
    output = tmp_path / "slider"
    options = ["--start-frame", 2, "--pause-frame", 5, "--pause-repeats", 3, "--slide-step", 7]
    plain = ["--line-width", 6, "--no-labels", "--resize", "nearest"]
    assert compare(left, right, "-o", output, *options, *plain) == 0
    large = [image.repeat(2, axis=0).repeat(2, axis=1) for image in frames(left)]
    expected = original_frames(large, frames(right), *numbers.values())
    found = frames(output)
    assert len(found) == len(expected)
    for shown, wanted in zip(found, expected, strict=True):
        np.testing.assert_array_equal(shown, wanted)
    printed = capsys.readouterr()
    assert f"{len(expected)} frames, 32x24 to 64x48" in printed.out
    assert printed.err == ""


def test_a_slider_video_keeps_sound_and_subtitles_in_step(right: Path, tmp_path: Path) -> None:
    source = make_video(
        tmp_path / "in.mkv",
        12,
        size=SIZE,
        audio=[AudioTrack(seconds=0.4)],
        subtitles=[SubtitleTrack()],
    )
    output = tmp_path / "out.mkv"
    assert compare(source, right, "-o", output, "--no-labels", "--codec", "ffv1") == 0
    assert packets_of(output, "audio") == packets_of(source, "audio")
    info = probe(output)
    assert len(info.subtitle_streams) == 1
    # No frame is repeated before the sound ends: left of the divider, the clip plays on.
    originals, shown = frames(source), frames(output)
    for original, image in zip(originals[:2], shown[:2], strict=True):
        np.testing.assert_array_equal(image, original)
    np.testing.assert_array_equal(shown[11][:, :60], originals[11][:, :60])
    assert len(shown) > 12

    silent = tmp_path / "silent.mkv"
    assert compare(source, right, "-o", silent, "--no-audio", "--no-subtitles") == 0
    assert not probe(silent).audio_streams
    assert len(frames(silent)) > len(shown)  # now the pause freezes the picture


def test_labels_are_drawn_over_their_own_clip(left: Path, right: Path, tmp_path: Path) -> None:
    options = ["--line-width", 0, "--labels", "A,B"]
    assert compare(left, right, "-o", tmp_path / "with", *options) == 0
    assert compare(left, right, "-o", tmp_path / "without", *options, "--no-labels") == 0
    with_labels, without = frames(tmp_path / "with"), frames(tmp_path / "without")
    difference = np.abs(with_labels[0].astype(int) - without[0]).max(axis=(0, 2))
    assert difference[:8].min() > 0  # the left clip alone has its label at the left
    assert difference[-8:].max() == 0
    difference = np.abs(with_labels[-1].astype(int) - without[-1]).max(axis=(0, 2))
    assert difference[:8].max() == 0
    assert difference[-8:].min() > 0


@pytest.mark.parametrize("name", ["card.mp4", "card.gif"])
def test_three_rates_play_side_by_side(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The card of interpolation: original, 2x, 4x."""
    clips = [
        make_video(tmp_path / f"{rate}.mp4", 2 * rate // 5, size=SIZE, rate=Fraction(rate))
        for rate in (10, 20, 40)
    ]
    output = tmp_path / name
    assert compare(*clips, "-o", output, "--labels", "original,2x,4x", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["labels"] == ["original", "2x", "4x"]
    assert report["warnings"] == []
    shown = frames(output)
    assert len(shown) == 16
    for place, step in ((0, 4), (1, 2), (2, 1)):
        begin = place * (64 + 8)
        panel = [image[34:82, begin : begin + 64].astype(int) for image in shown]
        originals = frames(clips[place])
        for number, image in enumerate(panel):
            error = np.abs(image - originals[number // step]).mean()
            others = [np.abs(image - other).mean() for other in originals]
            assert error == min(others)
            assert error < 6
    assert probe(output).duration_seconds_from_header == Fraction(2, 5)


def test_a_gif_has_the_instants_of_the_clip_in_hundredths(tmp_path: Path) -> None:
    clip = make_video(tmp_path / "in.mp4", 9, size=SIZE, rate=Fraction(30))
    still = tmp_path / "still.png"
    cv2.imwrite(str(still), moving_pattern(1, SIZE)[0])
    assert compare(clip, still, "-o", tmp_path / "out.gif", "--mode", "side-by-side") == 0
    with PIL.Image.open(tmp_path / "out.gif") as image:
        durations = []
        for number in range(image.n_frames):
            image.seek(number)
            durations.append(image.info["duration"])
        assert image.info["loop"] == 0
    assert sum(durations) == 300
    assert set(durations) == {30, 40}


def test_faster_clips_lose_frames_in_a_gif_and_that_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clips = [make_video(tmp_path / f"{n}.mp4", 20, size=SIZE, rate=Fraction(100)) for n in range(2)]
    assert compare(*clips, "-o", tmp_path / "out.gif", "--mode", "side-by-side") == 0
    assert "10 pictures are left out" in capsys.readouterr().err
    assert len(frames(tmp_path / "out.gif")) == 10


def test_a_gif_that_is_too_large_leaves_nothing(
    left: Path,
    right: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(gifs, "MAX_PIXELS", 5 * 48 * 64)
    before = listing(tmp_path)
    assert compare(left, right, "-o", tmp_path / "out.gif") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "at most 5 pictures of 64x48" in line
    assert listing(tmp_path) == before


def test_a_contact_sheet_has_stills_and_their_enlarged_parts(
    left: Path, right: Path, tmp_path: Path
) -> None:
    output = tmp_path / "sheet.png"
    crop = ["--crop", "8,8,40,20"]
    assert compare(left, right, "-o", output, "--stills", 2, *crop, "--resize", "nearest") == 0
    sheet = cv2.imread(str(output))[..., ::-1]
    # Twice: a strip with the instant, a strip with labels, the frame, a gap, the part.
    assert sheet.shape == (2 * (34 + 34 + 468 + 8 + 312), 2 * 624 + 8, 3)
    for row, number in enumerate((3, 9)):
        part = sheet[row * 856 + 544 : (row + 1) * 856, 632:]
        expected = cv2.resize(
            frames(right)[number][8:28, 8:48], (624, 312), interpolation=cv2.INTER_CUBIC
        )
        np.testing.assert_array_equal(part[3:-3, 3:-3], expected[3:-3, 3:-3])
    assert compare(left, right, "-o", tmp_path / "sheet.jpg", "--stills", 1, "--crops", 0) == 0
    assert cv2.imread(str(tmp_path / "sheet.jpg")).shape == (34 + 468, 1256, 3)


def test_scores_are_those_of_the_metrics(
    right: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import torch

    truth = moving_pattern(12, SIZE)
    rng = np.random.default_rng(0)
    noisy = [
        np.clip(image + rng.normal(0, 4 + number, image.shape), 0, 255).astype(np.uint8)
        for number, image in enumerate(truth)
    ]
    clips = [folder(tmp_path / "noisy", noisy), right]
    gt = folder(tmp_path / "gt", truth)
    assert compare(*clips, "-o", tmp_path / "x.mp4", "--gt", gt, "--json") == 0
    scores = json.loads(capsys.readouterr().out)["scores"]
    for score, clip in zip(scores, clips, strict=True):
        image, reference = (
            torch.from_numpy(np.stack(frames(place))).movedim(-1, 1).float() / 255
            for place in (clip, gt)
        )
        noise = psnr(image, reference, channels="y")
        assert score["psnr"] == pytest.approx(float(noise.double().mean()), abs=1e-4)
        structure = ssim(image, reference, channels="y")
        assert score["ssim"] == pytest.approx(float(structure.double().mean()), abs=1e-5)
        assert (score["label"], score["num_frames"]) == (clip.name, 12)
    assert scores[0]["psnr"] > scores[1]["psnr"]

    assert compare(*clips, "-o", tmp_path / "y.png", "--gt", gt, "--stills", 2) == 0
    printed = capsys.readouterr().out
    assert f"PSNR {scores[0]['psnr']:.2f} dB, SSIM {scores[0]['ssim']:.4f}" in printed
    assert "mean of 12 frames" in printed
    assert cv2.imread(str(tmp_path / "y.png")).shape[1] == 3 * 624 + 2 * 8  # the truth, too


def test_a_clip_that_ends_early_is_told_and_not_scored_beyond(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images = moving_pattern(6, SIZE)
    short, long = folder(tmp_path / "short", images[:3]), folder(tmp_path / "long", images)
    output = tmp_path / "x.mp4"
    assert compare(short, long, "-o", output, "--mode", "side-by-side", "--gt", long) == 0
    printed = capsys.readouterr()
    assert "short ends after 0.12 s" in printed.err
    assert "mean of 3 frames" in printed.out
    assert "mean of 6 frames" in printed.out


def data_of(page: str) -> tuple[str, bytes]:
    match = re.search(r'src="data:([a-z/0-9]+);base64,([^"]+)"', page)
    assert match is not None
    return match[1], base64.b64decode(match[2])


def test_a_page_holds_the_clips_below_each_other_and_asks_for_nothing(
    left: Path, right: Path, tmp_path: Path
) -> None:
    output = tmp_path / "page.html"
    assert compare(left, right, "-o", output, "--labels", "<a>,b&</script>") == 0
    page = output.read_text(encoding="utf-8")
    kind, data = data_of(page)
    assert kind == "video/mp4"
    video = tmp_path / "inside.mp4"
    video.write_bytes(data)
    shown = frames(video)
    assert len(shown) == 12
    assert shown[0].shape == (96, 64, 3)
    for image, second in zip(shown, frames(right), strict=True):
        assert np.abs(image[48:].astype(int) - second).mean() < 8
    assert not re.search(r"(https?:)?//\w", re.sub(r'"data:[^"]+"', "", page))
    assert page.count("</script>") == 2
    assert "&lt;a&gt; | b&amp;" in page


def test_a_page_of_images_loses_nothing(tmp_path: Path) -> None:
    images = moving_pattern(2, SIZE)
    for name, image in zip(("a.png", "b.png"), images, strict=True):
        cv2.imwrite(str(tmp_path / name), image[..., ::-1])
    assert compare(tmp_path / "a.png", tmp_path / "b.png", "-o", tmp_path / "p.html") == 0
    kind, data = data_of((tmp_path / "p.html").read_text(encoding="utf-8"))
    assert kind == "image/png"
    inside = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    np.testing.assert_array_equal(inside, np.vstack(images))


def test_images_become_some_seconds_of_sliding(tmp_path: Path) -> None:
    for name, image in zip(("a.png", "b.png"), moving_pattern(2, SIZE), strict=True):
        cv2.imwrite(str(tmp_path / name), image)
    assert compare(tmp_path / "a.png", tmp_path / "b.png", "-o", tmp_path / "x.mp4") == 0
    assert probe(tmp_path / "x.mp4").duration_seconds_from_header > 5


def test_without_a_name_the_video_lies_beside_the_left_clip(left: Path, right: Path) -> None:
    assert compare(left, right, "--quiet", "--stills", 1) == 0
    assert probe(left.with_name("left_compared.mp4")).size == SIZE


def test_an_existing_output_is_kept_unless_asked(
    left: Path, right: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("x.mp4", "x.gif", "x.png", "x.html"):
        output = tmp_path / name
        output.write_bytes(b"precious")
        assert compare(left, right, "-o", output) == 1
        assert output.read_bytes() == b"precious"
        (line,) = capsys.readouterr().err.splitlines()
        assert name in line
        assert compare(left, right, "-o", output, "--overwrite", "--quiet") == 0
        assert output.read_bytes() != b"precious"
    assert listing(tmp_path) == {"left", "right", "x.mp4", "x.gif", "x.png", "x.html"}


@pytest.mark.parametrize(
    ("arguments", "status", "expected"),
    [
        (["-o", "x.tiff"], 2, ".tiff is not written"),
        (["-o", "x.png", "--mode", "slider"], 2, "for videos and GIFs"),
        (["-o", "x.mp4", "--mode", "wipe"], 2, "slider or side-by-side"),
        (["-o", "x.mp4", "--resize", "lanczos"], 2, "nearest or bicubic"),
        (["-o", "x.mp4", "--labels", "a"], 2, "2 labels"),
        (["-o", "x.mp4", "--start-frame", "12"], 2, "start_frame"),
        (["-o", "x.mp4", "--mode", "side-by-side", "--line-width", "2"], 2, "slider"),
        (["-o", "x.mp4", "--panel-width", "1"], 2, "panel_width"),
        (["-o", "x.png", "--crop", "60,0,8,8"], 2, "inside the frames of 64x48"),
        (["-o", "x.png", "--crop", "1,2"], 2, "X,Y,W,H"),
        (["-o", "x.png", "--stills", "0"], 2, "num_stills"),
        (["-o", "x.webm", "--codec", "h264"], 2, "h264"),
        (["-o", "left", "--overwrite"], 1, "the output is an input"),
        (["-o", "x.mp4", "--gt", "nothing.mp4"], 1, "nothing.mp4"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_leaves_nothing(
    arguments: list[str],
    status: int,
    expected: str,
    left: Path,
    right: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(left.parent)
    before = listing(left.parent)
    assert compare("left", "right", *arguments) == status
    (line,) = capsys.readouterr().err.splitlines()
    assert expected in line
    assert listing(left.parent) == before


def test_a_slider_takes_two_clips(
    left: Path, right: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compare(left, right, right, "-o", tmp_path / "x.mp4", "--mode", "slider") == 2
    assert "two clips, got 3" in capsys.readouterr().err


def test_real_footage_in_all_forms(shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "lq" / "demo_000"
    images = [cv2.imread(str(source / f"{number:08d}.png"))[..., ::-1] for number in range(4)]
    large = folder(tmp_path / "large", images)
    small = folder(tmp_path / "small", [image[::2, ::2] for image in images])
    for name in ("x.mp4", "x.gif", "x.png", "x.html"):
        assert compare(small, large, "-o", tmp_path / name, "--panel-width", 320) == 0
        assert (tmp_path / name).stat().st_size > 20_000
