"""Run an evaluation's clips one after the other, shared out among processes, with progress."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from msvsr.evaluation.distributed import Processes
from msvsr.evaluation.options import EvaluationProgress
from msvsr.evaluation.scores import Scores

__all__ = ["ClipOutcome", "Job", "Meter", "Stopwatch", "run_jobs"]

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class ClipOutcome:
    """What was measured on a clip.

    Attributes:
        name: The clip.
        num_frames: Its length.
        scores: Its numbers by protocol.
    """

    name: str
    num_frames: int
    scores: Mapping[str, Scores]


class Job(Protocol):
    """A clip to be evaluated.

    Attributes:
        name: The clip.
        num_frames: Frames that go through the method, over all passes.
    """

    name: str
    num_frames: int

    def run(self, advance: Callable[[int], None]) -> ClipOutcome:
        """Evaluate it, saying how many frames were done since the last call."""
        ...


class Meter:
    """Counts what is done and tells the caller.

    Args:
        jobs: All there is to do, in all processes.
        on_progress: Told after each frame and each clip.
    """

    def __init__(
        self, jobs: Sequence[Job], on_progress: Callable[[EvaluationProgress], None]
    ) -> None:
        self._on_progress = on_progress
        self._num_clips = len(jobs)
        self._num_frames = sum(job.num_frames for job in jobs)
        self._clips_done = self._frames_done = 0
        self._begin = time.perf_counter()

    def advance(self, clip: str, num_frames: int) -> None:
        """Frames were done."""
        self._frames_done += num_frames
        self._tell(clip)

    def finish(self, jobs: Sequence[Job], own: Job | None) -> None:
        """Clips were finished, one of them here."""
        self._clips_done += len(jobs)
        self._frames_done += sum(job.num_frames for job in jobs if job is not own)
        self._tell(jobs[-1].name if own is None else own.name)

    def _tell(self, clip: str) -> None:
        self._on_progress(
            EvaluationProgress(
                clip=clip,
                clips_done=self._clips_done,
                num_clips=self._num_clips,
                frames_done=self._frames_done,
                num_frames=self._num_frames,
                seconds=time.perf_counter() - self._begin,
            )
        )


def run_jobs(jobs: Sequence[Job], processes: Processes, meter: Meter) -> list[ClipOutcome]:
    """Evaluate clips, as many at a time as there are processes.

    The processes meet after each clip, so that an error in one ends all of them soon.

    Returns:
        What was measured on each, in order, the same in all processes.
    """
    outcomes: list[ClipOutcome] = []
    for start in range(0, len(jobs), processes.count):
        batch = jobs[start : start + processes.count]
        own = batch[processes.rank] if processes.rank < len(batch) else None
        made = processes.gather(processes.attempt(_Run(own, meter)))
        outcomes += [outcome for outcome in made if outcome is not None]
        processes.attempt(_Finish(batch, own, meter))
    return outcomes


@dataclass(frozen=True)
class _Run:
    job: Job | None
    meter: Meter

    def __call__(self) -> ClipOutcome | None:
        if self.job is None:
            return None
        name = self.job.name
        return self.job.run(lambda num_frames: self.meter.advance(name, num_frames))


@dataclass(frozen=True)
class _Finish:
    jobs: Sequence[Job]
    own: Job | None
    meter: Meter

    def __call__(self) -> None:
        self.meter.finish(self.jobs, self.own)


class Stopwatch:
    """Takes the time that an iterator needs for its items, and not what is done with them.

    Attributes:
        seconds: The time so far.
        num_items: The items so far.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self.num_items = 0

    def watch(self, items: Iterable[T]) -> Iterator[T]:
        """Pass items on."""
        iterator = iter(items)
        while True:
            begin = time.perf_counter()
            try:
                item = next(iterator)
            except StopIteration:
                self.seconds += time.perf_counter() - begin
                return
            self.seconds += time.perf_counter() - begin
            self.num_items += 1
            yield item
