"""The parts of the page that are shown rather than filled in, as HTML with everything escaped."""

import base64
import time
from collections.abc import Iterable, Sequence
from fractions import Fraction
from html import escape as escape_html
from pathlib import Path

from msvsr.errors import MsvsrError
from msvsr.frame import VideoInfo
from msvsr.ui.estimates import Estimate
from msvsr.ui.jobs import ENDED, JobView
from msvsr.ui.requests import JobRequest
from msvsr.ui.running import Finished
from msvsr.ui.texts import Language, say

__all__ = [
    "PageJob",
    "error_line",
    "escape",
    "job_label",
    "note_line",
    "show_estimate",
    "show_facts",
    "show_history",
    "show_result",
    "show_running",
]

PageJob = JobView[JobRequest, Finished]

_GIBIBYTE = 2**30
_KIBIBYTE = 2**10
_MEBIBYTE = 2**20
_MAX_HISTORY = 50


def escape(text: str) -> str:
    """Text inside HTML inside a template: neither of them finds anything in it to act on.

    Example:
        >>> escape("<a>${1}.mp4")
        '&lt;a&gt;&#36;&#123;1}.mp4'
    """
    escaped = escape_html(text)
    for mark in "${`":
        escaped = escaped.replace(mark, f"&#{ord(mark)};")
    return escaped


def note_line(text: str) -> str:
    """A quiet line."""
    return f'<p class="note">{escape(text)}</p>'


def error_line(error: MsvsrError | str, language: Language) -> str:
    """One line that says what went wrong."""
    line = " ".join(str(error).split())
    return (
        f'<p class="problem" role="alert"><b>{escape(say("error", language))}</b> '
        f"{escape(line)}</p>"
    )


def show_facts(source: Path, info: VideoInfo, language: Language) -> str:
    """What a video is."""
    duration = info.duration_seconds_from_header
    is_image = info.is_image_folder and source.is_file()
    rows = [
        ("fact_name", source.name),
        ("fact_size", f"{info.width}x{info.height}"),
        ("fact_rate", "" if is_image else f"{_number(info.frame_rate)} fps"),
        ("fact_frames", str(info.num_frames_from_header or say("unknown", language))),
        ("fact_length", "" if is_image else _length(duration, language)),
        ("fact_codec", _codec(source, info, language)),
        ("fact_sound", "" if info.is_image_folder else _sound(info, language)),
        ("fact_bytes", _file_size(source) if source.is_file() else ""),
    ]
    cells = (
        f"<div><dt>{escape(say(key, language))}</dt><dd>{escape(text)}</dd></div>"
        for key, text in rows
        if text
    )
    return f'<dl class="facts">{"".join(cells)}</dl>'


def _file_size(path: Path) -> str:
    num_bytes = path.stat().st_size
    if num_bytes < _MEBIBYTE:
        return f"{num_bytes / _KIBIBYTE:.0f} KiB"
    return f"{num_bytes / _MEBIBYTE:.1f} MiB"


def _codec(source: Path, info: VideoInfo, language: Language) -> str:
    depth = "" if info.bit_depth == 8 else f", {say('bits', language, info.bit_depth)}"
    kind = ""
    if info.is_image_folder:
        kind = f", {say('image' if source.is_file() else 'images', language)}"
    return f"{info.codec}{kind}{depth}"


def _sound(info: VideoInfo, language: Language) -> str:
    streams = [stream.codec or say("unknown", language) for stream in info.audio_streams]
    return ", ".join(streams) or say("no_sound", language)


def _length(seconds: Fraction | None, language: Language) -> str:
    return say("unknown", language) if seconds is None else _duration(float(seconds), language)


