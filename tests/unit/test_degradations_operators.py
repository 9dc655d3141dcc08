"""Each operator of the degradations against its definition."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from msvsr.degradations.blur import Blur, BlurConfig
from msvsr.degradations.compression import (
    Jpeg,
    JpegConfig,
    VideoBitRate,
    VideoBitRateConfig,
    VideoCodec,
    VideoCodecConfig,
    jpeg_frame,
    quantize,
)
from msvsr.degradations.mixed_blur import KERNEL_KINDS, MixedBlur, MixedBlurConfig
from msvsr.degradations.noise import (
    Noise,
    NoiseConfig,
    counted_poisson_noise,
    gaussian_noise,
    poisson_noise,
)
from msvsr.degradations.rescale import Rescale, RescaleConfig
from msvsr.degradations.resize import Resize, ResizeConfig, resize_frame
from msvsr.degradations.types import Frames, Operator
from msvsr.degradations.walk import random_walk, without_steps
from msvsr.errors import ConfigError


def texture(num_frames: int = 4, height: int = 32, width: int = 48) -> Frames:
    """A clip of smooth texture, float32 in [0, 1]."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    frames = [
        np.stack([0.5 + 0.4 * np.sin(x / 3 + t), 0.5 + 0.4 * np.cos(y / 4 + t), x / width], -1)
        for t in range(num_frames)
    ]
    return [frame.astype(np.float32) for frame in frames]


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


OPERATORS = [
    Blur(BlurConfig(probability=1.0)),
    Noise(NoiseConfig(probability=1.0, gaussian_probability=1.0)),
    Noise(NoiseConfig(probability=1.0, gaussian_probability=0.0)),
    Noise(NoiseConfig(probability=1.0, gray_probability=1.0)),
    Noise(NoiseConfig(probability=1.0, gaussian_probability=0.0, photons="counted")),
    Jpeg(JpegConfig()),
    VideoCodec(VideoCodecConfig(codecs=("libx264",))),
    VideoCodec(VideoCodecConfig(codecs=("mpeg4",))),
    VideoBitRate(VideoBitRateConfig(codecs=("libx264",))),
    VideoBitRate(VideoBitRateConfig(codecs=("h264",))),
    VideoBitRate(VideoBitRateConfig(codecs=("mpeg4",))),
    *(MixedBlur(MixedBlurConfig(kinds=(kind,), kind_probabilities=(1,))) for kind in KERNEL_KINDS),
]


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda each: type(each).__name__)
def test_operator_keeps_shape_type_and_range_and_repeats_with_its_seed(operator: Operator) -> None:
    clip = texture()
    before = np.stack(clip)
    first = np.stack(operator(clip, rng(3)))
    assert first.shape == before.shape
    assert first.dtype == np.float32
    assert first.min() >= 0
    assert first.max() <= 1
    assert not np.array_equal(first, before)
    np.testing.assert_array_equal(first, np.stack(operator(clip, rng(3))))
    np.testing.assert_array_equal(np.stack(clip), before)


