"""Files that are wanted for their sound alone."""

from dataclasses import dataclass
from fractions import Fraction

import av
from av.stream import Disposition

from msvsr.errors import VideoError
from msvsr.frame import StreamInfo
from msvsr.video.opening import open_container, reading
from msvsr.video.probe import describe_stream

__all__ = ["SoundInfo", "probe_sound"]


@dataclass(frozen=True, kw_only=True)
class SoundInfo:
    """What a file says about its sound.

    Attributes:
        location: Path or URL.
        streams: Its audio streams.
        start_seconds: Instant of the file's clock at which the file as a whole begins.
        duration_seconds_from_header: Length that the header claims; ``None`` when it does not.
    """

    location: str
    streams: tuple[StreamInfo, ...]
    start_seconds: Fraction
    duration_seconds_from_header: Fraction | None


def probe_sound(location: str) -> SoundInfo:
    """Read the header of a file with sound, with pictures or without.

    Raises:
        VideoError: It cannot be read, or there is no sound in it.
    """
    with open_container(location) as container, reading(location):
        streams = tuple(describe_stream(stream) for stream in container.streams.audio)
        if not streams:
            raise VideoError(f"{location}: there is no sound in this file; name another one.")
        pictures = [
            describe_stream(stream)
            for stream in container.streams.video
            if not stream.disposition & Disposition.attached_pic
        ]
        starts = [
            max(stream.start_seconds_from_header or Fraction(0), Fraction(0))
            for stream in (*streams, *pictures)
        ]
        length = container.duration
        return SoundInfo(
            location=location,
            streams=streams,
            start_seconds=min(starts),
            duration_seconds_from_header=Fraction(length, av.time_base) if length else None,
        )
