"""RealBasicVSR with weights, on a device, in a type: what the engine runs."""

from pathlib import Path

import torch
from torch import nn

from msvsr.archs.realbasicvsr import RealBasicVSRNet
from msvsr.archs.spynet import SPyNet
from msvsr.errors import CheckpointError
from msvsr.models.checkpoints import load_weights, read_checkpoint
from msvsr.models.config import GeneratorConfig, SuperResolutionConfig, read_configuration
from msvsr.models.contract import Stage
from msvsr.models.devices import choose_device, choose_dtype

__all__ = [
    "WEIGHTS_FILES",
    "RealBasicVSR",
    "build_network",
    "find_weights",
    "load_network",
    "read_spynet",
]

WEIGHTS_FILES = ("model.safetensors", "pytorch_model.pt", "pytorch_model.bin")
"""Names under which a model folder keeps its weights, the preferred one first."""

_RECONSTRUCTION_RADIUS = 4
"""Three 3x3 convolutions at full, double and four times the size, and the bilinear base."""

_FLOAT_BYTES = 4


class RealBasicVSR:
    """The model contract (`msvsr.models.contract.RecurrentUpscaler`) around the network.

    Convolutions run channels-last in the chosen type; the flow network, sampling coordinates and
    images stay in float32.

    Args:
        network: The network with its weights; it is moved, converted and frozen.
        device: Name of the device, see `choose_device`.
        dtype: Name of the type, see `choose_dtype`.
        refine_threshold: Default threshold of dynamic refinement in 0-255 units.
        window: Frames per window, or ``None`` to let the engine choose.
    """

    min_side = 64

    def __init__(
        self,
        network: RealBasicVSRNet,
        *,
        device: str | torch.device = "auto",
        dtype: str = "auto",
        refine_threshold: float = 255.0,
        window: int | None = None,
    ) -> None:
        self.device = choose_device(device)
        self.feature_dtype = choose_dtype(dtype, self.device)
        self.refine_threshold = refine_threshold
        self.window = window
        self.network = _prepare(network, self.device, self.feature_dtype)
        self.scale = network.scale
        self.feature_channels = network.basicvsr.mid_channels
        self._describe_stages()

    @classmethod
    def from_folder(
        cls, folder: Path, *, device: str | torch.device = "auto", dtype: str = "auto"
    ) -> "RealBasicVSR":
        """Load a model folder: its ``configuration.json`` and its weights.

        Args:
            folder: The model folder.
            device: Name of the device, see `choose_device`.
            dtype: Name of the type, see `choose_dtype`.

        Raises:
            ConfigError: The configuration is missing or wrong.
            CheckpointError: The weights are missing or belong to another network.
        """
        device = choose_device(device)  # before anything large is read
        choose_dtype(dtype, device)
        config = SuperResolutionConfig.from_mapping(read_configuration(folder))
        return cls(
            load_network(folder, config.generator),
            device=device,
            dtype=dtype,
            refine_threshold=config.generator.dynamic_refine_thres,
            window=config.max_seq_len,
        )

    @torch.inference_mode()
    def estimate_flow(self, reference: torch.Tensor, neighbour: torch.Tensor) -> torch.Tensor:
        """Flow from reference to neighbour ``(n, 3, h, w)``: ``(n, 2, h, w)`` in pixels."""
        return self.network.basicvsr.estimate_flow(
            _channels_last(reference.float()), _channels_last(neighbour.float())
        )

    @torch.inference_mode()
    def _clean(self, frames: torch.Tensor) -> torch.Tensor:
        return self.network.cleaning_residue(_channels_last(frames)).float()

    @torch.inference_mode()
    def _propagate_backward(self, frame: torch.Tensor, aligned: torch.Tensor) -> torch.Tensor:
        return self.network.basicvsr.propagate_backward(
            _channels_last(frame), _channels_last(aligned)
        )

    @torch.inference_mode()
    def _propagate_forward(self, frame: torch.Tensor, aligned: torch.Tensor) -> torch.Tensor:
        return self.network.basicvsr.propagate_forward(
            _channels_last(frame), _channels_last(aligned)
        )

    @torch.inference_mode()
    def _reconstruct(
        self, frame: torch.Tensor, backward: torch.Tensor, forward: torch.Tensor
    ) -> torch.Tensor:
        return self.network.basicvsr.reconstruct(
            _channels_last(frame), _channels_last(backward), _channels_last(forward)
        )

    def _describe_stages(self) -> None:
        basicvsr = self.network.basicvsr
        bytes_per_value = self.feature_dtype.itemsize
        feature_bytes = self.feature_channels * bytes_per_value
        high_channels = basicvsr.conv_hr.in_channels
        # The widest moment: the second sub-pixel convolution, before and after its shuffle.
        high_bytes = 2 * (self.scale**2) * high_channels * bytes_per_value
        self.cleaning = Stage(
            function=self._clean,
            radius=self.network.cleaning_radius,
            work_bytes_per_pixel=4 * feature_bytes,
        )
        radius = basicvsr.backward_resblocks.receptive_radius
        self.backward_branch = Stage(
            function=self._propagate_backward, radius=radius, work_bytes_per_pixel=4 * feature_bytes
        )
        self.forward_branch = Stage(
            function=self._propagate_forward, radius=radius, work_bytes_per_pixel=4 * feature_bytes
        )
        self.reconstruction = Stage(
            function=self._reconstruct,
            radius=_RECONSTRUCTION_RADIUS,
            scale=self.scale,
            work_bytes_per_pixel=high_bytes + 3 * _FLOAT_BYTES * self.scale**2,
        )


