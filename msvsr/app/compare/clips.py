"""Opening what is compared: what it is called, when it starts, how large it is."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from urllib.parse import urlsplit

from msvsr.app.compare.options import CompareOptions
from msvsr.errors import ConfigError
from msvsr.video import SourceOptions, open_source, probe
from msvsr.video.base import FrameSource
from msvsr.video.images import IMAGE_SUFFIXES

__all__ = ["Clip", "Clips", "open_clips"]

Size = tuple[int, int]
Location = str | Path

_DEFAULT_RATE = Fraction(25)


@dataclass(frozen=True, kw_only=True)
class Clip:
    """One of the inputs.

    Attributes:
        source: Gives its frames.
        label: What it is called.
        size: Height and width of its frames with square pixels.
        zero_seconds: The instant of its own clock where its pictures begin.
        num_frames: Frames that will come, as well as the header tells.
    """

    source: FrameSource
    label: str
    size: Size
    zero_seconds: Fraction
    num_frames: int

    @property
    def frame_rate(self) -> Fraction:
        """Average frames per second."""
        return self.source.info.frame_rate

    @property
    def is_still(self) -> bool:
        """Whether it is a single image, which is shown as long as the others play."""
        info = self.source.info
        return info.is_image_folder and info.num_frames_from_header == 1


@dataclass(frozen=True, kw_only=True)
class Clips:
    """Everything that is compared, the left clip first.

    Attributes:
        panels: The clips to show.
        truth: The ground truth; ``None`` without one.
        size: Height and width that frames are brought to.
    """

    panels: tuple[Clip, ...]
    truth: Clip | None
    size: Size

    @property
    def everything(self) -> tuple[Clip, ...]:
        """The clips to show, then the ground truth."""
        return self.panels if self.truth is None else (*self.panels, self.truth)

    @property
    def leader(self) -> Clip:
        """The clip whose frames are the instants of the comparison: that of the highest rate."""
        moving = [clip for clip in self.everything if not clip.is_still] or self.everything
        return max(moving, key=lambda clip: clip.frame_rate)

    @property
    def are_still(self) -> bool:
        """Whether all of them are single images."""
        return all(clip.is_still for clip in self.everything)

    @property
    def num_moments(self) -> int:
        """Instants that will come, as well as the headers tell."""
        rate = self.leader.frame_rate
        moving = [clip for clip in self.everything if not clip.is_still]
        return max([round(clip.num_frames / clip.frame_rate * rate) for clip in moving], default=1)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is wrong with the clips, one line each."""
        return tuple(line for clip in self.everything for line in clip.source.warnings)


def open_clips(stack: ExitStack, locations: Sequence[Location], options: CompareOptions) -> Clips:
    """Open everything that is compared.

    Args:
        stack: Closes it.
        locations: Videos, addresses or folders of images, the left one first.
        options: Which part of each is read, and what they are called.

    Returns:
        The clips.

    Raises:
        ConfigError: There are too few clips, or the labels do not fit them.
        VideoError: One of them cannot be read.
    """
    if len(locations) < 2:
        raise ConfigError(f"a comparison needs two clips or more, got {len(locations)}.")
    labels = options.labels or _names(locations)
    if len(labels) != len(locations):
        raise ConfigError(f"expected {len(locations)} labels, one per clip, got {len(labels)}.")
    places = [*locations, *([] if options.ground_truth is None else [options.ground_truth])]
    if options.frame_rate is not None and not any(_is_images(place) for place in places):
        raise ConfigError(
            "frame_rate is for folders of images; a video file has its own timestamps."
        )
    rate = options.frame_rate or _rate_of_first_video(places) or _DEFAULT_RATE
    opened = [
        _open(stack, place, label, options, rate)
        for place, label in zip(places, (*labels, "ground truth"), strict=False)
    ]
    panels, rest = tuple(opened[: len(locations)]), opened[len(locations) :]
    truth = rest[0] if rest else None
    largest = max((clip.size for clip in panels), key=lambda size: size[0] * size[1])
    return Clips(panels=panels, truth=truth, size=largest if truth is None else truth.size)


def _open(
    stack: ExitStack, place: Location, label: str, options: CompareOptions, rate: Fraction
) -> Clip:
    reading = SourceOptions(
        start_seconds=options.start_seconds,
        end_seconds=options.end_seconds,
        frame_rate=rate if _is_images(place) else None,
    )
    if _is_images(place) and _is_file(place):
        reading = SourceOptions(frame_rate=rate)  # a single image has no instants to choose from
    source = stack.enter_context(open_source(place, reading))
    info = source.info
    stream = info.video_stream
    start = None if stream is None else stream.start_seconds_from_header
    return Clip(
        source=source,
        label=label,
        size=(info.height, max(round(info.width * info.sample_aspect_ratio), 1)),
        zero_seconds=info.start_seconds if start is None else start,
        num_frames=_expected_frames(source),
    )


def _expected_frames(source: FrameSource) -> int:
    info, options = source.info, source.options
    count, seconds = info.num_frames_from_header, info.duration_seconds_from_header
    if not count:
        if not seconds:
            count = probe(info.location, count_frames=True).num_frames_from_content or 1
        else:
            count = max(round(seconds * info.frame_rate), 1)
    if options.start_seconds is None and options.end_seconds is None:
        return count
    length = count / info.frame_rate
    end = length if options.end_seconds is None else min(Fraction(options.end_seconds), length)
    return max(round((end - Fraction(options.start_seconds or 0)) * info.frame_rate), 1)


def _is_file(place: Location) -> bool:
    return not Path(place).is_dir()


def _is_images(place: Location) -> bool:
    path = Path(place)
    return path.is_dir() or path.suffix.lower() in IMAGE_SUFFIXES


def _rate_of_first_video(places: Sequence[Location]) -> Fraction | None:
    if not any(_is_images(place) for place in places):
        return None
    return next((probe(place).frame_rate for place in places if not _is_images(place)), None)


def _names(locations: Sequence[Location]) -> tuple[str, ...]:
    """What clips are called when nobody says: the shortest ends of their paths that differ."""
    paths = [
        Path(urlsplit(str(place)).path if "://" in str(place) else place) for place in locations
    ]
    parts = [(*path.absolute().parts[1:-1], _stem(path)) for path in paths]
    for depth in range(1, max(len(part) for part in parts) + 1):
        names = ["/".join(part[-depth:]) for part in parts]
        if len(set(names)) == len(names):
            return tuple(names)
    return tuple(f"{part[-1]} {number}" for number, part in enumerate(parts, 1))


def _stem(path: Path) -> str:
    name = path.absolute().name if path.name not in ("", ".", "..") else path.resolve().name
    return name if path.is_dir() else Path(name).stem
