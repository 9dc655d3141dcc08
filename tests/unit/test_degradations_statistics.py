"""Statistics of what second-order degradations draw, against the figures of the paper."""

from itertools import pairwise

import numpy as np
import pytest

from msvsr.degradations import (
    JpegConfig,
    MixedBlur,
    MixedBlurConfig,
    Noise,
    Rescale,
    SecondOrderConfig,
    SecondOrderDegrader,
    SecondOrderSample,
    VideoBitRate,
    VideoBitRateConfig,
)
from msvsr.degradations.compression import Jpeg
from msvsr.degradations.mixed_blur import KERNEL_KINDS, BlurSample
from msvsr.degradations.noise import NoiseSample
from msvsr.degradations.rescale import DIRECTIONS, RescaleSample
from msvsr.degradations.second_order_config import FirstRoundConfig

NUM_DRAWS = 4000
CONFIG = SecondOrderConfig()


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def check_share(count: int, total: int, probability: float) -> None:
    """Hold a frequency against its probability: four binomial standard deviations."""
    deviation = np.sqrt(probability * (1 - probability) / total)
    assert abs(count / total - probability) <= 4 * deviation


def check_uniform(values: list[float], low: float, high: float) -> None:
    """Hold values against a uniform distribution: range, mean and deviation."""
    array = np.array(values)
    width = high - low
    assert low <= array.min()
    assert array.max() <= high
    assert array.min() < low + 0.1 * width
    assert array.max() > high - 0.1 * width
    assert abs(array.mean() - (low + high) / 2) < 4 * width / np.sqrt(12 * len(array))
    assert array.std() == pytest.approx(width / np.sqrt(12), rel=0.1)


def blurs(blur: MixedBlur, num_draws: int = NUM_DRAWS) -> list[BlurSample]:
    generator = rng(1)
    drawn = [blur.sample(1, generator) for _ in range(num_draws)]
    return [sample for sample in drawn if sample is not None]


@pytest.mark.parametrize(
    ("config", "probability", "sigma_high"),
    [(CONFIG.first.blur, 1.0, 3.0), (CONFIG.second.blur, 0.8, 1.5)],
    ids=["first", "second"],
)
def test_kernels_are_drawn_as_often_and_as_wide_as_in_the_paper(
    config: MixedBlurConfig, probability: float, sigma_high: float
) -> None:
    samples = blurs(MixedBlur(config))
    check_share(len(samples), NUM_DRAWS, probability)
    shares = (0.405, 0.225, 0.108, 0.027, 0.108, 0.027, 0.1)
    for kind, share in zip(KERNEL_KINDS, shares, strict=True):
        check_share(sum(sample.kind == kind for sample in samples), len(samples), share)
    sizes = [sample.size for sample in samples]
    assert set(sizes) == set(range(7, 22, 2))
    for size in set(sizes):
        check_share(sizes.count(size), len(sizes), 1 / 8)
    for name, low, high in (
        ("sigma_x", 0.2, sigma_high),
        ("sigma_y", 0.2, sigma_high),
        ("angle", -np.pi, np.pi),
        ("generalized_beta", 0.5, 4.0),
        ("plateau_beta", 1.0, 2.0),
    ):
        check_uniform([float(getattr(sample, name)[0]) for sample in samples], low, high)
    small = [float(sample.cutoff[0]) for sample in samples if sample.size < 13]
    large = [float(sample.cutoff[0]) for sample in samples if sample.size >= 13]
    check_uniform(small, np.pi / 3, np.pi)
    check_uniform(large, np.pi / 5, np.pi)


def test_last_filter_is_a_sinc_in_eight_of_ten_clips() -> None:
    samples = blurs(MixedBlur(CONFIG.final.blur))
    check_share(len(samples), NUM_DRAWS, 0.8)
    assert {sample.kind for sample in samples} == {"sinc"}
    assert {sample.size for sample in samples} == set(range(7, 22, 2))
    check_uniform([float(sample.cutoff[0]) for sample in samples], np.pi / 3, np.pi)


