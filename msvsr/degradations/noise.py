"""Sensor noise: Gaussian and Poisson, coloured and grey."""

from dataclasses import dataclass

import numpy as np

from msvsr.degradations.checks import check_probability, check_range
from msvsr.degradations.types import Clip, FloatArray
from msvsr.degradations.walk import random_walk

__all__ = ["Noise", "NoiseConfig", "gaussian_noise", "poisson_noise"]

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
        poisson_scale_range: Factor on the noise of an image of 256 photons per pixel at white.
        poisson_scale_step: Its largest change from frame to frame.
    """

    probability: float = 0.6
    gaussian_probability: float = 0.6
    gray_probability: float = 0.4
    gaussian_sigma_range: tuple[float, float] = (1.0, 15.0)
    gaussian_sigma_step: float = 0.1
    poisson_scale_range: tuple[float, float] = (0.05, 2.0)
    poisson_scale_step: float = 0.005

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
    clean = (frame @ _LUMA)[..., None] if gray else frame
    clean = np.clip(clean, 0, 1)
    counts = rng.poisson(clean * _PHOTONS).astype(np.float32)
    noise: FloatArray = (counts / np.float32(_PHOTONS) - clean) * np.float32(scale)
    return noise


class Noise:
    """Adds noise that is independent in time, with a slowly changing strength."""

    def __init__(self, config: NoiseConfig) -> None:
        self.config = config

    def __call__(self, clip: Clip, rng: np.random.Generator) -> Clip:
        """Add noise to a clip ``(t, h, w, 3)``, RGB float32 in [0, 1], or return it as it is."""
        config = self.config
        if rng.random() >= config.probability:
            return clip
        is_gaussian = rng.random() < config.gaussian_probability
        gray = bool(rng.random() < config.gray_probability)
        strengths = random_walk(
            len(clip),
            start_range=config.gaussian_sigma_range if is_gaussian else config.poisson_scale_range,
            step=config.gaussian_sigma_step if is_gaussian else config.poisson_scale_step,
            rng=rng,
        )
        draw = gaussian_noise if is_gaussian else poisson_noise
        frames = [
            frame + draw(frame, float(strength), gray=gray, rng=rng)
            for frame, strength in zip(clip, strengths, strict=True)
        ]
        noisy: Clip = np.clip(np.stack(frames), 0, 1)
        return noisy
