"""The weights that ship, on scenes that the suite draws itself."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from msvsr.archs.realbasicvsr import RealBasicVSRNet
from msvsr.degradations import (
    BlurConfig,
    DegradationConfig,
    Degrader,
    JpegConfig,
    NoiseConfig,
    ResizeConfig,
)
from msvsr.degradations.types import ByteClip
from msvsr.models.config_json import read_config
from msvsr.models.realbasicvsr import build_network
from msvsr.ops.warp import backward_warp
from msvsr.training.config import TrainingConfig
from msvsr.training.validation import bicubic, psnr_y, upscale

FOLDER = Path(__file__).parents[2] / "configuration" / "realbasicvsr_lite_x4"


@pytest.fixture(scope="module")
def network() -> RealBasicVSRNet:
    """The network with the weights that ship."""
    made = build_network(read_config(FOLDER / "training.json", TrainingConfig).network)
    made.load_state_dict(load_file(FOLDER / "model.safetensors"))
    return made.eval().requires_grad_(False)


def poster(num_frames: int, height: int = 192, width: int = 256) -> ByteClip:
    """Words and shapes that slide by 3 pixels per frame, RGB uint8."""
    canvas = np.full((height, width + 3 * num_frames, 3), (200, 210, 190), np.uint8)
    rng = np.random.default_rng(0)
    for row in range(24, height, 40):
        colour = tuple(int(value) for value in rng.integers(0, 120, 3))
        cv2.putText(canvas, "REAL VIDEO 4x", (8, row), cv2.FONT_HERSHEY_DUPLEX, 1, colour, 2)
        cv2.line(canvas, (0, row + 10), (width, row + 4), colour, 2, cv2.LINE_AA)
        cv2.circle(canvas, (int(rng.integers(width)), row), 12, colour, 3, cv2.LINE_AA)
    canvas = cv2.GaussianBlur(canvas, (0, 0), 0.7)
    return np.stack([canvas[:, 3 * t : 3 * t + width] for t in range(num_frames)])


def test_weights_are_small_and_finite(network: RealBasicVSRNet) -> None:
    assert (FOLDER / "model.safetensors").stat().st_size < 8_000_000
    assert all(bool(torch.isfinite(value).all()) for value in network.state_dict().values())


def test_flow_points_where_the_scene_moved(network: RealBasicVSRNet) -> None:
    frames = torch.from_numpy(poster(4)).permute(0, 3, 1, 2).float() / 255
    small = torch.nn.functional.avg_pool2d(frames, 2)
    # Three frames apart and halved, the scene moved by 4.5 pixels to the left.
    first, last = small[:1], small[3:]
    flow = network.basicvsr.estimate_flow(first, last)
    inside = (slice(None), slice(None), slice(8, -8), slice(8, -8))
    error = (backward_warp(last, flow, "border") - first)[inside].abs().mean()
    assert error < 0.7 * (last - first)[inside].abs().mean()
    assert -5.5 < float(flow[:, 0].median()) < -2.5


@pytest.mark.parametrize("seed", range(4))
def test_clearly_degraded_scene_comes_out_better_than_bicubic(
    network: RealBasicVSRNet, seed: int
) -> None:
    gt = poster(7)
    # Not the mildest settings: on drawn lettering that is hardly degraded, bicubic still wins.
    config = DegradationConfig(
        blur=BlurConfig(probability=1, anisotropic_probability=0, sigma_range=(2.0, 2.6)),
        early_resize=ResizeConfig(probability=0),
        early_noise=NoiseConfig(probability=0),
        early_jpeg=JpegConfig(probability=0),
        noise=NoiseConfig(probability=1, gaussian_probability=1, gaussian_sigma_range=(8.0, 15.0)),
        codec_probability=0.5,
    )
    lq = Degrader(config)(gt, np.random.default_rng(seed))
    gain = psnr_y(upscale(network, lq), gt) - psnr_y(bicubic(lq, 4), gt)
    assert gain > 0.2


@pytest.mark.parametrize(
    "colour",
    [(0, 0, 0), (255, 255, 255), (128, 128, 128), (200, 40, 40), (30, 60, 200), (0, 255, 0)],
)
def test_flat_colours_stay_what_they_are(
    network: RealBasicVSRNet, colour: tuple[int, int, int]
) -> None:
    flat = np.full((3, 48, 48, 3), colour, np.uint8)
    middle = upscale(network, flat)[:, 64:-64, 64:-64].astype(int)
    # Three grey levels of 255 are not seen; without colour augmentation it was 16.
    assert np.abs(middle - colour).max() <= 3
