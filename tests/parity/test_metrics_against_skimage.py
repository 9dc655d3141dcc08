"""PSNR and SSIM give scikit-image's values.

Tolerances: in float64 both compute the same sums in another order (1e-9); in float32 the variances
of SSIM are differences of nearly equal numbers, rounded at about 1e-7 beside C2 = 9e-4 (2e-5).
"""

import numpy as np
import numpy.typing as npt
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from msvsr.metrics import psnr, ssim

FloatArray = npt.NDArray[np.float64]


@pytest.fixture(params=[(24, 31), (64, 48)], ids=["odd", "even"])
def pair(request: pytest.FixtureRequest) -> tuple[FloatArray, FloatArray]:
    rng = np.random.default_rng(7)
    reference = rng.random((*request.param, 3)) * np.linspace(0.2, 1, request.param[1])[:, None]
    image = np.clip(reference + rng.normal(0, 0.07, reference.shape), 0, 1)
    return image, reference


def as_tensor(image: FloatArray, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.from_numpy(image).movedim(-1, 0)[None].to(dtype)


def matlab_luma(image: FloatArray) -> FloatArray:
    return (image @ np.array([65.481, 128.553, 24.966]) + 16) / 255


@pytest.mark.parametrize("crop", [0, 4])
def test_psnr_rgb(pair: tuple[FloatArray, FloatArray], crop: int) -> None:
    image, reference = (array[crop : -crop or None, crop : -crop or None] for array in pair)
    expected = peak_signal_noise_ratio(reference, image, data_range=1)
    ours = psnr(*(as_tensor(array) for array in pair), crop_border=crop)
    assert float(ours) == pytest.approx(expected, abs=1e-9)


def test_psnr_y(pair: tuple[FloatArray, FloatArray]) -> None:
    image, reference = (matlab_luma(array) for array in pair)
    expected = peak_signal_noise_ratio(reference, image, data_range=1)
    ours = psnr(*(as_tensor(array) for array in pair), channels="y")
    assert float(ours) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 2e-5)])
def test_ssim_rgb(
    pair: tuple[FloatArray, FloatArray], dtype: torch.dtype, tolerance: float
) -> None:
    image, reference = pair
    expected = structural_similarity(
        reference,
        image,
        data_range=1,
        channel_axis=-1,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    ours = ssim(*(as_tensor(array, dtype) for array in pair))
    assert float(ours) == pytest.approx(expected, abs=tolerance)


def test_ssim_y_with_a_crop(pair: tuple[FloatArray, FloatArray]) -> None:
    image, reference = (matlab_luma(array)[2:-2, 2:-2] for array in pair)
    expected = structural_similarity(
        reference,
        image,
        data_range=1,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    ours = ssim(*(as_tensor(array) for array in pair), channels="y", crop_border=2)
    assert float(ours) == pytest.approx(expected, abs=1e-9)
