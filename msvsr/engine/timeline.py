"""When output frames are due, and between which source frames: exact fractions, no pixels.

Nothing is rounded and nothing accumulates, so a plan is as exact after an hour as at its beginning.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from msvsr.engine.options import InterpolationOptions
from msvsr.errors import InputError
from msvsr.frame import Frame

__all__ = ["InstantReader", "Output", "Span", "Timeline", "plan_outputs", "steady_rate"]

_MAX_CORRECTION = Fraction(1, 4)
"""Of a frame's nominal duration: timestamps are never moved by more."""

_MAX_RATE_ERROR = Fraction(1, 20)
_MIN_FRAMES_TO_MEASURE = 3


class Output(NamedTuple):
    """One frame that is due.

    Attributes:
        left_index: The source frame that it stands on or after.
        timestep: How far it is to the next source frame, in [0, 1): 0 is the source frame itself.
        instant: When it is due, in seconds.
    """

    left_index: int
    timestep: Fraction
    instant: Fraction


@dataclass(frozen=True, kw_only=True)
class Span:
    """The time from one source frame to the next.

    Attributes:
        index: Number of the source frame.
        start: Its instant in seconds.
        end: The next frame's, or when the last one stops being shown.
        is_last: There is no next frame.
    """

    index: int
    start: Fraction
    end: Fraction
    is_last: bool = False


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """The instants of all output frames.

    Attributes:
        origin: Instant of the first source frame in seconds; the first output frame's as well.
        frame_rate: Output frames per second; their mean when the rhythm is kept.
        time_base: Seconds per tick of a clock that has a tick on every output instant.
        rhythm_ratio: Output frames per source interval, whatever its length. ``None``: output
            frames come at a constant rate, whatever the source's rhythm.
        hold_last: Fill the time that the last source frame is shown.
    """

    origin: Fraction
    frame_rate: Fraction
    time_base: Fraction
    rhythm_ratio: Fraction | None = None
    hold_last: bool = True

    @classmethod
    def begin(cls, first: Frame, frame_rate: Fraction, options: InterpolationOptions) -> "Timeline":
        """The timeline of a source, known from its first frame.

        Args:
            first: The first frame; its clock is that of all frames.
            frame_rate: Frames per second of the source.
            options: What is asked for.
        """
        rate = options.output_rate(frame_rate)
        ratio = options.rate_factor(frame_rate) if options.keep_rhythm else None
        if ratio is None:
            time_base = _common_tick(first.time_seconds, 1 / rate)
        else:  # a timestep is a multiple of 1 / numerator, a distance one of the source's ticks
            time_base = first.time_base / ratio.numerator
        return cls(
            origin=first.time_seconds,
            frame_rate=rate,
            time_base=time_base,
            rhythm_ratio=ratio,
            hold_last=options.hold_last,
        )

    def numbers_in(self, span: Span) -> range:
        """Numbers of the output frames that are due in a span, its end left out."""
        start, end = self._positions(span)
        if span.is_last and not self.hold_last:
            return range(math.ceil(start), math.floor(start) + 1)
        return range(math.ceil(start), math.ceil(end))

    def output(self, number: int, span: Span) -> Output:
        """One of the output frames that are due in a span."""
        start, end = self._positions(span)
        timestep = (number - start) / (end - start)
        instant = span.start + timestep * (span.end - span.start)
        return Output(span.index, Fraction(0) if span.is_last else timestep, instant)

    def outputs_in(self, span: Span) -> Iterator[Output]:
        """All output frames that are due in a span, its end left out."""
        return (self.output(number, span) for number in self.numbers_in(span))

    def duration(self, output: Output, span: Span) -> Fraction:
        """Seconds that an output frame is shown, as far as its span tells.

        Where the rhythm is kept, the next span decides for the last output frame of this one.
        """
        if self.rhythm_ratio is None:
            return 1 / self.frame_rate
        period = (span.end - span.start) / self.rhythm_ratio
        return min(period, span.end - output.instant) if span.is_last else period

    def ticks(self, seconds: Fraction) -> int:
        """Seconds on the timeline's clock."""
        return math.floor(seconds / self.time_base + Fraction(1, 2))

    def _positions(self, span: Span) -> tuple[Fraction, Fraction]:
        """Where a span starts and ends, counted in output frames."""
        if self.rhythm_ratio is not None:
            return span.index * self.rhythm_ratio, (span.index + 1) * self.rhythm_ratio
        rate, origin = self.frame_rate, self.origin
        return (span.start - origin) * rate, (span.end - origin) * rate


