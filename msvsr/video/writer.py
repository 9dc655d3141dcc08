"""Writing a video file frame by frame, with the sound and tags of its source."""

import contextlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Disposition
from av.video.stream import VideoStream

from msvsr.errors import ConfigError, VideoError
from msvsr.frame import ColorInfo, Frame, StreamInfo, VideoInfo
from msvsr.video.base import FrameSource
from msvsr.video.color import FrameEncoder, color_for_output
from msvsr.video.copying import StreamCopier
from msvsr.video.encoding import EncoderPlan, add_video_stream
from msvsr.video.options import OutputOptions
from msvsr.video.tags import container_options, kept_metadata, left_out, write_chapters
from msvsr.video.timestamps import common_time_base, nearest_tick

__all__ = ["VideoFileWriter", "explain_write_error", "try_encoder"]

_FALLBACK_TIME_BASE = Fraction(1, 1_000_000)
_MIN_FRAMES_TO_REORDER = 3


@dataclass(frozen=True, kw_only=True)
class _Clock:
    """The output's own clock: zero is ``origin`` on the clock of the frames."""

    origin: Fraction
    time_base: Fraction

    def ticks(self, seconds: Fraction) -> int:
        return nearest_tick(seconds - self.origin, self.time_base)


class VideoFileWriter:
    """Encodes frames into a file and copies the streams of their source beside them.

    The file is opened with the first frame, when the clocks are known.

    Attributes:
        notes: What could not be kept, one line each.
    """

    def __init__(
        self,
        plan_for: Callable[[tuple[int, int]], EncoderPlan],
        options: OutputOptions,
        *,
        source: FrameSource | None,
        frame_rate: Fraction,
        time_base: Fraction | None,
    ) -> None:
        """Prepare a file.

        Args:
            plan_for: Gives the encoder and its settings for a height and width.
            options: What to keep.
            source: Where sound, subtitles, tags and colours come from.
            frame_rate: About how many frames come per second.
            time_base: A clock that the frames' instants fit, beside that of the first frame.
        """
        self._plan_for = plan_for
        self._options = options
        self._source = source
        self._frame_rate = frame_rate
        self._time_base = time_base
        self._output: OutputContainer | None = None
        self._resources = contextlib.ExitStack()
        self._last_ticks = -1
        self._num_frames = 0
        self._held: Packet[VideoStream] | None = None
        self._durations: dict[int, int] = {}  # of the frames that the encoder holds
        self._copier: StreamCopier | None = None
        self.notes: list[str] = []

    @property
    def copied(self) -> tuple[StreamInfo, ...]:
        """The source's streams that arrive in the file."""
        return self._copier.copied if self._copier is not None else ()

    def begin(self, path: Path, first: Frame) -> None:
        """Open the file and write its header.

        Args:
            path: Where to write, with the extension of the container.
            first: The first frame, for its size and clock.
        """
        info = None if self._source is None else self._source.info
        self._plan = self._plan_for(first.size)
        self.notes += [self._plan.note] if self._plan.note else []
        self._clock = self._choose_clock(first, info)
        usual = nearest_tick(1 / self._frame_rate, self._clock.time_base)
        self._usual_duration = max(usual, 1)
        metadata = {} if info is None else kept_metadata(info.metadata)
        self._output = self._resources.enter_context(
            av.open(
                f"file:{path}",
                "w",
                format=self._plan.container,
                container_options=container_options(
                    self._plan.container, metadata, self._ticks_per_second(info)
                ),
            )
        )
        self._output.metadata.update(metadata)
        self._stream = self._add_video(self._output, first, info)
        if self._source is not None and info is not None:
            self._add_the_rest(self._output, self._source, info)
        _start(self._output, self._stream, self._plan)

    def _ticks_per_second(self, info: VideoInfo | None) -> list[int]:
        rates = [] if info is None else [stream.sample_rate for stream in info.audio_streams]
        return [self._clock.time_base.denominator, *(rate for rate in rates if rate)]

    def _choose_clock(self, first: Frame, info: VideoInfo | None) -> _Clock:
        if self._options.constant_frame_rate is not None:  # such frames start at zero already
            return _Clock(origin=Fraction(0), time_base=first.time_base)
        origin = Fraction(0) if self._source is None else self._source.origin_seconds
        ticks = [first.time_base, abs(origin)]
        ticks += [info.time_base] if info is not None and not info.is_image_folder else []
        ticks += [self._time_base] if self._time_base is not None else []
        return _Clock(origin=origin, time_base=common_time_base(ticks) or _FALLBACK_TIME_BASE)

    def _add_video(
        self, output: OutputContainer, first: Frame, info: VideoInfo | None
    ) -> VideoStream:
        color = color_for_output(
            None if info is None else info.color, first.size[0], self._plan.pixel_format
        )
        self._encoder = FrameEncoder(color=color, pixel_format=self._plan.pixel_format)
        aspect = Fraction(1) if info is None else info.sample_aspect_ratio
        if aspect != 1 and not self._plan.keeps_pixel_shape:
            self.notes.append(
                f"the pixel shape {aspect} is not kept: PyAV cannot write it for "
                f"{self._plan.encoder} in {self._plan.container}; use .mp4, or the codec h264."
            )
        stream = add_video_stream(
            output,
            self._plan,
            size=first.size,
            time_base=self._clock.time_base,
            frame_rate=self._frame_rate,
            color=color,
            sample_aspect_ratio=aspect,
        )
        stream.disposition = Disposition.default
        if info is not None and info.video_stream is not None:
            tags = {"language": info.video_stream.language, "title": info.video_stream.title}
            stream.metadata.update((key, value) for key, value in tags.items() if value)
        return stream

    def _add_the_rest(self, output: OutputContainer, source: FrameSource, info: VideoInfo) -> None:
        if info.is_image_folder:
            return
        copier = StreamCopier(
            info,
            keep_audio=self._options.keep_audio,
            keep_subtitles=self._options.keep_subtitles,
        )
        self._copier = self._resources.enter_context(copier)
        origin, stop = source.origin_seconds, source.stop_seconds
        copier.add_streams(output)
        copier.start(origin, stop, is_cut=bool(source.options.start_seconds))
        write_chapters(output, info.chapters, origin, stop)
        self.notes += left_out(info)

    def write(self, frame: Frame) -> None:
        """Encode one frame."""
        clock = self._clock
        ticks = max(clock.ticks(frame.time_seconds), self._last_ticks + 1)
        self._last_ticks = ticks
        self._num_frames += 1
        encoded = self._encoder.from_rgb(frame.image)
        encoded.pts, encoded.time_base = ticks, clock.time_base
        if frame.duration is not None:
            end = frame.time_seconds + frame.duration * frame.time_base
            self._durations[ticks] = max(clock.ticks(end) - ticks, 1)
        self._last_duration = self._durations.get(ticks, self._usual_duration)
        self._encode(encoded)

    def _encode(self, frame: av.VideoFrame | None) -> None:
        for packet in self._stream.encode(frame):
            if packet.pts is not None:  # encoders forget durations, or (x265) make them up
                packet.duration = self._durations.pop(packet.pts, self._usual_duration)
            if self._num_frames < _MIN_FRAMES_TO_REORDER:  # x265 leaves dts uninitialised then
                packet.dts = packet.pts
            self._mux(self._held)
            self._held = packet

    def _mux(self, packet: "Packet[VideoStream] | None") -> None:
        if packet is None or self._output is None:
            return
        ticks = packet.dts if packet.dts is not None else packet.pts or 0
        if self._copier is not None:
            self._copier.copy_until(self._output, ticks * packet.time_base)
        self._output.mux_one(packet)

    def finish(self) -> None:
        """Flush the encoder, copy what is left and write the file's index."""
        self._encode(None)
        if self._held is not None:  # an mp4 ends where its last stored frame does
            self._held.duration = self._last_duration
        self._mux(self._held)
        if self._output is not None and self._copier is not None:
            self._copier.copy_until(self._output, None)
            self.notes += self._copier.notes
        self._resources.close()

    def abort(self) -> None:
        """Let go of everything; what was written is of no use."""
        with contextlib.suppress(av.FFmpegError, OSError):
            self._resources.close()


