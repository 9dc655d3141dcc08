"""What the page asks for, what it says it will need, and what it shows of files."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import psutil
import pytest

from msvsr.app.jobs import Progress
from msvsr.errors import ConfigError, VideoError
from msvsr.ui.estimates import Need, estimate, measure_seconds_per_pixel
from msvsr.ui.jobs import JobView
from msvsr.ui.pictures import Look, write_pair
from msvsr.ui.requests import JobRequest, ModelShelf, read_rate, run_request
from msvsr.ui.views import escape, show_facts, show_history, show_running
from msvsr.video import open_source, probe
from msvsr.video.images import read_image
from tests.support.clips import AudioTrack, make_video, moving_pattern
from tests.support.models import write_interpolation_folder, write_model_folder

_NEED = Need(
    seconds_per_pixel=1e-6, process_bytes=300 * 2**20, kept_bytes_per_pixel=84, scale=Fraction(4)
)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return make_video(tmp_path / "clip.mp4", 6, audio=[AudioTrack(seconds=0.2)])


@pytest.mark.parametrize(
    ("text", "ratio", "fps"),
    [
        ("2x", 2, None),
        (" 2.5X ", Fraction(5, 2), None),
        ("x3", 3, None),
        ("60", None, 60),
        ("23.976", None, Fraction(24000, 1001)),
        ("30000/1001", None, Fraction(30000, 1001)),
    ],
)
def test_a_rate_is_a_number_or_a_multiple(
    text: str, ratio: Fraction | None, fps: Fraction | None
) -> None:
    timing = read_rate(text)
    assert (timing.interp_ratio, timing.out_fps) == (ratio, fps)


@pytest.mark.parametrize("text", ["", "fast", "1/0", "0", "1x", "x", "99999999"])
def test_other_rates_are_refused_in_one_line(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_rate(text)
    assert "\n" not in str(caught.value)


def test_wrong_settings_are_refused_when_asked_for(clip: Path) -> None:
    with pytest.raises(ConfigError, match="crf"):
        JobRequest(source=clip, crf=99)
    with pytest.raises(ConfigError, match="refine_threshold"):
        JobRequest(source=clip, refine_threshold=300)
    with pytest.raises(ConfigError):
        JobRequest(source=clip, task="classic", steps="no-such-step")


@pytest.mark.parametrize(
    ("task", "size", "num_frames"),
    [("upscale", (192, 256), 6), ("interpolate", (48, 64), 12), ("both", (192, 256), 12)],
)
def test_requests_do_what_they_say(
    tmp_path: Path, clip: Path, task: str, size: tuple[int, int], num_frames: int
) -> None:
    request = JobRequest(
        source=clip,
        task=task,  # type: ignore[arg-type]
        upscale_model=str(write_model_folder(tmp_path / "up")),
        interpolate_model=str(write_interpolation_folder(tmp_path / "between")),
        device="cpu",
        timing=read_rate("50"),
    )
    told: list[Progress] = []
    report = run_request(request, tmp_path / "out.mp4", ModelShelf(), told.append)
    assert (report.output_size, report.num_frames) == (size, num_frames)
    assert probe(report.output).audio_streams
    assert told[-1].frames_done == pytest.approx(6, abs=0.1)
    shown = [step.last_frame for step in told if step.last_frame is not None]
    assert shown[-1].image.shape == (*size, 3)


def test_classical_steps_need_no_model(tmp_path: Path, clip: Path) -> None:
    request = JobRequest(source=clip, task="classic", steps="median,bicubic:factor=2")
    report = run_request(request, tmp_path / "out", ModelShelf(), lambda _: None)
    assert report.output_size == (96, 128)
    assert len(list((tmp_path / "out").iterdir())) == 6


def test_a_model_is_loaded_once(tmp_path: Path) -> None:
    shelf = ModelShelf()
    first, second = (str(write_model_folder(tmp_path / name, seed=1)) for name in ("a", "b"))
    model = shelf.upscaler(first, "cpu")
    assert shelf.upscaler(first, "cpu") is model
    assert shelf.upscaler(second, "cpu") is not model


def test_an_estimate_follows_frames_pixels_and_rate(clip: Path) -> None:
    info = replace(probe(clip), num_frames_from_header=100, height=180, width=320)
    up = estimate(JobRequest(source=clip), info, _NEED)
    assert up.seconds == pytest.approx(100 * 180 * 320 * 1e-6)
    assert (up.output_size, up.num_output_frames, up.output_rate) == ((720, 1280), 100, 25)
    between = estimate(
        JobRequest(source=clip, task="interpolate", timing=read_rate("60")),
        info,
        replace(_NEED, scale=Fraction(1)),
    )
    assert (between.output_size, between.num_output_frames) == ((180, 320), 240)
    assert between.output_rate == 60
    longer = estimate(JobRequest(source=clip), replace(info, num_frames_from_header=200), _NEED)
    assert longer.seconds == pytest.approx(2 * (up.seconds or 0))
    kept = 100 * 180 * 320 * 84  # of the frames that were added
    assert longer.memory_bytes - up.memory_bytes == pytest.approx(kept, rel=0.01)


def test_the_memory_that_is_kept_has_a_bound(clip: Path) -> None:
    info = replace(probe(clip), num_frames_from_header=100_000, height=2160, width=3840)
    need = estimate(JobRequest(source=clip), info, _NEED).memory_bytes
    budget = psutil.virtual_memory().available // 4
    encoder = 50 * 16 * 2160 * 3840 * 4
    assert need < _NEED.process_bytes + 1.1 * budget + encoder + 100 * 2**20


def test_an_unknown_length_gives_no_time(clip: Path) -> None:
    info = replace(probe(clip), num_frames_from_header=None, duration_seconds_from_header=None)
    found = estimate(JobRequest(source=clip), info, _NEED)
    assert found.seconds is None
    assert found.num_output_frames is None


def test_a_trial_grows_until_it_tells_something(
    clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, sizes = [0.0], []
    monkeypatch.setattr("time.monotonic", lambda: now[0])

    def run(source: Path, output: Path) -> None:
        assert not output.exists()
        with open_source(source) as frames:
            images = [frame.image for frame in frames]
        sizes.append(images[0].shape[:2])
        now[0] += len(images) * images[0].shape[0] * images[0].shape[1] * 2e-6

    assert measure_seconds_per_pixel(clip, run) == pytest.approx(2e-6)
    assert len(sizes) == 3  # 12,000 and 60,000 pixels were too quick
    assert sizes[0][1] / sizes[0][0] == pytest.approx(64 / 48, rel=0.02)
    assert sizes[-1][0] * sizes[-1][1] == pytest.approx(240_000, rel=0.02)


def test_pictures_show_the_same_moment_of_both_videos(tmp_path: Path) -> None:
    frames = moving_pattern(8)
    before = make_video(tmp_path / "a.mkv", frames, codec="ffv1", pixel_format="bgr0")
    doubled = [image for image in frames for _ in range(2)]
    after = make_video(
        tmp_path / "b.mkv", doubled, codec="ffv1", pixel_format="bgr0", rate=Fraction(50)
    )
    for share, number in ((0.0, 0), (0.5, 4), (1.0, 7)):
        pair = write_pair(Look(path=before), Look(path=after), share, tmp_path)
        for path in pair:
            image = read_image(path)
            assert image is not None
            assert np.abs(image.astype(float) - frames[number]).mean() < 4  # JPEG


def test_between_two_frames_the_earlier_one_is_still_shown(tmp_path: Path) -> None:
    before, between = moving_pattern(4), moving_pattern(8)[4:]
    mixed = [image for pair in zip(before, between, strict=True) for image in pair]
    left = make_video(tmp_path / "a.mkv", before, codec="ffv1", pixel_format="bgr0")
    right = make_video(
        tmp_path / "b.mkv", mixed, codec="ffv1", pixel_format="bgr0", rate=Fraction(50)
    )
    shown = [
        read_image(path) for path in write_pair(Look(path=left), Look(path=right), 1, tmp_path)
    ]
    for image, expected in zip(shown, (before[3], between[3]), strict=True):
        assert image is not None
        assert np.abs(image.astype(float) - expected).mean() < 4


def test_pictures_of_different_size_are_brought_together(tmp_path: Path, clip: Path) -> None:
    large = make_video(tmp_path / "large.mp4", 6, size=(192, 256))
    left, right = (
        read_image(path) for path in write_pair(Look(path=clip), Look(path=large), 0.5, tmp_path)
    )
    assert left is not None
    assert right is not None
    assert left.shape == right.shape == (192, 256, 3)
    with pytest.raises(VideoError):
        write_pair(Look(path=tmp_path / "gone.mp4"), Look(path=large), 0.5, tmp_path)


def test_names_cannot_become_html(tmp_path: Path) -> None:
    name = "<img src=x onerror=alert(1)>${1+1}{{x}}`.mp4"
    path = make_video(tmp_path / "clip.mp4", 3).rename(tmp_path / name)
    waiting: JobView[JobRequest, object] = JobView(number=1, request=JobRequest(source=path))
    running = replace(waiting, state="running", began=0.0)
    for html in (
        show_facts(path, probe(path), "en"),
        show_history([waiting], None, "zh"),  # type: ignore[list-item]
        show_running(running, "en"),  # type: ignore[arg-type]
    ):
        assert escape(name) in html
        assert "<img src=x" not in html
        assert "${" not in html
        assert "{{" not in html


def test_facts_are_those_of_the_file(clip: Path) -> None:
    html = show_facts(clip, probe(clip), "en")
    for text in ("clip.mp4", "64x48", "25 fps", "h264", "aac", "0.2 s"):
        assert f"<dd>{text}</dd>" in html


def test_a_failed_job_shows_its_line() -> None:
    view: JobView[JobRequest, object] = JobView(
        number=3, request=JobRequest(source=Path("a.mp4")), state="failed", error="no <video>"
    )
    html = show_history([view], None, "en")  # type: ignore[list-item]
    assert "no &lt;video&gt;" in html
    assert "data-cancel" not in html
    assert "data-show" not in html
