"""Every other frame of a clip left out, made again, and compared with the one left out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from msvsr.app.demo_compare import Scores, Scoring, as_bytes, label, write_picture
from msvsr.app.demo_panels import Panel, comparison_picture, interesting_details, side_by_side
from msvsr.app.jobs import VideoReport
from msvsr.frame import Frame
from msvsr.video import OutputOptions, SourceOptions, open_sink, open_source

__all__ = ["Interpolate", "Remade", "can_remake", "remake"]

Image = npt.NDArray[np.uint8]
Interpolate = Callable[[Path, Path, SourceOptions], VideoReport]
"""Doubles the frame rate of a folder of images, into another folder of images."""

_MIN_FRAMES, _MIN_SIDE = 3, 16
_DETAIL_SIZE = (72, 180)


@dataclass(frozen=True, kw_only=True)
class Remade:
    """What came of it.

    Attributes:
        num_made: How many frames were left out and made again.
        report: How the interpolation went.
        picture: Blend, model and truth with enlarged details, of the middle one of these frames.
        video: The frames that were kept, each shown twice, next to the model's output.
        blend: Scores of the mean of both neighbours, over the frames that were left out.
        model: Scores of the model over the same frames.
    """

    num_made: int
    report: VideoReport
    picture: Path
    video: Path
    blend: Scores
    model: Scores


def can_remake(images: Sequence[Image]) -> bool:
    """Whether there are enough frames, and enough of each, to leave any out."""
    return len(images) >= _MIN_FRAMES and min(images[0].shape[:2]) >= _MIN_SIDE


def remake(
    images: Sequence[Image],
    frame_rate: Fraction,
    interpolate: Interpolate,
    output_dir: Path,
    scratch: Path,
) -> Remade:
    """Leave out every other frame, make it again, and compare.

    Args:
        images: RGB uint8 ``(h, w, 3)``, as `can_remake` wants them; a last one without a
            neighbour behind it does not count.
        frame_rate: Theirs.
        interpolate: What makes frames.
        output_dir: Where picture and video go.
        scratch: A folder for what is not to stay.

    Raises:
        VideoError: Something cannot be read or written.
    """
    images = images[: len(images) - (len(images) + 1) % 2]
    kept, made = scratch / "every_other", scratch / "made"
    _write_images(images[::2], kept)
    report = interpolate(kept, made, SourceOptions(frame_rate=frame_rate / 2))
    with open_source(made) as frames:
        outcomes = [as_bytes(frame) for frame in frames]
    truths, models = images[1::2], outcomes[1::2]
    blends = [_mean(*pair) for pair in pairwise(images[::2])]
    blend, model = _score(blends, truths), _score(models, truths)
    video, picture = output_dir / "interpolation.mp4", output_dir / "interpolation.png"
    _write_video(images, outcomes, frame_rate, video)
    middle = len(truths) // 2
    panels = [
        Panel(label=label("blend", blend), image=blends[middle]),
        Panel(label=label("msvsr", model), image=models[middle]),
        Panel(label="ground truth", image=truths[middle]),
    ]
    # Where a blend goes wrong, something moved.
    wrong = np.asarray(cv2.absdiff(blends[middle], truths[middle]), np.uint8)
    details = interesting_details(wrong, 3, _DETAIL_SIZE)
    write_picture(picture, comparison_picture(panels, details))
    return Remade(
        num_made=len(truths), report=report, picture=picture, video=video, blend=blend, model=model
    )


def _write_images(images: Sequence[Image], folder: Path) -> None:
    height, width = images[0].shape[:2]
    with open_sink(folder, size=(height, width)) as sink:
        for index, image in enumerate(images):
            sink.write(Frame(image=image, pts=index, time_base=Fraction(1, 25)))


def _mean(first: Image, second: Image) -> Image:
    return ((first.astype(np.uint16) + second + 1) // 2).astype(np.uint8)


def _score(images: Sequence[Image], truths: Sequence[Image]) -> Scores:
    scoring = Scoring()
    for image, truth in zip(images, truths, strict=True):
        scoring.add(image, truth)
    return scoring.mean()


def _write_video(
    images: Sequence[Image], outcomes: Sequence[Image], frame_rate: Fraction, path: Path
) -> None:
    """Show each kept frame twice, and next to them the model's output."""
    joined = [
        side_by_side(
            Panel(label="every other frame", image=images[index - index % 2]),
            Panel(label="msvsr", image=outcome),
        )
        for index, outcome in enumerate(outcomes)
    ]
    height, width = joined[0].shape[:2]
    with open_sink(path, size=(height, width), options=OutputOptions(overwrite=True)) as sink:
        for index, image in enumerate(joined):
            sink.write(Frame(image=image, pts=index, time_base=1 / frame_rate, duration=1))
