"""Ctrl-C and the signal to end, kept until a training step is done."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["Interrupt", "catch_interrupts"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_ECHO_SECONDS = 2.0
"""A launcher may pass a signal on that the terminal sent as well: two at once count as one."""


class Interrupt:
    """Whether somebody asked the run to end.

    Attributes:
        is_requested: A signal came.
    """

    def __init__(self) -> None:
        self.is_requested = False
        self._since = 0.0

    def handle(self, number: int, _frame: FrameType | None) -> None:
        """Note a signal; the second Ctrl-C ends at once.

        Raises:
            KeyboardInterrupt: Ctrl-C came before, and the run is still there.
        """
        now = time.monotonic()
        is_again = self.is_requested and now - self._since > _ECHO_SECONDS
        if is_again and number == signal.SIGINT:
            raise KeyboardInterrupt
        if not self.is_requested:
            self.is_requested, self._since = True, now


@contextmanager
def catch_interrupts() -> Iterator[Interrupt]:
    """Keep Ctrl-C and the signal to end as a note; outside the main thread nothing changes."""
    interrupt = Interrupt()
    if threading.current_thread() is not threading.main_thread():
        yield interrupt
        return
    before = {number: signal.signal(number, interrupt.handle) for number in _SIGNALS}
    try:
        yield interrupt
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
