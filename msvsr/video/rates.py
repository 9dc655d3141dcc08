"""How many frames per second a file has, when its header cannot be trusted."""

from collections.abc import Iterable
from fractions import Fraction
from itertools import islice

from av.video.stream import VideoStream

from msvsr.video.opening import open_container, reading

__all__ = ["mean_rate", "rate_from_header", "sample_rate"]

_TOLERANCE = Fraction(2, 100)
_SNAP = Fraction(2, 1000)
_NUM_SAMPLED_PACKETS = 48
_USUAL_RATES = tuple(
    Fraction(rate)
    for rate in ("24000/1001", "24", "25", "30000/1001", "30", "48", "50", "60000/1001", "60")
)


def rate_from_header(stream: VideoStream) -> Fraction | None:
    """Frames per second as the header tells, where its numbers agree with each other.

    Args:
        stream: An open video stream.

    Returns:
        The average rate; ``None`` when the header contradicts itself (FLV and Matroska files may
        claim 1000 frames per second).
    """
    if stream.frames and stream.duration and stream.time_base:
        return stream.frames / (stream.duration * stream.time_base)
    average, guessed = stream.average_rate, stream.guessed_rate
    if not average or not guessed or abs(average / guessed - 1) > _TOLERANCE:
        return None
    return average


def sample_rate(location: str) -> Fraction | None:
    """Frames per second over a file's first packets, decoding nothing."""
    with open_container(location) as container, reading(location):
        stream = container.streams.best("video")
        if stream is None or not stream.time_base:
            return None
        packets = islice(container.demux(stream), _NUM_SAMPLED_PACKETS)
        pts = [packet.pts for packet in packets if packet.pts is not None]
        return mean_rate([value * stream.time_base for value in pts])


def mean_rate(times_seconds: Iterable[Fraction]) -> Fraction | None:
    """Frames per second of some instants in any order, moved to a usual rate when very near one.

    Example:
        >>> mean_rate([Fraction(0), Fraction(33, 1000), Fraction(67, 1000), Fraction(1, 10)])
        Fraction(30, 1)
    """
    times = sorted(set(times_seconds))
    if len(times) < 2:
        return None
    rate = (len(times) - 1) / (times[-1] - times[0])
    nearest = min(_USUAL_RATES, key=lambda usual: abs(usual / rate - 1))
    if abs(nearest / rate - 1) <= _SNAP:
        return nearest
    return rate.limit_denominator(1001)
