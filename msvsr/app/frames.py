"""A video as a folder of images, and a folder of images as a video."""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import cv2

from msvsr.app.frame_names import odd_names
from msvsr.app.jobs import Progress, VideoReport, expected_frames
from msvsr.app.lending import Lender
from msvsr.errors import ConfigError, VideoError
from msvsr.frame import Frame, ImageArray
from msvsr.video import FrameSource, OutputOptions, SourceOptions, open_sink, open_source
from msvsr.video.color import to_uint8, to_uint16
from msvsr.video.encoding import VIDEO_SUFFIXES, is_video_name
from msvsr.video.placement import Placement, exit_on_kill
from msvsr.video.pngs import pattern_of_names
from msvsr.video.sound import SoundInfo, probe_sound
from msvsr.video.timestamps import common_time_base, nearest_tick

__all__ = ["SplitOptions", "merge_frames", "split_video"]

_PNG_COMPRESSION = 3  # of 9: larger files than 9 by a few percent, several times faster
_UNEVEN = Fraction(1, 5)  # of the shortest time between frames, beyond what ticks round away
_SEEN = Fraction(1, 100)  # how far from square a pixel must be to be worth a word
_UNHEARD_SECONDS = Fraction(1, 2)  # of sound that may be cut off without a word
_MICROSECOND = Fraction(1, 1_000_000)


@dataclass(frozen=True, kw_only=True)
class SplitOptions:
    """How frames become files.

    Attributes:
        pattern: File names, printf style; the extension says PNG or JPEG.
        first_number: Number of the first file.
        every: Keep the first of this many frames.
        quality: Of JPEG files, up to 100.
        bit_depth: Of PNG files, 8 or 16; ``None`` takes 16 for sources of more than 8 bits.
        overwrite: Replace an existing folder, as long as it holds nothing but such files.
    """

    pattern: str = "%08d.png"
    first_number: int = 0
    every: int = 1
    quality: int = 95
    bit_depth: int | None = None
    overwrite: bool = False

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[^/\\%]*%(0\d+)?d[^/\\%]*\.(png|jpe?g)", self.pattern, re.IGNORECASE):
            raise ConfigError(
                "pattern must be a file name like %08d.png or %08d.jpg with one number in it, "
                f"got {self.pattern!r}."
            )
        if self.first_number < 0:
            raise ConfigError(f"first_number must be 0 or more, got {self.first_number}.")
        if self.every < 1:
            raise ConfigError(f"every must be at least 1, got {self.every}.")
        if not 1 <= self.quality <= 100:
            raise ConfigError(f"quality must lie between 1 and 100, got {self.quality}.")
        if self.bit_depth not in (None, 8, 16):
            raise ConfigError(f"bit_depth must be 8 or 16, got {self.bit_depth}.")
        if self.bit_depth == 16 and not self.is_png:
            raise ConfigError("bit_depth 16 is for PNG files; JPEG files have 8 bits.")

    @property
    def is_png(self) -> bool:
        """Whether nothing is lost."""
        return self.pattern.lower().endswith(".png")


