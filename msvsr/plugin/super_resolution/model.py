"""RealBasicVSR as a model of ModelScope."""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from modelscope.models.builder import MODELS

from msvsr.errors import InputError, ShapeError
from msvsr.models.config import SuperResolutionConfig
from msvsr.models.realbasicvsr import RealBasicVSR, load_network
from msvsr.plugin.names import SUPER_RESOLUTION_MODEL, SUPER_RESOLUTION_TASK
from msvsr.plugin.registering import register
from msvsr.plugin.video_model import VideoModel

__all__ = ["RealBasicVSRForVideoSuperResolution"]


@register(MODELS, SUPER_RESOLUTION_TASK, SUPER_RESOLUTION_MODEL)
class RealBasicVSRForVideoSuperResolution(VideoModel):
    """RealBasicVSR as ModelScope loads, moves, trains and saves it; see `VideoModel`.

    Attributes:
        model: The network (`msvsr.archs.realbasicvsr.RealBasicVSRNet`).
        model_config: What the configuration says about it.
    """

    def _load(self, folder: Path, configuration: Mapping[str, Any]) -> None:
        self.model_config = SuperResolutionConfig.from_mapping(configuration)
        self.model = load_network(folder, self.model_config.generator)

    def forward(self, inputs: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Upscale whole clips in one pass.

        Args:
            inputs: ``input``: clips of RGB in [0, 1], ``(n, t, 3, h, w)``; not modified.

        Returns:
            ``output``: the upscaled clips in [0, 1], ``(n, t, 3, 4h, 4w)``.

        Raises:
            InputError: There is another key, or no ``input``.
            ShapeError: The clips have another shape.
        """
        if set(inputs) != {"input"}:
            raise InputError(
                f"the model takes a dictionary with 'input' alone, got {sorted(inputs)}"
            )
        clips = inputs["input"]
        if clips.ndim != 5 or clips.shape[2] != 3:
            raise ShapeError(f"'input' must have shape (n, t, 3, h, w), got {tuple(clips.shape)}")
        threshold = self.model_config.generator.dynamic_refine_thres
        return {"output": self.model(clips, threshold).sr.clamp(0, 1)}

    def prepare(self, *, device: str | torch.device = "auto", dtype: str = "auto") -> RealBasicVSR:
        """Make what the engine runs, see `VideoModel.prepare`."""
        return RealBasicVSR(
            copy.deepcopy(self.model),
            device=device,
            dtype=dtype,
            refine_threshold=self.model_config.generator.dynamic_refine_thres,
            window=self.model_config.max_seq_len,
        )
