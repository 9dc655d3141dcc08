"""PSNR and SSIM (Y) of the embedded interpolation model on sequences it was not trained on.

Beside each made frame stand the frame before it, a blend of both neighbours and, with
`--reference-flow`, the mean of both neighbours warped half of the way by another RAFT-small.

- Middlebury "other": frame 10.5 from frames 10 and 11 (two-frame form).
- Clips: every other frame is left out and made again (four-frame form where there are four).

    python eval/embedded_interpolation.py --middlebury-dir ../shared/data/vfi/middlebury_other \
        --clip-dir ../shared/data/train
"""

import argparse
import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F

from msvsr.archs.raft import RAFT
from msvsr.data.cache import ClipSource, default_cache_dir, load_clip
from msvsr.data.sampling import ByteClip
from msvsr.engine.interpolate import interpolate_frames
from msvsr.engine.options import InterpolationOptions
from msvsr.frame import Frame
from msvsr.metrics import psnr, ssim
from msvsr.models.checkpoints import load_weights, read_checkpoint
from msvsr.models.raft_interpolation import RaftInterpolation
from msvsr.ops.warp import backward_warp
from msvsr.video.images import read_image

MODEL_DIR = Path(__file__).parents[1] / "configuration" / "raft_interpolation_lite"
NUM_FRAMES = 21
CLIPS = (
    ("03_blocks.mp4", 2, 100),
    ("05_default_juggle.mp4", 2, 100),
    ("bikes.mp4", 1, 60),
    ("bottle-detection.mp4", 1, 185),
)
"""Name, factor by which frames are shrunk first, and the first frame: these move."""

METHODS = ("repetition", "blend", "reference", "model")


class Sequence(NamedTuple):
    """Frames of which every other one is to be made: ``(t, h, w, 3)``, RGB uint8, ``t`` odd."""

    name: str
    frames: ByteClip


def main() -> None:
    """Measure, print a table, and write it beside a JSON file when asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--middlebury-dir", type=Path)
    parser.add_argument("--clip-dir", type=Path)
    parser.add_argument("--cache-dir", type=Path, default=default_cache_dir())
    parser.add_argument("--model-dir", type=Path, default=MODEL_DIR)
    parser.add_argument("--reference-flow", type=Path, help="weights of a RAFT-small network")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--output", type=Path, help="write PATH.md and PATH.json")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    model = RaftInterpolation.from_folder(args.model_dir, dtype=args.dtype)
    reference = load_reference(args.reference_flow)
    tables = {
        "Middlebury other": list(middlebury(args.middlebury_dir)),
        f"held-out clips, {NUM_FRAMES // 2} frames each": list(
            clips(args.clip_dir, args.cache_dir)
        ),
    }
    rows = {
        title: [measure(each, model, reference) for each in sequences]
        for title, sequences in tables.items()
    }
    text = "\n".join(to_markdown(title, each) for title, each in rows.items() if each)
    print(text)
    if args.output:
        args.output.with_suffix(".md").write_text(text, encoding="utf-8")
        args.output.with_suffix(".json").write_text(json.dumps(rows, indent=1), encoding="utf-8")


def load_reference(path: Path | None) -> RAFT | None:
    """A RAFT-small network to compare with."""
    if path is None:
        return None
    network = RAFT(small=True)
    load_weights(network, read_checkpoint(path), str(path))
    return network.eval()


def middlebury(folder: Path | None) -> Iterator[Sequence]:
    """Triplets: ``input/*/frame10.png``, ``gt/*/frame10i11.png``, ``input/*/frame11.png``."""
    for gt in sorted(folder.glob("gt/*/frame10i11.png")) if folder else ():
        inputs = folder / "input" / gt.parent.name
        paths = (inputs / "frame10.png", gt, inputs / "frame11.png")
        yield Sequence(gt.parent.name, np.stack([read_image(path) for path in paths]))


def clips(folder: Path | None, cache_dir: Path) -> Iterator[Sequence]:
    """Frames of the held-out clips."""
    for name, shrink, start in CLIPS if folder else ():
        source = ClipSource(name=name, shrink=shrink, max_frames=300)
        frames = load_clip(folder, source, cache_dir)[start : start + NUM_FRAMES]
        yield Sequence(name, np.array(frames))


def measure(
    sequence: Sequence, model: RaftInterpolation, reference: RAFT | None
) -> dict[str, object]:
    """PSNR and SSIM of each method, means over the frames that were made."""
    known, target = sequence.frames[::2], to_tensor(sequence.frames[1::2])
    first, second = to_tensor(known[:-1]), to_tensor(known[1:])
    made = {
        "repetition": first,
        "blend": (first + second) / 2,
        "model": to_tensor(interpolate(known, model)),
    }
    if reference is not None:
        pairs = zip(first.split(1), second.split(1), strict=True)
        made["reference"] = torch.cat([warp_half_way(reference, *pair) for pair in pairs])
    row: dict[str, object] = {"sequence": sequence.name}
    for name, frames in made.items():
        rounded = (frames * 255).round() / 255
        row[name] = {
            "psnr": float(psnr(rounded, target, channels="y").mean()),
            "ssim": float(ssim(rounded, target, channels="y").mean()),
        }
    return row


def interpolate(known: ByteClip, model: RaftInterpolation) -> ByteClip:
    """The frames half way between those of a clip, made by the engine."""
    frames = [
        Frame(image=np.array(image), pts=index, time_base=Fraction(1, 15), duration=1)
        for index, image in enumerate(known)
    ]
    options = InterpolationOptions(detect_cuts=False, hold_last=False)
    output = interpolate_frames(frames, model, options, frame_rate=Fraction(15))
    return np.stack([frame.image for frame in output])[1::2]


@torch.inference_mode()
def warp_half_way(network: RAFT, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Mean of both frames, each moved by half of the flow of the other direction."""
    height, width = first.shape[-2:]
    sides = [max(-(-side // 8) * 8, 128) for side in (height, width)]
    padding = (0, sides[1] - width, 0, sides[0] - height)
    features = [network.encode(F.pad(each, padding, mode="replicate")) for each in (first, second)]
    flows = network.estimate_both(features[0], features[1])
    flow_12, flow_21 = (flow[..., :height, :width] / 2 for flow in flows)
    from_first = backward_warp(first, flow_21, padding_mode="border")
    return (from_first + backward_warp(second, flow_12, padding_mode="border")) / 2


def to_tensor(frames: ByteClip) -> torch.Tensor:
    """``(t, h, w, 3)`` uint8 to ``(t, 3, h, w)`` in [0, 1]."""
    return torch.from_numpy(np.ascontiguousarray(frames)).permute(0, 3, 1, 2).float() / 255


def to_markdown(title: str, rows: list[dict[str, object]]) -> str:
    """A table of all rows with their mean."""
    methods = [name for name in METHODS if name in rows[0]]
    mean = {
        name: {
            key: float(np.mean([row[name][key] for row in rows]))  # type: ignore[index]
            for key in ("psnr", "ssim")
        }
        for name in methods
    }
    lines = [
        f"| {title} | " + " | ".join(methods) + " |",
        "| --- |" + " --- |" * len(methods),
    ]
    for row in [*rows, {"sequence": "**mean**", **mean}]:
        cells = [f"{row[name]['psnr']:.2f} / {row[name]['ssim']:.4f}" for name in methods]  # type: ignore[index]
        lines.append(f"| {row['sequence']} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
