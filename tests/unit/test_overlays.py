"""Lettering on top of a clip: still, as opaque as asked for, and repeatable."""

import numpy as np
import pytest

from msvsr.data.overlays import OverlayConfig, draw_overlay
from msvsr.errors import ConfigError

ALWAYS = OverlayConfig(probability=1)


def plain_clip(*levels: int, size: int = 96) -> np.ndarray:
    """One frame of each grey level, read-only as clips in the cache are."""
    clip = np.stack([np.full((size, size, 3), level, np.uint8) for level in levels])
    clip.flags.writeable = False
    return clip


def opacity(on_black: np.ndarray, on_white: np.ndarray) -> np.ndarray:
    """What lies on top of a black and of a white frame hides this much of them, 0 to 1."""
    return 1 - (on_white.astype(np.float64) - on_black) / 255


def test_clip_without_overlay_is_handed_on_untouched() -> None:
    clip = plain_clip(10, 20)
    for seed in range(20):
        rng = np.random.default_rng(seed)
        assert draw_overlay(clip, OverlayConfig(probability=0), rng) is clip


@pytest.mark.parametrize("seed", range(5))
def test_lettering_is_the_same_in_every_frame(seed: int) -> None:
    clip = plain_clip(0, 255, 0, 100)
    black, white, again, grey = draw_overlay(clip, ALWAYS, np.random.default_rng(seed))
    assert not np.array_equal(black, clip[0]) or not np.array_equal(white, clip[1])
    np.testing.assert_array_equal(black, again)
    # Each of the three frames was rounded.
    assert np.abs(grey - (black + (1 - opacity(black, white)) * 100)).max() < 1.5


def test_opacity_keeps_to_its_least_value_and_varies_above_it() -> None:
    config = OverlayConfig(probability=1, min_opacity=0.6)
    highest = []
    for seed in range(30):
        black, white = draw_overlay(plain_clip(0, 255), config, np.random.default_rng(seed))
        highest.append(opacity(black, white).max())
    # A level of 1/255 is lost to rounding at most.
    assert 0.6 - 1 / 255 <= min(highest) < 0.7
    assert 0.9 < max(highest) <= 1


def test_opaque_lettering_hides_what_is_below_it() -> None:
    config = OverlayConfig(probability=1, min_opacity=1)
    black, white = draw_overlay(plain_clip(0, 255), config, np.random.default_rng(0))
    covered = (opacity(black, white) == 1).all(axis=-1)
    assert 0.01 < covered.mean() < 0.9
    np.testing.assert_array_equal(black[covered], white[covered])


def test_overlay_comes_as_often_as_asked_for_and_repeats_with_its_source() -> None:
    config = OverlayConfig(probability=0.3)
    clip = plain_clip(0, 255, size=32)
    results = [draw_overlay(clip, config, np.random.default_rng(seed)) for seed in range(400)]
    assert 0.2 < np.mean([result is not clip for result in results]) < 0.4
    drawn = next(seed for seed, result in enumerate(results) if result is not clip)
    again = draw_overlay(clip, config, np.random.default_rng(drawn))
    np.testing.assert_array_equal(again, results[drawn])
    assert len({result.tobytes() for result in results}) > 50


def test_more_lines_cover_more() -> None:
    def coverage(max_lines: int) -> float:
        config = OverlayConfig(probability=1, max_lines=max_lines)
        shares = []
        for seed in range(20):
            black, white = draw_overlay(plain_clip(0, 255), config, np.random.default_rng(seed))
            shares.append((opacity(black, white) > 0.1).mean())
        return float(np.mean(shares))

    assert coverage(8) > 1.5 * coverage(1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"probability": 1.5},
        {"probability": -0.1},
        {"min_opacity": 0.0},
        {"min_opacity": 1.1},
        {"max_lines": 0},
    ],
)
def test_impossible_overlay_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=r"overlay needs .*got"):
        OverlayConfig(**wrong)
