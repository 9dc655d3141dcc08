"""The pictures of a moving comparison: a sliding divider, or panels side by side."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

import cv2
import numpy as np
import numpy.typing as npt

from msvsr.app.compare.clips import Clips
from msvsr.app.compare.fitting import Fitter
from msvsr.app.compare.moments import Moment, play_in_step
from msvsr.app.compare.options import CompareOptions
from msvsr.app.compare.scoring import Scoring
from msvsr.app.compare.slider import SliderPlan, merge
from msvsr.app.demo_panels import Panel, label_strip, side_by_side

__all__ = [
    "Picture",
    "Scene",
    "num_pictures",
    "played",
    "scenes",
    "side_by_side_pictures",
    "slider_pictures",
]

Image = npt.NDArray[np.uint8]

_STILL_SECONDS = 3  # that single images are shown
_CHIP_SHARE = 22  # a label drawn over a frame is this part of its height
_LOWEST_CHIP = 14


@dataclass(frozen=True, kw_only=True, eq=False)
class Scene:
    """A moment with its frames brought to one size and its labels written.

    Attributes:
        moment: When, and what is new.
        images: The clips' frames, then the ground truth's where there is one.
        labels: One for each clip, with its figures; empty texts where labels are not wanted.
    """

    moment: Moment
    images: tuple[Image, ...]
    labels: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Picture:
    """One picture of the comparison with its instant and its length."""

    image: Image
    seconds: Fraction
    duration_seconds: Fraction


def scenes(
    clips: Clips,
    size: tuple[int, int],
    options: CompareOptions,
    scoring: Scoring | None,
    on_moment: Callable[[], None],
) -> Iterator[Scene]:
    """Play the clips, measuring where there is ground truth.

    Args:
        clips: What is compared.
        size: Height and width that frames are brought to.
        options: How.
        scoring: Measures; ``None`` without ground truth.
        on_moment: Called after each moment.

    Yields:
        The scenes.
    """
    shapes = tuple(clip.size for clip in clips.everything)
    fitter = Fitter(shapes, size, options.resize)
    measured = fitter if size == clips.size else Fitter(shapes, clips.size, options.resize)
    labels = tuple(clip.label for clip in clips.panels)
    for moment in play_in_step(clips):
        images = fitter(moment)
        if scoring is not None:
            labels = scoring.measure(moment, images if measured is fitter else measured(moment))
        shown = labels if options.show_labels else ("",) * len(labels)
        yield Scene(moment=moment, images=tuple(images), labels=shown)
        on_moment()


def played(clips: Clips, source: Iterator[Scene]) -> Iterator[Scene]:
    """The scenes; those of single images last some seconds."""
    for scene in source:
        yield scene
        if not clips.are_still:
            continue
        for number in range(1, num_pictures(clips)):
            moment = scene.moment
            seconds = moment.seconds + number * moment.duration_seconds
            yield replace(scene, moment=replace(moment, seconds=seconds))


def num_pictures(clips: Clips) -> int:
    """Scenes that will come, as well as the headers tell."""
    if clips.are_still:
        return max(round(_STILL_SECONDS * clips.leader.frame_rate), 1)
    return clips.num_moments


def side_by_side_pictures(clips: Clips, source: Iterator[Scene]) -> Iterator[Picture]:
    """Panels next to each other in step, under their labels."""
    for scene in played(clips, source):
        panels = [
            Panel(label=label, image=image)
            for label, image in zip(scene.labels, scene.images, strict=False)
        ]
        yield Picture(
            image=side_by_side(*panels),
            seconds=scene.moment.seconds,
            duration_seconds=scene.moment.duration_seconds,
        )


def slider_pictures(clips: Clips, source: Iterator[Scene], plan: SliderPlan) -> Iterator[Picture]:
    """The left clip and the right one, with a divider that moves as planned."""
    tick = 1 / clips.leader.frame_rate
    end, sides, position = Fraction(0), None, plan.width
    delay = Fraction(0)
    for index, scene in enumerate(played(clips, source)):
        sides, position = _label_sides(scene), plan.position(index)
        image = merge(*sides, position, plan.line_width)
        start, length = scene.moment.seconds + delay, scene.moment.duration_seconds
        yield Picture(image=image, seconds=start, duration_seconds=length)
        end = start + length
        for _ in range(plan.repeats(index)):
            yield Picture(image=image, seconds=end, duration_seconds=tick)
            end, delay = end + tick, delay + tick
    if sides is None:
        return
    for place in plan.closing(position):
        image = merge(*sides, place, plan.line_width)
        yield Picture(image=image, seconds=end, duration_seconds=tick)
        end += tick


def _label_sides(scene: Scene) -> tuple[Image, Image]:
    left, right = scene.images[:2]
    return _with_chip(left, scene.labels[0], at_left=True), _with_chip(
        right, scene.labels[1], at_left=False
    )


def _with_chip(image: Image, label: str, *, at_left: bool) -> Image:
    """An image with a label in its upper corner."""
    if not label:
        return image
    height, width = image.shape[:2]
    strip = label_strip(label)
    scale = max(height / _CHIP_SHARE, _LOWEST_CHIP) / strip.shape[0]
    scale = min(scale, width / 2 / strip.shape[1], height / strip.shape[0])
    size = [max(round(side * scale), 1) for side in (strip.shape[1], strip.shape[0])]
    chip = cv2.resize(strip, size, interpolation=cv2.INTER_AREA)
    marked: Image = image.copy()
    columns = slice(0, size[0]) if at_left else slice(width - size[0], width)
    marked[: size[1], columns] = chip
    return marked
