"""What a person sees on the terminal: progress on stderr, results on stdout."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fractions import Fraction

    from msvsr.app.jobs import Progress, VideoReport
    from msvsr.evaluation import EvaluationProgress

__all__ = ["evaluation_bar", "print_json", "print_line", "print_report", "progress_bar"]


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
