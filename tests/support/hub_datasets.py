"""Small data sets as the Hub keeps them: a table that names files, and an archive of these."""

import csv
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from tests.support.clips import moving_pattern

__all__ = ["write_interpolation_set", "write_videolq"]


def write_videolq(folder: Path, *, num_clips: int = 2, num_frames: int = 8) -> Path:
    """VideoLQ, as the official card loads it.

    Args:
        folder: Where.
        num_clips: How many clips.
        num_frames: Of each clip.
    """
    rows, images = [], {}
    for clip in range(num_clips):
        frames = moving_pattern(num_frames, size=(48, 64))
        for index, image in enumerate(frames):
            name = f"{clip:03d}/{index:08d}.png"
            images[name] = _noisy(image, seed=clip)
            rows.append({"LQ Frame:FILE": name, "Clip Num": clip})
    return _write(folder, "VideoLQ", ("default", "test"), rows, images)


def write_interpolation_set(folder: Path, *, num_samples: int = 2) -> Path:
    """Middlebury's part of the validation data, as the official card loads it.

    Args:
        folder: Where.
        num_samples: How many samples, of four frames and the one in their middle.
    """
    columns = ("Input1:FILE", "Input2:FILE", "Output:FILE", "Input3:FILE", "Input4:FILE")
    rows, images = [], {}
    for sample in range(num_samples):
        # Every second frame of 7 is an input; the output lies between the two in the middle.
        frames = moving_pattern(7, size=(128, 160))
        names = {column: f"middlebury/{sample}/{column.split(':')[0]}.png" for column in columns}
        for column, index in zip(columns, (0, 2, 3, 4, 6), strict=True):
            images[names[column]] = _noisy(frames[index], seed=sample)
        rows.append(names)
    dataset = "cv_video-frame-interpolation_ValidationDataset"
    return _write(folder, dataset, ("middlebury", "validation"), rows, images)


def _noisy(image: np.ndarray, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(-8, 9, image.shape)
    return np.clip(image.astype(int) + noise, 0, 255).astype(np.uint8)


def _write(
    folder: Path,
    name: str,
    part: tuple[str, str],
    rows: Sequence[Mapping[str, object]],
    images: Mapping[str, np.ndarray],
) -> Path:
    """Write the description, the table and the archive of a data set with one part."""
    folder.mkdir(parents=True)
    subset, split = part
    table, archive = f"{split}.csv", f"{split}.zip"
    structure = {subset: {split: {"meta": table, "file": archive}}}
    (folder / f"{name}.json").write_text(json.dumps(structure))
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    (folder / table).write_text(text.getvalue())
    with zipfile.ZipFile(folder / archive, "w") as container:
        for path, image in images.items():
            container.writestr(path, cv2.imencode(".png", image)[1].tobytes())
    return folder
