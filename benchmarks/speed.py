"""Speed beside ModelScope's built-in network: same weights, same frames, same run, in turn.

    python benchmarks/speed.py [--size 320x180] [--frames 7] [--repeats 5] [--threads 2]

Each repeat times, one after the other, the built-in network in float32, a stack of the network's
own residual blocks (the practical limit of this machine's convolutions), and msvsr's engine in each
type. Ratios are taken repeat by repeat, because the speed of a shared machine drifts.
"""

import argparse
import json
import platform
import statistics
import time
import warnings
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch

from msvsr.archs.realbasicvsr import RealBasicVSRNet
from msvsr.engine.options import EngineOptions
from msvsr.engine.upscale import upscale_frames
from msvsr.frame import Frame
from msvsr.models.realbasicvsr import RealBasicVSR

GIGA = 1e9


def main() -> None:
    """Measure and print a table."""
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    width, height = map(int, arguments.size.split("x"))
    frames = make_frames(arguments.frames, height, width)
    builtin, weights = load_builtin()
    clip = torch.stack([torch.from_numpy(f.image).permute(2, 0, 1) for f in frames])[None] / 255
    reference = run_builtin(builtin, clip)

    candidates: dict[str, Callable[[], object]] = {
        "built-in float32": lambda: builtin(clip.clone())
    }
    quality = {}
    for dtype in arguments.dtypes:
        network = RealBasicVSRNet()
        network.load_state_dict(weights)
        model = RealBasicVSR(network, device="cpu", dtype=dtype)
        engine = EngineOptions(detect_cuts=False)
        candidates[f"msvsr {dtype}"] = lambda m=model, e=engine: list(upscale_frames(frames, m, e))
        quality[f"msvsr {dtype}"] = psnr(list(upscale_frames(frames, model, engine)), reference)
        candidates[f"blocks {dtype}"] = residual_stack(network, height, width)

    with torch.inference_mode():
        seconds = measure(candidates, arguments.repeats)
    report(seconds, quality, arguments, stack_flops(RealBasicVSRNet(), height, width))


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", default="320x180", help="width x height of the input")
    parser.add_argument("--frames", type=int, default=7)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--dtypes", nargs="+", default=["float32", "bfloat16"])
    parser.add_argument("--json", type=Path, help="also write the figures here")
    return parser.parse_args()


def load_builtin() -> tuple[torch.nn.Module, dict[str, torch.Tensor]]:
    """The built-in network of the official size, with random weights of a usual magnitude."""
    warnings.simplefilter("ignore")
    from modelscope.models.cv.video_super_resolution.real_basicvsr_net import (
        RealBasicVSRNet as Builtin,
    )

    torch.manual_seed(0)
    network = Builtin().eval().requires_grad_(False)
    return network, network.state_dict()


def run_builtin(network: torch.nn.Module, clip: torch.Tensor) -> torch.Tensor:
    """Upscaled frames ``(t, 3, 4h, 4w)`` of the built-in network."""
    with torch.inference_mode():
        output: torch.Tensor = network(clip.clone())[0].clamp(0, 1)
    return output


def make_frames(num_frames: int, height: int, width: int) -> list[Frame]:
    """A smooth pattern that moves."""
    coarse = torch.rand(1, 3, 24, 40, generator=torch.Generator().manual_seed(0))
    size = (height, width + num_frames)
    wide = torch.nn.functional.interpolate(coarse, size, mode="bicubic").clamp(0, 1)[0]
    pixels = (wide.permute(1, 2, 0).numpy() * 255).astype(np.uint8)
    return [
        Frame(
            image=np.ascontiguousarray(pixels[:, index : index + width]),
            pts=index,
            time_base=Fraction(1, 25),
        )
        for index in range(num_frames)
    ]


def residual_stack(network: RealBasicVSRNet, height: int, width: int) -> Callable[[], object]:
    """One pass of a branch's residual blocks over one frame, in the network's layout and type."""
    blocks = network.basicvsr.backward_resblocks.main[2]
    weight = blocks[0].conv1.weight
    x = torch.rand(1, weight.shape[1], height, width).to(weight.dtype)
    x = x.contiguous(memory_format=torch.channels_last)
    return lambda: blocks(x)


def stack_flops(network: RealBasicVSRNet, height: int, width: int) -> float:
    """Floating-point operations of `residual_stack`: two per multiplication and addition."""
    blocks = network.basicvsr.backward_resblocks.main[2]
    weights = sum(parameter.numel() for parameter in blocks.parameters() if parameter.dim() == 4)
    return 2.0 * weights * height * width


def measure(candidates: dict[str, Callable[[], object]], repeats: int) -> dict[str, list[float]]:
    """Seconds of each candidate, in turn, after one warm-up."""
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    for repeat in range(repeats + 1):
        for name, run in candidates.items():
            began = time.perf_counter()
            run()
            if repeat:
                seconds[name].append(time.perf_counter() - began)
    return seconds


def psnr(frames: list[Frame], reference: torch.Tensor) -> float:
    """Decibel between the engine's 8-bit frames and the reference, rounded to 8 bits too."""
    ours = np.stack([frame.image for frame in frames]).astype(np.float64)
    theirs = (reference * 255).round().permute(0, 2, 3, 1).numpy()
    error = float(np.square(ours - theirs).mean())
    return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))


def report(
    seconds: dict[str, list[float]],
    quality: dict[str, float],
    arguments: argparse.Namespace,
    flops: float,
) -> None:
    """Print the table and the machine."""
    print(
        f"{arguments.size}, {arguments.frames} frames, {arguments.repeats} repeats, "
        f"{arguments.threads} threads, torch {torch.__version__}, {platform.machine()}"
    )
    print("| | s per frame (median) | times faster (min, median, max) | PSNR to built-in |")
    print("|---|---|---|---|")
    rows = {}
    base = seconds["built-in float32"]
    for name, values in seconds.items():
        if name.startswith("blocks"):
            continue
        ratios = [slow / fast for slow, fast in zip(base, values, strict=True)]
        rows[name] = {
            "seconds_per_frame": statistics.median(values) / arguments.frames,
            "ratios": sorted(ratios),
            "psnr_db": quality.get(name),
        }
        low, middle, high = min(ratios), statistics.median(ratios), max(ratios)
        decibel = f"{quality[name]:.1f} dB" if name in quality else "-"
        per_frame = rows[name]["seconds_per_frame"]
        print(f"| {name} | {per_frame:.3f} | {low:.2f}, {middle:.2f}, {high:.2f} | {decibel} |")
    for name, values in seconds.items():
        if name.startswith("blocks"):
            rate = flops / statistics.median(values) / GIGA
            rows[name] = {"gflop_per_second": rate}
            print(f"\n{name}: {rate:.0f} GFLOP/s in a stack of the network's residual blocks")
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
