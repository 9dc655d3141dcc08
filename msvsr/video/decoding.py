"""Packets to frames, without inventing any where a file is damaged."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

__all__ = ["DamageReport", "decode_packets"]


@dataclass
class DamageReport:
    """What was lost while decoding.

    Attributes:
        num_lost: Frames that could not be decoded, or only by making them up.
        first_lost_seconds: Instant of the first of them; ``None`` when it has no timestamp.
        num_packets: Packets read, lost ones included.
        is_cut_off: Reading ended with an error instead of the end of the file.
    """

    num_lost: int = 0
    first_lost_seconds: Fraction | None = None
    num_packets: int = 0
    is_cut_off: bool = False

    def note_lost(self, pts: int | None, time_base: Fraction | None) -> None:
        """Count one lost frame."""
        if pts is not None and time_base is not None:
            seconds = pts * time_base
            is_first = self.first_lost_seconds is None or seconds < self.first_lost_seconds
            self.first_lost_seconds = seconds if is_first else self.first_lost_seconds
        self.num_lost += 1


class _Decoder:
    """Decodes packet by packet; after an error, drops everything until a key frame.

    Decoders hide errors: frames that refer to a lost one come out as if nothing had happened, made
    up from whatever was in the buffer. Only a key frame ends that, and only for the frames that
    are shown after it.
    """

    def __init__(self, stream: VideoStream, damage: DamageReport, wanted_from: int | None) -> None:
        self._stream = stream
        self._damage = damage
        self._wanted_from = wanted_from
        self._is_waiting = False
        self._first_good_pts: int | None = None
        self._pending_pts: set[int] = set()  # of packets whose frames are not out yet

    def decode(self, packet: "Packet[VideoStream]") -> Iterator[av.VideoFrame]:
        is_flush = packet.size == 0 and packet.dts is None
        if not is_flush:
            self._damage.num_packets += 1
        if self._is_waiting and packet.is_keyframe and not packet.is_corrupt:
            self._is_waiting, self._first_good_pts = False, packet.pts
        if not is_flush and (self._is_waiting or packet.is_corrupt):
            self._lose(packet.pts)
            return
        if self._wanted_from is not None:
            is_early = packet.pts is not None and packet.pts < self._wanted_from
            self._stream.codec_context.skip_frame = "NONREF" if is_early else "DEFAULT"
        try:
            frames = packet.decode()
        except av.FFmpegError:
            self._lose(packet.pts)
            return
        if packet.pts is not None:
            self._pending_pts.add(packet.pts)
        yield from self._good_ones(frames)

    def drain(self) -> Iterator[av.VideoFrame]:
        try:
            frames = self._stream.decode(None)
        except av.FFmpegError:
            return
        yield from self._good_ones(frames)

    def _good_ones(self, frames: list[av.VideoFrame]) -> Iterator[av.VideoFrame]:
        for frame in frames:
            pts = frame.pts
            self._pending_pts = {p for p in self._pending_pts if pts is None or p > pts}
            if frame.is_corrupt:
                self._lose(pts)
            elif self._is_waiting or self._is_before_restart(pts):
                self._damage.note_lost(pts, frame.time_base)
            else:
                yield frame

    def _is_before_restart(self, pts: int | None) -> bool:
        first = self._first_good_pts
        return first is not None and pts is not None and pts < first

    def _lose(self, pts: int | None) -> None:
        """Count a frame as lost, with those that the decoder still holds, and start to wait."""
        if not self._is_waiting:
            self._stream.codec_context.flush_buffers()
            for pending in self._pending_pts:
                self._damage.note_lost(pending, self._stream.time_base)
            self._pending_pts.clear()
        self._is_waiting = True
        self._damage.note_lost(pts, self._stream.time_base)


def decode_packets(
    container: InputContainer,
    stream: VideoStream,
    damage: DamageReport,
    *,
    wanted_from: int | None = None,
) -> Iterator[av.VideoFrame]:
    """Decode a stream from where its container stands.

    Args:
        container: An open file.
        stream: Its video stream.
        damage: Filled in while frames come out.
        wanted_from: Frames before this instant (ticks of the stream) that no other frame refers
            to are not decoded; ``None`` decodes all.

    Yields:
        The frames that decode, in the order in which they are shown.
    """
    decoder = _Decoder(stream, damage, wanted_from)
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except av.FFmpegError:
            damage.is_cut_off = True
            packet = None
        if packet is None:
            break
        yield from decoder.decode(packet)
    if damage.is_cut_off:
        yield from decoder.drain()
