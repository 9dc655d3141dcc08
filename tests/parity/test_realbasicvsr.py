"""Our RealBasicVSR against ModelScope's, on the same random weights and the same input."""

import json
from pathlib import Path

import pytest
import torch

from msvsr.archs.realbasicvsr import RealBasicVSRNet

pytestmark = pytest.mark.filterwarnings("ignore")  # what ModelScope's code and imports warn about

TOLERANCE = 1e-5  # float32: the order of additions is free, nothing else
SIZES = {"mid_channels": 16, "num_propagation_blocks": 3, "num_cleaning_blocks": 2}
THRESHOLD_BY_PASSES = {1: 255.0, 3: 0.0}


def clip(num_frames: int, height: int, width: int, *, mirrored: bool = False) -> torch.Tensor:
    """Two smooth random clips ``(2, t, 3, h, w)`` in [0, 1]."""
    generator = torch.Generator().manual_seed(num_frames + height + width)
    coarse = torch.rand(2 * num_frames, 3, 9, 13, generator=generator)
    frames = torch.nn.functional.interpolate(coarse, (height, width), mode="bicubic").clamp(0, 1)
    frames = frames.view(2, num_frames, 3, height, width)
    return torch.cat((frames, frames.flip(1)), dim=1) if mirrored else frames


@pytest.mark.parametrize("passes", [1, 3])
@pytest.mark.parametrize(
    ("num_frames", "height", "width", "mirrored"),
    [(1, 64, 64, False), (4, 64, 96, False), (3, 71, 90, False), (3, 66, 65, True)],
)
def test_equals_modelscope(
    num_frames: int, height: int, width: int, mirrored: bool, passes: int
) -> None:
    from modelscope.models.cv.video_super_resolution.real_basicvsr_net import (
        RealBasicVSRNet as Reference,
    )

    torch.manual_seed(passes)
    threshold = THRESHOLD_BY_PASSES[passes]
    reference = Reference(**SIZES, dynamic_refine_thres=threshold).eval()
    network = RealBasicVSRNet(**SIZES).eval()
    network.load_state_dict(reference.state_dict(), strict=True)
    lq = clip(num_frames, height, width, mirrored=mirrored)

    with torch.inference_mode():
        expected, expected_cleaned = reference(lq.clone(), return_lqs=True)
        before = lq.clone()
        output = network(lq, threshold)

    assert (output.sr - expected).abs().max() <= TOLERANCE
    assert (output.cleaned - expected_cleaned).abs().max() <= TOLERANCE
    assert torch.equal(lq, before), "the caller's tensor was modified"


def test_official_size_has_the_parameters_of_the_paper() -> None:
    network = RealBasicVSRNet()
    assert sum(parameter.numel() for parameter in network.parameters()) == 6_294_834


def test_parameter_names_are_those_of_the_official_checkpoint(shared_data: Path) -> None:
    listing = shared_data.parent / "reference" / "real_basicvsr_keys.json"
    expected = {key: tuple(shape) for key, shape in json.loads(listing.read_text()).items()}
    actual = {key: tuple(value.shape) for key, value in RealBasicVSRNet().state_dict().items()}
    assert actual == expected
