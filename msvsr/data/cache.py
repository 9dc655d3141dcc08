"""Decode a clip once, keep it as a memory-mapped array outside the project."""

import hashlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from msvsr.data.rows import list_images, load_image
from msvsr.errors import ConfigError, InputError, VideoError
from msvsr.frame import ImageArray
from msvsr.video import open_source
from msvsr.video.color import to_uint8

__all__ = ["ClipSource", "default_cache_dir", "load_clip"]

_DECODER = "msvsr.video"  # part of a cached clip's name: other decoders gave other pixels


@dataclass(frozen=True, kw_only=True)
class ClipSource:
    """A clip and how often it is drawn.

    Attributes:
        name: File or folder of images, relative to the data folder.
        weight: How often it is drawn relative to the other clips.
        shrink: Integer factor by which frames are shrunk (area) before use: compressed video
            becomes clean ground truth this way.
        max_frames: Frames that are read at most; 0 reads all.
    """

    name: str
    weight: float = 1.0
    shrink: int = 2
    max_frames: int = 0

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: A value is out of range.
        """
        if self.weight <= 0 or self.shrink < 1 or self.max_frames < 0:
            raise ConfigError(
                f"clip {self.name!r} needs weight > 0, shrink >= 1 and max_frames >= 0, got "
                f"{self.weight}, {self.shrink} and {self.max_frames}"
            )


def default_cache_dir() -> Path:
    """Where decoded clips are kept unless another folder is given: below the temporary folder."""
    return Path(tempfile.gettempdir()) / "msvsr-clips"


def load_clip(root: Path, source: ClipSource, cache_dir: Path) -> npt.NDArray[np.uint8]:
    """Open a clip, decoding it into the cache when it is not there yet.

    Args:
        root: Folder that holds the clips.
        source: Which clip, and how it is shrunk.
        cache_dir: Folder of the decoded clips; made when missing.

    Returns:
        Read-only memory map ``(t, h, w, 3)``, RGB uint8.

    Raises:
        InputError: The clip does not exist.
        VideoError: Nothing in it can be decoded.
    """
    path = root / source.name
    if not path.exists():
        raise InputError(f"no clip at {path}; give the folder that holds {source.name!r}")
    cached = cache_dir / f"{path.stem}-{_fingerprint(path, source)}.npy"
    if not cached.exists():
        cache_dir.mkdir(parents=True, exist_ok=True)
        _write_array(cached, _read_frames(path, source))
    return np.load(cached, mmap_mode="r")  # type: ignore[no-any-return]


def _fingerprint(path: Path, source: ClipSource) -> str:
    """Changes when the file changes or is to be read differently."""
    stat = path.stat()
    facts = (path.resolve(), stat.st_size, stat.st_mtime_ns, source.shrink, source.max_frames)
    key = "|".join(str(fact) for fact in (*facts, _DECODER))
    return hashlib.sha256(key.encode()).hexdigest()[:12]


def _read_frames(path: Path, source: ClipSource) -> npt.NDArray[np.uint8]:
    frames: list[npt.NDArray[np.uint8]] = []
    for image in _images(path):
        if source.max_frames and len(frames) == source.max_frames:
            break
        height, width = (side // source.shrink for side in image.shape[:2])
        part = to_uint8(image[: height * source.shrink, : width * source.shrink])
        small = cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA)
        frames.append(np.asarray(small, dtype=np.uint8))
    if not frames:
        raise VideoError(f"no frame could be read from {path}; give a video or a folder of images")
    return np.stack(frames)


def _images(path: Path) -> Iterator[ImageArray]:
    """The upright frames of a video, or the images of a folder, all of which must be readable."""
    if path.is_dir():
        for file in list_images(path):
            yield load_image(file, f"clip {path.name}")
    else:
        with open_source(path) as frames:
            for frame in frames:
                yield frame.image


def _write_array(target: Path, array: npt.NDArray[np.uint8]) -> None:
    """Write under a temporary name, then move into place: no half-written cache is ever seen."""
    with tempfile.NamedTemporaryFile(dir=target.parent, suffix=".tmp", delete=False) as file:
        np.save(file, array)
    Path(file.name).replace(target)
