"""The interpolation model: its folder, its frames of any size, and which motion goes where."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from msvsr.errors import CheckpointError, ConfigError
from msvsr.models import catalog
from msvsr.models.catalog import FRAME_INTERPOLATION_TASK, SUPER_RESOLUTION_TASK, find_model_folder
from msvsr.models.contract import FrameInterpolator, NeighbourMotion
from msvsr.models.interpolation_config import FlowConfig, InterpolationConfig, InterpolatorConfig
from msvsr.models.interpolation_networks import EncodedFrame, PairMotion
from msvsr.models.raft_interpolation import RaftInterpolation, build_networks
from tests.support.models import (
    tiny_interpolation_model,
    tiny_interpolation_networks,
    write_interpolation_folder,
    write_model_folder,
)

OFFICIAL = {
    "framework": "pytorch",
    "task": "video-frame-interpolation",
    "model": {
        "type": "video-frame-interpolation",
        "network": {"small": False, "mixed_precision": False},
    },
    "pipeline": {"type": "video-frame-interpolation"},
}


@pytest.fixture(scope="module")
def model() -> FrameInterpolator[EncodedFrame, PairMotion]:
    """The tiny model, as the engine knows it."""
    return tiny_interpolation_model()


def some_frames(count: int, size: tuple[int, int] = (50, 70)) -> torch.Tensor:
    """Smooth random frames ``(count, 3, h, w)``."""
    coarse = torch.rand(count, 3, 6, 8)
    return torch.nn.functional.interpolate(coarse, size, mode="bilinear", align_corners=False)


def test_the_smallest_official_configuration_is_the_official_network() -> None:
    config = InterpolationConfig.from_mapping(OFFICIAL)
    assert config == InterpolationConfig()
    networks = build_networks(config)
    parts = (networks.flow, networks.interpolator)
    counts = [sum(value.numel() for value in part.parameters()) for part in parts]
    # The official file counts 67 more: three fixed kernels of 49, 9 and 9 values.
    assert counts == [5_257_536, 2_998_569 - 67]


def test_rafts_own_options_and_ours_are_understood() -> None:
    network = {
        "small": True,
        "mixed_precision": True,
        "dropout": 0,
        "alternate_corr": True,
        "num_iterations": 6,
    }
    sizes = {"refiner_channels": [], "mask_channels": [8, 4]}
    config = InterpolationConfig.from_mapping(
        {"model": {"network": network, "interpolator": sizes}}
    )
    assert config.network == FlowConfig(
        small=True, mixed_precision=True, alternate_corr=True, num_iterations=6
    )
    assert config.interpolator == InterpolatorConfig(refiner_channels=(), mask_channels=(8, 4))
    assert build_networks(config).interpolator.ifnet is None


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"generator": {}}, "unknown key generator in model: accepted are network, interpolator"),
        ({"network": {"smal": True}}, r"unknown key smal in model\.network: accepted are small"),
        ({"network": {"small": 1}}, "small must be bool, got 1"),
        ({"network": {"num_iterations": 0}}, "num_iterations must be a whole number of at least 1"),
        ({"network": {"dropout": 1}}, r"dropout must lie in \[0, 1\)"),
        ({"network": [1]}, "network must be an object, got list"),
        ({"interpolator": {"base_channels": 0}}, "base_channels must be a whole number"),
        ({"interpolator": {"mask_channels": [4]}}, "mask_channels must have 2 values, got 1"),
        ({"interpolator": {"refiner_channels": [8, 8, 8, 8]}}, "must name 3 blocks at most, got 4"),
        ({"interpolator": {"refiner_channels": [8, 7]}}, "must be even where there is attention"),
    ],
)
def test_wrong_configurations_are_named(model: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        InterpolationConfig.from_mapping({"model": model})
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("layout", ["safetensors", "official", "saved by ModelScope"])
def test_a_folder_gives_its_model(layout: str, tmp_path: Path) -> None:
    folder = write_interpolation_folder(tmp_path, seed=3, layout="official")
    expected = tiny_interpolation_networks(seed=3).state_dict()
    if layout == "safetensors":
        folder = write_interpolation_folder(tmp_path / "ours", seed=3)
    elif layout == "saved by ModelScope":  # which leaves the files beside it that it trained from
        expected = tiny_interpolation_networks(seed=4).state_dict()
        torch.save(
            {f"model.{key}": expected[key] for key in expected}, folder / "pytorch_model.bin"
        )
    model = RaftInterpolation.from_folder(folder, device="cpu", dtype="float32")
    actual = model.networks.state_dict()
    assert actual.keys() == expected.keys()
    assert all(torch.equal(actual[key], expected[key]) for key in expected)


@pytest.mark.parametrize(
    ("file", "message"),
    [("flow", "no flow weights in .*raft-sintel.pt"), ("interpolator", "no interpolator weights")],
)
def test_missing_weights_are_named(file: str, message: str, tmp_path: Path) -> None:
    folder = write_interpolation_folder(tmp_path)
    (folder / f"{file}.safetensors").unlink()
    with pytest.raises(CheckpointError, match=message):
        RaftInterpolation.from_folder(folder, device="cpu")


def test_weights_of_the_other_network_are_refused(tmp_path: Path) -> None:
    folder = write_interpolation_folder(tmp_path)
    save_file({"fnet.conv1.weight": torch.zeros(1)}, folder / "interpolator.safetensors")
    with pytest.raises(CheckpointError, match="belong to another network"):
        RaftInterpolation.from_folder(folder, device="cpu")


def test_a_model_of_the_other_task_is_refused_by_name(tmp_path: Path) -> None:
    ours = write_interpolation_folder(tmp_path / "ours")
    theirs = write_model_folder(tmp_path / "theirs")
    assert find_model_folder(ours, FRAME_INTERPOLATION_TASK) == ours
    for folder, task in ((ours, SUPER_RESOLUTION_TASK), (theirs, FRAME_INTERPOLATION_TASK)):
        with pytest.raises(ConfigError, match=f"is a model for video-.*, expected one for {task}"):
            find_model_folder(folder, task)
    with pytest.raises(ConfigError, match="'realbasicvsr_x4' is a model for video-super-resol"):
        find_model_folder("realbasicvsr_x4", FRAME_INTERPOLATION_TASK)


def test_a_missing_embedded_model_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalog, "configuration_root", lambda: tmp_path)
    with pytest.raises(ConfigError, match="the embedded model for video-frame-interpolation is no"):
        find_model_folder(None, FRAME_INTERPOLATION_TASK)


@pytest.mark.parametrize("size", [(1, 1), (50, 70), (127, 161)])
def test_frames_of_any_size_keep_it(
    size: tuple[int, int], model: FrameInterpolator[EncodedFrame, PairMotion]
) -> None:
    images = torch.rand(2, 3, *size)
    kept = images.clone()
    first, second = (model.encode(image) for image in images)
    motion = model.estimate_motion(first, second)
    frame = model.synthesize(first, second, motion, 0.25)
    assert frame.shape == (3, *size)
    assert frame.dtype == torch.float32
    assert 0 <= frame.min() <= frame.max() <= 1
    assert torch.equal(images, kept)


@pytest.mark.parametrize(
    ("size", "is_large"),
    [((1440, 8), True), ((8, 2560), True), ((1439, 8), False), ((8, 2559), False)],
)
def test_large_frames_are_estimated_at_half_the_size(
    size: tuple[int, int], is_large: bool, model: FrameInterpolator[EncodedFrame, PairMotion]
) -> None:
    frame = model.encode(some_frames(1, size)[0])
    assert (frame.halves is not None) == is_large
    scale = 2 if is_large else 1
    for side, padded in zip(size, frame.images.shape[-2:], strict=True):
        assert padded % (32 * scale) == 0
        assert padded >= 128 * scale
        assert padded - side < 32 * scale or padded == 128 * scale


def test_a_large_frame_comes_out_at_its_full_size(
    model: FrameInterpolator[EncodedFrame, PairMotion],
) -> None:
    images = some_frames(2, (8, 2563))
    first, second = (model.encode(image) for image in images)
    motion = model.estimate_motion(first, second)
    assert motion.refined[0].shape == (1, 2, 128, 1312)
    frame = model.synthesize(first, second, motion, 0.5)
    assert frame.shape == (3, 8, 2563)
    # Random weights move little here, so the frame lies near the mean of both.
    assert (frame - images.mean(0)).abs().mean() < 0.1


def test_inner_motion_is_refined_and_outer_motion_is_raw(
    model: FrameInterpolator[EncodedFrame, PairMotion],
) -> None:
    images = some_frames(4)
    encoded = [model.encode(image) for image in images]
    before, motion, after = (model.estimate_motion(*encoded[i : i + 2]) for i in range(3))
    made = model.synthesize(
        *encoded[1:3],
        motion,
        0.3,
        before=NeighbourMotion(before, 2.0),
        after=NeighbourMotion(after, 0.5),
    )

    networks = tiny_interpolation_networks().eval()
    padded = torch.nn.functional.pad(images, (0, 58, 0, 78), mode="replicate")  # to 128 x 128
    with torch.inference_mode():
        features = [networks.flow.encode(image[None]) for image in padded]
        flow = {
            f"{i}{j}": networks.flow.estimate(features[i], features[j], 2)
            for i, j in ((1, 0), (1, 2), (2, 1), (2, 3))
        }
        middle = (padded[1:2], padded[2:3])
        inner = networks.interpolator.refine(*middle, flow["12"], flow["21"])
        expected = networks.interpolator.synthesize(
            *middle, *inner, 0.3, flow["10"], flow["23"], length_before=2.0, length_after=0.5
        ).frame
    expected = expected[0, :, :50, :70].clamp(0, 1)
    torch.testing.assert_close(made, expected, atol=1e-4, rtol=0)
    two_frames = model.synthesize(*encoded[1:3], motion, 0.3)
    assert (made - two_frames).abs().max() > 1e-3


def test_one_outer_motion_alone_is_the_two_frame_form(
    model: FrameInterpolator[EncodedFrame, PairMotion],
) -> None:
    encoded = [model.encode(image) for image in some_frames(3)]
    before, motion = (model.estimate_motion(*encoded[i : i + 2]) for i in range(2))
    alone = model.synthesize(*encoded[1:], motion, 0.3, before=NeighbourMotion(before, 1.0))
    assert torch.equal(alone, model.synthesize(*encoded[1:], motion, 0.3))


def test_batches_with_a_timestep_per_sample_equal_their_samples() -> None:
    networks = tiny_interpolation_networks().eval()
    firsts, seconds = some_frames(4).chunk(2)
    timesteps = torch.tensor([0.2, 0.7])
    with torch.no_grad():
        frames = networks.encode(firsts), networks.encode(seconds)
        motion = networks.estimate_motion(*frames)
        together = networks.synthesize(*frames, motion, timesteps.view(2, 1, 1, 1))
        for index in range(2):
            pair = [networks.encode(part[index : index + 1]) for part in (firsts, seconds)]
            alone = networks.synthesize(
                *pair, networks.estimate_motion(*pair), float(timesteps[index])
            )
            torch.testing.assert_close(together[index : index + 1], alone, atol=1e-4, rtol=0)


def test_half_precision_stays_inside_the_convolutions() -> None:
    images = some_frames(2)
    frames = {}
    for dtype in ("float32", "bfloat16"):
        model = tiny_interpolation_model(dtype)
        first, second = (model.encode(image) for image in images)
        motion = model.estimate_motion(first, second)
        assert {flow.dtype for flow in (*motion.raw, *motion.refined)} == {torch.float32}
        assert {first.images.dtype, first.features.matching.dtype} == {torch.float32}
        frames[dtype] = model.synthesize(first, second, motion, 0.5)
        kinds = {value.dtype for value in model.networks.interpolator.parameters()}
        assert kinds == {getattr(torch, dtype)}
    assert frames["bfloat16"].dtype == torch.float32
    assert (frames["float32"] - frames["bfloat16"]).abs().mean() < 0.01


def test_correlation_on_demand_changes_nothing() -> None:
    images = some_frames(2)
    flows = []
    for options in ({}, {"correlation_gib": 0.0}, {"always_on_demand": True}):
        model = RaftInterpolation(tiny_interpolation_networks(), device="cpu", **options)  # type: ignore[arg-type]
        flows.append(model.estimate_motion(*(model.encode(image) for image in images)).raw[0])
        assert (model.networks.correlation_bytes == 0) == bool(options)
    for flow in flows[1:]:
        torch.testing.assert_close(flow, flows[0], atol=1e-3, rtol=0)


def test_the_configuration_can_ask_for_correlation_on_demand(tmp_path: Path) -> None:
    folder = write_interpolation_folder(tmp_path)
    path = folder / "configuration.json"
    path.write_text(
        path.read_text().replace('"small": true', '"small": true, "alternate_corr": true')
    )
    model = RaftInterpolation.from_folder(folder, device="cpu", correlation_gib=1)
    assert model.networks.correlation_bytes == 0
    with pytest.raises(ConfigError, match="correlation_gib must be 0 or above, got -1"):
        RaftInterpolation(tiny_interpolation_networks(), device="cpu", correlation_gib=-1)


def test_the_networks_are_frozen() -> None:
    networks = tiny_interpolation_model().networks
    assert not any(part.training for part in networks.modules())
    assert not any(parameter.requires_grad for parameter in networks.parameters())
