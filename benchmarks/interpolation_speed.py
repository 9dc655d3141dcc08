"""Speed of interpolation beside ModelScope's built-in pipeline: same weights, frames and run.

    python benchmarks/interpolation_speed.py [--size 448x256] [--frames 9] [--ratios 2 4]
        [--repeats 5] [--threads 2] [--dtypes float32 bfloat16]

Each repeat interpolates the whole clip with the built-in pipeline's computation and with msvsr's
engine in each type; the order turns round with every repeat. Speed ratios are taken repeat by
repeat, because the speed of a shared machine drifts. Files and loading do not count; finding
cuts does, as it is part of the built-in computation, and so does msvsr's conversion to 8 bits,
which the built-in pipeline does later.

The networks have the official sizes and random weights: torch's own for flow and refinement, which
give flows of a few pixels, and livelier ones for the interpolator, so that its masks and residues
vary over the picture. Its last layer is damped to keep residues small, and the mask of what stands
still is nearly shut, because it would blend the differences away. The two directions of such flows
contradict each other, which the built-in computation takes for a cut: it looks for cuts as ever,
but is told that there are none. A plain blend of the source frames is compared too, as a control.
"""

import argparse
import json
import platform
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from importlib import import_module
from pathlib import Path
from types import ModuleType
from unittest.mock import patch

import numpy as np
import torch
from torch import nn

from msvsr.archs.interpnet import DERIVED_KEYS
from msvsr.engine.interpolate import interpolate_frames
from msvsr.engine.options import InterpolationOptions
from msvsr.frame import Frame
from msvsr.models.interpolation_config import InterpolationConfig
from msvsr.models.raft_interpolation import RaftInterpolation, build_networks

BUILTIN = "built-in float32"
FRAME_RATE = Fraction(25)
Timings = dict[str, list[dict[str, float]]]
PARTS = ("flow", "refine", "synthesize")
RESIDUE_GAIN = 0.2
STATIC_BIAS = -4.0


class PartTimer:
    """Adds up how long the parts of a computation take."""

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(PARTS, 0.0)

    def timed(self, part: str, function: Callable[..., object]) -> Callable[..., object]:
        """The same function, with its time counted for a part."""

        def run(*args: object, **options: object) -> object:
            began = time.perf_counter()
            result = function(*args, **options)
            self.seconds[part] += time.perf_counter() - began
            return result

        return run

    def measure(self, function: Callable[[], object]) -> dict[str, float]:
        """Run once and take the time: of the parts, of the rest and in total."""
        self.seconds = dict.fromkeys(PARTS, 0.0)
        began = time.perf_counter()
        function()
        total = time.perf_counter() - began
        return {**self.seconds, "rest": total - sum(self.seconds.values()), "total": total}


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """Something that makes the frames of a ratio, 8 bits each."""

    make: Callable[[int], object]
    images: Callable[[object], np.ndarray]
    timer: PartTimer


def main() -> None:
    """Measure and print tables."""
    arguments = parse_arguments()
    warnings.simplefilter("ignore")
    torch.set_num_threads(arguments.threads)
    width, height = map(int, arguments.size.split("x"))
    frames = make_frames(arguments.frames, height, width)
    pipeline, network = load_builtin()
    candidates = {BUILTIN: builtin_candidate(pipeline, network, frames)}
    for dtype in arguments.dtypes:
        candidates[f"msvsr {dtype}"] = our_candidate(load_ours(network, dtype), frames)

    print(
        f"{arguments.size}, {arguments.frames} frames, {arguments.repeats} repeats, "
        f"{arguments.threads} threads, torch {torch.__version__}, {platform.machine()}"
    )
    print(flow_summary(network, frames))
    figures = {}
    with torch.inference_mode(), patch.object(torch.Tensor, "cuda", lambda tensor: tensor):
        for ratio in arguments.ratios:
            quality = compare(candidates, frames, ratio)
            timings = measure(candidates, ratio, arguments.repeats)
            figures[f"ratio {ratio}"] = report(timings, quality, ratio, arguments.frames - 1)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2))


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", default="448x256", help="width x height, multiples of 32")
    parser.add_argument("--frames", type=int, default=9)
    parser.add_argument("--ratios", type=int, nargs="+", choices=(2, 4), default=[2, 4])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--dtypes", nargs="+", default=["float32", "bfloat16"])
    parser.add_argument("--json", type=Path, help="also write the figures here")
    arguments = parser.parse_args()
    if arguments.frames < 4:
        parser.error("the built-in computation needs 4 frames or more")
    if any(int(side) % 32 for side in arguments.size.split("x")):
        parser.error("the sides must be multiples of 32: the two pad other sizes differently")
    return arguments