@pytest.mark.parametrize(
    "operator",
    [
        Blur(BlurConfig(probability=0)),
        Resize(ResizeConfig(probability=0)),
        Noise(NoiseConfig(probability=0)),
        Jpeg(JpegConfig(probability=0)),
        VideoCodec(VideoCodecConfig(probability=0)),
        MixedBlur(MixedBlurConfig(probability=0)),
        Rescale(RescaleConfig(probability=0)),
        VideoBitRate(VideoBitRateConfig(probability=0)),
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


def test_walk_of_an_operator_stops_when_its_steps_are_taken() -> None:
    config = MixedBlurConfig(kernel_sizes=(9,), probability=0.7)
    still = without_steps(config)
    assert (still.kernel_sizes, still.probability) == ((9,), 0.7)
    steps = [value for name, value in vars(still).items() if name.endswith("_step")]
    assert steps == [0.0] * 5


def test_blur_keeps_the_mean_and_removes_detail() -> None:
    clip = rng().random((3, 64, 64, 3)).astype(np.float32)
    blur = Blur(BlurConfig(probability=1.0, sigma_range=(2.0, 3.0)))
    blurred = np.stack(blur(list(clip), rng()))
    assert blurred.std() < 0.5 * clip.std()
    assert blurred.mean() == pytest.approx(clip.mean(), abs=0.01)


def test_blur_kernels_drift_slowly() -> None:
    kernels = Blur(BlurConfig(anisotropic_probability=0.0)).sample(6, rng())
    change = max(np.abs(a - b).max() for a, b in pairwise(kernels))
    assert 0 < change < 0.05


@pytest.mark.parametrize("mode", ["area", "bilinear", "bicubic"])
def test_resize_keeps_the_position_of_the_content(mode: str) -> None:
    frame = texture(1, 64, 64)[0]
    back = resize_frame(resize_frame(frame, (32, 32), mode), (64, 64), "bicubic")
    # A shift by half a pixel of the small image would cost 0.1 and more.
    assert np.abs(back - frame)[4:-4, 4:-4].mean() < 0.02


def test_random_resize_draws_the_scale_from_its_range() -> None:
    resize = Resize(ResizeConfig(probability=1.0, scale_range=(0.5, 0.75)))
    heights = [resize(texture(1, 80, 80), rng(seed))[0].shape[0] for seed in range(20)]
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


@pytest.mark.parametrize(("num_values", "photons"), [(1, 1), (2, 2), (9, 16), (200, 256)])
def test_counted_photons_are_the_values_of_the_frame_up_to_a_power_of_two(
    num_values: int, photons: int
) -> None:
    values = np.linspace(90, 90 + num_values - 1, num_values).clip(0, 255).round()
    if num_values == 200:
        values = np.arange(28, 228)
    values = values.astype(np.float32) / 255
    frame = rng().choice(values, (250, 250, 3)).astype(np.float32)
    frame.ravel()[: len(values)] = values
    noise = counted_poisson_noise(frame, 0.5, gray=False, rng=rng(1))
    # 187,500 samples; the deviation of few photons has heavy tails.
    assert noise.var() == pytest.approx(0.25 * frame.mean() / photons, rel=0.03)
    assert abs(noise.mean()) < 0.005
    assert counted_poisson_noise(frame, 0.5, gray=True, rng=rng()).shape == (250, 250, 1)


def test_noise_is_independent_in_time() -> None:
    clip = np.full((2, 100, 100, 3), 0.5, np.float32)
    noisy = np.stack(Noise(NoiseConfig(probability=1.0))(list(clip), rng())) - clip
    correlation = np.corrcoef(noisy[0].ravel(), noisy[1].ravel())[0, 1]
    assert abs(correlation) < 0.05


def test_lower_jpeg_quality_loses_more() -> None:
    frame = quantize(texture(1)[0])
    errors = [
        np.abs(jpeg_frame(frame, quality).astype(int) - frame).mean() for quality in (95, 60, 20)
    ]
    assert errors == sorted(errors)
    assert errors[0] < 4


def test_jpeg_keeps_red_red() -> None:
    red = np.zeros((16, 16, 3), np.uint8)
    red[..., 0] = 200
    assert np.abs(jpeg_frame(red, 95).astype(int) - red).max() <= 3


def test_rescaled_frames_have_the_sampled_even_sizes() -> None:
    rescale = Rescale(RescaleConfig(scale_step=0.05))
    clip = texture(6, 64, 90)
    frames = rescale(clip, rng(2))
    sample = rescale.sample(6, rng(2))
    assert sample is not None
    sizes = [frame.shape[:2] for frame in frames]
    assert sizes == sample.sizes((64, 90))
    assert len(set(sizes)) > 1
    for (height, width), scale in zip(sizes, sample.scales, strict=True):
        assert height % 2 == width % 2 == 0
        assert 0 <= 64 * scale - height < 2
        assert 0 <= 90 * scale - width < 2


def test_rescaling_never_ends_below_two_pixels() -> None:
    frames = Rescale(RescaleConfig(scale_range=(0.15, 1.0)))(texture(2, 4, 4), rng())
    assert min(min(frame.shape[:2]) for frame in frames) >= 2


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
        lambda: VideoCodecConfig(codecs=("h264",)),
        lambda: NoiseConfig(photons="some"),  # type: ignore[arg-type]
        lambda: NoiseConfig(gaussian_sigma_step=-1.0),
        lambda: JpegConfig(quality_step=float("nan")),
        lambda: MixedBlurConfig(kind_probabilities=(0.5, 0.5)),
        lambda: MixedBlurConfig(kinds=("iso", "sinc"), kind_probabilities=(0.5, 0.6)),
        lambda: MixedBlurConfig(kinds=("round",), kind_probabilities=(1,)),  # type: ignore[arg-type]
        lambda: MixedBlurConfig(kernel_sizes=(8,)),
        lambda: MixedBlurConfig(cutoff_range=(1.0, 4.0)),
        lambda: MixedBlurConfig(angle_step=-0.1),
        lambda: RescaleConfig(direction_probabilities=(0.5, 0.5, 0.5)),
        lambda: RescaleConfig(scale_range=(1.2, 1.5)),
        lambda: RescaleConfig(modes=("lanczos",)),
        lambda: VideoBitRateConfig(codecs=("vp9",)),
        lambda: VideoBitRateConfig(bit_rate_range=(0.0, 10.0)),
        lambda: VideoBitRateConfig(frame_rate=0),
        lambda: VideoBitRateConfig(preset="quick"),
    ],
)
def test_impossible_configuration_is_refused(build: Callable[[], object]) -> None:
    with pytest.raises(ConfigError):
        build()
