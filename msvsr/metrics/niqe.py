"""NIQE: how far an image is from pristine photographs, without a reference; lower is better."""

import functools
import zipfile
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from msvsr.errors import CheckpointError, ConfigError, InputError, ShapeError
from msvsr.metrics.images import FrameMean
from msvsr.metrics.niqe_features import (
    BAND_HEIGHT,
    BLOCK_SIZE,
    NUM_FEATURES,
    niqe_features,
    one_thread,
)
from msvsr.ops.color import rgb_to_y

__all__ = ["Niqe", "NiqeChannels", "PristineModel", "load_pristine", "niqe", "niqe_distance"]

NiqeChannels = Literal["y", "gray"]

PRISTINE_FILE = "niqe_pris_params.npz"
_SHIPPED = Path(__file__).with_name("niqe_pristine.npz")
_BLACK, _SWING = 16.0, 219.0
_PINV_RTOL = 1e-15  # NumPy's default, which the published figures were made with


@dataclass(frozen=True, kw_only=True)
class PristineModel:
    """What the blocks of pristine photographs look like.

    Attributes:
        mean: Mean of each feature, ``(36,)``, float64.
        covariance: Covariance of the features, ``(36, 36)``, float64.
        window: Window of the local mean and deviation, ``(k, k)``, odd, separable, float64.
    """

    mean: torch.Tensor
    covariance: torch.Tensor
    window: torch.Tensor

    def __post_init__(self) -> None:
        """Check that the figures belong together.

        Raises:
            ConfigError: A shape is wrong, or the window is not the product of its profiles.
        """
        shapes = tuple(self.mean.shape), tuple(self.covariance.shape)
        if shapes != ((NUM_FEATURES,), (NUM_FEATURES, NUM_FEATURES)):
            raise ConfigError(f"a pristine model has shapes (36,) and (36, 36), got {shapes}")
        if not _is_separable(self.window):
            raise ConfigError(
                f"the window of a pristine model must be symmetric, separable and of odd size, "
                f"got {tuple(self.window.shape)}"
            )


def _is_separable(window: torch.Tensor) -> bool:
    if window.ndim != 2 or window.shape[0] != window.shape[1] or window.shape[0] % 2 == 0:
        return False
    profile = window.sum(dim=0)
    product = torch.outer(profile, profile) / profile.sum()
    return torch.allclose(product, window, atol=1e-9) and torch.allclose(profile, profile.flip(0))


def load_pristine(path: str | PathLike[str] | None = None) -> PristineModel:
    """Read a pristine model; by default the published one, which comes with msvsr.

    Args:
        path: An ``.npz`` file with ``mu_pris_param``, ``cov_pris_param`` and ``gaussian_window``,
            or a model folder, whose ``niqe_pris_params.npz`` is taken if there is one.

    Raises:
        CheckpointError: The file is missing, unreadable, or holds something else.

    Source:
        The published figures: Mittal et al., as distributed with BasicSR, Apache-2.0.

    Example:
        >>> load_pristine().covariance.shape
        torch.Size([36, 36])
    """
    chosen = _SHIPPED if path is None else Path(path)
    if chosen.is_dir():
        chosen = chosen / PRISTINE_FILE
        chosen = chosen if chosen.exists() else _SHIPPED
    return _shipped() if chosen == _SHIPPED else _read(chosen)


@functools.cache
def _shipped() -> PristineModel:
    return _read(_SHIPPED)


def _read(path: Path) -> PristineModel:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            mean, covariance, window = (
                torch.from_numpy(np.asarray(arrays[key], dtype=np.float64))
                for key in ("mu_pris_param", "cov_pris_param", "gaussian_window")
            )
        return PristineModel(mean=mean.flatten(), covariance=covariance, window=window)
    # An .npy is no context manager: an AttributeError up to Python 3.10, a TypeError since.
    except (OSError, KeyError, AttributeError, TypeError, ValueError, zipfile.BadZipFile) as error:
        reason = str(error).split("\n")[0]
        raise CheckpointError(
            f"'{path}' is no pristine model for NIQE (an .npz with mu_pris_param, cov_pris_param "
            f"and gaussian_window expected): {reason}"
        ) from error