@pytest.mark.parametrize(
    ("rescale", "shares", "low", "high"),
    [
        (Rescale(CONFIG.first.resize), (0.2, 0.7, 0.1), 0.15, 1.5),
        (Rescale(CONFIG.second.resize), (0.3, 0.4, 0.3), 0.3, 1.2),
    ],
    ids=["first", "second"],
)
def test_sizes_go_up_down_and_stay_as_often_as_in_the_paper(
    rescale: Rescale, shares: tuple[float, ...], low: float, high: float
) -> None:
    generator = rng(2)
    samples = [rescale.sample(1, generator) for _ in range(NUM_DRAWS)]
    by_direction: dict[str, list[RescaleSample]] = {direction: [] for direction in DIRECTIONS}
    for sample in samples:
        assert sample is not None
        by_direction[sample.direction].append(sample)
    for direction, share in zip(("up", "down", "keep"), shares, strict=True):
        check_share(len(by_direction[direction]), NUM_DRAWS, share)
    check_uniform([float(sample.scales[0]) for sample in by_direction["up"]], 1, high)
    check_uniform([float(sample.scales[0]) for sample in by_direction["down"]], low, 1)
    assert {float(sample.scales[0]) for sample in by_direction["keep"]} == {1.0}
    modes = [sample.mode for sample in samples if sample is not None]
    assert set(modes) == {"bilinear", "area", "bicubic"}
    for mode in set(modes):
        check_share(modes.count(mode), NUM_DRAWS, 1 / 3)


@pytest.mark.parametrize(
    ("noise", "sigma_high", "scale_high"),
    [(Noise(CONFIG.first.noise), 30, 3.0), (Noise(CONFIG.second.noise), 25, 2.5)],
    ids=["first", "second"],
)
def test_noise_is_of_the_kinds_and_strengths_of_the_paper(
    noise: Noise, sigma_high: float, scale_high: float
) -> None:
    generator = rng(3)
    drawn = [noise.sample(1, generator) for _ in range(NUM_DRAWS)]
    samples: list[NoiseSample] = [sample for sample in drawn if sample is not None]
    assert len(samples) == NUM_DRAWS
    check_share(sum(sample.is_gray for sample in samples), NUM_DRAWS, 0.4)
    gaussian = [float(sample.strengths[0]) for sample in samples if sample.kind == "gaussian"]
    poisson = [float(sample.strengths[0]) for sample in samples if sample.kind == "poisson"]
    check_share(len(gaussian), NUM_DRAWS, 0.5)
    check_uniform(gaussian, 1, sigma_high)
    check_uniform(poisson, 0.05, scale_high)
    assert noise.config.photons == "counted"


@pytest.mark.parametrize("config", [CONFIG.first.jpeg, CONFIG.second.jpeg], ids=["first", "second"])
def test_jpeg_qualities_are_those_of_the_paper(config: JpegConfig) -> None:
    generator = rng(4)
    samples = [Jpeg(config).sample(1, generator) for _ in range(NUM_DRAWS)]
    check_uniform([sample.qualities[0] for sample in samples if sample is not None], 30, 95)
    assert None not in samples


@pytest.mark.parametrize("config", [CONFIG.first.video, CONFIG.final.video], ids=["first", "final"])
def test_video_codecs_and_bit_rates_are_those_of_the_paper(config: VideoBitRateConfig) -> None:
    generator = rng(5)
    drawn = [VideoBitRate(config).sample(1, generator) for _ in range(NUM_DRAWS)]
    samples = [sample for sample in drawn if sample is not None]
    assert len(samples) == NUM_DRAWS
    codecs = [sample.codec for sample in samples]
    for codec in ("libx264", "h264", "mpeg4"):
        check_share(codecs.count(codec), NUM_DRAWS, 1 / 3)
    check_uniform([sample.bit_rate for sample in samples], 1e4, 1e5)


def test_last_video_compression_comes_before_the_resize_in_half_of_the_clips() -> None:
    degrader = SecondOrderDegrader(CONFIG)
    generator = rng(6)
    samples = [degrader.sample(1, generator) for _ in range(600)]
    check_share(sum(sample.is_video_first for sample in samples), 600, 0.5)
    modes = [sample.final_mode for sample in samples]
    for mode in ("bilinear", "area", "bicubic"):
        check_share(modes.count(mode), 600, 1 / 3)
    check_share(sum(sample.second.blur is not None for sample in samples), 600, 0.8)
    check_share(sum(sample.final_blur is not None for sample in samples), 600, 0.8)


