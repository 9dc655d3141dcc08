"""What PSNR, SSIM, MSE and the volumetric SSIM promise beyond their values."""

from collections.abc import Callable

import pytest
import torch

from msvsr.errors import ConfigError, InputError, ShapeError
from msvsr.metrics import FrameMean, mse, psnr, ssim, ssim_3d

Metric = Callable[..., torch.Tensor]
metrics = pytest.mark.parametrize("metric", [psnr, ssim, mse, ssim_3d])
cropping = pytest.mark.parametrize("metric", [psnr, ssim, mse])


@metrics
def test_one_value_per_frame_whatever_the_leading_axes(metric: Metric) -> None:
    clip, reference = torch.rand(2, 3, 3, 16, 20), torch.rand(2, 3, 3, 16, 20)
    values = metric(clip, reference)
    assert values.shape == (6,)
    alone = metric(clip[1, 2], reference[1, 2])
    # Sums over other batch sizes may round differently in float32.
    torch.testing.assert_close(values[5:], alone, rtol=1e-5, atol=1e-6)


@cropping
def test_the_border_that_is_cropped_does_not_count(metric: Metric) -> None:
    reference = torch.rand(1, 3, 24, 24)
    image = reference + 0.01
    spoiled = image.clone()
    spoiled[..., :3, :] = 9.0
    spoiled[..., -3:] = 9.0
    assert torch.equal(
        metric(image, reference, crop_border=3), metric(spoiled, reference, crop_border=3)
    )


@metrics
def test_half_precision_is_computed_in_float32(metric: Metric) -> None:
    image, reference = torch.rand(1, 3, 16, 16).half(), torch.rand(1, 3, 16, 16).half()
    assert torch.equal(metric(image, reference), metric(image.float(), reference.float()))


@metrics
def test_arguments_stay_as_they_were(metric: Metric) -> None:
    image, reference = torch.rand(1, 3, 16, 16), torch.rand(1, 3, 16, 16)
    copies = image.clone(), reference.clone()
    metric(image, reference)
    if metric is not ssim_3d:
        metric(image, reference, channels="y", crop_border=1)
    assert torch.equal(image, copies[0])
    assert torch.equal(reference, copies[1])


@metrics
def test_the_order_of_the_images_does_not_matter(metric: Metric) -> None:
    image, reference = torch.rand(1, 3, 16, 16), torch.rand(1, 3, 16, 16)
    torch.testing.assert_close(metric(image, reference), metric(reference, image))


@metrics
@pytest.mark.parametrize(
    ("shape", "other"),
    [
        ((1, 3, 16, 16), (1, 3, 16, 17)),
        ((1, 1, 16, 16), (1, 1, 16, 16)),
        ((16, 16), (16, 16)),
    ],
)
def test_what_is_not_comparable_is_refused(
    metric: Metric, shape: tuple[int, ...], other: tuple[int, ...]
) -> None:
    with pytest.raises(ShapeError):
        metric(torch.zeros(shape), torch.zeros(other))


@cropping
@pytest.mark.parametrize("crop_border", [8, -1])
def test_a_border_that_leaves_nothing_is_refused(metric: Metric, crop_border: int) -> None:
    image = torch.zeros(1, 3, 16, 16)
    with pytest.raises(ShapeError):
        metric(image, image, crop_border=crop_border)


def test_unknown_channels_are_refused() -> None:
    with pytest.raises(ConfigError, match="'rgb' or 'y'"):
        psnr(torch.zeros(3, 4, 4), torch.zeros(3, 4, 4), channels="yuv")  # type: ignore[arg-type]


def test_equal_images() -> None:
    image = torch.rand(1, 3, 16, 16)
    assert torch.isinf(psnr(image, image)).all()
    assert float(ssim(image, image)) == pytest.approx(1.0, abs=1e-6)


def test_ssim_needs_room_for_its_window() -> None:
    with pytest.raises(ShapeError, match="11 pixels"):
        ssim(torch.zeros(1, 3, 10, 64), torch.zeros(1, 3, 10, 64))


def test_mean_of_nothing_is_an_error() -> None:
    with pytest.raises(InputError, match="update first"):
        FrameMean().compute()
