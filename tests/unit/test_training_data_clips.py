"""Clips to train on: where they are found, how samples are cut, mirrored, sharpened, repeated."""

import logging
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from msvsr.data import FootageSource, TrainingClips, TrainingClipsConfig, TrainingSample, footage
from msvsr.data.endless import EndlessSampler
from msvsr.data.footage import find_footage
from msvsr.data.sharpening import SharpeningConfig, sharpen
from msvsr.data.windows import limit_worker_threads
from msvsr.errors import ConfigError, InputError, MsvsrError, ShapeError, VideoError
from msvsr.models.config_json import dataclass_from_mapping
from tests.support.clips import break_packet, make_video

Array = np.ndarray
HEIGHT, WIDTH = 40, 56


def thin_out(clip: Array, _rng: np.random.Generator) -> Array:
    """A degradation whose result tells exactly what it was given."""
    return clip[:, ::4, ::4]


def add_noise(clip: Array, rng: np.random.Generator) -> Array:
    return (clip[:, ::4, ::4] // 2 + rng.integers(0, 128, 3)).astype(np.uint8)


def scene(seed: int, num_frames: int) -> Array:
    """Frames without any repetition: each tells its number, each pixel its place."""
    frames = np.random.default_rng(seed).integers(0, 250, (num_frames, HEIGHT, WIDTH, 3))
    frames[..., 2] = np.arange(num_frames)[:, None, None]
    return frames.astype(np.uint8)


def write_images(folder: Path, clip: Array, suffix: str = ".png") -> Path:
    folder.mkdir(parents=True)
    for index, frame in enumerate(clip):
        cv2.imwrite(str(folder / f"{index:08d}{suffix}"), frame[..., ::-1])
    return folder


def config(**values: object) -> TrainingClipsConfig:
    small: dict[str, Any] = {
        "num_frames": 6,
        "crop_size": 32,
        "sharpening": SharpeningConfig(kernel_size=7),
    }
    return TrainingClipsConfig(**(small | values))


def clips_of(
    *sources: FootageSource | Path, degrade: Callable[..., Array] = thin_out, **values: object
) -> TrainingClips:
    return TrainingClips(sources, degrade, config(**values))


def to_array(tensor: torch.Tensor) -> Array:
    return tensor.numpy().transpose(0, 2, 3, 1)


def frame_numbers(sample: TrainingSample) -> list[int]:
    return [int(frame[0, 0, 2]) for frame in to_array(sample.gt)]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two clips as images, one of them deep, and a video."""
    write_images(tmp_path / "data" / "000", scene(0, 8))
    write_images(tmp_path / "data" / "more" / "10" / "x", scene(1, 5))
    make_video(tmp_path / "data" / "more" / "9.mp4", 7, size=(HEIGHT, WIDTH))
    return tmp_path / "data"


def test_clips_are_found_at_any_depth_and_named_by_their_place(root: Path) -> None:
    (root / ".hidden").mkdir()
    write_images(root / ".hidden" / "clip", scene(2, 3))
    (root / "notes.txt").write_text("no clip")
    found = clips_of(root).clips
    assert [(clip.name, clip.num_frames) for clip in found] == [
        ("000", 8), ("more/9.mp4", 7), ("more/10/x", 5)
    ]  # fmt: skip
    assert {clip.size for clip in found} == {(HEIGHT, WIDTH)}


def test_one_clip_can_be_named_itself(root: Path) -> None:
    assert [clip.name for clip in find_footage(root / "000")] == ["000"]
    assert [clip.name for clip in find_footage(root / "more" / "9.mp4")] == ["9.mp4"]
    single = TrainingClips("000", thin_out, config(), data_dir=root)
    assert [clip.name for clip in single.clips] == ["000"]


def test_half_of_the_frames_are_read_and_mirrored_in_time(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[Any] = []
    load = footage.load_image
    monkeypatch.setattr(
        footage, "load_image", lambda path, label: (loaded.append(path), load(path, label))[1]
    )
    sample = clips_of(root / "000")[0]
    assert len(loaded) == 3
    first = frame_numbers(sample)[0]
    up = [first, first + 1, first + 2]
    assert frame_numbers(sample) == up + up[::-1]
    np.testing.assert_array_equal(sample.gt, sample.gt.flip(0))
    np.testing.assert_array_equal(sample.gt_unsharp, sample.gt_unsharp.flip(0))


def test_without_mirroring_all_frames_are_read(root: Path) -> None:
    dataset = clips_of(root / "000", mirror=False)
    numbers = frame_numbers(dataset[0])
    assert numbers == list(range(numbers[0], numbers[0] + 6))


def test_the_degradation_gets_the_whole_mirrored_clip_sharpened(root: Path) -> None:
    given: list[Array] = []

    def spy(clip: Array, rng: np.random.Generator) -> Array:
        given.append(clip)
        return thin_out(clip, rng)

    for sharpened in (True, False):
        given.clear()
        sample = clips_of(root / "000", degrade=spy, degrade_sharpened=sharpened)[3]
        expected = sample.gt_unsharp if sharpened else sample.gt
        np.testing.assert_array_equal(given[0], to_array(expected))
        np.testing.assert_array_equal(to_array(sample.lq), given[0][:, ::4, ::4])


def test_sharpened_ground_truth_is_made_of_the_crop(root: Path) -> None:
    sample = clips_of(root / "000")[1]
    expected = sharpen(to_array(sample.gt), SharpeningConfig(kernel_size=7))
    np.testing.assert_array_equal(to_array(sample.gt_unsharp), expected)
    assert not np.array_equal(expected, to_array(sample.gt))
    plain = clips_of(root / "000", sharpening=None)[1]
    np.testing.assert_array_equal(plain.gt, sample.gt)
    np.testing.assert_array_equal(plain.gt_unsharp, plain.gt)


def test_all_frames_are_cut_and_turned_alike_in_every_way(root: Path) -> None:
    truth = scene(0, 8)
    dataset = clips_of(root / "000")
    turns, places = set(), set()
    for index in range(60):
        sample = dataset[index]
        turn, top, left = find_place(to_array(sample.gt), truth[frame_numbers(sample)])
        turns.add(turn)
        places.add((top, left))
    assert turns == set(range(8))
    assert {0, HEIGHT - 32} <= {top for top, _ in places}  # the borders are drawn too
    assert len({left for _, left in places}) > 15


def find_place(crop: Array, frames: Array) -> tuple[int, int, int]:
    """Which of the eight ways a crop was turned, and where in the frames it was cut."""
    for turn in range(8):
        back = crop.transpose(0, 2, 1, 3) if turn & 4 else crop
        back = back[:, ::-1] if turn & 2 else back
        back = back[:, :, ::-1] if turn & 1 else back
        for top in range(HEIGHT - 32 + 1):
            for left in range(WIDTH - 32 + 1):
                part = frames[:, top : top + 32, left : left + 32]
                if (part[0, 0, 0] == back[0, 0, 0]).all() and np.array_equal(part, back):
                    return turn, top, left
    raise AssertionError("the crop is no part of the frames")


def test_nothing_is_turned_when_its_probability_is_zero(root: Path) -> None:
    dataset = clips_of(root / "000", flip_probability=0, transpose_probability=0)
    for index in range(6):
        sample = dataset[index]
        turn, _, _ = find_place(to_array(sample.gt), scene(0, 8)[frame_numbers(sample)])
        assert turn == 0


def test_intervals_are_drawn(root: Path) -> None:
    dataset = clips_of(root / "000", intervals=(1, 3))
    steps = {tuple(np.diff(frame_numbers(dataset[index])[:3])) for index in range(20)}
    assert steps == {(1, 1), (3, 3)}


def test_frames_are_shrunk_by_averaging_before_they_are_cut(tmp_path: Path) -> None:
    large = np.kron(scene(0, 4)[..., :2], np.ones((1, 2, 2, 1)))
    large = np.concatenate([large, np.zeros_like(large[..., :1])], -1).astype(np.uint8)
    large[:, ::2, ::2] //= 2
    write_images(tmp_path / "clip", large)
    source = FootageSource(path=str(tmp_path / "clip"), shrink=2)
    dataset = clips_of(source, sharpening=None, flip_probability=0, transpose_probability=0)
    assert dataset.clips[0].size == (HEIGHT, WIDTH)
    blocks = large.reshape(4, HEIGHT, 2, WIDTH, 2, 3).mean(axis=(2, 4))
    gt = to_array(dataset[0].gt).astype(float)
    fits = [
        np.abs(gt[:3] - blocks[start : start + 3, top : top + 32, left : left + 32]).max() <= 0.5
        for start in (0, 1)
        for top in range(HEIGHT - 31)
        for left in range(WIDTH - 31)
    ]
    assert sum(fits) == 1


def test_later_frames_can_be_left_out(root: Path) -> None:
    dataset = clips_of(FootageSource(path=str(root / "000"), max_frames=4))
    assert dataset.clips[0].num_frames == 4
    assert max(max(frame_numbers(dataset[index])) for index in range(12)) == 3


def test_heavier_clips_are_drawn_more_often(root: Path) -> None:
    write_images(root / "black", np.zeros((5, HEIGHT, WIDTH, 3), np.uint8))
    light, heavy = (
        FootageSource(path=str(root / name), weight=weight)
        for name, weight in (("000", 1), ("black", 3))
    )
    dataset = clips_of(light, heavy, sharpening=None)
    shares = [float(dataset[index].gt.max() == 0) for index in range(120)]
    assert 0.62 < np.mean(shares) < 0.88


def test_a_video_gives_the_frames_that_images_of_it_give(root: Path) -> None:
    video = root / "more" / "9.mp4"
    (clip,) = find_footage(video)
    write_images(root / "images", np.stack(list(clip.read(range(7)))))
    for index in range(4):
        from_video, from_images = clips_of(video)[index], clips_of(root / "images")[index]
        np.testing.assert_array_equal(from_video.gt, from_images.gt)


def test_sixteen_bit_images_become_eight_bit(tmp_path: Path) -> None:
    clip = scene(0, 3)
    (tmp_path / "deep").mkdir()
    for index, frame in enumerate(clip):
        cv2.imwrite(
            str(tmp_path / "deep" / f"{index}.png"), frame[..., ::-1].astype(np.uint16) * 257
        )
    sample = clips_of(tmp_path / "deep")[0]
    find_place(to_array(sample.gt), clip[frame_numbers(sample)])


def test_sample_depends_on_seed_and_index_alone(root: Path) -> None:
    def sample(seed: int, index: int) -> Array:
        dataset = TrainingClips(root, add_noise, config(), seed=seed)
        dataset[index + 5]  # what was made before does not matter
        return np.concatenate([part.numpy().ravel() for part in dataset[index]])

    np.testing.assert_array_equal(sample(0, 7), sample(0, 7))
    assert not np.array_equal(sample(0, 7), sample(0, 8))
    assert not np.array_equal(sample(0, 7), sample(1, 7))


def test_steps_have_the_same_samples_with_any_workers_ranks_and_resumption(root: Path) -> None:
    dataset = TrainingClips(root, add_noise, config())

    def batches(num_workers: int = 0, **place: int) -> list[TrainingSample]:
        sampler = EndlessSampler(4, num_steps=4, **place)
        loader = DataLoader(
            dataset,
            batch_size=sampler.batch_size_per_process,
            sampler=sampler,
            num_workers=num_workers,
            worker_init_fn=limit_worker_threads,
            multiprocessing_context="spawn" if num_workers else None,
        )
        return list(loader)

    whole = batches()
    assert [len(step.gt) for step in whole] == [4, 4, 4, 4]
    first, second = batches(2, rank=0, world_size=2), batches(rank=1, world_size=2)
    for step, halves in zip(whole, zip(first, second, strict=True), strict=True):
        for expected, *parts in zip(step, *halves, strict=True):
            assert torch.equal(torch.cat(parts), expected)
    for expected, resumed in zip(whole[2:], batches(start_step=2), strict=True):
        assert all(torch.equal(a, b) for a, b in zip(expected, resumed, strict=True))


def test_indices_do_not_end_by_themselves() -> None:
    endless = iter(EndlessSampler(6, rank=2, world_size=3))
    assert [next(endless) for _ in range(5)] == [4, 5, 10, 11, 16]


@pytest.mark.parametrize(
    "values", [{"batch_size": 3}, {"rank": 2}, {"rank": -1}, {"start_step": -1}, {"batch_size": 0}]
)
def test_batches_that_cannot_be_shared_out_are_refused(values: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match="must be"):
        EndlessSampler(**({"batch_size": 4, "world_size": 2} | values))


def test_damaged_places_are_left_out_the_same_way_each_time(
    root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broken = root / "broken"
    write_images(broken, scene(3, 8))
    for index in range(2, 8):
        (broken / f"{index:08d}.png").write_bytes(b"no image")
    with caplog.at_level(logging.WARNING):
        dataset = clips_of(root / "000", broken)
        samples = [dataset[index] for index in range(12)]
    assert len(caplog.records) == 1
    assert "clip broken" in caplog.text
    fresh = clips_of(root / "000", broken)
    for index in (11, 3, 7):
        assert torch.equal(fresh[index].gt, samples[index].gt)
    with pytest.raises(VideoError, match="clip broken"):
        clips_of(broken)[0]


def test_a_damaged_video_is_used_where_it_can_be(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", 12, size=(HEIGHT, WIDTH), options={"g": "4", "bf": "0"})
    whole = np.stack(list(find_footage(path)[0].read(range(12))))
    break_packet(path, 5)
    dataset = clips_of(path, sharpening=None)
    for index in range(6):
        crop = to_array(dataset[index].gt)[:3]
        assert any(fits(crop, whole[start : start + 3]) for start in (0, 1, 2, 8, 9))


def fits(crop: Array, frames: Array) -> bool:
    try:
        find_place(crop, frames)
    except AssertionError:
        return False
    return True


def test_images_of_several_sizes_are_named(root: Path) -> None:
    cv2.imwrite(str(root / "000" / "00000001.png"), np.zeros((48, 64, 3), np.uint8))
    with pytest.raises(ShapeError, match=r"clip 000: .* 56x40, but 00000001\.png is 64x48"):
        list(find_footage(root / "000")[0].read([0, 1, 2]))


@pytest.mark.parametrize(
    ("make", "values", "expected"),
    [
        (lambda path: None, {}, "there is no file or folder"),
        (lambda path: path.mkdir(), {}, "found neither"),
        (lambda path: write_images(path, scene(0, 2)), {}, "need 3 frames .* it has 2 of 56x40"),
        (lambda path: write_images(path, scene(0, 6)), {"intervals": (1, 3)}, "need 7 frames"),
        (lambda path: write_images(path, scene(0, 3)), {"crop_size": 48}, "48x48 pixels or more"),
        (lambda path: write_images(path / "a", scene(0, 2)).parent, {}, "clip a: "),
    ],
)
def test_clips_that_cannot_be_used_are_one_line(
    make: Callable[[Path], Any], values: dict[str, Any], expected: str, tmp_path: Path
) -> None:
    make(tmp_path / "clip")
    with pytest.raises(InputError, match=expected) as caught:
        clips_of(tmp_path / "clip", **values)
    assert "\n" not in str(caught.value)


def test_a_broken_first_image_and_an_empty_list_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "clip").mkdir()
    (tmp_path / "clip" / "0.png").write_bytes(b"no image")
    with pytest.raises(MsvsrError, match=r"clip clip: .*0\.png"):
        clips_of(tmp_path / "clip")
    with pytest.raises(ConfigError, match="name at least one"):
        clips_of()


def test_a_degradation_of_another_scale_is_refused(root: Path) -> None:
    dataset = clips_of(root / "000", degrade=lambda clip, _rng: clip[:, ::2, ::2])
    with pytest.raises(
        ShapeError, match=r"must give \(6, 8, 8, 3\) in uint8, got \(6, 16, 16, 3\)"
    ):
        dataset[0]


@pytest.mark.parametrize(
    "values",
    [
        {"num_frames": 5},
        {"num_frames": 0},
        {"crop_size": 30},
        {"scale": 0},
        {"intervals": ()},
        {"intervals": (0,)},
        {"flip_probability": 1.5},
    ],
)
def test_impossible_settings_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        config(**values)


def test_the_papers_scheme_is_the_default() -> None:
    paper = TrainingClipsConfig()
    assert (paper.num_frames, paper.num_read, paper.crop_size // paper.scale) == (30, 15, 64)
    assert paper.sharpening == SharpeningConfig(kernel_size=51, weight=0.5, threshold=10)
    content = {"num_frames": 10, "sharpening": None, "intervals": [1, 2]}
    loaded = dataclass_from_mapping(TrainingClipsConfig, content, "data")
    assert loaded == TrainingClipsConfig(num_frames=10, sharpening=None, intervals=(1, 2))


def test_second_order_degradations_are_the_default(root: Path) -> None:
    dataset = TrainingClips(root / "000", config=config())
    sample = dataset[0]
    assert sample.lq.shape == (6, 3, 8, 8)
    assert not torch.equal(sample.lq[0], sample.lq[5])  # the walk goes on over mirrored frames
    assert torch.equal(sample.lq, TrainingClips(root / "000", config=config())[0].lq)


def test_it_travels_to_a_worker_without_frames(root: Path) -> None:
    dataset = clips_of(root)
    content = pickle.dumps(dataset)
    assert len(content) < 10_000
    copy = pickle.loads(content)  # noqa: S301 - made one line above
    assert torch.equal(copy[2].gt, dataset[2].gt)
