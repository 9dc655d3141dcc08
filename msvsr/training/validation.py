"""PSNR on held-out clips, beside bicubic interpolation."""

from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch

from msvsr.archs.realbasicvsr import RealBasicVSRNet
from msvsr.data.cache import load_clip
from msvsr.data.dataset import ClipPair
from msvsr.data.training_clips import Degrade, TrainingSample
from msvsr.degradations.chain import Degrader
from msvsr.degradations.second_order import SecondOrderDegrader
from msvsr.metrics import psnr
from msvsr.training.config import ValidationConfig
from msvsr.training.pictures import side_by_side

__all__ = [
    "HeldOutClip",
    "bicubic",
    "compare",
    "load_held_out",
    "psnr_y",
    "upscale",
    "validate",
]

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

    @classmethod
    def of(cls, sample: ClipPair | TrainingSample) -> "HeldOutClip":
        """A training sample as a clip, for pictures where nothing is held out."""
        lq, gt = (each.permute(0, 2, 3, 1).contiguous().numpy() for each in sample[:2])
        return cls(name="sample", lq=lq, gt=gt)


def load_held_out(
    config: ValidationConfig, data_dir: Path, cache_dir: Path
) -> tuple[HeldOutClip, ...]:
    """Cut and degrade the held-out clips, the same way every time."""
    degrader: Degrade = Degrader(config.degradation)
    scale = config.degradation.scale
    if config.second_order is not None:
        degrader, scale = SecondOrderDegrader(config.second_order), config.second_order.scale
    clips = []
    for index, source in enumerate(config.clips):
        frames = load_clip(data_dir, source, cache_dir)
        start = max(0, (len(frames) - config.num_frames) // 2)
        gt = _central_crop(frames[start : start + config.num_frames], config.size, scale)
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
    """Upscale a clip ``(t, h, w, 3)``, RGB uint8, in one pass on the network's device.

    Args:
        network: The network.
        clip: The clip.
        bfloat16: Run in bfloat16; otherwise an autocast around the call decides.
    """
    device = next(network.parameters()).device
    lower = torch.autocast(device.type, torch.bfloat16) if bfloat16 else nullcontext()
    with torch.inference_mode(), lower:
        sr = network(_to_tensor(clip).unsqueeze(0).to(device)).sr[0].float().clamp(0, 1)
    result: ByteClip = (sr * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    return result


def psnr_y(first: ByteClip, second: ByteClip) -> float:
    """PSNR of the luma of two clips ``(t, h, w, 3)``, the mean over their frames in dB."""
    images, references = (_to_tensor(clip) for clip in (first, second))
    return float(psnr(images, references, channels="y").mean())


def _to_tensor(clip: ByteClip) -> torch.Tensor:
    """RGB uint8 ``(t, h, w, 3)`` to RGB float32 in [0, 1], ``(t, 3, h, w)``."""
    return torch.from_numpy(np.ascontiguousarray(clip)).permute(0, 3, 1, 2).float() / 255


def validate(
    network: RealBasicVSRNet, clips: tuple[HeldOutClip, ...]
) -> dict[str, tuple[float, float]]:
    """PSNR (Y) of bicubic interpolation and of the network for each clip."""
    scores = {}
    for clip in clips:
        sr = upscale(network, clip.lq)
        scores[clip.name] = (
            psnr_y(bicubic(clip.lq, network.scale), clip.gt),
            psnr_y(sr, clip.gt),
        )
    return scores


def compare(network: RealBasicVSRNet, clip: HeldOutClip) -> npt.NDArray[np.uint8]:
    """The middle frame by bicubic interpolation, by the network, and the truth, side by side."""
    middle = len(clip.lq) // 2
    versions = (bicubic(clip.lq, network.scale), upscale(network, clip.lq), clip.gt)
    return side_by_side([version[middle] for version in versions])
