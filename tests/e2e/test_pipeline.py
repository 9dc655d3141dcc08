"""Videos through ModelScope's `pipeline()`, with a tiny model of random weights."""

import json
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from msvsr.app.jobs import Progress
from msvsr.errors import CheckpointError, ConfigError, InputError, VideoError
from msvsr.models.catalog import default_model_folder
from msvsr.video import probe
from tests.support.clips import AudioTrack, make_video, packets_of
from tests.support.models import tiny_network, write_model_folder

with warnings.catch_warnings():  # what third parties warn about while they are imported
    warnings.simplefilter("ignore")
    from datasets import Dataset
    from modelscope.metainfo import DEFAULT_MODEL_FOR_PIPELINE
    from modelscope.models import Model
    from modelscope.msdatasets import MsDataset
    from modelscope.outputs import OutputKeys
    from modelscope.pipelines import pipeline
    from modelscope.utils.constant import Tasks

NUM_FRAMES = 5


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short video with sound."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    return make_video(path, NUM_FRAMES, audio=[AudioTrack(seconds=0.2)])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A local model folder in the official layout."""
    return write_model_folder(tmp_path_factory.mktemp("model"), weights_name="pytorch_model.pt")


@pytest.fixture(scope="module")
def upscale(folder: Path) -> Any:  # noqa: ANN401
    """The pipeline of that folder, with options of its own."""
    return pipeline(Tasks.video_super_resolution, str(folder), device="cpu", crf=30)


