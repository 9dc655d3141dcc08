"""Resident memory over a long video.

    python benchmarks/memory.py [--frames 2000] [--size 320x180] [--max-shot-frames 300]

Writes a video without cuts, upscales it from file to file with the embedded model, and prints the
resident memory of the process (and of its temporary file) as the frames go by.
"""

import argparse
import tempfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import psutil
import torch

from msvsr.app.jobs import Progress
from msvsr.app.upscale import upscale_video
from msvsr.engine.options import EngineOptions
from msvsr.frame import Frame
from msvsr.models.catalog import default_model_folder
from msvsr.models.realbasicvsr import RealBasicVSR
from msvsr.video import open_sink

MEBIBYTE = 2**20
ROWS = 20


def main() -> None:
    """Measure and print a table."""
    arguments = parse_arguments()
    width, height = map(int, arguments.size.split("x"))
    process = psutil.Process()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "long.mp4")
        with open_sink(source, size=(height, width)) as sink:
            for frame in panning_frames(arguments.frames, height, width):
                sink.write(frame)
        model = RealBasicVSR.from_folder(arguments.model or default_model_folder(), device="cpu")
        print(
            f"{arguments.frames} frames of {arguments.size}, one shot, pieces of "
            f"{arguments.max_shot_frames}, {str(model.feature_dtype).removeprefix('torch.')}, "
            f"budget {arguments.memory} GiB"
        )
        print("| frames done | resident MiB | seconds |\n|---|---|---|")
        next_row = 0.0

        def show(progress: Progress) -> None:
            nonlocal next_row
            if progress.frames_done >= next_row:
                resident = process.memory_info().rss / MEBIBYTE
                print(f"| {progress.frames_done:.0f} | {resident:.0f} | {progress.seconds:.0f} |")
                next_row += arguments.frames / ROWS

        report = upscale_video(
            source,
            Path(folder, "large.mp4"),
            model=model,
            engine=EngineOptions(
                max_shot_frames=arguments.max_shot_frames, memory_gib=arguments.memory
            ),
            on_progress=show,
        )
    print(f"\n{report.num_frames} frames at {report.frames_per_second:.2f} frames/s")


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=2000)
    parser.add_argument("--size", default="320x180", help="width x height of the input")
    parser.add_argument("--max-shot-frames", type=int, default=300)
    parser.add_argument("--memory", type=float, default=1.0, metavar="GIB")
    parser.add_argument("--model", type=Path, help="model folder (default: the embedded one)")
    return parser.parse_args()


def panning_frames(num_frames: int, height: int, width: int) -> Iterator[Frame]:
    """A camera that pans back and forth over a pattern, without a cut."""
    travel = 200
    coarse = torch.rand(1, 3, 24, 60, generator=torch.Generator().manual_seed(0))
    wide = torch.nn.functional.interpolate(coarse, (height, width + travel), mode="bicubic")
    pixels = (wide[0].clamp(0, 1).permute(1, 2, 0).numpy() * 255).astype(np.uint8)
    for index in range(num_frames):
        left = abs((index + travel) % (2 * travel) - travel)
        image = np.ascontiguousarray(pixels[:, left : left + width])
        yield Frame(image=image, pts=index, time_base=Fraction(1, 25), duration=1)


if __name__ == "__main__":
    main()
