"""Speed of NIQE beside ModelScope's built-in function: same luma, same run, in turn.

    python benchmarks/niqe.py [--size 1280x720] [--repeats 7] [--threads 2] [--device cpu]

Each repeat times, one after the other, the built-in ``niqe()`` and msvsr's features and distance on
one frame's luma, and msvsr's ``niqe`` on the RGB frame. Ratios are taken repeat by repeat, because
the speed of a shared machine drifts.
"""

import argparse
import importlib
import platform
import statistics
import time
import warnings
from collections.abc import Callable

import torch

from msvsr.metrics.niqe import load_pristine, niqe, niqe_distance
from msvsr.metrics.niqe_features import niqe_features


def main() -> None:
    """Measure and print a table."""
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    width, height = map(int, arguments.size.split("x"))
    frame = make_frame(height, width)
    luma = (frame[:1] * 219 + 16).round()
    model = load_pristine()
    on_device = luma.to(arguments.device)
    rgb = frame.to(arguments.device)
    candidates: dict[str, Callable[[], float]] = {
        "built-in": builtin(luma[0]),
        "msvsr": lambda: float(niqe_distance(niqe_features(on_device, model.window), model)),
        "msvsr, luma included": lambda: float(niqe(rgb)),
    }
    seconds, values = measure(candidates, arguments.repeats)
    report(seconds, values, arguments)


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", default="1280x720", help="width x height of the frame")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu", help="where msvsr computes")
    return parser.parse_args()


def make_frame(height: int, width: int) -> torch.Tensor:
    """A gray cloudy pattern with a little noise, ``(3, h, w)``."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(1, 1, height // 6, width // 6, generator=generator)
    cloud = torch.nn.functional.interpolate(coarse, (height, width), mode="bicubic")[0]
    grain = torch.randn(1, height, width, generator=generator)
    return (cloud * 0.8 + 0.01 * grain + 0.1).clamp(0, 1).expand(3, -1, -1).contiguous()


def builtin(luma: torch.Tensor) -> Callable[[], float]:
    """The built-in function with msvsr's pristine model, so that nothing is downloaded."""
    warnings.simplefilter("ignore")
    hub = importlib.import_module("modelscope.hub.file_download")
    download = hub.model_file_download
    hub.model_file_download = lambda **_: ""
    try:
        from modelscope.metrics.video_super_resolution_metric.niqe import niqe as function
    finally:
        hub.model_file_download = download
    model = load_pristine()
    figures = model.mean.numpy()[None], model.covariance.numpy(), model.window.numpy()
    return lambda: float(function(luma.numpy(), *figures))


def measure(
    candidates: dict[str, Callable[[], float]], repeats: int
) -> tuple[dict[str, list[float]], dict[str, float]]:
    """Seconds and result of each candidate, in turn, after one warm-up."""
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    values = {}
    for repeat in range(repeats + 1):
        for name, run in candidates.items():
            began = time.perf_counter()
            values[name] = run()
            if repeat:
                seconds[name].append(time.perf_counter() - began)
    return seconds, values


def report(
    seconds: dict[str, list[float]], values: dict[str, float], arguments: argparse.Namespace
) -> None:
    """Print the table and the machine."""
    print(
        f"{arguments.size}, {arguments.repeats} repeats, {arguments.threads} threads, "
        f"{arguments.device}, torch {torch.__version__}, {platform.machine()}"
    )
    print("| | ms per frame (median) | times faster (min, median, max) | NIQE |")
    print("|---|---|---|---|")
    base = seconds["built-in"]
    for name, own in seconds.items():
        ratios = [slow / fast for slow, fast in zip(base, own, strict=True)]
        low, middle, high = min(ratios), statistics.median(ratios), max(ratios)
        milliseconds = 1000 * statistics.median(own)
        print(
            f"| {name} | {milliseconds:.0f} | {low:.1f}, {middle:.1f}, {high:.1f} "
            f"| {values[name]:.5f} |"
        )


if __name__ == "__main__":
    main()
