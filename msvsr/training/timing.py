"""Clocks of a training run: its limits, what is due, how fast it goes."""

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from msvsr.training.config import LoopSettings

__all__ = ["Limits", "Stopwatch", "Timers"]

Duty = Literal["checkpoint", "validation", "sample"]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Where one call of a run ends.

    Attributes:
        last_step: At this step.
        deadline: Or at this time of `time.monotonic`.
    """

    last_step: int
    deadline: float

    @classmethod
    def of(
        cls, step: int, num_steps: int, max_steps: int | None, max_minutes: float | None
    ) -> "Limits":
        """From the steps of the run and what a call asks for; the time starts now."""
        last = num_steps if max_steps is None else min(num_steps, step + max_steps)
        deadline = float("inf") if max_minutes is None else time.monotonic() + max_minutes * 60
        return cls(last_step=last, deadline=deadline)

    def is_time_over(self) -> bool:
        """Whether the time is up."""
        return time.monotonic() > self.deadline


class Timers:
    """Tells when checkpoints, validations and pictures are due: after steps or after minutes.

    Args:
        settings: How often.
    """

    def __init__(self, settings: LoopSettings) -> None:
        self._steps: dict[Duty, int] = {
            "checkpoint": settings.checkpoint_steps,
            "validation": settings.validation_steps,
            "sample": settings.sample_steps,
        }
        self._seconds: dict[Duty, float] = {
            "checkpoint": settings.checkpoint_minutes * 60,
            "validation": settings.validation_minutes * 60,
            "sample": float("inf"),
        }
        self._last = dict.fromkeys(self._steps, time.monotonic())

    def is_due(self, duty: Duty, step: int) -> bool:
        """Whether it is time after this step; the clock of the duty then starts again."""
        now, steps = time.monotonic(), self._steps[duty]
        is_due = step % steps == 0 if steps else now - self._last[duty] > self._seconds[duty]
        if is_due:
            self._last[duty] = now
        return is_due


class Stopwatch:
    """Speed over the last steps, and the time in all.

    Args:
        num_steps: How many steps the speed looks back on.
    """

    def __init__(self, num_steps: int = 50) -> None:
        self._started = time.monotonic()
        self._waited = self._paused = 0.0
        self._images = 0
        self._marks = deque([(self._started, 0.0, 0)], maxlen=num_steps + 1)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Count the time inside as waiting for samples."""
        before = time.monotonic()
        yield
        self._waited += time.monotonic() - before

    @contextmanager
    def pausing(self) -> Iterator[None]:
        """Leave the time inside, such as that of a validation, out of the speed."""
        before = time.monotonic()
        yield
        self._paused += time.monotonic() - before

    def add_step(self, num_images: int) -> None:
        """Count a step that learned from so many images."""
        self._images += num_images
        self._marks.append((time.monotonic() - self._paused, self._waited, self._images))

    @property
    def seconds(self) -> float:
        """Time since the start."""
        return time.monotonic() - self._started

    def _recent(self) -> tuple[float, float, int]:
        """Seconds, seconds of waiting and images of the last steps."""
        (time_0, waited_0, images_0), (time_1, waited_1, images_1) = self._marks[0], self._marks[-1]
        return max(time_1 - time_0, 1e-9), waited_1 - waited_0, images_1 - images_0

    @property
    def images_per_second(self) -> float:
        """Images per second of the last steps."""
        seconds, _, images = self._recent()
        return images / seconds

    @property
    def data_wait_share(self) -> float:
        """Part of the time of the last steps spent waiting for samples."""
        seconds, waited, _ = self._recent()
        return min(waited / seconds, 1.0)

    def seconds_for(self, num_steps: int) -> float | None:
        """Time that so many more steps take; ``None`` when there was no step yet."""
        done = len(self._marks) - 1
        return None if done == 0 else self._recent()[0] / done * num_steps

    def figures(self) -> dict[str, float]:
        """What a line of the log says about time."""
        return {
            "minutes": self.seconds / 60,
            "data_seconds": self._waited,
            "images_per_second": self.images_per_second,
            "data_wait_share": self.data_wait_share,
        }
