"""What is written beside the streams: tags, chapters, and what had to be left out."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from math import lcm
from typing import Any

from av.container import OutputContainer

from msvsr.frame import ChapterInfo, StreamInfo, VideoInfo

__all__ = ["container_options", "kept_metadata", "left_out", "write_chapters"]

_OWN_KEYS = frozenset({
    "major_brand", "minor_version", "compatible_brands", "encoder", "duration", "rotate",
})  # fmt: skip
# what an mp4 file has a place for without resorting to free-form keys
_ISO_KEYS = frozenset({
    "title", "artist", "album_artist", "composer", "album", "date", "comment", "genre", "copyright",
    "grouping", "lyrics", "description", "synopsis", "show", "episode_id", "network", "keywords",
    "track", "disc", "creation_time",
})  # fmt: skip
_CHAPTER_CLOCK = 1_000_000
_ISO_MOVIE_CLOCK = 1000  # ticks per second, unless a stream needs more


def kept_metadata(metadata: Mapping[str, str]) -> dict[str, str]:
    """The tags that describe the work rather than the file it came in."""
    return {key: value for key, value in metadata.items() if key.lower() not in _OWN_KEYS}


def container_options(
    container: str, metadata: Mapping[str, str], ticks_per_second: Iterable[int]
) -> dict[str, str]:
    """Options of a container.

    An mp4 starts playing before it is loaded, keeps any tag, and stores the late start of a stream
    in ticks that fit all its streams instead of rounding it to milliseconds.

    Args:
        container: FFmpeg's name of the format.
        metadata: The tags that it is to keep.
        ticks_per_second: Of the clocks of the streams.

    Returns:
        The options.
    """
    if container not in ("mp4", "mov"):
        # sound may begin before zero (encoder delay); by default all streams would be moved
        return {"avoid_negative_ts": "disabled"}
    is_plain = all(key.lower() in _ISO_KEYS for key in metadata)
    options = {"movflags": "+faststart" + ("" if is_plain else "+use_metadata_tags")}
    clock = lcm(_ISO_MOVIE_CLOCK, *ticks_per_second)
    return options | ({"movie_timescale": str(clock)} if clock < 2**31 else {})


def write_chapters(
    output: OutputContainer,
    chapters: tuple[ChapterInfo, ...],
    origin: Fraction,
    stop: Fraction | None,
) -> None:
    """Write the chapters that lie between two instants, on a clock that starts at the first."""
    rows: list[dict[str, Any]] = []
    for chapter in chapters:
        end = chapter.end_seconds if stop is None else min(chapter.end_seconds, stop)
        start = max(chapter.start_seconds, origin)
        if start < end:
            rows.append({
                "id": len(rows),
                "start": round((start - origin) * _CHAPTER_CLOCK),
                "end": round((end - origin) * _CHAPTER_CLOCK),
                "time_base": Fraction(1, _CHAPTER_CLOCK),
                "metadata": {"title": chapter.title} if chapter.title else {},
            })  # fmt: skip
    if rows:
        output.set_chapters(rows)  # type: ignore[arg-type]


def left_out(info: VideoInfo) -> tuple[str, ...]:
    """Name the streams that no output takes over: further video, cover art, data."""

    def is_chapter_text(stream: StreamInfo) -> bool:
        return stream.kind == "data" and bool(info.chapters)

    names: dict[str, list[str]] = {}
    for stream in info.other_streams:
        if stream.kind != "attachment" and not is_chapter_text(stream):
            codec = f" ({stream.codec})" if stream.codec else ""
            names.setdefault(stream.kind, []).append(f"{stream.index}{codec}")
    return tuple(
        f"{kind} stream{'s' if found[1:] else ''} {', '.join(found)} not kept: an output has one "
        "video stream, sound and subtitles."
        for kind, found in names.items()
    )
