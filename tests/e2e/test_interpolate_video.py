"""Real files through interpolation: every instant right, sound in step, source frames untouched.

A stand-in for the network keeps it quick: what is tested is everything around it.
"""

from fractions import Fraction
from itertools import pairwise
from math import ceil
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from msvsr.app.enhance import EnhanceOrder, enhance_video
from msvsr.app.interpolate import interpolate_video
from msvsr.app.jobs import Progress
from msvsr.engine.options import InterpolationOptions
from msvsr.errors import ConfigError, VideoError
from msvsr.models.contract import NeighbourMotion
from msvsr.video import OutputOptions, SourceOptions, open_source, probe
from tests.support.clips import (
    AudioTrack,
    SubtitleTrack,
    frame_times,
    make_video,
    moving_pattern,
    packets_of,
)
from tests.support.models import tiny_model

NTSC_FILM = Fraction(24000, 1001)
SIXTY = InterpolationOptions(out_fps=Fraction(60))
QUICK = OutputOptions(preset="ultrafast")


class _Blender:
    """An interpolator without motion: frames in between are a blend of both."""

    device = torch.device("cpu")

    def encode(self, image: torch.Tensor) -> torch.Tensor:
        return image

    def estimate_motion(self, first: torch.Tensor, second: torch.Tensor) -> str:
        return "none"

    def synthesize(
        self,
        first: torch.Tensor,
        second: torch.Tensor,
        motion: str,
        timestep: float,
        *,
        before: NeighbourMotion[str] | None = None,
        after: NeighbourMotion[str] | None = None,
    ) -> torch.Tensor:
        return torch.lerp(first, second, timestep)


class _Repeater(_Blender):
    """The quickest interpolator there is."""

    def synthesize(self, first: torch.Tensor, *_: object, **__: object) -> torch.Tensor:
        return first


