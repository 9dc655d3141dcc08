"""Options by their flat names, as users of a pipeline give them, to the dataclasses they belong to.

The fields of the dataclasses are the only list of names there is.
"""

import types
from collections.abc import Callable, Mapping
from dataclasses import fields
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from msvsr.errors import ConfigError

__all__ = ["accepted_names", "build_options", "refuse_unknown"]

_Options = TypeVar("_Options")


def accepted_names(*classes: type) -> tuple[str, ...]:
    """The names of all fields of some dataclasses, in order."""
    return tuple(entry.name for cls in classes for entry in fields(cls))


def refuse_unknown(values: Mapping[str, object], *classes: type) -> None:
    """Make sure that each value belongs to a dataclass.

    Args:
        values: Values by name.
        classes: The dataclasses.

    Raises:
        ConfigError: A name is none of their fields; the message names those.
    """
    accepted = accepted_names(*classes)
    unknown = sorted(set(values) - set(accepted))
    if unknown:
        raise ConfigError(
            f"unknown option {', '.join(unknown)}: accepted are {', '.join(accepted)}"
        )


def build_options(cls: type[_Options], values: Mapping[str, object]) -> _Options:
    """Make a dataclass of those values that belong to it.

    Args:
        cls: The dataclass.
        values: Values by name. Those of other names are left alone. A fraction may be given as a
            number or a string (``25``, ``23.976``, ``"24000/1001"``).

    Returns:
        The dataclass, with its defaults for what is not given.

    Raises:
        ConfigError: A value has the wrong type, or is refused by the dataclass.

    Example:
        >>> from msvsr.video import SourceOptions
        >>> build_options(SourceOptions, {"frame_rate": "24000/1001", "crf": 20}).frame_rate
        Fraction(24000, 1001)
    """
    hints = get_type_hints(cls)
    names = [name for name in accepted_names(cls) if name in values]
    return cls(**{name: _fit(name, values[name], hints[name]) for name in names})


def _fit(name: str, value: object, hint: Any) -> object:  # noqa: ANN401  (hints are any objects)
    """A value as its field wants it, or an error that says what that is."""
    if _is_fraction_field(hint) and isinstance(value, str | int | float):
        value = _to_fraction(name, value)
    if not any(_has_type(value, one) for one in _alternatives(hint)):
        raise ConfigError(f"{name} must be {_describe(hint)}, got {value!r}")
    if isinstance(value, Mapping):
        return dict(value)
    return value


def _is_fraction_field(hint: object) -> bool:
    return Fraction in _alternatives(hint)


def _to_fraction(name: str, value: str | float) -> Fraction:
    try:
        return Fraction(str(value))
    except (ValueError, ZeroDivisionError) as error:
        raise ConfigError(
            f"{name} must be a number or a fraction like '24000/1001', got {value!r}"
        ) from error


def _alternatives(hint: object) -> tuple[Any, ...]:
    is_union = get_origin(hint) in (Union, types.UnionType)
    return get_args(hint) if is_union else (hint,)


def _has_type(value: object, hint: Any) -> bool:  # noqa: ANN401
    origin = get_origin(hint) or hint
    if origin is Literal:
        return isinstance(value, str)  # the dataclass names the choices itself
    if origin is Callable:
        return callable(value)
    if isinstance(value, bool):
        return origin is bool
    return isinstance(value, (int, float) if origin is float else origin)


_WORDS: dict[object, str] = {
    int: "a whole number",
    float: "a number",
    str: "a string",
    bool: "True or False",
    Path: "a path",
    Fraction: "a fraction",
    Mapping: "a dictionary",
    Callable: "a function",
    type(None): "None",
}


def _describe(hint: object) -> str:
    words = (_WORDS.get(get_origin(one) or one) for one in _alternatives(hint))
    known = [word for word in words if word is not None]
    return " or ".join(known) or str(hint)
