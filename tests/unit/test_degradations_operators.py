"""Each operator of the degradations against its definition."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from msvsr.degradations.blur import Blur, BlurConfig, gaussian_kernel
from msvsr.degradations.compression import (
    Jpeg,
    JpegConfig,
    VideoCodec,
    VideoCodecConfig,
    encode_and_decode,
    jpeg_clip,
    quantize,
)
from msvsr.degradations.noise import Noise, NoiseConfig, gaussian_noise, poisson_noise
from msvsr.degradations.resize import Resize, ResizeConfig, resize_clip
from msvsr.degradations.types import Operator
from msvsr.degradations.walk import random_walk
from msvsr.errors import ConfigError


def texture(num_frames: int = 4, height: int = 32, width: int = 48) -> np.ndarray:
    """A clip of smooth texture, float32 in [0, 1]."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    frames = [
        np.stack([0.5 + 0.4 * np.sin(x / 3 + t), 0.5 + 0.4 * np.cos(y / 4 + t), x / width], -1)
        for t in range(num_frames)
    ]
    return np.stack(frames).astype(np.float32)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


OPERATORS = [
    Blur(BlurConfig(probability=1.0)),
    Noise(NoiseConfig(probability=1.0, gaussian_probability=1.0)),
    Noise(NoiseConfig(probability=1.0, gaussian_probability=0.0)),
    Noise(NoiseConfig(probability=1.0, gray_probability=1.0)),
    Jpeg(JpegConfig()),
    VideoCodec(VideoCodecConfig(codecs=("libx264",))),
    VideoCodec(VideoCodecConfig(codecs=("mpeg4",))),
]


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda each: type(each).__name__)
def test_operator_keeps_shape_type_and_range_and_repeats_with_its_seed(operator: Operator) -> None:
    clip = texture()
    before = clip.copy()
    first = operator(clip, rng(3))
    assert first.shape == clip.shape
    assert first.dtype == np.float32
    assert first.min() >= 0
    assert first.max() <= 1
    assert not np.array_equal(first, clip)
    np.testing.assert_array_equal(first, operator(clip, rng(3)))
    np.testing.assert_array_equal(clip, before)


@pytest.mark.parametrize(
    "operator",
    [
        Blur(BlurConfig(probability=0)),
        Resize(ResizeConfig(probability=0)),
        Noise(NoiseConfig(probability=0)),
        Jpeg(JpegConfig(probability=0)),
        VideoCodec(VideoCodecConfig(probability=0)),
    ],
    ids=lambda each: type(each).__name__,
)
def test_operator_that_never_applies_returns_the_clip(operator: Operator) -> None:
    clip = texture()
    assert operator(clip, rng()) is clip


def test_random_walk_starts_uniformly_stays_in_range_and_makes_uniform_steps() -> None:
    walks = np.stack(
        [random_walk(8, start_range=(0, 10), step=0.1, rng=rng(seed)) for seed in range(500)]
    )
    assert walks.min() >= 0
    assert walks.max() <= 10
    # Mean of 500 uniform numbers in [0, 10]: standard error 0.13.
    assert abs(walks[:, 0].mean() - 5) < 0.5
    steps = np.diff(walks, axis=1)
    assert np.abs(steps).max() <= 0.1 + 1e-12
    # A uniform step in [-s, s] has a standard deviation of s / sqrt(3).
    assert abs(steps.std() - 0.1 / np.sqrt(3)) < 0.003


def test_gaussian_kernel_has_unit_sum_and_the_given_covariance() -> None:
    kernel = gaussian_kernel(41, 3.0, 1.5, angle=0.6)
    assert kernel.sum() == pytest.approx(1, abs=1e-6)
    y, x = np.mgrid[-20:21, -20:21]
    covariance = np.array([[(kernel * a * b).sum() for b in (x, y)] for a in (x, y)])
    rotation = np.array([[np.cos(0.6), -np.sin(0.6)], [np.sin(0.6), np.cos(0.6)]])
    expected = rotation @ np.diag([3.0**2, 1.5**2]) @ rotation.T
    # The grid samples the density and cuts its tails: a few thousandths.
    np.testing.assert_allclose(covariance, expected, rtol=0.01, atol=0.01)


