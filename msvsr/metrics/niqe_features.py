"""The statistics of blocks that NIQE compares with those of pristine photographs.

Sums are taken in float64 and kept in float32, as in the implementations whose figures are
published. This rounding matters: a flat part of an image comes out as exactly zero, which decides
what blocks have no features, and shapes are looked up in a table, where a bit can decide on a step.
"""

import contextlib
import functools
from collections.abc import Iterator

import torch
import torch.nn.functional as F

from msvsr.errors import ShapeError

__all__ = ["BAND_HEIGHT", "BLOCK_SIZE", "NUM_FEATURES", "niqe_features", "one_thread"]

BLOCK_SIZE = 96
NUM_FEATURES = 36
_NEIGHBOURS = ((0, 1), (1, 0), (1, 1), (1, -1))
# What a core's cache holds; accelerators take everything at once.
BAND_HEIGHT = 48
_VALUES_AT_ONCE = 40_000
_TAPS = 8


def niqe_features(luma255: torch.Tensor, window: torch.Tensor) -> torch.Tensor:
    """Describe each block of 96 x 96 pixels by 18 numbers at full and 18 at half resolution.

    Each image is normalised, ``(x - mean) / (deviation + 1)`` under the window. An asymmetric
    generalised Gaussian is fitted to each block (shape, mean scale) and to its products with itself
    moved by one pixel in four directions (shape, mean, left scale, right scale). What lies beyond
    the last whole block, at the right and at the bottom, does not count.

    Args:
        luma255: Luma ``(n, h, w)`` in [0, 255], in whole numbers, at least 96 pixels a side.
        window: Symmetric, separable window ``(k, k)`` of odd size, float64, of sum 1.

    Returns:
        Features ``(n, blocks, 36)``, float64, on the device of the luma; NaN where a block has no
        values below or above zero, as in a flat one.

    Raises:
        ShapeError: The luma is no batch of images, or one holds no whole block.

    Source:
        Mittal, Soundararajan, Bovik, "Making a 'completely blind' image quality analyzer", IEEE
        Signal Processing Letters 2013; conventions of BasicSR, Apache-2.0.

    Example:
        >>> window = torch.full((7, 7), 1 / 49, dtype=torch.float64)
        >>> niqe_features(torch.randint(0, 256, (1, 100, 200)).float(), window).shape
        torch.Size([1, 2, 36])
    """
    if luma255.ndim != 3 or min(luma255.shape[-2:]) < BLOCK_SIZE:
        raise ShapeError(
            f"NIQE needs luma (n, h, w) of at least {BLOCK_SIZE} pixels a side, "
            f"got {tuple(luma255.shape)}; give larger images or crop less"
        )
    height, width = (size // BLOCK_SIZE * BLOCK_SIZE for size in luma255.shape[-2:])
    full = luma255[:, :height, :width].float()
    kernel = window.to(full.device, torch.float64).sum(dim=0)
    kernel = kernel / kernel.sum()
    with torch.no_grad(), torch.autocast(full.device.type, enabled=False), one_thread():
        coarse = _describe(_normalise(_halve(full), kernel), BLOCK_SIZE // 2)
        return torch.cat((_describe(_normalise(full, kernel), BLOCK_SIZE), coarse), dim=-1)


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Hold PyTorch to one thread of the CPU.

    There are a thousand operations of some microseconds each. On a machine that is busy, waiting
    for a second thread at the end of each takes a hundred times as long as the work.
    """
    num_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(num_threads)


def _normalise(image: torch.Tensor, kernel: torch.Tensor) -> torch.Tensor:
    """Take the local mean away and divide by the local deviation plus one."""
    height, margin = image.shape[-2], len(kernel) // 2
    padded = F.pad(image, (margin,) * 4, mode="replicate")
    band = BAND_HEIGHT if image.device.type == "cpu" else height
    bands = [
        _normalise_band(padded[:, top : top + band + 2 * margin], kernel.tolist())
        for top in range(0, height, band)
    ]
    return torch.cat(bands, dim=1)


def _normalise_band(padded: torch.Tensor, taps: list[float]) -> torch.Tensor:
    mean = _smooth(padded, taps)
    variance = _smooth(padded.square(), taps).sub_(mean.square()).abs_()
    deviation = variance.double().sqrt_().float()  # torch's own float32 root may be a bit off
    height, width = mean.shape[-2:]
    margin = len(taps) // 2
    middle = padded[:, margin : margin + height, margin : margin + width]
    return (middle - mean).div_(deviation.add_(1))


def _smooth(padded: torch.Tensor, taps: list[float]) -> torch.Tensor:
    """Average under the window, where it fits."""
    height, width = (size - len(taps) + 1 for size in padded.shape[-2:])
    padded = padded.double()
    rows = padded[:, :height] * taps[0]
    for offset, weight in enumerate(taps[1:], start=1):
        rows.add_(padded[:, offset : offset + height], alpha=weight)
    mean = rows[..., :width] * taps[0]
    for offset, weight in enumerate(taps[1:], start=1):
        mean.add_(rows[..., offset : offset + width], alpha=weight)
    return mean.float()


def _halve(image: torch.Tensor) -> torch.Tensor:
    """Halve an image of even sides as MATLAB's ``imresize`` does: bicubic with antialiasing.

    On a CPU in float32 and as matrix products, because the fit is sensitive to rounding: the
    implementations whose figures are published do it so.
    """
    n, h, w = image.shape
    dtype = torch.float32 if image.device.type == "cpu" else torch.float64
    weights = _halving_weights().to(image.device, dtype)
    unit = (image / 255).to(dtype)
    columns = _mirror(unit, -2).unfold(-2, _TAPS, 2).flatten(0, 1)  # (n * h / 2, w, 8)
    rows = torch.bmm(weights.expand(columns.shape[0], 1, _TAPS), columns.transpose(1, 2))
    unit = _mirror(rows.view(n, h // 2, w), -1).unfold(-1, _TAPS, 2) @ weights  # (n, h/2, w/2)
    return unit.float() * 255


def _halving_weights() -> torch.Tensor:
    """Sample the cubic kernel, stretched to twice its width, around the middle of two pixels."""
    x = (torch.arange(_TAPS, dtype=torch.float64) - (_TAPS - 1) / 2).abs() / 2
    inner = 1.5 * x**3 - 2.5 * x**2 + 1
    outer = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return torch.where(x <= 1, inner, outer) / 2


def _mirror(image: torch.Tensor, dim: int) -> torch.Tensor:
    """Reflect three pixels at both ends of an axis, the edge pixel included."""
    margin = _TAPS // 2 - 1
    first = image.narrow(dim, 0, margin).flip(dim)
    last = image.narrow(dim, image.shape[dim] - margin, margin).flip(dim)
    return torch.cat((first, image, last), dim=dim)


def _describe(image: torch.Tensor, size: int) -> torch.Tensor:
    """Cut an image into blocks and give 18 features of each: ``(n, blocks, 18)``."""
    n, h, w = image.shape
    grid = image.view(n, h // size, size, w // size, size).transpose(2, 3)
    blocks = grid.reshape(-1, size, size)  # (n * blocks, size, size)
    at_once = _VALUES_AT_ONCE // size**2 if image.device.type == "cpu" else len(blocks)
    features = torch.cat([_block_features(part) for part in torch.split(blocks, at_once)])
    return features.view(n, -1, NUM_FEATURES // 2)


def _block_features(blocks: torch.Tensor) -> torch.Tensor:
    shape, left, right = _fit(_products(blocks).flatten(-2))  # (blocks, 5) each
    ratio = torch.exp(torch.lgamma(2 / shape) - torch.lgamma(1 / shape))
    four = torch.stack((shape, (right - left) * ratio, left, right), dim=-1)  # (blocks, 5, 4)
    scale = (left[:, :1] + right[:, :1]) / 2
    return torch.cat((shape[:, :1], scale, four[:, 1:].flatten(1)), dim=1)


def _products(blocks: torch.Tensor) -> torch.Tensor:
    """Multiply each block with itself moved in four directions: ``(blocks, 5, size, size)``."""
    size = blocks.shape[-1]
    around = F.pad(blocks[None], (1, 1, 1, 1), mode="circular")[0]
    fields = blocks.new_empty(len(blocks), 1 + len(_NEIGHBOURS), size, size)
    fields[:, 0] = blocks
    for index, (down, right) in enumerate(_NEIGHBOURS, start=1):
        moved = around[:, 1 - down : 1 - down + size, 1 - right : 1 - right + size]
        torch.mul(blocks, moved, out=fields[:, index])
    return fields


def _fit(values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Fit an asymmetric generalised Gaussian to each row: shape, left scale, right scale.

    The ratio that the shape is looked up by is rounded to float32 at each step, as in BasicSR.
    """
    squares = values.square()
    left, right = _deviations(squares, values.sign())
    mean, mean_square = (_pairwise_sum(x) / x.shape[-1] for x in (values.abs(), squares))
    skew = left / right
    ratio = mean.square() / mean_square * (skew.double().pow(3).float() + 1) * (skew + 1)
    shape = _look_up_shape((ratio / (skew.square() + 1).square()).double())
    unit = torch.exp((torch.lgamma(1 / shape) - torch.lgamma(3 / shape)) / 2)
    return shape, left * unit, right * unit


def _deviations(squares: torch.Tensor, signs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Take the root mean square of the values below zero and of those above, in each row."""
    both, surplus = (x.sum(dim=-1, dtype=torch.float64) for x in (squares, squares * signs))
    num_both, num_surplus = (x.sum(dim=-1).double() for x in (signs.abs(), signs))
    left = ((both - surplus) / (num_both - num_surplus)).float()
    right = ((both + surplus) / (num_both + num_surplus)).float()
    return left.double().sqrt().float(), right.double().sqrt().float()


def _pairwise_sum(values: torch.Tensor) -> torch.Tensor:
    """Add up rows of ``72 * 2^k`` values in the order in which NumPy does."""
    groups = values.view(*values.shape[:-1], -1, 9, 8)
    lanes = groups[..., 0, :] + groups[..., 1, :]
    for index in range(2, 9):
        lanes.add_(groups[..., index, :])
    lanes = lanes.flatten(-2)
    while lanes.shape[-1] > 1:
        lanes = lanes[..., 0::2] + lanes[..., 1::2]
    return lanes.squeeze(-1)


def _look_up_shape(ratio: torch.Tensor) -> torch.Tensor:
    """Find the shape whose ratio is nearest; the smallest one where there is no ratio."""
    shapes, ratios = _shape_table(ratio.device)
    above = torch.searchsorted(ratios, ratio.nan_to_num(0.0)).clamp(1, len(ratios) - 1)
    is_below = ratio - ratios[above - 1] <= ratios[above] - ratio
    index = torch.where(is_below, above - 1, above)
    return shapes[torch.where(ratio.isnan(), 0, index)]


@functools.cache
def _shape_table(device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """List shapes from 0.2 to 10 with ``gamma(2/s)^2 / (gamma(1/s) gamma(3/s))`` of each."""
    shapes = 0.2 + torch.arange(9801, dtype=torch.float64, device=device) / 1000
    logarithm = 2 * torch.lgamma(2 / shapes) - torch.lgamma(1 / shapes) - torch.lgamma(3 / shapes)
    return shapes, torch.exp(logarithm)
