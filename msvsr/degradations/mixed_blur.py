"""Blur with kernels of many shapes that drift over the clip, as RealBasicVSR is trained with."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from msvsr.degradations.blur import filter_frames
from msvsr.degradations.checks import (
    check_choices,
    check_kernel_sizes,
    check_probabilities,
    check_probability,
    check_range,
    check_steps,
)
from msvsr.degradations.kernels import (
    gaussian_kernel,
    generalized_gaussian_kernel,
    plateau_kernel,
    sinc_kernel,
)
from msvsr.degradations.types import FloatArray, Frames
from msvsr.degradations.walk import random_walk

__all__ = ["KERNEL_KINDS", "BlurSample", "MixedBlur", "MixedBlurConfig"]

KernelKind = Literal[
    "iso",
    "aniso",
    "generalized_iso",
    "generalized_aniso",
    "plateau_iso",
    "plateau_aniso",
    "sinc",
]
KERNEL_KINDS: tuple[KernelKind, ...] = (
    "iso",
    "aniso",
    "generalized_iso",
    "generalized_aniso",
    "plateau_iso",
    "plateau_aniso",
    "sinc",
)
_LARGE_KERNEL = 13  # from this side on a sinc may cut off lower
_CUTOFF_OF_SMALL = (math.pi / 3, math.pi)
_CUTOFF_OF_LARGE = (math.pi / 5, math.pi)


@dataclass(frozen=True, kw_only=True)
class MixedBlurConfig:
    """What kernels are drawn; the defaults are those of the first round.

    Attributes:
        probability: How often a clip is blurred at all.
        kernel_sizes: Odd side lengths in pixels, drawn uniformly per clip.
        kinds: Shapes of kernels, of which a clip gets one: iso, aniso, generalized_iso,
            generalized_aniso, plateau_iso, plateau_aniso or sinc.
        kind_probabilities: How often each of them is drawn.
        sigma_range: Width of the kernel in pixels, for either axis.
        sigma_step: Its largest change from frame to frame.
        angle_range: Angle of the first axis to the image's x axis, in radians.
        angle_step: Its largest change from frame to frame.
        generalized_beta_range: Shape of generalized Gaussian kernels.
        generalized_beta_step: Its largest change from frame to frame.
        plateau_beta_range: Shape of plateau kernels.
        plateau_beta_step: Its largest change from frame to frame.
        cutoff_range: Highest frequency that a sinc lets pass, in radians per pixel; ``None`` for
            that of Real-ESRGAN: pi/3 to pi for kernels of less than 13 pixels, else pi/5 to pi.
        cutoff_step: Its largest change from frame to frame.

    Source:
        RealBasicVSR (arXiv 2111.12704), configuration of its training in MMEditing (Apache-2.0).
    """

    probability: float = 1.0
    kernel_sizes: tuple[int, ...] = (7, 9, 11, 13, 15, 17, 19, 21)
    kinds: tuple[KernelKind, ...] = KERNEL_KINDS
    kind_probabilities: tuple[float, ...] = (0.405, 0.225, 0.108, 0.027, 0.108, 0.027, 0.1)
    sigma_range: tuple[float, float] = (0.2, 3.0)
    sigma_step: float = 0.02
    angle_range: tuple[float, float] = (-math.pi, math.pi)
    angle_step: float = 0.31416
    generalized_beta_range: tuple[float, float] = (0.5, 4.0)
    generalized_beta_step: float = 0.05
    plateau_beta_range: tuple[float, float] = (1.0, 2.0)
    plateau_beta_step: float = 0.1
    cutoff_range: tuple[float, float] | None = None
    cutoff_step: float = 0.0628

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: A value is out of range.
        """
        check_probability("blur.probability", self.probability)
        check_kernel_sizes("blur.kernel_sizes", self.kernel_sizes)
        check_choices("blur.kinds", self.kinds, KERNEL_KINDS)
        check_probabilities("blur.kind_probabilities", self.kind_probabilities, len(self.kinds))
        check_range("blur.sigma_range", self.sigma_range, low=1e-3)
        check_range("blur.angle_range", self.angle_range)
        check_range("blur.generalized_beta_range", self.generalized_beta_range, low=1e-3)
        check_range("blur.plateau_beta_range", self.plateau_beta_range, low=1e-3)
        if self.cutoff_range is not None:
            check_range("blur.cutoff_range", self.cutoff_range, low=1e-3, high=math.pi + 1e-3)
        check_steps(
            {
                "blur.sigma_step": self.sigma_step,
                "blur.angle_step": self.angle_step,
                "blur.generalized_beta_step": self.generalized_beta_step,
                "blur.plateau_beta_step": self.plateau_beta_step,
                "blur.cutoff_step": self.cutoff_step,
            }
        )

    def cutoffs_of_size(self, size: int) -> tuple[float, float]:
        """The range of a sinc's cutoff for kernels of this side, in radians per pixel."""
        if self.cutoff_range is not None:
            return self.cutoff_range
        return _CUTOFF_OF_SMALL if size < _LARGE_KERNEL else _CUTOFF_OF_LARGE


