"""RAFT and the quadratic interpolator with weights: what the engine makes frames with."""

from pathlib import Path

import psutil
import torch
from torch import nn

from msvsr.archs.interpnet import InterpNet
from msvsr.archs.raft import RAFT
from msvsr.errors import CheckpointError, ConfigError
from msvsr.models.checkpoints import load_weights, read_checkpoint
from msvsr.models.config import read_configuration
from msvsr.models.contract import NeighbourMotion
from msvsr.models.devices import choose_device, choose_dtype
from msvsr.models.interpolation_config import InterpolationConfig
from msvsr.models.interpolation_networks import EncodedFrame, InterpolationNetworks, PairMotion

__all__ = [
    "FLOW_FILES",
    "INTERPOLATOR_FILES",
    "JOINT_FILES",
    "RaftInterpolation",
    "build_networks",
    "find_weights",
    "load_networks",
]

JOINT_FILES = ("model.safetensors", "pytorch_model.bin")
"""Names under which a model folder keeps the weights of both networks, as ModelScope saves them."""

FLOW_FILES = (
    "flow.safetensors",
    "raft-sintel.pt",
    "raft-sintel.pth",
    "raft-things.pth",
    "raft-small.pth",
)
"""Names of the weights of the flow network alone, the preferred one first."""

INTERPOLATOR_FILES = ("interpolator.safetensors", "interpnet.pt")
"""Names of the weights of the interpolator alone, the preferred one first."""

_CONVERTED_PARTS = {
    "flow": ("fnet", "cnet", "update_block"),
    "interpolator": ("ifnet", "internet"),
}
"""Parts of the networks that compute in the chosen type. Flows, positions, correlation and images
stay in float32 in any case."""

_QUICK_BYTES = 64 * 2**20
"""Beyond this, correlation on demand is the quicker way on a CPU: the pairs leave its cache."""

_DEFAULT_SHARE_OF_MEMORY = 0.25
_GIBIBYTE = 1024**3


class RaftInterpolation:
    """The model contract (`msvsr.models.contract.FrameInterpolator`) around the networks.

    Convolutions run channels-last in the chosen type; flows, sampling positions, correlation and
    images stay in float32.

    Args:
        networks: The networks with their weights; they are moved, converted and frozen.
        device: Name of the device, see `choose_device`.
        dtype: Name of the type, see `choose_dtype`.
        correlation_gib: Memory for the correlation of all pairs of pixels; where it does not do,
            correlation is computed when it is looked up, with the same result. ``None`` is a
            quarter of the free memory, and on a CPU no more than it is quick with.
        always_on_demand: Look correlation up on demand in any case.

    Raises:
        ConfigError: The device or the type does not exist, or the memory is negative.
    """

    def __init__(
        self,
        networks: InterpolationNetworks,
        *,
        device: str | torch.device = "auto",
        dtype: str = "auto",
        correlation_gib: float | None = None,
        always_on_demand: bool = False,
    ) -> None:
        self.device = choose_device(device)
        self.dtype = choose_dtype(dtype, self.device)
        self.networks = _prepare(networks, self.device, self.dtype)
        self.networks.correlation_bytes = (
            0 if always_on_demand else _correlation_bytes(correlation_gib, self.device)
        )

    @classmethod
    def from_folder(
        cls,
        folder: Path,
        *,
        device: str | torch.device = "auto",
        dtype: str = "auto",
        correlation_gib: float | None = None,
    ) -> "RaftInterpolation":
        """Load a model folder: its ``configuration.json`` and its weights.

        Args:
            folder: The model folder.
            device: Name of the device, see `choose_device`.
            dtype: Name of the type, see `choose_dtype`.
            correlation_gib: As for the constructor.

        Raises:
            ConfigError: The configuration is missing or wrong, or an argument is.
            CheckpointError: The weights are missing or belong to other networks.
        """
        device = choose_device(device)  # before anything large is read
        choose_dtype(dtype, device)
        config = InterpolationConfig.from_mapping(read_configuration(folder))
        return cls(
            load_networks(folder, config),
            device=device,
            dtype=dtype,
            correlation_gib=correlation_gib,
            always_on_demand=config.network.alternate_corr,
        )

    @torch.inference_mode()
    def encode(self, image: torch.Tensor) -> EncodedFrame:
        """Do what depends on one frame alone: ``(3, h, w)``, RGB in [0, 1], any size."""
        return self.networks.encode(image[None].to(self.device, torch.float32))

    @torch.inference_mode()
    def estimate_motion(self, first: EncodedFrame, second: EncodedFrame) -> PairMotion:
        """Motion between two frames of one size, in both directions."""
        return self.networks.estimate_motion(first, second)

    @torch.inference_mode()
    def synthesize(
        self,
        first: EncodedFrame,
        second: EncodedFrame,
        motion: PairMotion,
        timestep: float,
        *,
        before: NeighbourMotion[PairMotion] | None = None,
        after: NeighbourMotion[PairMotion] | None = None,
    ) -> torch.Tensor:
        """Make the frame at an instant, see `msvsr.models.contract.FrameInterpolator`."""
        return self.networks.synthesize(
            first, second, motion, timestep, before=before, after=after
        )[0]


