"""What a file says about itself, learned from its header and its first frame."""

import struct
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from typing import cast

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition, Stream
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from msvsr.errors import VideoError
from msvsr.frame import ChapterInfo, ColorInfo, StreamInfo, VideoInfo
from msvsr.video.color import color_of_frame, decode_depth
from msvsr.video.decoding import DamageReport, decode_packets
from msvsr.video.opening import open_container, reading
from msvsr.video.orientation import UPRIGHT, Orientation, orientation_from_matrix
from msvsr.video.rates import rate_from_header, sample_rate

__all__ = ["choose_video_stream", "describe_stream", "orientation_of_frame", "probe_file"]

_DEFAULT_RATE = Fraction(25)


def probe_file(location: str) -> VideoInfo:
    """Read the header and decode the first frame of a file or URL.

    Raises:
        VideoError: There is no video in it, or none of its frames decodes.
    """
    with open_container(location) as container, reading(location):
        stream = choose_video_stream(container, location)
        info = _describe(location, container, stream)
        rate = rate_from_header(stream)
        frame = _first_frame(container, stream, location)
        info = _add_frame_facts(info, frame, stream.codec_context)
    return replace(info, frame_rate=rate or sample_rate(location) or _DEFAULT_RATE)


def choose_video_stream(container: InputContainer, location: str) -> VideoStream:
    """The video stream to read: FFmpeg's best one, never cover art.

    Raises:
        VideoError: The file has no video stream, or one of an unknown codec.
    """
    best = cast("VideoStream | None", container.streams.best("video"))
    candidates = ((best,) if best is not None else ()) + container.streams.video
    for stream in candidates:
        if not stream.disposition & Disposition.attached_pic:
            _check_codec(stream, location)
            return stream
    kinds = sorted({str(stream.type) for stream in container.streams}) or ["nothing"]
    raise VideoError(
        f"{location}: expected a video, but the file holds only {', '.join(kinds)}; "
        "give a file with a video stream."
    )


def _check_codec(stream: VideoStream, location: str) -> None:
    if stream.codec_context is None:
        raise VideoError(
            f"{location}: the video's codec is unknown to this FFmpeg; convert the file first."
        )


def orientation_of_frame(frame: av.VideoFrame) -> Orientation:
    """How a decoded frame stands, by its display matrix."""
    side_data = cast("dict[str, bytes]", frame.side_data).get("DISPLAYMATRIX")
    if side_data is None:
        return UPRIGHT
    return orientation_from_matrix(struct.unpack("=9i", bytes(side_data)))


def _describe(location: str, container: InputContainer, stream: VideoStream) -> VideoInfo:
    others = tuple(describe_stream(s) for s in container.streams if s.index != stream.index)
    return VideoInfo(
        location=location,
        container=container.format.name,
        height=stream.height,
        width=stream.width,
        frame_rate=_DEFAULT_RATE,
        time_base=stream.time_base or Fraction(1, 1000),
        start_seconds=_start_seconds(stream, container.streams.audio),
        codec=stream.codec_context.name,
        pixel_format="unknown",  # until a frame tells; PyAV 17 crashes where the header does not
        color=ColorInfo(matrix="bt601", range="limited"),
        num_frames_from_header=stream.frames or None,
        duration_seconds_from_header=_duration_seconds(container, stream),
        sample_aspect_ratio=stream.sample_aspect_ratio or Fraction(1),
        stream_index=stream.index,
        video_stream=describe_stream(stream),
        audio_streams=tuple(s for s in others if s.kind == "audio"),
        subtitle_streams=tuple(s for s in others if s.kind == "subtitle"),
        other_streams=tuple(s for s in others if s.kind not in ("audio", "subtitle")),
        chapters=_chapters(container),
        metadata=dict(container.metadata),
    )


def _first_frame(container: InputContainer, stream: VideoStream, location: str) -> av.VideoFrame:
    frame = next(decode_packets(container, stream, DamageReport()), None)
    if frame is None:
        raise VideoError(
            f"{location}: not one frame can be decoded; the file is damaged or cut off."
        )
    return frame


def _add_frame_facts(
    info: VideoInfo, frame: av.VideoFrame, context: VideoCodecContext
) -> VideoInfo:
    orientation = orientation_of_frame(frame)
    size, aspect = (frame.height, frame.width), info.sample_aspect_ratio
    if orientation.swaps_axes:
        size, aspect = (frame.width, frame.height), 1 / aspect
    return replace(
        info,
        height=size[0],
        width=size[1],
        rotation_degrees=orientation.rotation_degrees,
        is_mirrored=orientation.is_mirrored,
        sample_aspect_ratio=aspect,
        pixel_format=frame.format.name,
        bit_depth=decode_depth(frame.format),
        color=color_of_frame(frame, context.color_primaries, context.color_trc),
        is_interlaced=frame.interlaced_frame,
    )


def describe_stream(stream: Stream) -> StreamInfo:
    """What a header tells of one stream."""
    context = stream.codec_context
    is_audio = stream.type == "audio" and context is not None
    start = stream.start_time
    return StreamInfo(
        index=stream.index,
        kind=stream.type,
        codec=context.name if context is not None else None,
        language=stream.metadata.get("language"),
        title=stream.metadata.get("title"),
        is_default=bool(stream.disposition & Disposition.default),
        sample_rate=getattr(context, "sample_rate", None) if is_audio else None,
        num_channels=getattr(context, "channels", None) if is_audio else None,
        start_seconds_from_header=None
        if start is None or stream.time_base is None
        else start * stream.time_base,
    )


def _start_seconds(video: VideoStream, audio: tuple[AudioStream, ...]) -> Fraction:
    """The file's own zero: its earliest stream, encoder delay before zero not counted."""
    start = (video.start_time or 0) * (video.time_base or Fraction(0))
    for stream in audio:
        if stream.start_time is not None and stream.time_base is not None:
            audible = stream.start_time * stream.time_base
            start = min(start, max(audible, Fraction(0)))
    return start


def _duration_seconds(container: InputContainer, stream: VideoStream) -> Fraction | None:
    if stream.duration and stream.time_base:
        return stream.duration * stream.time_base
    tagged = stream.metadata.get("DURATION", "").split(":")  # Matroska: 00:00:00.968000000
    if len(tagged) == 3:
        with suppress(ValueError):
            hours, minutes, seconds = (Fraction(part) for part in tagged)
            return 3600 * hours + 60 * minutes + seconds
    return Fraction(container.duration, av.time_base) if container.duration else None


def _chapters(container: InputContainer) -> tuple[ChapterInfo, ...]:
    return tuple(
        ChapterInfo(
            start_seconds=chapter["start"] * chapter["time_base"],
            end_seconds=chapter["end"] * chapter["time_base"],
            title=chapter["metadata"].get("title", ""),
        )
        for chapter in container.chapters()
        if chapter["time_base"] is not None
    )
