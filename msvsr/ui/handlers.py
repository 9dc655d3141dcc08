"""What happens on the page, event by event: ask the desk, show what it says, or its one line."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from msvsr.errors import InputError, MsvsrError
from msvsr.ui.desk import Desk, Settings
from msvsr.ui.jobs import ENDED
from msvsr.ui.texts import Language, preferred_language, say
from msvsr.ui.views import (
    PageJob,
    error_line,
    job_label,
    note_line,
    show_estimate,
    show_facts,
    show_history,
    show_result,
    show_running,
)

__all__ = ["SETTINGS_ORDER", "Handlers", "Watched"]

SETTINGS_ORDER = tuple(Settings.__dataclass_fields__)
"""The settings in the order that handlers take them in."""

_SOURCE_ITSELF = ""
_MIDDLE = 50


@dataclass(kw_only=True)
class Watched:
    """What one open page has shown of the jobs.

    Events of one page may overlap, so each changes what it knows about and nothing else.

    Attributes:
        shown: The job whose result is shown; ``None`` before the first.
        running: The job that runs; ``None`` while there is none.
        version: Of the queue when it was last looked at.
        num_ended: Jobs that had ended.
    """

    shown: int | None = None
    running: int | None = None
    version: int = -1
    num_ended: int = 0


class Handlers:
    """The events of the page.

    Args:
        desk: Does what is asked for.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def arrive(self, request: gr.Request) -> list[Any]:
        """A page was opened: speak its language, and list the first folder."""
        language = preferred_language(request.headers.get("accept-language", ""))
        return [language, self._entries(self._desk.folders.roots[0], language)]

    def upload(self, language: Language, files: Any) -> list[Any]:  # noqa: ANN401
        """Files arrived: what was chosen, its facts, the images' rate, the kind of output."""
        names = [files] if isinstance(files, str) else list(files or [])
        try:
            return self._choose(language, self._desk.take_uploads(names))
        except MsvsrError as error:
            return _nothing_chosen(error_line(error, language))

    def forget(self, language: Language) -> list[Any]:
        """The upload was removed."""
        return _nothing_chosen(note_line(say("facts_none", language)))

    def open_path(self, language: Language, text: str | None) -> list[Any]:
        """A path was typed or picked: a folder is listed, and what can be read is chosen."""
        folders = self._desk.folders
        try:
            path = folders.resolve(text or ".")
        except MsvsrError as error:
            return [*_nothing_chosen(error_line(error, language)), gr.skip(), gr.skip()]
        folder = path if path.is_dir() else path.parent
        found = [str(path), self._entries(folder, language)]
        try:
            return [*self._choose(language, folders.source(str(path))), *found]
        except MsvsrError as error:
            is_on_the_way = path.is_dir() and isinstance(error, InputError)
            told = self.forget(language)
            return [
                *(told if is_on_the_way else _nothing_chosen(error_line(error, language))),
                *found,
            ]

    def _choose(self, language: Language, source: Path) -> list[Any]:
        info = self._desk.probe(source)
        is_image = info.is_image_folder and source.is_file()
        return [
            source,
            show_facts(source, info, language),
            gr.update(visible=source.is_dir()),
            "images" if is_image else gr.skip(),
        ]

    def _entries(self, folder: Path, language: Language) -> Any:  # noqa: ANN401
        folders = self._desk.folders
        choices: list[tuple[str, str]] = []
        if folders.holds(folder.parent):
            choices.append((f".. ({say('entries_up', language)})", str(folder.parent)))
        else:
            choices += [(f"{root}/", str(root)) for root in folders.roots if root != folder]
        choices += [
            (entry.path.name + ("/" if entry.is_folder else ""), str(entry.path))
            for entry in folders.entries(folder)
        ]
        return gr.update(choices=choices, value=None)

    def fit_to_task(self, task: str) -> list[Any]:
        """Show what a task can be told: rate, steps, both models, refinement."""
        upscales, interpolates = task in ("upscale", "both"), task in ("interpolate", "both")
        shown = (interpolates, task == "classic", upscales, interpolates, upscales)
        return [gr.update(visible=is_shown) for is_shown in shown]

    def announce(self, language: Language, source: Path | None, *values: Any) -> Any:  # noqa: ANN401
        """Say that an estimate takes a moment, where it does."""
        if source is None:
            return note_line(say("estimate_none", language))
        try:
            needs_trial = self._desk.needs_trial(self._desk.request(source, _settings(values)))
        except MsvsrError as error:
            return error_line(error, language)
        return note_line(say("estimate_measuring", language)) if needs_trial else gr.skip()

    def estimate(self, language: Language, source: Path | None, *values: Any) -> str:  # noqa: ANN401
        """Say what the job would need, once there is a source."""
        if source is None:
            return note_line(say("estimate_none", language))
        try:
            request = self._desk.request(source, _settings(values))
            if self._desk.needs_download(request):
                return note_line(say("estimate_download", language))
            estimate = self._desk.estimate(request)
        except MsvsrError as error:
            return error_line(error, language)
        if estimate is None:
            return note_line(say("estimate_busy", language))
        return show_estimate(estimate, language)

    def start(self, language: Language, source: Path | None, *values: Any) -> str:  # noqa: ANN401
        """Put a job into the queue."""
        try:
            number = self._desk.queue.submit(self._desk.request(source, _settings(values)))
        except MsvsrError as error:
            return error_line(error, language)
        return note_line(say("queued", language, number))

    def press(self, language: Language, watched: Watched, event: gr.EventData) -> list[Any]:
        """A button in a list was pressed: cancel a job, or show its result."""
        nothing, problem = [gr.skip()] * 4, ""
        try:
            number = int(event.number)
            if event.verb == "cancel":
                self._desk.queue.cancel(number)
            else:
                nothing = self._result(number, language)
                watched.shown = number
        except MsvsrError as error:
            problem = error_line(error, language)
        return [*self._lists(language, watched), *nothing, problem]

    def cancel(self, language: Language, watched: Watched) -> list[Any]:
        """Stop the job that was seen running, and no other one that has taken its place."""
        if watched.running is not None:
            self._desk.queue.cancel(watched.running)
        return self._lists(language, watched)

    def look(self, language: Language, watched: Watched) -> list[Any]:
        """Some time has passed: show what has changed, new results, and how many jobs ended."""
        version, views = self._desk.queue.version, self._desk.queue.views()
        is_running = any(view.state == "running" for view in views)
        if version == watched.version and not is_running:
            return [gr.skip()] * 8
        ended = [view for view in views if view.state in ENDED]
        done = [view.number for view in ended if view.state == "done"]
        result = [gr.skip()] * 4
        if len(ended) > watched.num_ended and done and done[-1] != watched.shown:
            watched.shown = done[-1]
            try:
                result = self._result(done[-1], language)
            except MsvsrError as error:
                result[0] = error_line(error, language)
        watched.num_ended, watched.version = len(ended), version
        return [*self._lists(language, watched), *result, len(ended)]

    def compare(
        self, language: Language, watched: Watched, moment: float, other: str | None
    ) -> list[Any]:
        """Another moment, or another job to compare with."""
        if watched.shown is None:
            return [gr.skip(), ""]
        try:
            pair = self._desk.compare(watched.shown, int(other) if other else None, moment / 100)
        except MsvsrError as error:
            return [gr.skip(), error_line(error, language)]
        return [gr.update(value=tuple(map(str, pair))), ""]

    def speak(self, language: Language, source: Path | None, watched: Watched) -> list[Any]:
        """Say everything that is shown in another language."""
        facts = note_line(say("facts_none", language))
        if source is not None:
            facts = show_facts(source, self._desk.probe(source), language)
        player, other = note_line(say("result_none", language)), gr.skip()
        if watched.shown is not None:
            view = self._desk.queue.view(watched.shown)
            player, other = show_result(view, language), self._others(view, language)
        entries = self._entries(self._desk.folders.roots[0], language)
        return [*self._lists(language, watched), facts, "", player, other, entries]

    def _lists(self, language: Language, watched: Watched) -> list[Any]:
        """The running job, whether it can be cancelled, and all jobs."""
        views = self._desk.queue.views()
        running = next((view for view in views if view.state == "running"), None)
        watched.running = running.number if running else None
        return [
            show_running(running, language),
            gr.update(visible=running is not None),
            show_history(views, watched.shown, language),
        ]

    def _result(self, number: int, language: Language) -> list[Any]:
        """The result of a job: player, pictures, moment, what to compare with."""
        view, finished = self._desk.finished(number)
        pair = self._desk.compare(number, None, _MIDDLE / 100)
        return [
            show_result(view, language),
            gr.update(value=tuple(map(str, pair)), visible=True),
            gr.update(value=_MIDDLE, visible=finished.report.num_frames > 1),
            self._others(view, language),
        ]

    def _others(self, view: PageJob, language: Language) -> Any:  # noqa: ANN401
        siblings = self._desk.siblings(view.number)
        choices = [(say("the_source", language), _SOURCE_ITSELF)]
        choices += [
            (say("job_name", language, each.number, job_label(each)), str(each.number))
            for each in siblings
        ]
        return gr.update(choices=choices, value=_SOURCE_ITSELF, visible=bool(siblings))


def _nothing_chosen(line: str) -> list[Any]:
    return [None, line, gr.update(visible=False), gr.skip()]


def _settings(values: Sequence[Any]) -> Settings:
    return Settings(**dict(zip(SETTINGS_ORDER, values, strict=True)))
