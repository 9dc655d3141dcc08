"""Clips to evaluate super-resolution on, decoded frame by frame: VideoLQ and folders like it."""

import os
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import torch

from msvsr.data.rows import (
    Rows,
    list_images,
    load_image,
    open_rows,
    read_column,
    read_row,
    sort_naturally,
    to_image_tensor,
)
from msvsr.errors import InputError, ShapeError
from msvsr.frame import ImageArray

__all__ = ["CLIP_COLUMN", "FRAME_COLUMN", "Clip", "VideoLQ"]

FRAME_COLUMN = "LQ Frame:FILE"
CLIP_COLUMN = "Clip Num"


class Clip(Sequence[ImageArray]):
    """Frames in order, each decoded when it is asked for and then forgotten.

    Args:
        name: What the clip is called.
        images: Where each frame comes from, see `msvsr.data.rows.load_image`.

    Attributes:
        name: What the clip is called.
    """

    def __init__(self, name: str, images: Sequence[object]) -> None:
        self.name = name
        self._images = images

    def __len__(self) -> int:
        return len(self._images)

    @cached_property
    def size(self) -> tuple[int, int]:
        """Height and width of the first frame, which the others must have too."""
        height, width = self._load(0).shape[:2]
        return height, width

    def __getitem__(self, index: int) -> ImageArray:  # type: ignore[override]
        """Decode one frame.

        Returns:
            RGB ``(h, w, 3)``, ``uint8``, or ``uint16`` for 16-bit files.

        Raises:
            InputError: Its file is missing.
            VideoError: It cannot be decoded.
            ShapeError: It is not as large as the first frame.
        """
        index = range(len(self))[index]
        image = self._load(index)
        if index == 0:
            self.__dict__["size"] = image.shape[:2]  # saves decoding it once more
        elif image.shape[:2] != self.size:
            raise ShapeError(
                f"all frames of a clip must have one size: in clip {self.name} the first has "
                f"{self.size[1]}x{self.size[0]} pixels, frame {index} has "
                f"{image.shape[1]}x{image.shape[0]}; sort them apart"
            )
        return image

    def _load(self, index: int) -> ImageArray:
        return load_image(self._images[index], f"clip {self.name}, frame {index}")

    def to_tensor(self) -> torch.Tensor:
        """All frames at once: float32 in [0, 1], ``(t, 3, h, w)``.

        Raises:
            MsvsrError: As for a single frame.
        """
        clip = torch.empty(len(self), 3, *self.size)
        for index, image in enumerate(self):
            clip[index] = to_image_tensor(image)
        return clip


class _RowImages(Sequence[object]):
    """The images of consecutive rows, looked up when they are asked for."""

    def __init__(self, rows: Rows, indices: range) -> None:
        self._rows, self._indices = rows, indices

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, index: int) -> object:  # type: ignore[override]
        return read_row(self._rows, self._indices[index], (FRAME_COLUMN,))[0]


class VideoLQ(Mapping[str, Clip]):
    """Clips by name, in order, of any lengths.

    Numbers of clips become names as VideoLQ's own folders have them: ``000`` to ``049``. Of a
    folder, each folder in it that holds images is a clip; if there is none, its own images are.

    Args:
        source: Rows with the columns ``LQ Frame:FILE`` and ``Clip Num``, where the rows of a clip
            follow each other, or a folder.

    Raises:
        InputError: The columns are missing, the rows of a clip do not follow each other, or there
            is no image in the folder.

    Source:
        Chan et al., Investigating Tradeoffs in Real-World Video Super-Resolution, CVPR 2022.

    Example:
        >>> rows = [{"LQ Frame:FILE": f"{i}.png", "Clip Num": i // 2} for i in range(5)]
        >>> {name: len(clip) for name, clip in VideoLQ(rows).items()}
        {'000': 2, '001': 2, '002': 1}
    """

    def __init__(self, source: Rows | str | os.PathLike[str]) -> None:
        is_path = isinstance(source, str | os.PathLike)
        self._clips = _clips_of_folder(Path(source)) if is_path else _clips_of_rows(source)

    def __getitem__(self, name: str) -> Clip:
        return self._clips[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._clips)

    def __len__(self) -> int:
        return len(self._clips)


def _clips_of_rows(rows: Rows) -> dict[str, Clip]:
    rows = open_rows(rows, (FRAME_COLUMN, CLIP_COLUMN))
    names = [_name_clip(index, value) for index, value in enumerate(read_column(rows, CLIP_COLUMN))]
    starts = [i for i, name in enumerate(names) if i == 0 or name != names[i - 1]]
    clips: dict[str, Clip] = {}
    for start, stop in zip(starts, [*starts[1:], len(names)], strict=True):
        name = names[start]
        if name in clips:
            raise InputError(
                f"the rows of a clip must follow each other, but clip {name} begins at row "
                f"{names.index(name)} and again at row {start}; sort the rows by '{CLIP_COLUMN}'"
            )
        clips[name] = Clip(name, _RowImages(rows, range(start, stop)))
    return clips


def _name_clip(index: int, value: object) -> str:
    """The name that a clip's folder would have."""
    try:
        text = value.strip() if isinstance(value, str) else str(int(value))  # type: ignore[call-overload]
    except (TypeError, ValueError) as error:
        raise InputError(
            f"row {index}: '{CLIP_COLUMN}' must be a number or a name, got {value!r}; "
            "correct that row"
        ) from error
    return text.zfill(3) if text.isdecimal() else text


def _clips_of_folder(folder: Path) -> dict[str, Clip]:
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}; give a folder of clip folders")
    folders = sort_naturally(path for path in folder.iterdir() if path.is_dir())
    images = {path.name: list_images(path) for path in folders}
    clips = {name: Clip(name, paths) for name, paths in images.items() if paths}
    own = [] if clips else list_images(folder)
    if own:
        clips = {folder.resolve().name: Clip(folder.resolve().name, own)}
    if not clips:
        raise InputError(
            f"{folder}: expected folders of images, one per clip, but found no image; "
            "give the folder that holds them"
        )
    return clips
