"""What the original project's configuration says about the network."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msvsr.compat.python_config import PythonConfig, read_python_config
from msvsr.errors import ConfigError
from msvsr.models.config import GeneratorConfig
from msvsr.models.config_json import dataclass_from_mapping

__all__ = ["read_generator_config"]

_MODEL_TYPE, _GENERATOR_TYPE = "RealBasicVSR", "RealBasicVSRNet"


def read_generator_config(path: Path) -> GeneratorConfig:
    """Read ``model.generator`` of a configuration file, which is never executed.

    Args:
        path: A Python file of the original project, of mmediting or of mmagic.

    Returns:
        Sizes and behaviour of the network.

    Raises:
        ConfigError: The file cannot be read, describes another model, or has an unknown key.

    Source:
        Layout of the files: ckkelvinchan/RealBasicVSR and open-mmlab/mmagic, Apache-2.0.
    """
    config = read_python_config(path)
    model = config.get("model")
    if not isinstance(model, dict) or not isinstance(model.get("generator"), dict):
        raise ConfigError(f"{path} must assign model = dict(generator=dict(...)){_hint(config)}")
    _refuse_other_type(path, "model", model, _MODEL_TYPE)
    generator = dict(model["generator"])
    _refuse_other_type(path, "model.generator", generator, _GENERATOR_TYPE)
    generator.pop("type", None)
    unnamed = [key for key in generator if not isinstance(key, str)]
    if unnamed:
        raise ConfigError(f"{path}: the keys of model.generator must be names, got {unnamed[0]!r}")
    try:
        return dataclass_from_mapping(GeneratorConfig, generator, "model.generator")
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def _hint(config: PythonConfig) -> str:
    if not config.missing_bases:
        return ": give a configuration such as configs/realbasicvsr_x4.py"
    return f"; it builds on {config.missing_bases[0]}, which is not there: put it in its place"


def _refuse_other_type(path: Path, where: str, content: Mapping[str, Any], expected: str) -> None:
    found = content.get("type", expected)
    if found != expected:
        raise ConfigError(
            f"{path}: {where} is a {found}, expected a {expected}: give its configuration"
        )