def make_frames(num_frames: int, height: int, width: int) -> list[Frame]:
    """A pattern with coarse and fine detail that moves three pixels to the left per frame."""
    step = 3
    size = (height, width + step * num_frames)
    generator = torch.Generator().manual_seed(0)
    layers = [torch.rand(1, 3, 16 * k, 28 * k, generator=generator) for k in (1, 4)]
    wide = sum(torch.nn.functional.interpolate(layer, size, mode="bicubic") for layer in layers)
    pixels = ((wide[0] / 2).clamp(0, 1).permute(1, 2, 0).numpy() * 255).astype(np.uint8)
    return [
        Frame(
            image=np.ascontiguousarray(pixels[:, step * index : step * index + width]),
            pts=index,
            time_base=1 / FRAME_RATE,
            duration=1,
        )
        for index in range(num_frames)
    ]


def load_builtin() -> tuple[ModuleType, nn.Module]:
    """The module of the built-in pipeline, and its network with random weights."""
    import modelscope.pipelines  # noqa: F401  (looks for packages, before stand-ins are there)

    stand_in = ModuleType("stand_in")  # for what a run on a CPU needs of timm and torchvision
    stand_in.DropPath = lambda _: nn.Identity()
    stand_in.to_2tuple = lambda side: (side, side) if isinstance(side, int) else side
    stand_in.trunc_normal_ = nn.init.trunc_normal_
    stand_in.make_grid = None
    names = ("timm", "timm.models", "timm.models.layers", "torchvision", "torchvision.utils")
    with patch.dict(sys.modules, dict.fromkeys(names, stand_in)):
        pipeline = import_module("modelscope.pipelines.cv.video_frame_interpolation_pipeline")
        from modelscope.models.cv.video_frame_interpolation.VFINet_arch import VFINet

        torch.manual_seed(0)
        network = VFINet(argparse.Namespace(small=False, mixed_precision=False))
    enliven(network.internet.internet)
    find_cuts = pipeline.do_scene_detect
    pipeline.do_scene_detect = lambda *pair: find_cuts(*pair) and False
    return pipeline, network.eval().requires_grad_(False)


@torch.no_grad()
def enliven(interpolator: nn.Module) -> None:
    """Give the interpolator weights whose masks and residues vary, and let motion show."""
    for module in interpolator.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, a=0.1)
    interpolator.refinenet.conv4.weight.mul_(RESIDUE_GAIN)
    interpolator.staticnet.body[8].bias.add_(STATIC_BIAS)


def load_ours(builtin: nn.Module, dtype: str) -> RaftInterpolation:
    """Our model with the built-in network's weights."""
    networks = build_networks(InterpolationConfig())
    networks.flow.load_state_dict(builtin.flownet.state_dict())
    weights = builtin.internet.state_dict()
    networks.interpolator.load_state_dict(
        {key: value for key, value in weights.items() if not key.endswith(DERIVED_KEYS)}
    )
    return RaftInterpolation(networks, device="cpu", dtype=dtype)


def builtin_candidate(pipeline: ModuleType, network: nn.Module, frames: list[Frame]) -> Candidate:
    """The built-in pipeline's loop over a decoded video."""
    timer = PartTimer()
    video = [torch.from_numpy(frame.image).permute(2, 0, 1)[None].float() for frame in frames]
    networks = (network.flownet, network.internet.ifnet, network.internet.internet)
    timed = [timer.timed(part, network) for part, network in zip(PARTS, networks, strict=True)]

    def make(ratio: int) -> list[torch.Tensor]:
        cuts, tensors, originals, outputs = [False] * 3, [], [], []
        state = (len(video), 0, 0, 1 / ratio, cuts, tensors, originals, video, outputs)
        return pipeline.inference_lowers(*timed, *state)

    def images(outputs: list[torch.Tensor]) -> np.ndarray:
        return torch.cat(outputs).round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy()

    return Candidate(make=make, images=images, timer=timer)


