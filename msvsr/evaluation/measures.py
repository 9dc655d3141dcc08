"""The metrics of an evaluation by name: what each needs, and what it says of a frame."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch

from msvsr.errors import ConfigError, MsvsrError, ShapeError
from msvsr.evaluation.consistency import WARPING_ERROR
from msvsr.evaluation.model_description import describe_weights
from msvsr.evaluation.options import EvaluationOptions
from msvsr.evaluation.protocols import EvaluationProtocol
from msvsr.metrics import (
    load_lpips,
    load_perceptual,
    lpips,
    mse,
    niqe,
    perceptual_index,
    psnr,
    ssim,
    ssim_3d,
)
from msvsr.metrics.niqe import load_pristine

__all__ = [
    "INTERPOLATION_METRICS",
    "SUPER_RESOLUTION_METRICS",
    "Compared",
    "Measures",
    "choose_metrics",
    "choose_protocols",
]

_BLIND = ("niqe", "brisque", "nrqm", "pi", WARPING_ERROR)
_WITH_REFERENCE = ("mse", "psnr", "ssim", "psnr_y", "ssim_y")

SUPER_RESOLUTION_METRICS = (*_BLIND, *_WITH_REFERENCE)
"""Those after the first five need ground truth."""

INTERPOLATION_METRICS = ("psnr", "ssim", "lpips", "psnr_y", "ssim_y", "mse")

_Measure = Callable[["Compared"], float]


@dataclass(frozen=True, kw_only=True)
class Compared:
    """A frame to measure.

    Attributes:
        image: RGB (or as the protocol wants it), ``(1, 3, h, w)``, [0, 1], without its border.
        reference: The frame that it should be, of the same shape; ``None`` where there is none.
        has_3d_ssim: SSIM is the one in three dimensions.
    """

    image: torch.Tensor
    reference: torch.Tensor | None = None
    has_3d_ssim: bool = False


def choose_metrics(
    names: Sequence[str] | None,
    accepted: Sequence[str],
    default: Sequence[str],
    protocols: Sequence[EvaluationProtocol],
    *,
    has_ground_truth: bool,
) -> tuple[str, ...]:
    """Check the metrics that were asked for.

    Args:
        names: Which; ``None`` takes the default ones.
        accepted: Those of the task.
        default: Those that are measured unless others are named.
        protocols: The protocols that they are measured under.
        has_ground_truth: Whether there is something to compare frames with.

    Raises:
        ConfigError: One does not exist, needs ground truth that is not there, or is part of no
            protocol that was chosen.
    """
    chosen = tuple(default if names is None else names)
    for name in chosen:
        if name not in accepted:
            raise ConfigError(f"no metric '{name}': expected some of {', '.join(accepted)}")
        if name in _WITH_REFERENCE and not has_ground_truth:
            raise ConfigError(
                f"{name} compares with ground truth, and there is none: give it, or choose among "
                f"{', '.join(_BLIND)}"
            )
        if not any(protocol.measures(name) for protocol in protocols) and names is not None:
            raise ConfigError(
                f"{name} is part of no protocol that was chosen "
                f"({', '.join(protocol.name for protocol in protocols)}): choose another"
            )
    return chosen


def choose_protocols(
    protocols: Sequence[EvaluationProtocol], metrics: Sequence[str], *, are_named: bool
) -> tuple[EvaluationProtocol, ...]:
    """Leave protocols out that have none of the metrics.

    Args:
        protocols: The protocols.
        metrics: Names of the metrics, at least one of which is part of a protocol.
        are_named: Whether the user has named the protocols.

    Raises:
        ConfigError: The user has named one that has none of them.
    """
    kept = tuple(each for each in protocols if any(each.measures(name) for name in metrics))
    left_out = [each.name for each in protocols if each not in kept]
    if left_out and are_named:
        raise ConfigError(
            f"the protocol {left_out[0]} has none of the metrics {', '.join(metrics)}: "
            "choose another protocol, or more metrics"
        )
    return kept


class Measures:
    """The metrics that can be measured here, ready to be.

    Args:
        metrics: Their names.
        options: Where their figures are.

    Attributes:
        asked: Their names.
        crop_border: Pixels that are left out at each side.
        unavailable: Those that cannot be measured, and why.
        conditions: What the values depend on beside the frames, for JSON.

    Raises:
        CheckpointError: NIQE's pristine model was named and cannot be read.
    """

    def __init__(self, metrics: Sequence[str], options: EvaluationOptions) -> None:
        self._options = options
        self.asked = tuple(metrics)
        self.crop_border = options.crop_border
        self.unavailable: dict[str, str] = {}
        self.conditions: dict[str, object] = {"crop_border": options.crop_border}
        self._measures: dict[str, _Measure] = {
            "mse": partial(_compare, mse),
            "psnr": partial(_compare, psnr),
            "ssim": _ssim,
            "psnr_y": partial(_compare, partial(psnr, channels="y")),
            "ssim_y": partial(_compare, partial(ssim, channels="y")),
            WARPING_ERROR: _no_frame_value,
        }
        loaders = {"niqe": self._load_niqe, "lpips": self._load_lpips}
        for name in ("niqe", "lpips", "brisque", "nrqm", "pi"):
            if name in metrics or ("pi" in metrics and name in ("niqe", "nrqm")):
                self._load(name, loaders.get(name, partial(self._load_perceptual, name)))

    @property
    def available(self) -> tuple[str, ...]:
        """Names of the metrics that were asked for and can be measured."""
        return tuple(name for name in self.asked if name not in self.unavailable)

    def drop(self, unavailable: Iterable[Mapping[str, str]]) -> None:
        """Give metrics up that another process cannot measure.

        Raises:
            ConfigError: None is left.
        """
        for each in unavailable:
            self.unavailable |= each
        if not self.available:
            name = self.asked[0]
            raise ConfigError(f"nothing can be measured: {name}: {self.unavailable[name]}")

    def _load(self, name: str, load: Callable[[], _Measure]) -> None:
        try:
            self._measures[name] = load()
        except MsvsrError as error:
            if name == "niqe":
                raise
            self.unavailable[name] = str(error)

    def _load_niqe(self) -> _Measure:
        pristine = load_pristine(self._options.niqe_pristine)
        figures = {"mean": pristine.mean, "covariance": pristine.covariance}
        self.conditions["niqe_pristine"] = describe_weights("niqe", figures).sha256
        return lambda compared: float(niqe(compared.image, pristine=pristine))

    def _load_lpips(self) -> _Measure:
        network = load_lpips(self._options.lpips_weights)
        self.conditions["lpips"] = describe_weights("lpips", network.state_dict()).sha256
        return partial(_compare, partial(lpips, network=network))

    def _load_perceptual(self, name: str) -> _Measure:
        if name == "pi":
            if "nrqm" in self.unavailable:
                raise ConfigError(f"it is made of NIQE and NRQM, and {self.unavailable['nrqm']}")
            return _no_frame_value
        measure = load_perceptual("brisque" if name == "brisque" else "nrqm")
        return lambda compared: float(measure(compared.image))

    def measure(self, compared: Compared, names: Collection[str]) -> dict[str, float]:
        """Measure a frame.

        Args:
            compared: The frame.
            names: Which metrics.

        Returns:
            Its values; NaN where it has none.
        """
        values: dict[str, float] = {}
        for name in names:
            if name == "pi":
                parts = (values[part] if part in values else self._measures[part](compared)
                         for part in ("niqe", "nrqm"))  # fmt: skip
                values[name] = perceptual_index(*parts)
            elif name != WARPING_ERROR:
                values[name] = self._measures[name](compared)
        return values


def _compare(
    metric: Callable[[torch.Tensor, torch.Tensor], torch.Tensor], compared: Compared
) -> float:
    if compared.reference is None:
        raise ConfigError("a frame without ground truth cannot be compared: give ground truth")
    if compared.image.shape != compared.reference.shape:
        sizes = [
            f"{each.shape[-1]}x{each.shape[-2]}" for each in (compared.image, compared.reference)
        ]
        raise ShapeError(
            f"ground truth must have the size of the output: the output has {sizes[0]} pixels, "
            f"ground truth {sizes[1]}; give clips of that size"
        )
    return float(metric(compared.image, compared.reference))


def _ssim(compared: Compared) -> float:
    return _compare(ssim_3d if compared.has_3d_ssim else ssim, compared)


def _no_frame_value(compared: Compared) -> float:
    raise ConfigError(f"not a metric of single frames, got {tuple(compared.image.shape)}")
