"""The data sets under the names that the model cards use, in processes of their own."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.support.processes import run_python

CARDS = """
import sys
from modelscope.msdatasets.task_datasets.video_super_resolution import \\
    VideoSuperResolutionDataset
from modelscope.msdatasets.task_datasets.video_frame_interpolation import \\
    VideoFrameInterpolationDataset
"""

OURS = [
    "msvsr.plugin.super_resolution.dataset",
    "msvsr.plugin.frame_interpolation.dataset",
]


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Five images, each with its own value."""
    folder = tmp_path_factory.mktemp("images")
    paths = [str(folder / f"{i}.png") for i in range(5)]
    for value, path in enumerate(paths, 1):
        cv2.imwrite(path, np.full((6, 8, 3), 51 * value, np.uint8))
    return paths


@pytest.mark.parametrize(
    "before",
    ["import msvsr", "import modelscope.msdatasets, msvsr"],
)
def test_the_cards_imports_give_our_classes(before: str) -> None:
    code = f"""
{before}
{CARDS}
import json, pickle
from modelscope.msdatasets.dataset_cls.custom_datasets import TorchCustomDataset
from modelscope.msdatasets.task_datasets import video_super_resolution as module
classes = [VideoSuperResolutionDataset, VideoFrameInterpolationDataset]
assert module.VideoSuperResolutionDataset is classes[0]
assert all(issubclass(cls, TorchCustomDataset) for cls in classes)
assert pickle.loads(pickle.dumps(classes)) == classes
try:
    import modelscope.msdatasets.task_datasets.nonsense
except ModuleNotFoundError:
    print(json.dumps([cls.__module__ for cls in classes]))
"""
    assert run_python(code) == OURS


@pytest.mark.parametrize("order", ["msvsr first", "msvsr later"])
def test_ours_win_where_modelscope_still_has_the_module(order: str, tmp_path: Path) -> None:
    theirs = "class VideoSuperResolutionDataset: pass\nOTHER = 'theirs'\n"
    (tmp_path / "video_super_resolution.py").write_text(theirs)
    code = f"""
import sys
order, folder = sys.argv[1:]
if order == "msvsr first":
    import msvsr
import modelscope.msdatasets.task_datasets as parent
parent.__path__.append(folder)
if order == "msvsr later":
    import modelscope.msdatasets.task_datasets.video_super_resolution
    import msvsr
{CARDS}
import json
from modelscope.msdatasets.task_datasets.video_super_resolution import OTHER
print(json.dumps([VideoSuperResolutionDataset.__module__, OTHER]))
"""
    assert run_python(code, order, tmp_path) == [OURS[0], "theirs"]


def test_data_sets_go_through_modelscope_untouched(images: list[str]) -> None:
    code = f"""
import msvsr
{CARDS}
import json
from datasets import Dataset
from modelscope.msdatasets import MsDataset
from modelscope.msdatasets.dataset_cls.custom_datasets.builder import build_custom_dataset
from modelscope.trainers.trainer import EpochBasedTrainer
from modelscope.utils.config import Config, ConfigDict
from torch.utils.data import DataLoader

paths = sys.argv[1:]
frames = [{{"LQ Frame:FILE": path, "Clip Num": i // 3}} for i, path in enumerate(paths)]
names = ["Input1:FILE", "Input2:FILE", "Output:FILE", "Input3:FILE", "Input4:FILE"]
sample = dict(zip(names, paths))
clips = VideoSuperResolutionDataset(MsDataset(Dataset.from_list(frames)))
samples = VideoFrameInterpolationDataset(
    MsDataset(Dataset.from_list([sample]))._hf_ds, Config({{"dataset": {{"any": 1}}}}).dataset)
built = build_custom_dataset(
    ConfigDict(type="real-basicvsr", mode="eval", datasets=frames, preprocessor=None),
    "video-super-resolution")
same = EpochBasedTrainer.build_dataset(None, samples, Config({{}}), "eval", None) is samples
batch = next(iter(DataLoader(samples, batch_size=1)))
item = clips[1]
print(json.dumps([
    type(built) is type(clips), same, len(clips), sorted(item), list(item["input"].shape),
    {{key: list(value.shape) for key, value in batch.items()}},
    (batch["input"][0, :, 0, 0, 0] * 5).round().tolist(), batch["target"].mean().item(),
    list(clips.clips), samples.samples[0].name,
]))
"""
    answer = run_python(code, *images)
    assert answer[:6] == [
        True,
        True,
        2,
        ["input"],
        [2, 3, 6, 8],
        {"input": [1, 4, 3, 6, 8], "target": [1, 3, 6, 8]},
    ]
    assert answer[6] == [1, 2, 4, 5]
    assert answer[7] == pytest.approx(0.6, abs=1e-6)
    assert answer[8:] == [["000", "001"], "0000"]
