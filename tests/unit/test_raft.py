"""RAFT's economies change no flow: features once, both directions at once, products on demand."""

from collections.abc import Iterator

import pytest
import torch
import torch.nn.functional as F

from msvsr.archs import correlation
from msvsr.archs.correlation import AllPairs, OnDemand, all_pairs_bytes, correlate, correlate_both
from msvsr.archs.raft import RAFT, FrameFeatures
from msvsr.errors import InputError, ShapeError

SAME = 1e-4  # pixels: the order of additions is free, nothing else
NEAR = 1e-3  # pixels: products of averages instead of averages of products
ROUNDING = 1e-4  # of correlations up to about 10, at positions rounded in another way
RADIUS = 3


@pytest.fixture(params=[True, False], ids=["small", "large"])
def network(request: pytest.FixtureRequest) -> RAFT:
    return RAFT(small=request.param).eval()


@pytest.fixture
def small_network() -> RAFT:
    return RAFT(small=True).eval()


@pytest.fixture
def images() -> tuple[torch.Tensor, torch.Tensor]:
    coarse = torch.rand(1, 3, 9, 13)
    image = F.interpolate(coarse, (128, 144), mode="bicubic").clamp(0, 1)
    return image[..., :-8].contiguous(), image[..., 8:].contiguous()


@pytest.fixture(autouse=True)
def without_gradients() -> Iterator[None]:
    with torch.no_grad():
        yield


def encode_both(
    network: RAFT, images: tuple[torch.Tensor, torch.Tensor]
) -> tuple[FrameFeatures, FrameFeatures]:
    return network.encode(images[0]), network.encode(images[1])


def largest_difference(one: torch.Tensor, other: torch.Tensor) -> float:
    return float((one - other).abs().max())


