"""Decode a clip once, keep it as a memory-mapped array outside the project."""

import hashlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from msvsr.errors import ConfigError, InputError, VideoError

__all__ = ["ClipSource", "default_cache_dir", "load_clip"]

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")


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
    key = f"{path.resolve()}|{stat.st_size}|{stat.st_mtime_ns}|{source.shrink}|{source.max_frames}"
    return hashlib.sha256(key.encode()).hexdigest()[:12]


def _read_frames(path: Path, source: ClipSource) -> npt.NDArray[np.uint8]:
    frames: list[npt.NDArray[np.uint8]] = []
    for bgr in _image_files(path) if path.is_dir() else _video_frames(path):
        if source.max_frames and len(frames) == source.max_frames:
            break
        height, width = (side // source.shrink for side in bgr.shape[:2])
        bgr = bgr[: height * source.shrink, : width * source.shrink]
        small = cv2.resize(bgr, (width, height), interpolation=cv2.INTER_AREA)
        frames.append(np.ascontiguousarray(small[..., ::-1], dtype=np.uint8))
    if not frames:
        raise VideoError(f"no frame could be read from {path}")
    return np.stack(frames)


def _video_frames(path: Path) -> Iterator[npt.NDArray[np.uint8]]:
    capture = cv2.VideoCapture(str(path))
    try:
        while True:
            is_read, bgr = capture.read()
            if not is_read:
                return
            yield np.asarray(bgr, dtype=np.uint8)
    finally:
        capture.release()


def _image_files(path: Path) -> Iterator[npt.NDArray[np.uint8]]:
    for file in sorted(path.iterdir()):
        if file.suffix.lower() in IMAGE_SUFFIXES:
            bgr = cv2.imread(str(file), cv2.IMREAD_COLOR)
            if bgr is None:
                raise VideoError(f"{file} is not an image that can be read")
            yield np.asarray(bgr, dtype=np.uint8)


def _write_array(target: Path, array: npt.NDArray[np.uint8]) -> None:
    """Write under a temporary name, then move into place: no half-written cache is ever seen."""
    with tempfile.NamedTemporaryFile(dir=target.parent, suffix=".tmp", delete=False) as file:
        np.save(file, array)
    Path(file.name).replace(target)
