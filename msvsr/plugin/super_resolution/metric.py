"""NIQE as the metric of video super-resolution that ModelScope knows."""

from collections.abc import Mapping
from typing import Any

from modelscope.metrics.builder import METRICS, MetricKeys

from msvsr.errors import InputError
from msvsr.metrics import FrameMean, Niqe
from msvsr.plugin.names import DEFAULT_GROUP, SUPER_RESOLUTION_METRIC
from msvsr.plugin.registering import register
from msvsr.plugin.video_metric import (
    PREDICTION_KEYS,
    VideoMetric,
    iterate_images,
    round_to_8_bits,
)

__all__ = ["CARD_NIQE", "VideoSuperResolutionMetric"]

CARD_NIQE = f"{MetricKeys.NIQE}[modelscope-card]"


@register(METRICS, DEFAULT_GROUP, SUPER_RESOLUTION_METRIC)
class VideoSuperResolutionMetric(VideoMetric):
    """The mean NIQE of all frames.

    ``niqe`` is that of the frames as a file of 8 bits holds them. ``niqe[modelscope-card]`` is what
    ModelScope's own metric makes of them: not rounded, and luma with red and blue exchanged.
    """

    def _start(self) -> dict[str, FrameMean | Niqe]:
        return {MetricKeys.NIQE: Niqe(), CARD_NIQE: Niqe()}

    def add(self, outputs: Mapping[str, Any], inputs: Mapping[str, Any] | None = None) -> None:
        """Score the frames of a batch.

        Args:
            outputs: ``pred`` or ``output``: frames or clips of RGB in [0, 1], ``(..., 3, h, w)``,
                or a list of them.
            inputs: Accepted from ModelScope, without effect.

        Raises:
            InputError: There are no frames in it.
            ShapeError: They are too small for NIQE.
        """
        del inputs
        key = next((key for key in PREDICTION_KEYS if key in outputs), None)
        if key is None:
            raise InputError(
                f"the metric needs a model that returns 'pred' or 'output', got {sorted(outputs)}"
            )
        for image in iterate_images(outputs[key], key):
            self.means[MetricKeys.NIQE].update(round_to_8_bits(image))
            self.means[CARD_NIQE].update(image.float().flip(-3))  # RGB -> BGR
