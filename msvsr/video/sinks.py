"""Writing frames to wherever a name points: a video file or a folder of PNGs."""

import contextlib
import os
import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Protocol

import av
import numpy as np

from msvsr.errors import InputError, ShapeError, VideoError
from msvsr.frame import Frame, StreamInfo
from msvsr.video.base import FrameSource
from msvsr.video.encoding import EncoderPlan, is_video_name, plan_encoder
from msvsr.video.opening import is_url
from msvsr.video.options import OutputOptions
from msvsr.video.pacing import ConstantRate
from msvsr.video.placement import Placement, exit_on_kill
from msvsr.video.pngs import PngFolderWriter, pattern_of_names
from msvsr.video.writer import VideoFileWriter, explain_write_error, try_encoder

__all__ = ["FrameSink", "SinkResult", "open_sink"]

_DEFAULT_RATE = Fraction(25)
_ANY_SIZE = (64, 64)  # to try an encoder before the size is known


@dataclass(frozen=True, kw_only=True)
class SinkResult:
    """What was written.

    Attributes:
        path: The file or folder.
        num_frames: Frames in it.
        duration_seconds: From zero to the end of its last frame.
        streams_copied: Sound and subtitles that came along.
        warnings: What could not be kept, one line each.
    """

    path: Path
    num_frames: int
    duration_seconds: Fraction
    streams_copied: tuple[StreamInfo, ...]
    warnings: tuple[str, ...]


class _Writer(Protocol):
    notes: list[str]

    @property
    def copied(self) -> tuple[StreamInfo, ...]: ...
    def begin(self, path: Path, first: Frame) -> None: ...
    def write(self, frame: Frame) -> None: ...
    def finish(self) -> None: ...
    def abort(self) -> None: ...


class FrameSink:
    """Takes frames in order and makes an output of them that appears whole or not at all.

    Use it in a ``with`` block. Leaving the block normally finishes the output and moves it into
    place; leaving it by an exception, Ctrl-C or a polite kill removes every trace.
    """

    def __init__(
        self,
        path: Path,
        writer: _Writer,
        options: OutputOptions,
        *,
        source: FrameSource | None = None,
        size: tuple[int, int] | None = None,
    ) -> None:
        """Join a place and a writer; `open_sink` does it.

        Args:
            path: The output.
            writer: Encodes the frames.
            options: How.
            source: Whose clock the frames are on.
            size: Height and width that frames must have; ``None`` takes the first one's.
        """
        self._path = path
        self._writer = writer
        self._options = options
        self._source = source
        self._size = size
        rate = options.constant_frame_rate
        self._pacer = None if rate is None else ConstantRate(rate)
        self._resources = contextlib.ExitStack()
        self._placement: Placement | None = None
        self._result: SinkResult | None = None
        self._num_frames = 0
        self._end_seconds = Fraction(0)
        self._last_seconds: Fraction | None = None

    @property
    def path(self) -> Path:
        """The output."""
        return self._path

    @property
    def warnings(self) -> tuple[str, ...]:
        """What cannot be kept, one line each; complete once the block is left."""
        return tuple(f"{self._path}: {note}" for note in self._writer.notes)

    @property
    def num_frames(self) -> int:
        """Frames written so far."""
        return self._num_frames

    @property
    def result(self) -> SinkResult:
        """What was written; there once the block was left normally.

        Raises:
            VideoError: The output is not finished.
        """
        if self._result is None:
            raise VideoError(f"{self._path}: the output is not finished; leave the block first.")
        return self._result

    def __enter__(self) -> "FrameSink":
        self._resources.enter_context(exit_on_kill())
        try:
            self._placement = Placement(
                self._path,
                overwrite=self._options.overwrite,
                entries=_entries(self._writer, self._options),
            )
        except BaseException:
            self._resources.close()
            raise
        return self

    def write(self, frame: Frame) -> None:
        """Write the next frame.

        Args:
            frame: RGB, of the output's size, later than the one before; its instant is on the
                clock of the source.

        Raises:
            ShapeError: It has another size or layout.
            InputError: It is not later than the one before.
            VideoError: Writing fails.
        """
        self._check(frame)
        self._end_seconds = frame.time_seconds + (frame.duration or 0) * frame.time_base
        if self._pacer is None:
            self._put(frame)
            return
        for paced in self._pacer.push(frame, self._origin()):
            self._put(paced)

    def _origin(self) -> Fraction:
        return Fraction(0) if self._source is None else self._source.origin_seconds

    def _check(self, frame: Frame) -> None:
        image = frame.image
        size = self._size or frame.size
        if image.ndim != 3 or image.shape != (*size, 3) or image.dtype not in (np.uint8, np.uint16):
            raise ShapeError(
                f"expected an RGB image of shape {(*size, 3)} and type uint8 or uint16, "
                f"got {image.shape} and {image.dtype}."
            )
        last, self._size = self._last_seconds, size
        if last is not None and frame.time_seconds <= last:
            raise InputError(
                f"expected a frame later than the last one at {float(last):.6f} s, "
                f"got one at {float(frame.time_seconds):.6f} s."
            )
        self._last_seconds = frame.time_seconds

    def _put(self, frame: Frame) -> None:
        if self._placement is None:
            raise VideoError(f"{self._path}: the output is not open; write inside the block.")
        try:
            if self._num_frames == 0:
                self._writer.begin(self._placement.temporary, frame)
            self._writer.write(frame)
        except av.FFmpegError as error:
            raise explain_write_error(error, self._path) from error
        self._num_frames += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._resources:
            try:
                if error is None:
                    self._finish()
            except BaseException:
                self._discard()
                raise
            if error is not None:
                self._discard()

    def _finish(self) -> None:
        placement = self._placement
        if self._pacer is not None:
            for frame in self._pacer.finish(self._origin()):
                self._put(frame)
        if placement is None or self._num_frames == 0:
            raise VideoError(f"{self._path}: no frame was written, so there is no output.")
        try:
            self._writer.finish()
        except av.FFmpegError as error:
            raise explain_write_error(error, self._path) from error
        placement.commit()
        self._result = SinkResult(
            path=self._path,
            num_frames=self._num_frames,
            duration_seconds=self._end_seconds - self._origin(),
            streams_copied=self._writer.copied,
            warnings=self.warnings,
        )

    def _discard(self) -> None:
        if self._placement is not None:
            self._placement.discard()  # first, so that closing need not tidy a large file up
        self._writer.abort()


