"""The page's queue: one job at a time, in order, cancelled at once, failing in one line."""

import threading
import time
from collections.abc import Iterator

import pytest

from msvsr.errors import InputError, VideoError
from msvsr.ui.jobs import JobCancelledError, JobQueue, JobView, Outlet

_PATIENCE = 10


class Steps:
    """Jobs that a test lets go on one by one."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.go_on = threading.Semaphore(0)
        self.num_running = 0
        self.most_running = 0

    def run(self, request: str, outlet: Outlet) -> str:
        """Do a job once it is let go on."""
        self.begun.append(request)
        self.num_running += 1
        self.most_running = max(self.most_running, self.num_running)
        try:
            while not self.go_on.acquire(timeout=0.01):
                if outlet.cancelled.is_set():
                    raise JobCancelledError("cancelled")
            if request == "bad":
                raise VideoError("this is\nno video")
            if request == "broken":
                raise ZeroDivisionError("oh")
            return request.upper()
        finally:
            self.num_running -= 1


@pytest.fixture
def steps() -> Steps:
    return Steps()


@pytest.fixture
def queue(steps: Steps) -> Iterator[JobQueue[str, str]]:
    queue = JobQueue(steps.run)
    yield queue
    queue.close()


def wait_for(queue: JobQueue[str, str], number: int, state: str) -> JobView[str, str]:
    end = time.monotonic() + _PATIENCE
    while queue.view(number).state != state and time.monotonic() < end:
        time.sleep(0.005)
    assert queue.view(number).state == state
    return queue.view(number)


def test_jobs_run_one_at_a_time_in_order(steps: Steps, queue: JobQueue[str, str]) -> None:
    numbers = [queue.submit(name) for name in ("a", "b", "c")]
    assert numbers == [1, 2, 3]
    wait_for(queue, 1, "running")
    assert [view.state for view in queue.views()] == ["running", "waiting", "waiting"]
    for _ in numbers:
        steps.go_on.release()
    assert queue.wait(3, _PATIENCE).result == "C"
    assert [view.state for view in queue.views()] == ["done"] * 3
    assert steps.begun == ["a", "b", "c"]
    assert steps.most_running == 1


def test_a_running_job_is_cancelled_and_the_next_one_begins(
    steps: Steps, queue: JobQueue[str, str]
) -> None:
    queue.submit("a")
    queue.submit("b")
    wait_for(queue, 1, "running")
    queue.cancel(1)
    assert queue.wait(1, _PATIENCE).state == "cancelled"
    steps.go_on.release()
    assert queue.wait(2, _PATIENCE).result == "B"


def test_a_waiting_job_that_is_cancelled_never_begins(
    steps: Steps, queue: JobQueue[str, str]
) -> None:
    queue.submit("a")
    queue.submit("b")
    queue.cancel(2)
    assert queue.view(2).state == "cancelled"
    steps.go_on.release()
    queue.wait(1, _PATIENCE)
    assert steps.begun == ["a"]
    queue.cancel(1)  # an ended job stays as it is
    assert queue.view(1).state == "done"


@pytest.mark.parametrize(
    ("request_", "line"),
    [("bad", "this is no video"), ("broken", "unexpected ZeroDivisionError: oh")],
)
def test_a_failed_job_tells_one_line_and_the_queue_goes_on(
    steps: Steps, queue: JobQueue[str, str], request_: str, line: str
) -> None:
    queue.submit(request_)
    queue.submit("b")
    steps.go_on.release()
    steps.go_on.release()
    assert queue.wait(2, _PATIENCE).state == "done"
    failed = queue.view(1)
    assert (failed.state, failed.error, failed.result) == ("failed", line, None)


def test_progress_and_pictures_can_be_watched() -> None:
    go_on = threading.Event()

    def run(request: str, outlet: Outlet) -> str:
        outlet.progress(5.0, 20, 2.5)
        outlet.preview(b"jpeg")
        go_on.wait(_PATIENCE)
        return request

    queue = JobQueue(run)
    try:
        before = queue.version
        queue.submit("a")
        view = wait_for(queue, 1, "running")
        end = time.monotonic() + _PATIENCE
        while view.preview is None and time.monotonic() < end:
            view = queue.view(1)
        assert (view.frames_done, view.num_frames, view.preview) == (5.0, 20, b"jpeg")
        assert view.seconds_left == pytest.approx(6.0)
        assert queue.version > before
        go_on.set()
        ended = queue.wait(1, _PATIENCE)
        assert ended.preview is None  # pictures are not kept for ever
        assert ended.seconds > 0
    finally:
        go_on.set()
        queue.close()


def test_closing_cancels_what_runs_and_takes_no_more(steps: Steps) -> None:
    queue = JobQueue(steps.run)
    queue.submit("a")
    queue.submit("b")
    wait_for(queue, 1, "running")
    queue.close()
    assert [view.state for view in queue.views()] == ["cancelled", "cancelled"]
    with pytest.raises(InputError):
        queue.submit("c")


def test_an_unknown_number_is_refused(queue: JobQueue[str, str]) -> None:
    with pytest.raises(InputError, match="there is no job 7"):
        queue.cancel(7)
