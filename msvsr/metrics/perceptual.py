"""BRISQUE and NRQM, through the optional library pyiqa, and the index made of NRQM and NIQE."""

import functools
from collections.abc import Callable
from importlib import import_module
from typing import Literal, get_args

import torch

from msvsr.errors import CheckpointError, ConfigError, ShapeError
from msvsr.ops.color import rgb_to_y

__all__ = ["PerceptualName", "load_perceptual", "perceptual_index"]

PerceptualName = Literal["brisque", "nrqm"]

_Measure = Callable[[torch.Tensor], torch.Tensor]


def perceptual_index(niqe: float, nrqm: float) -> float:
    """Join NIQE and NRQM into the perceptual index; lower is better.

    ``PI = ((10 - NRQM) + NIQE) / 2``. It may be taken of means as well as of single images.

    Args:
        niqe: Lower is better.
        nrqm: From 0 to 10, higher is better.

    Source:
        Blau, Mechrez, Timofte, Michaeli, Zelnik-Manor, "The 2018 PIRM challenge on perceptual image
        super-resolution", ECCVW 2018.

    Example:
        >>> round(perceptual_index(niqe=3.7662, nrqm=6.0477), 4)  # RealBasicVSR on VideoLQ
        3.8593
    """
    return ((10.0 - nrqm) + niqe) / 2.0


def load_perceptual(name: PerceptualName, device: str | torch.device = "cpu") -> _Measure:
    """Make BRISQUE or NRQM on the luma of an image, by MATLAB's conventions.

    Both are measured by pyiqa, which fetches their figures when it first needs them. Luma is that
    of ``rgb_to_y``, in whole numbers of [0, 255]. BRISQUE is the one of MATLAB's function
    ``brisque`` (pyiqa's ``brisque_matlab``), not that of its authors' first release.

    Args:
        name: ``"brisque"``, where lower is better, or ``"nrqm"``, where higher is better.
        device: Where to measure; part of NRQM runs on the CPU in any case.

    Returns:
        A function from image tensors ``(..., 3, h, w)``, RGB, [0, 1], to one value per image,
        ``(n,)``, float64, on the CPU.

    Raises:
        ConfigError: pyiqa is not installed, or knows no such measure, as old releases do not.
        CheckpointError: Its figures are not at hand and cannot be fetched.

    Source:
        Mittal, Moorthy, Bovik, "No-reference image quality assessment in the spatial domain", IEEE
        TIP 2012; Ma, Yang, Yang, Yang, "Learning a no-reference quality metric for single-image
        super-resolution", CVIU 2017. pyiqa is licensed for non-commercial use only (PolyForm
        Noncommercial 1.0.0 and NTU S-Lab License 1.0).
    """
    if name not in get_args(PerceptualName):
        raise ConfigError(f"expected one of {get_args(PerceptualName)}, got {name!r}")
    try:
        measure = _create(name, torch.device(device))
    except OSError as error:  # of this kind is what urllib raises
        raise CheckpointError(
            f"pyiqa cannot fetch the figures of {name}: {_first_line(error)}; call it once "
            f"with a network, or put them into its cache"
        ) from error
    except (AssertionError, KeyError) as error:
        raise ConfigError(
            f"the installed pyiqa does not know {name}: pip install --upgrade 'msvsr[iqa]'"
        ) from error
    except (ImportError, RuntimeError) as error:  # torchvision may not fit the installed torch
        raise ConfigError(
            f"{name} needs pyiqa, which is licensed for non-commercial use only (PolyForm "
            f"Noncommercial 1.0.0, NTU S-Lab): pip install 'msvsr[iqa]' "
            f"({_first_line(error)})"
        ) from error
    # For NRQM pyiqa takes luma itself, in the same conventions; it would not scale ours.
    return functools.partial(_measure_each, measure, _whole_luma if name == "brisque" else _clamp)


def _create(name: PerceptualName, device: torch.device) -> _Measure:
    library = import_module("pyiqa")
    if name == "brisque":
        measure: _Measure = library.create_metric("brisque_matlab", device=device)
    else:
        measure = library.create_metric("nrqm", device=device, color_space="ycbcr")
    return measure


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _whole_luma(image: torch.Tensor) -> torch.Tensor:
    return (rgb_to_y(_clamp(image)) * 255).round() / 255


def _clamp(image: torch.Tensor) -> torch.Tensor:
    return image.clamp(0, 1)


def _measure_each(measure: _Measure, prepare: _Measure, images: torch.Tensor) -> torch.Tensor:
    """Measure images one at a time, so that memory does not grow with their number."""
    if images.ndim < 3 or images.shape[-3] != 3:
        raise ShapeError(f"expected images (..., 3, h, w), got {tuple(images.shape)}")
    images = images.detach().reshape(-1, *images.shape[-3:])  # (..., 3, h, w) -> (n, 3, h, w)
    values = [measure(prepare(image[None].float())).cpu().double().flatten() for image in images]
    return torch.cat(values) if values else torch.empty(0, dtype=torch.float64)
