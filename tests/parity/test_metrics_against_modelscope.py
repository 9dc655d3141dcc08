"""The card's definitions: PSNR and volumetric SSIM give the values of ModelScope's functions.

Tolerances: in float64 both compute the same sums in another order, with a window that ModelScope
rounds to float32 (1e-7, in flat images 5e-6); in float32 variances are differences of nearly equal
numbers, rounded at about 1e-7 beside C2 = 9e-4 (2e-5). In flat images ModelScope's own sum of 1331
products in float32 is off by 1e-6, which costs 1e-3 of its SSIM, so these are compared in float64.
"""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from PIL import Image

from msvsr.metrics import psnr, ssim_3d

pytestmark = pytest.mark.filterwarnings("ignore")  # what ModelScope's code and imports warn about

SIZES = [(24, 31), (64, 48), (11, 11), (10, 40), (7, 5), (96, 70)]


@pytest.fixture(scope="module")
def reference() -> Iterator[ModuleType]:
    """The built-in metric's module, without LPIPS, and without what it would register."""
    builder = importlib.import_module("modelscope.metrics.builder")
    folder = Path(builder.__file__ or "").parent
    path = folder / "video_frame_interpolation_metric.py"
    spec = importlib.util.spec_from_file_location("builtin_interpolation_metric", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "lpips", ModuleType("lpips"))
        patch.setattr(builder.METRICS, "register_module", lambda **_: lambda cls: cls)
        spec.loader.exec_module(module)
        yield module


def pair(size: tuple[int, int], dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor]:
    """An image with smooth and rough parts, and a copy with noise: ``(1, 3, h, w)`` each."""
    rng = np.random.default_rng(sum(size))
    label = rng.random((1, 3, *size)) * np.linspace(0.1, 1, size[1])
    image = np.clip(label + rng.normal(0, 0.07, label.shape), 0, 1)
    return torch.from_numpy(image).to(dtype), torch.from_numpy(label).to(dtype)


@pytest.mark.parametrize("size", SIZES)
def test_ssim_3d_in_float32(reference: ModuleType, size: tuple[int, int]) -> None:
    image, label = pair(size, torch.float32)
    expected = float(reference.calculate_ssim(label, image))
    assert float(ssim_3d(image, label)) == pytest.approx(expected, abs=2e-5)


@pytest.mark.parametrize("size", SIZES)
def test_ssim_3d_in_float64(reference: ModuleType, size: tuple[int, int]) -> None:
    image, label = pair(size, torch.float64)
    window = reference.create_window_3d(min(11, *size)).double()
    expected = float(reference.calculate_ssim(label, image, window=window))
    assert float(ssim_3d(image, label)) == pytest.approx(expected, abs=1e-7)


def test_ssim_3d_of_a_flat_reference(reference: ModuleType) -> None:
    label = torch.full((1, 3, 20, 20), 0.3, dtype=torch.float64)
    window = reference.create_window_3d(11).double()
    for image in (label, label + 0.1, torch.zeros_like(label)):
        expected = float(reference.calculate_ssim(label, image, window=window))
        assert float(ssim_3d(image, label)) == pytest.approx(expected, abs=5e-6)
        assert float(ssim_3d(image.float(), label.float())) == pytest.approx(expected, abs=5e-5)


def test_the_range_it_guesses_is_one_for_image_tensors(reference: ModuleType) -> None:
    """Only values beyond [0, 1] would lead to another range, and so to another SSIM."""
    image, label = pair((24, 31), torch.float32)
    expected = float(reference.calculate_ssim(label, image))
    assert float(reference.calculate_ssim(label, image, val_range=1)) == expected
    assert float(ssim_3d(image, label)) == pytest.approx(expected, abs=2e-5)
    as_bytes = float(reference.calculate_ssim(label * 255, image * 255))
    assert as_bytes == pytest.approx(expected, abs=2e-5)  # range 255, the same measure
    signed = float(reference.calculate_ssim(label * 2 - 1, image * 2 - 1))
    assert abs(signed - expected) > 1e-3


def test_psnr(reference: ModuleType) -> None:
    image, label = pair((24, 31), torch.float32)
    expected = reference.calculate_psnr(label, image)
    assert float(psnr(image, label)) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("sequence", ["Grove2", "RubberWhale"])
def test_ssim_3d_on_frames(reference: ModuleType, shared_data: Path, sequence: str) -> None:
    folder = shared_data / "vfi" / "middlebury_other" / "gt" / sequence
    pixels = np.asarray(Image.open(next(folder.glob("*.png"))).convert("RGB"))
    label = torch.from_numpy(pixels[100:260, 80:280].copy()).movedim(-1, 0)[None] / 255
    image = torch.nn.functional.avg_pool2d(label, 3, stride=1, padding=1)
    expected = float(reference.calculate_ssim(label, image))
    assert float(ssim_3d(image, label)) == pytest.approx(expected, abs=2e-5)