def niqe(
    images: torch.Tensor,
    *,
    channels: NiqeChannels = "y",
    crop_border: int = 0,
    pristine: PristineModel | None = None,
) -> torch.Tensor:
    """Measure how far each image is from pristine photographs.

    NIQE takes luma in whole numbers of [0, 255], so luma is rounded here: MATLAB's figures are made
    from 8-bit images.

    Args:
        images: Image tensors ``(..., 3, h, w)``, RGB, [0, 1], at least two blocks of 96 x 96
            pixels after the crop.
        channels: ``"y"`` for the luma of ``rgb_to_y``, or ``"gray"`` for the same luma stretched
            to the full swing.
        crop_border: Pixels to leave out at each side.
        pristine: What to compare with; the published model by default.

    Returns:
        One value per image, ``(n,)``, float64, on the CPU; lower is better. NaN for an image whose
        blocks are flat but for one at most.

    Raises:
        ShapeError: The tensor holds no RGB images, or they are too small.
        ConfigError: ``channels`` is neither ``"y"`` nor ``"gray"``.

    Source:
        Mittal, Soundararajan, Bovik, "Making a 'completely blind' image quality analyzer", IEEE
        Signal Processing Letters 2013; conventions of BasicSR, Apache-2.0.

    Example:
        >>> noise = torch.rand(2, 3, 96, 192)
        >>> bool((niqe(noise) > 20).all())
        True
    """
    _check(images, channels, crop_border)
    model = load_pristine() if pristine is None else pristine
    height, width = images.shape[-2:]
    images = images[..., crop_border : height - crop_border, crop_border : width - crop_border]
    if images.device.type == "mps":  # has no float64
        images = images.cpu()
    images = images.detach().reshape(-1, *images.shape[-3:])  # (..., 3, h, w) -> (n, 3, h, w)
    values = torch.empty(len(images), dtype=torch.float64)
    with one_thread():
        for index, image in enumerate(images):
            features = niqe_features(_whole_luma255(image, channels), model.window)
            values[index] = niqe_distance(features, model)[0]
    return values


