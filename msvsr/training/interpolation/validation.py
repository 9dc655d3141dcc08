"""PSNR of frames made between frames of held-out clips, beside a plain blend."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from msvsr.archs.interpnet import InterpNet
from msvsr.archs.raft import RAFT
from msvsr.data.cache import load_clip
from msvsr.data.sampling import ByteClip
from msvsr.data.windows import clip_to_tensor
from msvsr.errors import InputError
from msvsr.metrics import psnr
from msvsr.ops.warp import backward_warp
from msvsr.training.interpolation.config import HeldOutConfig, InterpolationTrainingConfig
from msvsr.training.pictures import side_by_side

__all__ = ["HeldOutTriplets", "compare_triplet", "load_held_out_triplets", "validate_triplets"]

_MULTIPLE = 32


@dataclass(frozen=True, kw_only=True, eq=False)
class HeldOutTriplets:
    """Triplets of consecutive frames of one clip.

    Attributes:
        name: The clip's file name.
        frames: RGB in [0, 1], ``(n, 3, 3, h, w)``; the middle one is to be made.
    """

    name: str
    frames: torch.Tensor


def load_held_out_triplets(
    config: HeldOutConfig, data_dir: Path, cache_dir: Path
) -> tuple[HeldOutTriplets, ...]:
    """Cut triplets out of the held-out clips, the same ones every time.

    Raises:
        InputError: A clip is too short or too small.
    """
    held_out = []
    for source in config.clips:
        frames = load_clip(data_dir, source, cache_dir)
        if len(frames) < 3 or min(frames.shape[1:3]) < RAFT.min_side:
            raise InputError(
                f"a clip to validate on needs 3 frames and sides of {RAFT.min_side} pixels, "
                f"{source.name!r} has {len(frames)} of {frames.shape[1]}x{frames.shape[2]}"
            )
        starts = np.linspace(0, len(frames) - 3, config.num_triplets).astype(int)
        crops = [_central_crop(frames[start : start + 3], config.size) for start in starts]
        tensors = torch.stack([clip_to_tensor(crop) for crop in crops]).float() / 255
        held_out.append(HeldOutTriplets(name=source.name, frames=tensors))
    return tuple(held_out)


def _central_crop(clip: ByteClip, size: int) -> ByteClip:
    height, width = (min(size, side) // _MULTIPLE * _MULTIPLE for side in clip.shape[1:3])
    top, left = (clip.shape[1] - height) // 2, (clip.shape[2] - width) // 2
    return np.array(clip[:, top : top + height, left : left + width])


def validate_triplets(
    flow: RAFT,
    interpolator: InterpNet,
    triplets: tuple[HeldOutTriplets, ...],
    config: InterpolationTrainingConfig,
) -> dict[str, tuple[float, float]]:
    """PSNR (Y) of a blend and of the networks for each clip.

    In the first stage, where the interpolator knows nothing yet, the flow is judged by the mean of
    both frames warped half of the way.
    """
    scores = {}
    for clip in triplets:
        first, target, second = clip.frames.unbind(dim=1)
        made = _make_middle(flow, interpolator, clip.frames, config)
        scores[clip.name] = (
            float(psnr((first + second) / 2, target, channels="y").mean()),
            float(psnr(made, target, channels="y").mean()),
        )
    return scores


@torch.inference_mode()
def _make_middle(
    flow: RAFT,
    interpolator: InterpNet,
    frames: torch.Tensor,
    config: InterpolationTrainingConfig,
) -> torch.Tensor:
    """The middle frames of triplets ``(n, 3, 3, h, w)``: RGB in [0, 1] on the CPU."""
    device = next(flow.parameters()).device
    first, _, second = frames.to(device).unbind(dim=1)
    features = flow.encode(first), flow.encode(second)
    flows = flow.estimate_both(*features, config.network.network.num_iterations)
    if config.stage == "flow":
        made = _warp_half_way(first, second, *flows)
    else:
        flows = interpolator.refine(first, second, *flows)
        made = interpolator.synthesize(first, second, *flows, 0.5).frame
    return made.float().clamp(0, 1).cpu()


def compare_triplet(
    flow: RAFT,
    interpolator: InterpNet,
    clip: HeldOutTriplets,
    config: InterpolationTrainingConfig,
) -> npt.NDArray[np.uint8]:
    """A blend, the frame made and the true one of a clip's first triplet, side by side."""
    frames = clip.frames[:1]
    first, target, second = frames[0]
    made = _make_middle(flow, interpolator, frames, config)[0]
    images = torch.stack([(first + second) / 2, made, target])  # (3, 3, h, w)
    arrays = (images * 255).round().byte().permute(0, 2, 3, 1).numpy()
    return side_by_side(list(arrays))


def _warp_half_way(
    first: torch.Tensor, second: torch.Tensor, flow_12: torch.Tensor, flow_21: torch.Tensor
) -> torch.Tensor:
    """Mean of both frames, each moved by half of the flow of the other direction."""
    from_first = backward_warp(first, flow_21.float() / 2, padding_mode="border")
    from_second = backward_warp(second, flow_12.float() / 2, padding_mode="border")
    return (from_first + from_second) / 2
