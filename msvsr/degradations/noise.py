"""Sensor noise: Gaussian and Poisson, coloured and grey."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from msvsr.degradations.checks import check_choices, check_probability, check_range, check_steps
from msvsr.degradations.types import FloatArray, Frames
from msvsr.degradations.walk import random_walk

__all__ = [
    "Noise",
    "NoiseConfig",
    "NoiseSample",
    "counted_poisson_noise",
    "gaussian_noise",
    "poisson_noise",
]

_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)
_PHOTONS = 256.0


@dataclass(frozen=True, kw_only=True)
class NoiseConfig:
    """How strong the noise is.

    Attributes:
        probability: How often a clip gets noise at all.
        gaussian_probability: How often the noise is Gaussian; else it is Poisson.
        gray_probability: How often one noise is shared by the three channels.
        gaussian_sigma_range: Standard deviation in grey levels of 255.
        gaussian_sigma_step: Its largest change from frame to frame.
        poisson_scale_range: Factor on the noise of an image of so many photons per pixel at white.
        poisson_scale_step: Its largest change from frame to frame.
        photons: ``fixed`` for 256, ``counted`` for as many as the frame has different values in
            8 bits, rounded up to a power of two: stronger noise on frames of few values.
    """

    probability: float = 0.6
    gaussian_probability: float = 0.6
    gray_probability: float = 0.4
    gaussian_sigma_range: tuple[float, float] = (1.0, 15.0)
    gaussian_sigma_step: float = 0.1
    poisson_scale_range: tuple[float, float] = (0.05, 2.0)
    poisson_scale_step: float = 0.005
    photons: Literal["fixed", "counted"] = "fixed"

    def __post_init__(self) -> None:
        """Check the ranges.

        Raises:
            ConfigError: A value is out of range.
        """
        check_probability("noise.probability", self.probability)
        check_probability("noise.gaussian_probability", self.gaussian_probability)
        check_probability("noise.gray_probability", self.gray_probability)
        check_range("noise.gaussian_sigma_range", self.gaussian_sigma_range, low=0)
        check_range("noise.poisson_scale_range", self.poisson_scale_range, low=0)
        check_choices("noise.photons", [self.photons], ["fixed", "counted"])
        check_steps(
            {
                "noise.gaussian_sigma_step": self.gaussian_sigma_step,
                "noise.poisson_scale_step": self.poisson_scale_step,
            }
        )


@dataclass(frozen=True, kw_only=True)
class NoiseSample:
    """The noise of one clip.

    Attributes:
        kind: ``gaussian`` or ``poisson``.
        is_gray: One noise is shared by the three channels.
        strengths: Standard deviation in grey levels of 255, or Poisson's factor; one per frame.
    """

    kind: Literal["gaussian", "poisson"]
    is_gray: bool
    strengths: npt.NDArray[np.float64]


def gaussian_noise(
    frame: FloatArray, sigma: float, *, gray: bool, rng: np.random.Generator
) -> FloatArray:
    """Draw ``N(0, (sigma / 255)^2)`` for each value, or for each pixel when grey.

    Args:
        frame: ``(h, w, 3)``.
        sigma: Standard deviation in grey levels of 255.
        gray: Share one value between the three channels.
        rng: Source of randomness.

    Returns:
        The noise alone, ``(h, w, 3)`` or ``(h, w, 1)``.
    """
    shape = (*frame.shape[:2], 1 if gray else 3)
    noise: FloatArray = rng.standard_normal(shape, dtype=np.float32) * np.float32(sigma / 255)
    return noise


def poisson_noise(
    frame: FloatArray, scale: float, *, gray: bool, rng: np.random.Generator
) -> FloatArray:
    """Draw ``scale * (Poisson(256 x) / 256 - x)``: its variance is ``scale^2 x / 256``.

    Args:
        frame: ``x``, ``(h, w, 3)`` in [0, 1].
        scale: Strength; 1 is the noise of 256 photons at white.
        gray: Draw for the luma and share it between the three channels.
        rng: Source of randomness.

    Returns:
        The noise alone, ``(h, w, 3)`` or ``(h, w, 1)``.
    """
    clean = _light(frame, gray=gray)
    return _photon_noise(clean, _PHOTONS, scale, rng)


def counted_poisson_noise(
    frame: FloatArray, scale: float, *, gray: bool, rng: np.random.Generator
) -> FloatArray:
    """Draw ``scale * (Poisson(n x) / n - x)``, where ``n`` is the number of values in the frame.

    ``x`` is rounded to 8 bits first, its different values over all channels are counted, and ``n``
    is that count rounded up to a power of two.

    Args:
        frame: ``x``, ``(h, w, 3)`` in [0, 1].
        scale: Strength.
        gray: Draw for the luma and share it between the three channels.
        rng: Source of randomness.

    Returns:
        The noise alone, ``(h, w, 3)`` or ``(h, w, 1)``.

    Source:
        Real-ESRGAN (Wang et al., ICCVW 2021, arXiv 2107.10833), its training code in BasicSR
        (Apache-2.0).
    """
    levels = (_light(frame, gray=gray) * 255).round().astype(np.uint8)
    num_values = int(np.count_nonzero(np.bincount(levels.ravel(), minlength=256)))
    photons = float(2 ** (num_values - 1).bit_length())
    return _photon_noise(levels.astype(np.float32) / np.float32(255), photons, scale, rng)


def _light(frame: FloatArray, *, gray: bool) -> FloatArray:
    light: FloatArray = (frame @ _LUMA)[..., None] if gray else frame
    return np.clip(light, 0, 1)


def _photon_noise(
    clean: FloatArray, photons: float, scale: float, rng: np.random.Generator
) -> FloatArray:
    counts = rng.poisson(clean * photons).astype(np.float32)
    noise: FloatArray = (counts / np.float32(photons) - clean) * np.float32(scale)
    return noise


class Noise:
    """Adds noise that is independent in time, with a slowly changing strength."""

    def __init__(self, config: NoiseConfig) -> None:
        self.config = config

    def sample(self, num_frames: int, rng: np.random.Generator) -> NoiseSample | None:
        """Draw kind and strengths for a clip, or nothing."""
        config = self.config
        if rng.random() >= config.probability:
            return None
        is_gaussian = rng.random() < config.gaussian_probability
        is_gray = bool(rng.random() < config.gray_probability)
        strengths = random_walk(
            num_frames,
            start_range=config.gaussian_sigma_range if is_gaussian else config.poisson_scale_range,
            step=config.gaussian_sigma_step if is_gaussian else config.poisson_scale_step,
            rng=rng,
        )
        kind: Literal["gaussian", "poisson"] = "gaussian" if is_gaussian else "poisson"
        return NoiseSample(kind=kind, is_gray=is_gray, strengths=strengths)

    def __call__(self, frames: Frames, rng: np.random.Generator) -> Frames:
        """Add noise to frames ``(h, w, 3)``, RGB float32 in [0, 1], or return them as they are."""
        sample = self.sample(len(frames), rng)
        if sample is None:
            return frames
        poisson = counted_poisson_noise if self.config.photons == "counted" else poisson_noise
        draw = gaussian_noise if sample.kind == "gaussian" else poisson
        noisy = [
            frame + draw(frame, float(strength), gray=sample.is_gray, rng=rng)
            for frame, strength in zip(frames, sample.strengths, strict=True)
        ]
        return [np.clip(frame, 0, 1, out=frame) for frame in noisy]
