"""Single frames of a video file by their number, without decoding what comes before.

The packets of a file say when its frames are shown and which of them are key frames, so reading
them, which decodes nothing, tells how many frames there are and where reading can begin.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import av
import numpy as np
import numpy.typing as npt
from av.video.stream import VideoStream

from msvsr.errors import InputError, VideoError
from msvsr.frame import ImageArray, VideoInfo
from msvsr.video.color import FrameDecoder
from msvsr.video.decoding import DamageReport, decode_packets
from msvsr.video.opening import open_container, reading
from msvsr.video.orientation import Orientation
from msvsr.video.passes import ReadingPass
from msvsr.video.probe import choose_video_stream, probe_file

__all__ = ["RandomAccessVideo"]

_CODECS_WITH_HIDDEN_FRAMES = frozenset({"vp8"})  # a packet of theirs may show nothing
_MAX_ENTRIES = 3  # key frames that are tried before the file is read from its beginning

Ticks = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class _FrameIndex:
    """When frames are shown, and where decoding can begin.

    Attributes:
        pts: Instants of the frames in ticks of the stream, increasing; only their number counts
            where the file cannot be entered.
        key_pts: Instants of the key frames, increasing.
        can_seek: Frames can be told apart by their instants.
    """

    pts: Ticks
    key_pts: Ticks
    can_seek: bool


class RandomAccessVideo:
    """Frames of a video file by number, upright and in RGB.

    It keeps no file open, so that it can travel to another process.

    Args:
        location: Path of the file.

    Raises:
        VideoError: It is not a video that can be read.

    Example:
        >>> video = RandomAccessVideo("clip.mp4")  # doctest: +SKIP
        >>> images = list(video.read([100, 102, 104]))  # doctest: +SKIP
    """

    def __init__(self, location: str) -> None:
        self.info = probe_file(location)
        self._index = _index_packets(self.info) or _index_frames(self.info)

    def __len__(self) -> int:
        """Frames in the file, whatever its header says."""
        return len(self._index.pts)

    def read(self, indices: Sequence[int]) -> Iterator[ImageArray]:
        """Decode some frames.

        Args:
            indices: Numbers of frames from 0, increasing.

        Yields:
            RGB ``(h, w, 3)``, ``uint8``, or ``uint16`` for sources of more than 8 bits.

        Raises:
            InputError: The numbers do not increase, or there is no such frame.
            VideoError: A frame cannot be decoded.
        """
        self._check(indices)
        info = self.info
        orientation = Orientation(
            rotation_degrees=info.rotation_degrees, is_mirrored=info.is_mirrored
        )
        height, width = info.size[::-1] if orientation.swaps_axes else info.size
        decoder = FrameDecoder(color=info.color, size=(height, width), is_deep=info.bit_depth > 8)
        frames = self._seek_frames(indices) if self._index.can_seek else self._count_to(indices)
        num_read = 0
        for frame in frames:
            yield orientation.apply(decoder.to_rgb(frame))
            num_read += 1
        if num_read < len(indices):
            raise VideoError(
                f"{info.location}: {len(indices) - num_read} of the frames {indices[0]} to "
                f"{indices[-1]} cannot be decoded; the file is damaged there."
            )

    def _check(self, indices: Sequence[int]) -> None:
        if not indices or not _increases(indices) or not 0 <= indices[0] <= indices[-1] < len(self):
            raise InputError(
                f"{self.info.location}: frames must be given by increasing numbers from 0 to "
                f"{len(self) - 1}, got {list(indices)}."
            )

    def _seek_frames(self, indices: Sequence[int]) -> Iterator[av.VideoFrame]:
        """Enter the file as late as possible; a file may be entered later than was asked for."""
        wanted = [int(self._index.pts[index]) for index in indices]
        for entry in self._entries(wanted[0]):
            frames = self._decode(entry, wanted[0])
            first = next(frames, None)
            if first is None or first.pts is None or (entry is not None and first.pts > wanted[0]):
                continue
            yield from _choose(first, frames, wanted)
            return

    def _entries(self, first_pts: int) -> Iterator[int | None]:
        keys = self._index.key_pts
        end = int(np.searchsorted(keys, first_pts, side="right"))
        yield from (int(pts) for pts in keys[max(0, end - _MAX_ENTRIES) : end][::-1])
        yield None

    def _decode(self, entry: int | None, wanted_from: int) -> Iterator[av.VideoFrame]:
        location = self.info.location
        with open_container(location) as container, reading(location):
            stream = _single_threaded(choose_video_stream(container, location))
            if entry is not None:
                try:
                    container.seek(entry, stream=stream)
                except av.FFmpegError:
                    return
            yield from decode_packets(container, stream, DamageReport(), wanted_from=wanted_from)

    def _count_to(self, indices: Sequence[int]) -> Iterator[av.VideoFrame]:
        wanted = set(indices)
        frames = ReadingPass(self.info, start=None, stop=None).frames()
        for number, timed in enumerate(frames):
            if number in wanted:
                yield timed.frame
            if number == indices[-1]:
                return


def _single_threaded(stream: VideoStream) -> VideoStream:
    """Workers decode side by side, and threads of their own would only get in their way."""
    stream.codec_context.thread_count = 1
    return stream


def _choose(
    first: av.VideoFrame, rest: Iterator[av.VideoFrame], wanted: list[int]
) -> Iterator[av.VideoFrame]:
    """Those of the frames that are shown at the wanted instants."""
    instants = set(wanted)
    frame: av.VideoFrame | None = first
    while frame is not None and (frame.pts is None or frame.pts <= wanted[-1]):
        if frame.pts in instants:
            yield frame
        if frame.pts == wanted[-1]:
            return
        frame = next(rest, None)


def _index_packets(info: VideoInfo) -> _FrameIndex | None:
    """Index a file by its packets; ``None`` where these do not tell its frames."""
    if info.codec in _CODECS_WITH_HIDDEN_FRAMES:
        return None
    pts, keys = _packet_instants(info)
    if not pts or None in pts or len(set(pts)) < len(pts):
        return None
    return _FrameIndex(pts=_sorted(pts), key_pts=_sorted(keys), can_seek=True)


def _index_frames(info: VideoInfo) -> _FrameIndex:
    """Index a file by decoding all of it."""
    reading_pass = ReadingPass(info, start=None, stop=None)
    pts = [timed.frame.pts for timed in reading_pass.frames()]
    known = [each for each in pts if each is not None]
    is_clear = len(known) == len(pts) and _increases(known)
    ticks = _sorted(known) if is_clear else np.arange(len(pts))
    _, keys = _packet_instants(info)
    return _FrameIndex(pts=ticks, key_pts=_sorted(keys), can_seek=is_clear)


def _packet_instants(info: VideoInfo) -> tuple[list[int | None], list[int | None]]:
    """Instants of all packets that are shown, and of those of key frames."""
    pts: list[int | None] = []
    keys: list[int | None] = []
    with open_container(info.location) as container:
        packets = container.demux(choose_video_stream(container, info.location))
        while True:
            try:
                packet = next(packets, None)
            except av.FFmpegError:  # cut off: what was read so far is there
                break
            if packet is None:
                break
            if packet.size and not packet.is_discard:
                pts.append(packet.pts)
                keys += [packet.pts] if packet.is_keyframe else []
    return pts, keys


def _increases(values: Sequence[int]) -> bool:
    return all(first < second for first, second in pairwise(values))


def _sorted(pts: Sequence[int | None]) -> Ticks:
    return np.array(sorted({each for each in pts if each is not None}), dtype=np.int64)
