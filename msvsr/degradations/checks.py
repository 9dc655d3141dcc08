"""Checks shared by the configurations of the degradations."""

import math
from collections.abc import Sequence

from msvsr.errors import ConfigError

__all__ = ["check_choices", "check_probability", "check_range"]


def check_probability(name: str, value: float) -> None:
    """Refuse a number outside [0, 1].

    Raises:
        ConfigError: The value is not a probability.
    """
    if not 0 <= value <= 1:
        raise ConfigError(f"{name} must be a probability in [0, 1], got {value}")


def check_range(
    name: str, value: tuple[float, float], *, low: float = -math.inf, high: float = math.inf
) -> None:
    """Refuse a pair that is not ``low <= first <= second <= high``.

    Raises:
        ConfigError: The pair is not an ordered range inside the bounds.
    """
    if len(value) != 2 or not low <= value[0] <= value[1] <= high:
        raise ConfigError(f"{name} must be an ordered pair within [{low}, {high}], got {value}")


def check_choices(name: str, values: Sequence[str], known: Sequence[str]) -> None:
    """Refuse an empty list or one with an unknown word.

    Raises:
        ConfigError: The list is empty or holds an unknown word.
    """
    unknown = sorted(set(values) - set(known))
    if unknown or not values:
        raise ConfigError(f"{name} must be chosen from {sorted(known)}, got {list(values)}")
