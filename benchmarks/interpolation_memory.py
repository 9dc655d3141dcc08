"""Resident memory of interpolation over videos of several lengths.

    python benchmarks/interpolation_memory.py [--frames 50 500 2000] [--size 320x180] [--ratio 2]

Writes videos without cuts and interpolates each from file to file in a process of its own. Prints
the largest resident memory of each process and what it held on the way: neither may grow with the
length. The networks have the size of the embedded model, two iterations and random weights, which
changes the time and the picture but not what is kept; ``--model`` takes a model folder instead.
"""

import argparse
import resource
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from multiprocessing import get_context
from pathlib import Path

import psutil
import torch
from memory import MEBIBYTE, panning_frames

from msvsr.app.interpolate import interpolate_video
from msvsr.app.jobs import Progress
from msvsr.engine.options import InterpolationOptions
from msvsr.models.interpolation_config import FlowConfig, InterpolationConfig, InterpolatorConfig
from msvsr.models.raft_interpolation import RaftInterpolation, build_networks
from msvsr.video import open_sink

SMALL = InterpolationConfig(
    network=FlowConfig(small=True, num_iterations=2),
    interpolator=InterpolatorConfig(
        refiner_channels=(48, 24), attention=False, base_channels=12, mask_channels=(12, 8)
    ),
)
MARKS = (0.25, 0.5, 0.75, 1.0)
MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes


@dataclass(frozen=True, kw_only=True)
class Task:
    """One video to interpolate."""

    source: Path
    num_frames: int
    ratio: Fraction
    model: Path | None
    threads: int


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What one video took; memory in MiB, on the way at each of `MARKS`."""

    num_written: int
    peak: float
    on_the_way: list[float]
    seconds: float


def main() -> None:
    """Measure and print a table."""
    arguments = parse_arguments()
    what = arguments.model or "networks of the embedded model's size with random weights"
    print(f"{arguments.size}, ratio {arguments.ratio}, one shot, {what}\n")
    marks = ", ".join(f"{mark:.0%}" for mark in MARKS)
    print(f"| frames | written | peak MiB | MiB at {marks} | seconds |\n|---|---|---|---|---|")
    peaks = []
    with tempfile.TemporaryDirectory() as folder:
        for num_frames in arguments.frames:
            source = write_video(Path(folder, f"{num_frames}.mp4"), num_frames, arguments.size)
            figures = run_apart(
                Task(
                    source=source,
                    num_frames=num_frames,
                    ratio=arguments.ratio,
                    model=arguments.model,
                    threads=arguments.threads,
                )
            )
            peaks.append(figures.peak)
            resident = ", ".join(f"{value:.0f}" for value in figures.on_the_way)
            print(
                f"| {num_frames} | {figures.num_written} | {figures.peak:.0f} | {resident} "
                f"| {figures.seconds:.0f} |",
                flush=True,
            )
    growth = ", ".join(f"{peak - peaks[0]:+.0f}" for peak in peaks[1:])
    if growth:
        print(f"\nPeak against that of {arguments.frames[0]} frames: {growth} MiB")


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, nargs="+", default=[50, 500, 2000])
    parser.add_argument("--size", default="320x180", help="width x height of the input")
    parser.add_argument("--ratio", type=Fraction, default=Fraction(2))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--model", type=Path, help="model folder (default: random weights)")
    return parser.parse_args()


def write_video(path: Path, num_frames: int, size: str) -> Path:
    """A video without a cut."""
    width, height = map(int, size.split("x"))
    with open_sink(path, size=(height, width)) as sink:
        for frame in panning_frames(num_frames, height, width):
            sink.write(frame)
    return path


def run_apart(task: Task) -> Figures:
    """Do a task in a fresh process, whose memory has seen nothing else."""
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
        return pool.submit(interpolate, task).result()


def interpolate(task: Task) -> Figures:
    """Interpolate from file to file and watch the memory of this process."""
    torch.set_num_threads(task.threads)
    process = psutil.Process()
    on_the_way: list[float] = []

    def watch(progress: Progress) -> None:
        passed = sum(progress.frames_done >= mark * task.num_frames - 0.5 for mark in MARKS)
        if passed > len(on_the_way):
            resident = process.memory_info().rss / MEBIBYTE
            on_the_way.extend([resident] * (passed - len(on_the_way)))

    report = interpolate_video(
        task.source,
        task.source.with_name(f"made_{task.source.name}"),
        model=load_model(task.model),
        timing=InterpolationOptions(interp_ratio=task.ratio),
        on_progress=watch,
    )
    return Figures(
        num_written=report.num_frames,
        peak=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * MAXRSS_UNIT / MEBIBYTE,
        on_the_way=on_the_way,
        seconds=report.seconds,
    )


def load_model(folder: Path | None) -> RaftInterpolation:
    """The model of a folder, or a small one with random weights."""
    if folder is not None:
        return RaftInterpolation.from_folder(folder, device="cpu")
    torch.manual_seed(0)
    return RaftInterpolation(build_networks(SMALL), device="cpu")


if __name__ == "__main__":
    main()
