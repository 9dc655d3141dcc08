"""The metrics that ModelScope builds by name: what they take, what they answer, how they merge."""

import pickle
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from modelscope.metrics import build_metric

import msvsr  # noqa: F401  (it registers the metrics)
from msvsr.archs.alexnet import AlexNetFeatures
from msvsr.errors import InputError, ShapeError
from msvsr.metrics import niqe, psnr, ssim, ssim_3d
from msvsr.metrics.lpips import ALEXNET_FILE
from tests.support.processes import run_python

SUPER_RESOLUTION = "video-super-resolution-metric"
INTERPOLATION = "video-frame-interpolation-metric"
CARD = "niqe[modelscope-card]"

SCORE_ELSEWHERE = """
import json, pickle, sys
import msvsr, torch
from modelscope.metrics import build_metric
name, images, result = sys.argv[1:]
metric = build_metric(name)
metric.trainer = object()  # as ModelScope does, and it is not pickled
metric.add(torch.load(images), {})
with open(result, "wb") as file:
    pickle.dump([metric], file)
print(json.dumps(metric.evaluate()))
"""


@pytest.fixture(autouse=True)
def no_alexnet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A torch hub without weights, whatever this machine has."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))


def coloured_noise(count: int, seed: int = 0, size: tuple[int, int] = (96, 192)) -> torch.Tensor:
    """Images whose red and blue differ, values between those of 8 bits."""
    generator = torch.Generator().manual_seed(seed)
    gain = torch.tensor([0.9, 0.5, 0.2]).view(3, 1, 1)
    return torch.rand(count, 3, *size, generator=generator) * gain


def rounded(images: torch.Tensor) -> torch.Tensor:
    return (images * 255).round() / 255


@pytest.mark.parametrize(
    ("key", "shape"), [("pred", "list"), ("pred", "batch"), ("output", "clips")]
)
def test_niqe_is_the_mean_over_all_frames_however_they_come(key: str, shape: str) -> None:
    images = coloured_noise(3)
    values: Any = {
        "list": [image[None] for image in images],
        "batch": images,
        "clips": images[None],
    }[shape]
    metric = build_metric(SUPER_RESOLUTION)
    metric.add({key: values}, {"input": images})
    found = metric.evaluate()
    assert list(found) == ["niqe", CARD]
    assert found["niqe"] == pytest.approx(float(niqe(rounded(images)).mean()), abs=1e-9)
    assert found[CARD] == pytest.approx(float(niqe(images.flip(1)).mean()), abs=1e-9)
    assert found["niqe"] != pytest.approx(found[CARD], abs=1e-3)


def test_a_metric_keeps_numbers_and_no_images() -> None:
    metric = build_metric(SUPER_RESOLUTION)
    metric.add({"pred": coloured_noise(1)}, {})
    size = len(pickle.dumps(metric))
    metric.add({"pred": coloured_noise(3, seed=1)}, {})
    assert len(pickle.dumps(metric)) == pytest.approx(size, abs=64)


def test_frames_without_a_niqe_leave_no_key() -> None:
    metric = build_metric(SUPER_RESOLUTION)
    assert metric.evaluate() == {}
    metric.add({"pred": torch.zeros(1, 3, 96, 192)}, {})
    assert metric.evaluate() == {}


@pytest.mark.parametrize("outputs", [{"logits": torch.zeros(1)}, {"pred": torch.zeros(4, 4)}])
@pytest.mark.parametrize("name", [SUPER_RESOLUTION, INTERPOLATION])
def test_what_holds_no_frames_is_refused(name: str, outputs: dict[str, torch.Tensor]) -> None:
    with pytest.raises(InputError, match="'pred'"):
        build_metric(name).add(outputs, {"target": torch.zeros(1, 3, 4, 4)})