@dataclass(frozen=True, kw_only=True)
class BlurSample:
    """The kernels of one clip. Arrays hold one value per frame, needed by the kind or not.

    Attributes:
        kind: Shape of all kernels.
        size: Side of all kernels in pixels.
        sigma_x: Width along the first axis, the only one of an isotropic kernel, in pixels.
        sigma_y: Width along the second axis, in pixels.
        angle: Angle of the first axis, in radians.
        generalized_beta: Shape of a generalized Gaussian kernel.
        plateau_beta: Shape of a plateau kernel.
        cutoff: Highest frequency that a sinc lets pass, in radians per pixel.
    """

    kind: KernelKind
    size: int
    sigma_x: npt.NDArray[np.float64]
    sigma_y: npt.NDArray[np.float64]
    angle: npt.NDArray[np.float64]
    generalized_beta: npt.NDArray[np.float64]
    plateau_beta: npt.NDArray[np.float64]
    cutoff: npt.NDArray[np.float64]

    def kernels(self) -> list[FloatArray]:
        """One kernel per frame, ``(size, size)`` each."""
        return [self._kernel(index) for index in range(len(self.sigma_x))]

    def _kernel(self, index: int) -> FloatArray:
        if self.kind == "sinc":
            return sinc_kernel(self.size, float(self.cutoff[index]))
        sigma_x = float(self.sigma_x[index])
        is_iso = self.kind in ("iso", "generalized_iso", "plateau_iso")
        sigma_y, angle = (
            (sigma_x, 0.0) if is_iso else (float(self.sigma_y[index]), float(self.angle[index]))
        )
        if self.kind in ("iso", "aniso"):
            return gaussian_kernel(self.size, sigma_x, sigma_y, angle)
        if self.kind in ("plateau_iso", "plateau_aniso"):
            beta = float(self.plateau_beta[index])
            return plateau_kernel(self.size, sigma_x, sigma_y, angle, beta)
        beta = float(self.generalized_beta[index])
        return generalized_gaussian_kernel(self.size, sigma_x, sigma_y, angle, beta)


class MixedBlur:
    """Filters each frame with its own kernel: one kind and size per clip, walking parameters.

    MMEditing passes each beta of its walk to a function that draws again between 1 and that value;
    here, as the paper says, the walk itself is used.
    """

    def __init__(self, config: MixedBlurConfig) -> None:
        self.config = config

    def sample(self, num_frames: int, rng: np.random.Generator) -> BlurSample | None:
        """Draw the kernels of a clip, or nothing."""
        config = self.config
        if rng.random() >= config.probability:
            return None
        probabilities = np.array(config.kind_probabilities)
        kind = config.kinds[rng.choice(len(config.kinds), p=probabilities / probabilities.sum())]
        size = int(rng.choice(config.kernel_sizes))

        def walk(start_range: tuple[float, float], step: float) -> npt.NDArray[np.float64]:
            return random_walk(num_frames, start_range=start_range, step=step, rng=rng)

        return BlurSample(
            kind=kind,
            size=size,
            sigma_x=walk(config.sigma_range, config.sigma_step),
            sigma_y=walk(config.sigma_range, config.sigma_step),
            angle=walk(config.angle_range, config.angle_step),
            generalized_beta=walk(config.generalized_beta_range, config.generalized_beta_step),
            plateau_beta=walk(config.plateau_beta_range, config.plateau_beta_step),
            cutoff=walk(config.cutoffs_of_size(size), config.cutoff_step),
        )

    def __call__(self, frames: Frames, rng: np.random.Generator) -> Frames:
        """Blur frames ``(h, w, 3)``, RGB float32 in [0, 1], or return them as they are."""
        sample = self.sample(len(frames), rng)
        return frames if sample is None else filter_frames(frames, sample.kernels())
