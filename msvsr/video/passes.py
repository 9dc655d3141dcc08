"""One pass over a file: decoded frames with timestamps that can be relied on."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

import av

from msvsr.frame import VideoInfo
from msvsr.video.decoding import DamageReport, decode_packets
from msvsr.video.opening import open_container, reading
from msvsr.video.timestamps import TimestampRepair, nearest_tick

__all__ = ["ReadingPass", "TimedFrame"]

_SEEK_MARGIN_SECONDS = 1
_MISSING_SECONDS = 1  # how much shorter than its header a file with several streams may be
_MISSING_SHARE = Fraction(1, 10)


@dataclass(frozen=True, kw_only=True)
class TimedFrame:
    """A decoded frame with its repaired timestamp and its duration, in ticks of the source."""

    frame: av.VideoFrame
    pts: int
    duration: int | None


class ReadingPass:
    """Decodes the wanted part of a file once and remembers what was wrong with it.

    A frame lasts until the next one begins: what files say of durations is often wrong. Only the
    last one's duration comes from the file, unless it is implausibly short.

    Attributes:
        first_kept_seconds: Instant of the first frame given; ``None`` before it.
        num_frames: Frames given so far.
        has_other_sizes: A frame had another size than the first one.
    """

    def __init__(self, info: VideoInfo, *, start: Fraction | None, stop: Fraction | None) -> None:
        """Prepare a pass.

        Args:
            info: Of the file.
            start: Frames before this instant of the file's clock are left out; ``None`` for none.
            stop: Frames from this instant on are left out; ``None`` for none.
        """
        self._info = info
        self._start = start
        self._stop = stop
        self._end_seconds = info.start_seconds
        self._is_whole = False
        self._reset()
        self.first_kept_seconds: Fraction | None = None
        self.num_frames = 0
        self.has_other_sizes = False

    def _reset(self) -> None:
        time_base = self._info.time_base
        self._damage = DamageReport()
        self._clock = TimestampRepair(
            frame_ticks=nearest_tick(1 / self._info.frame_rate, time_base),
            second_ticks=nearest_tick(Fraction(1), time_base),
        )

    def frames(self) -> Iterator[TimedFrame]:
        """Give the wanted frames; can be used once."""
        pending: TimedFrame | None = None
        interval: int | None = None
        for timed in self._kept_frames():
            if pending is not None:
                interval = timed.pts - pending.pts
                yield replace(pending, duration=interval)
            pending = timed
            self._note(timed)
        if pending is not None:
            stated = self._last_duration(pending, interval)
            self._end_seconds = (pending.pts + (stated or 0)) * self._info.time_base
            yield replace(pending, duration=stated)

    def _last_duration(self, last: TimedFrame, interval: int | None) -> int | None:
        """The last frame's duration: the file's, unless the header's end of the stream differs.

        With frames stored out of order an mp4 tells durations of storage, not of display.
        """
        stated, info = last.duration, self._info
        if interval is not None and (stated is None or stated * 4 < interval):
            stated = interval
        is_complete = self._is_whole and self._damage.num_packets == info.num_frames_from_header
        stream, length = info.video_stream, info.duration_seconds_from_header
        if is_complete and stream is not None and length is not None:
            start = stream.start_seconds_from_header or Fraction(0)
            until_end = nearest_tick(start + length, info.time_base) - last.pts
            return until_end if until_end > 0 else stated
        return stated

    def _note(self, timed: TimedFrame) -> None:
        seconds = timed.pts * self._info.time_base
        if self.first_kept_seconds is None:
            self.first_kept_seconds = seconds
            self._size = (timed.frame.height, timed.frame.width)
        self._end_seconds = seconds
        self.num_frames += 1
        self.has_other_sizes |= (timed.frame.height, timed.frame.width) != self._size

    def _kept_frames(self) -> Iterator[TimedFrame]:
        for frame in self._decoded_frames():
            pts = self._clock.next(frame.pts)
            seconds = pts * self._info.time_base
            if self._stop is not None and seconds >= self._stop:
                return
            if self._start is None or seconds >= self._start:
                yield TimedFrame(frame=frame, pts=pts, duration=frame.duration or None)
        self._is_whole = True

    def _decoded_frames(self) -> Iterator[av.VideoFrame]:
        start, margin = self._start, _SEEK_MARGIN_SECONDS
        if start is not None and start - margin > self._info.start_seconds:
            frames = self._decode_from(start - margin)
            first = next(frames, None)
            if first is not None and (first.pts or 0) * self._info.time_base <= start:
                yield first
                yield from frames
                return
            self._reset()  # the file cannot be entered there: read it from its beginning
        yield from self._decode_from(None)

    def _decode_from(self, seconds: Fraction | None) -> Iterator[av.VideoFrame]:
        location = self._info.location
        with open_container(location) as container, reading(location):
            stream = container.streams.video[0]
            for candidate in container.streams.video:
                if candidate.index == self._info.stream_index:
                    stream = candidate
            if seconds is not None:
                try:
                    container.seek(int(seconds / self._info.time_base), stream=stream)
                except av.FFmpegError:
                    return
            yield from decode_packets(container, stream, self._damage)

    def notes(self) -> Iterator[str]:
        """Say what was wrong, one line each."""
        damage, clock, info = self._damage, self._clock, self._info
        if damage.num_lost:
            at = damage.first_lost_seconds
            where = "" if at is None else f" at {float(at - info.start_seconds):.2f} s"
            yield (
                f"damaged{where}: {damage.num_lost} frames cannot be decoded and are left out; "
                f"{self.num_frames} frames were read."
            )
        if damage.is_cut_off:
            yield f"reading broke off after {self.num_frames} frames; the rest is lost."
        elif self._is_whole and not damage.num_lost and self._is_shorter_than_header():
            yield self._shortness()
        if clock.num_missing:
            yield f"{clock.num_missing} frames had no timestamp; they follow at the usual distance."
        if clock.num_moved:
            yield f"{clock.num_moved} timestamps did not increase; they were moved by a little."
        if clock.num_restarts:
            yield f"the clock jumps back {clock.num_restarts} times; the parts follow one another."
        if self.has_other_sizes:
            yield f"some frames have another size; they were scaled to {info.width}x{info.height}."

    def _is_shorter_than_header(self) -> bool:
        promised, info = self._info.duration_seconds_from_header, self._info
        if promised is None:
            return False
        missing = info.start_seconds + promised - self._end_seconds
        if info.num_frames_from_header is not None:
            is_fewer = self._damage.num_packets < info.num_frames_from_header
            return is_fewer and missing * info.frame_rate > Fraction(3, 2)
        return missing > _MISSING_SECONDS and missing > promised * _MISSING_SHARE

    def _shortness(self) -> str:
        promised = self._info.duration_seconds_from_header or Fraction(0)
        length = self._end_seconds - self._info.start_seconds
        return (
            f"the video ends after {float(length):.2f} s though the header promises "
            f"{float(promised):.2f} s; it may be cut off. {self.num_frames} frames were read."
        )
