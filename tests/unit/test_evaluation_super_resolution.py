"""What is measured on clips, under which protocol, and what is kept for the next time."""

import gc
import itertools
import sys
import weakref
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from msvsr.data.videolq import Clip, VideoLQ
from msvsr.engine.options import EngineOptions
from msvsr.errors import CheckpointError, ConfigError, InputError, MsvsrError
from msvsr.evaluation import (
    SUPER_RESOLUTION_PROTOCOLS,
    AsIs,
    Bicubic,
    EvaluationOptions,
    EvaluationProgress,
    ModelMethod,
    describe_model,
    describe_weights,
    evaluate_super_resolution,
)
from msvsr.evaluation import measures as measures_module
from msvsr.evaluation.methods import Rendering
from msvsr.evaluation.model_description import ModelDescription
from msvsr.frame import ImageArray
from msvsr.metrics import niqe, perceptual_index, psnr, ssim
from msvsr.metrics.niqe import load_pristine
from msvsr.models import devices
from tests.support.evaluation import CountingMethod, texture, to_batch, write_clip, write_clips
from tests.support.models import tiny_model, tiny_network, write_model_folder

Patch = pytest.MonkeyPatch
LENGTHS = (4, 3, 5)
_8_BITS = Rendering(dtype="float32")


@pytest.fixture
def clips(tmp_path: Path) -> VideoLQ:
    return VideoLQ(write_clips(tmp_path / "data", LENGTHS))


def niqe_of(*images: ImageArray) -> list[float]:
    return [float(niqe(to_batch(image))) for image in images]


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def stop_after(num_clips: int) -> Callable[[EvaluationProgress], None]:
    def stop(progress: EvaluationProgress) -> None:
        if progress.clips_done == num_clips:
            raise KeyboardInterrupt

    return stop


