"""What bounded memory costs: each mode against one pass over the whole shot.

    python benchmarks/borders.py INPUT [--frames 36] [--model FOLDER]

INPUT is a video or a folder of images. The reference is one pass over all frames in float32. The
table gives, for pieces of a long shot with more and more look-ahead, for the cheap mode, and for
independent windows without overlap (what the built-in pipeline does), the lowest PSNR of any frame
and how many of the 8-bit frames differ at all.
"""

import argparse
import itertools
from pathlib import Path

import numpy as np

from msvsr.engine.options import EngineOptions
from msvsr.engine.upscale import upscale_frames
from msvsr.frame import Frame
from msvsr.models.catalog import default_model_folder
from msvsr.models.realbasicvsr import RealBasicVSR
from msvsr.video import open_source

PIECE = 12
MODES = {
    "any window, exact": {"window": 5, "memory_gib": 0.01},
    "tiles of 96 pixels": {"tile": 96},
    **{
        f"pieces of {PIECE}, look-ahead {look_ahead}": {
            "max_shot_frames": PIECE,
            "look_ahead": look_ahead,
        }
        for look_ahead in (0, 4, 8, 16)
    },
    "cheap mode, 7 frames, overlap 2": {"max_frames": 7, "overlap": 2},
    "windows of 7 without overlap": {"max_frames": 7, "overlap": 0},
}


def main() -> None:
    """Measure and print a table."""
    arguments = parse_arguments()
    with open_source(arguments.input) as source:
        frames = list(itertools.islice(source, arguments.frames))
    model = RealBasicVSR.from_folder(
        arguments.model or default_model_folder(), device="cpu", dtype="float32"
    )
    expected = run(frames, model, max_shot_frames=len(frames))
    print(
        f"{arguments.input.name}: {len(frames)} frames of {frames[0].size[1]}x{frames[0].size[0]}"
    )
    print("| mode | lowest PSNR of a frame | frames that differ |\n|---|---|---|")
    for name, options in MODES.items():
        outputs = run(frames, model, **options)
        values = [psnr(left, right) for left, right in zip(expected, outputs, strict=True)]
        num_different = sum(value < float("inf") for value in values)
        print(f"| {name} | {show(min(values))} | {num_different} |", flush=True)


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("input", type=Path)
    parser.add_argument("--frames", type=int, default=36)
    parser.add_argument("--model", type=Path, help="model folder (default: the embedded one)")
    return parser.parse_args()


def run(frames: list[Frame], model: RealBasicVSR, **options: object) -> list[Frame]:
    """Upscale with cuts ignored, so that modes are compared and not the detector."""
    engine = EngineOptions(detect_cuts=False, **options)  # type: ignore[arg-type]
    return list(upscale_frames(frames, model, engine))


def psnr(left: Frame, right: Frame) -> float:
    """Decibel between two 8-bit frames."""
    error = float(np.square(left.image.astype(np.float64) - right.image).mean())
    return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))


def show(decibel: float) -> str:
    """A figure, or what infinity means."""
    return "identical" if decibel == float("inf") else f"{decibel:.1f} dB"


if __name__ == "__main__":
    main()
