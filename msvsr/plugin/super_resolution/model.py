"""RealBasicVSR as a model of ModelScope."""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from modelscope.models.base import TorchModel
from modelscope.models.builder import MODELS

from msvsr.errors import InputError, ShapeError
from msvsr.models.config import SuperResolutionConfig, read_configuration
from msvsr.models.realbasicvsr import RealBasicVSR, load_network
from msvsr.plugin.names import SUPER_RESOLUTION_MODEL, SUPER_RESOLUTION_TASK
from msvsr.plugin.registering import register

__all__ = ["RealBasicVSRForVideoSuperResolution"]


@register(MODELS, SUPER_RESOLUTION_TASK, SUPER_RESOLUTION_MODEL)
class RealBasicVSRForVideoSuperResolution(TorchModel):  # type: ignore[misc]
    """The network of a model folder, in float32, as ModelScope loads, moves, trains and saves it.

    Args:
        model_dir: The model folder, with ``configuration.json`` and weights.
        device: Accepted from ModelScope, which moves the model itself.
        device_map: Accepted from ModelScope, without effect.
        trust_remote_code: Accepted from ModelScope; no code of a model folder is ever run.
        model_options: Keys of ``model`` in the configuration that replace those of the file.

    Attributes:
        model: The network (`msvsr.archs.realbasicvsr.RealBasicVSRNet`).
        model_config: What the configuration says about it.

    Raises:
        ConfigError: The configuration is missing or wrong.
        CheckpointError: The weights are missing or belong to another network.
    """

    def __init__(
        self,
        model_dir: str,
        *,
        device: str = "gpu",
        device_map: object = None,
        trust_remote_code: bool = False,
        **model_options: Any,  # noqa: ANN401  (checked by SuperResolutionConfig)
    ) -> None:
        del device_map
        super().__init__(model_dir, device=device, trust_remote_code=trust_remote_code)
        in_file = read_configuration(Path(model_dir)).get("model") or {}
        self.model_config = SuperResolutionConfig.from_mapping(
            {"model": {**in_file, **model_options}}
        )
        self.model = load_network(Path(model_dir), self.model_config.generator)

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

    def upscaler(self, *, device: str | torch.device = "auto", dtype: str = "auto") -> RealBasicVSR:
        """Make what the engine runs: a frozen copy of the network as it is now.

        Args:
            device: Name of the device, see `msvsr.models.devices.choose_device`.
            dtype: Name of the type, see `msvsr.models.devices.choose_dtype`.

        Raises:
            ConfigError: There is no such device or type.
        """
        return RealBasicVSR(
            copy.deepcopy(self.model),
            device=device,
            dtype=dtype,
            refine_threshold=self.model_config.generator.dynamic_refine_thres,
            window=self.model_config.max_seq_len,
        )
