"""Small videos that tests make for themselves, with everything that real files carry.

Nothing here uses msvsr: colours are computed with plain arithmetic, so that a test compares the
package with something else than itself.
"""

import io
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

__all__ = [
    "AudioTrack",
    "Chapter",
    "SubtitleTrack",
    "break_packet",
    "cut_short",
    "frame_times",
    "make_video",
    "moving_pattern",
    "packets_of",
    "patch_display_matrix",
    "rgb_to_yuv",
    "yuv_to_rgb",
]

Image = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]

ROTATE_90 = (0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30)
_COEFFICIENTS = {1: (0.2126, 0.0722), 5: (0.299, 0.114), 6: (0.299, 0.114), 9: (0.2627, 0.0593)}
_AUDIO_RATE = 48_000


@dataclass(frozen=True, kw_only=True)
class AudioTrack:
    """A sine tone in one stream."""

    codec: str = "aac"
    language: str = "eng"
    seconds: float = 0.6
    start_seconds: float = 0.0
    frequency: float = 440.0


@dataclass(frozen=True, kw_only=True)
class SubtitleTrack:
    """Lines with their start and end in seconds."""

    lines: Sequence[tuple[float, float, str]] = ((0.1, 0.3, "hello"),)
    language: str = "eng"


@dataclass(frozen=True, kw_only=True)
class Chapter:
    """A chapter with its start and end in seconds."""

    start: float
    end: float
    title: str


@dataclass(frozen=True, kw_only=True)
class _Packets:
    """Encoded packets of a stream to copy, with the stream that they come from."""

    container: av.container.InputContainer
    language: str
    offset_seconds: float = 0.0
    packets: list[av.Packet] = field(default_factory=list)


