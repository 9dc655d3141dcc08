"""Pictures for the page: the same moment of two videos at one size."""

import math
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2

from msvsr.errors import VideoError
from msvsr.frame import ImageArray, VideoInfo
from msvsr.ui.worker import encode_jpeg
from msvsr.video import SourceOptions, open_source

__all__ = ["Look", "write_pair"]

_LONGEST_SIDE = 1920
_QUALITY = 92
_ROUNDING = Fraction(1, 8)  # of a frame: instants in files are not exact


@dataclass(frozen=True, kw_only=True)
class Look:
    """A video to look at.

    Attributes:
        path: A video, an image or a folder of images.
        image_rate: Frames per second of a folder of images; ``None`` is 25.
    """

    path: Path
    image_rate: Fraction | None = None

    def reading(self, start_seconds: Fraction = Fraction(0)) -> SourceOptions:
        """How it is read from an instant on."""
        is_images = self.path.is_dir()
        return SourceOptions(
            start_seconds=start_seconds, frame_rate=self.image_rate if is_images else None
        )

    def info(self) -> VideoInfo:
        """What it is."""
        with open_source(self.path, self.reading()) as source:
            return source.info


def write_pair(before: Look, after: Look, share: float, folder: Path) -> tuple[Path, Path]:
    """Write what two videos show at one moment, as pictures of one size.

    Args:
        before: The left one.
        after: The right one, whose frames say what moments there are.
        share: The moment, from 0 (the first frame of ``after``) to 1 (its last).
        folder: Where the pictures go.

    Returns:
        Two JPEG files.

    Raises:
        VideoError: One of them cannot be read.
    """
    instant = _instant_at(after, share)
    left, right = _frame_at(before, instant), _frame_at(after, instant)
    height, width = max(left.shape[:2], right.shape[:2])
    paths = []
    for name, image in (("before", left), ("after", right)):
        path = folder / f"{name}-{share:.4f}.jpg"
        path.write_bytes(encode_jpeg(_fit(image, height, width), _LONGEST_SIDE, _QUALITY))
        paths.append(path)
    return paths[0], paths[1]


def _instant_at(look: Look, share: float) -> Fraction:
    """When a frame is shown, in seconds after the beginning."""
    info = look.info()
    duration = info.duration_seconds_from_header or Fraction(0)
    num_frames = info.num_frames_from_header or max(round(duration * info.frame_rate), 1)
    return Fraction(round(share * (num_frames - 1))) / info.frame_rate


def _fit(image: ImageArray, height: int, width: int) -> ImageArray:
    if image.shape[:2] == (height, width):
        return image
    fitted: ImageArray = cv2.resize(  # type: ignore[assignment]
        image, (width, height), interpolation=cv2.INTER_CUBIC
    )
    return fitted


def _frame_at(look: Look, instant: Fraction) -> ImageArray:
    """The frame that is shown at an instant; near the end, where there may be none, the first."""
    rate = look.info().frame_rate
    number = math.floor(instant * rate + _ROUNDING)
    first = _first_frame(look, max((number - _ROUNDING) / rate, Fraction(0)))
    if first is None:
        first = _first_frame(look, Fraction(0))
    if first is None:
        raise VideoError(f"{look.path}: not one frame can be decoded; check the file")
    return first


def _first_frame(look: Look, start: Fraction) -> ImageArray | None:
    try:
        with open_source(look.path, look.reading(start)) as source:
            frame = next(iter(source), None)
    except VideoError:
        if start == 0:
            raise
        return None
    return None if frame is None else frame.image
