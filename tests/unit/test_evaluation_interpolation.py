"""What is measured on samples of frame interpolation, and what the networks get to see."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from msvsr.data.interpolation_sets import InterpolationSample, InterpolationSet
from msvsr.errors import ConfigError, InputError
from msvsr.evaluation import (
    Blend,
    EvaluationOptions,
    EvaluationProgress,
    InterpolatorMethod,
    evaluate_interpolation,
)
from msvsr.evaluation.methods import Rendering
from msvsr.evaluation.model_description import ModelDescription
from msvsr.metrics import psnr, ssim, ssim_3d
from msvsr.models.contract import NeighbourMotion
from tests.support.evaluation import write_sample
from tests.support.models import tiny_interpolation_model

Patch = pytest.MonkeyPatch
NO_LPIPS = EvaluationOptions(metrics=("psnr", "ssim", "psnr_y", "ssim_y", "mse"))
SIZE = (40, 70)
TINY = ModelDescription(name="tiny", sha256="0")


@pytest.fixture
def samples(tmp_path: Path) -> InterpolationSet:
    write_sample(tmp_path / "data" / "pair", 2, SIZE)
    write_sample(tmp_path / "data" / "quad", 4, SIZE)
    return InterpolationSet(tmp_path / "data")


class Recorder:
    """A model that remembers what it was given, and repeats the frame at timestep 0."""

    device = torch.device("cpu")

    def __init__(self) -> None:
        self.dtypes: list[str] = []
        self.seen: list[torch.Tensor] = []
        self.neighbours: list[tuple[float, ...]] = []

    def load(self, dtype: str) -> "Recorder":
        """Note the type that is asked for."""
        self.dtypes.append(dtype)
        return self

    def encode(self, image: torch.Tensor) -> torch.Tensor:
        """Note a frame."""
        self.seen.append(image)
        return image

    def estimate_motion(self, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        """Both frames stand for the motion between them."""
        return torch.stack((first, second))

    def synthesize(
        self,
        first: torch.Tensor,
        second: torch.Tensor,
        motion: torch.Tensor,
        timestep: float,
        *,
        before: NeighbourMotion[torch.Tensor] | None = None,
        after: NeighbourMotion[torch.Tensor] | None = None,
    ) -> torch.Tensor:
        """Check that motions and frames belong together."""
        assert timestep == 0.5
        assert torch.equal(motion, torch.stack((first, second)))
        self.neighbours.append(tuple(each.length for each in (before, after) if each))
        if before is not None and after is not None:
            assert torch.equal(before.motion[1], first)
            assert torch.equal(after.motion[0], second)
        return first

    def method(self) -> InterpolatorMethod:
        """The model as a method."""
        return InterpolatorMethod(self.load, TINY, device="cpu", dtype="bfloat16")


def test_standard_numbers_are_those_of_frames_of_8_bits(samples: InterpolationSet) -> None:
    options = EvaluationOptions(protocols=("standard",), metrics=NO_LPIPS.metrics)
    report = evaluate_interpolation(samples, Blend(), options=options)
    for sample, clip in zip(samples, report.protocols[0].clips, strict=True):
        frames, gt = sample.load()
        middle = len(frames) // 2
        made = (255 * (frames[middle - 1] + frames[middle]) / 2).round() / 255
        assert clip.metrics == {
            "psnr": pytest.approx(float(psnr(made, gt)), rel=1e-6),
            "ssim": pytest.approx(float(ssim(made, gt)), rel=1e-6),
            "psnr_y": pytest.approx(float(psnr(made, gt, channels="y")), rel=1e-6),
            "ssim_y": pytest.approx(float(ssim(made, gt, channels="y")), rel=1e-6),
            "mse": pytest.approx(float((255 * (made - gt)).square().mean()), rel=1e-5),
        }
    means = [clip.metrics["psnr"] for clip in report.protocols[0].clips]
    assert report.metrics["psnr"] == pytest.approx(sum(means) / 2)


def test_numbers_of_the_card_are_its_definitions(samples: InterpolationSet) -> None:
    options = EvaluationOptions(protocols=("modelscope-card", "standard"), metrics=("psnr", "ssim"))
    report = evaluate_interpolation(samples, Blend(), options=options)
    for sample, clip in zip(samples, report.protocols[0].clips, strict=True):
        frames, gt = (tensor.flip(-3) for tensor in sample.load())
        middle = len(frames) // 2
        made = (frames[middle - 1] + frames[middle]) / 2  # not rounded
        assert clip.metrics["psnr"] == pytest.approx(float(psnr(made, gt)), rel=1e-6)
        assert clip.metrics["ssim"] == pytest.approx(float(ssim_3d(made, gt)), rel=1e-6)
    assert set(report.metrics) == {"psnr", "ssim", "psnr[standard]", "ssim[standard]"}
    assert report.metrics["ssim"] != pytest.approx(report.metrics["ssim[standard]"], abs=1e-4)


def test_the_model_sees_what_each_protocol_says(samples: InterpolationSet) -> None:
    model = Recorder()
    options = EvaluationOptions(metrics=("psnr",))
    report = evaluate_interpolation(samples, model.method(), options=options)
    assert model.dtypes == ["bfloat16", "float32"]
    assert [each.dtype for each in report.protocols] == ["bfloat16", "float32"]
    expected = []
    for sample in samples:
        frames, _ = sample.load()
        height, width = SIZE
        bgr = F.pad(frames.flip(1), (0, 96 - width, 0, 64 - height))  # multiples of 32
        expected += [*frames, *bgr]
    assert len(model.seen) == len(expected)
    assert all(torch.equal(a, b) for a, b in zip(model.seen, expected, strict=True))
    assert model.neighbours == [(), (), (1.0, 1.0), (1.0, 1.0)]  # the pair, then the four
    first = [sample.load()[0][len(sample.inputs) // 2 - 1] for sample in samples]
    truths = [sample.load()[1] for sample in samples]
    values = [float(psnr(a, b)) for a, b in zip(first, truths, strict=True)]
    assert report.metrics["psnr"] == pytest.approx(sum(values) / 2, rel=1e-6)
    assert report.metrics["psnr[modelscope-card]"] == pytest.approx(sum(values) / 2, rel=1e-6)
    assert any("1 of 2 samples have two frames" in note for note in report.protocols[0].notes)


def test_a_real_model_makes_frames_under_both_protocols(samples: InterpolationSet) -> None:
    method = InterpolatorMethod(
        lambda dtype: tiny_interpolation_model(dtype), TINY, device="cpu", dtype="float32"
    )
    options = EvaluationOptions(metrics=("psnr", "ssim"))
    report = evaluate_interpolation([samples[1]], method, options=options)
    frames, gt = samples[1].load()
    model = tiny_interpolation_model()
    seen = [model.encode(frame) for frame in frames]
    motions = [model.estimate_motion(seen[i], seen[i + 1]) for i in range(3)]
    made = model.synthesize(
        seen[1],
        seen[2],
        motions[1],
        0.5,
        before=NeighbourMotion(motions[0], 1.0),
        after=NeighbourMotion(motions[2], 1.0),
    )
    expected = psnr((made * 255).round() / 255, gt)
    assert report.metrics["psnr"] == pytest.approx(float(expected), rel=1e-6)
    assert report.metrics["psnr[modelscope-card]"] != report.metrics["psnr"]


def test_lpips_without_weights_is_said_and_the_rest_comes_out(
    samples: InterpolationSet, tmp_path: Path, monkeypatch: Patch
) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    report = evaluate_interpolation(samples, Blend(), data_name="middlebury")
    assert set(report.unavailable) == {"lpips", "lpips[modelscope-card]"}
    assert "alexnet-owt-7be5be79.pth" in report.unavailable["lpips"]
    assert "psnr" in report.metrics
    assert not any("lpips" in name for name in report.metrics)
    rows = [line for line in report.to_text().splitlines() if "unavailable" in line]
    assert [row.split()[:3] for row in rows][1] == ["lpips", "unavailable", "0.035"]
    assert rows[0].startswith("lpips")


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("ucf_101", {"psnr": 32.37, "ssim": 0.966, "lpips": 0.036}),
        ("vfi/Middlebury_other", {"psnr": 34.44, "ssim": 0.971, "lpips": 0.035}),
        ("davis", {"psnr": 27.51, "ssim": 0.888, "lpips": 0.094}),
        ("vimeo", {}),
    ],
)
def test_published_numbers_are_those_of_the_data(
    samples: InterpolationSet, name: str, published: dict[str, float]
) -> None:
    report = evaluate_interpolation(samples, Blend(), options=NO_LPIPS, data_name=name)
    assert report.protocols[1].protocol.published == published
    assert report.protocols[0].protocol.published == {}


class CountingBlend(Blend):
    """Counts the frames that it makes."""

    def __init__(self) -> None:
        self.num_made = 0

    def make_middle(self, frames: torch.Tensor, rendering: Rendering) -> torch.Tensor:
        """Count a frame."""
        self.num_made += 1
        return super().make_middle(frames, rendering)


def test_a_stopped_evaluation_goes_on_where_it_was(
    samples: InterpolationSet, tmp_path: Path
) -> None:
    def stop(progress: EvaluationProgress) -> None:
        if progress.clips_done == 1:
            raise KeyboardInterrupt

    whole = evaluate_interpolation(samples, CountingBlend(), options=NO_LPIPS)
    work = tmp_path / "work"
    with pytest.raises(KeyboardInterrupt):
        evaluate_interpolation(
            samples, CountingBlend(), work_dir=work, options=NO_LPIPS, on_progress=stop
        )
    method = CountingBlend()
    seen: list[EvaluationProgress] = []
    report = evaluate_interpolation(
        samples, method, work_dir=work, options=NO_LPIPS, on_progress=seen.append
    )
    assert method.num_made == 2  # one sample under two protocols
    assert report.protocols == whole.protocols
    assert (seen[-1].frames_done, seen[-1].num_frames, seen[-1].clips_done) == (4, 4, 2)


def test_frames_are_kept_in_rgb_whatever_the_protocol(
    samples: InterpolationSet, tmp_path: Path
) -> None:
    for protocol in ("standard", "modelscope-card"):
        options = EvaluationOptions(protocols=(protocol,), save_frames=True, metrics=("psnr",))
        work = tmp_path / protocol
        evaluate_interpolation(samples, Blend(), work_dir=work, options=options)
        bgr = cv2.imread(str(work / "frames" / "pair" / "00000000.png"))
        frames, _ = samples[0].load()
        expected = (frames.mean(dim=0) * 255).round().movedim(0, -1).numpy()
        assert np.array_equal(bgr[..., ::-1], expected)


def test_a_sample_of_three_frames_is_refused(samples: InterpolationSet) -> None:
    pair = samples[0]
    odd = InterpolationSample(name="odd", inputs=(*pair.inputs, pair.gt), gt=pair.gt)
    with pytest.raises(InputError, match=r"sample odd must have 2 or 4 frames .* got 3"):
        evaluate_interpolation([odd], Blend(), options=NO_LPIPS)
    with pytest.raises(InputError, match="no sample"):
        evaluate_interpolation([], Blend())
    with pytest.raises(ConfigError, match="no metric 'niqe'"):
        evaluate_interpolation([pair], Blend(), options=EvaluationOptions(metrics=("niqe",)))
