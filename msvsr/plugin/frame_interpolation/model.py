"""RAFT and the quadratic interpolator as a model of ModelScope."""

import copy
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from modelscope.models.builder import MODELS

from msvsr.errors import InputError, ShapeError
from msvsr.models.contract import NeighbourMotion
from msvsr.models.interpolation_config import InterpolationConfig
from msvsr.models.raft_interpolation import RaftInterpolation, load_networks
from msvsr.plugin.names import FRAME_INTERPOLATION_MODEL, FRAME_INTERPOLATION_TASK
from msvsr.plugin.registering import register
from msvsr.plugin.video_model import VideoModel

__all__ = ["RaftForVideoFrameInterpolation"]


@register(MODELS, FRAME_INTERPOLATION_TASK, FRAME_INTERPOLATION_MODEL)
class RaftForVideoFrameInterpolation(VideoModel):
    """RAFT and its interpolator as ModelScope loads, moves, trains and saves them.

    Attributes:
        model: Both networks (`msvsr.models.interpolation_networks.InterpolationNetworks`).
        model_config: What the configuration says about them.
    """

    def _load(self, folder: Path, configuration: Mapping[str, Any]) -> None:
        self.model_config = InterpolationConfig.from_mapping(configuration)
        self.model = load_networks(folder, self.model_config)

    def forward(self, inputs: Mapping[str, Any]) -> dict[str, torch.Tensor]:
        """Make the frame at an instant between the two frames in the middle.

        Args:
            inputs: ``input``: clips of two or four frames, RGB in [0, 1], ``(n, t, 3, h, w)``, not
                modified; with four, motion is quadratic. ``timestep``: in (0, 1), a number or one
                per clip, ``(n,)``; half way by default.

        Returns:
            ``output``: the frames, RGB in [0, 1], ``(n, 3, h, w)``.

        Raises:
            InputError: There is another key, or no ``input``.
            ShapeError: The clips or the timesteps have another shape.
        """
        if "input" not in inputs or not set(inputs) <= {"input", "timestep"}:
            raise InputError(
                "the model takes a dictionary with 'input' and perhaps 'timestep', "
                f"got {sorted(inputs)}"
            )
        clips = inputs["input"]
        if clips.ndim != 5 or clips.shape[2] != 3 or clips.shape[1] not in (2, 4):
            raise ShapeError(
                f"'input' must have shape (n, 2 or 4, 3, h, w), got {tuple(clips.shape)}"
            )
        return {"output": self._interpolate(clips, _shaped(inputs.get("timestep", 0.5), clips))}

    def _interpolate(self, clips: torch.Tensor, timestep: float | torch.Tensor) -> torch.Tensor:
        frames = [self.model.encode(frame) for frame in clips.unbind(1)]
        motions = [self.model.estimate_motion(*pair) for pair in pairwise(frames)]
        middle = len(motions) // 2
        is_quadratic = len(frames) == 4
        return self.model.synthesize(
            frames[middle],
            frames[middle + 1],
            motions[middle],
            timestep,
            before=NeighbourMotion(motions[0], 1.0) if is_quadratic else None,
            after=NeighbourMotion(motions[-1], 1.0) if is_quadratic else None,
        )

    def prepare(
        self, *, device: str | torch.device = "auto", dtype: str = "auto"
    ) -> RaftInterpolation:
        """Make what the engine runs, see `VideoModel.prepare`."""
        return RaftInterpolation(
            copy.deepcopy(self.model),
            device=device,
            dtype=dtype,
            always_on_demand=self.model_config.network.alternate_corr,
        )


def _shaped(timestep: float | torch.Tensor, clips: torch.Tensor) -> float | torch.Tensor:
    """One number, or one per sample in the shape that meets images."""
    if not isinstance(timestep, torch.Tensor) or timestep.ndim == 0:
        return timestep
    if timestep.shape != clips.shape[:1]:
        raise ShapeError(
            f"'timestep' must be a number or have shape ({len(clips)},), "
            f"got {tuple(timestep.shape)}"
        )
    return timestep.view(-1, 1, 1, 1).to(clips)
