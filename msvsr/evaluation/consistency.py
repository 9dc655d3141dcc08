"""Temporal consistency of an output, judged by the motion in its input."""

from pathlib import Path

import torch
import torch.nn.functional as F

from msvsr.engine.images import to_tensor
from msvsr.evaluation.model_description import describe_model
from msvsr.frame import ImageArray
from msvsr.metrics import warping_error
from msvsr.models.catalog import FRAME_INTERPOLATION_TASK, default_model_folder
from msvsr.models.interpolation_networks import EncodedFrame
from msvsr.models.raft_interpolation import RaftInterpolation

__all__ = ["WARPING_ERROR", "WARPING_SHARE", "MotionJudge", "WarpingMeter"]

WARPING_ERROR = "warping_error"
WARPING_SHARE = "warping_share"

_BOTH = 2


class MotionJudge:
    """The embedded flow network, which judges the motion for all methods alike.

    Args:
        device: Name of the device.
        folder: A folder with another interpolation model, whose flow network is taken.

    Attributes:
        device: Where it is.
        description: Which model's network it is.

    Raises:
        ConfigError: The embedded model is not installed.
        CheckpointError: It has no weights.
    """

    def __init__(self, device: str = "cpu", folder: Path | None = None) -> None:
        folder = folder or default_model_folder(FRAME_INTERPOLATION_TASK)
        model = RaftInterpolation.from_folder(folder, device=device, dtype="float32")
        self.description = describe_model(folder)
        self.device = model.device
        self._networks = model.networks

    @torch.inference_mode()
    def encode(self, image: ImageArray) -> EncodedFrame:
        """What the network sees in a frame."""
        return self._networks.encode(to_tensor(image, self.device)[None])

    @torch.inference_mode()
    def flows(
        self, first: EncodedFrame, second: EncodedFrame, size: tuple[int, int]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Flow from the first to the second frame and back, enlarged: ``(1, 2, h, w)`` each.

        Args:
            first: What was seen in the first frame.
            second: What was seen in the second.
            size: Height and width that the flow shall have; the frames' own times a factor.
        """
        there, back = self._networks.flow.estimate_both(
            first.features,
            second.features,
            self._networks.num_iterations,
            correlation_bytes=self._networks.correlation_bytes,
        )
        height, width = first.size
        padded = tuple(first.images.shape[-2:])
        return _enlarge(there, padded, (height, width), size), _enlarge(
            back, padded, (height, width), size
        )


def _enlarge(
    flow: torch.Tensor, padded: tuple[int, ...], frame: tuple[int, int], size: tuple[int, int]
) -> torch.Tensor:
    """Bring flow to the size of padded frames, cut the padding off, and enlarge the rest."""
    if tuple(flow.shape[-2:]) != padded:  # large frames have their flow at half the size
        flow = _resize(flow, (padded[0], padded[1]))
    return _resize(flow[..., : frame[0], : frame[1]], size)


def _resize(flow: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    height, width = flow.shape[-2:]
    if (height, width) == size:
        return flow
    factors = flow.new_tensor([size[1] / width, size[0] / height]).view(1, _BOTH, 1, 1)
    return F.interpolate(flow, size=size, mode="bilinear", align_corners=False) * factors


class WarpingMeter:
    """Warping error of a clip whose frames come one by one; it holds two of them.

    Args:
        judge: Judges the motion.
    """

    def __init__(self, judge: MotionJudge) -> None:
        self._judge = judge
        self._last: tuple[EncodedFrame, torch.Tensor] | None = None

    def update(self, source: ImageArray, made: torch.Tensor) -> dict[str, float]:
        """Compare the next frame with the one before.

        Args:
            source: The frame of the input, RGB.
            made: What a method made of it, ``(1, 3, h, w)``, [0, 1].

        Returns:
            Their ``warping_error``, NaN where no pixel is seen in both, and the share of the pixels
            that it is taken over, ``warping_share``; nothing for the first frame.
        """
        seen, made = self._judge.encode(source), made.to(self._judge.device)
        last, self._last = self._last, (seen, made)
        if last is None:
            return {}
        size = (made.shape[-2], made.shape[-1])
        flow_to_next, flow_to_prev = self._judge.flows(last[0], seen, size)
        found = warping_error(torch.cat((last[1], made)), flow_to_next, flow_to_prev)
        return {WARPING_ERROR: float(found.error), WARPING_SHARE: float(found.visible_share)}