def _start(output: OutputContainer, stream: VideoStream, plan: EncoderPlan) -> None:
    try:
        output.start_encoding()
    except (av.FFmpegError, ValueError) as error:
        raise ConfigError(
            f"the encoder {plan.encoder} does not accept these settings "
            f"({stream.width}x{stream.height}, {plan.pixel_format}, {dict(plan.settings)}); "
            "change codec, pixel_format, preset or encoder_options."
        ) from error
    unknown = set(stream.codec_context.options) & set(plan.settings)
    if unknown:
        raise ConfigError(
            f"encoder_options: the encoder {plan.encoder} knows no {', '.join(sorted(unknown))}."
        )


def try_encoder(plan: EncoderPlan, size: tuple[int, int]) -> None:
    """Open an encoder once, in memory, so that a wrong option shows before the work starts.

    Raises:
        ConfigError: The encoder refuses.
    """
    with av.open(io.BytesIO(), "w", format=plan.container) as trial:
        stream = add_video_stream(
            trial,
            plan,
            size=size,
            time_base=Fraction(1, 25),
            frame_rate=Fraction(25),
            color=ColorInfo(matrix="bt709", range="limited", matrix_code=1),
            sample_aspect_ratio=Fraction(1),
        )
        _start(trial, stream, plan)


def explain_write_error(error: av.FFmpegError, path: Path) -> VideoError:
    """Say in one line why writing failed."""
    reason = (error.strerror or type(error).__name__).lower()
    return VideoError(f"{path}: writing failed ({reason}); check the free space and the options.")
