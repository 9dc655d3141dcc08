"""What NIQE promises beyond its values."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from msvsr.errors import CheckpointError, ConfigError, InputError, ShapeError
from msvsr.metrics import Niqe, niqe
from msvsr.metrics.niqe import PRISTINE_FILE, PristineModel, load_pristine, niqe_distance
from msvsr.metrics.niqe_features import niqe_features


def noise(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(3))


def test_one_value_per_image_whatever_the_leading_axes() -> None:
    clip = noise(2, 2, 3, 96, 192)
    values = niqe(clip)
    assert values.shape == (4,)
    assert torch.equal(values[3:], niqe(clip[1, 1]))


def test_a_batch_has_the_features_of_its_images() -> None:
    luma = (noise(2, 192, 192) * 255).round()
    window = load_pristine().window
    both = niqe_features(luma, window)
    alone = torch.cat([niqe_features(image[None], window) for image in luma])
    # Half a resolution is a matrix product, whose rounding may differ: one step of the table.
    torch.testing.assert_close(both, alone, rtol=0, atol=2e-3)
    assert not torch.equal(both[0], both[1])


def test_blur_and_noise_are_worse_than_the_image(shared_data: Path) -> None:
    folder = shared_data / "vfi" / "middlebury_other" / "gt" / "Grove2"
    pixels = np.asarray(Image.open(next(folder.glob("*.png"))))
    image = torch.from_numpy(pixels.copy()).movedim(-1, -3)[None] / 255
    blurred = torch.nn.functional.avg_pool2d(image, 5, stride=1, padding=2)
    noisy = (image + 0.2 * (noise(*image.shape) - 0.5)).clamp(0, 1)
    original = niqe(image)
    assert niqe(blurred) > original + 1
    assert niqe(noisy) > original + 1


def test_the_border_that_is_cropped_does_not_count() -> None:
    image = noise(3, 200, 104)
    spoiled = image.clone()
    spoiled[..., :4, :] = 0.0
    spoiled[..., -4:] = 1.0
    assert torch.equal(niqe(image, crop_border=4), niqe(spoiled, crop_border=4))
    assert torch.equal(niqe(image, crop_border=4), niqe(image[:, 4:-4, 4:-4]))
    assert not torch.equal(niqe(image), niqe(spoiled))


def test_what_lies_beyond_the_last_whole_block_does_not_count() -> None:
    image = noise(3, 192, 96)
    wider = torch.cat((image, torch.ones(3, 192, 95)), dim=-1)
    assert torch.equal(niqe(image), niqe(wider))


def test_luma_is_rounded_to_whole_numbers() -> None:
    image = noise(3, 96, 192)
    gray = (image.mean(dim=0, keepdim=True) * 219).round().expand(3, -1, -1) / 219
    assert torch.equal(niqe(gray), niqe(gray + 0.3 / 219))
    assert not torch.equal(niqe(gray), niqe(gray + 0.7 / 219))


def test_gray_is_luma_of_the_full_swing() -> None:
    image = noise(3, 96, 192)
    weights = torch.tensor([0.299, 0.587, 0.114], dtype=torch.float64)
    gray = (weights.view(3, 1, 1) * image.double()).sum(dim=0, keepdim=True) * 255
    model = load_pristine()
    expected = niqe_distance(niqe_features(gray.round(), model.window), model)
    torch.testing.assert_close(niqe(image, channels="gray"), expected, rtol=0, atol=1e-9)
    assert not torch.equal(niqe(image, channels="y"), expected)


def test_red_counts_more_than_blue() -> None:
    image = noise(3, 96, 192) * torch.tensor([1.0, 0.5, 0.1]).view(3, 1, 1)
    assert (niqe(image) - niqe(image.flip(0))).abs() > 0.1


def test_a_flat_block_leaves_the_distance_to_the_others() -> None:
    image = noise(3, 192, 288)
    image[:, :128, :128] = 0.5
    features = niqe_features((image[:1] * 255).round(), load_pristine().window)[0]
    assert features[0].isnan().any()
    assert features[0, 0] == pytest.approx(0.2)  # the shape is the table's first, not NaN
    assert not features[4:].isnan().any()
    assert niqe(image).isfinite().all()


def test_images_without_two_textured_blocks_have_no_distance() -> None:
    textured_once = torch.full((3, 96, 288), 0.25)
    textured_once[:, :, :96] = noise(3, 96, 96)
    assert niqe(torch.stack((torch.zeros(3, 96, 288), textured_once))).isnan().tolist()[0]


@pytest.mark.parametrize(
    ("shape", "crop_border"),
    [
        ((3, 95, 400), 0),
        ((3, 96, 96), 0),
        ((3, 96, 191), 0),
        ((3, 96, 192), 1),
        ((3, 96, 192), 500),
        ((3, 300, 300), -1),
        ((1, 1, 192, 192), 0),
        ((192, 192), 0),
    ],
)
def test_unusable_shapes_are_refused_in_one_line(shape: tuple[int, ...], crop_border: int) -> None:
    with pytest.raises(ShapeError) as caught:
        niqe(torch.zeros(shape), crop_border=crop_border)
    message = str(caught.value)
    assert "\n" not in message
    assert str(shape[-1]) in message


def test_features_of_less_than_one_block_are_refused() -> None:
    with pytest.raises(ShapeError, match="96 pixels a side"):
        niqe_features(torch.zeros(1, 96, 95), load_pristine().window)


def test_other_channels_are_refused() -> None:
    with pytest.raises(ConfigError, match="'y' or 'gray'"):
        niqe(noise(3, 96, 192), channels="rgb")  # type: ignore[arg-type]


def test_arguments_and_gradients_are_left_alone() -> None:
    image = noise(3, 96, 192).requires_grad_()
    before = image.detach().clone()
    value = niqe(image)
    assert not value.requires_grad
    assert torch.equal(image, before)


def test_the_number_of_threads_stays() -> None:
    torch.set_num_threads(2)
    niqe(noise(3, 96, 192))
    assert torch.get_num_threads() == 2


def test_half_precision_around_it_changes_nothing() -> None:
    image = noise(3, 96, 192)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = niqe(image)
    assert torch.equal(inside, niqe(image))


def test_no_image_gives_no_value() -> None:
    assert niqe(torch.zeros(0, 3, 96, 192)).shape == (0,)


def test_the_mean_is_over_frames_and_counts_flat_ones_apart() -> None:
    frames = noise(3, 3, 96, 192)
    measure = Niqe()
    measure.update(frames[:2])
    assert measure.update(torch.zeros(3, 96, 192)).isnan().all()
    measure.update(frames[2])
    assert measure.compute() == pytest.approx(float(niqe(frames).mean()), abs=1e-12)
    assert (measure.num_frames, measure.num_undefined) == (3, 1)


def test_the_mean_takes_the_options_of_the_function() -> None:
    image = noise(3, 104, 208)
    values = Niqe(channels="gray", crop_border=4).update(image)
    assert torch.equal(values, niqe(image, channels="gray", crop_border=4))
    assert not torch.equal(values, niqe(image, channels="y", crop_border=4))
    assert not torch.equal(values, niqe(image, channels="gray"))


def test_no_mean_without_frames() -> None:
    measure = Niqe()
    measure.update(torch.zeros(3, 96, 192))
    with pytest.raises(InputError, match=r"1 without one.*update"):
        measure.compute()


def write_pristine(path: Path, **changes: np.ndarray) -> Path:
    model = load_pristine()
    arrays = {
        "mu_pris_param": model.mean.numpy()[None],  # the published file has a leading axis
        "cov_pris_param": model.covariance.numpy(),
        "gaussian_window": model.window.numpy(),
    }
    np.savez(path, **(arrays | changes))
    return path


def test_a_given_file_takes_precedence(tmp_path: Path) -> None:
    model = load_pristine()
    moved = load_pristine(
        write_pristine(tmp_path / "mine.npz", mu_pris_param=model.mean.numpy() + 1)
    )
    assert torch.equal(moved.mean, model.mean + 1)
    image = noise(3, 96, 192)
    assert not torch.equal(niqe(image, pristine=moved), niqe(image))
    measure = Niqe(pristine=moved)
    assert torch.equal(measure.update(image), niqe(image, pristine=moved))


def test_the_file_of_a_model_folder_takes_precedence(tmp_path: Path) -> None:
    assert torch.equal(load_pristine(tmp_path).mean, load_pristine().mean)
    write_pristine(tmp_path / PRISTINE_FILE, cov_pris_param=np.eye(36))
    assert torch.equal(load_pristine(tmp_path).covariance, torch.eye(36, dtype=torch.float64))


def test_the_published_window_is_a_gaussian() -> None:
    offsets = torch.arange(-3, 4, dtype=torch.float64)
    profile = torch.exp(-offsets.square() / (2 * (7 / 6) ** 2))
    window = torch.outer(profile, profile) / profile.sum().square()
    torch.testing.assert_close(load_pristine().window, window, rtol=0, atol=1e-15)


@pytest.mark.parametrize(
    "changes",
    [
        {"mu_pris_param": np.zeros(35)},
        {"cov_pris_param": np.zeros((36, 35))},
        {"gaussian_window": np.eye(7) / 7},
        {"gaussian_window": np.full((6, 6), 1 / 36)},
        {"gaussian_window": np.outer(np.arange(7.0), np.arange(7.0))},
    ],
)
def test_files_with_other_figures_are_refused(
    tmp_path: Path, changes: dict[str, np.ndarray]
) -> None:
    path = write_pristine(tmp_path / "odd.npz", **changes)
    with pytest.raises(CheckpointError, match="no pristine model"):
        load_pristine(path)


def test_unreadable_files_are_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "text.npz").write_text("not a zip")
    np.savez(tmp_path / "empty.npz", something=np.zeros(1))
    np.save(tmp_path / "bare.npy", np.zeros(36))
    for name in ("text.npz", "empty.npz", "bare.npy", "missing.npz"):
        with pytest.raises(CheckpointError, match=name) as caught:
            load_pristine(tmp_path / name)
        assert "\n" not in str(caught.value)


def test_a_pristine_model_of_other_shapes_is_refused() -> None:
    model = load_pristine()
    with pytest.raises(ConfigError, match=r"\(36, 36\)"):
        PristineModel(mean=model.mean[:-1], covariance=model.covariance, window=model.window)


def test_a_built_wheel_holds_the_pristine_model(repository: Path, tmp_path: Path) -> None:
    pytest.importorskip("setuptools")
    source = tmp_path / "source"
    ignored = shutil.ignore_patterns("__pycache__", "*.safetensors")
    for name in ("msvsr", "configuration"):
        shutil.copytree(repository / name, source / name, ignore=ignored)
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE", "THIRD_PARTY.md"):
        shutil.copy(repository / name, source / name)
    command = [sys.executable, "setup.py", "-q", "bdist_wheel", "--dist-dir", str(tmp_path)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        packed = archive.read("msvsr/metrics/niqe_pristine.npz")
    assert packed == (repository / "msvsr" / "metrics" / "niqe_pristine.npz").read_bytes()