def walks(sample: SecondOrderSample) -> dict[str, tuple[np.ndarray, float, float, float]]:
    """Every walk of a clip, its step and its range, as the paper has them."""
    first, second = sample.first, sample.second
    found: dict[str, tuple[np.ndarray, float, float, float]] = {}
    for name, blur, high in (
        ("first", first.blur, 3.0),
        ("second", second.blur, 1.5),
        ("final", sample.final_blur, 3.0),
    ):
        if blur is not None:
            low_cutoff = np.pi / (3 if blur.size < 13 or name == "final" else 5)
            found |= {
                f"{name} sigma_x": (blur.sigma_x, 0.02, 0.2, high),
                f"{name} sigma_y": (blur.sigma_y, 0.02, 0.2, high),
                f"{name} angle": (blur.angle, 0.31416, -np.pi, np.pi),
                f"{name} generalized beta": (blur.generalized_beta, 0.05, 0.5, 4.0),
                f"{name} plateau beta": (blur.plateau_beta, 0.1, 1.0, 2.0),
                f"{name} cutoff": (blur.cutoff, 0.0628, low_cutoff, np.pi),
            }
    for name, resize, step, low, high in (
        ("first", first.resize, 0.015, 0.15, 1.5),
        ("second", second.resize, 0.03, 0.3, 1.2),
    ):
        if resize is not None:
            found[f"{name} scale"] = (resize.scales, step, low, high)
    for name, noise, ends in (
        ("first", first.noise, {"gaussian": (0.1, 1, 30), "poisson": (0.005, 0.05, 3.0)}),
        ("second", second.noise, {"gaussian": (0.1, 1, 25), "poisson": (0.005, 0.05, 2.5)}),
    ):
        if noise is not None:
            found[f"{name} {noise.kind}"] = (noise.strengths, *ends[noise.kind])
    return found


def test_parameters_walk_with_the_steps_of_the_paper_and_stay_in_their_ranges() -> None:
    degrader = SecondOrderDegrader(CONFIG)
    ratios: dict[str, list[float]] = {}
    for seed in range(120):
        for name, (values, step, low, high) in walks(degrader.sample(15, rng(seed))).items():
            assert values.min() >= low
            assert values.max() <= high
            changes = np.diff(values)
            assert np.abs(changes).max() <= step * (1 + 1e-9)
            # Where a walk touches an end of its range, the step is cut off.
            is_inside = np.minimum(values[:-1] - low, high - values[:-1]) >= step
            ratios.setdefault(name, []).extend(changes[is_inside] / step)
    assert len(ratios) == 3 * 6 + 2 + 2 * 2
    for steps in ratios.values():
        check_uniform(steps, -1, 1)


def test_jpeg_quality_walks_by_three_at_most() -> None:
    sample = Jpeg(CONFIG.first.jpeg).sample(2000, rng())
    assert sample is not None
    steps = {after - before for before, after in pairwise(sample.qualities)}
    assert steps == set(range(-3, 4))
    assert min(sample.qualities) >= 30
    assert max(sample.qualities) <= 95


def test_parameters_keep_their_first_values_when_they_do_not_walk() -> None:
    still = SecondOrderDegrader(SecondOrderConfig(stochastic=False))
    walking = SecondOrderDegrader(SecondOrderConfig(stochastic=True))
    for seed in range(10):
        constant, moving = still.sample(6, rng(seed)), walking.sample(6, rng(seed))
        for name, (values, *_) in walks(moving).items():
            np.testing.assert_array_equal(walks(constant)[name][0], np.full(6, values[0]))
        assert constant.first.jpeg is not None
        assert moving.first.jpeg is not None
        assert constant.first.jpeg.qualities == (moving.first.jpeg.qualities[0],) * 6
        assert constant.final_video == moving.final_video


def test_leaving_an_operator_out_changes_nothing_else() -> None:
    first = FirstRoundConfig(blur=MixedBlurConfig(probability=0))
    without_blur = SecondOrderConfig(first=first)
    for seed in range(5):
        left = SecondOrderDegrader(without_blur).sample(4, rng(seed))
        full = SecondOrderDegrader(CONFIG).sample(4, rng(seed))
        assert left.first.blur is None
        kept = {name: values for name, (values, *_) in walks(left).items()}
        for name, (values, *_) in walks(full).items():
            if name in kept:
                np.testing.assert_array_equal(values, kept[name])
        assert left.first_video == full.first_video
