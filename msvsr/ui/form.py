"""The part of the page that is filled in: the settings of a job."""

from dataclasses import dataclass
from typing import Any

import gradio as gr
import torch

from msvsr.models.catalog import (
    DEFAULT_MODELS,
    FRAME_INTERPOLATION_TASK,
    SUPER_RESOLUTION_TASK,
    list_models,
)
from msvsr.models.devices import choose_device
from msvsr.ui.handlers import SETTINGS_ORDER
from msvsr.ui.texts import Language, say
from msvsr.ui.views import note_line
from msvsr.ui.words import Choices, Words

__all__ = ["SettingsPart", "lay_settings"]

_DEFAULT_CRF, _MAX_CRF = 18, 40
_DEFAULT_STEPS = "nlmeans,lanczos:factor=4,unsharp"
_STEPS = (
    _DEFAULT_STEPS,
    "bicubic:factor=4",
    "median,lanczos:factor=4",
    "bilateral,clahe",
    "unsharp",
    "sobel",
    "canny",
)
_RATES = ("2x", "2.5x", "3x", "4x", "24", "25", "30", "48", "50", "60", "120")


@dataclass(frozen=True, kw_only=True)
class SettingsPart:
    """The fields of `msvsr.ui.desk.Settings`, the estimate and the start button."""

    fields: dict[str, Any]
    estimate: gr.HTML
    problem: gr.HTML
    start: gr.Button

    @property
    def inputs(self) -> list[Any]:
        """The fields in the order that handlers take them in."""
        return [self.fields[name] for name in SETTINGS_ORDER]


def lay_settings(words: Words) -> SettingsPart:
    """Lay out what is filled in, the estimate and the start button."""
    fields: dict[str, Any] = {}
    with gr.Column(elem_classes="card"):
        words.title("settings")
        fields["task"] = words.choices(
            gr.Radio(_tasks("en"), value="upscale", label=say("task", "en"), elem_id="task"),
            "task",
            _tasks,
        )
        fields |= _lay_task_settings(words)
        fields |= _lay_output_settings(words)
        with words.add(
            gr.Accordion(say("advanced", "en"), open=False, elem_id="advanced"),
            lambda language: gr.update(label=say("advanced", language)),
        ):
            fields |= _lay_models(words)
        estimate = gr.HTML(note_line(say("estimate_none", "en")), elem_id="estimate")
        problem = gr.HTML("", elem_id="problem")
        start = words.add(
            gr.Button(say("start", "en"), variant="primary", elem_id="start"),
            lambda language: gr.update(value=say("start", language)),
        )
    return SettingsPart(fields=fields, estimate=estimate, problem=problem, start=start)


def _tasks(language: Language) -> list[tuple[str, str]]:
    names = ("upscale", "interpolate", "both", "classic")
    return [(say(f"task_{name}", language), name) for name in names]


def _lay_task_settings(words: Words) -> dict[str, Any]:
    rate = gr.Dropdown(
        list(_RATES),
        value="2x",
        label=say("rate", "en"),
        info=say("rate_info", "en"),
        allow_custom_value=True,
        visible=False,
        elem_id="rate",
    )
    steps = gr.Dropdown(
        list(_STEPS),
        value=_DEFAULT_STEPS,
        label=say("steps", "en"),
        info=say("steps_info", "en"),
        allow_custom_value=True,
        visible=False,
        elem_id="steps",
    )
    image_rate = gr.Number(
        25, label=say("image_rate", "en"), visible=False, elem_id="image-rate", minimum=0
    )
    return {
        "rate": words.hinted(rate, "rate", "rate_info"),
        "steps": words.hinted(steps, "steps", "steps_info"),
        "image_rate": words.label(image_rate, "image_rate"),
    }


def _lay_output_settings(words: Words) -> dict[str, Any]:
    with gr.Row():
        kind = gr.Radio(
            _kinds("en"),
            value="video",
            label=say("output_kind", "en"),
            elem_id="output-kind",
            min_width=230,
        )
        crf = gr.Slider(
            0,
            _MAX_CRF,
            _DEFAULT_CRF,
            step=1,
            label=say("quality", "en"),
            elem_id="quality",
            min_width=230,
        )
    return {
        "output_kind": words.choices(kind, "output_kind", _kinds),
        "crf": words.label(crf, "quality"),
    }


def _kinds(language: Language) -> list[tuple[str, str]]:
    return [(say("kind_video", language), "video"), (say("kind_images", language), "images")]


def _lay_models(words: Words) -> dict[str, Any]:
    fields = {}
    for name, task in (
        ("upscale_model", SUPER_RESOLUTION_TASK),
        ("interpolate_model", FRAME_INTERPOLATION_TASK),
    ):
        box = gr.Dropdown(
            _models(task)("en"),
            value="",
            label=say(name, "en"),
            info=say("model_info", "en"),
            allow_custom_value=True,
            visible=name == "upscale_model",
            elem_id=name.replace("_", "-"),
        )
        fields[name] = words.hinted_choices(box, name, "model_info", _models(task))
    with gr.Row():
        device = gr.Dropdown(
            _devices("en"), value="auto", label=say("device", "en"), elem_id="device"
        )
        refine = gr.Dropdown(
            _refinements("en"),
            value="",
            label=say("refine", "en"),
            info=say("refine_info", "en"),
            allow_custom_value=True,
            elem_id="refine",
        )
    fields["device"] = words.choices(device, "device", _devices)
    fields["refine"] = words.hinted_choices(refine, "refine", "refine_info", _refinements)
    return fields


def _models(task: str) -> Choices:
    embedded = DEFAULT_MODELS[task]
    others = [
        (entry.name, entry.name)
        for entry in list_models()
        if entry.task == task and entry.name != embedded
    ]
    return lambda language: [(say("embedded", language, embedded), ""), *others]


def _devices(language: Language) -> list[tuple[str, str]]:
    gpus = [
        (f"{torch.cuda.get_device_name(index)} (cuda:{index})", f"cuda:{index}")
        for index in range(torch.cuda.device_count())
    ]
    if torch.backends.mps.is_available():
        gpus.append(("mps", "mps"))
    best = choose_device("auto").type
    return [(say("device_auto", language, best), "auto"), *gpus, ("cpu", "cpu")]


def _refinements(language: Language) -> list[tuple[str, str]]:
    values = {"refine_model": "", "refine_once": "255", "refine_gan": "5", "refine_plain": "1.5"}
    return [(say(key, language), value) for key, value in values.items()]
