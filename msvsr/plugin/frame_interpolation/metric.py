"""PSNR, SSIM and LPIPS as the metric of video frame interpolation that ModelScope knows."""

from collections.abc import Mapping
from typing import Any

import torch
from modelscope.metrics.builder import METRICS, MetricKeys
from modelscope.utils.logger import get_logger

from msvsr.errors import CheckpointError, InputError, ShapeError
from msvsr.metrics import FrameMean, Lpips, Niqe, load_lpips, lpips, psnr, ssim, ssim_3d
from msvsr.plugin.names import DEFAULT_GROUP, FRAME_INTERPOLATION_METRIC
from msvsr.plugin.registering import register
from msvsr.plugin.video_metric import (
    PREDICTION_KEYS,
    TARGET_KEY,
    VideoMetric,
    iterate_images,
    round_to_8_bits,
)

__all__ = ["VideoFrameInterpolationMetric"]

logger = get_logger()

_KEYS = (
    MetricKeys.PSNR,
    MetricKeys.SSIM,
    MetricKeys.LPIPS,
    "psnr[standard]",
    "ssim[standard]",
    "psnr_y[standard]",
    "ssim_y[standard]",
    "lpips[standard]",
)


@register(METRICS, DEFAULT_GROUP, FRAME_INTERPOLATION_METRIC)
class VideoFrameInterpolationMetric(VideoMetric):
    """How close made frames are to the true ones, by the card's definitions and by the usual ones.

    ``psnr``, ``ssim`` and ``lpips`` are defined as on the model card: images are not rounded, SSIM
    takes the channels for a third dimension, LPIPS gets BGR. Beside them stand the usual
    definitions for images of 8 bits, ``psnr[standard]`` and so on. Without the weights of LPIPS its
    keys are missing.

    Args:
        lpips_weights: Weights of AlexNet for LPIPS, see `msvsr.metrics.load_lpips`.
    """

    def __init__(self, lpips_weights: str | None = None) -> None:
        super().__init__()
        self._weights = lpips_weights
        self._lpips: Lpips | None = None
        self._has_lpips = True

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_lpips": None}

    def _start(self) -> dict[str, FrameMean | Niqe]:
        return {key: FrameMean() for key in _KEYS}

    def add(self, outputs: Mapping[str, Any], inputs: Mapping[str, Any] | None = None) -> None:
        """Score a batch.

        Args:
            outputs: ``pred`` or ``output``: made frames, RGB in [0, 1], ``(n, 3, h, w)``, or a
                list of them. Where they are larger than the true ones, the rest at the right and
                at the bottom is left out. ``target``: the true frames.
            inputs: ``target``, where the outputs have none.

        Raises:
            InputError: Frames or true frames are missing, or their numbers differ.
            ShapeError: A made frame is smaller than the true one.
        """
        key = next((key for key in PREDICTION_KEYS if key in outputs), None)
        targets = outputs.get(TARGET_KEY, (inputs or {}).get(TARGET_KEY))
        if key is None or targets is None:
            raise InputError(
                "the metric needs a model that returns 'pred' or 'output', and 'target' from it or "
                f"from the data, got {sorted(outputs)} and {sorted(inputs or {})}"
            )
        images = list(iterate_images(outputs[key], key))
        truths = list(iterate_images(targets, TARGET_KEY))
        if len(images) != len(truths):
            raise InputError(
                f"there must be one 'target' for each frame, got {len(truths)} for "
                f"{len(images)} frames"
            )
        for image, truth in zip(images, truths, strict=True):
            self._score(_cut(image, truth), truth.to(image.device))

    def _score(self, image: torch.Tensor, truth: torch.Tensor) -> None:
        whole, whole_truth = round_to_8_bits(image), round_to_8_bits(truth)
        values = {
            MetricKeys.PSNR: psnr(image, truth),
            MetricKeys.SSIM: ssim_3d(image, truth),
            "psnr[standard]": psnr(whole, whole_truth),
            "ssim[standard]": ssim(whole, whole_truth),
            "psnr_y[standard]": psnr(whole, whole_truth, channels="y"),
            "ssim_y[standard]": ssim(whole, whole_truth, channels="y"),
        }
        network = self._load_lpips()
        if network is not None:
            bgr, bgr_truth = image.float().flip(-3), truth.float().flip(-3)
            values[MetricKeys.LPIPS] = lpips(bgr, bgr_truth, network)
            values["lpips[standard]"] = lpips(whole, whole_truth, network)
        for key, value in values.items():
            self.means[key].update(value)

    def _load_lpips(self) -> Lpips | None:
        if self._lpips is None and self._has_lpips:
            try:
                self._lpips = load_lpips(self._weights)
            except CheckpointError as error:
                self._has_lpips = False
                logger.warning(f"LPIPS is left out: {error}")
        return self._lpips


def _cut(image: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """The part of an image that the true one shows."""
    height, width = truth.shape[-2:]
    if image.shape[-2] < height or image.shape[-1] < width:
        raise ShapeError(
            "a made frame must be as large as its 'target', got "
            f"{tuple(image.shape[-2:])} and {(height, width)}"
        )
    return image[..., :height, :width]
