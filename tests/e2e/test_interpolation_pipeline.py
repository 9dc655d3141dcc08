"""Frame interpolation through ModelScope's `pipeline()`, with a tiny model of random weights."""

import json
import logging
import sys
import warnings
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from msvsr.app.jobs import Progress
from msvsr.errors import CheckpointError, ConfigError, InputError, VideoError
from msvsr.models.catalog import FRAME_INTERPOLATION_TASK, default_model_folder
from msvsr.video import probe
from tests.support.clips import AudioTrack, make_video, packets_of
from tests.support.models import (
    tiny_interpolation_networks,
    write_interpolation_folder,
    write_model_folder,
)

with warnings.catch_warnings():  # what third parties warn about while they are imported
    warnings.simplefilter("ignore")
    from datasets import Dataset
    from modelscope.metainfo import DEFAULT_MODEL_FOR_PIPELINE
    from modelscope.models import Model
    from modelscope.msdatasets import MsDataset
    from modelscope.outputs import OutputKeys
    from modelscope.pipelines import pipeline
    from modelscope.utils.constant import Tasks

NUM_FRAMES = 4
TASK = Tasks.video_frame_interpolation


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short video of 25 frames per second, with sound."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    return make_video(path, NUM_FRAMES, audio=[AudioTrack(seconds=0.16)])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A local model folder in the official layout."""
    return write_interpolation_folder(tmp_path_factory.mktemp("model"), layout="official")


@pytest.fixture(scope="module")
def interpolate(folder: Path) -> Any:  # noqa: ANN401
    """The pipeline of that folder."""
    return pipeline(TASK, str(folder), device="cpu", dtype="float32")


