"""Writing a comparison to what its name asks for."""

import math
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Literal

from msvsr.app.compare.clips import Clips
from msvsr.app.compare.fitting import scaled_size
from msvsr.app.compare.gifs import write_gif
from msvsr.app.compare.options import CompareOptions
from msvsr.app.compare.page import MAX_BYTES, embed_file, embed_images, format_page, stack
from msvsr.app.compare.pictures import Picture, Scene, scenes
from msvsr.app.compare.scoring import Scoring
from msvsr.app.compare.sheet import choose_stills, draw_sheet, pick_scenes, write_image
from msvsr.app.compare.videos import Work, Written, encode, moving_pictures
from msvsr.app.whole_files import whole_file
from msvsr.errors import ConfigError, VideoError
from msvsr.video import OutputOptions, probe
from msvsr.video.encoding import is_video_name

__all__ = ["Kind", "kind_of", "write_output"]

Kind = Literal["video", "gif", "sheet", "page"]
Size = tuple[int, int]

_KINDS: dict[str, Kind] = {
    ".gif": "gif", ".png": "sheet", ".jpg": "sheet", ".jpeg": "sheet", ".html": "page",
    ".htm": "page",
}  # fmt: skip
_GIF_WIDTH = 960  # of all panels together, unless somebody says otherwise
_PAGE_WIDTH, _PAGE_STILL_WIDTH = 1280, 4096  # of each panel
_PAGE_HEIGHT = 8192  # of all panels together: what decoders take
_CHECK_EVERY = 50  # frames


def kind_of(target: Path) -> Kind:
    """What the name of an output asks for.

    Raises:
        ConfigError: Nothing that is written.
    """
    kind = _KINDS.get(target.suffix.lower())
    if kind is not None:
        return kind
    try:
        is_video_name(target)
    except ConfigError as error:
        raise ConfigError(
            f"{target}: {target.suffix} is not written; name a video (.mp4 .mkv .mov .webm), a "
            ".gif, a contact sheet (.png .jpg) or a page (.html)."
        ) from error
    return "video"  # or a folder of PNGs


def write_output(
    target: Path,
    clips: Clips,
    options: CompareOptions,
    writing: OutputOptions,
    scoring: Scoring | None,
    on_moment: Callable[[], None],
) -> Written:
    """Play the clips and write the comparison.

    Args:
        target: Where to write; its name says what.
        clips: What is compared.
        options: How.
        writing: How a video is written, and whether an output is replaced.
        scoring: Measures; ``None`` without ground truth.
        on_moment: Called once per instant.

    Returns:
        What was written.

    Raises:
        ConfigError: The options do not suit the clips or the output.
        VideoError: Reading or writing fails.
    """
    kind = kind_of(target)
    size = _panel_size(clips, options, kind)
    held = _HeldClips(clips)
    source = held.watch(scenes(clips, size, options, scoring, on_moment))
    work = Work(clips=clips, size=size, options=options, writing=writing, scoring=scoring)
    if kind == "video":
        written = _write_video(target, work, source)
    else:
        with whole_file(target, overwrite=writing.overwrite) as place:
            if kind == "gif":
                written = _write_gif(place, work, source)
            elif kind == "sheet":
                written = _write_sheet(place, work, source)
            else:
                written = _write_page(place, work, source)
    return replace(written, warnings=(*held.notes(), *written.warnings))