def _duration(seconds: float, language: Language) -> str:
    if seconds < 10:
        return say("seconds", language, f"{seconds:.1f}")
    whole = round(seconds)
    if whole < 60:
        return say("seconds", language, whole)
    if whole < 3600:
        return say("minutes", language, whole // 60, whole % 60)
    return say("hours", language, whole // 3600, whole % 3600 // 60)


def _number(value: Fraction | float) -> str:
    return f"{float(value):.3f}".rstrip("0").rstrip(".")


def _gib(num_bytes: int) -> str:
    return f"{num_bytes / _GIBIBYTE:.1f} GiB"


def show_estimate(estimate: Estimate, language: Language) -> str:
    """What a job will need."""
    height, width = estimate.output_size
    frames = estimate.num_output_frames
    lines = [
        say(
            "estimate_output",
            language,
            width,
            height,
            _number(estimate.output_rate),
            say("unknown", language) if frames is None else frames,
        ),
        say("estimate_memory", language, _gib(estimate.memory_bytes), _gib(estimate.free_bytes)),
    ]
    about = (
        say("unknown", language)
        if estimate.seconds is None
        else say("estimate_time", language, _duration(estimate.seconds, language))
    )
    tight = ""
    if estimate.memory_bytes > estimate.free_bytes:
        tight = f'<p class="warning">{escape(say("estimate_tight", language))}</p>'
    text = "".join(f"<p>{escape(line)}</p>" for line in lines)
    return f'<div class="estimate"><p class="big">{escape(about)}</p>{text}{tight}</div>'


def job_label(view: PageJob) -> str:
    """The name of what a job made, or else of its source."""
    return view.result.path.name if view.result is not None else view.request.source.name


def show_running(view: PageJob | None, language: Language) -> str:
    """The job that runs: how far it is, and its latest frame."""
    if view is None:
        return f'<div class="running idle">{note_line(say("idle", language))}</div>'
    share = min(view.frames_done / view.num_frames, 1.0) if view.num_frames else 0.0
    total = view.num_frames or say("unknown", language)
    parts = [say("loading", language)]
    if view.frames_per_second > 0:
        parts = [
            say("frames", language, f"{view.frames_done:.0f}", total),
            say("speed", language, f"{view.frames_per_second:.2f}"),
        ]
        if view.seconds_left is not None:
            parts.append(say("left", language, _duration(view.seconds_left, language)))
    if view.began is not None:
        elapsed = time.monotonic() - view.began
        parts.append(say("elapsed", language, _duration(elapsed, language)))
    label = f"{view.number} · {view.request.source.name}"
    return (
        f'<div class="running"><div class="line"><b>{escape(label)}</b></div>'
        f'<div class="bar" role="progressbar" aria-valuemin="0" aria-valuemax="100" '
        f'aria-valuenow="{100 * share:.0f}"><i style="width:{100 * share:.1f}%"></i></div>'
        f'<p class="numbers">{escape(" · ".join(parts))}</p>{_preview(view, language)}</div>'
    )


def _preview(view: PageJob, language: Language) -> str:
    if view.preview is None:
        return f'<div class="preview">{note_line(say("preview_wait", language))}</div>'
    data = base64.b64encode(view.preview).decode("ascii")
    return f'<div class="preview"><img alt="" src="data:image/jpeg;base64,{data}"></div>'


def _button(verb: str, number: int, language: Language) -> str:
    text = escape(say(verb, language))
    return f'<button type="button" class="small {verb}" data-{verb}="{number}">{text}</button>'


def show_history(views: Sequence[PageJob], shown: int | None, language: Language) -> str:
    """All jobs, the newest first."""
    if not views:
        return note_line(say("history_none", language))
    waiting = [view.number for view in views if view.state not in ENDED]
    rows = (
        _history_row(view, waiting, is_shown=view.number == shown, language=language)
        for view in list(reversed(views))[:_MAX_HISTORY]
    )
    return f'<ul class="history">{"".join(rows)}</ul>'


def _history_row(view: PageJob, waiting: list[int], *, is_shown: bool, language: Language) -> str:
    state = say(f"state_{view.state}", language)
    details = [say(f"task_{view.request.task}", language)]
    if view.state == "waiting" and waiting.index(view.number):
        details.append(say("ahead", language, waiting.index(view.number)))
    if view.state in ENDED and view.seconds:
        details.append(_duration(view.seconds, language))
    button = ""
    if view.state == "done":
        button = _button("show", view.number, language)
    elif view.state == "waiting":
        button = _button("cancel", view.number, language)
    error = f'<span class="problem">{escape(view.error)}</span>' if view.error else ""
    return (
        f'<li class="is-{view.state}{" shown" if is_shown else ""}" data-job="{view.number}">'
        f'<span class="number">{view.number}</span><span class="what">'
        f"<b>{escape(job_label(view))}</b><small>{escape(' · '.join(details))}</small>{error}"
        f'</span><span class="state">{escape(state)}</span>{button}</li>'
    )


def show_result(view: PageJob, language: Language) -> str:
    """A finished job: play it, download it, read what was told."""
    finished = view.result
    if finished is None:
        return note_line(say("result_none", language))
    report = finished.report
    is_video = finished.path.is_file()
    player = (
        f'<video controls loop muted playsinline preload="metadata" '
        f'src="jobs/{view.number}/result"></video>'
        if is_video
        else ""
    )
    numbers = say(
        "summary",
        language,
        report.num_frames,
        _number(round(report.seconds, 1)),
        _number(round(report.frames_per_second, 2)),
    )
    height, width = report.output_size
    facts = f"{width}x{height}, {_number(report.output_frame_rate)} fps, {numbers}"
    is_zip = not is_video and report.num_frames > 1
    verb = say("download_zip" if is_zip else "download", language)
    return (
        f'<div class="result">{player}<div class="line"><b>{escape(finished.path.name)}</b>'
        f'<a class="download" href="jobs/{view.number}/download" download>{escape(verb)}</a></div>'
        f'<p class="numbers">{escape(facts)}</p>'
        f"{note_line(say('kept_at', language, finished.path))}"
        f"{_warnings(report.warnings, language)}</div>"
    )


def _warnings(warnings: Iterable[str], language: Language) -> str:
    lines = "".join(f"<li>{escape(line)}</li>" for line in warnings)
    if not lines:
        return ""
    title = escape(say("warnings", language))
    return f'<div class="warning"><b>{title}</b><ul>{lines}</ul></div>'
