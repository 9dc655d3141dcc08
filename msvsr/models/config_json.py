"""Frozen dataclasses from JSON and back; unknown keys are refused."""

import dataclasses
import json
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from msvsr.errors import ConfigError

__all__ = ["dataclass_from_mapping", "read_config", "read_json"]

T = TypeVar("T")


def read_config(path: Path, kind: type[T]) -> T:
    """Read a JSON file into a configuration.

    Args:
        path: The file.
        kind: The configuration's dataclass.

    Returns:
        The configuration; what the file does not name keeps its default.

    Raises:
        ConfigError: The file cannot be read, or holds an unknown key or a wrong type.
    """
    return dataclass_from_mapping(kind, read_json(path), where=path.name)


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON file that holds an object.

    Args:
        path: The file.

    Raises:
        ConfigError: The file cannot be read, or holds something else.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot read the configuration {path}: {error}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{path} must be an object, got {type(content).__name__}")
    return content


def dataclass_from_mapping(kind: type[T], content: object, where: str = "") -> T:
    """Build a dataclass, and those inside it, from nested mappings and lists.

    Args:
        kind: The dataclass.
        content: What was read from JSON.
        where: Name of this part in messages.

    Returns:
        The dataclass.

    Raises:
        ConfigError: A key is unknown or missing, or a value has the wrong type.
    """
    if not isinstance(content, Mapping):
        raise ConfigError(f"{where} must be an object, got {type(content).__name__}")
    hints = typing.get_type_hints(kind)
    fields = dataclasses.fields(kind)  # type: ignore[arg-type]
    unknown = sorted(set(content) - {field.name for field in fields})
    if unknown:
        accepted = ", ".join(field.name for field in fields)
        raise ConfigError(f"unknown key {', '.join(unknown)} in {where}: accepted are {accepted}")
    values = {
        name: _convert(hints[name], value, f"{where}.{name}") for name, value in content.items()
    }
    try:
        return kind(**values)
    except TypeError as error:
        raise ConfigError(f"{where}: {error}") from error


def _convert(hint: Any, value: object, where: str) -> Any:  # noqa: ANN401 - any type of field
    if dataclasses.is_dataclass(hint):
        return dataclass_from_mapping(typing.cast("type[Any]", hint), value, where)
    if typing.get_origin(hint) is tuple:
        return _convert_tuple(typing.get_args(hint), value, where)
    if typing.get_origin(hint) is typing.Literal:
        return _convert_choice(typing.get_args(hint), value, where)
    if isinstance(hint, types.UnionType):
        return None if value is None else _convert(typing.get_args(hint)[0], value, where)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        raise ConfigError(f"{where} must be {hint.__name__}, got {value!r}")
    return value


def _convert_choice(choices: tuple[Any, ...], value: object, where: str) -> object:
    if value not in choices:
        raise ConfigError(f"{where} must be one of {', '.join(choices)}, got {value!r}")
    return value


def _convert_tuple(hints: tuple[Any, ...], value: object, where: str) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise ConfigError(f"{where} must be a list, got {value!r}")
    if hints[-1] is Ellipsis:
        hints = (hints[0],) * len(value)
    if len(hints) != len(value):
        raise ConfigError(f"{where} must have {len(hints)} values, got {len(value)}")
    return tuple(
        _convert(hint, item, f"{where}[{index}]")
        for index, (hint, item) in enumerate(zip(hints, value, strict=True))
    )
