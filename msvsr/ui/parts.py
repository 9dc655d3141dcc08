"""The parts of the page that show: the head, the source, the jobs, the result."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from msvsr.ui.desk import Desk
from msvsr.ui.files import SOURCE_SUFFIXES
from msvsr.ui.texts import LANGUAGES, Language, say
from msvsr.ui.views import note_line
from msvsr.ui.words import Words

__all__ = [
    "ResultPart",
    "SourcePart",
    "WatchPart",
    "lay_head",
    "lay_result",
    "lay_source",
    "lay_watch",
]

_POLL_SECONDS = 0.7

_ON_CLICK = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-cancel], [data-show]');
  if (!button) return;
  const verb = 'cancel' in button.dataset ? 'cancel' : 'show';
  trigger('click', {verb: verb, number: Number(button.dataset[verb])});
});
"""
"""Tells which button inside a list was pressed."""


def _head(language: Language) -> str:
    return f"<h1>msvsr · {say('title', language)}</h1><p>{say('subtitle', language)}</p>"


def lay_head(words: Words) -> gr.Radio:
    """Lay out the title, and the switch of the language."""
    with gr.Row(elem_id="head"):
        words.add(gr.HTML(_head("en"), elem_id="title"), _head)
        return gr.Radio(
            list(LANGUAGES.items()),
            value="en",
            show_label=False,
            container=False,
            elem_id="language",
        )


@dataclass(frozen=True, kw_only=True)
class SourcePart:
    """Where a source comes from, and what it is."""

    upload: gr.File
    folder: gr.UploadButton
    path: gr.Textbox
    entries: gr.Dropdown
    facts: gr.HTML


def lay_source(words: Words, desk: Desk) -> SourcePart:
    """Lay out the ways to a source."""
    with gr.Column(elem_classes="card"):
        words.title("source")
        with gr.Tabs():
            with words.add(
                gr.Tab(say("upload_tab", "en"), elem_id="upload-tab"),
                lambda language: gr.update(label=say("upload_tab", language)),
            ):
                upload, folder = _lay_uploads(words, desk.max_upload_mib)
            with words.add(
                gr.Tab(say("server_tab", "en"), elem_id="server-tab"),
                lambda language: gr.update(label=say("server_tab", language)),
            ):
                path = _lay_path(words, desk)
                entries = words.label(
                    gr.Dropdown([], label=say("entries", "en"), elem_id="entries"), "entries"
                )
        facts = gr.HTML(note_line(say("facts_none", "en")), elem_id="facts")
    return SourcePart(upload=upload, folder=folder, path=path, entries=entries, facts=facts)


def _lay_uploads(words: Words, limit: int) -> tuple[gr.File, gr.UploadButton]:
    upload = words.add(
        gr.File(
            label=say("upload", "en", limit),
            file_count="multiple",
            file_types=sorted(SOURCE_SUFFIXES),
            height=110,
            elem_id="upload",
        ),
        lambda language: gr.update(label=say("upload", language, limit)),
    )
    folder = words.add(
        gr.UploadButton(
            say("upload_folder", "en"), file_count="directory", size="sm", elem_id="upload-folder"
        ),
        lambda language: gr.update(label=say("upload_folder", language)),
    )
    return upload, folder


def _lay_path(words: Words, desk: Desk) -> gr.Textbox:
    roots = ", ".join(map(str, desk.folders.roots))
    box = gr.Textbox(
        label=say("path", "en"), info=say("path_info", "en", roots), max_lines=1, elem_id="path"
    )
    words.add(
        box,
        lambda language: gr.update(
            label=say("path", language), info=say("path_info", language, roots)
        ),
    )
    return box


@dataclass(frozen=True, kw_only=True)
class WatchPart:
    """The running job, all jobs, and the clock that renews them."""

    running: gr.HTML
    cancel: gr.Button
    history: gr.HTML
    timer: gr.Timer


def lay_watch(words: Words) -> WatchPart:
    """Lay out what the jobs do."""
    with gr.Column(elem_classes="card"):
        # The button stands outside what is renewed all the time: a press must not be lost.
        with gr.Row(elem_id="now"):
            words.title("now")
            cancel = words.add(
                gr.Button(
                    say("cancel", "en"), variant="stop", size="sm", visible=False, elem_id="cancel"
                ),
                lambda language: gr.update(value=say("cancel", language)),
            )
        running = gr.HTML(note_line(say("idle", "en")), elem_id="running")
        words.title("history")
        history = gr.HTML(
            note_line(say("history_none", "en")), elem_id="history", js_on_load=_ON_CLICK
        )
    timer = gr.Timer(_POLL_SECONDS)
    return WatchPart(running=running, cancel=cancel, history=history, timer=timer)


@dataclass(frozen=True, kw_only=True)
class ResultPart:
    """A finished job: player, pictures with a divider, which moment, compared with what."""

    player: gr.HTML
    slider: gr.ImageSlider
    moment: gr.Slider
    other: gr.Dropdown

    @property
    def outputs(self) -> list[Any]:
        """All of it, in order."""
        return [self.player, self.slider, self.moment, self.other]


def lay_result(words: Words) -> ResultPart:
    """Lay out what a job gave."""
    with gr.Column(elem_classes="card"):
        words.title("result")
        player = gr.HTML(note_line(say("result_none", "en")), elem_id="result")
        slider = words.label(
            gr.ImageSlider(
                label=say("before_after", "en"),
                type="filepath",
                interactive=False,
                buttons=["fullscreen"],
                visible=False,
                elem_id="before-after",
            ),
            "before_after",
        )
        with gr.Row():
            moment = words.label(
                gr.Slider(
                    0,
                    100,
                    50,
                    step=1,
                    label=say("moment", "en"),
                    visible=False,
                    elem_id="moment",
                    min_width=230,
                ),
                "moment",
            )
            other = words.label(
                gr.Dropdown(
                    [],
                    label=say("compare_with", "en"),
                    visible=False,
                    elem_id="other",
                    min_width=230,
                ),
                "compare_with",
            )
    return ResultPart(player=player, slider=slider, moment=moment, other=other)