@pytest.fixture(autouse=True)
def temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where outputs go that nobody names."""
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    return place


def test_a_video_comes_out_four_times_as_large_with_its_sound(
    upscale: Any,  # noqa: ANN401
    clip: Path,
    temporary_folder: Path,
) -> None:
    result = upscale(str(clip))
    assert set(result) == {OutputKeys.OUTPUT_VIDEO}
    output = Path(result[OutputKeys.OUTPUT_VIDEO])
    assert output.name == "clip_x4.mp4"
    assert output.parent.parent == temporary_folder
    before, after = probe(clip, count_frames=True), probe(output, count_frames=True)
    assert after.size == (4 * before.height, 4 * before.width)
    assert after.num_frames_from_content == NUM_FRAMES
    assert packets_of(output, "audio") == packets_of(clip, "audio")


def test_the_call_wins_over_the_constructor_and_the_input_over_both(
    upscale: Any,  # noqa: ANN401
    clip: Path,
    tmp_path: Path,
) -> None:
    seen: list[Progress] = []
    named = tmp_path / "named.mkv"
    one = {"video": clip, "output_video": named, "end_seconds": 0.08, "crf": 10}
    options = {"end_seconds": 0.12, "on_progress": seen.append, "demo_service": False}
    first, second = upscale([one, str(clip)], dtype="float32", batch_size=2, **options)
    assert first == {OutputKeys.OUTPUT_VIDEO: str(named)}
    assert probe(named, count_frames=True).num_frames_from_content == 2
    rest = probe(second[OutputKeys.OUTPUT_VIDEO], count_frames=True)
    assert rest.num_frames_from_content == 3
    assert seen[-1].frames_done == pytest.approx(3)
    assert seen[-1].num_frames == 3


def test_bits_follow_the_quality_given_at_construction(
    upscale: Any,  # noqa: ANN401
    clip: Path,
) -> None:
    coarse = Path(upscale(clip)[OutputKeys.OUTPUT_VIDEO])
    fine = Path(upscale(clip, crf=5)[OutputKeys.OUTPUT_VIDEO])
    assert fine.stat().st_size > 1.5 * coarse.stat().st_size


def test_lossless_output_goes_into_a_container_that_takes_it(
    upscale: Any,  # noqa: ANN401
    clip: Path,
) -> None:
    output = upscale({"video": str(clip), "codec": "ffv1", "end_seconds": 0.04})
    assert probe(output[OutputKeys.OUTPUT_VIDEO]).codec == "ffv1"


def test_a_folder_of_images_comes_out_as_asked(
    upscale: Any,  # noqa: ANN401
    clip: Path,
    tmp_path: Path,
) -> None:
    images = upscale(clip, output_video=tmp_path / "images")[OutputKeys.OUTPUT_VIDEO]
    assert len(list(Path(images).glob("*.png"))) == NUM_FRAMES
    video = upscale({"video": images, "frame_rate": "24000/1001", "start_seconds": 0.15})
    info = probe(video[OutputKeys.OUTPUT_VIDEO], count_frames=True)
    assert float(info.frame_rate) == pytest.approx(24000 / 1001, rel=1e-3)
    assert Path(video[OutputKeys.OUTPUT_VIDEO]).name == "images_x4.mp4"


def _clips(clip: Path) -> Iterator[str]:
    yield str(clip)
    yield "missing.mp4"


def test_data_sets_and_generators_give_generators(
    upscale: Any,  # noqa: ANN401
    clip: Path,
) -> None:
    rows = MsDataset(Dataset.from_dict({"video": [str(clip)], "end_seconds": [0.04]}))
    [result] = upscale(rows)
    assert probe(result[OutputKeys.OUTPUT_VIDEO], count_frames=True).num_frames_from_content == 1
    results = upscale(_clips(clip), end_seconds=0.04)
    assert Path(next(results)[OutputKeys.OUTPUT_VIDEO]).is_file()
    with pytest.raises(VideoError, match=r"missing\.mp4"):
        next(results)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda run, clip: run(clip, windw=3), ConfigError, "unknown option windw: .*window"),
        (lambda run, clip: run(clip, interp_ratio=2), ConfigError, "unknown option interp_ratio"),
        (lambda run, clip: run({"video": clip, "crf": 99}), ConfigError, "crf must lie"),
        (lambda run, clip: run([clip], output_video="a.mp4"), ConfigError, "for several inputs"),
        (lambda run, clip: run({"file": clip}), InputError, "needs the key 'video'"),
        (lambda run, _: run(b"clip.mp4"), InputError, "got bytes"),
        (lambda run, _: run(torch.zeros(3)), InputError, "got Tensor"),
        (lambda run, clip: run(clip, output_video=clip), VideoError, "the output is the input"),
    ],
)
def test_what_cannot_work_gets_one_line_and_leaves_nothing(
    call: Any,  # noqa: ANN401
    error: type[Exception],
    message: str,
    upscale: Any,  # noqa: ANN401
    clip: Path,
    temporary_folder: Path,
) -> None:
    with pytest.raises(error, match=message) as caught:
        call(upscale, clip)
    assert len(str(caught.value).splitlines()) == 1
    assert list(temporary_folder.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"crf": 99}, "crf must lie"),
        ({"codecs": "h264"}, "unknown option codecs"),
        ({"device": "cuda:63"}, "device 'cuda:63' is not available"),
        ({"device": "toaster"}, "unknown device 'toaster'"),
    ],
)
def test_wrong_options_show_at_construction(
    options: dict[str, Any], message: str, folder: Path
) -> None:
    with pytest.raises(ConfigError, match=message):
        pipeline(Tasks.video_super_resolution, str(folder), **options)


def test_no_model_is_the_embedded_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task = Tasks.video_super_resolution
    name, model = DEFAULT_MODEL_FOR_PIPELINE[task]
    assert model == str(default_model_folder())
    # Any folder stands in for it here: whether its weights are good is tested elsewhere.
    monkeypatch.setitem(DEFAULT_MODEL_FOR_PIPELINE, task, (name, str(folder)))
    monkeypatch.setenv("MODELSCOPE_ENDPOINT", "http://127.0.0.1:9")
    assert pipeline(task).model.model_dir == str(folder)


def test_the_other_model_of_that_pipeline_keeps_its_own(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ModelScope's MSRResNet-lite shares the pipeline's name; it is none of ours."""
    configuration = json.loads((folder / "configuration.json").read_text())
    configuration["model"] = {"type": "msrresnet-lite"}
    (tmp_path / "configuration.json").write_text(json.dumps(configuration))
    # The built-in pipeline needs torchvision, which cannot be counted on.
    built_in = ModuleType("modelscope.pipelines.cv.video_super_resolution_pipeline")
    built_in.VideoSuperResolutionPipeline = dict  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, built_in.__name__, built_in)
    made = pipeline(Tasks.video_super_resolution, str(tmp_path))
    assert made["model"] == str(tmp_path)


