"""Rows that name image files, and folders of images: what evaluation data comes as.

Rows are anything with a length and an index: a Hugging Face ``datasets`` object, ModelScope's
``MsDataset`` around one, or a list of dictionaries. An image in a row is a path, the content of a
file, or what Hugging Face makes of its image columns.
"""

import io
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import PIL.ImageOps
import torch

from msvsr.errors import InputError, VideoError
from msvsr.frame import ImageArray
from msvsr.video.images import IMAGE_SUFFIXES, natural_key, read_image

__all__ = [
    "Rows",
    "list_images",
    "load_image",
    "open_rows",
    "read_column",
    "read_row",
    "sort_naturally",
    "to_image_tensor",
]

Rows = Any
"""Rows as users have them: `open_rows` checks that they can be used."""


def open_rows(rows: Rows, columns: Sequence[str]) -> Rows:
    """Check that rows have the columns that are needed.

    Args:
        rows: A ``datasets.Dataset``, an ``MsDataset``, or a list of dictionaries.
        columns: Names of the columns.

    Returns:
        The rows, without ModelScope's wrapper.

    Raises:
        InputError: There is no row, or a column is missing, or it is not rows at all.

    Example:
        >>> open_rows([{"a": 1}], ["b"])
        Traceback (most recent call last):
        msvsr.errors.InputError: rows need the columns 'b', got 'a'; choose a data set that has them
    """
    rows = getattr(rows, "ds_instance", rows)
    if isinstance(rows, Mapping):
        raise InputError(
            f"rows of one split were expected, got the keys {_quoted(rows)}; choose one of them"
        )
    if not (hasattr(rows, "__len__") and hasattr(rows, "__getitem__")):
        raise InputError(
            "rows must have a length and an index, "
            f"got {type(rows).__name__}; load the data set without streaming"
        )
    if len(rows) == 0:
        raise InputError("there is not one row; choose another split or data set")
    present = _column_names(rows)
    if not set(columns) <= set(present):
        raise InputError(
            f"rows need the columns {_quoted(columns)}, got {_quoted(present)}; "
            "choose a data set that has them"
        )
    return rows


def _column_names(rows: Rows) -> Sequence[str]:
    names = getattr(rows, "column_names", None)
    if names is not None:
        return list(names)
    if isinstance(rows[0], Mapping):
        return list(rows[0])
    raise InputError(
        f"a row must be a dictionary of columns, got {type(rows[0]).__name__}; "
        "give a data set, a list of dictionaries, or a folder"
    )


def _quoted(names: Iterable[object]) -> str:
    return ", ".join(f"'{name}'" for name in names) or "none"


def read_row(rows: Rows, index: int, columns: Sequence[str]) -> tuple[object, ...]:
    """Read some values of one row.

    Raises:
        InputError: The row lacks a column or has no value there.
    """
    row = rows[index]
    for column in columns:
        if row.get(column) is None:
            raise InputError(f"row {index} has no '{column}'; correct or remove that row")
    return tuple(row[column] for column in columns)


def read_column(rows: Rows, column: str) -> list[object]:
    """Read all values of one column, and nothing of the others where rows are stored by column."""
    if hasattr(rows, "column_names"):
        return list(rows[column])
    return [read_row(rows, index, (column,))[0] for index in range(len(rows))]


def load_image(source: object, label: str) -> ImageArray:
    """Decode one image.

    Args:
        source: Path; content of a file as ``bytes``; a PIL image; or a dictionary with ``bytes``
            or ``path``, the undecoded form of Hugging Face.
        label: What the image is, for errors: ``clip 003, frame 5``.

    Returns:
        RGB ``(h, w, 3)``, ``uint16`` for the 16-bit files of a path, otherwise ``uint8``.

    Raises:
        InputError: There is no such file, or the source is something else.
        VideoError: It cannot be read or is no image.
    """
    if isinstance(source, Mapping):
        source = source.get("bytes") or source.get("path")
    try:
        if isinstance(source, str | os.PathLike):
            return _load_file(Path(source), label)
        if isinstance(source, bytes):
            source = PIL.Image.open(io.BytesIO(source))
        if isinstance(source, PIL.Image.Image):
            upright = PIL.ImageOps.exif_transpose(source)
            return np.asarray(upright.convert("RGB"), dtype=np.uint8)
    except OSError as error:
        if isinstance(error, VideoError):
            raise
        raise VideoError(f"{label}: the image cannot be read ({error}); check the file") from error
    raise InputError(
        f"{label}: an image must be a path, bytes or a PIL image, got {type(source).__name__}; "
        "correct the row"
    )


def _load_file(path: Path, label: str) -> ImageArray:
    if not path.is_file():
        raise InputError(f"{label}: there is no file at {path}; download the data set again")
    image = read_image(path)
    if image is None:
        raise VideoError(f"{label}: {path} is not an image that can be decoded; check the file")
    return image


def to_image_tensor(image: ImageArray) -> torch.Tensor:
    """An image array as an image tensor: float32 in [0, 1], ``(3, h, w)``."""
    # torch has no arithmetic on uint16, so values become floating in NumPy.
    values = image.astype(np.float32) / np.float32(np.iinfo(image.dtype).max)
    return torch.from_numpy(np.ascontiguousarray(values.transpose(2, 0, 1)))


def sort_naturally(paths: Iterable[Path]) -> list[Path]:
    """Sort by name, numbers by their value, and leave hidden files and folders out."""
    shown = [path for path in paths if not path.name.startswith(".")]
    return sorted(shown, key=lambda path: (natural_key(path.name), path.name))


def list_images(folder: Path) -> list[Path]:
    """The images of a folder in natural order; none when there is no such folder."""
    if not folder.is_dir():
        return []
    files = (path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES)
    return sort_naturally(path for path in files if path.is_file())
