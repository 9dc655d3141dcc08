"""A contact sheet: stills of each clip in columns, with enlarged parts below them."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from msvsr.app.compare.options import CompareOptions
from msvsr.app.compare.pictures import Scene
from msvsr.app.demo_panels import (
    Detail,
    Panel,
    comparison_picture,
    interesting_details,
    label_strip,
)
from msvsr.errors import ConfigError, VideoError

__all__ = ["choose_stills", "draw_sheet", "pick_scenes", "write_image"]

Image = npt.NDArray[np.uint8]

_CROP_SHARE = 7  # a part that is enlarged is this part of a frame's width
_SMALLEST_CROP = 96
_CROP_SHAPE = 0.4  # its height over its width
_JPEG_QUALITY = 92


def choose_stills(num_moments: int, num_stills: int) -> tuple[int, ...]:
    """Numbers of moments spread evenly over a clip.

    Example:
        >>> choose_stills(30, 3)
        (5, 15, 25)
    """
    places = {(2 * number + 1) * num_moments // (2 * num_stills) for number in range(num_stills)}
    return tuple(sorted(places))


def pick_scenes(source: Iterable[Scene], wanted: Sequence[int], *, to_the_end: bool) -> list[Scene]:
    """Take some of the scenes, and the last one where the clip ends before all have come.

    Args:
        source: The scenes.
        wanted: Numbers of scenes.
        to_the_end: Play on when all have come, for what is measured on the way.

    Returns:
        The scenes, at least one.

    Raises:
        VideoError: There is none.
    """
    picked: list[Scene] = []
    last: Scene | None = None
    for index, scene in enumerate(source):
        last = scene
        if index in wanted:
            picked.append(scene)
        if len(picked) == len(wanted) and not to_the_end:
            return picked
    if last is None:
        raise VideoError("there is no frame to compare; check the clips.")
    return picked if len(picked) == len(wanted) or last in picked else [*picked, last]


def draw_sheet(picked: Sequence[Scene], options: CompareOptions) -> Image:
    """Lay the stills out below each other.

    Args:
        picked: At least one.
        options: Says how many parts are enlarged, or which.

    Returns:
        The sheet.

    Raises:
        ConfigError: A part that was asked for lies outside the frames.
    """
    rows: list[Image] = []
    for scene in picked:
        labels = scene.labels
        if len(scene.images) > len(labels):
            labels = (*labels, "ground truth" if options.show_labels else "")
        panels = [
            Panel(label=label, image=image)
            for label, image in zip(labels, scene.images, strict=True)
        ]
        picture = comparison_picture(panels, _details(scene, options))
        if len(picked) > 1:
            text = f"{float(scene.moment.seconds):.2f} s"
            rows.append(label_strip(text, picture.shape[1]))
        rows.append(picture)
    return np.vstack(rows)


def _details(scene: Scene, options: CompareOptions) -> Sequence[Detail]:
    height, width = scene.images[-1].shape[:2]
    for crop in options.crops:
        is_inside = crop.x + crop.width <= width and crop.y + crop.height <= height
        if not is_inside or min(crop.x, crop.y) < 0 or min(crop.width, crop.height) < 1:
            raise ConfigError(
                f"crops must lie inside the frames of {width}x{height}, got "
                f"{crop.x},{crop.y},{crop.width},{crop.height} (x, y, width, height)."
            )
    if options.crops or not options.num_crops:
        return options.crops
    side = max(width // _CROP_SHARE, _SMALLEST_CROP)
    size = (round(side * _CROP_SHAPE), side)
    return interesting_details(scene.images[-1], options.num_crops, size)


def write_image(image: Image, target: Path) -> None:
    """Write a PNG, or a JPEG where the name asks for one.

    Raises:
        VideoError: It is too large for the format.
    """
    suffix = ".jpg" if target.suffix.lower() in (".jpg", ".jpeg") else ".png"
    quality = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY] if suffix == ".jpg" else []
    try:
        is_encoded, data = cv2.imencode(suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR), quality)
    except cv2.error:
        is_encoded = False
    if not is_encoded:
        raise VideoError(
            f"a picture of {image.shape[1]}x{image.shape[0]} is too large for {suffix}; ask for "
            "fewer stills or crops."
        )
    target.write_bytes(data.tobytes())
