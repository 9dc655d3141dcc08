"""What ``evaluation`` in a configuration, and the caller, ask of an evaluation.

Options are the fields of `msvsr.evaluation.EvaluationOptions`, those of `ModelOptions`, and for
super-resolution those of `msvsr.engine.options.EngineOptions`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from msvsr.engine.options import EngineOptions
from msvsr.evaluation import EvaluationOptions
from msvsr.models.devices import choose_dtype
from msvsr.plugin.names import FRAME_INTERPOLATION_METRIC, SUPER_RESOLUTION_METRIC
from msvsr.plugin.options import build_options, refuse_unknown

__all__ = ["EvaluationSettings", "ModelOptions", "read_settings"]

_MODELSCOPES_KEYS = (
    "dataloader",
    "period",
    "visualization",
    "cache_dir",
    "gpu_collect",
    "val_iters_per_epoch",
)
"""Keys of ``evaluation`` that ModelScope reads itself."""

_SEVERAL = ("metrics", "protocols")
_PATHS = ("niqe_pristine", "lpips_weights")


@dataclass(frozen=True, kw_only=True)
class ModelOptions:
    """How a model computes, and on what.

    Attributes:
        dtype: Type that convolutions compute in where a protocol does not say: ``auto``,
            ``float32``, ``bfloat16``, ``float16``.
        data_name: What the data are called in the report. Published numbers stand beside those for
            data that are called like it. ``None`` takes the name of the folder, if it is one.
    """

    dtype: str = "auto"
    data_name: str | None = None

    def __post_init__(self) -> None:
        choose_dtype(self.dtype, torch.device("cpu"))


@dataclass(frozen=True, kw_only=True)
class EvaluationSettings:
    """What an evaluation is asked for.

    Attributes:
        options: What is measured, and what is kept.
        model: How the model computes, and on what.
        engine: How clips are cut into pieces.
    """

    options: EvaluationOptions = field(default_factory=EvaluationOptions)
    model: ModelOptions = field(default_factory=ModelOptions)
    engine: EngineOptions = field(default_factory=EngineOptions)


def read_settings(
    configuration: Mapping[str, Any], options: Mapping[str, Any], *, has_engine: bool
) -> EvaluationSettings:
    """Put together what the configuration and the caller say.

    Args:
        configuration: ``evaluation`` of a configuration.
        options: What the caller says, which wins.
        has_engine: Whether the task has the options of the engine.

    Raises:
        ConfigError: An option is unknown or has an impossible value.

    Example:
        >>> settings = read_settings({"metrics": "niqe"}, {"resume": False}, has_engine=True)
        >>> settings.options.metrics, settings.options.resume
        (('niqe',), False)
    """
    own = {key: value for key, value in configuration.items() if key not in _MODELSCOPES_KEYS}
    values = {key: _fit(key, value) for key, value in {**own, **options}.items()}
    classes = (EvaluationOptions, ModelOptions, *((EngineOptions,) if has_engine else ()))
    refuse_unknown(values, *classes)
    return EvaluationSettings(
        options=build_options(EvaluationOptions, values),
        model=build_options(ModelOptions, values),
        engine=build_options(EngineOptions, values) if has_engine else EngineOptions(),
    )


def _fit(key: str, value: Any) -> Any:  # noqa: ANN401
    """A value of JSON as the dataclasses have it."""
    if key in _SEVERAL and value is not None:
        several = [value] if isinstance(value, str | Mapping) else list(value)
        return tuple(filter(_is_ours, several)) or None
    return Path(value) if key in _PATHS and isinstance(value, str) else value


def _is_ours(name: object) -> bool:
    """Whether a name is one of ours; ModelScope lists its own classes under the same key."""
    theirs = (SUPER_RESOLUTION_METRIC, FRAME_INTERPOLATION_METRIC)
    return not isinstance(name, Mapping) and name not in theirs