def write_images(folder: Path, count: int, size: tuple[int, int] = (48, 64)) -> list[np.ndarray]:
    folder.mkdir()
    images = moving_pattern(count, size)
    for index, image in enumerate(images):
        cv2.imwrite(str(folder / f"{index}.png"), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    return images


def read_images(folder: Path) -> list[np.ndarray]:
    with open_source(folder) as source:
        return [frame.image for frame in source]


def regular(count: int, rate: Fraction | int) -> list[Fraction]:
    return [Fraction(number) / rate for number in range(count)]


def test_film_becomes_60_frames_per_second_with_its_sound_in_step(tmp_path: Path) -> None:
    source, output = tmp_path / "film.mp4", tmp_path / "film_60fps.mp4"
    make_video(source, 48, rate=NTSC_FILM, audio=[AudioTrack(seconds=2.0)])
    report = interpolate_video(source, model=_Blender(), timing=SIXTY)
    duration = 48 / NTSC_FILM
    assert report.output == output
    assert frame_times(output) == regular(ceil(duration * 60), 60)
    assert packets_of(output, "audio") == packets_of(source, "audio")
    counted = probe(output, count_frames=True)
    assert counted.duration_seconds_from_content is not None
    assert 0 <= counted.duration_seconds_from_content - duration <= Fraction(1, 60)
    assert (report.input_frame_rate, report.output_frame_rate) == (NTSC_FILM, Fraction(60))
    assert report.num_frames == 121
    assert report.warnings == ()


def test_subtitles_and_a_late_picture_stay_where_they_are(tmp_path: Path) -> None:
    source, output = tmp_path / "a.mkv", tmp_path / "b.mkv"
    late = [10 + index for index in range(10)]
    make_video(
        source, 10, pts=late, time_base=Fraction(1, 25),
        audio=[AudioTrack(seconds=0.8)], subtitles=[SubtitleTrack()],
    )  # fmt: skip
    interpolate_video(source, output, model=_Blender())
    assert frame_times(output) == [Fraction(10, 25) + time for time in regular(20, 50)]
    for kind in ("audio", "subtitles"):
        assert packets_of(output, kind) == packets_of(source, kind)


@pytest.mark.parametrize(
    ("count", "ratio", "expected"),
    [(1, "2", 1), (2, "2", 3), (3, "2", 5), (3, "5/2", 6), (4, "3", 10)],
)
def test_a_folder_ends_with_its_last_image_and_keeps_every_value(
    count: int, ratio: str, expected: int, tmp_path: Path
) -> None:
    images = write_images(tmp_path / "in", count, size=(33, 41))
    timing = InterpolationOptions(interp_ratio=Fraction(ratio))
    report = interpolate_video(tmp_path / "in", tmp_path / "out", model=_Blender(), timing=timing)
    made = read_images(tmp_path / "out")
    assert len(made) == report.num_frames == expected
    for number, image in enumerate(made):
        position = number / Fraction(ratio)
        if position.denominator == 1:
            np.testing.assert_array_equal(image, images[int(position)])
        else:
            left, right = images[int(position)].astype(float), images[int(position) + 1]
            blended = left + float(position % 1) * (right - left)
            assert np.abs(image - blended).max() <= 0.51  # rounding


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_shortest_videos_keep_their_length(count: int, tmp_path: Path) -> None:
    source, output = tmp_path / "a.mp4", tmp_path / "b.mp4"
    make_video(source, count, size=(34, 50))
    timing = InterpolationOptions(interp_ratio=Fraction(5, 2))
    interpolate_video(source, output, model=_Blender(), timing=timing)
    assert frame_times(output) == regular(ceil(count * Fraction(5, 2)), Fraction(125, 2))


def test_a_variable_rate_becomes_constant(tmp_path: Path) -> None:
    source, output = tmp_path / "a.mp4", tmp_path / "b.mp4"
    irregular = [0, 512, 1024, 2048, 2560, 4096]
    make_video(source, 6, pts=irregular, time_base=Fraction(1, 12800))
    duration = probe(source, count_frames=True).duration_seconds_from_content
    assert duration is not None
    interpolate_video(source, output, model=_Blender(), timing=SIXTY)
    assert frame_times(output) == regular(ceil(duration * 60), 60)


def test_a_variable_rhythm_can_be_kept(tmp_path: Path) -> None:
    source, output = tmp_path / "a.mp4", tmp_path / "b.mp4"
    irregular = [0, 512, 1024, 2048, 2560, 4096]
    make_video(source, 6, pts=irregular, time_base=Fraction(1, 12800))
    timing = InterpolationOptions(interp_ratio=Fraction(2), keep_rhythm=True)
    interpolate_video(source, output, model=_Blender(), timing=timing)
    times = frame_times(source)
    made = frame_times(output)
    assert len(made) == 12
    assert made[:-1:2] == times
    assert made[1:-1:2] == [(a + b) / 2 for a, b in pairwise(times)]


def test_images_become_a_video_and_a_video_images(tmp_path: Path) -> None:
    write_images(tmp_path / "in", 3)
    reading = SourceOptions(frame_rate=Fraction(24))
    interpolate_video(tmp_path / "in", tmp_path / "a.mp4", model=_Blender(), reading=reading)
    assert frame_times(tmp_path / "a.mp4") == regular(5, 48)
    report = interpolate_video(tmp_path / "a.mp4", tmp_path / "out", model=_Blender())
    assert report.num_frames == len(list((tmp_path / "out").glob("*.png"))) == 10


def test_a_lower_rate_leaves_frames_out(tmp_path: Path) -> None:
    images = write_images(tmp_path / "in", 11)
    timing = InterpolationOptions(out_fps=Fraction(10))
    interpolate_video(tmp_path / "in", tmp_path / "out", model=_Blender(), timing=timing)
    made = read_images(tmp_path / "out")
    assert len(made) == 5
    np.testing.assert_array_equal(made[2], images[5])


def test_a_part_of_a_video(tmp_path: Path) -> None:
    source, output = tmp_path / "a.mp4", tmp_path / "b.mp4"
    make_video(source, 25, audio=[AudioTrack(seconds=1.0)])
    reading = SourceOptions(start_seconds=Fraction(1, 5), end_seconds=Fraction(3, 5))
    interpolate_video(source, output, model=_Blender(), timing=SIXTY, reading=reading)
    assert frame_times(output) == regular(24, 60)
    assert packets_of(output, "audio")[-1][0] < Fraction(2, 5)


def test_a_frame_that_lasts_beyond_the_end_ends_with_the_sound(tmp_path: Path) -> None:
    source, output = tmp_path / "a.mp4", tmp_path / "b.mp4"
    make_video(
        source, 4, pts=[0, 1, 2, 25], time_base=Fraction(1, 25), audio=[AudioTrack(seconds=1.0)]
    )
    reading = SourceOptions(end_seconds=Fraction(1, 2))
    interpolate_video(source, output, model=_Blender(), timing=SIXTY, reading=reading)
    assert frame_times(output) == regular(30, 60)


@pytest.mark.parametrize(
    ("rate", "name"), [("60", "a_60fps.mkv"), ("60000/1001", "a_59.94fps.mkv")]
)
def test_an_output_that_nobody_named_has_its_rate_in_its_name(
    rate: str, name: str, tmp_path: Path
) -> None:
    make_video(tmp_path / "a.mkv", 2)
    timing = InterpolationOptions(out_fps=Fraction(rate))
    report = interpolate_video(tmp_path / "a.mkv", model=_Repeater(), timing=timing)
    assert report.output == tmp_path / name
    assert report.output.is_file()


def test_the_ratio_wins_over_the_rate_and_that_is_told(tmp_path: Path) -> None:
    make_video(tmp_path / "a.mp4", 4)
    timing = InterpolationOptions(interp_ratio=Fraction(3), out_fps=Fraction(60))
    report = interpolate_video(
        tmp_path / "a.mp4", tmp_path / "b.mp4", model=_Repeater(), timing=timing
    )
    assert report.output_frame_rate == 75
    assert frame_times(tmp_path / "b.mp4") == regular(12, 75)
    (warning,) = report.warnings
    assert "the ratio 3 counts" in warning


def test_repeating_frames_for_a_rate_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    writing = OutputOptions(constant_frame_rate=Fraction(30))
    for work in (interpolate_video, enhance_video):
        with pytest.raises(ConfigError, match=r"out_fps=30 instead \(--fps\)"):
            work(tmp_path / "missing.mp4", tmp_path / "b.mp4", writing=writing)


def test_an_existing_output_is_refused_before_the_work(tmp_path: Path) -> None:
    class Idle(_Blender):
        def encode(self, image: torch.Tensor) -> torch.Tensor:
            raise AssertionError("the work has begun")

    make_video(tmp_path / "a.mp4", 4)
    (tmp_path / "b.mp4").write_bytes(b"precious")
    with pytest.raises(VideoError, match=r"b\.mp4"):
        interpolate_video(tmp_path / "a.mp4", tmp_path / "b.mp4", model=Idle())
    assert (tmp_path / "b.mp4").read_bytes() == b"precious"


def test_a_failing_model_leaves_nothing(tmp_path: Path) -> None:
    class Failing(_Blender):
        def synthesize(self, *_: object, **__: object) -> torch.Tensor:
            raise RuntimeError("no memory")

    make_video(tmp_path / "a.mp4", 4)
    with pytest.raises(RuntimeError, match="no memory"):
        interpolate_video(tmp_path / "a.mp4", tmp_path / "b.mp4", model=Failing())
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_progress_counts_the_frames_of_the_source(tmp_path: Path) -> None:
    make_video(tmp_path / "a.mp4", 8)
    seen: list[Progress] = []
    interpolate_video(
        tmp_path / "a.mp4", tmp_path / "b.mp4", model=_Blender(), timing=SIXTY,
        on_progress=seen.append,
    )  # fmt: skip
    assert {progress.num_frames for progress in seen} == {8}
    assert seen[-1].frames_done == pytest.approx(8)


@pytest.mark.parametrize("order", ["auto", "upscale-first", "interpolate-first"])
def test_larger_and_smoother_in_one_pass(order: EnhanceOrder, tmp_path: Path) -> None:
    source = tmp_path / "a.mp4"
    make_video(source, 5, size=(34, 48), rate=NTSC_FILM, audio=[AudioTrack(seconds=0.2)])
    seen: list[Progress] = []
    report = enhance_video(
        source,
        upscaler=tiny_model(),
        interpolator=_Blender(),
        timing=SIXTY,
        order=order,
        on_progress=seen.append,
    )
    assert report.output == tmp_path / "a_x4_60fps.mp4"
    assert (report.input_size, report.output_size) == ((34, 48), (136, 192))
    assert probe(report.output).size == (136, 192)
    assert frame_times(report.output) == regular(ceil(5 / NTSC_FILM * 60), 60)
    assert packets_of(report.output, "audio") == packets_of(source, "audio")
    # frames at a fractional rate do not come out even: the last one may reach over the end
    assert seen[-1].frames_done == pytest.approx(5, rel=0.05)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_the_orders_differ_in_what_is_upscaled(tmp_path: Path) -> None:
    write_images(tmp_path / "in", 3, size=(32, 48))
    upscaler, made = tiny_model(), {}
    orders: tuple[EnhanceOrder, ...] = ("upscale-first", "interpolate-first")
    for order in orders:
        enhance_video(
            tmp_path / "in", tmp_path / order, upscaler=upscaler, interpolator=_Blender(),
            order=order,
        )  # fmt: skip
        made[order] = [image.astype(float) for image in read_images(tmp_path / order)]
    assert [len(images) for images in made.values()] == [5, 5]
    first = made["upscale-first"]
    assert np.abs(first[1] - (first[0] + first[2]) / 2).max() <= 0.51
    second = made["interpolate-first"]
    assert np.abs(second[1] - (second[0] + second[2]) / 2).max() > 1


def test_duplicates_are_replaced_before_upscaling_can_hide_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_images(tmp_path / "in", 2, size=(32, 48))
    sizes: list[tuple[int, ...]] = []

    class Watching(_Blender):
        def encode(self, image: torch.Tensor) -> torch.Tensor:
            sizes.append(tuple(image.shape))
            return image

    timing = InterpolationOptions(replace_duplicates=True)
    enhance_video(
        tmp_path / "in", tmp_path / "out", upscaler=tiny_model(), interpolator=Watching(),
        timing=timing,
    )  # fmt: skip
    assert set(sizes) == {(3, 32, 48)}


def test_an_unknown_order_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="order must be one of auto, upscale-first"):
        enhance_video(tmp_path / "a.mp4", order="both")  # type: ignore[arg-type]


