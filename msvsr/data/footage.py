"""Clips to train on, read where they are: folders of images and video files, frame by number."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

import cv2
import numpy as np

from msvsr.data.rows import load_image, sort_naturally
from msvsr.data.sampling import ByteClip
from msvsr.errors import ConfigError, InputError, ShapeError
from msvsr.frame import ImageArray
from msvsr.video.color import to_uint8
from msvsr.video.images import IMAGE_SUFFIXES, read_image_size
from msvsr.video.random_access import RandomAccessVideo

__all__ = [
    "VIDEO_SUFFIXES",
    "Box",
    "Footage",
    "FootageSource",
    "ImageFootage",
    "VideoFootage",
    "find_footage",
    "read_box",
]

VIDEO_SUFFIXES = frozenset({
    ".3gp", ".avi", ".flv", ".gif", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg",
    ".mts", ".mxf", ".ogv", ".ts", ".webm", ".wmv", ".y4m",
})  # fmt: skip


class Box(NamedTuple):
    """A rectangle of pixels."""

    top: int
    left: int
    height: int
    width: int


class Footage(Protocol):
    """A clip whose frames can be read by number."""

    @property
    def name(self) -> str:
        """What the clip is called: its path below the folder in which it was found."""

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of its upright frames."""

    def __len__(self) -> int:
        """Frames in it."""

    def read(self, indices: Sequence[int]) -> Iterator[ImageArray]:
        """Decode the frames with these increasing numbers, and as few others as possible.

        Raises:
            MsvsrError: A frame cannot be read.
        """


class ImageFootage:
    """A folder of images in natural order.

    Args:
        name: What the clip is called.
        paths: The images.

    Raises:
        InputError: The first image says no size.
    """

    def __init__(self, name: str, paths: Sequence[Path]) -> None:
        self.name = name
        # Names alone: a data set has 100,000s of images, and workers are sent all of them.
        self._folder, self._files = paths[0].parent, [path.name for path in paths]
        size = read_image_size(paths[0])
        if size is None:
            raise InputError(f"clip {name}: {paths[0]} is not an image that can be read; check it")
        self.size = size

    def __len__(self) -> int:
        return len(self._files)

    def read(self, indices: Sequence[int]) -> Iterator[ImageArray]:
        """Decode these images.

        Raises:
            VideoError: One cannot be decoded.
            ShapeError: One is not as large as the first of the clip.
        """
        for index in indices:
            image = load_image(self._folder / self._files[index], f"clip {self.name}")
            if image.shape[:2] != self.size:
                raise ShapeError(
                    f"clip {self.name}: all images must be as large as the first, which is "
                    f"{self.size[1]}x{self.size[0]}, but {self._files[index]} is "
                    f"{image.shape[1]}x{image.shape[0]}; sort them apart"
                )
            yield image


class VideoFootage:
    """A video file.

    Args:
        name: What the clip is called.
        path: The file.

    Raises:
        VideoError: It is not a video that can be read.
    """

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self._video = RandomAccessVideo(str(path))

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of its upright frames."""
        return self._video.info.size

    def __len__(self) -> int:
        return len(self._video)

    def read(self, indices: Sequence[int]) -> Iterator[ImageArray]:
        """Decode these frames.

        Raises:
            VideoError: One cannot be decoded.
        """
        return self._video.read(indices)


@dataclass(frozen=True, kw_only=True)
class FootageSource:
    """Where clips are, and how they are used.

    Attributes:
        path: A video file, a folder of images, or a folder that holds some of these at any depth.
        weight: How often each of its clips is drawn relative to the others.
        shrink: Integer factor by which frames are shrunk (area): compressed video becomes clean
            ground truth this way.
        max_frames: Frames of each clip that are used at most; 0 uses all.
    """

    path: str
    weight: float = 1.0
    shrink: int = 1
    max_frames: int = 0

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: A value is out of range.
        """
        if self.weight <= 0 or self.shrink < 1 or self.max_frames < 0:
            raise ConfigError(
                f"clips of {self.path!r} need weight > 0, shrink >= 1 and max_frames >= 0, got "
                f"{self.weight}, {self.shrink} and {self.max_frames}"
            )


def find_footage(location: str | os.PathLike[str]) -> list[Footage]:
    """Find the clips in a folder and all folders below it, in natural order.

    Each folder that holds images is a clip, and so is each video file. Hidden files and folders
    are left out.

    Args:
        location: A video file, a folder of images, or a folder that holds some of these.

    Returns:
        At least one clip.

    Raises:
        InputError: There is no clip.
        VideoError: A video file cannot be read.
    """
    path = Path(location)
    if path.is_file():
        return [VideoFootage(path.name, path)]
    if not path.is_dir():
        raise InputError(f"there is no file or folder {path}; give a video or a folder of clips")
    footage = list(_walk(path, path))
    if not footage:
        raise InputError(
            f"{path}: expected videos or folders of images, but found neither; "
            "give the folder that holds them"
        )
    return footage


def _walk(folder: Path, root: Path) -> Iterator[Footage]:
    """A folder may hold 100,000s of entries, so it is listed once and few of them are asked."""
    with os.scandir(folder) as listing:
        entries = {folder / entry.name: entry.is_dir() for entry in listing}
    images = [path for path, is_dir in entries.items() if not is_dir and _has(path, IMAGE_SUFFIXES)]
    images = sort_naturally(images)
    if images:
        name = folder.relative_to(root).as_posix() if folder != root else folder.resolve().name
        yield ImageFootage(name, images)
    for path in sort_naturally(entries):
        if entries[path]:
            yield from _walk(path, root)
        elif _has(path, VIDEO_SUFFIXES):
            yield VideoFootage(path.relative_to(root).as_posix(), path)


def _has(path: Path, suffixes: frozenset[str]) -> bool:
    return path.suffix.lower() in suffixes


def read_box(footage: Footage, indices: Sequence[int], box: Box, *, shrink: int = 1) -> ByteClip:
    """Read one rectangle of some frames.

    Args:
        footage: The clip.
        indices: Numbers of frames, increasing.
        box: The rectangle, in pixels of the shrunk frames.
        shrink: Integer factor by which frames are shrunk (area).

    Returns:
        ``(t, h, w, 3)``, RGB uint8, in an array of its own.

    Raises:
        MsvsrError: A frame cannot be read.
    """
    clip = np.empty((len(indices), box.height, box.width, 3), np.uint8)
    top, left, height, width = (shrink * side for side in box)
    for number, image in enumerate(footage.read(indices)):
        part = to_uint8(image[top : top + height, left : left + width])
        if shrink > 1:
            size = (box.width, box.height)
            part = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)
        clip[number] = part
    return clip