@pytest.mark.parametrize("place", ["outputs", "inputs"])
def test_made_frames_are_compared_by_the_card_and_by_the_standard(place: str) -> None:
    target = coloured_noise(2, size=(40, 48))
    made = (target + 0.5 * coloured_noise(2, seed=1, size=(40, 48))).clamp(0, 1)
    outputs, inputs = {"pred": made}, {}
    (outputs if place == "outputs" else inputs)["target"] = target
    metric = build_metric(INTERPOLATION)
    metric.add(outputs, inputs)
    whole = rounded(made), rounded(target)
    expected = {
        "psnr": psnr(made, target),
        "ssim": ssim_3d(made, target),
        "psnr[standard]": psnr(*whole),
        "ssim[standard]": ssim(*whole),
        "psnr_y[standard]": psnr(*whole, channels="y"),
        "ssim_y[standard]": ssim(*whole, channels="y"),
    }
    found = metric.evaluate()
    assert list(found) == list(expected)
    assert found == pytest.approx({k: float(v.mean()) for k, v in expected.items()}, abs=1e-5)
    assert found["ssim"] != pytest.approx(found["ssim[standard]"], abs=1e-3)


def test_padding_at_the_right_and_at_the_bottom_is_left_out() -> None:
    target = coloured_noise(1, size=(30, 44))
    made = torch.nn.functional.pad(target + 0.01, (0, 20, 0, 2))
    metric = build_metric(INTERPOLATION)
    metric.add({"output": [made]}, {"target": target})
    assert metric.evaluate()["psnr"] == pytest.approx(40, abs=1e-3)
    with pytest.raises(ShapeError, match=r"as large as its 'target', got \(20, 44\)"):
        metric.add({"output": made[..., :20, :44]}, {"target": target})


def test_a_target_is_needed_for_each_frame() -> None:
    images = coloured_noise(2, size=(8, 8))
    with pytest.raises(InputError, match="and 'target' from it or from the data"):
        build_metric(INTERPOLATION).add({"pred": images}, {})
    with pytest.raises(InputError, match="got 1 for 2 frames"):
        build_metric(INTERPOLATION).add({"pred": images}, {"target": images[:1]})


def test_lpips_comes_with_its_weights_on_bgr_and_on_rgb(tmp_path: Path) -> None:
    torch.manual_seed(0)
    torch.save(AlexNetFeatures().state_dict(), tmp_path / ALEXNET_FILE)
    target, made = (coloured_noise(1, seed=seed, size=(64, 64)) for seed in (0, 1))
    metrics = [
        build_metric({"type": INTERPOLATION, "lpips_weights": str(tmp_path)}) for _ in range(2)
    ]
    metrics[0].add({"pred": made}, {"target": target})
    metrics[1].add({"pred": made.flip(1)}, {"target": target.flip(1)})
    of_rgb, of_bgr = (metric.evaluate() for metric in metrics)
    assert of_rgb["lpips"] > 0
    assert of_rgb["lpips"] != pytest.approx(of_rgb["lpips[standard]"], rel=1e-2)
    assert of_rgb["lpips"] == pytest.approx(of_bgr["lpips[standard]"], rel=1e-2)  # but rounded
    again = pickle.loads(pickle.dumps(metrics[0]))  # noqa: S301  (made here)
    again.add({"pred": made}, {"target": target})
    assert again.evaluate() == pytest.approx(of_rgb)


@pytest.mark.parametrize("name", [SUPER_RESOLUTION, INTERPOLATION])
def test_two_processes_have_the_result_of_one(name: str, tmp_path: Path) -> None:
    target = coloured_noise(3)
    made = coloured_noise(3, seed=1)
    whole, half = build_metric(name), build_metric(name)
    whole.add({"pred": made, "target": target}, {})
    half.add({"pred": made[:2], "target": target[:2]}, {})
    torch.save({"pred": made[2:], "target": target[2:]}, tmp_path / "images.pt")
    alone = run_python(SCORE_ELSEWHERE, name, tmp_path / "images.pt", tmp_path / "metric.pkl")
    (other,) = pickle.loads((tmp_path / "metric.pkl").read_bytes())  # noqa: S301  (made here)
    assert not hasattr(other, "trainer")
    half.trainer = SimpleNamespace()
    half.merge(other)
    assert half.evaluate() == pytest.approx(whole.evaluate(), abs=1e-9)
    assert alone != pytest.approx(whole.evaluate(), abs=1e-6)
