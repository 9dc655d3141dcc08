"""What second-order degradations do with what they draw."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from msvsr.degradations import (
    JpegConfig,
    SecondOrderConfig,
    SecondOrderDegrader,
    VideoBitRateConfig,
)
from msvsr.degradations.blur import filter_frames
from msvsr.degradations.compression import jpeg_frame, quantize
from msvsr.degradations.encoding import BitRate, encode_and_decode
from msvsr.degradations.resize import resize_frames
from msvsr.degradations.second_order_config import (
    FinalBlurConfig,
    FinalConfig,
    FirstNoiseConfig,
    FirstRoundConfig,
    SecondBlurConfig,
    SecondNoiseConfig,
    SecondRescaleConfig,
    SecondRoundConfig,
)
from msvsr.degradations.types import ByteClip
from msvsr.errors import ConfigError, ShapeError
from msvsr.models.config_json import dataclass_from_mapping

CONFIG = SecondOrderConfig()
# Everything left out: the ground truth is only resized.
NOTHING = SecondOrderConfig(
    first=FirstRoundConfig(
        blur=replace(CONFIG.first.blur, probability=0),
        resize=replace(CONFIG.first.resize, probability=0),
        noise=FirstNoiseConfig(probability=0),
        jpeg=JpegConfig(probability=0),
        video=VideoBitRateConfig(probability=0),
    ),
    second=SecondRoundConfig(
        blur=SecondBlurConfig(probability=0),
        resize=SecondRescaleConfig(probability=0),
        noise=SecondNoiseConfig(probability=0),
        jpeg=JpegConfig(probability=0),
    ),
    final=FinalConfig(blur=FinalBlurConfig(probability=0), video=VideoBitRateConfig(probability=0)),
)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def clip(num_frames: int = 3, height: int = 48, width: int = 64) -> ByteClip:
    """Moving shapes with some grain, RGB uint8."""
    y, x = np.mgrid[:height, :width]
    frame = np.stack([(x * 4) % 256, (y * 4) % 256, (x + y) * 2 % 256], -1) // 2 + 60
    return np.stack([np.roll(frame, 2 * t, axis=1) for t in range(num_frames)]).astype(np.uint8)


def test_degraded_clip_is_a_quarter_of_the_size_in_8_bits_and_repeats_with_its_seed() -> None:
    degrade = SecondOrderDegrader(CONFIG)
    truth = clip()
    before = truth.copy()
    first, again, other = (degrade(truth, rng(seed)) for seed in (5, 5, 6))
    assert first.shape == (3, 12, 16, 3)
    assert first.dtype == np.uint8
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    np.testing.assert_array_equal(truth, before)


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_every_draw_ends_at_the_target_size(scale: int) -> None:
    degrade = SecondOrderDegrader(SecondOrderConfig(scale=scale))
    for seed in range(12):
        lq = degrade(clip(3, 36, 44), rng(seed))
        assert lq.shape == (3, 36 // scale, 44 // scale, 3)


def test_degraded_clip_still_shows_the_scene_at_its_brightness() -> None:
    level = np.linspace(60, 200, 64)[None, :, None].repeat(64, axis=0)
    scene = level[None].repeat(3, axis=0).repeat(3, axis=-1).round().astype(np.uint8)
    small = scene.reshape(3, 16, 4, 16, 4, 3).mean(axis=(2, 4))
    degrade = SecondOrderDegrader(CONFIG)
    errors = [degrade(scene, rng(seed)).astype(float) - small for seed in range(20)]
    assert abs(np.mean(errors)) < 2
    assert np.median([np.abs(error).mean() for error in errors]) < 20


def test_clip_is_only_resized_when_every_operator_is_left_out() -> None:
    for seed in range(3):
        sample = SecondOrderDegrader(NOTHING).sample(3, rng(seed))
        expected = resize_frames(list(clip().astype(np.float32) / 255), (12, 16), sample.final_mode)
        lq = SecondOrderDegrader(NOTHING)(clip(), rng(seed))
        np.testing.assert_array_equal(lq, quantize(np.stack(expected)))


def test_clip_gets_what_was_sampled_in_the_order_of_the_paper() -> None:
    config = replace(
        NOTHING,
        first=replace(NOTHING.first, blur=CONFIG.first.blur, jpeg=JpegConfig()),
        second=replace(NOTHING.second, blur=SecondBlurConfig(probability=1)),
        final=replace(NOTHING.final, blur=FinalBlurConfig(probability=1)),
    )
    for seed in range(4):
        degrader = SecondOrderDegrader(config)
        sample = degrader.sample(3, rng(seed))
        assert sample.first.blur is not None
        assert sample.first.jpeg is not None
        assert sample.second.blur is not None
        assert sample.final_blur is not None
        frames = filter_frames(list(clip().astype(np.float32) / 255), sample.first.blur.kernels())
        frames = [
            jpeg_frame(quantize(frame), quality).astype(np.float32) / np.float32(255)
            for frame, quality in zip(frames, sample.first.jpeg.qualities, strict=True)
        ]
        frames = filter_frames(frames, sample.second.blur.kernels())
        frames = resize_frames(frames, (12, 16), sample.final_mode)
        frames = filter_frames(frames, sample.final_blur.kernels())
        np.testing.assert_array_equal(degrader(clip(), rng(seed)), quantize(np.stack(frames)))


@pytest.mark.parametrize("is_video_first", [True, False])
def test_last_video_compression_stands_on_its_side_of_the_last_resize(is_video_first: bool) -> None:
    final = replace(
        NOTHING.final,
        video=VideoBitRateConfig(codecs=("mpeg4",)),
        video_first_probability=float(is_video_first),
    )
    degrader = SecondOrderDegrader(replace(NOTHING, final=final))
    sample = degrader.sample(3, rng(1))
    assert sample.final_video is not None
    control = BitRate(bits_per_second=sample.final_video.bit_rate)

    def compress(frames: ByteClip) -> ByteClip:
        return encode_and_decode(frames, "mpeg4", control)

    def resize(frames: ByteClip) -> ByteClip:
        floats = list(frames.astype(np.float32) / np.float32(255))
        return quantize(np.stack(resize_frames(floats, (12, 16), sample.final_mode)))

    expected = resize(compress(clip())) if is_video_first else compress(resize(clip()))
    np.testing.assert_array_equal(degrader(clip(), rng(1)), expected)


def test_file_that_changes_one_value_of_the_second_round_keeps_the_others() -> None:
    config = dataclass_from_mapping(
        SecondOrderConfig,
        {
            "stochastic": False,
            "second": {"blur": {"kernel_sizes": [7]}, "noise": {"gray_probability": 1}},
            "final": {"video": {"bit_rate_range": [20000, 1e5]}, "blur": {"cutoff_range": [1, 2]}},
            "first": {"blur": {"kinds": ["iso", "sinc"], "kind_probabilities": [0.5, 0.5]}},
        },
    )
    assert config.second.blur == SecondBlurConfig(kernel_sizes=(7,))
    assert config.second.blur.sigma_range == (0.2, 1.5)
    assert config.second.noise.gaussian_sigma_range == (1.0, 25.0)
    assert config.second.resize == CONFIG.second.resize
    assert config.final.blur.kinds == ("sinc",)
    assert config.final.blur.cutoff_range == (1.0, 2.0)
    assert config.first.blur.kinds == ("iso", "sinc")
    assert not config.stochastic


@pytest.mark.parametrize(
    "build",
    [
        lambda: SecondOrderConfig(scale=0),
        lambda: FinalConfig(video_first_probability=1.1),
        lambda: FinalConfig(modes=("nearest",)),
        lambda: dataclass_from_mapping(SecondOrderConfig, {"third": {}}),
        lambda: dataclass_from_mapping(SecondOrderConfig, {"first": {"blur": {"kinds": ["disc"]}}}),
    ],
)
def test_impossible_configuration_is_refused(build: Callable[[], object]) -> None:
    with pytest.raises(ConfigError):
        build()


def test_sides_that_the_scale_does_not_divide_are_refused() -> None:
    with pytest.raises(ShapeError, match="divisible by 4"):
        SecondOrderDegrader(CONFIG)(clip(3, 46, 64), rng())