def _entries(writer: _Writer, options: OutputOptions) -> re.Pattern[str] | None:
    is_folder = isinstance(writer, PngFolderWriter)
    return pattern_of_names(options.frame_pattern) if is_folder else None


def open_sink(
    output: str | os.PathLike[str],
    source: FrameSource | None = None,
    *,
    size: tuple[int, int] | None = None,
    options: OutputOptions | None = None,
    frame_rate: Fraction | None = None,
    time_base: Fraction | None = None,
) -> FrameSink:
    """Prepare an output: a video file, or a folder of PNGs when the name has no extension.

    Args:
        output: Where to write. Missing folders above it are made.
        source: What the frames come from: its sound, subtitles, tags, chapters, colours and pixel
            shape are kept, and the frames are on its clock. ``None`` for frames made from nothing,
            whose clock starts at zero.
        size: Height and width of the frames; ``None`` takes the first frame's, but then some
            wrong options only show with that frame.
        options: How to write.
        frame_rate: About how many frames come per second, for the encoder's rate control; the
            source's when not given.
        time_base: A clock that the instants of all frames fit, when that of the first frame and of
            the source is not one (interpolated frames).

    Returns:
        The sink, to be used in a ``with`` block.

    Raises:
        ConfigError: The options do not suit the output.
        VideoError: Input and output are the same. (What exists already shows on entering.)

    Example:
        >>> with open_source("in.mp4") as source:  # doctest: +SKIP
        ...     with open_sink("out.mp4", source, size=source.info.size) as sink:
        ...         for frame in source:
        ...             sink.write(frame)
        ...     print(sink.result.num_frames)
    """
    path, options = Path(output), options or OutputOptions()
    info = None if source is None else source.info
    if info is not None and _is_same(path, info.location):
        raise VideoError(f"{path}: the output is the input; name another output.")
    if not is_video_name(path):
        return FrameSink(path, PngFolderWriter(options, info), options, source=source, size=size)
    bit_depth = 8 if info is None else info.bit_depth
    plan = plan_encoder(path, options, size or _ANY_SIZE, bit_depth)
    try_encoder(plan, size or _ANY_SIZE)
    rate = options.constant_frame_rate or frame_rate or (info.frame_rate if info else _DEFAULT_RATE)

    def plan_for(frame_size: tuple[int, int]) -> EncoderPlan:
        return plan if frame_size == size else plan_encoder(path, options, frame_size, bit_depth)

    writer = VideoFileWriter(plan_for, options, source=source, frame_rate=rate, time_base=time_base)
    return FrameSink(path, writer, options, source=source, size=size)


def _is_same(output: Path, location: str) -> bool:
    if is_url(location):
        return False
    with contextlib.suppress(OSError):
        return output.samefile(location)
    return output.absolute() == Path(location).absolute()
