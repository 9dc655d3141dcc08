"""Turning plain-text subtitles of one container into those of another."""

import html
import io
import re
from collections.abc import Callable
from contextlib import suppress

import av
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream

__all__ = ["SubtitleConverter", "find_converter", "mov_text_to_plain", "plain_to_mov_text"]

_TAGS = re.compile(r"<[^<>]+>|\{\\[^{}]*\}")
_EMPTY_SRT = b"1\n00:00:00,000 --> 00:00:01,000\n-\n"
_ASS_HEADER = (
    b"[Script Info]\r\nScriptType: v4.00+\r\n\r\n[V4+ Styles]\r\nFormat: Name, Fontname, Fontsize, "
    b"PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, "
    b"StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, "
    b"MarginR, MarginV, Encoding\r\nStyle: Default,Arial,16,&Hffffff,&Hffffff,&H0,&H0,0,0,0,0,100,"
    b"100,0,0,1,1,0,2,10,10,10,0\r\n\r\n[Events]\r\nFormat: Layer, Start, End, Style, Name, "
    b"MarginL, MarginR, MarginV, Effect, Text\r\n"
)


def mov_text_to_plain(payload: bytes) -> bytes:
    r"""The text of an mp4 subtitle packet, without its styles.

    Example:
        >>> mov_text_to_plain(b"\x00\x02hi....")
        b'hi'
    """
    return payload[2 : 2 + int.from_bytes(payload[:2], "big")]


def plain_to_mov_text(payload: bytes) -> bytes:
    r"""An mp4 subtitle packet of a SubRip text, whose tags are dropped.

    Example:
        >>> plain_to_mov_text(b"<i>hi</i>")
        b'\x00\x02hi'
    """
    text = html.unescape(_TAGS.sub("", payload.decode("utf-8", "replace"))).strip().encode()
    text = text[:65535]
    return len(text).to_bytes(2, "big") + text


class SubtitleConverter:
    """Converts the packets of one stream.

    Attributes:
        target: The output's stream.
    """

    def __init__(self, target: Stream, convert_payload: Callable[[bytes], bytes]) -> None:
        self.target = target
        self._convert_payload = convert_payload

    def convert(self, packet: "Packet[Stream]") -> "Packet[Stream] | None":
        """Make the output's packet; ``None`` for one that only marks a pause."""
        payload = self._convert_payload(bytes(packet))
        if not payload.strip(b"\0 \r\n"):
            return None
        converted: Packet[Stream] = Packet(payload)
        converted.pts, converted.dts = packet.pts, packet.dts
        converted.duration, converted.time_base = packet.duration, packet.time_base
        converted.is_keyframe = True
        return converted


def find_converter(output: OutputContainer, source: Stream) -> SubtitleConverter | None:
    """Add a stream for converted subtitles to an output, where that is simple.

    Args:
        output: Nothing written yet.
        source: A stream that the output cannot hold as it is.

    Returns:
        The converter; ``None`` when there is none for these formats.
    """
    codec = source.codec_context.name if source.codec_context is not None else ""
    is_iso = output.format.name in ("mp4", "mov")
    if codec in ("srt", "subrip", "text") and is_iso:
        target = _add_mov_text(output)
        return None if target is None else SubtitleConverter(target, plain_to_mov_text)
    if codec == "mov_text" and output.format.name == "matroska":
        with av.open(io.BytesIO(_EMPTY_SRT), "r", format="srt") as empty:
            target = output.add_stream_from_template(empty.streams[0], opaque=True)
        return SubtitleConverter(target, mov_text_to_plain)
    return None


def _add_mov_text(output: OutputContainer) -> Stream | None:
    def add(container: OutputContainer) -> Stream:
        stream = container.add_stream("mov_text")
        stream.codec_context.subtitle_header = _ASS_HEADER
        return stream

    with suppress(av.FFmpegError, ValueError):
        with av.open(io.BytesIO(), "w", format=output.format.name) as trial:
            add(trial)
            trial.start_encoding()
        return add(output)
    return None  # this build of FFmpeg cannot make such a stream
