"""What MSE and the volumetric SSIM promise beyond their values."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from msvsr.errors import ConfigError
from msvsr.metrics import mse, psnr, ssim, ssim_3d


@pytest.mark.parametrize("channels", ["rgb", "y"])
def test_mse_is_psnr_on_another_scale(channels: str) -> None:
    image, reference = torch.rand(2, 3, 16, 20).double(), torch.rand(2, 3, 16, 20).double()
    ours = mse(image, reference, channels=channels, crop_border=3)  # type: ignore[arg-type]
    decibels = psnr(image, reference, channels=channels, crop_border=3)  # type: ignore[arg-type]
    torch.testing.assert_close(10 * torch.log10(255**2 / ours), decibels)


def test_mse_counts_in_levels_of_8_bits() -> None:
    rng = np.random.default_rng(5)
    levels = rng.integers(0, 256, (2, 3, 8, 9))
    expected = float(np.mean((levels[0] - levels[1]) ** 2))
    image, reference = torch.from_numpy(levels).double() / 255
    assert float(mse(image, reference)) == pytest.approx(expected)


def test_mse_refuses_unknown_channels() -> None:
    with pytest.raises(ConfigError, match="'rgb' or 'y'"):
        mse(torch.zeros(3, 4, 4), torch.zeros(3, 4, 4), channels="yuv")  # type: ignore[arg-type]


def dense_ssim_3d(image: torch.Tensor, reference: torch.Tensor) -> float:
    """The definition of SSIM with the whole window of 1331 weights at once, in float64."""
    offsets = torch.arange(11).double() - 5
    profile = torch.exp(-offsets.square() / (2 * 1.5**2))
    window = torch.einsum("i,j,k->ijk", profile, profile, profile)
    window = (window / window.sum())[None, None]

    def local_mean(values: torch.Tensor) -> torch.Tensor:
        return F.conv3d(F.pad(values[None], (5,) * 6, mode="replicate"), window)

    mean1, mean2 = local_mean(image), local_mean(reference)
    variance1 = local_mean(image**2) - mean1**2
    variance2 = local_mean(reference**2) - mean2**2
    covariance = local_mean(image * reference) - mean1 * mean2
    luminance = (2 * mean1 * mean2 + 1e-4) / (mean1**2 + mean2**2 + 1e-4)
    return float((luminance * (2 * covariance + 9e-4) / (variance1 + variance2 + 9e-4)).mean())


@pytest.mark.parametrize("size", [(11, 11), (14, 23)])
def test_ssim_3d_equals_its_definition(size: tuple[int, int]) -> None:
    reference = torch.rand(1, 3, *size).double()
    image = (reference + 0.3 * (torch.rand(1, 3, *size).double() - 0.5)).clamp(0, 1)
    expected = dense_ssim_3d(image, reference)
    assert abs(expected - float(ssim(image, reference))) > 1e-3  # another measure
    assert float(ssim_3d(image, reference)) == pytest.approx(expected, abs=1e-12)
    assert float(ssim_3d(image, image)) == pytest.approx(1.0, abs=1e-12)


def test_ssim_3d_counts_the_outermost_pixels() -> None:
    reference = torch.rand(1, 3, 32, 32)
    spoiled = reference.clone()
    spoiled[..., -1] = 1 - spoiled[..., -1]
    middle = reference.clone()
    middle[..., 16] = 1 - middle[..., 16]
    # Repeated five times, the last column weighs more than one of the middle.
    assert float(ssim_3d(spoiled, reference)) < float(ssim_3d(middle, reference)) < 0.999
