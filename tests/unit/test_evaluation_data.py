"""Rows and folders of images that evaluation reads: VideoLQ and the interpolation sets."""

import pickle
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest
import torch

from msvsr.data import rows as rows_module
from msvsr.data.interpolation_sets import (
    INPUT_COLUMNS,
    OUTPUT_COLUMN,
    InterpolationSample,
    InterpolationSet,
)
from msvsr.data.rows import Rows, load_image, to_image_tensor
from msvsr.data.videolq import CLIP_COLUMN, FRAME_COLUMN, Clip, VideoLQ
from msvsr.errors import InputError, ShapeError, VideoError

RowList = list[dict[str, object]]

MIDDLEBURY = ("frame10.png", "frame11.png")


def write_image(path: Path, value: int, size: tuple[int, int] = (6, 8)) -> Path:
    """A reddish image that says by its value which one it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((*size, 3), (10, 20, value), np.uint8))
    return path


def value_of(image: npt.NDArray[Any] | torch.Tensor) -> int:
    """The value that `write_image` put there."""
    if isinstance(image, torch.Tensor):
        return round(float(image[0, 0, 0]) * 255)
    return int(image[0, 0, 0])


@pytest.fixture
def clip_rows(tmp_path: Path) -> RowList:
    """Two clips, of three frames and of two, in the columns of VideoLQ."""
    return [
        {FRAME_COLUMN: str(write_image(tmp_path / f"{i}.png", 50 + i)), CLIP_COLUMN: 30 + i // 3}
        for i in range(5)
    ]


@pytest.fixture
def sample_rows(tmp_path: Path) -> RowList:
    """Two samples; within each, values rise with time and the third is to be found."""
    order = ("Input1:FILE", "Input2:FILE", "Output:FILE", "Input3:FILE", "Input4:FILE")
    return [
        {
            column: str(write_image(tmp_path / f"{sample}-{place}.png", 10 * sample + place))
            for place, column in enumerate(order, 1)
        }
        for sample in range(2)
    ]


def as_hugging_face(rows: RowList) -> Rows:
    datasets = pytest.importorskip("datasets")
    return datasets.Dataset.from_list(rows)


def as_ms_dataset(rows: RowList) -> Rows:
    """What `MsDataset` shows of itself; the real one is tested where ModelScope is imported."""
    return SimpleNamespace(ds_instance=as_hugging_face(rows))


@pytest.mark.parametrize("wrap", [list, tuple, as_hugging_face, as_ms_dataset])
def test_rows_of_equal_number_are_a_clip(
    wrap: Callable[[RowList], Rows], clip_rows: RowList
) -> None:
    clips = VideoLQ(wrap(clip_rows))
    values = {name: [value_of(frame) for frame in clip] for name, clip in clips.items()}
    assert values == {"030": [50, 51, 52], "031": [53, 54]}
    assert list(clips) == ["030", "031"]


def test_clip_folders_are_read_in_natural_order_whatever_their_lengths(tmp_path: Path) -> None:
    for clip, frames in {"clip10": (2, 10, 1), "clip9": (7,)}.items():
        for frame in frames:
            write_image(tmp_path / clip / f"f{frame}.png", frame)
    (tmp_path / "clip9" / "notes.txt").write_text("no image")
    (tmp_path / "empty").mkdir()
    write_image(tmp_path / ".hidden" / "0.png", 99)
    write_image(tmp_path / "preview.png", 99)
    clips = VideoLQ(tmp_path)
    values = [(name, [value_of(frame) for frame in clip]) for name, clip in clips.items()]
    assert values == [("clip9", [7]), ("clip10", [1, 2, 10])]


def test_a_folder_of_frames_alone_is_one_clip(tmp_path: Path) -> None:
    write_image(tmp_path / "night" / "0.png", 1)
    clips = VideoLQ(str(tmp_path / "night"))
    assert {name: len(clip) for name, clip in clips.items()} == {"night": 1}


def test_the_same_clip_has_one_name_in_rows_and_in_folders(tmp_path: Path) -> None:
    path = str(write_image(tmp_path / "007" / "0.png", 1))
    numbers = (7, 7.0, "7", "007", np.int64(7), torch.tensor(7))
    for number in numbers:
        assert list(VideoLQ([{FRAME_COLUMN: path, CLIP_COLUMN: number}])) == ["007"]
    assert list(VideoLQ(tmp_path)) == ["007"]
    assert list(VideoLQ([{FRAME_COLUMN: path, CLIP_COLUMN: "tram"}])) == ["tram"]


def test_opening_decodes_nothing_and_reads_no_frame_column(
    clip_rows: RowList,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loaded: list[str] = []

    def read(path: Path) -> npt.NDArray[np.uint8]:
        loaded.append(path.name)
        return np.zeros((4, 4, 3), np.uint8)

    monkeypatch.setattr(rows_module, "read_image", read)
    clips = VideoLQ(as_hugging_face(clip_rows))
    assert loaded == []
    assert clips["031"][1].shape == (4, 4, 3)
    # The first frame says which size is expected; the other clip is left alone.
    assert sorted(set(loaded)) == ["3.png", "4.png"]
    loaded.clear()
    list(clips["030"])
    assert loaded == ["0.png", "1.png", "2.png"]


def test_image_columns_are_decoded_frame_by_frame(clip_rows: RowList, tmp_path: Path) -> None:
    rows = as_hugging_face(clip_rows).cast_column(
        FRAME_COLUMN, pytest.importorskip("datasets").Image()
    )
    (tmp_path / "1.png").unlink()
    clips = VideoLQ(rows)
    assert [value_of(frame) for frame in clips["031"]] == [53, 54]


def test_memory_does_not_grow_with_the_clip(tmp_path: Path) -> None:
    side = 256
    path = write_image(tmp_path / "0.png", 1, (side, side))
    clip = Clip("long", [path] * 40)
    tracemalloc.start()
    try:
        for _ in clip:
            pass
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 6 * 3 * side * side  # a few frames, not 40


def test_tensor_is_rgb_between_0_and_1(clip_rows: RowList) -> None:
    tensor = VideoLQ(clip_rows)["030"].to_tensor()
    assert tensor.shape == (3, 3, 6, 8)
    assert tensor.dtype == torch.float32
    expected = torch.tensor([51, 20, 10]) / 255
    torch.testing.assert_close(tensor[1, :, 2, 3], expected, rtol=0, atol=1e-7)


def test_frames_can_be_counted_from_the_end_and_no_further(clip_rows: RowList) -> None:
    clip = VideoLQ(clip_rows)["030"]
    assert value_of(clip[-1]) == 52
    for index in (3, -4):
        with pytest.raises(IndexError):
            clip[index]


def test_clips_travel_to_worker_processes(clip_rows: RowList) -> None:
    clips = pickle.loads(pickle.dumps(VideoLQ(as_hugging_face(clip_rows))))  # noqa: S301
    assert value_of(clips["031"][0]) == 53


def test_a_frame_of_another_size_is_refused(clip_rows: RowList, tmp_path: Path) -> None:
    write_image(tmp_path / "2.png", 1, (5, 8))
    clip = VideoLQ(clip_rows)["030"]
    message = "clip 030 the first has 8x6 pixels, frame 2 has 8x5"
    with pytest.raises(ShapeError, match=message):
        clip.to_tensor()
    with pytest.raises(ShapeError, match=message):
        clip[2]


def test_a_missing_file_is_named(clip_rows: RowList, tmp_path: Path) -> None:
    (tmp_path / "4.png").unlink()
    clip = VideoLQ(clip_rows)["031"]
    for index in (1, -1):
        with pytest.raises(InputError, match=r"clip 031, frame 1: there is no file at .*4\.png"):
            clip[index]


def test_rows_of_a_clip_must_follow_each_other(clip_rows: RowList) -> None:
    with pytest.raises(InputError, match="clip 030 begins at row 0 and again at row 5"):
        VideoLQ([*clip_rows, clip_rows[0]])


@pytest.mark.parametrize("number", [[], None, float("nan"), object()])
def test_a_clip_needs_a_number_or_a_name(number: object) -> None:
    with pytest.raises(InputError, match=f"row 0.*'{CLIP_COLUMN}'"):
        VideoLQ([{FRAME_COLUMN: "0.png", CLIP_COLUMN: number}])


def test_folders_without_images_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="found no image"):
        VideoLQ(tmp_path)
    with pytest.raises(InputError, match="there is no folder"):
        VideoLQ(tmp_path / "nowhere")


def test_the_real_clip_is_found(shared_data: Path) -> None:
    clips = VideoLQ(shared_data / "lq")
    assert {name: (len(clip), clip.size) for name, clip in clips.items()} == {
        "demo_000": (31, (360, 640))
    }


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ([{"frame": 1, CLIP_COLUMN: 0}], f"'{FRAME_COLUMN}'.*got 'frame', '{CLIP_COLUMN}'"),
        ([], "not one row"),
        ({"train": [], "test": []}, "got the keys 'train', 'test'"),
        (iter([{}]), "must have a length and an index, got list_iterator"),
        (["a.png"], "must be a dictionary of columns, got str"),
    ],
)
def test_what_is_no_row_of_clips_is_refused(source: object, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        VideoLQ(source)
    assert "\n" not in str(caught.value)


def test_missing_columns_of_a_data_set_are_named(clip_rows: RowList) -> None:
    rows = as_hugging_face(clip_rows).remove_columns(CLIP_COLUMN)
    with pytest.raises(InputError, match=f"got '{FRAME_COLUMN}'; choose"):
        VideoLQ(rows)


def test_a_later_row_without_a_value_is_named(sample_rows: RowList) -> None:
    samples = InterpolationSet([sample_rows[0], {**sample_rows[1], OUTPUT_COLUMN: None}])
    with pytest.raises(InputError, match=f"row 1 has no '{OUTPUT_COLUMN}'"):
        samples[1]


def test_images_come_in_every_form_that_rows_hold(tmp_path: Path) -> None:
    path = write_image(tmp_path / "0.png", 77)
    content = path.read_bytes()
    with PIL.Image.open(path) as picture:
        forms = [path, str(path), content, picture, {"bytes": content, "path": None}]
        forms.append({"bytes": None, "path": str(path)})
        for form in forms:
            image = load_image(form, "it")
            assert image[2, 3].tolist() == [77, 20, 10]


def test_deep_and_gray_images_become_rgb_between_0_and_1(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "deep.png"), np.full((4, 4, 3), 65535, np.uint16))
    cv2.imwrite(str(tmp_path / "gray.png"), np.full((4, 4), 51, np.uint8))
    deep, gray = (load_image(tmp_path / name, "it") for name in ("deep.png", "gray.png"))
    assert to_image_tensor(deep).unique().tolist() == [1.0]
    torch.testing.assert_close(to_image_tensor(gray), torch.full((3, 4, 4), 0.2))


def test_what_is_no_image_is_named(tmp_path: Path) -> None:
    (tmp_path / "0.png").write_bytes(b"nothing")
    with pytest.raises(VideoError, match=r"clip 1: .*0\.png is not an image"):
        load_image(tmp_path / "0.png", "clip 1")
    with pytest.raises(VideoError, match="clip 1: the image cannot be read"):
        load_image(b"nothing", "clip 1")
    with pytest.raises(InputError, match=r"clip 1: an image must be a path.*got int"):
        load_image(3, "clip 1")


def values_of(sample: InterpolationSample) -> tuple[list[int], int]:
    frames, gt = sample.load()
    return [value_of(frame) for frame in frames], value_of(gt)


@pytest.mark.parametrize("wrap", [list, as_hugging_face, as_ms_dataset])
def test_rows_give_four_frames_and_the_middle(
    wrap: Callable[[RowList], Rows], sample_rows: RowList
) -> None:
    samples = InterpolationSet(wrap(sample_rows))
    assert [values_of(sample) for sample in samples] == [
        ([1, 2, 4, 5], 3),
        ([11, 12, 14, 15], 13),
    ]
    frames, gt = samples[-1].load()
    assert (frames.shape, gt.shape) == ((4, 3, 6, 8), (3, 6, 8))
    assert frames.dtype == gt.dtype == torch.float32
    assert samples[-1].name == "0001"


@pytest.mark.parametrize(
    ("names", "inputs", "gt"),
    [
        (["im1", "im2", "im3"], [1, 3], 2),
        (["im1", "im2", "im3", "im4", "im5"], [1, 2, 4, 5], 3),
        (["frame0", "frame1", "frame2", "frame3", "framet"], [1, 2, 3, 4], 5),
        (["frame_00", "frame_01_gt", "frame_02"], [1, 3], 2),
        (["frame9", "frame10", "frame10i11", "frame11", "frame12"], [1, 2, 4, 5], 3),
    ],
)
def test_a_folder_holds_a_sample(
    names: Sequence[str], inputs: list[int], gt: int, tmp_path: Path
) -> None:
    for value, name in enumerate(names, 1):
        write_image(tmp_path / "00001" / "0266" / f"{name}.png", value)
    samples = InterpolationSet(tmp_path)
    assert [sample.name for sample in samples] == ["00001/0266"]
    assert values_of(samples[0]) == (inputs, gt)


@pytest.mark.parametrize(
    ("numbers", "inputs"),
    [
        ((10, 11), [10, 11]),
        ((9, 10, 11, 12), [9, 10, 11, 12]),
        (range(7, 15), [9, 10, 11, 12]),
        ((9, 10, 11), [10, 11]),
        ((10, 11, 12, 13), [10, 11]),
    ],
)
def test_frames_around_the_instant_in_the_name_are_chosen(
    numbers: Sequence[int], inputs: list[int], tmp_path: Path
) -> None:
    for number in numbers:
        write_image(tmp_path / "input" / "Venus" / f"frame{number:02d}.png", number)
    write_image(tmp_path / "gt" / "Venus" / "frame10i11.png", 99)
    samples = InterpolationSet(tmp_path)
    assert samples[0].name == "Venus"
    assert values_of(samples[0]) == (inputs, 99)


def test_samples_stand_in_natural_order(tmp_path: Path) -> None:
    for name in ("10", "9"):
        for image in "123":
            write_image(tmp_path / name / f"{image}.png", 1)
    assert [sample.name for sample in InterpolationSet(tmp_path)] == ["9", "10"]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([], "found no image"),
        (["input/a/frame10.png"], "sample input/a: expected 3 or 5 images"),
        (["input/a/0.png", "input/a/1.png", "gt/b/0.png"], "sample a: expected one image"),
        (["input/a/0.png", "input/a/1.png", "gt/a/0.png", "gt/a/1.png"], "found 2;"),
        (["input/a/frame10.png", "gt/a/frame10i11.png"], "needs the frames frame10 and"),
        (["input/a/1.png", "input/a/2.png", "input/a/3.png", "gt/a/0.png"], "found 3"),
        (["a/1.png", "a/2.png", "a/3.png", "a/4.png"], "sample a: expected 3 or 5 images"),
        (["a/1_gt.png", "a/2_gt.png", "a/3.png"], "got 3 images, 2 with such a name"),
    ],
)
def test_other_layouts_are_refused(files: list[str], message: str, tmp_path: Path) -> None:
    for file in files:
        write_image(tmp_path / file, 1)
    with pytest.raises(InputError, match=message) as caught:
        InterpolationSet(tmp_path)
    assert "\n" not in str(caught.value)


def test_images_of_other_sizes_are_refused(sample_rows: RowList, tmp_path: Path) -> None:
    write_image(tmp_path / "1-3.png", 1, (6, 9))
    samples = InterpolationSet(sample_rows)
    samples[0].load()
    with pytest.raises(ShapeError, match=r"sample 0001 input 1 has 8x6.*ground truth has 9x6"):
        samples[1].load()


def test_a_missing_file_of_a_sample_is_named(sample_rows: RowList, tmp_path: Path) -> None:
    (tmp_path / "0-4.png").unlink()
    sample = InterpolationSet(sample_rows)[0]
    with pytest.raises(InputError, match=r"sample 0000, input 3: there is no file at .*0-4"):
        sample.load()


def test_missing_columns_of_samples_are_named(sample_rows: RowList) -> None:
    rows = [{key: row[key] for key in INPUT_COLUMNS} for row in sample_rows]
    with pytest.raises(InputError, match=f"'{OUTPUT_COLUMN}', got 'Input1:FILE'"):
        InterpolationSet(rows)


def test_middlebury_as_packed_is_read(shared_data: Path) -> None:
    samples = InterpolationSet(shared_data / "vfi" / "middlebury_other")
    assert len(samples) == 12
    assert [sample.name for sample in samples][::11] == ["Beanbags", "Walking"]
    for sample in samples:
        assert [Path(str(path)).name for path in sample.inputs] == list(MIDDLEBURY)
    frames, gt = samples[0].load()
    assert frames.shape == (2, *gt.shape)
    # The frame between is nearer to the mean of its neighbours than they are to each other.
    error = (frames.mean(0) - gt).square().mean()
    assert 0 < error < (frames[0] - frames[1]).square().mean()