def build_networks(config: InterpolationConfig) -> InterpolationNetworks:
    """Make the networks that a configuration describes, with random weights."""
    sizes = config.interpolator
    interpolator = InterpNet(
        refiner_channels=sizes.refiner_channels,
        attention=sizes.attention,
        base_channels=sizes.base_channels,
        mask_channels=sizes.mask_channels,
    )
    flow = RAFT(small=config.network.small)
    return InterpolationNetworks(flow, interpolator, num_iterations=config.network.num_iterations)


def load_networks(folder: Path, config: InterpolationConfig) -> InterpolationNetworks:
    """Make the networks that a configuration describes, with the weights of a model folder.

    Args:
        folder: The model folder.
        config: Sizes of the networks.

    Raises:
        CheckpointError: The weights are missing or belong to other networks.
    """
    networks = build_networks(config)
    files = find_weights(folder)
    parts = (networks,) if len(files) == 1 else (networks.flow, networks.interpolator)
    for part, file in zip(parts, files, strict=True):
        load_weights(part, read_checkpoint(file), str(file))
    return networks


def find_weights(folder: Path) -> tuple[Path, ...]:
    """Find the weights of a model folder.

    Returns:
        One file that holds both networks, or that of the flow network and that of the interpolator.

    Raises:
        CheckpointError: The folder lacks weights.
    """
    joint = _first_file(folder, JOINT_FILES)
    if joint is not None:
        return (joint,)
    flow, interpolator = (_first_file(folder, names) for names in (FLOW_FILES, INTERPOLATOR_FILES))
    if flow is not None and interpolator is not None:
        return flow, interpolator
    raise CheckpointError(
        f"no {'flow' if flow is None else 'interpolator'} weights in '{folder}': expected one of "
        f"{', '.join(FLOW_FILES)} and one of {', '.join(INTERPOLATOR_FILES)}; "
        "download the model, or copy its weights there"
    )


def _first_file(folder: Path, names: tuple[str, ...]) -> Path | None:
    return next((folder / name for name in names if (folder / name).is_file()), None)


def _prepare(
    networks: InterpolationNetworks, device: torch.device, dtype: torch.dtype
) -> InterpolationNetworks:
    networks = networks.eval().requires_grad_(False)
    for module in networks.modules():
        if isinstance(module, nn.Conv2d):
            module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    for network, names in _CONVERTED_PARTS.items():
        for name in names:
            part = getattr(getattr(networks, network), name)
            if part is not None:  # an interpolator may have nothing that refines flows
                part.to(dtype)
    return networks.to(device)


def _correlation_bytes(correlation_gib: float | None, device: torch.device) -> int:
    if correlation_gib is None:
        share = int(_DEFAULT_SHARE_OF_MEMORY * _free_bytes(device))
        return min(share, _QUICK_BYTES) if device.type == "cpu" else share
    if not correlation_gib >= 0:
        raise ConfigError(f"correlation_gib must be 0 or above, got {correlation_gib}")
    return int(correlation_gib * _GIBIBYTE)


def _free_bytes(device: torch.device) -> int:
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return int(psutil.virtual_memory().available)
