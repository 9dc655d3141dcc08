"""The few source frames around the instant that an output frame is made for."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from typing import Generic

from msvsr.frame import Frame, ImageArray
from msvsr.models.contract import EncodedT, MotionT

__all__ = ["SourceFrame", "Window", "stream_windows"]


class SourceFrame(Generic[EncodedT, MotionT]):
    """A source frame with what a model made of it, as long as that is needed.

    Attributes:
        frame: The frame; without its pixels once they are forgotten.
        instant: When it is shown, in seconds.
        end: When it is shown no more, should it be the last.
        starts_shot: Whether it is the first of its shot.
        num_frames: How many frames of the source it stands for.
        encoded: What depends on it alone; ``None`` until something needs it.
        motion_to_next: Motion to the next source frame; ``None`` until something needs it.
    """

    def __init__(
        self, frame: Frame, *, instant: Fraction, end: Fraction, starts_shot: bool, num_frames: int
    ) -> None:
        self.frame = frame
        self.instant = instant
        self.end = end
        self.starts_shot = starts_shot
        self.num_frames = num_frames
        self.encoded: EncodedT | None = None
        self.motion_to_next: MotionT | None = None

    @property
    def image(self) -> ImageArray:
        """The frame's pixels."""
        return self.frame.image

    def forget_image(self) -> None:
        """Free the pixels and what was made of them; the motion stays."""
        self.frame = self.frame.with_image(self.frame.image[:0].copy())
        self.encoded = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Window(Generic[EncodedT, MotionT]):
    """Two consecutive source frames between which output frames are due, and their neighbours.

    Attributes:
        before: The one before ``first``; ``None`` at the beginning.
        first: The frame at timestep 0.
        second: The frame at timestep 1; ``None`` at the end.
        after: The one after ``second``; ``None`` near the end.
    """

    before: SourceFrame[EncodedT, MotionT] | None
    first: SourceFrame[EncodedT, MotionT]
    second: SourceFrame[EncodedT, MotionT] | None
    after: SourceFrame[EncodedT, MotionT] | None


def stream_windows(
    sources: Iterable[SourceFrame[EncodedT, MotionT]],
) -> Iterator[Window[EncodedT, MotionT]]:
    """Slide over the source frames, with each of them in ``first`` once.

    Pixels that no later window needs are freed in between: once the motion from a frame is known,
    nothing else of it is of use to the frames after it.
    """
    before: SourceFrame[EncodedT, MotionT] | None = None
    first: SourceFrame[EncodedT, MotionT] | None = None
    second: SourceFrame[EncodedT, MotionT] | None = None
    for after in chain(sources, (None, None)):
        if first is not None:
            yield Window(before=before, first=first, second=second, after=after)
            if first.motion_to_next is not None:
                first.forget_image()
        before, first, second = first, second, after
