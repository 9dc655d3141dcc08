"""Small RealBasicVSR models with random weights, for tests of everything around them."""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file

from msvsr.archs.realbasicvsr import RealBasicVSRNet
from msvsr.models.config import GeneratorConfig
from msvsr.models.realbasicvsr import RealBasicVSR, build_network

__all__ = ["TINY", "tiny_model", "tiny_network", "write_model_folder"]

TINY = {
    "mid_channels": 8,
    "num_propagation_blocks": 1,
    "num_cleaning_blocks": 1,
    "high_resolution_channels": 8,
    "flow_channels": [8, 8, 8, 8],
    "flow_kernel_size": 3,
    "flow_num_levels": 3,
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