def moving_pattern(count: int, size: tuple[int, int] = (48, 64)) -> list[npt.NDArray[np.uint8]]:
    """Frames of a soft gradient with a bright square that moves, each frame different."""
    height, width = size
    y, x = np.mgrid[0:height, 0:width]
    base = np.stack([x * 200 // width, y * 200 // height, (x + y) * 100 // (height + width)], -1)
    frames = []
    for index in range(count):
        image = base.astype(np.uint8)
        top, left = (3 * index) % (height - 8), (5 * index) % (width - 8)
        image[top : top + 8, left : left + 8] = (250, 240, 30)
        frames.append(image)
    return frames


def rgb_to_yuv(
    image: Image, matrix: int, *, is_full: bool, bits: int = 8
) -> npt.NDArray[np.float64]:
    """Planes ``(3, h, w)`` of an image in code values, not rounded."""
    kr, kb = _COEFFICIENTS[matrix]
    rgb = image / np.iinfo(image.dtype).max
    luma = rgb @ [kr, 1 - kr - kb, kb]
    blue = (rgb[..., 2] - luma) / (2 * (1 - kb))
    red = (rgb[..., 0] - luma) / (2 * (1 - kr))
    unit = 1 << (bits - 8)
    if is_full:
        top = (1 << bits) - 1
        return np.stack([luma * top, blue * top + 128 * unit, red * top + 128 * unit])
    return unit * np.stack([luma * 219 + 16, blue * 224 + 128, red * 224 + 128])


def yuv_to_rgb(
    planes: npt.NDArray[np.float64], matrix: int, *, is_full: bool, bits: int = 8
) -> npt.NDArray[np.float64]:
    """Image ``(h, w, 3)`` in [0, 1] of planes ``(3, h, w)`` in code values."""
    kr, kb = _COEFFICIENTS[matrix]
    unit, top = 1 << (bits - 8), (1 << bits) - 1
    offset = 0 if is_full else 16 * unit
    luma = (planes[0] - offset) / (top if is_full else 219 * unit)
    blue, red = (planes[1:] - 128 * unit) / (top if is_full else 224 * unit)
    r, b = luma + 2 * (1 - kr) * red, luma + 2 * (1 - kb) * blue
    g = (luma - kr * r - kb * b) / (1 - kr - kb)
    return np.clip(np.stack([r, g, b], -1), 0, 1)


def _subsample(plane: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    height, width = plane.shape
    return plane.reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3))


def _to_frame(image: Image, pixel_format: str, matrix: int, *, is_full: bool) -> av.VideoFrame:
    if pixel_format in ("rgb24", "bgr0", "gbrp", "bgra", "bgr8"):
        return av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format=pixel_format)
    bits = 10 if "10" in pixel_format else 8
    frame = av.VideoFrame(image.shape[1], image.shape[0], pixel_format)
    planes = rgb_to_yuv(image, matrix, is_full=is_full, bits=bits)
    for index, plane in enumerate(frame.planes):
        values = _subsample(planes[index]) if index and "420" in pixel_format else planes[index]
        dtype = np.uint16 if bits > 8 else np.uint8
        rows = np.zeros((plane.height, plane.line_size // np.dtype(dtype).itemsize), dtype)
        rows[:, : plane.width] = values.round().clip(0, (1 << bits) - 1)
        plane.update(rows.tobytes())
    return frame


def make_video(
    path: Path,
    frames: Sequence[Image] | int = 8,
    *,
    size: tuple[int, int] = (48, 64),
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    rate: Fraction = Fraction(25),
    pts: Sequence[int] | None = None,
    time_base: Fraction | None = None,
    durations: Sequence[int] | None = None,
    matrix: int = 6,
    is_full: bool = False,
    is_tagged: bool = True,
    primaries: int = 2,
    transfer: int = 2,
    sample_aspect_ratio: Fraction | None = None,
    display_matrix: Sequence[int] | None = None,
    audio: Sequence[AudioTrack] = (),
    subtitles: Sequence[SubtitleTrack] = (),
    chapters: Sequence[Chapter] = (),
    metadata: Mapping[str, str] | None = None,
    options: Mapping[str, str] | None = None,
    container_options: Mapping[str, str] | None = None,
    container_format: str | None = None,
) -> Path:
    """Write a video.

    Args:
        path: Where; its extension says which container unless ``container_format`` does.
        frames: RGB images, or how many frames of `moving_pattern`.
        size: Height and width of that pattern.
        codec: FFmpeg's name of the encoder.
        pixel_format: FFmpeg's name of the sample layout.
        rate: Frames per second.
        pts: Instants of the frames in ticks of ``time_base``; regular when not given.
        time_base: Seconds per tick; one frame when not given.
        durations: Ticks that each frame is shown.
        matrix: H.273 code of the matrix that the samples are made with: 1, 5, 6 or 9.
        is_full: Make full-range samples.
        is_tagged: Tag the file with matrix and range.
        primaries: H.273 code to tag.
        transfer: H.273 code to tag.
        sample_aspect_ratio: Width of a pixel over its height.
        display_matrix: Nine integers to write into the header of an mp4 or mov.
        audio: Tones to add.
        subtitles: Texts to add, as SubRip (so the container must take it, as Matroska does).
        chapters: Chapters to add.
        metadata: Tags to add.
        options: Encoder options beside fast and good.
        container_options: Muxer options.
        container_format: FFmpeg's name of the container.

    Returns:
        ``path``.
    """
    images = moving_pattern(frames, size) if isinstance(frames, int) else list(frames)
    tracks = [_encode_tone(tone) for tone in audio] + [_encode_lines(text) for text in subtitles]
    with av.open(
        str(path), "w", format=container_format, container_options=dict(container_options or {})
    ) as output:
        stream = output.add_stream(codec, rate=rate, options=_fast(codec) | dict(options or {}))
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = pixel_format
        context = stream.codec_context
        context.time_base = stream.time_base = time_base or 1 / rate
        context.flags |= 256  # pass the frames' durations on
        context.sample_aspect_ratio = sample_aspect_ratio or Fraction(1)
        if is_tagged and "yuv" in pixel_format:
            context.colorspace, context.color_range = matrix, 2 if is_full else 1
        context.color_primaries, context.color_trc = primaries, transfer
        output.metadata.update(metadata or {})
        if chapters:
            output.set_chapters([_chapter_row(i, c) for i, c in enumerate(chapters)])
        targets = [output.add_stream_from_template(t.container.streams[0]) for t in tracks]
        for track, target in zip(tracks, targets, strict=True):
            target.metadata["language"] = track.language
        packets = []
        for index, image in enumerate(images):
            frame = _to_frame(image, pixel_format, matrix, is_full=is_full)
            frame.pts, frame.time_base = index if pts is None else pts[index], context.time_base
            if durations is not None:
                frame.duration = durations[index]
            packets += stream.encode(frame)
        packets += stream.encode(None)
        for track, target in zip(tracks, targets, strict=True):
            packets += _shifted(track, target)
        for packet in sorted(packets, key=lambda packet: float(packet.dts * packet.time_base)):
            output.mux(packet)
    for track in tracks:
        track.container.close()
    if display_matrix is not None:
        patch_display_matrix(path, display_matrix)
    return path


def _fast(codec: str) -> dict[str, str]:
    if codec == "libx265":
        return {"preset": "ultrafast", "crf": "4", "x265-params": "log-level=none"}
    return {"preset": "ultrafast", "crf": "4"} if codec == "libx264" else {}


def _chapter_row(index: int, chapter: Chapter) -> dict[str, object]:
    return {
        "id": index,
        "start": round(chapter.start * 1000),
        "end": round(chapter.end * 1000),
        "time_base": Fraction(1, 1000),
        "metadata": {"title": chapter.title},
    }


def _encode_tone(track: AudioTrack) -> _Packets:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="matroska") as output:
        stream = output.add_stream(track.codec, rate=_AUDIO_RATE)
        stream.layout = "mono"
        step = 1024
        layout = stream.format.name
        for start in range(0, round(track.seconds * _AUDIO_RATE), step):
            angle = 2 * np.pi * track.frequency * np.arange(start, start + step) / _AUDIO_RATE
            wave = (0.3 * np.sin(angle)).astype(np.float32)
            samples = wave if layout.startswith("flt") else (wave * 32767).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(samples[None], format=layout, layout="mono")
            frame.pts, frame.sample_rate = start, _AUDIO_RATE
            frame.time_base = Fraction(1, _AUDIO_RATE)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    buffer.seek(0)
    return _Packets(
        container=av.open(buffer), language=track.language, offset_seconds=track.start_seconds
    )


def _encode_lines(track: SubtitleTrack) -> _Packets:
    def stamp(seconds: float) -> str:
        whole, milliseconds = divmod(round(seconds * 1000), 1000)
        return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02},{milliseconds:03}"

    text = "\n".join(
        f"{number}\n{stamp(start)} --> {stamp(end)}\n{line}\n"
        for number, (start, end, line) in enumerate(track.lines, 1)
    )
    return _Packets(
        container=av.open(io.BytesIO(text.encode()), format="srt"), language=track.language
    )