@pytest.fixture(autouse=True)
def temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where outputs go that nobody names."""
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    return place


def output_of(result: dict[str, str]) -> Path:
    """The file that a result names, and nothing else."""
    assert set(result) == {OutputKeys.OUTPUT_VIDEO}
    return Path(result[OutputKeys.OUTPUT_VIDEO])


@pytest.mark.parametrize(
    ("options", "rate"),
    [
        ({}, 50),
        ({"interp_ratio": 4}, 100),
        ({"interp_ratio": 1.5}, Fraction(75, 2)),
        ({"interp_ratio": Fraction(12, 5)}, 60),
        ({"out_fps": 50}, 50),
        ({"out_fps": 29.97}, Fraction(2997, 100)),
        ({"out_fps": "60000/1001"}, Fraction(60000, 1001)),
        ({"out_fps": 12.5}, Fraction(25, 2)),
    ],
)
def test_a_video_gets_the_rate_that_its_dictionary_asks_for(
    options: dict[str, Any],
    rate: Fraction,
    interpolate: Any,  # noqa: ANN401
    clip: Path,
    temporary_folder: Path,
) -> None:
    output = output_of(interpolate({"video": str(clip), **options}))
    assert output.name == "clip_interpolated.mp4"
    assert output.parent.parent == temporary_folder
    before, after = probe(clip, count_frames=True), probe(output, count_frames=True)
    assert after.size == before.size
    assert after.frame_rate == rate
    seconds = Fraction(NUM_FRAMES, 25)
    assert after.num_frames_from_content == -(-seconds * rate // 1)  # rounded up
    assert packets_of(output, "audio") == packets_of(clip, "audio")


def test_the_ratio_wins_over_the_rate_and_says_so(
    interpolate: Any,  # noqa: ANN401
    clip: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    logger = logging.getLogger("modelscope")
    logger.addHandler(caplog.handler)
    try:
        output = output_of(interpolate({"video": str(clip), "interp_ratio": 3, "out_fps": 30}))
    finally:
        logger.removeHandler(caplog.handler)
    assert probe(output).frame_rate == 75
    assert "the ratio 3 counts" in caplog.text


def test_source_frames_are_kept_bit_for_bit(
    interpolate: Any,  # noqa: ANN401
    clip: Path,
    tmp_path: Path,
) -> None:
    before = output_of(interpolate(clip, interp_ratio=1.5, output_video=tmp_path / "before"))
    after = output_of(interpolate(before, interp_ratio=2, output_video=tmp_path / "after"))
    sources, made = ([p.read_bytes() for p in sorted(f.glob("*.png"))] for f in (before, after))
    assert len(sources) == 6
    assert made[::2] == sources
    assert not set(made[1::2]) & set(sources)


def test_the_call_wins_over_the_constructor_and_the_input_over_both(
    folder: Path, clip: Path, tmp_path: Path
) -> None:
    seen: list[Progress] = []
    made = pipeline(TASK, str(folder), device="cpu", out_fps=100, crf=30)
    named = tmp_path / "named.mkv"
    one = {"video": clip, "output_video": named, "end_seconds": 0.08, "out_fps": 75}
    options = {"out_fps": 50, "on_progress": seen.append, "demo_service": False}
    first, second = made([one, str(clip)], batch_size=2, **options)
    assert output_of(first) == named
    assert probe(named, count_frames=True).num_frames_from_content == 6
    assert probe(output_of(second)).frame_rate == 50
    assert seen[-1].frames_done == pytest.approx(NUM_FRAMES)
    assert probe(output_of(made(str(clip), end_seconds=0.08))).frame_rate == 100


def _clips(clip: Path) -> Iterator[str]:
    yield str(clip)
    yield "missing.mp4"


def test_data_sets_and_generators_give_generators(
    interpolate: Any,  # noqa: ANN401
    clip: Path,
) -> None:
    rows = {"video": [str(clip)], "out_fps": ["30000/1001"], "interp_ratio": [None]}
    [result] = interpolate(MsDataset(Dataset.from_dict(rows)))
    assert probe(output_of(result)).frame_rate == Fraction(30000, 1001)
    results = interpolate(_clips(clip), end_seconds=0.04)
    assert output_of(next(results)).is_file()
    with pytest.raises(VideoError, match=r"missing\.mp4"):
        next(results)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda run, v: run(v, interp_ratio=1), ConfigError, "interp_ratio must be above 1"),
        (lambda run, v: run({"video": v, "interp_ratio": -2}), ConfigError, "must be above 1"),
        (lambda run, v: run(v, interp_ratio=10**9), ConfigError, "interp_ratio must be at most"),
        (lambda run, v: run(v, interp_ratio="fast"), ConfigError, "a number or a fraction like"),
        (lambda run, v: run(v, interp_ratio=True), ConfigError, "interp_ratio must be"),
        (lambda run, v: run(v, interp_ratio=float("nan")), ConfigError, "interp_ratio must be a"),
        (lambda run, v: run({"video": v, "out_fps": 0}), ConfigError, "out_fps must lie above 0"),
        (lambda run, v: run(v, out_fps="1/0"), ConfigError, "out_fps must be a number"),
        (lambda run, v: run(v, out_fps=[50]), ConfigError, "out_fps must be"),
        (lambda run, v: run({"video": v, "fps": 50}), ConfigError, "unknown option fps: .*out_fps"),
        (lambda run, v: run(v, refine_scope="shot"), ConfigError, "unknown option refine_scope"),
        (lambda run, v: run(v, at_cuts="fade"), ConfigError, "at_cuts must be one of repeat, bl"),
        (lambda run, v: run([v], output_video="a.mp4"), ConfigError, "for several inputs"),
        (lambda run, v: run({"interp_ratio": 2}), InputError, "needs the key 'video'"),
        (lambda run, _: run(torch.zeros(3)), InputError, "got Tensor"),
        (lambda run, v: run(v, output_video=v), VideoError, "the output is the input"),
    ],
)
def test_what_cannot_work_gets_one_line_and_leaves_nothing(
    call: Any,  # noqa: ANN401
    error: type[Exception],
    message: str,
    interpolate: Any,  # noqa: ANN401
    clip: Path,
    temporary_folder: Path,
) -> None:
    with pytest.raises(error, match=message) as caught:
        call(interpolate, clip)
    assert len(str(caught.value).splitlines()) == 1
    assert list(temporary_folder.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"interp_ratio": 0.5}, "interp_ratio must be above 1"),
        ({"outfps": 50}, "unknown option outfps: accepted are interp_ratio, out_fps"),
        ({"device": "cuda:63"}, "device 'cuda:63' is not available"),
    ],
)
def test_wrong_options_show_at_construction(
    options: dict[str, Any], message: str, folder: Path
) -> None:
    with pytest.raises(ConfigError, match=message):
        pipeline(TASK, str(folder), **options)


def test_a_model_of_the_other_task_is_refused(folder: Path, tmp_path: Path) -> None:
    other = write_model_folder(tmp_path / "other")
    for task, wrong, right in (
        (TASK, other, "video-super-resolution"),
        (Tasks.video_super_resolution, folder, "video-frame-interpolation"),
    ):
        with pytest.raises(ConfigError, match=f"is a model for {right}, expected one") as caught:
            pipeline(task, str(wrong))
        assert len(str(caught.value).splitlines()) == 1
    with pytest.raises(ConfigError, match="runs models of the type 'video-frame-interpolation'"):
        pipeline(TASK, Model.from_pretrained(str(other)))


def test_gpu_falls_back_to_the_cpu(folder: Path) -> None:
    made = pipeline(TASK, str(folder))
    assert made.device.type == ("cuda" if torch.cuda.is_available() else "cpu")


def test_no_model_is_the_embedded_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name, model = DEFAULT_MODEL_FOR_PIPELINE[TASK]
    assert model == str(default_model_folder(FRAME_INTERPOLATION_TASK))
    # Any folder stands in for it here: whether its weights are good is tested elsewhere.
    monkeypatch.setitem(DEFAULT_MODEL_FOR_PIPELINE, TASK, (name, str(folder)))
    monkeypatch.setenv("MODELSCOPE_ENDPOINT", "http://127.0.0.1:9")
    assert pipeline(TASK).model.model_dir == str(folder)


def test_the_embedded_model_runs(clip: Path) -> None:
    if not any(default_model_folder(FRAME_INTERPOLATION_TASK).glob("*.safetensors")):
        pytest.skip("the embedded model has no weights yet")
    output = output_of(pipeline(TASK, device="cpu")(clip, end_seconds=0.08))
    assert probe(output, count_frames=True).num_frames_from_content == 4


def test_another_model_of_that_pipeline_keeps_its_own(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configuration = json.loads((folder / "configuration.json").read_text())
    configuration["model"] = {"type": "somebody-elses"}
    (tmp_path / "configuration.json").write_text(json.dumps(configuration))
    # The built-in pipeline needs torchvision, which cannot be counted on.
    built_in = ModuleType("modelscope.pipelines.cv.video_frame_interpolation_pipeline")
    built_in.VideoFrameInterpolationPipeline = dict  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, built_in.__name__, built_in)
    assert pipeline(TASK, str(tmp_path))["model"] == str(tmp_path)


def test_a_model_is_a_proper_torch_model(folder: Path, clip: Path) -> None:
    model = Model.from_pretrained(str(folder))
    clips = torch.rand(2, 4, 3, 40, 56)
    kept = clips.clone()
    with torch.no_grad():
        half_way = model.eval()({"input": clips})["output"]
        each = model({"input": clips, "timestep": torch.tensor([0.5, 0.2])})["output"]
        linear = model({"input": clips[:, 1:3], "timestep": 0.5})["output"]
    assert torch.equal(clips, kept)
    assert half_way.shape == (2, 3, 40, 56)
    torch.testing.assert_close(each[0], half_way[0], atol=1e-4, rtol=0)
    assert (each[1] - half_way[1]).abs().max() > 1e-2
    assert (linear - half_way).abs().max() > 1e-3  # four frames make motion quadratic
    assert all(key.startswith("model.") for key in model.state_dict())

    pipeline(TASK, model, device="cpu", dtype="bfloat16")(str(clip), end_seconds=0.08)
    # The pipeline computes in bfloat16 on a copy: the user's model stays as it is.
    kinds = {value.dtype for value in model.state_dict().values() if value.is_floating_point()}
    assert kinds == {torch.float32}
    assert all(parameter.requires_grad for parameter in model.parameters())


@pytest.mark.parametrize(
    "wrong",
    [
        {"inputs": torch.zeros(1, 2, 3, 8, 8)},
        {"input": torch.zeros(1, 2, 3, 8, 8), "target": torch.zeros(1, 3, 8, 8)},
        {"input": torch.zeros(1, 3, 3, 8, 8)},
        {"input": torch.zeros(1, 12, 8, 8)},
        {"input": torch.zeros(1, 2, 3, 8, 8), "timestep": torch.zeros(2)},
    ],
)
def test_a_model_names_what_it_takes(wrong: dict[str, torch.Tensor], folder: Path) -> None:
    with pytest.raises(InputError, match=r"'input'|'timestep'"):
        Model.from_pretrained(str(folder))(wrong)


def test_new_weights_in_the_model_reach_the_next_call(folder: Path, clip: Path) -> None:
    made = pipeline(TASK, str(folder), device="cpu", codec="h264-lossless", dtype="float32")
    before = output_of(made(clip, end_seconds=0.08)).read_bytes()
    assert output_of(made(clip, end_seconds=0.08)).read_bytes() == before
    made.model.model.load_state_dict(tiny_interpolation_networks(seed=1).state_dict())
    assert output_of(made(clip, end_seconds=0.08)).read_bytes() != before


def test_a_model_that_modelscope_saved_is_read_again(folder: Path, tmp_path: Path) -> None:
    model = Model.from_pretrained(str(folder))
    model.model.load_state_dict(tiny_interpolation_networks(seed=5).state_dict())
    model.save_pretrained(str(tmp_path), "pytorch_model.bin")
    if not (tmp_path / "configuration.json").is_file():
        (tmp_path / "configuration.json").write_text((folder / "configuration.json").read_text())
    again, expected = Model.from_pretrained(str(tmp_path)).state_dict(), model.state_dict()
    assert all(torch.equal(again[key], expected[key]) for key in expected)


def test_missing_weights_are_explained(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "configuration.json").write_text((folder / "configuration.json").read_text())
    with pytest.raises(CheckpointError, match=r"no flow weights in .*raft-sintel\.pt"):
        Model.from_pretrained(str(tmp_path))
