"""Playing clips in step: what each of them shows at each instant."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from msvsr.app.compare.clips import Clip, Clips
from msvsr.frame import Frame, ImageArray

__all__ = ["Moment", "play_in_step"]

_TOLERANCE = Fraction(1, 4)  # of a frame: instants are rounded to the ticks of their files


@dataclass(frozen=True, kw_only=True, eq=False)
class Moment:
    """What the clips show at an instant; the ground truth, where there is one, comes last.

    Attributes:
        seconds: Since the pictures of the clips begin.
        duration_seconds: Until the next moment.
        images: A frame of each clip.
        is_new: Whether a clip shows another frame than at the moment before.
        is_over: Whether a clip has ended and its last frame is held.
    """

    seconds: Fraction
    duration_seconds: Fraction
    images: tuple[ImageArray, ...]
    is_new: tuple[bool, ...]
    is_over: tuple[bool, ...]


def play_in_step(clips: Clips) -> Iterator[Moment]:
    """Bring clips of any frame rates and lengths together by time.

    The instants are those of the clip with the highest frame rate; each other one shows the frame
    that it shows then. A clip that ends early holds its last frame until the longest one ends.

    Args:
        clips: What is compared.

    Yields:
        The moments, one after the other; two frames of each clip are held in memory.
    """
    cursors = [_Cursor(clip) for clip in clips.everything]
    leader = cursors[clips.everything.index(clips.leader)]
    tick = 1 / clips.leader.frame_rate
    tolerance = tick * _TOLERANCE
    left = clips.panels[0]
    now = Fraction(0)
    while True:
        if leader.upcoming is not None:
            now, duration = leader.begin(leader.upcoming), leader.length(leader.upcoming)
        elif any(cursor.end > now + tolerance for cursor in cursors):
            duration = tick
        else:
            return
        is_new = tuple(cursor.show(now, tolerance) for cursor in cursors)
        is_early = now + left.zero_seconds < left.source.origin_seconds - tolerance
        if not is_early:
            yield Moment(
                seconds=now,
                duration_seconds=duration,
                images=tuple(cursor.image for cursor in cursors),
                is_new=is_new,
                is_over=tuple(cursor.is_over(now + tolerance) for cursor in cursors),
            )
        now += duration


class _Cursor:
    """Where a clip stands: the frame that it shows, and the next one."""

    def __init__(self, clip: Clip) -> None:
        self._clip = clip
        self._frames = iter(clip.source)
        self._first = self.upcoming = next(self._frames, None)
        self._shown: Frame | None = None

    def begin(self, frame: Frame) -> Fraction:
        return frame.time_seconds - self._clip.zero_seconds

    def length(self, frame: Frame) -> Fraction:
        """How long a frame is shown, not beyond the instant where the clip is cut."""
        length, stop = 1 / self._clip.frame_rate, self._clip.source.stop_seconds
        if frame.duration is not None:
            length = frame.duration * frame.time_base
        is_cut = stop is not None and stop > frame.time_seconds
        return min(length, stop - frame.time_seconds) if is_cut and stop is not None else length

    @property
    def end(self) -> Fraction:
        """Where the frames known so far end; a single image ends at once."""
        last = self.upcoming or self._shown
        if last is None or self._clip.is_still:
            return Fraction(0)
        return self.begin(last) + self.length(last)

    @property
    def image(self) -> ImageArray:
        frame = self._shown
        if frame is None:
            raise RuntimeError("a source gives a frame or fails")
        return frame.image

    def is_over(self, now: Fraction) -> bool:
        return self.upcoming is None and not self._clip.is_still and now >= self.end

    def show(self, now: Fraction, tolerance: Fraction) -> bool:
        """Go on to the frame for an instant; say whether it is another one."""
        before = self._shown
        while self.upcoming is not None and self._is_due(self.upcoming, now, tolerance):
            self._shown, self.upcoming = self.upcoming, next(self._frames, None)
        return self._shown is not before

    def _is_due(self, frame: Frame, now: Fraction, tolerance: Fraction) -> bool:
        if self._shown is None:
            return True
        begin = self.begin(frame)
        is_nearer = begin - now < now - self.begin(self._shown)
        return begin <= now or (begin <= now + tolerance and is_nearer)