def our_candidate(model: RaftInterpolation, frames: list[Frame]) -> Candidate:
    """Our engine, with the parts of its networks timed."""
    timer = PartTimer()
    flow, interpolator = model.networks.flow, model.networks.interpolator
    flow.encode = timer.timed("flow", flow.encode)
    flow.estimate_both = timer.timed("flow", flow.estimate_both)
    interpolator.refine = timer.timed("refine", interpolator.refine)
    interpolator.synthesize = timer.timed("synthesize", interpolator.synthesize)

    def make(ratio: int) -> list[Frame]:
        options = InterpolationOptions(interp_ratio=Fraction(ratio), hold_last=False)
        return list(interpolate_frames(frames, model, options, frame_rate=FRAME_RATE))

    def images(outputs: list[Frame]) -> np.ndarray:
        return np.stack([frame.image for frame in outputs])

    return Candidate(make=make, images=images, timer=timer)


@torch.inference_mode()
def flow_summary(network: nn.Module, frames: list[Frame]) -> str:
    """How long the flows are that these weights give."""
    pair = [torch.from_numpy(f.image).permute(2, 0, 1)[None].float() for f in frames[:2]]
    lengths = network.flownet(*pair, iters=12, test_mode=True)[1].norm(dim=1)
    return f"RAFT's flows: {lengths.mean():.1f} pixels on average, {lengths.max():.1f} at most"


def compare(candidates: dict[str, Candidate], frames: list[Frame], ratio: int) -> dict[str, float]:
    """PSNR of the frames between source frames to the built-in ones; it warms up as well."""
    source = np.stack([frame.image for frame in frames]).astype(np.float64)
    first, step = np.divmod(np.arange((len(frames) - 1) * ratio + 1), ratio)
    is_between = step > 0
    before, after = source[first[is_between]], source[first[is_between] + 1]
    made = {name: c.images(c.make(ratio)) for name, c in candidates.items()}
    for name, images in made.items():
        if len(images) != len(step):
            raise SystemExit(f"{name} made {len(images)} frames, expected {len(step)}")
        if np.abs(images[is_between] - before).mean(axis=(1, 2, 3)).min() < 1:
            raise SystemExit(f"{name} copied a frame, as beside a cut")
    between = {name: images[is_between] for name, images in made.items()}
    share = (step[is_between] / ratio)[:, None, None, None]
    between["plain blend"] = (1 - share) * before + share * after
    reference = between.pop(BUILTIN)
    return {name: psnr(images, reference) for name, images in between.items()}


def psnr(images: np.ndarray, reference: np.ndarray) -> float:
    """Decibel between 8-bit frames, over all of them together."""
    error = float(np.square(images.astype(np.float64) - reference.astype(np.float64)).mean())
    return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))


def measure(candidates: dict[str, Candidate], ratio: int, repeats: int) -> Timings:
    """Time each candidate in turn, forwards and backwards."""
    timings: Timings = {name: [] for name in candidates}
    for repeat in range(repeats):
        for name, candidate in list(candidates.items())[:: -1 if repeat % 2 else 1]:
            timings[name].append(candidate.timer.measure(lambda c=candidate: c.make(ratio)))
    return timings


def report(
    timings: Timings, quality: dict[str, float], ratio: int, num_pairs: int
) -> dict[str, object]:
    """Print the table of one ratio."""
    print(f"\nratio {ratio}, plain blend to built-in: {quality['plain blend']:.1f} dB\n")
    print(
        "| | s per pair (median) | times faster (min, median, max) | PSNR to built-in "
        "| flow, refine, synthesize, rest: s per pair |\n|---|---|---|---|---|"
    )
    rows: dict[str, object] = {"blend_psnr_db": quality["plain blend"]}
    for name, runs in timings.items():
        pairs = zip(timings[BUILTIN], runs, strict=True)
        ratios = sorted(slow["total"] / fast["total"] for slow, fast in pairs)
        seconds = {p: statistics.median(run[p] for run in runs) / num_pairs for p in runs[0]}
        decibel = quality.get(name)
        rows[name] = {"seconds_per_pair": dict(seconds), "ratios": ratios, "psnr_db": decibel}
        spread = f"{ratios[0]:.2f}, {statistics.median(ratios):.2f}, {ratios[-1]:.2f}"
        like = "-" if decibel is None else f"{decibel:.1f} dB"
        total = seconds.pop("total")
        shares = ", ".join(f"{part:.2f} ({part / total:.0%})" for part in seconds.values())
        print(f"| {name} | {total:.3f} | {spread} | {like} | {shares} |", flush=True)
    return rows


if __name__ == "__main__":
    main()
