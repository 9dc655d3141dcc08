"""The interpolation weights that ship, on scenes that the suite draws itself."""

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import torch

from msvsr.engine.interpolate import interpolate_frames
from msvsr.engine.options import InterpolationOptions
from msvsr.frame import Frame
from msvsr.metrics import psnr
from msvsr.models.raft_interpolation import RaftInterpolation

FOLDER = Path(__file__).parents[2] / "configuration" / "raft_interpolation_lite"

Images = npt.NDArray[np.uint8]


@pytest.fixture(scope="module")
def model() -> RaftInterpolation:
    """The model that ships, in the type that every CPU has."""
    return RaftInterpolation.from_folder(FOLDER, device="cpu", dtype="float32")


def texture(height: int, width: int, seed: int = 0) -> Images:
    """Soft blobs with finer detail on top, RGB uint8."""
    rng = np.random.default_rng(seed)
    coarse, fine = (
        cv2.resize(
            rng.uniform(0, 255, (height // cell, width // cell, 3)),
            (width, height),
            interpolation=cv2.INTER_CUBIC,
        )
        for cell in (24, 8)
    )
    return np.clip(0.7 * coarse + 0.3 * fine, 0, 255).astype(np.uint8)


def panning(num_frames: int, step: int, size: tuple[int, int] = (160, 192)) -> Images:
    """A camera that pans by some pixels per frame."""
    height, width = size
    picture = texture(height, width + step * num_frames)
    return np.stack([picture[:, step * t : step * t + width] for t in range(num_frames)])


def interpolate(model: RaftInterpolation, known: Images, ratio: int) -> Images:
    frames = [
        Frame(image=np.array(image), pts=index, time_base=Fraction(1, 25), duration=1)
        for index, image in enumerate(known)
    ]
    options = InterpolationOptions(interp_ratio=Fraction(ratio), detect_cuts=False, hold_last=False)
    output = interpolate_frames(frames, model, options, frame_rate=Fraction(25))
    return np.stack([frame.image for frame in output])


def mean_psnr(images: npt.NDArray[np.generic], references: Images) -> float:
    tensors = (
        torch.from_numpy(np.ascontiguousarray(each)).movedim(-1, 1).float() / 255
        for each in (images, references)
    )
    return float(psnr(*tensors).mean())


def test_weights_are_small_and_finite(model: RaftInterpolation) -> None:
    files = list(FOLDER.glob("*.safetensors"))
    assert 0 < sum(path.stat().st_size for path in files) < 8_000_000
    assert all(bool(torch.isfinite(value).all()) for value in model.networks.state_dict().values())


@pytest.mark.parametrize("step", [2, 6])
def test_panning_is_far_better_than_repetition_and_blending(
    model: RaftInterpolation, step: int
) -> None:
    truth = panning(7, step)
    made = interpolate(model, truth[::2], 2)[1::2]
    known = truth[::2].astype(np.float64)
    assert mean_psnr(made, truth[1::2]) > mean_psnr((known[:-1] + known[1:]) / 2, truth[1::2]) + 4
    assert mean_psnr(made, truth[1::2]) > mean_psnr(known[:-1], truth[1::2]) + 4


def test_an_edge_stands_where_it_should_at_each_instant_and_is_not_doubled(
    model: RaftInterpolation,
) -> None:
    height, width, step = 128, 192, 8
    known = np.repeat(texture(height, width)[None] // 4, 4, axis=0)
    for index in range(4):
        known[index, 32:96, 40 + step * index : 72 + step * index] = (230, 220, 60)
    made = interpolate(model, known, 4)
    for number, image in enumerate(made):
        brightness = image[48:80].astype(float).mean(axis=(0, 2))
        bright = np.flatnonzero(brightness > 110)
        left = 40 + step * number / 4
        assert abs(bright[0] - left) <= 1.5
        assert abs(bright[-1] - (left + 31)) <= 1.5
        assert len(bright) == bright[-1] - bright[0] + 1  # one bar, without a ghost


def test_standing_letters_over_a_moving_picture_do_not_wobble(model: RaftInterpolation) -> None:
    known = panning(5, 6)
    mask = np.zeros(known.shape[1:3], np.uint8)
    cv2.putText(mask, "NEWS 24", (20, 140), cv2.FONT_HERSHEY_DUPLEX, 1, 255, 2)
    known[:, mask > 0] = 255
    made = interpolate(model, known, 2)[1::2]
    inner = cv2.erode(mask, np.ones((2, 2), np.uint8)) > 0
    assert made[:, inner].mean() > 235  # they stay white
    outside = cv2.dilate(mask, np.ones((15, 15), np.uint8)) == 0
    assert made[:, outside].max(axis=-1).mean() < 200  # and leave no trail


def test_a_still_stays_still(model: RaftInterpolation) -> None:
    known = np.repeat(texture(128, 160)[None], 3, axis=0)
    difference = np.abs(interpolate(model, known, 3).astype(int) - known[0])
    assert difference.mean() < 0.6
    assert np.quantile(difference, 0.999) <= 6
