"""Images per second that training data arrive with: the mirrored scheme beside the usual one.

    python benchmarks/data_loading.py --data-dir CLIPS [--size 480] [--workers 1 2] [--repeats 2]

Frames of the clips become PNG files in a temporary folder: squares of 480 pixels, as sub-images of
REDS are, or whole frames (``--size 0``). Each repeat times, in turn, samples of 30 frames that are
all read, with degradations that stay the same over the clip, and samples of which 15 are read and
mirrored, with degradations that walk; the same two again with nothing but reading, sharpening and
taking every fourth pixel. Ratios are taken repeat by repeat, because the speed of a shared machine
drifts.
"""

import argparse
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader

from msvsr.data.endless import EndlessSampler
from msvsr.data.footage import find_footage
from msvsr.data.sampling import ByteClip
from msvsr.data.training_clips import (
    Degrade,
    TrainingClips,
    TrainingClipsConfig,
    TrainingSample,
)
from msvsr.data.windows import limit_worker_threads
from msvsr.degradations.second_order import SecondOrderDegrader
from msvsr.degradations.second_order_config import SecondOrderConfig

MAX_CLIPS = 4
FRAMES_PER_CLIP = 60


@dataclass(frozen=True, kw_only=True)
class Case:
    """One way to make samples."""

    name: str
    base: str
    config: TrainingClipsConfig
    degrade: Degrade


def main() -> None:
    """Measure and print a table."""
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory() as folder:
        write_images(arguments.data_dir, Path(folder), arguments.size)
        seconds = measure(Path(folder), arguments)
    report(seconds, arguments)


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", type=Path, required=True, help="videos or image folders")
    parser.add_argument("--size", type=int, default=480, help="side of the images; 0: whole frames")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--frames", type=int, default=30, help="frames of a sample")
    parser.add_argument("--samples", type=int, default=6, help="per repeat")
    parser.add_argument("--repeats", type=int, default=2)
    return parser.parse_args()


def write_images(source: Path, target: Path, size: int) -> None:
    """Write the first clips that are large and long enough as folders of PNGs."""
    large = max(size, 256)
    chosen = [
        clip
        for clip in find_footage(source)
        if len(clip) >= FRAMES_PER_CLIP and min(clip.size) >= large
    ][:MAX_CLIPS]
    if not chosen:
        raise SystemExit(f"{source}: no clip of {FRAMES_PER_CLIP} frames and {large} pixels")
    for number, clip in enumerate(chosen):
        folder = target / f"{number:03d}"
        folder.mkdir()
        top, left = ((side - size) // 2 if size else 0 for side in clip.size)
        for index, image in enumerate(clip.read(range(FRAMES_PER_CLIP))):
            part = image[top : top + size, left : left + size] if size else image
            path = str(folder / f"{index:08d}.png")
            cv2.imwrite(path, np.ascontiguousarray(part[..., ::-1]))


def cases(num_frames: int) -> Iterator[Case]:
    """All frames read, and half of them; with nothing else, and with degradations."""
    for name, degrades in (("reading only", False), ("with degradations", True)):
        base = f"{name}, {num_frames} frames read"
        for mirror in (False, True):
            order = SecondOrderConfig(stochastic=mirror)
            yield Case(
                name=f"{name}, {num_frames // 2} read and mirrored" if mirror else base,
                base=base,
                config=TrainingClipsConfig(num_frames=num_frames, mirror=mirror),
                degrade=SecondOrderDegrader(order) if degrades else thin_out,
            )


def thin_out(clip: ByteClip, _rng: np.random.Generator) -> ByteClip:
    """Every fourth pixel: costs next to nothing."""
    return clip[:, ::4, ::4]


def measure(folder: Path, arguments: argparse.Namespace) -> dict[tuple[int, Case], list[float]]:
    """Seconds per sample of each number of workers and each case, in turn, after a warm-up."""
    seconds: dict[tuple[int, Case], list[float]] = {}
    for num_workers in arguments.workers:
        loaders = {
            case: make_loader(folder, case, num_workers, arguments.samples)
            for case in cases(arguments.frames)
        }
        for repeat in range(arguments.repeats + 1):
            for case, loader in loaders.items():
                elapsed = time_samples(loader, num_workers, arguments.samples)
                if repeat:
                    seconds.setdefault((num_workers, case), []).append(elapsed)
    return seconds


def make_loader(
    folder: Path, case: Case, num_workers: int, num_samples: int
) -> "DataLoader[TrainingSample]":
    """A loader whose processes live on between repeats, which draw the same samples."""
    return DataLoader(
        TrainingClips(folder, case.degrade, case.config),
        batch_size=1,
        sampler=EndlessSampler(1, num_steps=num_samples + num_workers),
        num_workers=num_workers,
        worker_init_fn=limit_worker_threads,
        multiprocessing_context="spawn",
        persistent_workers=True,
    )


def time_samples(loader: "DataLoader[TrainingSample]", num_workers: int, num_samples: int) -> float:
    """Seconds per sample, the first of each worker not counted."""
    samples = iter(loader)
    for _ in range(num_workers):
        next(samples)
    began = time.perf_counter()
    for _ in samples:
        pass
    return (time.perf_counter() - began) / num_samples


def report(seconds: dict[tuple[int, Case], list[float]], arguments: argparse.Namespace) -> None:
    """Print the table and the machine."""
    size = f"{arguments.size}x{arguments.size}" if arguments.size else "whole frames"
    print(
        f"PNG {size}, samples of {arguments.frames} frames, {arguments.samples} samples, "
        f"{arguments.repeats} repeats, {os.cpu_count()} cores, torch {torch.__version__}, "
        f"{platform.machine()}"
    )
    print("| workers | | images/s (median) | times faster (min, median, max) | time saved |")
    print("|---|---|---|---|---|")
    for (num_workers, case), own in seconds.items():
        base = next(
            values
            for (number, other), values in seconds.items()
            if number == num_workers and other.name == case.base
        )
        ratios = [slow / fast for slow, fast in zip(base, own, strict=True)]
        low, middle, high = min(ratios), statistics.median(ratios), max(ratios)
        rate = arguments.frames / statistics.median(own)
        print(
            f"| {num_workers} | {case.name} | {rate:.1f} | {low:.2f}, {middle:.2f}, {high:.2f} "
            f"| {1 - 1 / middle:.0%} |"
        )


if __name__ == "__main__":
    main()
