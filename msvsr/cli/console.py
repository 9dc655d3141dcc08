"""What a person sees on the terminal: progress on stderr, results on stdout."""

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from fractions import Fraction

    from msvsr.app.jobs import Progress, VideoReport
    from msvsr.evaluation import EvaluationProgress
    from msvsr.training.events import TrainingProgress

__all__ = [
    "TrainingDisplay",
    "evaluation_bar",
    "print_json",
    "print_line",
    "print_report",
    "progress_bar",
    "training_bar",
    "training_line",
]

_SECONDS_BETWEEN_LINES = 10.0
"""How often a training says where it stands when nobody watches a terminal."""


def print_line(text: str) -> None:
    """Write a line to stdout."""
    sys.stdout.write(f"{text}\n")


def print_json(values: Mapping[str, Any] | list[Any]) -> None:
    """Write values to stdout as JSON; whatever JSON does not know becomes a string."""
    print_line(json.dumps(values, indent=2, default=str, ensure_ascii=False))


def print_report(report: "VideoReport", *, quiet: bool, as_json: bool) -> None:
    """Tell what a job did: a line on stdout after its warnings on stderr, or all of it as JSON."""
    if as_json:
        print_json({**asdict(report), "frames_per_second": report.frames_per_second})
    elif not quiet:
        for warning in report.warnings:
            sys.stderr.write(f"msvsr: warning: {warning}\n")
        print_line(_summary(report))


def _summary(report: "VideoReport") -> str:
    (height, width), (output_height, output_width) = report.input_size, report.output_size
    change = f"{width}x{height}"
    if report.output_size != report.input_size:
        change += f" to {output_width}x{output_height}"
    if report.output_frame_rate != report.input_frame_rate:
        change += f", {_rate(report.input_frame_rate)} to {_rate(report.output_frame_rate)} fps"
    return (
        f"{report.output}: {report.num_frames} frames, {change}, {report.seconds:.1f} s "
        f"({report.frames_per_second:.2f} frames/s)"
    )


def _rate(frame_rate: "Fraction") -> str:
    return f"{float(frame_rate):.3f}".rstrip("0").rstrip(".")


@contextmanager
def progress_bar(description: str, *, visible: bool) -> Iterator[Callable[["Progress"], None]]:
    """Show how far a job is, with frames per second and the time left.

    Yields:
        What to call with the job's progress.
    """
    with _frame_bar(description, visible=visible) as update:

        def show(progress: "Progress") -> None:
            update(progress.frames_done, progress.num_frames, progress.frames_per_second, "")

        yield show


@contextmanager
def evaluation_bar(*, visible: bool) -> Iterator[Callable[["EvaluationProgress"], None]]:
    """Show how far an evaluation is, as `progress_bar` does, with the clip at work.

    Yields:
        What to call with the evaluation's progress.
    """
    with _frame_bar("evaluating", visible=visible) as update:

        def show(progress: "EvaluationProgress") -> None:
            rate = progress.frames_done / progress.seconds if progress.seconds > 0 else 0.0
            note = f"{progress.clip} ({progress.clips_done}/{progress.num_clips})"
            update(progress.frames_done, progress.num_frames, rate, note)

        yield show


@contextmanager
def _frame_bar(
    description: str, *, visible: bool
) -> Iterator[Callable[[float, int | None, float, str], None]]:
    """A bar that takes frames done, frames in all, frames per second, and a note."""
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.fields[known]} frames"),
        TextColumn("{task.fields[rate]:.2f} frames/s"),
        TimeRemainingColumn(elapsed_when_finished=True),
        TextColumn("{task.fields[note]}"),
    )
    console = Console(stderr=True)
    with Bar(
        *columns, console=console, transient=True, disable=not (visible and console.is_terminal)
    ) as bar:
        task = bar.add_task(description, total=None, known="?", rate=0.0, note="")

        def update(done: float, total: int | None, rate: float, note: str) -> None:
            bar.update(task, total=total, completed=done, known=total or "?", rate=rate, note=note)

        yield update


class TrainingDisplay(NamedTuple):
    """What a training is told by.

    Attributes:
        show: Shows how far it is.
        say: Writes a line that stays.
    """

    show: Callable[["TrainingProgress"], None]
    say: Callable[[str], None]


@contextmanager
def training_bar(*, visible: bool) -> Iterator[TrainingDisplay]:
    """Show how far a training is: a bar on a terminal, else a line every few seconds."""
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    said_at = -_SECONDS_BETWEEN_LINES

    def say(text: str) -> None:
        if visible:
            console.print(text, markup=False, highlight=False, soft_wrap=True)

    columns = (BarColumn(), TextColumn("{task.description}", markup=False))
    is_drawn = visible and console.is_terminal
    with Bar(*columns, console=console, transient=True, disable=not is_drawn) as bar:
        task = bar.add_task("training", total=None)

        def show(progress: "TrainingProgress") -> None:
            nonlocal said_at
            line, now = training_line(progress), time.monotonic()
            if is_drawn:
                done, total = progress.step, progress.num_steps
                bar.update(task, total=total, completed=done, description=line)
            elif now - said_at >= _SECONDS_BETWEEN_LINES or progress.step == progress.num_steps:
                said_at = now
                say(line)

        yield TrainingDisplay(show, say)


def training_line(progress: "TrainingProgress") -> str:
    """Where a training stands, in one line.

    Example:
        >>> from msvsr.training.events import TrainingProgress
        >>> training_line(TrainingProgress(step=20, num_steps=3000, losses={"total": 0.0421},
        ...     images_per_second=12.34, data_wait_share=0.031, seconds_left=3723.4))
        'step 20/3000, loss 0.0421, 12.3 images/s, 3 % waiting for data, 1:02:03 left'
    """
    parts = [
        f"step {progress.step}/{progress.num_steps}",
        f"loss {progress.losses['total']:.4g}",
        f"{progress.images_per_second:.1f} images/s",
        f"{progress.data_wait_share:.0%} waiting for data".replace("%", " %"),
    ]
    if progress.seconds_left is not None:
        parts.append(f"{timedelta(seconds=round(progress.seconds_left))} left")
    return ", ".join(parts)
