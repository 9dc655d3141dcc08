"""What every source of frames offers, whatever is behind it."""

from collections.abc import Iterator
from fractions import Fraction
from types import TracebackType
from typing import Protocol, runtime_checkable

from msvsr.frame import Frame, VideoInfo
from msvsr.video.options import SourceOptions

__all__ = ["FrameSource"]


@runtime_checkable
class FrameSource(Protocol):
    """Frames in the order in which they are shown, with what is known about where they come from.

    Iterating again starts again from the first frame.
    """

    @property
    def info(self) -> VideoInfo:
        """What the header and the first frame say."""

    @property
    def options(self) -> SourceOptions:
        """How the source is read."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is wrong with the source, one line each; grows during and after iteration."""

    @property
    def origin_seconds(self) -> Fraction:
        """The instant, on the clock of the frames, that becomes zero in an output.

        The beginning of the file as a whole (its audio may start before its first frame), or the
        first frame that is kept when ``start_seconds`` was given.
        """

    @property
    def stop_seconds(self) -> Fraction | None:
        """The instant, on the clock of the frames, where the source is cut; ``None``: nowhere."""

    def __iter__(self) -> Iterator[Frame]:
        """Give upright RGB frames with strictly increasing timestamps."""

    def __enter__(self) -> "FrameSource":
        """Do nothing: every iteration opens and closes what it reads."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Release what an unfinished iteration holds."""