def test_blur_keeps_the_mean_and_removes_detail() -> None:
    clip = rng().random((3, 64, 64, 3)).astype(np.float32)
    blurred = Blur(BlurConfig(probability=1.0, sigma_range=(2.0, 3.0)))(clip, rng())
    assert blurred.std() < 0.5 * clip.std()
    assert blurred.mean() == pytest.approx(clip.mean(), abs=0.01)


def test_blur_kernels_drift_slowly() -> None:
    kernels = Blur(BlurConfig(anisotropic_probability=0.0)).sample(6, rng())
    change = max(np.abs(a - b).max() for a, b in pairwise(kernels))
    assert 0 < change < 0.05


@pytest.mark.parametrize("mode", ["area", "bilinear", "bicubic"])
def test_resize_keeps_the_position_of_the_content(mode: str) -> None:
    clip = texture(1, 64, 64)
    back = resize_clip(resize_clip(clip, (32, 32), mode), (64, 64), "bicubic")
    # A shift by half a pixel of the small image would cost 0.1 and more.
    assert np.abs(back - clip)[:, 4:-4, 4:-4].mean() < 0.02


def test_random_resize_draws_the_scale_from_its_range() -> None:
    resize = Resize(ResizeConfig(probability=1.0, scale_range=(0.5, 0.75)))
    heights = [resize(texture(1, 80, 80), rng(seed)).shape[1] for seed in range(20)]
    assert 40 <= min(heights) < max(heights) <= 60


@pytest.mark.parametrize("gray", [True, False])
def test_gaussian_noise_has_the_given_deviation(gray: bool) -> None:
    noise = gaussian_noise(np.zeros((200, 200, 3), np.float32), 10.0, gray=gray, rng=rng())
    assert noise.shape[-1] == (1 if gray else 3)
    # 40,000 samples at least: the deviation is known to 0.4 %.
    assert noise.std() * 255 == pytest.approx(10, rel=0.02)
    assert abs(noise.mean()) < 0.001


@pytest.mark.parametrize("level", [0.1, 0.8])
def test_poisson_noise_has_a_variance_proportional_to_the_light(level: float) -> None:
    frame = np.full((200, 200, 3), level, np.float32)
    noise = poisson_noise(frame, 2.0, gray=False, rng=rng())
    assert noise.var() == pytest.approx(4 * level / 256, rel=0.03)
    assert abs(noise.mean()) < 0.002


def test_noise_is_independent_in_time() -> None:
    clip = np.full((2, 100, 100, 3), 0.5, np.float32)
    noisy = Noise(NoiseConfig(probability=1.0))(clip, rng()) - clip
    correlation = np.corrcoef(noisy[0].ravel(), noisy[1].ravel())[0, 1]
    assert abs(correlation) < 0.05


def test_lower_jpeg_quality_loses_more() -> None:
    clip = quantize(texture(1))
    errors = [
        np.abs(jpeg_clip(clip, [quality]).astype(int) - clip).mean() for quality in (95, 60, 20)
    ]
    assert errors == sorted(errors)
    assert errors[0] < 4


@pytest.mark.parametrize(("codec", "good", "bad"), [("libx264", 10, 40), ("mpeg4", 1, 20)])
@pytest.mark.parametrize("size", [(32, 48), (33, 47)])
def test_video_codec_returns_every_frame_in_order(
    codec: str, good: int, bad: int, size: tuple[int, int]
) -> None:
    clip = quantize(texture(7, *size))
    fine = encode_and_decode(clip, codec, good)
    assert fine.shape == clip.shape
    errors = np.abs(fine.astype(int) - clip).mean(axis=(1, 2, 3))
    # 4:2:0 chroma alone costs a few grey levels here; frames in a wrong order cost 40.
    assert errors.max() < 12
    coarse = encode_and_decode(clip, codec, bad)
    assert np.abs(coarse.astype(int) - clip).mean() > errors.mean()


@pytest.mark.parametrize(
    "build",
    [
        lambda: BlurConfig(probability=1.5),
        lambda: BlurConfig(kernel_sizes=(8,)),
        lambda: BlurConfig(sigma_range=(3.0, 1.0)),
        lambda: ResizeConfig(modes=("lanczos",)),
        lambda: NoiseConfig(gaussian_sigma_range=(-1.0, 2.0)),
        lambda: JpegConfig(quality_range=(0.0, 200.0)),
        lambda: VideoCodecConfig(codecs=()),
    ],
)
def test_impossible_configuration_is_refused(build: Callable[[], object]) -> None:
    with pytest.raises(ConfigError):
        build()
