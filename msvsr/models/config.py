"""The ``configuration.json`` of a super-resolution model folder, checked."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from msvsr.errors import ConfigError
from msvsr.models.config_json import dataclass_from_mapping

__all__ = [
    "CONFIGURATION_FILE",
    "GeneratorConfig",
    "SuperResolutionConfig",
    "expect_whole",
    "read_configuration",
]

CONFIGURATION_FILE = "configuration.json"


@dataclass(frozen=True, kw_only=True)
class GeneratorConfig:
    """Sizes and behaviour of a RealBasicVSR network: the key ``model.generator``.

    The first seven fields are those of the official configuration, with its defaults. The others
    describe smaller networks of the same architecture.

    Attributes:
        mid_channels: Channels of the features.
        num_propagation_blocks: Residual blocks in each propagation branch.
        num_cleaning_blocks: Residual blocks of the cleaning module.
        dynamic_refine_thres: Clean again while the mean absolute residue is at least this, in
            0-255 units; 255 cleans once.
        spynet_pretrained: Weights of the flow network to start training from.
        is_fix_cleaning: Keep the cleaning module's weights fixed in training.
        is_sequential_cleaning: Accepted for compatibility; memory is bounded in any case.
        high_resolution_channels: Channels from half of the output size on.
        flow_channels: Channels of the hidden layers of each level of the flow network.
        flow_kernel_size: Kernel size of the flow network, odd.
        flow_num_levels: Pyramid levels of the flow network.
        flow_finest_level: 0 estimates flow at the image size, 1 at half of it, and so on.
    """

    mid_channels: int = 64
    num_propagation_blocks: int = 20
    num_cleaning_blocks: int = 20
    dynamic_refine_thres: float = 255.0
    spynet_pretrained: str | None = None
    is_fix_cleaning: bool = False
    is_sequential_cleaning: bool = False
    high_resolution_channels: int = 64
    flow_channels: tuple[int, ...] = (32, 64, 32, 16)
    flow_kernel_size: int = 7
    flow_num_levels: int = 6
    flow_finest_level: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "flow_channels", tuple(self.flow_channels))
        for name in _POSITIVE:
            expect_whole(name, getattr(self, name), minimum=1)
        expect_whole("flow_finest_level", self.flow_finest_level, minimum=0)
        for channels in self.flow_channels:
            expect_whole("flow_channels", channels, minimum=1)
        if self.flow_kernel_size % 2 == 0:
            raise ConfigError(f"flow_kernel_size must be odd, got {self.flow_kernel_size}")
        if not 0 <= self.dynamic_refine_thres <= 255:
            raise ConfigError(
                "dynamic_refine_thres must lie in [0, 255] (mean absolute residue in grey levels), "
                f"got {self.dynamic_refine_thres}"
            )


_POSITIVE = (
    "mid_channels",
    "num_propagation_blocks",
    "num_cleaning_blocks",
    "high_resolution_channels",
    "flow_kernel_size",
    "flow_num_levels",
)


@dataclass(frozen=True, kw_only=True)
class SuperResolutionConfig:
    """What a model folder says about its super-resolution model: the key ``model``.

    Attributes:
        generator: Sizes and behaviour of the network.
        max_seq_len: Frames per window; a size of buffers and never a border for propagation.
            ``None`` lets the engine choose.
    """

    generator: GeneratorConfig = field(default_factory=GeneratorConfig)
    max_seq_len: int | None = None

    def __post_init__(self) -> None:
        if self.max_seq_len is not None:
            expect_whole("max_seq_len", self.max_seq_len, minimum=1)

    @classmethod
    def from_mapping(cls, configuration: Mapping[str, Any]) -> "SuperResolutionConfig":
        """Take the model's part out of a whole configuration.

        Args:
            configuration: The parsed ``configuration.json``.

        Raises:
            ConfigError: A key is unknown or a value impossible.
        """
        model = dict(configuration.get("model") or {})
        model.pop("type", None)
        if model.get("generator") is None:
            model.pop("generator", None)
        return dataclass_from_mapping(cls, model, "model")


def read_configuration(folder: Path) -> dict[str, Any]:
    """Read the ``configuration.json`` of a model folder.

    Args:
        folder: The model folder.

    Raises:
        ConfigError: The file is missing, or is no JSON object.
    """
    path = folder / CONFIGURATION_FILE
    try:
        configuration = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(
            f"a model folder needs a {CONFIGURATION_FILE}, found none in '{folder}': "
            "give the folder that holds it"
        ) from error
    except ValueError as error:
        raise ConfigError(f"'{path}' is not valid JSON: {error}") from error
    if not isinstance(configuration, dict):
        raise ConfigError(f"'{path}' must hold a JSON object, found {type(configuration).__name__}")
    return configuration


def expect_whole(name: str, value: object, *, minimum: int) -> None:
    """Make sure that a value of a configuration is a whole number.

    Args:
        name: Its key, for the message.
        value: The value.
        minimum: The smallest one that makes sense.

    Raises:
        ConfigError: It is something else, or smaller.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < minimum:
        raise ConfigError(f"{name} must be a whole number of at least {minimum}, got {value!r}")