def _shifted(source: _Packets, target: av.stream.Stream) -> list[av.Packet]:
    packets = []
    for packet in source.container.demux(source.container.streams[0]):
        if packet.dts is None:
            continue
        offset = round(Fraction(source.offset_seconds) / packet.time_base)
        packet.pts, packet.dts = packet.pts + offset, packet.dts + offset
        packet.stream = target
        packets.append(packet)
    return packets


def patch_display_matrix(path: Path, matrix: Sequence[int]) -> None:
    """Write a display matrix into the header of the first track of an mp4 or mov."""
    content = bytearray(path.read_bytes())
    start = content.index(b"tkhd") + 4 + 40  # version and flags, times, id, duration, layer, volume
    content[start : start + 36] = struct.pack(">9i", *matrix)
    path.write_bytes(content)


def break_packet(path: Path, index: int, *, length: int | None = None) -> None:
    """Overwrite the beginning of the video packet ``index`` (in storage order) with 0xFF."""
    with av.open(str(path)) as container:
        packet = [p for p in container.demux(video=0) if p.size][index]
        position, size = packet.pos, packet.size
    content = bytearray(path.read_bytes())
    length = size if length is None else min(length, size)
    content[position : position + length] = b"\xff" * length
    path.write_bytes(content)


def cut_short(path: Path, share: float) -> None:
    """Keep only the first part of a file."""
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])


def frame_times(path: Path | str) -> list[Fraction]:
    """Instants of a file's frames in seconds, by PyAV alone."""
    with av.open(str(path)) as container:
        return [frame.pts * frame.time_base for frame in container.decode(video=0)]


def packets_of(path: Path, kind: str, index: int = 0) -> list[tuple[Fraction, bytes]]:
    """Instant and bytes of the packets of one audio or subtitle stream, by PyAV alone."""
    with av.open(str(path)) as container:
        stream = getattr(container.streams, kind)[index]
        return [
            (packet.pts * packet.time_base, bytes(packet))
            for packet in container.demux(stream)
            if packet.dts is not None
        ]