def build_network(config: GeneratorConfig) -> RealBasicVSRNet:
    """Make the network that a configuration describes, with random weights."""
    spynet = SPyNet(
        channels=config.flow_channels,
        kernel_size=config.flow_kernel_size,
        num_levels=config.flow_num_levels,
        finest_level=config.flow_finest_level,
    )
    return RealBasicVSRNet(
        mid_channels=config.mid_channels,
        num_propagation_blocks=config.num_propagation_blocks,
        num_cleaning_blocks=config.num_cleaning_blocks,
        high_resolution_channels=config.high_resolution_channels,
        spynet=spynet,
    )


def load_network(folder: Path, config: GeneratorConfig) -> RealBasicVSRNet:
    """Make the network that a configuration describes, with the weights of a model folder.

    Args:
        folder: The model folder.
        config: Sizes of the network.

    Raises:
        CheckpointError: The weights are missing or belong to another network.
    """
    network = build_network(config)
    weights = find_weights(folder)
    load_weights(network, read_checkpoint(weights), str(weights))
    return network


def read_spynet(path: Path) -> dict[str, torch.Tensor]:
    """Read the weights of a flow network.

    Args:
        path: A file of its own weights, or of those of a whole network, or a model folder.

    Raises:
        CheckpointError: There are no weights, or the file is damaged.
    """
    weights = read_checkpoint(find_weights(path) if path.is_dir() else path)
    prefix = "basicvsr.spynet."
    inside = {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}
    return inside or weights


def find_weights(folder: Path) -> Path:
    """Find the weights file of a model folder.

    Raises:
        CheckpointError: The folder has none.
    """
    for name in WEIGHTS_FILES:
        if (folder / name).is_file():
            return folder / name
    raise CheckpointError(
        f"no weights in '{folder}': expected one of {', '.join(WEIGHTS_FILES)}; "
        "download the model, or copy its weights there"
    )


def _prepare(network: RealBasicVSRNet, device: torch.device, dtype: torch.dtype) -> RealBasicVSRNet:
    network = network.eval().requires_grad_(False)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    in_float32 = network.basicvsr.spynet
    for part in (network.image_cleaning, *network.basicvsr.children()):
        if part is not in_float32:
            part.to(dtype)
    return network.to(device)


def _channels_last(x: torch.Tensor) -> torch.Tensor:
    return x.contiguous(memory_format=torch.channels_last)
