"""What the models of both tasks share as models of ModelScope."""

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from modelscope.models.base import TorchModel

from msvsr.models.config import read_configuration

__all__ = ["VideoModel"]


class VideoModel(TorchModel):  # type: ignore[misc]
    """Networks of a model folder, in float32, as ModelScope loads, moves, trains and saves them.

    Args:
        model_dir: The model folder, with ``configuration.json`` and weights.
        device: Accepted from ModelScope, which moves the model itself.
        device_map: Accepted from ModelScope, without effect.
        trust_remote_code: Accepted from ModelScope; no code of a model folder is ever run.
        model_options: Keys of ``model`` in the configuration that replace those of the file.

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
        **model_options: Any,  # noqa: ANN401  (checked by the configuration's dataclass)
    ) -> None:
        del device_map
        super().__init__(model_dir, device=device, trust_remote_code=trust_remote_code)
        in_file = read_configuration(Path(model_dir)).get("model") or {}
        self._load(Path(model_dir), {"model": {**in_file, **model_options}})

    @abstractmethod
    def _load(self, folder: Path, configuration: Mapping[str, Any]) -> None:
        """Read the configuration and the weights."""

    @abstractmethod
    def prepare(self, *, device: str | torch.device = "auto", dtype: str = "auto") -> Any:  # noqa: ANN401
        """Make what the engine runs: a frozen copy of the networks as they are now.

        Args:
            device: Name of the device, see `msvsr.models.devices.choose_device`.
            dtype: Name of the type, see `msvsr.models.devices.choose_dtype`.

        Raises:
            ConfigError: There is no such device or type.
        """
