"""Steps as a person writes them: ``unsharp:amount=0.8:radius=2,median:size=5,upscale``."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, get_type_hints

from msvsr.classical.catalog import ALIASES, STEPS, Alias
from msvsr.classical.step import Step, choices_of, limits_of
from msvsr.errors import ConfigError

__all__ = ["parse_steps"]

_EXPLAINED = "'msvsr classic --list' explains all"


def parse_steps(text: str) -> tuple[Step, ...]:
    """Read steps from a text.

    Args:
        text: Steps with commas between them; a step is a name, with ``:parameter=value`` for each
            parameter that is not to have its default.

    Returns:
        The steps, in order.

    Raises:
        ConfigError: A name is unknown, or a value wrong.

    Example:
        >>> parse_steps("median:size=5, lanczos:factor=2")
        (Median(size=5), Scale(factor=2.0, method='lanczos'))
    """
    return tuple(_parse_step(part.strip()) for part in text.split(","))


def _parse_step(text: str) -> Step:
    name, *settings = (part.strip() for part in text.split(":"))
    if not name:
        raise ConfigError("there is a step without a name: expected steps like sharpen,upscale")
    alias = _find(name)
    values = dict(alias.preset)
    accepted = [entry.name for entry in fields(alias.kind) if entry.name not in alias.preset]
    for setting in settings:
        key, equals, value = (part.strip() for part in setting.partition("="))
        if not (key and equals and value):
            raise ConfigError(
                f"'{setting}' in the step '{text}' is no parameter=value: "
                f"'{name}' takes {', '.join(accepted)}"
            )
        if key not in accepted:
            raise ConfigError(
                f"the step '{name}' has no parameter '{key}': it takes {', '.join(accepted)}"
            )
        if key in values:
            raise ConfigError(f"the step '{text}' says {key} twice: say it once")
        values[key] = value
    return alias.kind(**_convert(alias.kind, values))


def _find(name: str) -> Alias:
    if name in STEPS:
        return Alias(kind=STEPS[name])
    if name not in ALIASES:
        known = ", ".join((*ALIASES, *STEPS))
        raise ConfigError(f"unknown step '{name}': there are {known}; {_EXPLAINED}")
    return ALIASES[name]


def _convert(kind: type[Step], values: Mapping[str, str]) -> dict[str, Any]:
    """Texts as values of the fields' types; what is none stays a text, and the step refuses it."""
    hints = get_type_hints(kind)
    converted: dict[str, Any] = {}
    for entry in fields(kind):
        if entry.name not in values:
            continue
        text, hint = values[entry.name], hints[entry.name]
        if limits_of(entry) is not None:
            converted[entry.name] = _number(text, is_whole=hint is int)
        else:
            known = {str(choice): choice for choice in choices_of(hint)}
            converted[entry.name] = known.get(text, text)
    return converted


def _number(text: str, *, is_whole: bool) -> float | str:
    try:
        return int(text) if is_whole else float(text)
    except ValueError:
        return text
