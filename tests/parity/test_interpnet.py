"""Our InterpNet against ModelScope's, on the same random weights and the same input."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from msvsr.archs.interpnet import CHANNEL_MEANS, DERIVED_KEYS, InterpNet
from msvsr.archs.window_attention import position_index, window_mask

pytestmark = pytest.mark.filterwarnings("ignore")  # what ModelScope's code and imports warn about

FRAME_TOLERANCE = 1e-4
FLOW_TOLERANCE = 1e-3  # pixels
MEANS = torch.tensor(CHANNEL_MEANS).view(3, 1, 1)


class Pass(nn.Module):
    """Stands for timm's ``DropPath``, which does nothing outside training."""

    def __init__(self, probability: float) -> None:
        super().__init__()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Give back what came."""
        return x


@pytest.fixture(scope="module")
def reference() -> Iterator[ModuleType]:
    """The built-in networks, made to import without timm and to run on a CPU."""
    import modelscope.utils.import_utils  # noqa: F401  (looks for timm, before the stand-in is there)

    stand_in = ModuleType("timm.models.layers")
    stand_in.DropPath = Pass  # type: ignore[attr-defined]
    stand_in.to_2tuple = lambda side: (side, side) if isinstance(side, int) else side  # type: ignore[attr-defined]
    stand_in.trunc_normal_ = nn.init.trunc_normal_  # type: ignore[attr-defined]
    names = ("timm", "timm.models", "timm.models.layers")
    with pytest.MonkeyPatch.context() as patch:
        for name in names:
            patch.setitem(sys.modules, name, stand_in)
        patch.setattr(torch.Tensor, "cuda", lambda tensor: tensor)
        from modelscope.models.cv.video_frame_interpolation.interp_model import refinenet_arch

        yield refinenet_arch


@pytest.fixture(scope="module")
def networks(reference: ModuleType) -> tuple[Any, Any, InterpNet]:
    """The built-in network, its half-resolution form and ours, all with the same weights."""
    torch.manual_seed(1)
    full = reference.InterpNet(debug_en=True).eval()
    half = reference.InterpNetDs(debug_en=True).eval()
    spread_weights(full)
    half.load_state_dict(full.state_dict())
    ours = InterpNet().eval()
    weights = full.state_dict()
    ours.load_state_dict({k: v for k, v in weights.items() if not k.endswith(DERIVED_KEYS)})
    return full, half, ours


def spread_weights(network: nn.Module) -> None:
    """Random weights that change flows by pixels and masks from 0 to 1."""
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if not parameter.requires_grad:
                continue
            if "bias_table" in name:
                parameter.normal_()
            elif parameter.ndim > 1:
                parameter.normal_(std=1.5 / parameter[0].numel() ** 0.5)
            elif "bias" in name:
                parameter.normal_(std=0.2)
            else:
                parameter.mul_(1 + 0.2 * torch.randn_like(parameter))
        for number in (1, 2, 3):
            network.get_submodule(f"ifnet.block{number}.conv2").weight.mul_(0.1)
        network.get_submodule("internet.masknet.conv3").weight.mul_(4)
        network.get_submodule("internet.staticnet.body.8").weight.mul_(4)
        network.get_submodule("internet.staticnet.body.8").bias.sub_(6)


def smooth(channels: int, size: tuple[int, int], seed: int, num_samples: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.randn(num_samples, channels, 7, 9, generator=generator)
    return F.interpolate(coarse, size, mode="bicubic")


def frames(size: tuple[int, int], num_samples: int = 1) -> list[torch.Tensor]:
    return [(0.5 + 0.2 * smooth(3, size, seed, num_samples)).clamp(0, 1) for seed in (1, 2)]


def flows(size: tuple[int, int], num_samples: int = 1) -> list[torch.Tensor]:
    """Four flows of up to about ten pixels: 1 to 2, 2 to 1, 1 to 0, 2 to 3."""
    return [3.5 * smooth(2, size, seed, num_samples) for seed in (3, 4, 5, 6)]


@pytest.mark.parametrize(
    ("size", "num_samples"), [((128, 128), 1), ((128, 192), 1), ((96, 64), 2)], ids=str
)
def test_refined_flows_equal_modelscope(
    networks: tuple[Any, Any, InterpNet], size: tuple[int, int], num_samples: int
) -> None:
    full, _, ours = networks
    image_1, image_2 = frames(size, num_samples)
    inner = flows(size, num_samples)[:2]
    with torch.inference_mode():
        expected = full.ifnet(image_1 - MEANS, image_2 - MEANS, *inner, 2)
        refined = ours.refine(image_1, image_2, *inner)
    for flow, before, wanted in zip(refined, inner, expected, strict=True):
        assert (wanted - before).abs().mean() > 0.5, "these weights refine nothing"
        assert (flow - wanted).abs().max() <= FLOW_TOLERANCE


@pytest.mark.parametrize("has_outer_flows", [True, False], ids=["quadratic", "linear"])
@pytest.mark.parametrize("timestep", [0.25, 0.5, 0.8])
@pytest.mark.parametrize("size", [(128, 128), (128, 192)], ids=str)
def test_frames_equal_modelscope(
    networks: tuple[Any, Any, InterpNet],
    size: tuple[int, int],
    timestep: float,
    has_outer_flows: bool,
) -> None:
    full, _, ours = networks
    image_1, image_2 = frames(size)
    flow_12, flow_21, *outer = flows(size)
    flow_10, flow_23 = outer if has_outer_flows else (None, None)
    with torch.inference_mode():
        expected = full.internet(
            flow_10, flow_12, flow_21, flow_23, image_1 - MEANS, image_2 - MEANS, timestep
        )
        made = ours.synthesize(image_1, image_2, flow_12, flow_21, timestep, flow_10, flow_23)
    frame, mask, _, _, _, flow_t1, flow_t2 = expected
    assert mask.std() > 0.1, "this mask says nothing"
    assert made.static_mask.std() > 0.1, "this mask says nothing"
    assert (made.frame - (frame + MEANS)).abs().max() <= FRAME_TOLERANCE
    assert (made.flow_t1 - flow_t1).abs().max() <= FLOW_TOLERANCE
    assert (made.flow_t2 - flow_t2).abs().max() <= FLOW_TOLERANCE
    assert (made.mask - mask).abs().max() <= FRAME_TOLERANCE


@pytest.mark.parametrize("has_outer_flows", [True, False], ids=["quadratic", "linear"])
@pytest.mark.parametrize("timestep", [0.25, 0.5, 0.8])
def test_frames_of_the_half_resolution_form_equal_modelscope(
    networks: tuple[Any, Any, InterpNet], timestep: float, has_outer_flows: bool
) -> None:
    _, half, ours = networks
    images = frames((128, 192))
    halves = [F.interpolate(image, scale_factor=0.5, mode="bilinear") for image in images]
    flow_12, flow_21, *outer = flows((64, 96))
    flow_10, flow_23 = outer if has_outer_flows else (None, None)
    with torch.inference_mode():
        expected = half.internet(
            *(flow_10, flow_12, flow_21, flow_23),
            *(image - MEANS for image in (*halves, *images)),
            timestep,
        )
        made = ours.synthesize(
            *images,
            *(flow_12, flow_21, timestep, flow_10, flow_23),
            half_images=(halves[0], halves[1]),
        )
    frame, mask, static_mask, _, _, flow_t1, flow_t2 = expected
    assert (made.frame - (frame + MEANS)).abs().max() <= FRAME_TOLERANCE
    assert (made.flow_t1 - flow_t1).abs().max() <= FLOW_TOLERANCE
    assert (made.flow_t2 - flow_t2).abs().max() <= FLOW_TOLERANCE
    assert (made.mask - mask).abs().max() <= FRAME_TOLERANCE
    assert (made.static_mask - static_mask).abs().max() <= FRAME_TOLERANCE


def test_masks_and_indices_equal_those_in_the_checkpoint(
    networks: tuple[Any, Any, InterpNet],
) -> None:
    stored = networks[0].ifnet.state_dict()
    cpu = torch.device("cpu")
    for block, side in (("block2", 64), ("block3", 128)):
        near = window_mask(side, side, cpu)
        far = window_mask(side, side, cpu, coarse=True)
        group = f"{block}.trans.layers0.{{}}.residual_group.blocks.1."
        assert torch.equal(near, stored[group.format(0) + "attn_mask"])
        assert torch.equal(near, stored[group.format(1) + "attn_mask_x"])
        assert torch.equal(far, stored[group.format(1) + "attn_mask_y"])
    indices = [value for name, value in stored.items() if name.endswith("relative_position_index")]
    assert len(indices) == 12
    assert all(torch.equal(position_index(cpu), index) for index in indices)


def test_parameter_names_are_those_of_the_official_checkpoint(shared_data: Path) -> None:
    listing = shared_data.parent / "reference" / "interpnet_keys.json"
    keys = {key: tuple(shape) for key, shape in json.loads(listing.read_text()).items()}
    expected = {key: shape for key, shape in keys.items() if not key.endswith(DERIVED_KEYS)}
    assert len(keys) - len(expected) == 21
    actual = {key: tuple(value.shape) for key, value in InterpNet().state_dict().items()}
    assert actual == expected
