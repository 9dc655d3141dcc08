"""Unsharp masking against its formula, written out."""

import numpy as np
import pytest

from msvsr.data.sharpening import SharpeningConfig, sharpen
from msvsr.errors import ConfigError


def plain_blur(plane: np.ndarray, size: int, sigma: float) -> np.ndarray:
    """Gaussian blur of ``(h, w)`` in double precision, mirrored about the outermost pixels."""
    positions = np.arange(size) - size // 2
    kernel = np.exp(-(positions**2) / (2 * sigma**2))
    kernel /= kernel.sum()
    padded = np.pad(plane, size // 2, mode="reflect")
    rows = np.stack([np.convolve(row, kernel, mode="valid") for row in padded])
    return np.stack([np.convolve(column, kernel, mode="valid") for column in rows.T]).T


def plain_sharpen(plane: np.ndarray) -> np.ndarray:
    """The formula of Real-ESRGAN with kernel 51, weight 0.5 and threshold 10, not rounded."""
    plane = plane.astype(np.float64)
    detail = plane - plain_blur(plane, 51, 8.0)
    mask = plain_blur((np.abs(detail) > 10).astype(np.float64), 51, 8.0)
    return mask * np.clip(plane + 0.5 * detail, 0, 255) + (1 - mask) * plane


def test_it_follows_the_formula() -> None:
    rng = np.random.default_rng(0)
    clip = np.kron(rng.integers(0, 256, (2, 12, 9, 3)), np.ones((1, 7, 7, 1))).astype(np.uint8)
    result = sharpen(clip, SharpeningConfig())
    assert result.dtype == np.uint8
    for frame, expected in zip(result, clip, strict=True):
        for channel in range(3):
            error = np.abs(frame[..., channel] - plain_sharpen(expected[..., channel]))
            assert error.max() <= 0.5 + 1e-3  # rounding to whole levels


def test_the_kernel_of_51_pixels_has_a_standard_deviation_of_8() -> None:
    assert SharpeningConfig().sigma == pytest.approx(8.0)


def test_edges_overshoot_and_small_differences_stay() -> None:
    edge = np.full((1, 64, 64, 3), 100, np.uint8)
    edge[:, :, 32:] = 160
    result = sharpen(edge, SharpeningConfig())
    assert result.min() < 95
    assert result.max() > 165
    faint = np.where(edge > 100, 108, 100).astype(np.uint8)
    np.testing.assert_array_equal(sharpen(faint, SharpeningConfig()), faint)


def test_frames_do_not_mix() -> None:
    clip = np.random.default_rng(0).integers(0, 256, (3, 60, 60, 3)).astype(np.uint8)
    alone = sharpen(clip[1:2], SharpeningConfig())
    np.testing.assert_array_equal(sharpen(clip, SharpeningConfig())[1:2], alone)


@pytest.mark.parametrize("values", [{"kernel_size": 50}, {"weight": -1}, {"threshold": -1}])
def test_impossible_settings_are_refused(values: dict[str, float]) -> None:
    with pytest.raises(ConfigError):
        SharpeningConfig(**values)
