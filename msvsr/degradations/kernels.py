"""Blur kernels, each sampled on a grid of pixels and normalised to sum 1.

The first six are functions of ``q = x^T S^-1 x``, the squared distance from the centre in units of
the standard deviations, where ``S`` is a covariance matrix. A kernel is isotropic when its two
standard deviations are equal.

Source:
    Real-ESRGAN (Wang et al., ICCVW 2021, arXiv 2107.10833), section 3.1 for the Gaussian and the
    generalized Gaussian and plateau-shaped kernels, section 3.3 for the sinc filter.
"""

import numpy as np
import numpy.typing as npt
import torch

from msvsr.degradations.types import FloatArray

__all__ = [
    "gaussian_kernel",
    "generalized_gaussian_kernel",
    "plateau_kernel",
    "sinc_kernel",
]

GridArray = npt.NDArray[np.float64]


def _grid(size: int) -> tuple[GridArray, GridArray]:
    """Offsets from the centre, across and down."""
    offsets = np.arange(size) - (size - 1) / 2
    x, y = np.meshgrid(offsets, offsets)
    return x, y


def _squared_distance(size: int, sigma_x: float, sigma_y: float, angle: float) -> GridArray:
    """``q`` on the grid; the first axis of the ellipse stands at ``angle`` to the x axis."""
    x, y = _grid(size)
    along = x * np.cos(angle) + y * np.sin(angle)
    across = y * np.cos(angle) - x * np.sin(angle)
    return np.asarray((along / sigma_x) ** 2 + (across / sigma_y) ** 2, np.float64)


def _normalised(kernel: GridArray) -> FloatArray:
    return np.asarray(kernel / kernel.sum(), np.float32)


def gaussian_kernel(size: int, sigma_x: float, sigma_y: float, angle: float = 0.0) -> FloatArray:
    """Sample ``exp(-q / 2)``.

    Args:
        size: Side length in pixels, odd.
        sigma_x: Standard deviation along the first axis of the ellipse, in pixels.
        sigma_y: Standard deviation along its second axis, in pixels.
        angle: Angle of the first axis to the image's x axis, in radians.

    Returns:
        The kernel, ``(size, size)``.

    Example:
        >>> gaussian_kernel(3, 1.0, 1.0).round(3).tolist()[1]
        [0.12399999797344208, 0.20399999618530273, 0.12399999797344208]
    """
    return _normalised(np.exp(-0.5 * _squared_distance(size, sigma_x, sigma_y, angle)))


def generalized_gaussian_kernel(
    size: int, sigma_x: float, sigma_y: float, angle: float, beta: float
) -> FloatArray:
    """Sample ``exp(-q^beta / 2)``.

    Args:
        size: Side length in pixels, odd.
        sigma_x: Standard deviation of the Gaussian for ``beta = 1`` along the first axis.
        sigma_y: The same along the second axis.
        angle: Angle of the first axis to the image's x axis, in radians.
        beta: Shape: below 1 a sharp peak with long tails, above 1 flat with a steep edge.

    Returns:
        The kernel, ``(size, size)``.

    Example:
        >>> kernel = generalized_gaussian_kernel(7, 2.0, 1.0, 0.3, beta=1.0)
        >>> bool(np.allclose(kernel, gaussian_kernel(7, 2.0, 1.0, 0.3)))
        True
    """
    distance = _squared_distance(size, sigma_x, sigma_y, angle)
    return _normalised(np.exp(-0.5 * distance**beta))


def plateau_kernel(
    size: int, sigma_x: float, sigma_y: float, angle: float, beta: float
) -> FloatArray:
    """Sample ``1 / (1 + q^beta)``.

    Args:
        size: Side length in pixels, odd.
        sigma_x: Where the kernel has fallen to half along the first axis, in pixels.
        sigma_y: The same along the second axis.
        angle: Angle of the first axis to the image's x axis, in radians.
        beta: Shape: the larger, the flatter the top and the steeper the edge.

    Returns:
        The kernel, ``(size, size)``.

    Example:
        >>> kernel = plateau_kernel(9, 2.0, 2.0, 0.0, 1.5)
        >>> round(float(kernel[4, 6] / kernel[4, 4]), 6)
        0.5
    """
    return _normalised(1 / (1 + _squared_distance(size, sigma_x, sigma_y, angle) ** beta))


def sinc_kernel(size: int, cutoff: float) -> FloatArray:
    """Sample the ideal circular low-pass ``cutoff * J1(cutoff * r) / (2 pi r)``.

    It rings, as what was sharpened or compressed too much does.

    Args:
        size: Side length in pixels, odd.
        cutoff: Highest frequency that passes, in radians per pixel, up to ``pi``.

    Returns:
        The kernel, ``(size, size)``; ``r`` is the distance from its centre.

    Example:
        >>> bool(sinc_kernel(21, 1.5).min() < 0)
        True
    """
    radius = np.hypot(*_grid(size))
    middle = size // 2
    radius[middle, middle] = 1.0  # any but 0
    bessel = torch.special.bessel_j1(torch.from_numpy(cutoff * radius)).numpy()
    kernel = cutoff * bessel / (2 * np.pi * radius)
    kernel[middle, middle] = cutoff**2 / (4 * np.pi)  # the limit: J1(x) is x / 2 near 0
    return _normalised(kernel)
