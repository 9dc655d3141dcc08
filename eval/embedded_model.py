"""PSNR (Y) of the embedded model and of bicubic interpolation on clips it was not trained on.

Ground truth is each clip at half size, full frames, 15 consecutive ones from its middle. They are
degraded by fixed settings with fixed seeds, and by draws of the paper's second-order chain, then
upscaled by OpenCV's bicubic interpolation, by the model on the whole clip, and by the model frame
by frame (what propagation adds).

    python eval/embedded_model.py --data-dir ../shared/data/train
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from msvsr.archs.realbasicvsr import RealBasicVSRNet
from msvsr.data.cache import ClipSource, default_cache_dir, load_clip
from msvsr.degradations import (
    BlurConfig,
    DegradationConfig,
    Degrader,
    JpegConfig,
    NoiseConfig,
    ResizeConfig,
    SecondOrderConfig,
    SecondOrderDegrader,
    VideoCodecConfig,
)
from msvsr.degradations.types import ByteClip
from msvsr.models.config_json import read_config
from msvsr.models.realbasicvsr import build_network
from msvsr.training.config import TrainingConfig
from msvsr.training.validation import bicubic, psnr_y, upscale

MODEL_DIR = Path(__file__).parents[1] / "configuration" / "realbasicvsr_lite_x4"
CLIPS = ("03_blocks.mp4", "05_default_juggle.mp4", "bikes.mp4", "bottle-detection.mp4")
NUM_FRAMES = 15
SEED = 7


def setting(
    sigma: float,
    noise: float,
    *,
    jpeg: float = 0,
    codec: str = "",
    quality: float = 0,
    mode: str = "area",
) -> DegradationConfig:
    """Blur, x4 downsampling, Gaussian noise, then JPEG or a video codec, all of fixed strength."""
    return DegradationConfig(
        blur=BlurConfig(
            probability=1, kernel_sizes=(21,), anisotropic_probability=0, sigma_range=(sigma, sigma)
        ),
        early_resize=ResizeConfig(probability=0),
        early_noise=NoiseConfig(probability=0),
        early_jpeg=JpegConfig(probability=0),
        final_modes=(mode,),
        noise=NoiseConfig(
            probability=1 if noise else 0,
            gaussian_probability=1,
            gray_probability=0,
            gaussian_sigma_range=(noise, noise),
        ),
        codec_probability=1 if codec else 0,
        jpeg=JpegConfig(quality_range=(jpeg, jpeg) if jpeg else (95, 95)),
        video_codec=VideoCodecConfig(
            codecs=(codec or "libx264",),
            crf_range=(quality, quality),
            qscale_range=(max(quality, 1), min(max(quality, 1), 31)),
        ),
    )


SETTINGS = {
    "mild: blur 0.8, noise 3, JPEG 80": setting(0.8, 3, jpeg=80),
    "medium: blur 1.6, noise 8, JPEG 60": setting(1.6, 8, jpeg=60, mode="bicubic"),
    "heavy: blur 2.6, noise 15, JPEG 40": setting(2.6, 15, jpeg=40, mode="bilinear"),
    "video: blur 1.5, noise 3, H.264 CRF 26": setting(1.5, 3, codec="libx264", quality=26),
    "old video: blur 1.5, noise 3, MPEG-4 q 6": setting(1.5, 3, codec="mpeg4", quality=6),
}
DRAWS = 4
"""How often the paper's second-order degradations are drawn for each clip."""


def degraders() -> dict[str, Callable[[ByteClip, np.random.Generator], ByteClip]]:
    """All settings by title."""
    chains = {f"second order, draw {n + 1}": SecondOrderConfig() for n in range(DRAWS)}
    return {
        **{title: Degrader(config) for title, config in SETTINGS.items()},
        **{title: SecondOrderDegrader(config) for title, config in chains.items()},
    }


def main() -> None:
    """Measure, print a table, and write it beside a JSON file when asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--cache-dir", type=Path, default=default_cache_dir())
    parser.add_argument("--weights", type=Path, default=MODEL_DIR / "model.safetensors")
    parser.add_argument("--training-config", type=Path, default=MODEL_DIR / "training.json")
    parser.add_argument("--output", type=Path, help="write PATH.md and PATH.json")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    network = load_network(args.training_config, args.weights)
    rows = [
        row
        for index, name in enumerate(CLIPS)
        for row in measure_clip(
            network, load_frames(args.data_dir, args.cache_dir, name), name, index
        )
    ]
    table = to_markdown(rows)
    print(table)
    if args.output:
        args.output.with_suffix(".md").write_text(table, encoding="utf-8")
        args.output.with_suffix(".json").write_text(json.dumps(rows, indent=1), encoding="utf-8")


def load_network(config: Path, weights: Path) -> RealBasicVSRNet:
    """The network of a training configuration with exported weights."""
    network = build_network(read_config(config, TrainingConfig).network)
    network.load_state_dict(load_file(weights))
    return network.eval()


def load_frames(data_dir: Path, cache_dir: Path, name: str) -> ByteClip:
    """The middle frames of a clip at half size, cut to sides divisible by 4."""
    clip = load_clip(data_dir, ClipSource(name=name, max_frames=300), cache_dir)
    start = (len(clip) - NUM_FRAMES) // 2
    height, width = (side // 4 * 4 for side in clip.shape[1:3])
    return np.array(clip[start : start + NUM_FRAMES, :height, :width])


def measure_clip(
    network: RealBasicVSRNet, gt: ByteClip, name: str, index: int
) -> list[dict[str, str | float]]:
    """One row per setting."""
    rows: list[dict[str, str | float]] = []
    for number, (title, degrade) in enumerate(degraders().items()):
        lq = degrade(gt, np.random.default_rng((SEED, index, number)))
        single = np.concatenate([upscale(network, lq[i : i + 1]) for i in range(len(lq))])
        rows.append(
            {
                "clip": name,
                "setting": title,
                "bicubic": psnr_y(bicubic(lq, network.scale), gt),
                "single_frame": psnr_y(single, gt),
                "model": psnr_y(upscale(network, lq), gt),
            }
        )
    return rows


def to_markdown(rows: list[dict[str, str | float]]) -> str:
    """A table of all rows with the mean gain of each setting."""
    lines = [
        "| clip | setting | bicubic | model, frame by frame | model | gain |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {row['clip']} | {row['setting']} | {row['bicubic']:.2f} | "
        f"{row['single_frame']:.2f} | {row['model']:.2f} | {_gain([row]):+.2f} |"
        for row in rows
    ]
    for title in (*SETTINGS, "second order"):
        chosen = [row for row in rows if str(row["setting"]).startswith(title)]
        lines.append(f"| **mean** | {title} | | | | **{_gain(chosen):+.2f}** |")
    lines.append(f"| **mean** | all | | | | **{_gain(rows):+.2f}** |")
    return "\n".join(lines) + "\n"


def _gain(rows: list[dict[str, str | float]]) -> float:
    return float(np.mean([float(row["model"]) - float(row["bicubic"]) for row in rows]))


if __name__ == "__main__":
    main()
