"""Frames at a constant rate, by repeating and dropping."""

from collections.abc import Iterator
from fractions import Fraction

from msvsr.frame import Frame
from msvsr.video.timestamps import nearest_tick

__all__ = ["ConstantRate"]


class ConstantRate:
    """Puts frames on a grid of instants ``origin + k / rate``.

    A frame fills the slots from the one nearest to its instant to the one before the next frame's;
    when both are the same slot it is dropped. Taking the nearest slot keeps timestamps that were
    rounded (to milliseconds, say) from causing a repeat here and a drop there.
    """

    def __init__(self, rate: Fraction) -> None:
        """Start a grid.

        Args:
            rate: Frames per second.
        """
        self._tick = 1 / rate
        self._pending: Frame | None = None
        self._slot = 0

    def push(self, frame: Frame, origin: Fraction) -> Iterator[Frame]:
        """Take the next frame and give the slots that the previous one fills."""
        slot = nearest_tick(frame.time_seconds - origin, self._tick)
        yield from self._fill(slot)
        self._pending, self._slot = frame, max(slot, self._slot)

    def finish(self, origin: Fraction) -> Iterator[Frame]:
        """Give the slots that the last frame fills, at least one."""
        if self._pending is None:
            return
        last = self._pending
        end = last.time_seconds + (last.duration or 0) * last.time_base - origin
        yield from self._fill(max(nearest_tick(end, self._tick), self._slot + 1))
        self._pending = None

    def _fill(self, until: int) -> Iterator[Frame]:
        if self._pending is None:
            return
        image = self._pending.image
        while self._slot < until:
            slot, self._slot = self._slot, self._slot + 1
            yield Frame(image=image, pts=slot, time_base=self._tick, duration=1)
