"""What every step of classical enhancement is: a few checked numbers, and a function on images."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import Field, dataclass, field, fields
from typing import Any, ClassVar, Literal, get_args, get_origin, get_type_hints

from msvsr.errors import ConfigError
from msvsr.frame import ImageArray

__all__ = ["Limits", "Step", "choices_of", "limited", "limits_of"]

_LIMITS = "limits"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a number of a step may be.

    Attributes:
        low: The smallest value.
        high: The largest value.
        is_odd: Only odd numbers.
        also: One more value, outside of that.
    """

    low: float
    high: float
    is_odd: bool = False
    also: float | None = None

    def allow(self, value: float) -> bool:
        """Whether a value is inside."""
        if self.also is not None and value == self.also:
            return True
        return self.low <= value <= self.high and not (self.is_odd and value % 2 == 0)

    def __str__(self) -> str:
        text = f"{'odd ' if self.is_odd else ''}from {self.low:g} to {self.high:g}"
        return text if self.also is None else f"{self.also:g}, or {text}"


def limited(
    default: float,
    *,
    low: float,
    high: float,
    is_odd: bool = False,
    also: float | None = None,
) -> Any:  # noqa: ANN401 - a field stands in for a value of its own type
    """A number of a step with the values that it may have; `Step` holds it to them."""
    limits = Limits(low=low, high=high, is_odd=is_odd, also=also)
    return field(default=default, metadata={_LIMITS: limits})


def limits_of(parameter: "Field[Any]") -> Limits | None:
    """What a number of a step may be; ``None`` for one of a few values."""
    limits: Limits | None = parameter.metadata.get(_LIMITS)
    return limits


def choices_of(hint: object) -> tuple[str | int, ...]:
    """What a parameter of a step may be, where that is a few values; else nothing."""
    return get_args(hint) if get_origin(hint) is Literal else ()


@dataclass(frozen=True, kw_only=True)
class Step(ABC):
    """One step: called with an image, it gives the next one, of the same depth.

    The dataclass fields of a step are its parameters.
    """

    name: ClassVar[str]
    """The step's name in a list of steps."""

    def __post_init__(self) -> None:
        """Check the parameters.

        Raises:
            ConfigError: A value is of another kind or out of range.
        """
        hints = get_type_hints(type(self))
        for parameter in fields(self):
            value, limits = getattr(self, parameter.name), limits_of(parameter)
            where = f"{self.name}: {parameter.name}"
            if limits is not None:
                _check_number(where, value, limits, is_whole=hints[parameter.name] is int)
            else:
                _check_choice(where, value, choices_of(hints[parameter.name]))

    @abstractmethod
    def __call__(self, image: ImageArray) -> ImageArray:
        """Process an image.

        Args:
            image: RGB ``(h, w, 3)``, uint8 or uint16.

        Returns:
            RGB ``(h', w', 3)`` of the same depth, where ``(h', w')`` is `output_size`.
        """

    def output_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Height and width that an image of a height and width comes out with."""
        return size


def _check_number(where: str, value: Any, limits: Limits, *, is_whole: bool) -> None:  # noqa: ANN401 - it may be anything
    kinds = int if is_whole else (int, float)
    is_number = isinstance(value, kinds) and not isinstance(value, bool) and math.isfinite(value)
    if not is_number or not limits.allow(value):
        kind = "whole number" if is_whole else "number"
        raise ConfigError(f"{where} must be a {kind} ({limits}), got {value!r}")


def _check_choice(where: str, value: object, choices: Sequence[str | int]) -> None:
    if isinstance(value, bool) or value not in choices:
        accepted = ", ".join(map(str, choices))
        raise ConfigError(f"{where} must be one of {accepted}, got {value!r}")
