"""The whole chain of degradations."""

import numpy as np
import pytest

from msvsr.degradations import DegradationConfig, Degrader
from msvsr.errors import ConfigError, ShapeError


def clip(num_frames: int = 3, side: int = 64) -> np.ndarray:
    y, x = np.mgrid[:side, :side]
    frame = np.stack([(x * 4) % 256, (y * 4) % 256, (x + y) * 2 % 256], -1)
    return np.stack([np.roll(frame, t, axis=1) for t in range(num_frames)]).astype(np.uint8)


def test_degraded_clip_is_a_quarter_of_the_size_in_8_bits() -> None:
    lq = Degrader(DegradationConfig())(clip(), np.random.default_rng(0))
    assert lq.shape == (3, 16, 16, 3)
    assert lq.dtype == np.uint8


def test_same_seed_gives_the_same_clip_and_another_seed_another() -> None:
    degrade = Degrader(DegradationConfig())
    first, again, other = (degrade(clip(), np.random.default_rng(seed)) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_both_kinds_of_compression_are_drawn() -> None:
    video = Degrader(DegradationConfig(codec_probability=1.0))
    image = Degrader(DegradationConfig(codec_probability=0.0))
    # Everything before the last compression draws the same numbers.
    pairs = [
        (video(clip(), np.random.default_rng(seed)), image(clip(), np.random.default_rng(seed)))
        for seed in range(4)
    ]
    assert any(not np.array_equal(*pair) for pair in pairs)


def test_degraded_clip_still_shows_the_scene() -> None:
    truth = np.repeat(np.linspace(0, 255, 64, dtype=np.uint8)[None, :, None], 64, axis=0)
    scene = np.repeat(truth[None], 3, axis=0).repeat(3, axis=-1)
    small = scene.reshape(3, 16, 4, 16, 4, 3).mean(axis=(2, 4))
    for seed in range(10):
        lq = Degrader(DegradationConfig())(scene, np.random.default_rng(seed))
        assert np.abs(lq - small).mean() < 25


def test_sides_that_the_scale_does_not_divide_are_refused() -> None:
    with pytest.raises(ShapeError, match="divisible by 4"):
        Degrader(DegradationConfig())(clip(side=62), np.random.default_rng(0))


def test_impossible_scale_is_refused() -> None:
    with pytest.raises(ConfigError, match="scale"):
        DegradationConfig(scale=0)