def split_video(
    source: str | Path,
    folder: str | Path,
    *,
    options: SplitOptions | None = None,
    reading: SourceOptions | None = None,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> VideoReport:
    """Write the frames of a video as images, upright and in RGB.

    Args:
        source: A video file, an http(s) URL, or a folder of images.
        folder: Where the images go; it appears whole or not at all.
        options: How they are named and stored.
        reading: Which part of the source.
        on_progress: Called once per frame of the source.

    Returns:
        What was done.

    Raises:
        VideoError: The source cannot be read, or the folder cannot be written.
    """
    began = time.monotonic()
    options, target = options or SplitOptions(), Path(folder)
    if target.suffix.lower() in VIDEO_SUFFIXES:
        raise ConfigError(f"{target}: expected the name of a folder, got that of a video.")
    if target.is_dir() and Path(source).is_dir() and target.samefile(source):
        raise VideoError(f"{target}: the output is the input; name another output.")
    with open_source(source, reading) as frames, exit_on_kill():
        info, total = frames.info, expected_frames(frames)
        is_deep = options.is_png and (options.bit_depth or info.bit_depth) > 8
        rhythm, num_written = _Rhythm(), 0
        placement = Placement(
            target, overwrite=options.overwrite, entries=pattern_of_names(options.pattern)
        )
        try:
            for index, frame in enumerate(frames):
                rhythm.note(frame)
                if index % options.every == 0:
                    name = options.pattern % (options.first_number + num_written)
                    _write_image(placement.temporary / name, frame.image, options, is_deep)
                    num_written += 1
                on_progress(_progress(index + 1, total, began))
        except BaseException:
            placement.discard()
            raise
        placement.commit()
        return VideoReport(
            output=target,
            num_frames=num_written,
            input_size=info.size,
            output_size=info.size,
            input_frame_rate=info.frame_rate,
            output_frame_rate=info.frame_rate / options.every,
            seconds=time.monotonic() - began,
            warnings=(*frames.warnings, *_lost_in_images(frames, rhythm)),
        )


def _progress(done: int, total: int | None, began: float) -> Progress:
    return Progress(frames_done=done, num_frames=total, seconds=time.monotonic() - began)


def _write_image(path: Path, image: ImageArray, options: SplitOptions, is_deep: bool) -> None:
    bgr = cv2.cvtColor(to_uint16(image) if is_deep else to_uint8(image), cv2.COLOR_RGB2BGR)
    if options.is_png:
        settings = [cv2.IMWRITE_PNG_COMPRESSION, _PNG_COMPRESSION]
    else:
        settings = [cv2.IMWRITE_JPEG_QUALITY, options.quality]
    is_encoded, encoded = cv2.imencode(path.suffix, bgr, settings)
    if not is_encoded:
        raise VideoError(f"{path.name}: the image cannot be encoded as {path.suffix}.")
    try:
        path.write_bytes(encoded.tobytes())
    except OSError as error:
        raise VideoError(f"{path.name}: writing failed ({error.strerror}).") from error


@dataclass
class _Rhythm:
    """The shortest and the longest time between frames."""

    last: Frame | None = None
    shortest: Fraction | None = None
    longest: Fraction = Fraction(0)

    def note(self, frame: Frame) -> None:
        if self.last is not None:
            between = frame.time_seconds - self.last.time_seconds
            self.shortest = between if self.shortest is None else min(self.shortest, between)
            self.longest = max(self.longest, between)
        self.last = frame

    @property
    def is_even(self) -> bool:
        if self.shortest is None or self.last is None:
            return True
        return self.longest - self.shortest <= self.shortest * _UNEVEN + 2 * self.last.time_base


def _lost_in_images(source: FrameSource, rhythm: _Rhythm) -> Iterator[str]:
    info = source.info
    if not rhythm.is_even:
        yield (
            f"{info.location}: frames are not evenly spaced in time, which images cannot keep; a "
            "video made of them has another rhythm."
        )
    if abs(info.sample_aspect_ratio - 1) > _SEEN:
        yield (
            f"{info.location}: pixels have the shape {info.sample_aspect_ratio}, which images "
            "cannot keep; they look too narrow or too wide."
        )


def merge_frames(
    folder: str | Path,
    output: str | Path,
    *,
    audio: str | Path | None = None,
    reading: SourceOptions | None = None,
    writing: OutputOptions | None = None,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> VideoReport:
    """Make a video of a folder of images, in natural order (``frame10`` after ``frame9``).

    Args:
        folder: The images, all of one size.
        output: A video file.
        audio: A file whose sound the video gets, cut off where the frames end.
        reading: Which part of the frames, and their rate; 25 per second when not given.
        writing: Codec and quality. ``h264-lossless`` and ``ffv1`` keep every value.
        on_progress: Called once per frame.

    Returns:
        What was done; gaps in the numbers of the files are among the warnings.

    Raises:
        VideoError: The images cannot be read or the video cannot be written.
        ConfigError: The output is no video, or cannot hold the codec.
    """
    began = time.monotonic()
    target, writing = Path(output), writing or OutputOptions()
    if not is_video_name(target):
        known = " ".join(VIDEO_SUFFIXES)
        raise ConfigError(f"{target}: expected the name of a video ({known}).")
    if not Path(folder).is_dir():
        raise VideoError(f"{folder}: expected a folder of images; there is none by this name.")
    with open_source(folder, reading) as frames:
        info, total = frames.info, expected_frames(frames)
        length = Fraction(total or 0) / info.frame_rate
        sound = None if audio is None else probe_sound(str(audio))
        lender = frames if sound is None else _lend(sound, frames, length)
        shift = (Fraction(0) if sound is None else sound.start_seconds) - frames.origin_seconds
        clock = _clock(info.time_base, shift, lender)
        sink = open_sink(target, lender, size=info.size, options=writing, time_base=clock)
        with sink:
            for frame in frames:
                sink.write(frame if sound is None else _shift(frame, shift, clock))
                on_progress(_progress(sink.num_frames, total, began))
        return VideoReport(
            output=target,
            num_frames=sink.num_frames,
            input_size=info.size,
            output_size=info.size,
            input_frame_rate=info.frame_rate,
            output_frame_rate=writing.constant_frame_rate or info.frame_rate,
            seconds=time.monotonic() - began,
            warnings=(
                *odd_names(Path(folder)),
                *frames.warnings,
                *sink.warnings,
                *(() if sound is None else _cut_sound(sound, length)),
            ),
        )


def _lend(sound: SoundInfo, frames: FrameSource, length: Fraction) -> Lender:
    """The folder as a source that has the sound of a file."""
    info = replace(
        frames.info, location=sound.location, is_image_folder=False, audio_streams=sound.streams
    )
    start = sound.start_seconds
    return Lender(info=info, origin_seconds=start, stop_seconds=start + length)


def _clock(time_base: Fraction, shift: Fraction, lender: FrameSource) -> Fraction:
    return common_time_base([time_base, abs(shift), lender.origin_seconds]) or _MICROSECOND


def _shift(frame: Frame, shift: Fraction, clock: Fraction) -> Frame:
    start = nearest_tick(frame.time_seconds + shift, clock)
    length = max(nearest_tick((frame.duration or 1) * frame.time_base, clock), 1)
    return Frame(image=frame.image, pts=start, time_base=clock, duration=length)


def _cut_sound(sound: SoundInfo, length: Fraction) -> Iterator[str]:
    whole = sound.duration_seconds_from_header
    if whole is not None and whole - length > _UNHEARD_SECONDS:
        yield (
            f"{sound.location}: the sound is {float(whole):.2f} s long and is cut off where the "
            f"frames end, after {float(length):.2f} s."
        )