def test_a_model_is_a_proper_torch_model(folder: Path, clip: Path) -> None:
    model = Model.from_pretrained(str(folder), max_seq_len=3)
    assert model.model_config.max_seq_len == 3
    clips = torch.rand(1, 2, 3, 24, 40)
    kept = clips.clone()
    with torch.no_grad():
        result = model.eval()({"input": clips})
        expected = model.model(clips).sr.clamp(0, 1)
    assert torch.equal(clips, kept)
    torch.testing.assert_close(result["output"], expected, rtol=0, atol=0)
    assert all(key.startswith("model.") for key in model.state_dict())
    for wrong in ({"inputs": clips}, {"input": clips, "target": clips}, {"input": clips[0]}):
        with pytest.raises(InputError):
            model(wrong)

    made = pipeline(Tasks.video_super_resolution, model, device="cpu", dtype="bfloat16")
    made(str(clip), end_seconds=0.04)
    # The pipeline computes in bfloat16 on a copy: the user's model stays as it is.
    assert {value.dtype for value in model.state_dict().values()} == {torch.float32}
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_new_weights_in_the_model_reach_the_next_call(folder: Path, clip: Path) -> None:
    made = pipeline(Tasks.video_super_resolution, str(folder), device="cpu", codec="h264-lossless")
    options = {"end_seconds": 0.04, "dtype": "float32"}
    before = Path(made(clip, **options)[OutputKeys.OUTPUT_VIDEO]).read_bytes()
    again = Path(made(clip, **options)[OutputKeys.OUTPUT_VIDEO]).read_bytes()
    assert again == before
    made.model.model.load_state_dict(tiny_network(seed=1).state_dict())
    assert Path(made(clip, **options)[OutputKeys.OUTPUT_VIDEO]).read_bytes() != before


def _save(weights: dict[str, torch.Tensor], path: Path, layout: str) -> None:
    if layout == "safetensors":
        save_file(weights, path / "model.safetensors")
        return
    content: dict[str, Any] = {
        "bare": weights,
        "params": {"params": weights},
        "mmediting": {"state_dict": {f"generator_ema.{key}": weights[key] for key in weights}},
        "saved by ModelScope": {f"model.{key}": weights[key] for key in weights},
    }[layout]
    torch.save(content, path / "pytorch_model.pt")


@pytest.mark.parametrize(
    "layout", ["bare", "params", "mmediting", "safetensors", "saved by ModelScope"]
)
def test_every_layout_of_weights_is_read(layout: str, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "configuration.json").write_text((folder / "configuration.json").read_text())
    weights = tiny_network(seed=3).state_dict()
    _save(weights, tmp_path, layout)
    model = Model.from_pretrained(str(tmp_path))
    assert all(torch.equal(model.model.state_dict()[key], weights[key]) for key in weights)


def test_missing_and_foreign_weights_are_explained(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "configuration.json").write_text((folder / "configuration.json").read_text())
    with pytest.raises(CheckpointError, match="no weights in"):
        Model.from_pretrained(str(tmp_path))
    torch.save({"conv.weight": torch.zeros(1)}, tmp_path / "pytorch_model.pt")
    with pytest.raises(CheckpointError, match=r"1 unexpected \(conv\.weight\)"):
        Model.from_pretrained(str(tmp_path))
