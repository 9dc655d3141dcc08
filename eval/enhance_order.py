"""Which comes first in `msvsr enhance`: upscaling or interpolation?

Ground truth is a clip at full rate. Every other frame is left out and the rest is degraded and
shrunk by 4; both orders bring it back. PSNR (Y) of the frames that were left out, and seconds.

    python eval/enhance_order.py --data-dir ../shared/data/train
"""

import argparse
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch

from msvsr.app.enhance import enhance_video
from msvsr.data.cache import ClipSource, default_cache_dir, load_clip
from msvsr.degradations import DegradationConfig, Degrader
from msvsr.degradations.types import ByteClip
from msvsr.engine.options import EngineOptions, InterpolationOptions
from msvsr.frame import Frame
from msvsr.training.validation import psnr_y
from msvsr.video import OutputOptions, open_sink, open_source

CLIPS = (("03_blocks.mp4", 100), ("05_default_juggle.mp4", 100), ("bikes.mp4", 60))
NUM_FRAMES = 13
ORDERS = ("upscale-first", "interpolate-first")
SEED = 7


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--cache-dir", type=Path, default=default_cache_dir())
    parser.add_argument("--work-dir", type=Path, default=Path("enhance_order"))
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    args.work_dir.mkdir(parents=True, exist_ok=True)
    print("| clip | " + " | ".join(f"{order}, dB / s" for order in ORDERS) + " |")
    print("| --- |" + " --- |" * len(ORDERS))
    for index, (name, start) in enumerate(CLIPS):
        source = ClipSource(name=name, shrink=1, max_frames=200)
        gt = load_clip(args.data_dir, source, args.cache_dir)[start : start + NUM_FRAMES]
        gt = np.array(gt[:, : gt.shape[1] // 4 * 4, : gt.shape[2] // 4 * 4])
        lq = Degrader(DegradationConfig(codec_probability=0))(
            gt[::2], np.random.default_rng((SEED, index))
        )
        cells = [measure(lq, gt[1::2], order, args.work_dir / f"{index}") for order in ORDERS]
        print(f"| {name} | " + " | ".join(f"{db:.2f} / {s:.1f}" for db, s in cells) + " |")


def measure(lq: ByteClip, gt: ByteClip, order: str, place: Path) -> tuple[float, float]:
    """PSNR of the made frames and seconds of one order."""
    source, output = place.with_suffix(".mkv"), place.with_name(f"{place.name}_{order}.mkv")
    options = OutputOptions(codec="ffv1", overwrite=True)
    with open_sink(source, size=lq.shape[1:3], options=options, frame_rate=Fraction(15)) as sink:
        for number, image in enumerate(lq):
            sink.write(Frame(image=image, pts=number, time_base=Fraction(1, 15), duration=1))
    began = time.monotonic()
    enhance_video(
        source,
        output,
        engine=EngineOptions(detect_cuts=False),
        timing=InterpolationOptions(detect_cuts=False, hold_last=False),
        order=order,
        writing=options,
    )
    seconds = time.monotonic() - began
    with open_source(output) as frames:
        made = np.stack([frame.image for frame in frames])[1::2]
    return psnr_y(made, gt[: len(made)]), seconds


if __name__ == "__main__":
    main()