def _panel_size(clips: Clips, options: CompareOptions, kind: Kind) -> Size:
    """Height and width of each clip in the output."""
    size, count = clips.size, len(clips.panels)
    if options.panel_width is not None:
        return scaled_size(size, options.panel_width)
    width = size[1]
    if kind == "gif":
        is_slider = count == 2 and options.mode != "side-by-side"
        width = min(width, _GIF_WIDTH if is_slider else _GIF_WIDTH // count)
    elif kind == "page":
        width = min(width, _PAGE_STILL_WIDTH if clips.are_still else _PAGE_WIDTH)
        width = min(width, width * _PAGE_HEIGHT // (scaled_size(size, width)[0] * count))
    return size if width == size[1] else scaled_size(size, max(width, 16))


def _write_video(target: Path, work: Work, source: Iterator[Scene]) -> Written:
    freezes = not (target.suffix and work.lends_streams)
    return encode(target, work, moving_pictures(work, source, freezes=freezes), work.writing)


def _write_gif(place: Path, work: Work, source: Iterator[Scene]) -> Written:
    sized = _Sized(moving_pictures(work, source, freezes=True))
    num_frames, num_lost = write_gif(sized, place)
    note = f"{num_lost} pictures are left out: a GIF shows 50 per second at most."
    return Written(
        num_frames=num_frames,
        size=sized.size,
        frame_rate=min(work.rate, Fraction(50)),
        warnings=(note,) if num_lost else (),
    )


@dataclass
class _Sized:
    """Pictures on their way, and how large they are."""

    pictures: Iterable[Picture]
    size: Size = (0, 0)

    def __iter__(self) -> Iterator[Picture]:
        for picture in self.pictures:
            height, width = picture.image.shape[:2]
            self.size = (height, width)
            yield picture


def _write_sheet(place: Path, work: Work, source: Iterator[Scene]) -> Written:
    wanted = choose_stills(work.clips.num_moments, work.options.num_stills)
    picked = pick_scenes(source, wanted, to_the_end=work.scoring is not None)
    sheet = draw_sheet(picked, work.options)
    write_image(sheet, place)
    return Written(
        num_frames=len(picked),
        size=(sheet.shape[0], sheet.shape[1]),
        frame_rate=work.left_rate,
    )


def _write_page(place: Path, work: Work, source: Iterator[Scene]) -> Written:
    clips, count = work.clips, len(work.clips.panels)
    height, width = work.size[0] - work.size[0] % 2, work.size[1] - work.size[1] % 2
    with tempfile.TemporaryDirectory() as name:
        video = Path(name) / "pictures.mp4"
        if clips.are_still:
            embedded = embed_images(stack(next(source), count))
            inside = Written(num_frames=1, size=(height, width), frame_rate=work.left_rate)
        else:
            inside = _encode_for_page(video, work, source)
            embedded = embed_file(video, has_sound=bool(probe(video).audio_streams))
    parts = format_page(
        embedded,
        labels=[clip.label for clip in clips.panels],
        size=(height, width),
        frame_rate=float(inside.frame_rate),
        scores=() if work.scoring is None else work.scoring.compute(),
    )
    with place.open("w", encoding="utf-8") as file:
        file.writelines(parts)
    warnings = tuple(line.removeprefix(f"{video}: ") for line in inside.warnings)
    return replace(inside, size=(height, width), warnings=warnings)


def _encode_for_page(video: Path, work: Work, source: Iterator[Scene]) -> Written:
    """Encode the clips below each other as every browser plays it."""
    count = len(work.clips.panels)
    pictures = (
        Picture(
            image=stack(scene, count),
            seconds=scene.moment.seconds,
            duration_seconds=scene.moment.duration_seconds,
        )
        for scene in source
    )

    def check_size(num_frames: int) -> None:
        if num_frames % _CHECK_EVERY == 0:
            size = sum(path.stat().st_size for path in video.parent.iterdir())
            if size > MAX_BYTES:
                raise VideoError(
                    f"the first {num_frames} of {work.clips.num_moments} frames need "
                    f"{size >> 20} MiB, and a page holds at most {MAX_BYTES >> 20}; give --end, a "
                    "smaller --panel-width or a larger --crf."
                )

    writing = replace(
        work.writing,
        codec="h264",
        pixel_format="yuv420p",
        constant_frame_rate=None,
        keep_subtitles=False,
        encoder_options={"g": str(math.ceil(work.rate)), **work.writing.encoder_options},
    )
    return encode(video, work, pictures, writing, check_size)


@dataclass
class _HeldClips:
    """Notes which clips end before the others."""

    clips: Clips
    ends: dict[int, tuple[Fraction, Fraction]] = field(default_factory=dict)

    def watch(self, source: Iterator[Scene]) -> Iterator[Scene]:
        for scene in source:
            moment = scene.moment
            for place, is_over in enumerate(moment.is_over):
                if is_over:
                    begin, _ = self.ends.get(place, (moment.seconds, Fraction(0)))
                    self.ends[place] = (begin, moment.seconds + moment.duration_seconds)
            yield scene

    def notes(self) -> Iterator[str]:
        longest_frame = 1 / min(clip.frame_rate for clip in self.clips.everything)
        for place, (begin, end) in self.ends.items():
            clip = self.clips.everything[place]
            if end - begin > longest_frame:
                yield (
                    f"{clip.label} ends after {float(begin):.2f} s and the longest clip after "
                    f"{float(end):.2f} s; its last frame is held."
                )