def test_each_protocol_scores_its_frames_its_way(clips: VideoLQ) -> None:
    report = evaluate_super_resolution(clips, AsIs())
    of_clip = {name: niqe_of(*clip) for name, clip in clips.items()}
    all_frames = [value for values in of_clip.values() for value in values]
    chosen = [values[i] for values in of_clip.values() for i in (0, len(values) // 2, -1)]
    swapped = [float(niqe(to_batch(image[..., ::-1]))) for image in clips["000"]]
    assert report.metrics["niqe"] == pytest.approx(mean(all_frames), abs=1e-9)
    assert report.metrics["niqe[paper]"] == pytest.approx(mean(chosen), abs=1e-9)
    assert report.metrics["niqe[modelscope-card]"] == pytest.approx(mean(swapped), abs=1e-9)
    assert len(set(report.metrics.values())) == 3
    assert [clip.name for clip in report.protocols[2].clips] == ["000"]
    means = {clip.name: clip.metrics["niqe"] for clip in report.protocols[0].clips}
    assert means == {name: pytest.approx(mean(values)) for name, values in of_clip.items()}


def test_the_first_protocol_that_is_named_answers_under_plain_names(clips: VideoLQ) -> None:
    options = EvaluationOptions(protocols=("paper", "all-frames"))
    metrics = evaluate_super_resolution(clips, AsIs(), options=options).metrics
    assert list(metrics) == ["niqe", "niqe[all-frames]"]
    default = evaluate_super_resolution(clips, AsIs()).metrics
    assert metrics == {"niqe": default["niqe[paper]"], "niqe[all-frames]": default["niqe"]}


def test_clips_of_other_lengths_than_100_are_noted_under_the_paper(clips: VideoLQ) -> None:
    report = evaluate_super_resolution(clips, AsIs())
    assert "000: 0, 2, 3" in " ".join(report.protocols[1].notes)


def test_protocols_that_need_the_same_frames_share_a_pass(clips: VideoLQ) -> None:
    method = CountingMethod()
    evaluate_super_resolution(clips, method)
    assert method.num_frames == sum(LENGTHS) + LENGTHS[0]  # the card takes the first clip again


def test_a_model_gives_what_the_network_gives_in_windows_of_seven(tmp_path: Path) -> None:
    images = [texture(number, (64, 66)) for number in range(8)]
    clips = VideoLQ(write_clip(tmp_path / "clip", images))
    rendering = tiny_method().rendering(SUPER_RESOLUTION_PROTOCOLS["modelscope-card"])
    deep = np.stack(list(tiny_method().upscale(images, rendering)))
    lq = torch.stack([to_batch(image)[0] for image in images])
    with torch.inference_mode():
        windows = [tiny_network()(window[None], 255.0).sr[0] for window in lq.split(7)]
    expected = torch.cat(windows).clamp(0, 1).movedim(1, -1).numpy()
    assert deep.dtype == np.uint16
    assert np.abs(deep / 65535 - expected).max() < 2e-5  # rounding to 16 bits, and float32
    options = EvaluationOptions(protocols=("modelscope-card",))
    metrics = evaluate_super_resolution(clips, tiny_method(), options=options).metrics
    values = niqe(torch.from_numpy(deep / 65535).float().movedim(-1, 1).flip(1))
    assert metrics["niqe"] == pytest.approx(float(values.mean()), abs=1e-3)


def tiny_method(engine: EngineOptions | None = None) -> ModelMethod:
    description = ModelDescription(name="tiny", sha256="0")
    return ModelMethod(tiny_model, description, device="cpu", dtype="float32", engine=engine)


def test_windows_decide_on_refinement_each_for_itself() -> None:
    """As separate calls of the network do; within a shot, its first frames decide for all."""
    flat, busy = np.full((64, 66, 3), 90, np.uint8), texture(1, (64, 66))
    with torch.inference_mode():
        network = tiny_network()
        residues = [network.cleaning_residue(to_batch(im)).abs().mean() for im in (flat, busy)]
    assert abs(255 * float(residues[0] - residues[1])) > 0.1
    engine = EngineOptions(refine_threshold=255 * float(sum(residues)) / 2)
    method = tiny_method(engine)
    in_windows = list(method.upscale([flat] * 7 + [busy] * 2, Rendering(dtype="float32", window=7)))
    alone = list(method.upscale([busy] * 2, _8_BITS))
    assert len(in_windows) == 9
    assert np.array_equal(np.stack(in_windows[7:]), np.stack(alone))


def test_half_precision_is_for_gpus_and_full_precision_for_all(monkeypatch: Patch) -> None:
    card = SUPER_RESOLUTION_PROTOCOLS["modelscope-card"]
    description = ModelDescription(name="tiny", sha256="0")
    method = ModelMethod(tiny_model, description, device="cpu", dtype="bfloat16")
    assert method.rendering(card).dtype == "float32"
    assert method.rendering(SUPER_RESOLUTION_PROTOCOLS["paper"]).dtype == "bfloat16"
    monkeypatch.setattr(devices, "_exists", lambda device: True)
    on_gpu = ModelMethod(tiny_model, description, device="cuda", dtype="bfloat16")
    assert on_gpu.rendering(card).dtype == "float16"
    assert on_gpu.rendering(SUPER_RESOLUTION_PROTOCOLS["paper"]).dtype == "bfloat16"


def test_frames_are_forgotten_once_they_are_scored() -> None:
    def most_alive(num_frames: int) -> int:
        alive: list[weakref.ref[ImageArray]] = []

        class Watched(Clip):
            def _load(self, index: int) -> ImageArray:
                image = texture(index)
                alive.append(weakref.ref(image))
                return image

        peak = 0

        def look(progress: EvaluationProgress) -> None:
            nonlocal peak
            peak = max(peak, sum(reference() is not None for reference in alive))

        options = EvaluationOptions(protocols=("all-frames", "paper"))
        clip = Watched("long", range(num_frames))
        evaluate_super_resolution({"long": clip}, AsIs(), options=options, on_progress=look)
        assert len(alive) >= num_frames
        return peak

    gc.collect()
    assert most_alive(24) == most_alive(4) <= 3


def test_a_stopped_evaluation_goes_on_where_it_was(clips: VideoLQ, tmp_path: Path) -> None:
    whole = evaluate_super_resolution(clips, CountingMethod())
    with pytest.raises(KeyboardInterrupt):
        evaluate_super_resolution(
            clips, CountingMethod(), work_dir=tmp_path, on_progress=stop_after(2)
        )
    again = CountingMethod()
    report = evaluate_super_resolution(clips, again, work_dir=tmp_path)
    assert again.num_frames == LENGTHS[2]
    assert report.metrics == whole.metrics
    assert report.protocols == whole.protocols


def test_a_clip_that_was_stopped_in_the_middle_is_done_again(
    clips: VideoLQ, tmp_path: Path
) -> None:
    def stop(progress: EvaluationProgress) -> None:
        if progress.frames_done == 2:
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        evaluate_super_resolution(clips, AsIs(), work_dir=tmp_path, on_progress=stop)
    assert not list(tmp_path.rglob("*.json"))
    again = CountingMethod()
    evaluate_super_resolution(clips, again, work_dir=tmp_path)
    assert again.num_frames == sum(LENGTHS) + LENGTHS[0]


def test_stale_scores_are_not_taken(clips: VideoLQ, tmp_path: Path) -> None:
    def num_made(clips: VideoLQ, sha256: str = "1", **options: object) -> int:
        method = CountingMethod(sha256)
        chosen = EvaluationOptions(protocols=("all-frames",), **options)  # type: ignore[arg-type]
        evaluate_super_resolution(clips, method, work_dir=tmp_path / "work", options=chosen)
        return method.num_frames

    assert num_made(clips) == sum(LENGTHS)
    assert num_made(clips) == 0
    assert num_made(clips, resume=False) == sum(LENGTHS)
    assert num_made(clips, metrics=("niqe",)) == 0
    assert num_made(clips, niqe_pristine=_other_pristine(tmp_path)) == sum(LENGTHS)
    assert num_made(clips, sha256="2") == sum(LENGTHS)
    assert num_made(clips, sha256="1") == sum(LENGTHS)  # the other model's took their place
    cv2.imwrite(str(tmp_path / "data" / "001" / "00000001.png"), texture(77))
    assert num_made(VideoLQ(tmp_path / "data")) == LENGTHS[1]


def _other_pristine(folder: Path) -> Path:
    model = load_pristine()
    path = folder / "pristine.npz"
    np.savez(
        path,
        mu_pris_param=model.mean.numpy() + 0.01,
        cov_pris_param=model.covariance.numpy(),
        gaussian_window=model.window.numpy(),
    )
    return path


def test_damaged_scores_are_measured_again(clips: VideoLQ, tmp_path: Path) -> None:
    before = evaluate_super_resolution(clips, AsIs(), work_dir=tmp_path)
    path = tmp_path / "scores" / "all-frames" / "001.json"
    path.write_text(path.read_text()[:-40])
    assert evaluate_super_resolution(clips, AsIs(), work_dir=tmp_path).metrics == before.metrics


def test_scores_of_reference_metrics_are_those_of_the_frames(tmp_path: Path) -> None:
    gt = [texture(number) for number in range(3)]
    lq = [(image // 2 + 40).astype(np.uint8) for image in gt]
    write_clip(tmp_path / "lq" / "a", lq)
    write_clip(tmp_path / "gt" / "a", gt)
    report = evaluate_super_resolution(
        VideoLQ(tmp_path / "lq"), AsIs(), ground_truth=VideoLQ(tmp_path / "gt")
    )
    first, second = (torch.cat([to_batch(image) for image in images]) for images in (lq, gt))
    expected = {
        "mse": (255 * (first - second)).square().mean(),
        "psnr": psnr(first, second).mean(),
        "ssim": ssim(first, second).mean(),
        "psnr_y": psnr(first, second, channels="y").mean(),
        "ssim_y": ssim(first, second, channels="y").mean(),
    }
    for metric, value in expected.items():
        assert report.metrics[metric] == pytest.approx(float(value), rel=1e-5), metric
    assert "psnr[paper]" in report.metrics
    assert "psnr[modelscope-card]" not in report.metrics


def test_the_border_is_left_out_and_noted(clips: VideoLQ) -> None:
    options = EvaluationOptions(protocols=("paper",), crop_border=2, metrics=("psnr",))
    spoiled = {name: [image.copy() for image in clip] for name, clip in clips.items()}
    for image in (image for images in spoiled.values() for image in images):
        image[:2] = image[:, -2:] = 0
    truth = {name: _InMemory(name, images) for name, images in spoiled.items()}
    report = evaluate_super_resolution(clips, AsIs(), options=options, ground_truth=truth)
    assert report.metrics["psnr"] == float("inf")
    assert "2 pixels are left out" in report.protocols[0].notes[0]


class _InMemory(Clip):
    def _load(self, index: int) -> ImageArray:
        return self._images[index]  # type: ignore[return-value]


def test_ground_truth_that_does_not_fit_is_refused(clips: VideoLQ, tmp_path: Path) -> None:
    shorter = VideoLQ(write_clips(tmp_path / "shorter", (4, 2, 5)))
    with pytest.raises(InputError, match="clip 001 needs ground truth of 3 frames, found 2"):
        evaluate_super_resolution(clips, AsIs(), ground_truth=shorter)
    with pytest.raises(InputError, match="output has 768x384 pixels, ground truth 192x96"):
        evaluate_super_resolution(clips, Bicubic(), ground_truth=clips)


def test_metrics_and_protocols_that_do_not_exist_are_refused(clips: VideoLQ) -> None:
    cases = {
        "no metric 'nique'": EvaluationOptions(metrics=("nique",)),
        "psnr compares with ground truth": EvaluationOptions(metrics=("niqe", "psnr")),
        "no protocol 'papers'": EvaluationOptions(protocols=("papers",)),
        "warping_error is part of no protocol": EvaluationOptions(
            metrics=("warping_error",), protocols=("paper", "modelscope-card")
        ),
    }
    for message, options in cases.items():
        with pytest.raises(ConfigError, match=message):
            evaluate_super_resolution(clips, AsIs(), options=options)
    with pytest.raises(InputError, match="no clip"):
        evaluate_super_resolution({}, AsIs())


def test_a_metric_that_cannot_be_measured_stops_no_other(
    clips: VideoLQ, monkeypatch: Patch
) -> None:
    monkeypatch.setitem(sys.modules, "pyiqa", None)
    options = EvaluationOptions(metrics=("niqe", "brisque", "pi"), protocols=("paper",))
    report = evaluate_super_resolution(clips, AsIs(), options=options)
    assert list(report.metrics) == ["niqe"]
    assert set(report.unavailable) == {"brisque", "pi"}
    assert "msvsr[iqa]" in report.unavailable["pi"]
    assert "\n" not in "".join(report.unavailable.values())
    assert report.to_text().count("unavailable") == 2


def test_nothing_runs_where_nothing_can_be_measured(clips: VideoLQ, monkeypatch: Patch) -> None:
    monkeypatch.setitem(sys.modules, "pyiqa", None)
    method = CountingMethod()
    with pytest.raises(ConfigError, match="nothing can be measured: brisque: brisque needs pyiqa"):
        evaluate_super_resolution(
            clips, method, options=EvaluationOptions(metrics=("brisque", "nrqm"))
        )
    assert method.num_frames == 0


def test_a_protocol_without_the_metrics_is_left_out_unless_it_is_named(clips: VideoLQ) -> None:
    options = EvaluationOptions(metrics=("psnr",))
    report = evaluate_super_resolution(clips, AsIs(), options=options, ground_truth=clips)
    assert [each.protocol.name for each in report.protocols] == ["all-frames", "paper"]
    options = EvaluationOptions(metrics=("psnr",), protocols=("paper", "modelscope-card"))
    with pytest.raises(ConfigError, match="modelscope-card has none of the metrics psnr"):
        evaluate_super_resolution(clips, AsIs(), options=options, ground_truth=clips)


def test_the_perceptual_index_is_made_of_niqe_and_nrqm(clips: VideoLQ, monkeypatch: Patch) -> None:
    def fake(name: str) -> Callable[[torch.Tensor], torch.Tensor]:
        assert name == "nrqm"
        return lambda images: 10 * images.double().mean(dim=(1, 2, 3))

    monkeypatch.setattr(measures_module, "load_perceptual", fake)
    options = EvaluationOptions(metrics=("pi",), protocols=("all-frames",))
    alone = evaluate_super_resolution(clips, AsIs(), options=options).metrics
    options = EvaluationOptions(metrics=("pi", "nrqm", "niqe"), protocols=("all-frames",))
    metrics = evaluate_super_resolution(clips, AsIs(), options=options).metrics
    assert alone == {"pi": metrics["pi"]}
    assert metrics["pi"] == pytest.approx(perceptual_index(metrics["niqe"], metrics["nrqm"]))


def test_a_pristine_model_that_cannot_be_read_is_an_error(clips: VideoLQ, tmp_path: Path) -> None:
    options = EvaluationOptions(niqe_pristine=tmp_path / "none.npz")
    with pytest.raises(CheckpointError, match=r"none\.npz"):
        evaluate_super_resolution(clips, AsIs(), options=options)


def test_frames_without_a_niqe_are_counted_and_left_out(tmp_path: Path) -> None:
    black = np.zeros((96, 192, 3), np.uint8)
    clips = VideoLQ(write_clip(tmp_path / "c", [texture(0), black, texture(1)]))
    options = EvaluationOptions(protocols=("all-frames",))
    report = evaluate_super_resolution(clips, AsIs(), options=options, work_dir=tmp_path / "w")
    assert report.metrics["niqe"] == pytest.approx(mean(niqe_of(texture(0), texture(1))))
    assert report.protocols[0].clips[0].num_undefined == {"niqe": 1}
    assert "1 frames have no niqe" in report.protocols[0].notes[0]
    again = evaluate_super_resolution(clips, AsIs(), options=options, work_dir=tmp_path / "w")
    assert again.protocols == report.protocols
    blind = VideoLQ(write_clip(tmp_path / "b", [black]))
    report = evaluate_super_resolution(blind, AsIs(), options=options)
    assert report.metrics == {}
    assert report.unavailable == {"niqe": "no frame has a value"}


def test_flicker_raises_the_warping_error_and_motion_does_not(tmp_path: Path) -> None:
    soft = cv2.GaussianBlur(texture(3, (64, 100)), (0, 0), 3)
    moving = [soft[:, :96], soft[:, 4:]]
    flicker = [moving[0], np.clip(moving[1].astype(int) + 20, 0, 255).astype(np.uint8)]
    options = EvaluationOptions(metrics=("warping_error",), protocols=("all-frames",))
    errors = []
    for name, images in {"moving": moving, "flicker": flicker}.items():
        clips = VideoLQ(write_clip(tmp_path / name, images))
        report = evaluate_super_resolution(clips, AsIs(), options=options)
        errors.append(report.metrics["warping_error"])
        assert 0.3 < report.metrics["warping_share"] <= 1
        assert any("warping_share" in note for note in report.protocols[0].notes)
    assert errors[0] < 0.1 * errors[1]
    assert errors[1] == pytest.approx((20 / 255) ** 2, rel=0.3)


def test_flow_of_the_input_is_enlarged_to_the_output(tmp_path: Path) -> None:
    """Bicubic interpolation of a moving texture follows the texture's motion, four times as far."""
    wide = cv2.GaussianBlur(texture(3, (64, 100)), (0, 0), 3)
    clips = VideoLQ(write_clip(tmp_path / "c", [wide[:, 4 * n : 4 * n + 96] for n in range(2)]))
    options = EvaluationOptions(metrics=("warping_error",), protocols=("all-frames",))
    small = evaluate_super_resolution(clips, AsIs(), options=options).metrics["warping_error"]
    large = evaluate_super_resolution(clips, Bicubic(), options=options).metrics["warping_error"]
    frames = [to_batch(image) for image in clips["c"]]
    unmoved = float((frames[1] - frames[0]).square().mean())
    assert max(small, large) < 0.1 * unmoved


def test_frames_are_kept_and_not_made_again(clips: VideoLQ, tmp_path: Path) -> None:
    options = EvaluationOptions(save_frames=True, protocols=("all-frames",))
    work = tmp_path / "work"
    evaluate_super_resolution(clips, AsIs(), work_dir=work)  # scores alone
    evaluate_super_resolution(clips, AsIs(), work_dir=work, options=options)
    files = sorted(path.relative_to(work).as_posix() for path in work.glob("frames/*/*"))
    numbers = zip(("000", "001", "002"), LENGTHS, strict=True)
    assert files == [f"frames/{n}/{i:08d}.png" for n, count in numbers for i in range(count)]
    kept = cv2.imread(str(work / "frames" / "001" / "00000002.png"))[..., ::-1]
    assert np.array_equal(kept, clips["001"][2])
    again = CountingMethod()
    evaluate_super_resolution(clips, again, work_dir=work, options=options)
    assert again.num_frames == sum(LENGTHS)  # another method's frames do not do
    once_more = CountingMethod()
    evaluate_super_resolution(clips, once_more, work_dir=work, options=options)
    assert once_more.num_frames == 0


def test_an_error_leaves_no_half_folder_of_frames(clips: VideoLQ, tmp_path: Path) -> None:
    def stop(progress: EvaluationProgress) -> None:
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        evaluate_super_resolution(
            clips,
            AsIs(),
            work_dir=tmp_path / "w",
            options=EvaluationOptions(save_frames=True),
            on_progress=stop,
        )
    assert not list((tmp_path / "w" / "frames").iterdir())


def test_names_of_clips_lead_out_of_no_folder(tmp_path: Path) -> None:
    names = ("../../out", "a/b", "a_b", "..", ".", "x" * 300)
    clips = {name: _InMemory(name, [texture(i)]) for i, name in enumerate(names)}
    options = EvaluationOptions(save_frames=True, protocols=("all-frames",))
    work = tmp_path / "deep" / "work"
    report = evaluate_super_resolution(clips, AsIs(), work_dir=work, options=options)
    assert [clip.name for clip in report.protocols[0].clips] == list(names)
    assert len(list(work.glob("frames/*/00000000.png"))) == len(names)
    assert {path.name for path in tmp_path.iterdir()} == {"deep"}
    assert {path.name for path in (tmp_path / "deep").iterdir()} == {"work"}


def test_progress_counts_frames_and_clips_to_their_end(clips: VideoLQ, tmp_path: Path) -> None:
    for _ in range(2):  # the second time all is known
        seen: list[EvaluationProgress] = []
        evaluate_super_resolution(clips, AsIs(), work_dir=tmp_path, on_progress=seen.append)
        assert (seen[-1].clips_done, seen[-1].num_clips) == (3, 3)
        assert seen[-1].frames_done == seen[-1].num_frames == sum(LENGTHS)
        done = [each.frames_done for each in seen]
        assert all(a <= b for a, b in itertools.pairwise(done))
        assert len({each.clip for each in seen}) == 3


def test_processes_that_cannot_meet_are_an_error_in_one_line(
    clips: VideoLQ, monkeypatch: Patch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    for name in ("RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(
        ConfigError, match="start them with torchrun, or unset WORLD_SIZE"
    ) as caught:
        evaluate_super_resolution(clips, AsIs())
    assert isinstance(caught.value, MsvsrError)
    assert "\n" not in str(caught.value)


def test_a_model_is_known_by_its_configuration_and_weights(tmp_path: Path) -> None:
    first, second = (describe_model(write_model_folder(tmp_path / str(i), seed=i)) for i in (0, 1))
    assert first.sha256 != second.sha256
    assert first.files == ("configuration.json", "model.safetensors")
    same = describe_model(write_model_folder(tmp_path / "again"))
    assert same.sha256 == first.sha256
    configuration = tmp_path / "again" / "configuration.json"
    configuration.write_text(configuration.read_text() + " ")
    assert describe_model(tmp_path / "again").sha256 != first.sha256
    weights = tiny_network().state_dict()
    in_memory = describe_weights("tiny", weights)
    next(iter(weights.values())).view(-1)[0] += 1
    assert describe_weights("tiny", weights).sha256 != in_memory.sha256
