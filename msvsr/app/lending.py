"""A source whose frames are made elsewhere: it lends its sound, its subtitles and its tags."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from types import TracebackType

from msvsr.frame import Frame, VideoInfo
from msvsr.video import SourceOptions

__all__ = ["Lender"]


@dataclass(frozen=True, kw_only=True)
class Lender:
    """What `msvsr.video.open_sink` needs to know of a source, without frames.

    Attributes:
        info: Where sound and subtitles are, and how the output is to be coloured.
        origin_seconds: The instant of the source's clock that becomes zero.
        stop_seconds: The instant where the source is cut; ``None``: nowhere.
        options: How the source is read.
        warnings: What is wrong with it.
    """

    info: VideoInfo
    origin_seconds: Fraction = Fraction(0)
    stop_seconds: Fraction | None = None
    options: SourceOptions = field(default_factory=SourceOptions)
    warnings: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Frame]:
        """Give no frame."""
        return iter(())

    def __enter__(self) -> "Lender":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        return None
