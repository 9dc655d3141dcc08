"""Reading a video file or URL frame by frame."""

from collections.abc import Iterator
from fractions import Fraction
from types import TracebackType

from msvsr.errors import ConfigError, VideoError
from msvsr.frame import Frame, VideoInfo
from msvsr.video.color import FrameDecoder
from msvsr.video.measuring import measure
from msvsr.video.options import SourceOptions
from msvsr.video.orientation import Orientation
from msvsr.video.passes import ReadingPass
from msvsr.video.probe import probe_file
from msvsr.video.timestamps import seconds_to_fraction

__all__ = ["FileSource"]


class FileSource:
    """A `FrameSource` over a video file or an http(s) URL.

    It keeps two decoded frames at most, so memory does not grow with the length of the video.
    """

    def __init__(self, location: str, options: SourceOptions | None = None) -> None:
        """Read the header and decode the first frame.

        Args:
            location: Path or URL.
            options: What to read of it.

        Raises:
            VideoError: It is not a video that can be read.
            ConfigError: The options do not suit a video file.
        """
        self._options = options or SourceOptions()
        if self._options.frame_rate is not None:
            raise ConfigError(
                "frame_rate is for folders of images; a video file has its own timestamps."
            )
        self._info = probe_file(location)
        zero, end = self._info.start_seconds, self._options.end_seconds
        self._start = zero + seconds_to_fraction(self._options.start_seconds or 0)
        self._stop = None if end is None else zero + seconds_to_fraction(end)
        self._frames: Iterator[Frame] | None = None
        self._pass = self._new_pass()

    def _new_pass(self) -> ReadingPass:
        start = self._start if self._options.start_seconds else None
        return ReadingPass(self._info, start=start, stop=self._stop)

    @property
    def info(self) -> VideoInfo:
        """What the header and the first frame say."""
        return self._info

    @property
    def options(self) -> SourceOptions:
        """How the source is read."""
        return self._options

    @property
    def origin_seconds(self) -> Fraction:
        """The instant that becomes zero in an output."""
        first = self._pass.first_kept_seconds
        return first if self._options.start_seconds and first is not None else self._start

    @property
    def stop_seconds(self) -> Fraction | None:
        """The instant where the source is cut."""
        return self._stop

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is wrong with the source, one line each."""
        lines = list(self._pass.notes())
        if self._info.is_interlaced:
            lines.append(
                "the video is interlaced and its two fields are treated as one picture; "
                "deinterlace it first if moving edges look like combs."
            )
        return tuple(f"{self._info.location}: {line}" for line in lines)

    def __enter__(self) -> "FileSource":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release what an unfinished iteration holds."""
        frames, self._frames = self._frames, None
        if frames is not None and hasattr(frames, "close"):
            frames.close()

    def __iter__(self) -> Iterator[Frame]:
        self.close()
        self._pass = self._new_pass()
        self._frames = self._read(self._pass)
        return self._frames

    def _read(self, reading_pass: ReadingPass) -> Iterator[Frame]:
        info = self._info
        orientation = Orientation(
            rotation_degrees=info.rotation_degrees, is_mirrored=info.is_mirrored
        )
        stored_size = info.size[::-1] if orientation.swaps_axes else info.size
        decoder = FrameDecoder(
            color=info.color, size=(stored_size[0], stored_size[1]), is_deep=info.bit_depth > 8
        )
        for timed in reading_pass.frames():
            yield Frame(
                image=orientation.apply(decoder.to_rgb(timed.frame)),
                pts=timed.pts,
                time_base=info.time_base,
                duration=timed.duration,
            )
        if reading_pass.num_frames == 0:
            raise self._emptiness()

    def _emptiness(self) -> VideoError:
        length = self._info.duration_seconds_from_header
        known = "" if length is None else f" of {float(length):.2f} s"
        return VideoError(
            f"{self._info.location}: no frame of the video{known} lies between the start and the "
            "end that were asked for; choose others."
        )

    def measure(self) -> VideoInfo:
        """Decode everything and count, turning nothing into RGB.

        Returns:
            The info with its numbers ``..._from_content`` filled in.
        """
        self._pass = self._new_pass()
        return measure(self._info, self._pass)
