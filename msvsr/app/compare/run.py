"""Setting clips beside each other: as a video, a GIF, a contact sheet or a page."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from msvsr.app.compare.clips import Clips, open_clips
from msvsr.app.compare.options import CompareOptions, ComparisonReport
from msvsr.app.compare.outputs import Kind, kind_of, write_output
from msvsr.app.compare.scoring import Scoring
from msvsr.app.compare.videos import Written
from msvsr.app.jobs import Progress, default_output
from msvsr.errors import ConfigError, VideoError
from msvsr.video import OutputOptions

__all__ = ["compare_clips"]


def compare_clips(
    locations: Sequence[str | Path],
    output: str | Path | None = None,
    *,
    options: CompareOptions | None = None,
    writing: OutputOptions | None = None,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> ComparisonReport:
    """Set two clips or more beside each other, brought together in time and size.

    Memory does not grow with the length of the clips, except for a GIF, whose size is limited.

    Args:
        locations: Videos, http(s) addresses, folders of images or single images, the left first.
        output: A video or ``.gif`` for a moving comparison, ``.png`` or ``.jpg`` for a contact
            sheet, ``.html`` for a page with a divider to drag. ``None`` puts a video beside the
            left clip, with ``_compared`` in its name.
        options: How they are compared.
        writing: How a video is written, and whether an output is replaced.
        on_progress: Called once per instant.

    Returns:
        What was made, with scores where there is ground truth.

    Raises:
        ConfigError: The options contradict each other or do not suit the clips.
        VideoError: A clip cannot be read or the output cannot be written; nothing is left of an
            output that was begun.

    Example:
        >>> compare_clips(["input.mp4", "input_x4.mp4"], "slider.mp4")  # doctest: +SKIP
    """
    began = time.monotonic()
    options, writing = options or CompareOptions(), writing or OutputOptions()
    places = [str(place) for place in locations]
    target = None if output is None else Path(output)
    if target is not None:
        _check(options, kind_of(target), target, places)
    with ExitStack() as stack:
        clips = open_clips(stack, places, options)
        target = target or _default_target(places[0], clips)
        scoring = Scoring([clip.label for clip in clips.panels]) if clips.truth else None
        counter = _Counter(clips.num_moments, began, on_progress)
        written = write_output(target, clips, options, writing, scoring, counter.advance)
        return _report(target, clips, written, scoring, time.monotonic() - began)


def _default_target(left: str, clips: Clips) -> Path:
    info = clips.panels[0].source.info
    path = default_output(left, info, "compared")
    return path.with_name(f"{path.name}.mp4") if info.is_image_folder else path


def _check(options: CompareOptions, kind: Kind, target: Path, places: Sequence[str]) -> None:
    if options.mode is not None and kind not in ("video", "gif"):
        raise ConfigError(
            f"mode {options.mode} is for videos and GIFs, but the output is {target.name}; leave "
            "one of them out."
        )
    if options.ground_truth is not None:
        places = [*places, str(options.ground_truth)]
    for place in places:
        if target.exists() and Path(place).exists() and target.samefile(place):
            raise VideoError(f"{target}: the output is an input; name another output.")


def _report(
    target: Path, clips: Clips, written: Written, scoring: Scoring | None, seconds: float
) -> ComparisonReport:
    left = clips.panels[0]
    return ComparisonReport(
        output=target,
        num_frames=written.num_frames,
        input_size=left.source.info.size,
        output_size=written.size,
        input_frame_rate=left.frame_rate,
        output_frame_rate=written.frame_rate,
        seconds=seconds,
        warnings=(*clips.warnings, *written.warnings),
        labels=tuple(clip.label for clip in clips.panels),
        scores=() if scoring is None else scoring.compute(),
    )


@dataclass
class _Counter:
    """Tells how many instants are done."""

    total: int
    began: float
    on_progress: Callable[[Progress], None]
    done: int = 0

    def advance(self) -> None:
        self.done += 1
        seconds = time.monotonic() - self.began
        self.on_progress(
            Progress(frames_done=self.done, num_frames=max(self.total, self.done), seconds=seconds)
        )
