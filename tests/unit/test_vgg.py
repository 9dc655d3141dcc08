"""VGG19's layers against the published table, and the weights file that they come from."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from msvsr.archs.torchvision_files import find_torchvision_file
from msvsr.archs.vgg import VGG19_FILE, VGG19Features, load_vgg19
from msvsr.errors import CheckpointError, ConfigError, ShapeError

# torchvision's vgg19().features: number of each convolution, its channels in and out.
CONVOLUTIONS = {
    0: (3, 64),
    2: (64, 64),
    5: (64, 128),
    7: (128, 128),
    10: (128, 256),
    12: (256, 256),
    14: (256, 256),
    16: (256, 256),
    19: (256, 512),
    21: (512, 512),
    23: (512, 512),
    25: (512, 512),
    28: (512, 512),
    30: (512, 512),
    32: (512, 512),
    34: (512, 512),
}
POOLINGS = (4, 9, 18, 27, 36)  # all other numbers are activations
SMALL = (2, 7)  # layers that need no large file


def published_weights(deepest: int) -> dict[str, torch.Tensor]:
    """Random weights under the published names, with a part of the classifier."""
    weights = {"classifier.6.bias": torch.zeros(1000)}
    for number, (before, after) in CONVOLUTIONS.items():
        if number <= deepest:
            scale = (2 / (9 * before)) ** 0.5
            weights[f"features.{number}.weight"] = scale * torch.randn(after, before, 3, 3)
            weights[f"features.{number}.bias"] = 0.1 * torch.randn(after)
    return weights


def run_table(
    images: torch.Tensor, weights: Mapping[str, torch.Tensor], deepest: int
) -> list[torch.Tensor]:
    """The output of every layer, by the table."""
    mean, std = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]])
    x = (images - mean[:, None, None]) / std[:, None, None]
    outputs = []
    for number in range(deepest + 1):
        if number in CONVOLUTIONS:
            kernel, bias = (weights[f"features.{number}.{part}"] for part in ("weight", "bias"))
            x = F.conv2d(x, kernel, bias, padding=1)
        else:
            x = F.max_pool2d(x, 2) if number in POOLINGS else x.clamp(min=0)
        outputs.append(x)
    return outputs


def test_features_before_activation_agree_with_the_published_table(tmp_path: Path) -> None:
    weights = published_weights(34)
    torch.save(weights, tmp_path / VGG19_FILE)
    network = load_vgg19(tmp_path)
    images = torch.rand(2, 3, 32, 48)
    expected = run_table(images, weights, 34)
    found = network(images)
    assert [tuple(each.shape[1:]) for each in found] == [
        (64, 32, 48),
        (128, 16, 24),
        (256, 8, 12),
        (512, 4, 6),
        (512, 2, 3),
    ]
    for number, features in zip((2, 7, 16, 25, 34), found, strict=True):
        torch.testing.assert_close(features, expected[number])
        assert features.min() < 0
    assert sum(each.numel() for each in network.parameters()) == 20_024_384


def test_any_layer_can_be_asked_for_in_any_order() -> None:
    wanted = (7, 0, 1, 3, 4, 2, 5, 9)
    network = VGG19Features(wanted)
    images = torch.rand(1, 3, 8, 8)
    expected = run_table(images, network.state_dict(), 9)
    for number, features in zip(wanted, network(images), strict=True):
        torch.testing.assert_close(features, expected[number])


def test_only_the_layers_that_are_needed_exist_and_they_are_frozen() -> None:
    network = VGG19Features(SMALL)
    assert list(network.state_dict()) == [
        f"features.{number}.{part}" for number in (0, 2, 5, 7) for part in ("weight", "bias")
    ]
    assert not any(each.requires_grad for each in network.parameters())
    images = torch.rand(1, 3, 8, 8, requires_grad=True)
    network(images)[1].sum().backward()
    assert images.grad is not None
    assert images.grad.abs().min() > 0


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_weights_come_from_a_file_a_folder_or_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zipped: bool
) -> None:
    weights = published_weights(7)
    torch.save(weights, tmp_path / "renamed.pth", _use_new_zipfile_serialization=zipped)
    cache = tmp_path / "hub" / "checkpoints"
    cache.mkdir(parents=True)
    torch.save(weights, cache / VGG19_FILE, _use_new_zipfile_serialization=zipped)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    for path in (tmp_path / "renamed.pth", str(cache), None):
        state = load_vgg19(path, SMALL).state_dict()
        assert all(torch.equal(state[key], weights[key]) for key in state)


def test_a_missing_file_is_named_with_the_place_to_put_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    for path, named in (
        (None, tmp_path / "hub" / "checkpoints"),
        (tmp_path, tmp_path),
        (tmp_path / "no.pth", tmp_path / "no.pth"),
    ):
        with pytest.raises(CheckpointError) as caught:
            find_torchvision_file(VGG19_FILE, path)
        message = str(caught.value)
        assert f"'{named}'" in message
        assert f"torchvision's weights file {VGG19_FILE} is needed" in message
        assert "\n" not in message


def test_damaged_and_foreign_files_are_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / VGG19_FILE
    torch.save(published_weights(7), path)
    cut = path.read_bytes()[: path.stat().st_size // 2]
    foreign = {"features.0.weight": torch.zeros(64, 3, 11, 11)}
    for content, reason in (
        (b"", "no readable weights file"),
        (b"<html>not found</html>", "no readable weights file"),
        (cut, "no readable weights file"),
        (foreign, "features.0.weight is missing or has another shape"),
        ({"features": 1}, "features.0.weight is missing or has another shape"),
        ([torch.zeros(1)], "must hold a dictionary of tensors, found list"),
    ):
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            torch.save(content, path)
        with pytest.raises(CheckpointError, match=reason) as caught:
            load_vgg19(path, SMALL)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("layers", [(), (-1,), (37,), (2, 2)])
def test_layers_that_do_not_exist_are_refused(layers: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match="from 0 to 36"):
        VGG19Features(layers)


def test_images_must_outlast_the_poolings() -> None:
    network = VGG19Features((2, 5, 10))
    assert network.size_min == 4
    assert network(torch.rand(1, 3, 4, 5))[2].shape == (1, 256, 1, 1)
    with pytest.raises(ShapeError, match="at least 4 pixels"):
        network(torch.rand(1, 3, 3, 8))
