"""LPIPS gives the figures of its authors' package, and says what is missing.

The figures below come from the package ``lpips`` 0.1.4 itself. It was unpacked, a module
``torchvision.models`` whose ``alexnet`` returns a network with the weights of `alexnet_weights` was
put into ``sys.modules``, and ``lpips.LPIPS(net="alex")`` was called in float64 with the images of
`image_pairs`, times 2 minus 1.
"""

from pathlib import Path

import numpy as np
import pytest
import torch

from msvsr.errors import CheckpointError, ShapeError
from msvsr.metrics import load_lpips, lpips
from msvsr.metrics.lpips import ALEXNET_FILE

SHAPES = {
    "features.0": (64, 3, 11, 11),
    "features.3": (192, 64, 5, 5),
    "features.6": (384, 192, 3, 3),
    "features.8": (256, 384, 3, 3),
    "features.10": (256, 256, 3, 3),
}
FIGURES = {
    (31, 47): (0.004052933962480053, 0.09153968777970471),
    (64, 64): (0.004162411489147743, 0.08228804247850564),
    (97, 130): (0.0040774138239974556, 0.0870746777648421),
}


def alexnet_weights() -> dict[str, torch.Tensor]:
    """Random weights under torchvision's names, of a size that keeps the signal alive."""
    rng = np.random.default_rng(11)
    weights = {}
    for name, shape in SHAPES.items():
        limit = (6 / np.prod(shape[1:])) ** 0.5
        weights[f"{name}.weight"] = torch.from_numpy(rng.uniform(-limit, limit, shape)).float()
        weights[f"{name}.bias"] = torch.from_numpy(rng.uniform(-0.1, 0.1, shape[0])).float()
    return weights


def image_pairs(size: tuple[int, int]) -> tuple[torch.Tensor, torch.Tensor]:
    """Two references with, first, a noisy copy and, second, another image: ``(2, 3, h, w)``."""
    rng = np.random.default_rng(size[0])
    reference = rng.random((2, 3, *size))
    noisy = (reference[0] + 0.2 * (rng.random((3, *size)) - 0.5)).clip(0, 1)
    image = np.stack((noisy, rng.random((3, *size))))
    return torch.from_numpy(image), torch.from_numpy(reference)


@pytest.fixture(scope="module")
def alexnet_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / ALEXNET_FILE
    torch.save({**alexnet_weights(), "classifier.1.weight": torch.zeros(4, 4)}, path)
    return path


@pytest.fixture
def no_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty cache of torch's hub."""
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path / "hub"))
    return tmp_path / "hub" / "checkpoints"


@pytest.mark.parametrize("size", FIGURES)
def test_gives_the_figures_of_its_authors(alexnet_file: Path, size: tuple[int, int]) -> None:
    network = load_lpips(alexnet_file)
    image, reference = image_pairs(size)
    values = lpips(image, reference, network.double())
    # The sums are taken in another order, nothing else differs.
    assert values.tolist() == pytest.approx(FIGURES[size], abs=1e-12)
    in_float32 = lpips(image.float(), reference.float(), network.float())
    assert in_float32.dtype == torch.float32
    assert in_float32.tolist() == pytest.approx(FIGURES[size], abs=1e-6)


def test_one_value_per_image_whatever_the_leading_axes(alexnet_file: Path) -> None:
    network = load_lpips(alexnet_file)
    clip, reference = torch.rand(2, 2, 3, 40, 33), torch.rand(2, 2, 3, 40, 33)
    values = lpips(clip, reference, network)
    assert values.shape == (4,)
    alone = lpips(clip[1, 1], reference[1, 1], network)
    torch.testing.assert_close(values[3:], alone, rtol=1e-5, atol=1e-7)  # other batch, other sums
    assert lpips(clip, clip, network).tolist() == [0.0] * 4


