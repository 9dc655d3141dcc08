"""Counting what a file really holds."""

from dataclasses import dataclass, replace
from fractions import Fraction

from msvsr.frame import VideoInfo
from msvsr.video.passes import ReadingPass

__all__ = ["measure"]

_ROUNDING_SECONDS = Fraction(3, 2000)  # timestamps in milliseconds may differ by one


@dataclass
class _Intervals:
    shortest: int | None = None
    longest: int = 0
    last_pts: int | None = None

    def add(self, pts: int) -> None:
        if self.last_pts is not None:
            interval = pts - self.last_pts
            self.shortest = min(self.shortest or interval, interval)
            self.longest = max(self.longest, interval)
        self.last_pts = pts


def measure(info: VideoInfo, reading_pass: ReadingPass) -> VideoInfo:
    """Decode a whole pass and count, turning nothing into RGB.

    Args:
        info: Of the file.
        reading_pass: Over the whole file, not begun.

    Returns:
        The info with its numbers ``..._from_content`` filled in.
    """
    intervals, first_pts, end_pts = _Intervals(), None, 0
    for timed in reading_pass.frames():
        first_pts = timed.pts if first_pts is None else first_pts
        end_pts = timed.pts + (timed.duration or 0)
        intervals.add(timed.pts)
    spread = (intervals.longest - (intervals.shortest or intervals.longest)) * info.time_base
    return replace(
        info,
        num_frames_from_content=reading_pass.num_frames,
        duration_seconds_from_content=(end_pts - (first_pts or 0)) * info.time_base,
        is_variable_rate=spread > _ROUNDING_SECONDS,
    )
