"""Whole-number arithmetic on timestamps: repairing them, finding a clock that fits them all."""

from collections.abc import Iterable
from fractions import Fraction
from math import gcd

__all__ = ["TimestampRepair", "common_time_base", "nearest_tick", "seconds_to_fraction"]

_MAX_DENOMINATOR = 2**31 - 1  # an mp4 clock has 32 bits, x264 takes 31
_MICROSECONDS = 1_000_000


def seconds_to_fraction(seconds: float | Fraction) -> Fraction:
    """Read seconds given as a float the way they were meant.

    Example:
        >>> seconds_to_fraction(0.1), seconds_to_fraction(1001 / 30000)
        (Fraction(1, 10), Fraction(1001, 30000))
    """
    if isinstance(seconds, Fraction):
        return seconds
    return Fraction(seconds).limit_denominator(_MICROSECONDS)


def nearest_tick(seconds: Fraction, time_base: Fraction) -> int:
    """The tick nearest to an instant, the later one when two are as near.

    Example:
        >>> nearest_tick(Fraction(1, 30), Fraction(1, 1000))
        33
    """
    ticks = seconds / time_base
    return (2 * ticks.numerator + ticks.denominator) // (2 * ticks.denominator)


def common_time_base(instants: Iterable[Fraction]) -> Fraction | None:
    """The coarsest clock that has a tick on every one of the instants and at zero.

    Args:
        instants: Time bases and offsets in seconds.

    Returns:
        Seconds per tick; ``None`` when it is finer than containers can store.

    Example:
        >>> common_time_base([Fraction(1, 30), Fraction(1, 1000)])
        Fraction(1, 3000)
    """
    numerator, denominator = 0, 1
    for value in instants:
        numerator, denominator = (
            gcd(numerator * value.denominator, value.numerator * denominator),
            denominator * value.denominator,
        )
        common = gcd(numerator, denominator)
        numerator, denominator = numerator // common, denominator // common
    if numerator == 0 or denominator > _MAX_DENOMINATOR:
        return None
    return Fraction(numerator, denominator)


class TimestampRepair:
    """Makes timestamps strictly increasing, changing only those that are missing or too early.

    A missing timestamp becomes the last one plus a frame. One that repeats or lies a little too
    early moves one tick past the last. A clock that jumps back by more than a second has been
    restarted (spliced streams): everything after it is shifted to follow on.

    Attributes:
        num_missing: Timestamps that were missing.
        num_moved: Timestamps that were too early.
        num_restarts: Times that the clock was restarted.
    """

    def __init__(self, *, frame_ticks: int, second_ticks: int) -> None:
        """Start a repair.

        Args:
            frame_ticks: Usual distance between frames.
            second_ticks: Ticks per second, at least 1.
        """
        self._frame_ticks = max(1, frame_ticks)
        self._second_ticks = max(1, second_ticks)
        self._offset = 0
        self._last: int | None = None
        self.num_missing = 0
        self.num_moved = 0
        self.num_restarts = 0

    def next(self, pts: int | None) -> int:
        """Give the timestamp to use for the next frame."""
        if self._last is None:
            self.num_missing += pts is None
            self._last = pts or 0
        elif pts is None:
            self.num_missing += 1
            self._last += self._frame_ticks
        else:
            self._last = self._follow(self._last, pts)
        return self._last

    def _follow(self, last: int, pts: int) -> int:
        if pts + self._offset > last:
            return pts + self._offset
        if last - (pts + self._offset) > self._second_ticks:
            self.num_restarts += 1
            self._offset = last + self._frame_ticks - pts
            return pts + self._offset
        self.num_moved += 1
        return last + 1