def features_and_positions(
    height: int, width: int, spread: float
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Features of two images, and positions that also lie far outside."""
    first, second = torch.randn(2, 2, 8, height, width)
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    positions = torch.stack((x, y)) + spread * torch.randn(2, 2, height, width)
    return first, second, positions


def test_features_have_an_eighth_of_the_size(network: RAFT) -> None:
    features = network.encode(torch.rand(2, 3, 128, 144))
    assert all(part.shape[0] == 2 and part.shape[2:] == (16, 18) for part in features)
    assert features.matching.dtype == torch.float32
    assert features.hidden.abs().max() <= 1
    assert features.context.min() >= 0


def test_features_once_per_frame_give_the_flow_of_the_pair(
    network: RAFT, images: tuple[torch.Tensor, torch.Tensor]
) -> None:
    first, second = encode_both(network, images)
    flow = network.estimate(first, second, 3)
    assert flow.shape == (1, 2, 128, 136)
    assert flow.dtype == torch.float32
    assert largest_difference(flow, network(*images, 3)[-1]) <= SAME


def test_both_directions_at_once_give_the_two_flows(
    network: RAFT, images: tuple[torch.Tensor, torch.Tensor]
) -> None:
    first, second = encode_both(network, images)
    flow_01, flow_10 = network.estimate_both(first, second, 3)
    assert largest_difference(flow_01, network.estimate(first, second, 3)) <= SAME
    assert largest_difference(flow_10, network.estimate(second, first, 3)) <= SAME
    assert largest_difference(flow_01, flow_10) > 0.1


@pytest.mark.parametrize("correlation_bytes", [0, 20_001, 2 * 10**5])
def test_correlation_on_demand_gives_the_same_flow(
    network: RAFT, images: tuple[torch.Tensor, torch.Tensor], correlation_bytes: int
) -> None:
    first, second = encode_both(network, images)
    expected = network.estimate_both(first, second, 2)
    flows = network.estimate_both(first, second, 2, correlation_bytes=correlation_bytes)
    assert correlation_bytes < all_pairs_bytes(first.matching)
    for flow, expected_flow in zip(flows, expected, strict=True):
        assert largest_difference(flow, expected_flow) <= NEAR
    one_way = network.estimate(first, second, 2, correlation_bytes=correlation_bytes)
    assert largest_difference(one_way, expected[0]) <= NEAR


@pytest.mark.parametrize("spread", [0.0, 2.0, 100.0])
@pytest.mark.parametrize("size", [(16, 16), (19, 37)])
def test_windows_on_demand_equal_those_of_all_pairs(size: tuple[int, int], spread: float) -> None:
    first, second, positions = features_and_positions(*size, spread)
    expected = AllPairs.of(first, second, RADIUS).lookup(positions)
    for max_bytes in (0, 4 * 777, 2**24):
        windows = OnDemand(first, second, RADIUS, max_bytes).lookup(positions)
        assert largest_difference(windows, expected) <= ROUNDING


def test_a_window_holds_products_with_the_offset_in_y_fastest() -> None:
    first, second, _ = features_and_positions(16, 16, 0.0)
    positions = torch.full((2, 2, 16, 16), 7.0)
    windows = AllPairs.of(first, second, RADIUS).lookup(positions)
    side = 2 * RADIUS + 1
    products = torch.einsum("nchw,ncij->nhwij", first, second)[..., 4:11, 4:11] / 8**0.5
    expected = products.transpose(-1, -2).flatten(3).movedim(-1, 1)
    assert largest_difference(windows[:, : side * side], expected) <= ROUNDING


def test_windows_outside_the_target_are_zero() -> None:
    first, second, positions = features_and_positions(16, 16, 0.0)
    for found in (AllPairs.of(first, second, RADIUS), OnDemand(first, second, RADIUS, 10**6)):
        assert found.lookup(positions + 1000).abs().max() == 0
        assert found.lookup(positions).abs().max() > 0


def test_the_reverse_correlation_is_the_transpose() -> None:
    first, second, positions = features_and_positions(16, 24, 2.0)
    forth, back = correlate_both(first, second, RADIUS)
    expected = AllPairs.of(second, first, RADIUS).lookup(positions)
    assert largest_difference(back.lookup(positions), expected) <= ROUNDING
    assert largest_difference(forth.lookup(positions), expected) > 0.1


def test_all_pairs_are_kept_where_they_fit() -> None:
    first, second, _ = features_and_positions(16, 24, 0.0)
    size = all_pairs_bytes(first)
    assert size == 4 * 2 * 16 * 24 * (16 * 24 + 8 * 12 + 4 * 6 + 2 * 3)
    assert isinstance(correlate(first, second, RADIUS, size), AllPairs)
    assert isinstance(correlate(first, second, RADIUS, size - 1), OnDemand)
    assert isinstance(correlate_both(first, second, RADIUS, 2 * size)[1], AllPairs)
    assert isinstance(correlate_both(first, second, RADIUS, 2 * size - 1)[1], OnDemand)


@pytest.mark.parametrize("max_bytes", [4 * 3_000, 2**24])
def test_on_demand_never_holds_all_pairs(monkeypatch: pytest.MonkeyPatch, max_bytes: int) -> None:
    first, second, positions = features_and_positions(64, 96, 1.0)
    sizes: list[int] = []
    products = correlation._products

    def counted(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
        result = products(left, right)
        sizes.append(result.numel())
        return result

    monkeypatch.setattr(correlation, "_products", counted)
    OnDemand(first, second, RADIUS, max_bytes).lookup(positions)
    one_image = (64 * 96) ** 2
    assert max(sizes) <= max_bytes // 4
    assert max(sizes) * 20 < one_image
    assert sum(sizes) < one_image, "smooth motion must not cost as much as all pairs"


@pytest.mark.parametrize("size", [(128, 128), (128, 264)])
def test_the_smallest_sides_give_finite_flow(network: RAFT, size: tuple[int, int]) -> None:
    features = network.encode(torch.rand(1, 3, *size))
    assert network.estimate(features, features, 2).isfinite().all()


@pytest.mark.parametrize(
    "shape", [(1, 3, 120, 128), (1, 3, 128, 132), (1, 1, 128, 128), (3, 128, 128), (128,)]
)
def test_unusable_images_are_refused(small_network: RAFT, shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match=r"at least 128 that are multiples of 8, got \("):
        small_network.encode(torch.zeros(shape))


def test_a_pair_of_two_sizes_is_refused(small_network: RAFT) -> None:
    with pytest.raises(ShapeError, match="one size"):
        small_network(torch.zeros(1, 3, 128, 128), torch.zeros(1, 3, 128, 136))


def test_no_iteration_is_refused(small_network: RAFT) -> None:
    features = small_network.encode(torch.zeros(1, 3, 128, 128))
    with pytest.raises(InputError, match="at least 1, got 0"):
        small_network.estimate(features, features, 0)


def test_nothing_that_comes_in_is_modified(
    network: RAFT, images: tuple[torch.Tensor, torch.Tensor]
) -> None:
    images_before = [image.clone() for image in images]
    features = encode_both(network, images)
    features_before = [part.clone() for f in features for part in f]
    network.estimate_both(*features, 2)
    network(*images, 1)
    assert all(map(torch.equal, images, images_before))
    assert all(map(torch.equal, (part for f in features for part in f), features_before))


def test_channels_last_gives_the_same_flow(
    network: RAFT, images: tuple[torch.Tensor, torch.Tensor]
) -> None:
    expected = network(*images, 2)[-1]
    flow = network.to(memory_format=torch.channels_last)(*images, 2)[-1]
    assert largest_difference(flow, expected) <= SAME


@pytest.mark.parametrize("parts", [("fnet", "cnet"), ("update_block",), ("fnet", "update_block")])
def test_parts_in_bfloat16_give_nearly_the_same_flow(
    small_network: RAFT, images: tuple[torch.Tensor, torch.Tensor], parts: tuple[str, ...]
) -> None:
    expected = small_network(*images, 2)[-1]
    for part in parts:
        small_network.get_submodule(part).to(torch.bfloat16)
    flow = small_network(*images, 2)[-1]
    assert flow.dtype == torch.float32
    assert 0 < float((flow - expected).abs().mean()) < 0.05 * float(expected.abs().mean())


@pytest.mark.parametrize("enabled", [False, True], ids=["float32", "autocast"])
def test_gradient_of_every_parameter_is_finite(
    network: RAFT, images: tuple[torch.Tensor, torch.Tensor], enabled: bool
) -> None:
    network.train()
    with torch.enable_grad():
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            flows = network(*images, 2)
        torch.stack(flows).abs().mean().backward()
    assert all(flow.dtype == torch.float32 for flow in flows)
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name


def test_gradient_of_an_iteration_stops_at_the_flow_before(
    small_network: RAFT, images: tuple[torch.Tensor, torch.Tensor]
) -> None:
    flow_to_change = []
    small_network.update_block.register_forward_pre_hook(
        lambda _, inputs: flow_to_change.append(inputs[3].requires_grad)
    )
    with torch.enable_grad():
        flows = small_network(*images, 3)
    assert flow_to_change == [False, False, False]
    assert all(flow.requires_grad for flow in flows)
