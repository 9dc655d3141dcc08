"""Copying sound and subtitles from a source into an output, packet by packet."""

import io
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from types import TracebackType

import av
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import Stream

from msvsr.frame import StreamInfo, VideoInfo
from msvsr.video.opening import explain, open_container
from msvsr.video.subtitles import SubtitleConverter, find_converter
from msvsr.video.timestamps import nearest_tick

__all__ = ["StreamCopier"]

_SEEK_MARGIN_SECONDS = 30  # a subtitle may begin long before the cut that it reaches over
_TRANSIENT_TAGS = ("BPS", "DURATION", "NUMBER_OF", "_STATISTICS", "ENCODER", "VENDOR_ID")


@dataclass
class _Route:
    """Where the packets of one source stream go."""

    info: StreamInfo
    source: Stream
    target: Stream
    converter: SubtitleConverter | None = None
    is_broken: bool = False


class StreamCopier:
    """Copies the packets of a file's sound and subtitles, in step with the video.

    It reads the file by itself, so that nothing has to be kept while the video is being made.

    Attributes:
        notes: What could not be kept, one line each.
    """

    def __init__(self, info: VideoInfo, *, keep_audio: bool, keep_subtitles: bool) -> None:
        """Open the source.

        Args:
            info: Of the source, a file or URL.
            keep_audio: Copy sound.
            keep_subtitles: Copy subtitles.
        """
        wanted = (info.audio_streams if keep_audio else ()) + (
            info.subtitle_streams if keep_subtitles else ()
        )
        self.notes: list[str] = []
        self._location = info.location
        self._wanted = tuple(sorted(wanted, key=lambda stream: stream.index))
        self._container: InputContainer | None = None
        self._routes: dict[int, _Route] = {}
        self._packets: Iterator[Packet[Stream]] | None = None
        self._pending: Packet[Stream] | None = None

    @property
    def copied(self) -> tuple[StreamInfo, ...]:
        """The streams that arrive in the output."""
        return tuple(route.info for route in self._routes.values() if not route.is_broken)

    def add_streams(self, output: OutputContainer) -> None:
        """Add a stream to the output for each one that it can hold; note the others."""
        if not self._wanted:
            return
        self._container = open_container(self._location)
        wanted = {stream.index: stream for stream in self._wanted}
        for source in self._container.streams:
            info = wanted.get(source.index)
            if info is None:
                source.discard = av.stream.Discard.all
                continue
            self._add_route(output, info, source)

    def _add_route(self, output: OutputContainer, info: StreamInfo, source: Stream) -> None:
        converter = None
        if _can_hold(output.format.name, source):
            target = output.add_stream_from_template(source, opaque=True)
        else:
            converter = find_converter(output, source)
            if converter is None:
                self.notes.append(
                    f"{_name(info)} is not kept: {output.format.name} files cannot hold "
                    f"{info.codec or 'its codec'}."
                )
                return
            target = converter.target
        target.metadata.update(
            (key, value)
            for key, value in source.metadata.items()
            if not key.upper().startswith(_TRANSIENT_TAGS)
        )
        target.disposition = source.disposition
        self._routes[source.index] = _Route(info, source, target, converter)

    def start(self, origin: Fraction, stop: Fraction | None, *, is_cut: bool) -> None:
        """Fix the part that is copied.

        Args:
            origin: Instant of the source's clock that becomes zero.
            stop: Packets from this instant on are left out; ``None`` for none.
            is_cut: Packets before the origin are left out, too.
        """
        self._origin, self._stop, self._is_cut = origin, stop, is_cut
        if self._container is None or not self._routes:
            return
        if is_cut and origin > _SEEK_MARGIN_SECONDS:
            with suppress(av.FFmpegError):
                self._container.seek(int((origin - _SEEK_MARGIN_SECONDS) * av.time_base))
        self._packets = self._read()

    def _read(self) -> "Iterator[Packet[Stream]]":
        if self._container is None:
            return
        try:
            yield from self._container.demux([route.source for route in self._routes.values()])
        except av.FFmpegError as error:
            self.notes.append(f"sound and subtitles end early: {explain(error)}")

    def copy_until(self, output: OutputContainer, seconds: Fraction | None) -> None:
        """Copy the packets up to an instant of the output; ``None`` copies the rest."""
        while (packet := self._pending or self._next()) is not None:
            self._pending = None
            if seconds is not None and _time(packet) - self._origin > seconds:
                self._pending = packet
                return
            self._copy(output, packet)

    def _next(self) -> "Packet[Stream] | None":
        if self._packets is None:
            return None
        for packet in self._packets:
            if packet.dts is not None or packet.pts is not None:  # else it ends the stream
                return packet
        return None

    def _copy(self, output: OutputContainer, packet: "Packet[Stream]") -> None:
        route = self._routes[packet.stream.index]
        if route.is_broken or not self._shift(packet, route):
            return
        converted = packet if route.converter is None else route.converter.convert(packet)
        if converted is None:
            return
        converted.stream = route.target
        try:
            output.mux_one(converted)
        except av.FFmpegError as error:
            route.is_broken = True
            self.notes.append(
                f"{_name(route.info)} is not kept: {output.format.name} files do not take its "
                f"packets ({(error.strerror or type(error).__name__).lower()})."
            )

    def _shift(self, packet: "Packet[Stream]", route: _Route) -> bool:
        """Move a packet onto the clock of the output; say whether it belongs there."""
        if self._stop is not None and _time(packet) >= self._stop:
            return False
        time_base = packet.time_base
        offset = nearest_tick(self._origin, time_base)
        pts = packet.pts if packet.pts is not None else packet.dts or 0
        if self._is_cut and pts < offset:
            end = pts + (packet.duration or 0)
            if route.info.kind != "subtitle" or end <= offset:
                return False
            packet.duration, pts = end - offset, offset
            packet.dts = offset
        packet.pts = pts - offset
        packet.dts = (packet.dts if packet.dts is not None else pts) - offset
        return True

    def __enter__(self) -> "StreamCopier":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._pending = self._packets = None
        if self._container is not None:
            self._container.close()


def _time(packet: "Packet[Stream]") -> Fraction:
    ticks = packet.pts if packet.dts is None else packet.dts
    return (ticks or 0) * packet.time_base


def _name(info: StreamInfo) -> str:
    what = {"audio": "sound", "subtitle": "subtitle"}.get(info.kind, info.kind)
    return f"{what} stream {info.index}" + (f" ({info.language})" if info.language else "")


def _can_hold(format_name: str, source: Stream) -> bool:
    """Try whether a container takes a stream by writing a header to memory."""
    if source.codec_context is None:
        return False
    try:
        with av.open(io.BytesIO(), "w", format=format_name) as trial:
            trial.add_stream_from_template(source, opaque=True)
            trial.start_encoding()
    except (av.FFmpegError, ValueError):
        return False
    return True
