"""Small models of both tasks with random weights, for tests of everything around them."""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file

from msvsr.archs.interpnet import DERIVED_KEYS
from msvsr.archs.realbasicvsr import RealBasicVSRNet
from msvsr.models.config import GeneratorConfig
from msvsr.models.interpolation_config import InterpolationConfig
from msvsr.models.interpolation_networks import InterpolationNetworks
from msvsr.models.raft_interpolation import RaftInterpolation, build_networks
from msvsr.models.realbasicvsr import RealBasicVSR, build_network

__all__ = [
    "TINY",
    "TINY_INTERPOLATION",
    "tiny_interpolation_model",
    "tiny_interpolation_networks",
    "tiny_model",
    "tiny_network",
    "write_interpolation_folder",
    "write_model_folder",
]

TINY = {
    "mid_channels": 8,
    "num_propagation_blocks": 1,
    "num_cleaning_blocks": 1,
    "high_resolution_channels": 8,
    "flow_channels": [8, 8, 8, 8],
    "flow_kernel_size": 3,
    "flow_num_levels": 3,
}

TINY_INTERPOLATION = {
    "type": "video-frame-interpolation",
    "network": {"small": True, "mixed_precision": False, "num_iterations": 2},
    "interpolator": {
        "refiner_channels": [8],
        "attention": False,
        "base_channels": 4,
        "mask_channels": [4, 4],
    },
}


def tiny_network(seed: int = 0, gain: float = 1.5) -> RealBasicVSRNet:
    """A network whose weights are large enough for propagation to reach far."""
    torch.manual_seed(seed)
    network = build_network(GeneratorConfig(**TINY))  # type: ignore[arg-type]
    with torch.no_grad():
        for parameter in network.basicvsr.parameters():
            parameter.mul_(gain)
    return network


def tiny_model(dtype: str = "float32", seed: int = 0) -> RealBasicVSR:
    """The same, as the engine takes it."""
    return RealBasicVSR(tiny_network(seed), device="cpu", dtype=dtype)


def write_model_folder(
    folder: Path, seed: int = 0, weights_name: str = "model.safetensors"
) -> Path:
    """A model folder as the Hub has them, with random weights."""
    folder.mkdir(parents=True, exist_ok=True)
    configuration = {
        "framework": "pytorch",
        "task": "video-super-resolution",
        "model": {"type": "real-basicvsr", "generator": TINY},
        "pipeline": {"type": "realbasicvsr-video-super-resolution"},
    }
    (folder / "configuration.json").write_text(json.dumps(configuration))
    weights = tiny_network(seed).state_dict()
    if weights_name.endswith(".safetensors"):
        save_file(weights, folder / weights_name)
    else:
        torch.save({"params": weights}, folder / weights_name)
    return folder


def tiny_interpolation_networks(seed: int = 0) -> InterpolationNetworks:
    """The small RAFT with two iterations, and an interpolator of few channels."""
    torch.manual_seed(seed)
    return build_networks(InterpolationConfig.from_mapping({"model": TINY_INTERPOLATION}))


def tiny_interpolation_model(dtype: str = "float32", seed: int = 0) -> RaftInterpolation:
    """The same, as the engine takes it."""
    return RaftInterpolation(tiny_interpolation_networks(seed), device="cpu", dtype=dtype)


def write_interpolation_folder(folder: Path, seed: int = 0, layout: str = "safetensors") -> Path:
    """A model folder for interpolation with random weights.

    Args:
        folder: Where.
        seed: Of the weights.
        layout: ``safetensors`` as ours are, or ``official`` as on the Hub: two files, ``module.``
            before every name, masks and fixed kernels among the weights.
    """
    folder.mkdir(parents=True, exist_ok=True)
    configuration = {
        "framework": "pytorch",
        "task": "video-frame-interpolation",
        "model": TINY_INTERPOLATION,
        "pipeline": {"type": "video-frame-interpolation"},
    }
    (folder / "configuration.json").write_text(json.dumps(configuration))
    networks = tiny_interpolation_networks(seed)
    flow, interpolator = networks.flow.state_dict(), networks.interpolator.state_dict()
    if layout == "safetensors":
        save_file(flow, folder / "flow.safetensors")
        save_file(interpolator, folder / "interpolator.safetensors")
        return folder
    fixed = {f"internet.{key}": torch.ones(3, 3) for key in DERIVED_KEYS}
    for name, weights in (("raft-sintel.pt", flow), ("interpnet.pt", interpolator | fixed)):
        torch.save({f"module.{key}": value for key, value in weights.items()}, folder / name)
    return folder