def plan_outputs(
    instants: Iterable[Fraction], timeline: Timeline, *, last_duration: Fraction
) -> Iterator[Output]:
    """Plan the output frames of a whole stream, one source frame ahead.

    Args:
        instants: Of the source frames in seconds, in order.
        timeline: When output frames are due.
        last_duration: How long the last source frame is shown, in seconds.

    Yields:
        The output frames in order.

    Example:
        >>> timeline = Timeline(
        ...     origin=Fraction(0), frame_rate=Fraction(5, 2), time_base=Fraction(1, 5)
        ... )
        >>> outputs = plan_outputs([Fraction(0), Fraction(1)], timeline, last_duration=Fraction(1))
        >>> [str(output.timestep) for output in outputs]
        ['0', '2/5', '4/5', '0', '0']
    """
    last: Span | None = None
    for index, instant in enumerate(instants):
        if last is not None:
            yield from timeline.outputs_in(replace(last, end=instant, is_last=False))
        last = Span(index=index, start=instant, end=instant + last_duration, is_last=True)
    if last is not None:
        yield from timeline.outputs_in(last)


def steady_rate(frames: Sequence[Frame], frame_rate: Fraction) -> Fraction:
    """Correct a nominal frame rate by the first frames of a stream.

    A header's mean is a little off where the last frame is shown for another time than the others.
    Then no output frame would fall on a source frame.

    Args:
        frames: The first few.
        frame_rate: Frames per second as the header has them.

    Returns:
        The rate of the frames where they are evenly spaced and within 5 percent of the nominal
        rate, but either further from it than rounding explains, or a usual rate where the nominal
        one is none; otherwise the nominal rate.

    Example:
        >>> import numpy as np
        >>> image = np.zeros((1, 1, 3), np.uint8)
        >>> frames = [Frame(image=image, pts=20 * k, time_base=Fraction(1, 600)) for k in range(4)]
        >>> steady_rate(frames, Fraction(5400, 179))
        Fraction(30, 1)
    """
    intervals = {right.time_seconds - left.time_seconds for left, right in pairwise(frames)}
    if len(frames) < _MIN_FRAMES_TO_MEASURE or len(intervals) > 1 or min(intervals) <= 0:
        return frame_rate
    measured = 1 / intervals.pop()
    error = abs((len(frames) - 1) * (1 / measured - 1 / frame_rate))
    is_wrong = error >= frames[0].time_base or _is_usual(measured) > _is_usual(frame_rate)
    is_near = abs(measured / frame_rate - 1) <= _MAX_RATE_ERROR
    return measured if is_near and is_wrong else frame_rate


def _is_usual(rate: Fraction) -> bool:
    """Whole, or NTSC's thousandth below."""
    return 1 in (rate.denominator, (rate * 1001 / 1000).denominator)


class InstantReader:
    """Reads instants as they were before a container rounded them to its clock.

    An instant less than a tick away from a multiple of the nominal frame duration, counted from the
    first frame, is that multiple. (Two timestamps that were rounded in the same way are off by less
    than a tick against each other, so that the first one's own rounding is covered.) Others are
    taken as they are, so that variable frame rates keep their real instants.
    """

    def __init__(self, frame_rate: Fraction, *, snaps: bool = True) -> None:
        """Start at the first frame.

        Args:
            frame_rate: Nominal frames per second.
            snaps: Undo the rounding. Without it, all instants are taken as they are.
        """
        self._rate = frame_rate
        self._max_correction = _MAX_CORRECTION / frame_rate if snaps else Fraction(0)
        self._origin: Fraction | None = None
        self._last: Fraction | None = None

    def next(self, frame: Frame) -> Fraction:
        """The instant of the next frame in seconds.

        Raises:
            InputError: It is not later than the one before.
        """
        seconds = frame.time_seconds
        if self._origin is None:
            self._origin = self._last = seconds
            return seconds
        last = self._last
        nearest = self._origin + self._nearest_multiple(seconds - self._origin)
        is_rounded = abs(nearest - seconds) < self._tolerance(frame)
        instant = nearest if is_rounded and (last is None or nearest > last) else seconds
        if last is not None and instant <= last:
            raise InputError(
                f"frames must come in the order of their instants, got one at {float(seconds):.6f} "
                f"s after one at {float(last):.6f} s; sort them"
            )
        self._last = instant
        return instant

    def duration(self, frame: Frame) -> Fraction:
        """How long a frame is shown, in seconds: a nominal duration when it does not say."""
        if not frame.duration:
            return 1 / self._rate
        seconds = frame.duration * frame.time_base
        nearest = self._nearest_multiple(seconds)
        is_rounded = nearest > 0 and abs(nearest - seconds) < self._tolerance(frame)
        return nearest if is_rounded else seconds

    def _nearest_multiple(self, seconds: Fraction) -> Fraction:
        return math.floor(seconds * self._rate + Fraction(1, 2)) / self._rate

    def _tolerance(self, frame: Frame) -> Fraction:
        return min(frame.time_base, self._max_correction)


def _common_tick(*values: Fraction) -> Fraction:
    """The longest tick of which all values are multiples."""
    denominator = math.lcm(*(value.denominator for value in values))
    return Fraction(math.gcd(*(int(value * denominator) for value in values)), denominator)
