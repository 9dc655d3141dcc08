"""PSNR on held-out clips, beside bicubic interpolation."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch

from msvsr.archs.realbasicvsr import RealBasicVSRNet
from msvsr.data.cache import load_clip
from msvsr.degradations.chain import Degrader
from msvsr.metrics import psnr
from msvsr.training.config import ValidationConfig

__all__ = ["HeldOutClip", "bicubic", "load_held_out", "psnr_y", "upscale", "validate"]

ByteClip = npt.NDArray[np.uint8]
_SEED = 1000


@dataclass(frozen=True, kw_only=True, eq=False)
class HeldOutClip:
    """A clip to validate on.

    Attributes:
        name: Its file name.
        lq: Degraded, ``(t, h, w, 3)``, RGB uint8.
        gt: Ground truth, ``(t, 4h, 4w, 3)``, RGB uint8.
    """

    name: str
    lq: ByteClip
    gt: ByteClip


def load_held_out(
    config: ValidationConfig, data_dir: Path, cache_dir: Path
) -> tuple[HeldOutClip, ...]:
    """Cut and degrade the held-out clips, the same way every time."""
    degrader = Degrader(config.degradation)
    clips = []
    for index, source in enumerate(config.clips):
        frames = load_clip(data_dir, source, cache_dir)
        start = max(0, (len(frames) - config.num_frames) // 2)
        gt = _central_crop(
            frames[start : start + config.num_frames], config.size, config.degradation.scale
        )
        lq = degrader(gt, np.random.default_rng((_SEED, index)))
        clips.append(HeldOutClip(name=source.name, lq=lq, gt=gt))
    return tuple(clips)


def _central_crop(clip: ByteClip, size: int, multiple: int) -> ByteClip:
    height, width = (min(size, side) // multiple * multiple for side in clip.shape[1:3])
    top, left = (clip.shape[1] - height) // 2, (clip.shape[2] - width) // 2
    return np.array(clip[:, top : top + height, left : left + width])


def bicubic(clip: ByteClip, scale: int) -> ByteClip:
    """Upscale a clip ``(t, h, w, 3)`` frame by frame with OpenCV's bicubic interpolation."""
    size = (clip.shape[2] * scale, clip.shape[1] * scale)
    return np.stack([cv2.resize(frame, size, interpolation=cv2.INTER_CUBIC) for frame in clip])


def upscale(network: RealBasicVSRNet, clip: ByteClip, *, bfloat16: bool = False) -> ByteClip:
    """Upscale a clip ``(t, h, w, 3)``, RGB uint8, in one pass."""
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        sr = network(_to_tensor(clip).unsqueeze(0)).sr[0].float().clamp(0, 1)
    result: ByteClip = (sr * 255).round().byte().permute(0, 2, 3, 1).numpy()
    return result


def psnr_y(first: ByteClip, second: ByteClip) -> float:
    """PSNR of the luma of two clips ``(t, h, w, 3)``, the mean over their frames in dB."""
    images, references = (_to_tensor(clip) for clip in (first, second))
    return float(psnr(images, references, channels="y").mean())


def _to_tensor(clip: ByteClip) -> torch.Tensor:
    """RGB uint8 ``(t, h, w, 3)`` to RGB float32 in [0, 1], ``(t, 3, h, w)``."""
    return torch.from_numpy(np.ascontiguousarray(clip)).permute(0, 3, 1, 2).float() / 255


def validate(
    network: RealBasicVSRNet, clips: tuple[HeldOutClip, ...], *, bfloat16: bool
) -> dict[str, tuple[float, float]]:
    """PSNR (Y) of bicubic interpolation and of the network for each clip."""
    scores = {}
    for clip in clips:
        sr = upscale(network, clip.lq, bfloat16=bfloat16)
        scores[clip.name] = (
            psnr_y(bicubic(clip.lq, network.scale), clip.gt),
            psnr_y(sr, clip.gt),
        )
    return scores
