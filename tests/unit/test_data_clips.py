"""Clips on disk, the cache of decoded frames, windows and pairs."""

import pickle
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from msvsr.data import (
    AugmentationConfig,
    ClipDataset,
    ClipDatasetConfig,
    ClipSource,
    CropConfig,
    load_clip,
)
from msvsr.data.dataset import ClipPair
from msvsr.data.overlays import OverlayConfig
from msvsr.data.sampling import augment, detail, draw_window
from msvsr.data.windows import WindowDataset, WindowDatasetConfig, WindowSampler, clip_to_tensor
from msvsr.degradations import SecondOrderConfig, SecondOrderDegrader
from msvsr.errors import ConfigError, InputError, VideoError


def scene(num_frames: int = 8, height: int = 96, width: int = 128) -> np.ndarray:
    """A coloured pattern that moves by two pixels per frame, RGB uint8."""
    y, x = np.mgrid[:height, :width]
    frame = np.stack([128 + 100 * np.sin(x / 5), 128 + 100 * np.cos(y / 7), x + y], -1)
    frame = frame.clip(0, 255).astype(np.uint8)
    return np.stack([np.roll(frame, 2 * t, axis=1) for t in range(num_frames)])


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A data folder with one clip, a folder of images."""
    folder = tmp_path / "data" / "clip"
    folder.mkdir(parents=True)
    for index, frame in enumerate(scene()):
        cv2.imwrite(str(folder / f"{index:03d}.png"), frame[..., ::-1])
    return folder.parent


def small_config() -> ClipDatasetConfig:
    return ClipDatasetConfig(
        clips=(ClipSource(name="clip", shrink=1),), crop=CropConfig(num_frames=3, size=32)
    )


def test_folder_of_images_is_read_in_order_as_rgb(data_dir: Path, tmp_path: Path) -> None:
    clip = load_clip(data_dir, ClipSource(name="clip", shrink=1), tmp_path / "cache")
    np.testing.assert_array_equal(clip, scene())


def test_clip_is_shrunk_by_averaging(data_dir: Path, tmp_path: Path) -> None:
    clip = load_clip(data_dir, ClipSource(name="clip", shrink=2, max_frames=3), tmp_path / "cache")
    expected = scene(3).reshape(3, 48, 2, 64, 2, 3).mean(axis=(2, 4))
    # OpenCV rounds the mean of four numbers.
    assert np.abs(clip - expected).max() <= 0.5


def test_decoded_clip_is_cached_and_read_only(data_dir: Path, tmp_path: Path) -> None:
    source = ClipSource(name="clip", shrink=1)
    cache = tmp_path / "cache"
    load_clip(data_dir, source, cache)
    (cached,) = cache.iterdir()
    written = cached.stat().st_mtime_ns
    clip = load_clip(data_dir, source, cache)
    assert cached.stat().st_mtime_ns == written
    assert [each.name for each in cache.iterdir()] == [cached.name]
    assert not clip.flags.writeable


def test_missing_and_empty_clips_are_named(data_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.mp4"):
        load_clip(data_dir, ClipSource(name="nowhere.mp4"), tmp_path / "cache")
    (data_dir / "empty").mkdir()
    with pytest.raises(VideoError, match="empty"):
        load_clip(data_dir, ClipSource(name="empty"), tmp_path / "cache")
    (data_dir / "broken").mkdir()
    (data_dir / "broken" / "0.png").write_bytes(b"no image")
    with pytest.raises(VideoError, match=r"0\.png"):
        load_clip(data_dir, ClipSource(name="broken"), tmp_path / "cache")


def test_still_window_is_a_part_of_the_clip() -> None:
    clip = scene()
    config = CropConfig(num_frames=3, size=32, max_stride=1, drift_probability=0)
    window = draw_window(clip, config, np.random.default_rng(0))
    views = np.lib.stride_tricks.sliding_window_view(clip, (3, 32, 32, 3))[:, :, :, 0]
    assert (views == window).all(axis=(-1, -2, -3, -4)).any()


def test_drifting_window_moves_a_still_scene() -> None:
    clip = np.repeat(scene(1), 8, axis=0)
    config = CropConfig(num_frames=4, size=32, drift_probability=1, max_drift=8)
    moved = 0
    for seed in range(10):
        window = draw_window(clip, config, np.random.default_rng(seed))
        moved += not np.array_equal(window[0], window[3])
    assert moved >= 8


def test_flat_windows_are_avoided() -> None:
    clip = np.zeros((4, 96, 256, 3), np.uint8)
    clip[:, :, 128:] = np.random.default_rng(0).integers(0, 256, (96, 128, 3))

    def flat_share(tries: int) -> float:
        config = CropConfig(num_frames=2, size=32, max_flat_tries=tries, drift_probability=0)
        windows = [draw_window(clip, config, np.random.default_rng(seed)) for seed in range(100)]
        return float(np.mean([detail(window[0]) == 0 for window in windows]))

    assert flat_share(3) < 0.5 * flat_share(0)


def test_window_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ConfigError, match="does not fit"):
        draw_window(scene(2), CropConfig(num_frames=3, size=32), np.random.default_rng(0))


def test_augmentation_only_reorders_pixels_unless_it_darkens() -> None:
    clip = scene(3, 32, 32)
    bright = AugmentationConfig(darken_probability=0)
    results = [augment(clip, bright, np.random.default_rng(seed)) for seed in range(64)]
    assert len({result.tobytes() for result in results}) == 16
    for result in results:
        np.testing.assert_array_equal(np.sort(result.ravel()), np.sort(clip.ravel()))
    dark = AugmentationConfig(darken_probability=1)
    assert augment(clip, dark, np.random.default_rng(0)).mean() < clip.mean()


def test_recolouring_permutes_channels_and_strengthens_colours() -> None:
    clip = scene(2, 32, 32)
    still = AugmentationConfig(flip=False, transpose=False, reverse=False, darken_probability=0)
    permuted = replace(still, permute_probability=1)
    results = [augment(clip, permuted, np.random.default_rng(seed)) for seed in range(40)]
    assert len({result.tobytes() for result in results}) == 6
    saturating = replace(still, saturate_probability=1)
    saturated = augment(clip, saturating, np.random.default_rng(0))
    assert np.ptp(saturated, axis=-1).mean() > np.ptp(clip, axis=-1).mean()


def test_sample_depends_on_seed_and_index_alone(data_dir: Path, tmp_path: Path) -> None:
    def dataset(seed: int) -> ClipDataset:
        return ClipDataset(small_config(), data_dir, tmp_path / "cache", seed)

    first = dataset(0)[7]
    assert first.lq.shape == (3, 3, 8, 8)
    assert first.gt.shape == (3, 3, 32, 32)
    assert (first.lq == dataset(0)[7].lq).all()
    assert not (first.gt == dataset(0)[8].gt).all()
    assert not (first.gt == dataset(1)[7].gt).all()


def test_dataset_travels_to_a_worker_without_its_frames(data_dir: Path, tmp_path: Path) -> None:
    dataset = ClipDataset(small_config(), data_dir, tmp_path / "cache", 0)
    content = pickle.dumps(dataset)
    assert len(content) < 10_000
    copy = pickle.loads(content)  # noqa: S301 - made one line above
    assert (copy[3].lq == dataset[3].lq).all()


def test_pair_is_aligned(data_dir: Path, tmp_path: Path) -> None:
    dataset = ClipDataset(small_config(), data_dir, tmp_path / "cache", 0)
    for index in range(8):
        pair = dataset[index]
        small = pair.gt.float().unflatten(-1, (8, 4)).unflatten(-3, (8, 4)).mean(dim=(-1, -3))
        flipped = small.flip(-1)
        lq = pair.lq.float()
        assert (lq - small).abs().mean() < (lq - flipped).abs().mean()


def test_second_chain_makes_its_share_of_the_samples(data_dir: Path, tmp_path: Path) -> None:
    def samples(config: ClipDatasetConfig) -> list[ClipPair]:
        dataset = ClipDataset(config, data_dir, tmp_path / "cache", 0)
        return [dataset[index] for index in range(24)]

    alone = samples(small_config())
    chain = SecondOrderConfig()
    never, half, always = (
        samples(replace(small_config(), second_order=chain, second_order_probability=share))
        for share in (0.0, 0.5, 1.0)
    )
    assert all((a.gt == b.gt).all() for a, b in zip(alone, always, strict=True))
    config, degrade = small_config(), SecondOrderDegrader(chain)
    sampler = WindowSampler(
        config.clips, config.crop, config.augmentation, data_dir, tmp_path / "cache"
    )
    for index, pair in enumerate(always):
        rng = np.random.default_rng((0, index))
        gt = sampler.draw(rng)
        rng.random()  # which chain
        assert (pair.lq == clip_to_tensor(degrade(gt, rng))).all()
    from_second = [bool((a.lq == b.lq).all()) for a, b in zip(half, always, strict=True)]
    from_first = [bool((a.lq == b.lq).all()) for a, b in zip(half, never, strict=True)]
    assert 6 <= sum(from_second) <= 18
    assert all(one != other for one, other in zip(from_second, from_first, strict=True))


def test_configuration_without_clips_or_with_an_odd_size_is_refused() -> None:
    with pytest.raises(ConfigError, match="empty"):
        ClipDatasetConfig(clips=())
    with pytest.raises(ConfigError, match="multiple"):
        ClipDatasetConfig(clips=(ClipSource(name="a"),), crop=CropConfig(size=30))
    with pytest.raises(ConfigError, match="weight"):
        ClipSource(name="a", weight=0)
    clips = (ClipSource(name="a"),)
    with pytest.raises(ConfigError, match="second_order_probability must be a probability"):
        ClipDatasetConfig(clips=clips, second_order_probability=1.5)
    with pytest.raises(ConfigError, match=r"second_order.scale .* must be the same, got 2 and 4"):
        ClipDatasetConfig(clips=clips, second_order=SecondOrderConfig(scale=2))


def window_dataset(data_dir: Path, seed: int = 0, **overlay: float) -> WindowDataset:
    config = WindowDatasetConfig(
        clips=(ClipSource(name="clip", shrink=1),),
        crop=CropConfig(num_frames=5, size=32, max_stride=1),
        overlay=OverlayConfig(**overlay),
    )
    return WindowDataset(config, data_dir, data_dir.parent / "cache", seed)


def test_window_depends_on_seed_and_index_alone(data_dir: Path) -> None:
    first = window_dataset(data_dir)[7]
    assert first.shape == (5, 3, 32, 32)
    assert first.numpy().dtype == np.uint8
    assert (first == window_dataset(data_dir)[7]).all()
    assert not (first == window_dataset(data_dir)[8]).all()
    assert not (first == window_dataset(data_dir, seed=1)[7]).all()


def test_window_with_lettering_is_the_same_window_below_it(data_dir: Path) -> None:
    plain = window_dataset(data_dir, probability=0)
    lettered = window_dataset(data_dir, probability=1)
    for index in range(4):
        changed = (plain[index] != lettered[index]).float().mean()
        assert 0 < changed < 0.95


def test_windows_travel_to_a_worker_without_their_clips(data_dir: Path) -> None:
    dataset = window_dataset(data_dir)
    content = pickle.dumps(dataset)
    assert len(content) < 10_000
    copy = pickle.loads(content)  # noqa: S301 - made one line above
    assert (copy[3] == dataset[3]).all()


def test_heavier_clips_are_drawn_more_often(data_dir: Path, tmp_path: Path) -> None:
    (data_dir / "black").mkdir()
    for index in range(4):
        cv2.imwrite(str(data_dir / "black" / f"{index}.png"), np.zeros((64, 64, 3), np.uint8))
    clips = (
        ClipSource(name="clip", shrink=1, weight=1),
        ClipSource(name="black", shrink=1, weight=3),
    )
    crop = CropConfig(num_frames=2, size=32)
    sampler = WindowSampler(clips, crop, AugmentationConfig(), data_dir, tmp_path / "cache")
    windows = [sampler.draw(np.random.default_rng(seed)) for seed in range(200)]
    assert 0.65 < np.mean([window.max() == 0 for window in windows]) < 0.85


def test_tensor_of_a_clip_has_channels_before_lines() -> None:
    clip = scene(2, 8, 10)
    tensor = clip_to_tensor(clip)
    assert tensor.shape == (2, 3, 8, 10)
    assert tensor.is_contiguous()
    assert tensor[1, 2, 3, 4] == clip[1, 3, 4, 2]


def test_windows_without_clips_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"data\.clips is empty"):
        WindowDatasetConfig(clips=())
