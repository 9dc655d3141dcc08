"""Options by flat names, inputs and devices: what the pipelines check without ModelScope."""

from fractions import Fraction
from itertools import combinations
from pathlib import Path

import pytest
import torch

from msvsr.engine.options import EngineOptions, InterpolationOptions
from msvsr.errors import ConfigError, InputError
from msvsr.plugin.jobs import RunOptions, choose_pipeline_device, output_place, read_input
from msvsr.plugin.options import accepted_names, build_options, refuse_unknown
from msvsr.video import OutputOptions, SourceOptions

PARTS = (EngineOptions, SourceOptions, OutputOptions, RunOptions)
INTERPOLATION_PARTS = (InterpolationOptions, *PARTS[1:])


@pytest.mark.parametrize("parts", [PARTS, INTERPOLATION_PARTS])
def test_no_name_belongs_to_two_parts(parts: tuple[type, ...]) -> None:
    for one, other in combinations(parts, 2):
        assert not set(accepted_names(one)) & set(accepted_names(other))


def test_each_part_takes_its_own_values() -> None:
    values = {"window": 4, "crf": 20, "start_seconds": 1.5, "output_video": Path("a.mp4")}
    assert build_options(EngineOptions, values) == EngineOptions(window=4)
    assert build_options(OutputOptions, values) == OutputOptions(crf=20)
    assert build_options(SourceOptions, values) == SourceOptions(start_seconds=Fraction(3, 2))
    assert build_options(RunOptions, values) == RunOptions(output_video=Path("a.mp4"))


@pytest.mark.parametrize(
    ("given", "expected"),
    [(25, Fraction(25)), (23.976, Fraction(2997, 125)), ("24000/1001", Fraction(24000, 1001))],
)
def test_fractions_come_as_people_write_them(given: float | str, expected: Fraction) -> None:
    assert build_options(SourceOptions, {"frame_rate": given}).frame_rate == expected


@pytest.mark.parametrize("name", ["interp_ratio", "out_fps"])
@pytest.mark.parametrize("given", [59.94, "59.94", "2997/50", Fraction(2997, 50)])
def test_rates_are_exact_as_they_are_written(name: str, given: object) -> None:
    assert getattr(build_options(InterpolationOptions, {name: given}), name) == Fraction(2997, 50)


def test_nothing_given_is_the_default() -> None:
    for part in (*PARTS, InterpolationOptions):
        assert build_options(part, {}) == part()


@pytest.mark.parametrize(
    ("part", "values", "message"),
    [
        (OutputOptions, {"crf": "20"}, "crf must be a whole number, got '20'"),
        (OutputOptions, {"crf": True}, "crf must be a whole number, got True"),
        (OutputOptions, {"crf": 99}, "crf must lie between"),
        (OutputOptions, {"keep_audio": 1}, "keep_audio must be True or False, got 1"),
        (OutputOptions, {"encoder_options": 1}, "encoder_options must be a dictionary, got 1"),
        (SourceOptions, {"frame_rate": "fast"}, "frame_rate must be a number or a fraction"),
        (SourceOptions, {"frame_rate": "1/0"}, "frame_rate must be a number or a fraction"),
        (EngineOptions, {"memory_gib": "2"}, "memory_gib must be a number or None, got '2'"),
        (EngineOptions, {"refine_scope": "clip"}, "refine_scope must be one of shot, frame"),
        (EngineOptions, {"window": 0}, "window must be a whole number of at least 1"),
        (RunOptions, {"dtype": "int8"}, "expected one of auto, float32, bfloat16, float16"),
        (RunOptions, {"on_progress": 3}, "on_progress must be a function or None, got 3"),
    ],
)
def test_impossible_values_get_one_line(
    part: type, values: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        build_options(part, values)
    assert len(str(caught.value).splitlines()) == 1


def test_unknown_names_are_told_the_accepted_ones() -> None:
    with pytest.raises(ConfigError, match=r"unknown option crv: accepted are .*crf.*output_video"):
        refuse_unknown({"crv": 3, "crf": 3}, *PARTS)


@pytest.mark.parametrize("data", ["clip.mp4", Path("clip.mp4"), {"video": Path("clip.mp4")}])
def test_one_video_comes_in_several_forms(data: object) -> None:
    assert read_input(data) == ("clip.mp4", {})


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (3, "got int"),
        ("", "got str"),
        (torch.zeros(1), "got Tensor"),
        ({}, r"needs the key 'video'.*\(none\)"),
        ({"vidoe": "a.mp4"}, "got the keys vidoe"),
        ({"video": ["a.mp4"]}, "got list"),
    ],
)
def test_other_inputs_get_one_line(data: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_input(data)


def test_gpu_is_what_modelscope_says_when_nobody_chose() -> None:
    expected = "cuda" if torch.cuda.is_available() else "cpu"
    assert choose_pipeline_device("gpu").type == expected
    assert choose_pipeline_device("cpu") == torch.device("cpu")
    assert choose_pipeline_device(torch.device("cpu")) == torch.device("cpu")


def test_every_name_of_a_gpu_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    for name, expected in {
        "gpu": "cuda:0",
        "gpu:1": "cuda:1",
        "cuda": "cuda",
        "cuda:1": "cuda:1",
    }.items():
        assert choose_pipeline_device(name) == torch.device(expected)
    with pytest.raises(ConfigError, match="'cuda:2' is not available"):
        choose_pipeline_device("cuda:2")


@pytest.mark.parametrize("name", ["cuda:63", "gpu:63", "xpu", "warp drive"])
def test_a_device_that_was_asked_for_must_be_there(name: str) -> None:
    with pytest.raises(ConfigError, match=name):
        choose_pipeline_device(name)


@pytest.mark.parametrize(
    ("video", "name"),
    [
        ("films/clip.old.mkv", "clip.old_x4.mp4"),
        ("http://localhost/a%20b.webm?token=1", "a b_x4.mp4"),
        ("http://localhost/", "video_x4.mp4"),
        ("/", "video_x4.mp4"),
    ],
)
def test_a_new_output_is_named_after_its_input(video: str, name: str) -> None:
    with output_place(video, None, mark="_x4.mp4") as output:
        assert output.name == name
        assert output.parent.is_dir()
    output.parent.rmdir()


def test_a_failed_job_leaves_no_folder() -> None:
    with pytest.raises(KeyboardInterrupt), output_place("a.mp4", None, mark=".mp4") as output:
        raise KeyboardInterrupt
    assert not output.parent.exists()
