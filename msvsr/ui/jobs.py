"""A queue of jobs: one runs at a time, each can be cancelled, and all of them can be watched."""

import itertools
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, Literal, TypeVar

from msvsr.errors import InputError, MsvsrError

__all__ = ["ENDED", "JobCancelledError", "JobQueue", "JobState", "JobView", "Outlet"]

RequestT = TypeVar("RequestT")
ResultT = TypeVar("ResultT")

JobState = Literal["waiting", "running", "done", "failed", "cancelled"]

ENDED: frozenset[JobState] = frozenset({"done", "failed", "cancelled"})
"""States that a job does not leave any more."""

_MAX_WAITING = 100

_log = logging.getLogger(__name__)


class JobCancelledError(MsvsrError):
    """A job ended because somebody cancelled it."""


@dataclass(frozen=True, kw_only=True)
class JobView(Generic[RequestT, ResultT]):
    """What can be seen of a job at one moment.

    Attributes:
        number: Counts from 1.
        request: What was asked for.
        state: Where it stands.
        frames_done: Work done, in frames of the source.
        num_frames: Frames of the source; ``None`` when unknown.
        frames_per_second: Frames of the source per second since the work began.
        preview: The latest frame as JPEG; ``None`` before the first and after the end.
        began: When it began to run, on the monotonic clock; ``None`` before.
        seconds: How long it ran, once it has ended.
        result: What it gave; ``None`` unless it is done.
        error: What went wrong, in one line; empty unless it failed.
    """

    number: int
    request: RequestT
    state: JobState = "waiting"
    frames_done: float = 0.0
    num_frames: int | None = None
    frames_per_second: float = 0.0
    preview: bytes | None = None
    began: float | None = None
    seconds: float = 0.0
    result: ResultT | None = None
    error: str = ""

    @property
    def seconds_left(self) -> float | None:
        """Time until the end at the speed so far; ``None`` while nobody knows."""
        if self.num_frames is None or self.frames_per_second <= 0:
            return None
        return max(self.num_frames - self.frames_done, 0.0) / self.frames_per_second


class Outlet:
    """What a running job tells, and where it learns that it has been cancelled."""

    def __init__(
        self,
        on_progress: Callable[[float, int | None, float], None] = lambda *_: None,
        on_preview: Callable[[bytes], None] = lambda _: None,
    ) -> None:
        """Join the listeners.

        Args:
            on_progress: Takes frames done, frames in all (``None``: unknown), frames per second.
            on_preview: Takes the latest frame as JPEG.
        """
        self.progress = on_progress
        self.preview = on_preview
        self.cancelled = threading.Event()


class JobQueue(Generic[RequestT, ResultT]):
    """Runs jobs one after the other in a thread of its own.

    Args:
        run: Does a job. It raises `JobCancelledError` soon after its outlet's ``cancelled`` is set.
    """

    def __init__(self, run: Callable[[RequestT, Outlet], ResultT]) -> None:
        self._run = run
        self._changed = threading.Condition()
        self._views: dict[int, JobView[RequestT, ResultT]] = {}
        self._outlet = Outlet()
        self._numbers = itertools.count(1)
        self._version = 0
        self._is_closed = False
        self._thread = threading.Thread(target=self._work, name="msvsr-jobs", daemon=True)
        self._thread.start()

    @property
    def version(self) -> int:
        """A number that grows with every change."""
        return self._version

    def submit(self, request: RequestT) -> int:
        """Put a job at the end of the queue.

        Returns:
            Its number.

        Raises:
            InputError: Too many jobs are waiting, or the queue is closed.
        """
        with self._changed:
            waiting = sum(view.state == "waiting" for view in self._views.values())
            if self._is_closed or waiting >= _MAX_WAITING:
                raise InputError(f"{waiting} jobs are waiting already: wait for one of them to end")
            number = next(self._numbers)
            self._put(JobView(number=number, request=request))
            return number

    def cancel(self, number: int) -> None:
        """Take a waiting job out of the queue or stop a running one; an ended one stays as it is.

        Raises:
            InputError: There is no such job.
        """
        with self._changed:
            view = self.view(number)
            if view.state == "waiting":
                self._put(replace(view, state="cancelled"))
            elif view.state == "running":
                self._outlet.cancelled.set()

    def view(self, number: int) -> JobView[RequestT, ResultT]:
        """What can be seen of one job.

        Raises:
            InputError: There is no such job.
        """
        view = self._views.get(number)
        if view is None:
            raise InputError(f"there is no job {number}: choose one from the list")
        return view

    def views(self) -> list[JobView[RequestT, ResultT]]:
        """All jobs, the oldest first."""
        with self._changed:
            return list(self._views.values())

    def wait(self, number: int, timeout_seconds: float) -> JobView[RequestT, ResultT]:
        """Wait until a job has ended, or for so long."""
        with self._changed:
            self._changed.wait_for(lambda: self.view(number).state in ENDED, timeout_seconds)
            return self.view(number)

    def close(self) -> None:
        """Cancel what waits and runs, and wait until it has stopped."""
        with self._changed:
            self._is_closed = True
            for number in list(self._views):
                self.cancel(number)
            self._changed.notify_all()
        self._thread.join()

    def _put(self, view: JobView[RequestT, ResultT]) -> None:
        with self._changed:
            self._views[view.number] = view
            self._version += 1
            self._changed.notify_all()

    def _next_waiting(self) -> JobView[RequestT, ResultT] | None:
        return next((view for view in self._views.values() if view.state == "waiting"), None)

    def _work(self) -> None:
        while (view := self._begin()) is not None:
            self._finish(view.number, self._end_of(view))

    def _begin(self) -> JobView[RequestT, ResultT] | None:
        """The next job, now running; ``None`` when the queue is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed or self._next_waiting() is not None)
            view = self._next_waiting()
            if self._is_closed or view is None:
                return None
            number = view.number
            self._outlet = Outlet(
                lambda done, total, rate: self._update(number, done, total, rate),
                lambda picture: self._show(number, picture),
            )
            running = replace(view, state="running", began=time.monotonic())
            self._put(running)
            return running

    def _update(self, number: int, done: float, total: int | None, rate: float) -> None:
        with self._changed:
            view = self._views[number]
            self._put(replace(view, frames_done=done, num_frames=total, frames_per_second=rate))

    def _show(self, number: int, picture: bytes) -> None:
        with self._changed:
            self._put(replace(self._views[number], preview=picture))

    def _end_of(self, view: JobView[RequestT, ResultT]) -> tuple[JobState, ResultT | None, str]:
        try:
            return "done", self._run(view.request, self._outlet), ""
        except JobCancelledError:
            return "cancelled", None, ""
        except MsvsrError as error:
            return "failed", None, " ".join(str(error).split())
        except Exception as error:
            _log.exception("job %d failed", view.number)
            return (
                "failed",
                None,
                f"unexpected {type(error).__name__}: {' '.join(str(error).split())}",
            )

    def _finish(self, number: int, end: tuple[JobState, ResultT | None, str]) -> None:
        state, result, error = end
        with self._changed:
            view = self._views[number]
            seconds = time.monotonic() - (view.began or time.monotonic())
            self._put(
                replace(
                    view, state=state, result=result, error=error, seconds=seconds, preview=None
                )
            )