def _check(images: torch.Tensor, channels: str, crop_border: int) -> None:
    if channels not in ("y", "gray"):
        raise ConfigError(f"channels must be 'y' or 'gray' for NIQE, got {channels!r}")
    if images.ndim < 3 or images.shape[-3] != 3:
        raise ShapeError(f"expected images (..., 3, h, w), got {tuple(images.shape)}")
    height, width = (max(size - 2 * crop_border, 0) for size in images.shape[-2:])
    if crop_border < 0 or (height // BLOCK_SIZE) * (width // BLOCK_SIZE) < 2:
        raise ShapeError(
            f"NIQE needs at least two blocks of {BLOCK_SIZE} x {BLOCK_SIZE} pixels, got images of "
            f"{tuple(images.shape[-2:])} with {crop_border} to crop; give larger images"
        )


def _whole_luma255(image: torch.Tensor, channels: NiqeChannels) -> torch.Tensor:
    """Take the luma of one image ``(3, h, w)`` in whole numbers of [0, 255], ``(1, h, w)``."""
    band = BAND_HEIGHT if image.device.type == "cpu" else image.shape[-2]
    bands = [rgb_to_y(rows.double()).float() for rows in torch.split(image, band, dim=-2)]
    luma = torch.cat(bands, dim=-2) * 255
    if channels == "gray":
        luma = (luma - _BLACK) * (255.0 / _SWING)
    return luma.round()


def niqe_distance(features: torch.Tensor, pristine: PristineModel) -> torch.Tensor:
    """Compare the features of each image with the pristine model.

    ``sqrt((m - m_p)^T ((C + C_p) / 2)^+ (m - m_p))`` with the means ``m`` of all values that are
    not NaN and the covariance ``C`` of the blocks that have no NaN.

    Args:
        features: Features ``(n, blocks, 36)`` of ``niqe_features``.
        pristine: What to compare with.

    Returns:
        One value per image, ``(n,)``, float64, on the CPU; NaN where fewer than two blocks have all
        their features.
    """
    with one_thread():
        values = [_distance(blocks, pristine) for blocks in features.cpu().double()]
    return torch.stack(values) if values else torch.empty(0, dtype=torch.float64)


def _distance(blocks: torch.Tensor, pristine: PristineModel) -> torch.Tensor:
    complete = blocks[~blocks.isnan().any(dim=1)]
    if len(complete) < 2:
        return torch.tensor(float("nan"), dtype=torch.float64)
    pooled = (pristine.covariance + torch.cov(complete.T)) / 2
    inverse = torch.linalg.pinv(pooled, rtol=_PINV_RTOL, hermitian=True)
    difference = pristine.mean - blocks.nanmean(dim=0)
    return torch.sqrt(difference @ inverse @ difference)


class Niqe:
    """The mean NIQE of frames that arrive a few at a time.

    It keeps a sum and two counts, whatever the number of frames. A frame without a NIQE, such as a
    black one, is left out of the mean and counted in ``num_undefined``. It can be pickled.

    Args:
        channels: ``"y"`` or ``"gray"``, as in ``niqe``.
        crop_border: Pixels to leave out at each side.
        pristine: What to compare with; the published model by default.

    Example:
        >>> measure = Niqe()
        >>> _ = measure.update(torch.rand(2, 3, 96, 192))
        >>> _ = measure.update(torch.zeros(3, 96, 192))
        >>> measure.compute() > 20, measure.num_frames, measure.num_undefined
        (True, 2, 1)
    """

    def __init__(
        self,
        *,
        channels: NiqeChannels = "y",
        crop_border: int = 0,
        pristine: PristineModel | None = None,
    ) -> None:
        self._channels: NiqeChannels = channels
        self._crop_border = crop_border
        self._pristine = load_pristine() if pristine is None else pristine
        self._mean = FrameMean()
        self.num_undefined = 0

    @property
    def num_frames(self) -> int:
        """Frames that the mean is taken over."""
        return self._mean.num_frames

    def update(self, images: torch.Tensor) -> torch.Tensor:
        """Add image tensors ``(..., 3, h, w)``, RGB, [0, 1], and return the NIQE of each."""
        values = niqe(
            images,
            channels=self._channels,
            crop_border=self._crop_border,
            pristine=self._pristine,
        )
        is_defined = ~values.isnan()
        self._mean.update(values[is_defined])
        self.num_undefined += int((~is_defined).sum())
        return values

    def merge(self, other: "Niqe") -> None:
        """Add the frames of another measure, for instance one that came from another process.

        Raises:
            InputError: The other one measures other channels, borders or against another model.
        """
        ours, theirs = ((m.window, m.mean, m.covariance) for m in (self._pristine, other._pristine))
        settings = (other._channels, other._crop_border)
        mine = (self._channels, self._crop_border)
        if settings != mine or not all(map(torch.equal, ours, theirs)):
            raise InputError(
                f"NIQE of channels and border {mine} takes no frames of {settings} or of another "
                f"pristine model; make both with one setting"
            )
        self._mean.merge(other._mean)
        self.num_undefined += other.num_undefined

    def compute(self) -> float:
        """Return the mean over all frames that have a NIQE.

        Raises:
            InputError: No such frame was added yet.
        """
        if not self.num_frames:
            raise InputError(
                f"no frame with a NIQE was added ({self.num_undefined} without one), so there is "
                f"no mean; call update with frames that are not flat"
            )
        return self._mean.compute()