def test_more_noise_is_less_alike(alexnet_file: Path) -> None:
    network = load_lpips(alexnet_file)
    reference = torch.rand(3, 64, 64)
    noise = torch.rand(3, 64, 64) - 0.5
    values = [float(lpips(reference + share * noise, reference, network)) for share in (0.1, 0.4)]
    assert 0 < values[0] < values[1]


def test_nothing_is_learned_and_no_random_number_drawn(alexnet_file: Path) -> None:
    state = torch.get_rng_state()
    network = load_lpips(alexnet_file)
    assert torch.equal(torch.get_rng_state(), state)
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())
    image = torch.rand(3, 32, 32, requires_grad=True)
    assert not lpips(image, torch.rand(3, 32, 32), network).requires_grad


def test_half_precision_is_computed_in_float32(alexnet_file: Path) -> None:
    network = load_lpips(alexnet_file)
    image, reference = torch.rand(3, 32, 32).half(), torch.rand(3, 32, 32).half()
    expected = lpips(image.float(), reference.float(), network)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(lpips(image, reference, network), expected)


@pytest.mark.parametrize(
    ("shape", "other"),
    [((3, 32, 32), (3, 32, 33)), ((1, 32, 32), (1, 32, 32)), ((3, 30, 64), (3, 30, 64))],
)
def test_what_is_not_comparable_is_refused(
    alexnet_file: Path, shape: tuple[int, ...], other: tuple[int, ...]
) -> None:
    with pytest.raises(ShapeError):
        lpips(torch.zeros(shape), torch.zeros(other), load_lpips(alexnet_file))


def test_a_folder_is_searched_before_the_cache(alexnet_file: Path, no_cache: Path) -> None:
    other = {key: value * 0.5 for key, value in alexnet_weights().items()}
    no_cache.mkdir(parents=True)
    torch.save(other, no_cache / ALEXNET_FILE)
    expected = alexnet_weights()["features.0.bias"]
    given = load_lpips(alexnet_file.parent).trunk.state_dict()["features.0.bias"]
    assert torch.equal(given, expected)
    cached = load_lpips().trunk.state_dict()["features.0.bias"]
    assert torch.equal(cached, expected * 0.5)


def test_a_folder_without_the_file_leaves_the_cache(
    alexnet_file: Path, no_cache: Path, tmp_path: Path
) -> None:
    no_cache.mkdir(parents=True)
    (no_cache / ALEXNET_FILE).symlink_to(alexnet_file)
    folder = tmp_path / "model"
    folder.mkdir()
    assert load_lpips(folder).trunk.state_dict().keys() == alexnet_weights().keys()


def test_missing_weights_are_named_with_every_place(no_cache: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError) as caught:
        load_lpips(tmp_path)
    message = str(caught.value)
    assert "\n" not in message
    for part in (ALEXNET_FILE, str(tmp_path), str(no_cache)):
        assert part in message


@pytest.mark.usefixtures("no_cache")
def test_a_file_that_was_named_must_exist(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"none\.pth.*give the path"):
        load_lpips(tmp_path / "none.pth")


def test_a_damaged_file_is_refused_in_one_line(alexnet_file: Path, tmp_path: Path) -> None:
    content = alexnet_file.read_bytes()
    for number, spoiled in enumerate((content[: len(content) // 2], b"", b"<html></html>")):
        path = tmp_path / f"{number}.pth"
        path.write_bytes(spoiled)
        with pytest.raises(CheckpointError) as caught:
            load_lpips(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", ["bare tensor", "no features", "other shapes"])
def test_another_network_is_refused(tmp_path: Path, content: str) -> None:
    weights = alexnet_weights()
    contents = {
        "bare tensor": weights["features.0.weight"],
        "no features": {"module." + key: value for key, value in weights.items()},
        "other shapes": {**weights, "features.3.weight": torch.zeros(256, 64, 5, 5)},
    }
    path = tmp_path / "other.pth"
    torch.save(contents[content], path)
    with pytest.raises(CheckpointError, match=r"must hold.*alexnet|must hold a dictionary"):
        load_lpips(path)