AWKWARD = [
    "big_buck_bunny_432_433.webm",
    "corrupted.mp4",
    "flv_sample.flv",
    "mkv_sample_with_srt.mkv",
    "mp4_sample_android_slow_motion.mp4",
    "mp4_sample_fragmented.mp4",
    "mp4_sample_with_color_info.mp4",
    "nasa_13013.mp4",
    "newtonscradle.gif",
    "no_duration.webm",
    "ts_sample_h265_rps_pred.ts",
    "video_0.mov",
    "video_90.mov",
    "vp9_bear-vp9-odd-dimensions.webm",
]


@pytest.mark.parametrize("name", AWKWARD)
def test_files_that_break_readers_come_out_at_the_asked_rate(
    name: str, shared_data: Path, tmp_path: Path
) -> None:
    source, output = shared_data / "awkward" / name, tmp_path / "b.mkv"
    timing = InterpolationOptions(out_fps=Fraction(10), detect_cuts=False)
    interpolate_video(source, output, model=_Repeater(), timing=timing, writing=QUICK)
    before = probe(source, count_frames=True)
    assert before.duration_seconds_from_content is not None
    times = frame_times(output)
    assert abs(len(times) - ceil(before.duration_seconds_from_content * 10)) <= 1
    assert {after - earlier for earlier, after in pairwise(times)} <= {Fraction(1, 10)}
    assert len(probe(output).audio_streams) == len(before.audio_streams)
    for index in range(len(before.audio_streams)):
        sound, original = packets_of(output, "audio", index), packets_of(source, "audio", index)
        assert [data for _, data in sound] == [data for _, data in original]


def test_every_awkward_file_is_in_the_list(shared_data: Path) -> None:
    names = {path.name for path in (shared_data / "awkward").iterdir()}
    assert names - {"vp9_invalid-bitstream.webm"} == set(AWKWARD)
