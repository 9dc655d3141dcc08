"""Choosing the reader that suits a location."""

import os
from pathlib import Path

from msvsr.errors import VideoError
from msvsr.frame import VideoInfo
from msvsr.video.base import FrameSource
from msvsr.video.images import IMAGE_SUFFIXES, ImageSource
from msvsr.video.opening import is_url
from msvsr.video.options import SourceOptions
from msvsr.video.reader import FileSource

__all__ = ["open_source", "probe"]


def open_source(
    location: str | os.PathLike[str], options: SourceOptions | None = None
) -> FrameSource:
    """Open a video file, an http(s) URL, a folder of images or an image for reading.

    Args:
        location: Where the video is.
        options: Which part of it to read.

    Returns:
        The source, to be used in a ``with`` block and iterated.

    Raises:
        VideoError: There is nothing that can be read; the message says what to do.
        ConfigError: An option does not suit the source.

    Example:
        >>> with open_source("clip.mp4") as source:  # doctest: +SKIP
        ...     for frame in source:
        ...         print(frame.time_seconds, frame.image.shape)
    """
    return _open(location, options)


def probe(location: str | os.PathLike[str], *, count_frames: bool = False) -> VideoInfo:
    """Say what is known about a video without reading its frames, or after counting them.

    Args:
        location: Where the video is.
        count_frames: Also decode everything, to fill in the numbers ``..._from_content``.

    Raises:
        VideoError: There is nothing that can be read; the message says what to do.
    """
    source = _open(location, None)
    return source.measure() if count_frames else source.info


def _open(
    location: str | os.PathLike[str], options: SourceOptions | None
) -> FileSource | ImageSource:
    name = os.fspath(location)
    if is_url(name):
        return FileSource(name, options)
    path = Path(name)
    try:
        is_images = path.is_dir() or (path.is_file() and path.suffix.lower() in IMAGE_SUFFIXES)
    except OSError as error:
        raise VideoError(f"{name}: cannot be looked at ({error.strerror}).") from error
    return ImageSource(path, options) if is_images else FileSource(name, options)
