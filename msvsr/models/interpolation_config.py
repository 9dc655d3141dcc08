"""The ``configuration.json`` of a frame interpolation model folder, checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from msvsr.errors import ConfigError
from msvsr.models.config import expect_whole
from msvsr.models.config_json import dataclass_from_mapping

__all__ = ["FlowConfig", "InterpolationConfig", "InterpolatorConfig"]

_MAX_REFINER_BLOCKS = 3


@dataclass(frozen=True, kw_only=True)
class FlowConfig:
    """Kind and behaviour of the RAFT network: the key ``model.network``.

    The first four fields are RAFT's own options, with its defaults.

    Attributes:
        small: The small network of the two that RAFT's authors published.
        mixed_precision: Accepted for compatibility; the type is chosen when a model is loaded.
        dropout: Accepted for compatibility; it matters in training alone.
        alternate_corr: Look correlation up on demand however small the frames are.
        num_iterations: Updates of the flow; the authors use 12 here, fewer are quicker.
    """

    small: bool = False
    mixed_precision: bool = False
    dropout: float = 0.0
    alternate_corr: bool = False
    num_iterations: int = 12

    def __post_init__(self) -> None:
        expect_whole("num_iterations", self.num_iterations, minimum=1)
        if not 0 <= self.dropout < 1:
            raise ConfigError(f"dropout must lie in [0, 1), got {self.dropout}")


@dataclass(frozen=True, kw_only=True)
class InterpolatorConfig:
    """Sizes of the network that refines flows and makes frames: the key ``model.interpolator``.

    The defaults are the official network. Other values describe smaller ones of its kind.

    Attributes:
        refiner_channels: Channels of each block that refines flows, three at most; none leaves
            flows as they are.
        attention: Use transformer layers in all blocks but the first.
        base_channels: Channels of the first level of the U-Net.
        mask_channels: Channels of the two networks that make masks.
    """

    refiner_channels: tuple[int, ...] = (128, 64, 32)
    attention: bool = True
    base_channels: int = 32
    mask_channels: tuple[int, int] = (32, 16)

    def __post_init__(self) -> None:
        for name in ("refiner_channels", "mask_channels"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        expect_whole("base_channels", self.base_channels, minimum=1)
        for name in ("refiner_channels", "mask_channels"):
            for channels in getattr(self, name):
                expect_whole(name, channels, minimum=1)
        if len(self.refiner_channels) > _MAX_REFINER_BLOCKS:
            raise ConfigError(
                f"refiner_channels must name {_MAX_REFINER_BLOCKS} blocks at most, "
                f"got {len(self.refiner_channels)}"
            )
        if self.attention and any(channels % 2 for channels in self.refiner_channels[1:]):
            raise ConfigError(
                "refiner_channels must be even where there is attention (it has two heads), "
                f"got {list(self.refiner_channels)}"
            )


@dataclass(frozen=True, kw_only=True)
class InterpolationConfig:
    """What a model folder says about its interpolation model: the key ``model``.

    Attributes:
        network: Kind and behaviour of the flow network.
        interpolator: Sizes of the network that makes frames.
    """

    network: FlowConfig = field(default_factory=FlowConfig)
    interpolator: InterpolatorConfig = field(default_factory=InterpolatorConfig)

    @classmethod
    def from_mapping(cls, configuration: Mapping[str, Any]) -> "InterpolationConfig":
        """Take the model's part out of a whole configuration.

        Args:
            configuration: The parsed ``configuration.json``.

        Raises:
            ConfigError: A key is unknown or a value impossible.
        """
        model = dict(configuration.get("model") or {})
        model.pop("type", None)
        given = {key: value for key, value in model.items() if value is not None}
        return dataclass_from_mapping(cls, given, "model")
