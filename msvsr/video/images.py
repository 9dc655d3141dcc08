"""Folders of images, and single images, as a source of frames."""

import re
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np
import PIL.Image

from msvsr.errors import VideoError
from msvsr.frame import ColorInfo, Frame, ImageArray, VideoInfo
from msvsr.video.color import to_uint8, to_uint16
from msvsr.video.options import SourceOptions
from msvsr.video.timestamps import seconds_to_fraction

__all__ = ["IMAGE_SUFFIXES", "ImageSource", "natural_key", "read_image", "read_image_size"]

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp"})
_DEFAULT_RATE = Fraction(25)
_EXIF_ORIENTATION = 0x0112
_ORIENTATIONS_THAT_SWAP = frozenset({5, 6, 7, 8})


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """Sort key that puts ``frame10`` after ``frame9``.

    Example:
        >>> sorted(["f10.png", "f9.png", "F1.png"], key=natural_key)
        ['F1.png', 'f9.png', 'f10.png']
    """
    parts = re.split(r"(\d+)", name.lower())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts]


def read_image(path: Path) -> ImageArray | None:
    """Read an image upright.

    Returns:
        RGB ``(h, w, 3)``, ``uint16`` for 16-bit files, otherwise ``uint8``; ``None`` when it does
        not decode.
    """
    encoded = np.frombuffer(path.read_bytes(), np.uint8)
    if encoded.size == 0:
        return None
    bgr = cv2.imdecode(encoded, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    if bgr is None or bgr.dtype not in (np.uint8, np.uint16):
        return None
    rgb: ImageArray = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)  # type: ignore[assignment]
    return rgb


def read_image_size(path: Path) -> tuple[int, int] | None:
    """Height and width of the upright image, from its header alone."""
    try:
        with PIL.Image.open(path) as image:
            width, height = image.size
            # Pillow decodes a whole PNG to look for EXIF data behind the pixels.
            has_exif = image.format != "PNG" or "exif" in image.info
            orientation = image.getexif().get(_EXIF_ORIENTATION, 1) if has_exif else 1
            turned = orientation in _ORIENTATIONS_THAT_SWAP
    except (OSError, SyntaxError, ValueError, PIL.Image.DecompressionBombError):
        return None
    return (width, height) if turned else (height, width)


def _list_images(location: Path) -> tuple[Path, ...]:
    if location.is_file():
        return (location,)
    try:
        names = [path for path in location.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES]
    except PermissionError as error:
        raise VideoError(f"{location}: the folder cannot be read; check permissions.") from error
    paths = [path for path in names if not path.name.startswith(".") and path.is_file()]
    if not paths:
        raise VideoError(
            f"{location}: expected a video or a folder of images, but there is no image in this "
            f"folder; images end in {' '.join(sorted(IMAGE_SUFFIXES))}."
        )
    return tuple(sorted(paths, key=lambda path: (natural_key(path.name), path.name)))


def _check_sizes(location: Path, paths: tuple[Path, ...], size: tuple[int, int]) -> None:
    for path in paths:
        other = read_image_size(path)
        if other is not None and other != size:
            raise VideoError(
                f"{location}: all images must have one size, but {paths[0].name} is "
                f"{size[1]}x{size[0]} and {path.name} is {other[1]}x{other[0]}; sort them apart."
            )


class ImageSource:
    """A `FrameSource` over a folder of images in natural order, or over one image."""

    def __init__(self, location: Path, options: SourceOptions | None = None) -> None:
        """List the images and compare their sizes.

        Args:
            location: A folder, or an image file.
            options: What to read, and at which frame rate.

        Raises:
            VideoError: There is no image, none can be read, or their sizes differ.
        """
        self._options = options or SourceOptions()
        self._location = location
        self._paths = _list_images(location)
        self._lost: list[str] = []
        first = next((image for image in map(read_image, self._paths) if image is not None), None)
        if first is None:
            raise VideoError(f"{location}: not one image can be decoded; check the files.")
        size = (first.shape[0], first.shape[1])
        _check_sizes(location, self._paths, size)
        self._info = self._describe(size, 16 if first.dtype == np.uint16 else 8)
        self._first, self._end = self._find_range()

    def _describe(self, size: tuple[int, int], bit_depth: int) -> VideoInfo:
        rate = self._options.frame_rate or _DEFAULT_RATE
        return VideoInfo(
            location=str(self._location),
            container="images",
            is_image_folder=True,
            height=size[0],
            width=size[1],
            frame_rate=rate,
            time_base=1 / rate,
            codec=self._paths[0].suffix.lower().lstrip("."),
            pixel_format="rgb24" if bit_depth == 8 else "rgb48le",
            bit_depth=bit_depth,
            color=ColorInfo(matrix="rgb", range="full", matrix_code=0),
            num_frames_from_header=len(self._paths),
            duration_seconds_from_header=len(self._paths) / rate,
        )

    def _find_range(self) -> tuple[int, int]:
        rate, count = self._info.frame_rate, len(self._paths)
        start = seconds_to_fraction(self._options.start_seconds or 0) * rate
        end = self._options.end_seconds
        stop = count if end is None else min(count, _ceil(seconds_to_fraction(end) * rate))
        if _ceil(start) >= stop:
            raise VideoError(
                f"{self._location}: none of the {count} images lies between the start and the end "
                "that were asked for; choose others."
            )
        return _ceil(start), stop

    @property
    def info(self) -> VideoInfo:
        """What the first image says."""
        return self._info

    @property
    def options(self) -> SourceOptions:
        """How the source is read."""
        return self._options

    @property
    def origin_seconds(self) -> Fraction:
        """The instant that becomes zero in an output."""
        return self._first * self._info.time_base

    @property
    def stop_seconds(self) -> Fraction | None:
        """The instant where the source is cut."""
        return None if self._options.end_seconds is None else self._end * self._info.time_base

    @property
    def warnings(self) -> tuple[str, ...]:
        """The images that could not be read, one line each."""
        return tuple(
            f"{self._location}: {name} cannot be decoded and is left out." for name in self._lost
        )

    def __enter__(self) -> "ImageSource":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        return None

    def __iter__(self) -> Iterator[Frame]:
        self._lost = []
        for index in range(self._first, self._end):
            image = read_image(self._paths[index])
            if image is None or image.shape[:2] != self._info.size:
                self._lost.append(self._paths[index].name)
                continue
            yield Frame(
                image=to_uint16(image) if self._info.bit_depth > 8 else to_uint8(image),
                pts=index,
                time_base=self._info.time_base,
                duration=1,
            )

    def measure(self) -> VideoInfo:
        """The info: every image counts as a frame."""
        return replace(
            self._info,
            num_frames_from_content=len(self._paths),
            duration_seconds_from_content=self._info.duration_seconds_from_header,
            is_variable_rate=False,
        )


def _ceil(value: Fraction) -> int:
    return -(-value.numerator // value.denominator)
