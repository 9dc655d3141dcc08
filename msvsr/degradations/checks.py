"""Checks shared by the configurations of the degradations."""

import math
from collections.abc import Mapping, Sequence

from msvsr.errors import ConfigError, ShapeError

__all__ = [
    "check_choices",
    "check_kernel_sizes",
    "check_positive",
    "check_probabilities",
    "check_probability",
    "check_range",
    "check_sides",
    "check_steps",
]


def check_probability(name: str, value: float) -> None:
    """Refuse a number outside [0, 1].

    Raises:
        ConfigError: The value is not a probability.
    """
    if not 0 <= value <= 1:
        raise ConfigError(f"{name} must be a probability in [0, 1], got {value}")


def check_probabilities(name: str, values: Sequence[float], number: int) -> None:
    """Refuse anything but the given number of probabilities that add up to 1.

    Raises:
        ConfigError: There are more or fewer, one is no probability, or the sum is not 1.
    """
    is_distribution = all(0 <= value <= 1 for value in values) and abs(sum(values) - 1) < 1e-6
    if len(values) != number or not is_distribution:
        raise ConfigError(f"{name} must be {number} probabilities of sum 1, got {list(values)}")


def check_range(
    name: str, value: tuple[float, float], *, low: float = -math.inf, high: float = math.inf
) -> None:
    """Refuse a pair that is not ``low <= first <= second <= high``.

    Raises:
        ConfigError: The pair is not an ordered range inside the bounds.
    """
    if len(value) != 2 or not low <= value[0] <= value[1] <= high:
        raise ConfigError(f"{name} must be an ordered pair within [{low}, {high}], got {value}")


def check_steps(steps: Mapping[str, float]) -> None:
    """Refuse the step of a walk that is negative or no number.

    Raises:
        ConfigError: A step is below 0 or not finite.
    """
    for name, step in steps.items():
        if not 0 <= step < math.inf:
            raise ConfigError(f"{name} must be 0 or more, got {step}")


def check_positive(name: str, value: int) -> None:
    """Refuse a count below 1.

    Raises:
        ConfigError: The value is below 1.
    """
    if value < 1:
        raise ConfigError(f"{name} must be at least 1, got {value}")


def check_kernel_sizes(name: str, sizes: Sequence[int]) -> None:
    """Refuse an empty list or one with an even side.

    Raises:
        ConfigError: There is no size, or one is not a positive odd number.
    """
    if not sizes or any(size < 1 or size % 2 == 0 for size in sizes):
        raise ConfigError(f"{name} must be odd numbers, got {tuple(sizes)}")


def check_sides(size: tuple[int, int], scale: int) -> None:
    """Refuse ground truth that cannot be made smaller by the scale.

    Raises:
        ShapeError: A side cannot be divided by the scale.
    """
    height, width = size
    if height % scale or width % scale:
        raise ShapeError(f"sides must be divisible by {scale}, got {height}x{width}")


def check_choices(name: str, values: Sequence[str], known: Sequence[str]) -> None:
    """Refuse an empty list or one with an unknown word.

    Raises:
        ConfigError: The list is empty or holds an unknown word.
    """
    unknown = sorted(set(values) - set(known))
    if unknown or not values:
        raise ConfigError(f"{name} must be chosen from {sorted(known)}, got {list(values)}")
