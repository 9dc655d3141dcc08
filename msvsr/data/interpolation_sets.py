"""Samples to evaluate frame interpolation on: two or four frames, and the one in the middle.

As folders, each sample is laid out in one of these ways; names are sorted naturally.

- ``NAME/`` holds all images of a sample, three or five. The one to be found is ``framet``, or ends
  in ``gt`` (as UCF101 is packed), or is called ``frame10i11`` (as Middlebury is); where no
  name says so, it is the middle one (as in Vimeo-90K).
- ``input/NAME/`` holds the frames and ``gt/NAME/`` the one to be found, as Middlebury is packed.
  Where that is called ``frame10i11``, there may be any number of frames: those around that
  instant are taken, four if there are so many on both sides, else two.

Folders of samples may lie in further folders; then their names are joined by slashes.
"""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from msvsr.data.rows import (
    Rows,
    list_images,
    load_image,
    open_rows,
    read_row,
    sort_naturally,
    to_image_tensor,
)
from msvsr.errors import InputError, ShapeError

__all__ = ["INPUT_COLUMNS", "OUTPUT_COLUMN", "InterpolationSample", "InterpolationSet"]

INPUT_COLUMNS = ("Input1:FILE", "Input2:FILE", "Input3:FILE", "Input4:FILE")
OUTPUT_COLUMN = "Output:FILE"

_BETWEEN = re.compile(r"(.*?)(\d+)i(\d+)")
_TRUTH = re.compile(r".*\d+i\d+|framet|(?:.*[_-])?gt", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class InterpolationSample:
    """One frame to be found and its neighbours, as sources of images.

    Attributes:
        name: What the sample is called.
        inputs: The frames around it, two or four, see `msvsr.data.rows.load_image`.
        gt: The frame half way between the two in the middle.
    """

    name: str
    inputs: tuple[object, ...]
    gt: object

    def load(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Decode the images.

        Returns:
            The frames ``(t, 3, h, w)`` and the one between them ``(3, h, w)``, RGB float32 in
            [0, 1].

        Raises:
            InputError: A file is missing.
            VideoError: An image cannot be decoded.
            ShapeError: Their sizes differ.
        """
        labels = [f"input {number}" for number in range(1, len(self.inputs) + 1)]
        frames = [
            to_image_tensor(load_image(source, f"sample {self.name}, {label}"))
            for source, label in zip(self.inputs, labels, strict=True)
        ]
        gt = to_image_tensor(load_image(self.gt, f"sample {self.name}, ground truth"))
        for image, label in zip([*frames[1:], gt], [*labels[1:], "ground truth"], strict=True):
            if image.shape != frames[0].shape:
                raise ShapeError(
                    f"all images of a sample must have one size: in sample {self.name} input 1 "
                    f"has {_format_size(frames[0])} pixels, {label} has {_format_size(image)}; "
                    "correct or remove that sample"
                )
        return torch.stack(frames), gt


def _format_size(image: torch.Tensor) -> str:
    return f"{image.shape[-1]}x{image.shape[-2]}"


class InterpolationSet(Sequence[InterpolationSample]):
    """Samples in order; nothing is decoded before `InterpolationSample.load`.

    Args:
        source: Rows with the columns ``Input1:FILE`` to ``Input4:FILE`` and ``Output:FILE``, or a
            folder, see `msvsr.data.interpolation_sets`.

    Raises:
        InputError: Columns or files are missing.

    Example:
        >>> row = {name: "0.png" for name in (*INPUT_COLUMNS, OUTPUT_COLUMN)}
        >>> InterpolationSet([row])[0].name
        '0000'
    """

    def __init__(self, source: Rows | str | os.PathLike[str]) -> None:
        if isinstance(source, str | os.PathLike):
            self._samples: Sequence[InterpolationSample] = _samples_of_folder(Path(source))
        else:
            self._samples = _RowSamples(open_rows(source, (*INPUT_COLUMNS, OUTPUT_COLUMN)))

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, index: int) -> InterpolationSample:  # type: ignore[override]
        return self._samples[index]


class _RowSamples(Sequence[InterpolationSample]):
    """A sample per row, read when it is asked for."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> InterpolationSample:  # type: ignore[override]
        index = range(len(self))[index]
        *inputs, gt = read_row(self._rows, index, (*INPUT_COLUMNS, OUTPUT_COLUMN))
        return InterpolationSample(name=f"{index:04d}", inputs=tuple(inputs), gt=gt)


def _samples_of_folder(folder: Path) -> list[InterpolationSample]:
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}; give a folder of samples")
    inputs, truths = folder / "input", folder / "gt"
    if inputs.is_dir() and truths.is_dir():
        found = [_packed_sample(path, inputs, truths) for path in _image_folders(inputs)]
    else:
        found = [_mixed_sample(path, folder) for path in _image_folders(folder)]
    if not found:
        raise InputError(
            f"{folder}: expected 'input' and 'gt' with a folder per sample, or a folder of 3 or 5 "
            "images per sample, but found no image; give the folder that holds them"
        )
    return found


def _image_folders(folder: Path) -> Iterator[Path]:
    """A folder and those in it, as far as they hold images."""
    if list_images(folder):
        yield folder
    for path in sort_naturally(path for path in folder.iterdir() if path.is_dir()):
        yield from _image_folders(path)


def _packed_sample(folder: Path, inputs: Path, truths: Path) -> InterpolationSample:
    name = folder.relative_to(inputs).as_posix()
    found = list_images(truths / name)
    if len(found) != 1:
        raise InputError(
            f"sample {name}: expected one image in {truths / name}, found {len(found)}; "
            "complete or remove that sample"
        )
    frames = _choose_inputs(name, list_images(folder), found[0])
    return InterpolationSample(name=name, inputs=frames, gt=found[0])


def _mixed_sample(folder: Path, root: Path) -> InterpolationSample:
    name = folder.relative_to(root).as_posix() if folder != root else folder.resolve().name
    images = list_images(folder)
    marked = [path for path in images if _TRUTH.fullmatch(path.stem)]
    if len(marked) > 1 or (not marked and len(images) not in (3, 5)):
        raise InputError(
            f"sample {name}: expected 3 or 5 images, the middle one to be found, or one that is "
            f"called 'gt', 'framet' or like 'frame10i11', got {len(images)} images, "
            f"{len(marked)} with such a name; correct or remove that sample"
        )
    gt = marked[0] if marked else images[len(images) // 2]
    frames = _choose_inputs(name, [path for path in images if path != gt], gt)
    return InterpolationSample(name=name, inputs=frames, gt=gt)


def _choose_inputs(name: str, frames: list[Path], gt: Path) -> tuple[Path, ...]:
    """The four frames around an instant, or two where there are no more."""
    between = _BETWEEN.fullmatch(gt.stem)
    if between is None and len(frames) in (2, 4):
        return tuple(frames)
    if between is None:
        raise InputError(
            f"sample {name}: expected 2 or 4 frames around {gt.name}, found {len(frames)}; "
            "correct or remove that sample"
        )
    pair = [between[1] + between[2], between[1] + between[3]]
    stems = [path.stem for path in frames]
    first = stems.index(pair[0]) if pair[0] in stems else len(stems)
    if stems[first : first + 2] != pair:
        raise InputError(
            f"sample {name}: {gt.name} needs the frames {pair[0]} and {pair[1]}, found "
            f"{', '.join(stems) or 'none'}; complete or remove that sample"
        )
    if first >= 1 and first + 3 <= len(frames):
        return tuple(frames[first - 1 : first + 3])
    return tuple(frames[first : first + 2])
