"""Where the divider between two clips stands: a plan on numbers, and the picture it makes."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from msvsr.app.compare.options import SliderOptions
from msvsr.errors import ConfigError

__all__ = ["SliderPlan", "merge", "plan_slider"]

Image = npt.NDArray[np.uint8]

_WHITE = 255


@dataclass(frozen=True, kw_only=True)
class SliderPlan:
    """How the divider moves, with every number known.

    Left of the divider is the left clip, right of it the right one. The left clip is shown alone
    first; then the divider enters at the left edge and moves to the right, with a pause. After the
    last frame it rests, slides back over that frame, and rests again on the right clip.

    Attributes:
        width: Of the frames, in pixels.
        start_frame: The divider enters at this frame.
        pause_frame: It pauses here.
        pause_repeats: Frames that a pause lasts.
        step: Pixels per frame on the way to the right.
        back_step: Pixels per frame on the way back.
        line_width: Of the divider.
        freezes: Frames are repeated while the divider pauses; otherwise they play on, so that
            sound stays in step.

    Source:
        ``generate_video_demo.py`` of ckkelvinchan/RealBasicVSR, Apache-2.0, written from its
        behaviour.
    """

    width: int
    start_frame: int
    pause_frame: int
    pause_repeats: int
    step: Fraction
    back_step: Fraction
    line_width: int
    freezes: bool

    def position(self, index: int) -> int:
        """The divider's left edge at a frame; ``width`` shows the left clip alone."""
        if index < self.start_frame:
            return self.width
        if not self.freezes and index > self.pause_frame >= self.start_frame:
            index = max(self.pause_frame, index - self.pause_repeats)
        return min(int(self.step * (index - self.start_frame)), self.width)

    def repeats(self, index: int) -> int:
        """How often a frame is shown again."""
        return self.pause_repeats if self.freezes and index == self.pause_frame else 0

    def closing(self, position: int) -> Iterator[int]:
        """Positions over the last frame after it was shown, the divider being at ``position``."""
        yield from [position] * self.pause_repeats
        place = Fraction(min(position, self.width - self.line_width))
        while place + self.line_width > 0:
            yield int(place // 1)
            place -= self.back_step
        yield from [-self.line_width] * (1 + self.pause_repeats)


def plan_slider(
    options: SliderOptions, *, num_frames: int, width: int, frame_rate: Fraction, freezes: bool
) -> SliderPlan:
    """Choose what was not asked for so that it fits the clip.

    A clip of 30 frames at 25 per second and 2560 pixels gets the numbers of the original: it
    starts at frame 5, pauses at frame 15 for 25 frames, and moves about 100 pixels per frame with
    a line of 10.

    Args:
        options: What was asked for.
        num_frames: Length of the clip.
        width: Of its frames.
        frame_rate: Frames per second.
        freezes: Frames are repeated while the divider pauses.

    Returns:
        The plan.

    Raises:
        ConfigError: Something lies outside the clip.
    """
    last = num_frames - 1
    start = num_frames // 6 if options.start_frame is None else options.start_frame
    pause = num_frames // 2 if options.pause_frame is None else options.pause_frame
    for name, value in (("start_frame", start), ("pause_frame", pause)):
        if value > last:
            raise ConfigError(
                f"{name} must lie within the {num_frames} frames, counted from 0, got {value}."
            )
    if options.pause_frame is None:
        pause = max(pause, start)
    second = max(round(frame_rate), 1)
    longest = second if freezes else min(second, num_frames // 4)
    repeats = longest if options.pause_repeats is None else options.pause_repeats
    line = max(2, round(width / 256)) if options.line_width is None else options.line_width
    standing = 0 if freezes or pause < start else min(repeats, last - pause)
    default = Fraction(width, max(last - start - standing, 1))
    step = default if options.slide_step is None else Fraction(options.slide_step)
    is_given = options.slide_step is not None
    return SliderPlan(
        width=width,
        start_frame=start,
        pause_frame=pause,
        pause_repeats=repeats,
        step=step,
        back_step=step if is_given else max(step, Fraction(width, second)),
        line_width=line,
        freezes=freezes,
    )


def merge(left: Image, right: Image, position: int, line_width: int) -> Image:
    """Show one image left of a white line and another right of it.

    Args:
        left: ``(h, w, 3)``.
        right: Of the same size.
        position: Left edge of the line; outside the image one of the two fills it.
        line_width: Of the line, which is cut at the edges of the image.

    Returns:
        A new image.
    """
    width = left.shape[1]
    merged: Image = left.copy()
    begin, end = max(position, 0), max(position + line_width, 0)
    merged[:, begin:] = right[:, begin:]
    if begin < width:
        merged[:, begin:end] = _WHITE
    return merged
