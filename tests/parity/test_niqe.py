"""NIQE gives MATLAB's figure, and those of ModelScope's own function fed the same luma.

Both look shapes up in a table with steps of 0.001. A ratio that falls within float32 rounding of
the middle between two entries may go to either: seen in 1 of 100 real images and 2 of 80 of noise,
where NIQE then differs by less than 1e-3. The images here have none of that. What remains is the
rounding of ill-conditioned covariances, at 1e-5 for a NIQE of 70.
"""

import importlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image

from msvsr.metrics import niqe
from msvsr.metrics.niqe import load_pristine, niqe_distance
from msvsr.metrics.niqe_features import niqe_features

FloatArray = npt.NDArray[np.float32]
Reference = Callable[[FloatArray], float]

pytestmark = pytest.mark.filterwarnings("ignore")  # NumPy's about empty means, inside the reference

TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def reference() -> Reference:
    """ModelScope's ``niqe`` with the pristine model of msvsr; nothing is downloaded."""
    with pytest.MonkeyPatch.context() as patch:
        hub = importlib.import_module("modelscope.hub.file_download")
        patch.setattr(hub, "model_file_download", lambda **_: "")
        from modelscope.metrics.video_super_resolution_metric.niqe import niqe as builtin
    model = load_pristine()
    figures = model.mean.numpy()[None], model.covariance.numpy(), model.window.numpy()
    return lambda luma: float(builtin(luma, *figures))


def ours(luma: FloatArray) -> float:
    model = load_pristine()
    return float(niqe_distance(niqe_features(torch.from_numpy(luma)[None], model.window), model))


def smooth(height: int, width: int, seed: int) -> FloatArray:
    """A cloudy pattern with a little noise, in whole numbers of [0, 255]."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 1, height // 6, width // 6, generator=generator)
    cloud = torch.nn.functional.interpolate(coarse, (height, width), mode="bicubic")[0, 0]
    grain = torch.randn(height, width, generator=generator)
    pattern: FloatArray = (cloud * 200 + 2 * grain + 25).clamp(0, 255).round().numpy()
    return pattern


def as_image(pixels: npt.NDArray[np.uint8]) -> torch.Tensor:
    return torch.from_numpy(pixels.copy()).movedim(-1, -3) / 255


def test_equals_matlab(shared_data: Path) -> None:
    pixels = np.asarray(Image.open(shared_data / "niqe" / "baboon.png"))
    # MATLAB R2021a, Y channel, no crop, as BasicSR documents it.
    assert float(niqe(as_image(pixels))) == pytest.approx(5.72957338, abs=1e-3)


@pytest.mark.parametrize("size", [(96, 192), (192, 97), (191, 299), (233, 321), (384, 300)])
def test_equals_modelscope_on_patterns(reference: Reference, size: tuple[int, int]) -> None:
    luma = smooth(*size, seed=sum(size))
    assert ours(luma) == pytest.approx(reference(luma), abs=TOLERANCE)


@pytest.mark.parametrize("size", [(192, 193), (301, 223)])
def test_equals_modelscope_on_noise(reference: Reference, size: tuple[int, int]) -> None:
    luma = np.random.default_rng(1).integers(0, 256, size).astype(np.float32)
    assert ours(luma) == pytest.approx(reference(luma), abs=TOLERANCE)


@pytest.mark.parametrize("level", [0, 16, 201, 255])
def test_equals_modelscope_with_flat_blocks(reference: Reference, level: int) -> None:
    luma = smooth(300, 410, seed=1)
    luma[:120, :220] = level
    assert ours(luma) == pytest.approx(reference(luma), abs=TOLERANCE)


def test_equals_modelscope_where_a_block_is_all_but_flat(reference: Reference) -> None:
    luma = smooth(288, 288, seed=2)
    luma[96:192, 96:192] = 90
    luma[140, 140] = 91
    assert ours(luma) == pytest.approx(reference(luma), abs=TOLERANCE)


@pytest.mark.parametrize("number", [0, 14, 28])
def test_equals_modelscope_on_frames(reference: Reference, shared_data: Path, number: int) -> None:
    from modelscope.metrics.video_super_resolution_metric.metric_util import to_y_channel

    frame = shared_data / "lq" / "demo_000" / f"{number:08d}.png"
    pixels = np.asarray(Image.open(frame).convert("RGB"))
    luma = to_y_channel(pixels[..., ::-1])[..., 0].round()  # the built-in one takes BGR
    expected = reference(luma)
    assert float(niqe(as_image(pixels))) == pytest.approx(expected, abs=TOLERANCE)


def test_features_differ_by_steps_of_the_table_at_most(reference: Reference) -> None:
    """Checked block by block against the built-in fit, on more blocks than the values above."""
    from modelscope.metrics.video_super_resolution_metric.niqe import compute_feature

    from msvsr.metrics import niqe_features as module

    blocks = np.random.default_rng(2).normal(0, 0.7, (40, 48, 48)).astype(np.float32)
    blocks[1::2] **= 3
    expected = np.array([compute_feature(block) for block in blocks])
    features = module._block_features(torch.from_numpy(blocks)).numpy()
    assert np.abs(features - expected).max() < 2e-3
    assert (np.abs(features - expected) > 1e-4).mean() < 5e-3
