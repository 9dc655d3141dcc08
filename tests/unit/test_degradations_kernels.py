"""Blur kernels against their definitions."""

import numpy as np
import pytest

from msvsr.degradations.kernels import (
    gaussian_kernel,
    generalized_gaussian_kernel,
    plateau_kernel,
    sinc_kernel,
)
from msvsr.degradations.mixed_blur import KERNEL_KINDS, KernelKind, MixedBlur, MixedBlurConfig


def offsets(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Across and down from the centre."""
    y, x = np.mgrid[:size, :size] - size // 2
    return x, y


def squared_distance(size: int, sigma_x: float, sigma_y: float, angle: float) -> np.ndarray:
    """``x^T S^-1 x`` with ``S = R diag(sigma^2) R^T``."""
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    covariance = rotation @ np.diag([sigma_x**2, sigma_y**2]) @ rotation.T
    points = np.stack(offsets(size), -1).astype(float)
    return np.einsum("hwi,ij,hwj->hw", points, np.linalg.inv(covariance), points)


@pytest.mark.parametrize("kind", KERNEL_KINDS)
@pytest.mark.parametrize("size", [7, 21])
def test_kernels_of_every_kind_sum_to_one_and_are_symmetric(kind: KernelKind, size: int) -> None:
    config = MixedBlurConfig(kinds=(kind,), kind_probabilities=(1.0,), kernel_sizes=(size,))
    for seed in range(10):
        sample = MixedBlur(config).sample(2, np.random.default_rng(seed))
        assert sample is not None
        for kernel in sample.kernels():
            assert kernel.shape == (size, size)
            assert kernel.dtype == np.float32
            assert float(kernel.sum()) == pytest.approx(1, abs=1e-5)
            np.testing.assert_allclose(kernel, kernel[::-1, ::-1], atol=1e-7)
            assert kernel.max() == kernel[size // 2, size // 2]
            is_round = np.allclose(kernel, kernel.T, atol=1e-6)
            assert is_round == (not kind.endswith("aniso"))


def test_gaussian_kernel_has_unit_sum_and_the_given_covariance() -> None:
    kernel = gaussian_kernel(41, 3.0, 1.5, angle=0.6)
    assert kernel.sum() == pytest.approx(1, abs=1e-6)
    x, y = offsets(41)
    covariance = np.array([[(kernel * a * b).sum() for b in (x, y)] for a in (x, y)])
    rotation = np.array([[np.cos(0.6), -np.sin(0.6)], [np.sin(0.6), np.cos(0.6)]])
    expected = rotation @ np.diag([3.0**2, 1.5**2]) @ rotation.T
    # The grid samples the density and cuts its tails: a few thousandths.
    np.testing.assert_allclose(covariance, expected, rtol=0.01, atol=0.01)


@pytest.mark.parametrize("beta", [0.5, 1.0, 2.7, 4.0])
def test_generalized_gaussian_kernel_is_its_formula(beta: float) -> None:
    kernel = generalized_gaussian_kernel(15, 2.5, 1.2, 0.4, beta)
    expected = np.exp(-0.5 * squared_distance(15, 2.5, 1.2, 0.4) ** beta)
    np.testing.assert_allclose(kernel / kernel[7, 7], expected, atol=1e-6)


def test_generalized_gaussian_kernel_of_beta_one_is_gaussian() -> None:
    np.testing.assert_allclose(
        generalized_gaussian_kernel(13, 2.5, 1.2, 0.4, 1.0),
        gaussian_kernel(13, 2.5, 1.2, 0.4),
        atol=1e-8,
    )


@pytest.mark.parametrize("beta", [1.0, 1.5, 2.0])
def test_plateau_kernel_is_its_formula(beta: float) -> None:
    kernel = plateau_kernel(15, 2.5, 1.2, 0.4, beta)
    expected = 1 / (1 + squared_distance(15, 2.5, 1.2, 0.4) ** beta)
    np.testing.assert_allclose(kernel / kernel[7, 7], expected, atol=1e-6)


@pytest.mark.parametrize("cutoff", [np.pi / 5, 1.5, np.pi])
def test_sinc_kernel_is_the_inverse_transform_of_a_disc(cutoff: float) -> None:
    # Integrate cos(w . x) over the disc |w| < cutoff, in rings and sectors.
    rings, sectors = 400, 256
    radius = (np.arange(rings) + 0.5) / rings * cutoff
    sector = np.arange(sectors) / sectors * 2 * np.pi
    across = (radius[:, None] * np.cos(sector)).ravel()
    weight = np.repeat(radius, sectors)
    distances = np.arange(8)
    expected = [(weight * np.cos(across * d)).sum() / weight.sum() for d in distances]
    kernel = sinc_kernel(15, cutoff)
    np.testing.assert_allclose(kernel[7, 7:] / kernel[7, 7], expected, atol=1e-4)


@pytest.mark.parametrize("cutoff", [np.pi / 3, 1.5, 2.2])
def test_sinc_filter_passes_what_is_below_its_cutoff_and_stops_what_is_above(cutoff: float) -> None:
    kernel = sinc_kernel(61, cutoff).astype(float)
    x, _ = offsets(61)

    def response(frequency: float) -> float:
        return float((kernel * np.cos(frequency * x)).sum())

    # The kernel is cut off after 30 pixels: its response ripples by a tenth.
    assert response(0.5 * cutoff) == pytest.approx(1, abs=0.1)
    assert response(cutoff) == pytest.approx(0.5, abs=0.1)
    assert response(1.5 * cutoff) == pytest.approx(0, abs=0.1)
