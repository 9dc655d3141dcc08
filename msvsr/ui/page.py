"""The page as Gradio lays it out, and which question each thing on it asks."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import gradio as gr

from msvsr.ui.desk import Desk
from msvsr.ui.form import SettingsPart, lay_settings
from msvsr.ui.handlers import SETTINGS_ORDER, Handlers, Watched
from msvsr.ui.parts import (
    ResultPart,
    SourcePart,
    WatchPart,
    lay_head,
    lay_result,
    lay_source,
    lay_watch,
)
from msvsr.ui.texts import Language
from msvsr.ui.words import Words

__all__ = ["build_page", "page_theme"]

_QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "queue": False}
"""Every event is one request with one answer. Gradio's own queue hands answers over in a stream
that it opens and closes all the time, and with several events per second one is lost now and then;
jobs have a queue of their own."""

_FONTS = (
    *("system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "PingFang SC"),
    *("Noto Sans CJK SC", "Noto Sans SC", "Microsoft YaHei", "sans-serif"),
)
_MONOSPACE = ("ui-monospace", "Menlo", "Consolas", "DejaVu Sans Mono", "monospace")


def page_theme() -> gr.themes.Base:
    """A theme with the system's own fonts: nothing is fetched for it."""
    return gr.themes.Default(
        primary_hue="indigo",
        neutral_hue="slate",
        font=_FONTS,
        font_mono=_MONOSPACE,
        radius_size="md",
    )


@dataclass(frozen=True, kw_only=True)
class _Layout:
    """Everything on the page that asks or is told something.

    ``chosen`` holds the source, ``watched`` what was shown of the jobs.
    """

    language: gr.Radio
    source: SourcePart
    settings: SettingsPart
    watch: WatchPart
    result: ResultPart
    chosen: gr.State
    watched: gr.State
    num_ended: gr.State

    @property
    def estimating(self) -> dict[str, Any]:
        """How estimates are asked for."""
        return {"inputs": [self.language, self.chosen, *self.settings.inputs], **_QUIET}


def build_page(desk: Desk) -> gr.Blocks:
    """Lay the page out.

    Args:
        desk: Does what is asked for.
    """
    words, handlers = Words(), Handlers(desk)
    with gr.Blocks(title="msvsr", analytics_enabled=False, fill_width=True) as page:
        language = lay_head(words)
        with gr.Row(equal_height=False):
            with gr.Column(scale=5, min_width=320):
                source = lay_source(words, desk)
                settings = lay_settings(words)
            with gr.Column(scale=6, min_width=320):
                watch = lay_watch(words)
                result = lay_result(words)
        layout = _Layout(
            language=language,
            source=source,
            settings=settings,
            watch=watch,
            result=result,
            chosen=gr.State(None),
            watched=gr.State(Watched()),
            num_ended=gr.State(0),
        )
        _connect_source(handlers, layout)
        _connect_settings(handlers, layout)
        _connect_jobs(handlers, layout)
        _connect_language(handlers, layout, words)
        page.load(handlers.arrive, None, [language, source.entries], **_QUIET)
    return cast("gr.Blocks", page)


def _estimate_after(event: Any, handlers: Handlers, layout: _Layout) -> None:  # noqa: ANN401
    box = layout.settings.estimate
    announced = event(handlers.announce, outputs=box, **layout.estimating)
    announced.then(handlers.estimate, outputs=box, **layout.estimating)


def _connect_source(handlers: Handlers, layout: _Layout) -> None:
    source, fields, language = layout.source, layout.settings.fields, layout.language
    told = [layout.chosen, source.facts, fields["image_rate"], fields["output_kind"]]
    found = [*told, source.path, source.entries]
    events = [
        source.upload.upload(handlers.upload, [language, source.upload], told, **_QUIET),
        source.upload.clear(handlers.forget, language, told, **_QUIET),
        source.folder.upload(handlers.upload, [language, source.folder], told, **_QUIET),
        source.path.submit(handlers.open_path, [language, source.path], found, **_QUIET),
        source.entries.input(handlers.open_path, [language, source.entries], found, **_QUIET),
    ]
    for event in events:
        _estimate_after(event.then, handlers, layout)


def _connect_settings(handlers: Handlers, layout: _Layout) -> None:
    fields = layout.settings.fields
    shown = ("rate", "steps", "upscale_model", "interpolate_model", "refine")
    fields["task"].change(
        handlers.fit_to_task, fields["task"], [fields[name] for name in shown], **_QUIET
    )
    for name in SETTINGS_ORDER:
        if name not in ("crf", "output_kind"):  # they hardly change what is needed
            _estimate_after(fields[name].change, handlers, layout)


def _connect_jobs(handlers: Handlers, layout: _Layout) -> None:
    settings, watch, result = layout.settings, layout.watch, layout.result
    asking = [layout.language, layout.watched]
    lists = [watch.running, watch.cancel, watch.history]
    shown = [*lists, *result.outputs]
    starting = [layout.language, layout.chosen, *settings.inputs]
    settings.start.click(handlers.start, starting, settings.problem, **_QUIET)
    watch.cancel.click(handlers.cancel, asking, lists, **_QUIET)
    watch.history.click(handlers.press, asking, [*shown, settings.problem], **_QUIET)
    watch.timer.tick(handlers.look, asking, [*shown, layout.num_ended], **_QUIET)
    # A trial may be possible now, and other memory is free.
    _estimate_after(layout.num_ended.change, handlers, layout)
    comparing = [*asking, result.moment, result.other]
    result.moment.release(handlers.compare, comparing, [result.slider, settings.problem], **_QUIET)
    result.other.input(handlers.compare, comparing, [result.slider, settings.problem], **_QUIET)


def _connect_language(handlers: Handlers, layout: _Layout, words: Words) -> None:
    watch, result = layout.watch, layout.result
    told = [watch.running, watch.cancel, watch.history, layout.source.facts]
    told += [layout.settings.problem, result.player, result.other, layout.source.entries]

    def retell(language: Language, source: Path | None, watched: Watched) -> list[Any]:
        said = handlers.speak(language, source, watched)
        return [*said, *(tell(language) for tell in words.retell)]

    asking = [layout.language, layout.chosen, layout.watched]
    event = layout.language.change(retell, asking, [*told, *words.components], **_QUIET)
    _estimate_after(event.then, handlers, layout)
