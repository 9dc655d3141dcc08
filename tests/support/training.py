"""Small runs of training: clips, configurations, weights of VGG19."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from msvsr.archs.vgg import VGG19_FILE, VGG19Features
from msvsr.models.config_json import dataclass_from_mapping
from msvsr.training.config import TrainingConfig

__all__ = [
    "STAGE_1",
    "STAGE_2",
    "TINY_INTERPOLATION",
    "TINY_NETWORK",
    "make_config",
    "read_log",
    "write_clip",
    "write_vgg",
]

TINY_NETWORK = {
    "mid_channels": 4,
    "num_propagation_blocks": 1,
    "num_cleaning_blocks": 1,
    "high_resolution_channels": 4,
    "flow_channels": [4],
    "flow_kernel_size": 3,
    "flow_num_levels": 2,
}

TINY_INTERPOLATION = {
    "network": {"small": True, "num_iterations": 1},
    "interpolator": {
        "refiner_channels": [8, 8],
        "attention": False,
        "base_channels": 4,
        "mask_channels": [4, 4],
    },
}

STAGE_1: dict[str, Any] = {
    "footage": {
        "sources": [{"path": "seen"}],
        "samples": {"num_frames": 4, "crop_size": 32},
        "degradation": {
            "first": {"video": {"probability": 0.0}},
            "final": {"video": {"probability": 0.0}},
        },
    },
    "network": TINY_NETWORK,
    "loss": {"criterion": "l1", "cleaning": 1.0, "flow": 0.0, "sharpened_pixel": True},
    "optimizer": {"schedule": "constant", "learning_rate": 1e-3, "ramp_steps": 0},
    "batch_size": 4,
    "flow_warmup_steps": 0,
    "num_steps": 4,
    "precision": "float32",
}
"""The first stage of the paper, made small."""

STAGE_2: dict[str, Any] = {
    **STAGE_1,
    "loss": {
        **STAGE_1["loss"],
        "perceptual": 1.0,
        "adversarial": 0.05,
        "sharpened_perceptual": True,
    },
    "discriminator": {"num_channels": 4, "learning_rate": 1e-3},
    "batch_size": 2,
}
"""The second stage of the paper, made small."""


def make_config(content: Mapping[str, Any], **changes: object) -> TrainingConfig:
    """A configuration from JSON content with changes."""
    return dataclass_from_mapping(TrainingConfig, {**content, **changes}, "test")


def write_clip(folder: Path, seed: int, num_frames: int = 5, size: int = 48) -> None:
    """Write a moving pattern as a folder of images."""
    folder.mkdir(parents=True)
    coarse = np.random.default_rng(seed).integers(0, 256, (9, 9, 3)).astype(np.uint8)
    frame = cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)
    for index in range(num_frames):
        cv2.imwrite(str(folder / f"{index}.png"), np.roll(frame, index, axis=1))


def write_vgg(folder: Path) -> Path:
    """Write random weights of VGG19 under the published name, scaled so that features live."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    network = VGG19Features()
    for parameter in network.parameters():
        if parameter.ndim == 4:
            torch.nn.init.kaiming_normal_(parameter, nonlinearity="relu")
    torch.save(network.state_dict(), folder / VGG19_FILE)
    return folder


def read_log(work_dir: Path) -> list[dict[str, Any]]:
    """The lines of a run's log."""
    return [json.loads(line) for line in (work_dir / "log.jsonl").read_text().splitlines()]
