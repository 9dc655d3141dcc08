"""Which part of a clip becomes one training sample."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from msvsr.errors import ConfigError

__all__ = [
    "AugmentationConfig",
    "CropConfig",
    "augment",
    "detail",
    "draw_window",
    "mirror_in_time",
]

ByteClip = npt.NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class CropConfig:
    """The window that is cut out of a clip.

    Attributes:
        num_frames: Consecutive frames.
        size: Side of the square window in pixels of the ground truth.
        max_stride: Largest step between frames taken from the clip.
        drift_probability: How often the window moves over the scene, as a panning camera does.
        max_drift: Largest movement in pixels of the ground truth per frame and axis; small
            movements are drawn more often (the square of a uniform number).
        min_detail: A window below this mean absolute gradient (grey levels) counts as flat.
        max_flat_tries: How often a flat window is drawn again.
    """

    num_frames: int = 6
    size: int = 192
    max_stride: int = 2
    drift_probability: float = 0.4
    max_drift: float = 24.0
    min_detail: float = 4.0
    max_flat_tries: int = 2

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: A value is out of range.
        """
        if self.num_frames < 1 or self.size < 1 or self.max_stride < 1:
            raise ConfigError("crop.num_frames, crop.size and crop.max_stride must be at least 1")


@dataclass(frozen=True, kw_only=True)
class AugmentationConfig:
    """Changes that leave a clip believable.

    Attributes:
        flip: Flip left-right and top-bottom, half of the time each.
        transpose: Swap the two axes half of the time.
        reverse: Play backwards half of the time.
        darken_probability: How often the clip is multiplied by a factor below 1.
        min_gain: Smallest such factor.
        permute_probability: How often red, green and blue change places at random, so that no
            hue is rare.
        saturate_probability: How often colours are made stronger.
        max_saturation: Largest factor on the distance of a colour from grey.
    """

    flip: bool = True
    transpose: bool = True
    reverse: bool = True
    darken_probability: float = 0.25
    min_gain: float = 0.3
    permute_probability: float = 0.0
    saturate_probability: float = 0.0
    max_saturation: float = 2.5


def draw_window(clip: ByteClip, config: CropConfig, rng: np.random.Generator) -> ByteClip:
    """Cut a window out of a clip, avoiding flat ones.

    Args:
        clip: ``(t, h, w, 3)``, RGB uint8.
        config: Size and movement.
        rng: Source of randomness.

    Returns:
        ``(num_frames, size, size, 3)``, RGB uint8, a copy.

    Raises:
        ConfigError: The clip is shorter or smaller than the window.
    """
    if len(clip) < config.num_frames or min(clip.shape[1:3]) < config.size:
        raise ConfigError(
            f"a window of {config.num_frames} frames and {config.size} pixels does not fit into "
            f"a clip of {len(clip)} frames, {clip.shape[1]}x{clip.shape[2]}"
        )
    window = _cut(clip, config, rng)
    for _ in range(config.max_flat_tries):
        if detail(window[len(window) // 2]) >= config.min_detail:
            break
        window = _cut(clip, config, rng)
    return window


def _cut(clip: ByteClip, config: CropConfig, rng: np.random.Generator) -> ByteClip:
    num_frames, height, width, _ = clip.shape
    longest = max(config.num_frames - 1, 1)
    stride = int(rng.integers(1, min(config.max_stride, max((num_frames - 1) // longest, 1)) + 1))
    span = (config.num_frames - 1) * stride + 1
    start = int(rng.integers(0, num_frames - span + 1))
    tops, lefts = _window_path(height, width, config, rng)
    frames = clip[start : start + span : stride]
    return np.stack(
        [
            frame[top : top + config.size, left : left + config.size]
            for frame, top, left in zip(frames, tops, lefts, strict=True)
        ]
    )


def _window_path(
    height: int, width: int, config: CropConfig, rng: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Top and left of the window in each frame, ``(2, num_frames)``."""
    room = np.array([[height - config.size], [width - config.size]])
    middle = rng.integers(0, room + 1)
    if rng.random() >= config.drift_probability:
        return np.repeat(middle, config.num_frames, axis=1)
    draws = rng.uniform(-1, 1, (2, 1))
    velocity = config.max_drift * np.sign(draws) * draws**2
    times = np.arange(config.num_frames) - (config.num_frames - 1) / 2
    return np.clip(np.rint(middle + velocity * times), 0, room).astype(np.int64)


def detail(frame: npt.NDArray[np.uint8]) -> float:
    """Mean absolute difference between neighbouring pixels of the green channel, in grey levels.

    Example:
        >>> detail(np.zeros((4, 4, 3), dtype=np.uint8))
        0.0
    """
    green = frame[..., 1].astype(np.int16)
    return float(np.abs(np.diff(green, axis=0)).mean() + np.abs(np.diff(green, axis=1)).mean())


def augment(clip: ByteClip, config: AugmentationConfig, rng: np.random.Generator) -> ByteClip:
    """Flip, turn, reverse, darken and recolour a clip ``(t, s, s, 3)``, RGB uint8, at random."""
    choices = rng.random(4) < 0.5
    if config.reverse and choices[0]:
        clip = clip[::-1]
    if config.flip and choices[1]:
        clip = clip[:, :, ::-1]
    if config.flip and choices[2]:
        clip = clip[:, ::-1]
    if config.transpose and choices[3]:
        clip = clip.transpose(0, 2, 1, 3)
    if rng.random() < config.darken_probability:
        gain = rng.uniform(config.min_gain, 1)
        table = np.rint(np.arange(256) * gain).astype(np.uint8)
        clip = table[clip]
    return np.ascontiguousarray(_recolour(clip, config, rng))


def _recolour(clip: ByteClip, config: AugmentationConfig, rng: np.random.Generator) -> ByteClip:
    # Nothing is drawn for what is switched off: samples of older configurations stay as they were.
    if config.permute_probability and rng.random() < config.permute_probability:
        clip = clip[..., rng.permutation(3)]
    if config.saturate_probability and rng.random() < config.saturate_probability:
        factor = rng.uniform(1, config.max_saturation)
        gray = clip.mean(axis=-1, keepdims=True, dtype=np.float32)
        clip = np.clip(gray + factor * (clip - gray), 0, 255).astype(np.uint8)
    return clip


def mirror_in_time(clip: ByteClip) -> ByteClip:
    """Append a clip backwards to itself: frames ``1 .. n`` become ``1 .. n, n .. 1``.

    Example:
        >>> mirror_in_time(np.arange(3)).tolist()
        [0, 1, 2, 2, 1, 0]
    """
    return np.concatenate([clip, clip[::-1]])
