"""The model folder that a training leaves: pipelines load it, people read its card."""

import dataclasses
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from msvsr.models.catalog import FRAME_INTERPOLATION_TASK, SUPER_RESOLUTION_TASK
from msvsr.models.config import CONFIGURATION_FILE, GeneratorConfig
from msvsr.models.interpolation_config import InterpolationConfig
from msvsr.training.config import RunConfig

__all__ = [
    "ModelFolder",
    "RunFacts",
    "Scores",
    "interpolation_configuration",
    "super_resolution_configuration",
]

TRAINING_FILE, CARD_FILE = "training.json", "README.md"

Scores = dict[str, tuple[float, float]]
"""For each held-out clip PSNR in dB of the plain method and of the network."""


@dataclass(frozen=True, kw_only=True)
class RunFacts:
    """What a run was, beyond its configuration.

    Attributes:
        step: Steps done.
        seconds: Time that they took, all calls together.
        num_processes: How many processes trained.
        device: Where they computed.
        precision: The type that networks computed in.
        scores: The last validation.
    """

    step: int
    seconds: float
    num_processes: int
    device: torch.device
    precision: str
    scores: Scores


@dataclass(frozen=True)
class ModelFolder:
    """All of a model folder but the weights.

    Attributes:
        folder: The folder, which exists.
        configuration: Content of its ``configuration.json``.
        training: The run that made the weights.
    """

    folder: Path
    configuration: Mapping[str, Any]
    training: RunConfig

    def write(self, facts: RunFacts) -> None:
        """Write configuration, card and the record of the training, each as a whole."""
        self._write_json(CONFIGURATION_FILE, self.configuration)
        self._write_json(TRAINING_FILE, dataclasses.asdict(self.training))
        self._write(CARD_FILE, _make_card(self.configuration, self.training, facts))

    def _write_json(self, name: str, content: Mapping[str, Any]) -> None:
        self._write(name, json.dumps(content, indent=2) + "\n")

    def _write(self, name: str, text: str) -> None:
        temporary = self.folder / f"{name}.tmp"
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(self.folder / name)


def super_resolution_configuration(network: GeneratorConfig) -> dict[str, Any]:
    """The ``configuration.json`` of a network; its flow weights are inside the model's own."""
    generator = dataclasses.asdict(dataclasses.replace(network, spynet_pretrained=None))
    return {
        "framework": "pytorch",
        "task": SUPER_RESOLUTION_TASK,
        "model": {"type": "real-basicvsr", "generator": generator},
        "pipeline": {"type": "realbasicvsr-video-super-resolution"},
    }


def interpolation_configuration(network: InterpolationConfig) -> dict[str, Any]:
    """The ``configuration.json`` of networks for frame interpolation."""
    return {
        "framework": "pytorch",
        "task": FRAME_INTERPOLATION_TASK,
        "model": {"type": "video-frame-interpolation", **dataclasses.asdict(network)},
        "pipeline": {"type": "video-frame-interpolation"},
    }


_CARD = """\
---
tasks:
- {task}
domain:
- cv
frameworks:
- pytorch
---

# {title}

Trained with msvsr. [`{training}`](./{training}) is the whole configuration of the run.

```python
import msvsr
from modelscope.pipelines import pipeline

run = pipeline("{task}", model="PATH_OF_THIS_FOLDER")
```

## Training

| | |
|---|---|
{rows}

## Evaluation

{evaluation}
"""

_TITLES = {
    SUPER_RESOLUTION_TASK: ("Video super-resolution by a factor of 4", "bicubic interpolation"),
    FRAME_INTERPOLATION_TASK: ("Video frame interpolation", "a blend of both neighbours"),
}


def _make_card(configuration: Mapping[str, Any], training: RunConfig, facts: RunFacts) -> str:
    task = configuration["task"]
    title, plain = _TITLES[task]
    rows = {
        "data": _describe_data(training),
        "steps": f"{facts.step:,} of {training.num_steps:,}",
        "samples per step": str(training.batch_size),
        "time": _format_time(facts.seconds),
        "hardware": _describe_hardware(facts),
        "precision": facts.precision,
        "seed": str(training.seed),
    }
    return _CARD.format(
        task=task,
        title=title,
        training=TRAINING_FILE,
        rows="\n".join(f"| {name} | {value} |" for name, value in rows.items()),
        evaluation=_describe_scores(facts.scores, plain),
    )


def _describe_data(training: RunConfig) -> str:
    """Names of the files or folders that samples came from."""
    data, footage = getattr(training, "data", None), getattr(training, "footage", None)
    if footage is not None:
        return ", ".join(source.path for source in footage.sources)
    return ", ".join(clip.name for clip in data.clips) if data is not None else "samples of its own"


def _format_time(seconds: float) -> str:
    hours, minutes = divmod(round(seconds / 60), 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min" if minutes else f"{seconds:.0f} s"


def _describe_hardware(facts: RunFacts) -> str:
    device = facts.device
    if device.type == "cuda":
        return f"{facts.num_processes} x {torch.cuda.get_device_name(device)}"
    processes = "" if facts.num_processes == 1 else f", {facts.num_processes} processes"
    cores = f"{_num_cores()} CPU cores" if device.type == "cpu" else device.type
    return cores + processes


def _num_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _describe_scores(scores: Scores, plain: str) -> str:
    if not scores:
        return "No clips were held out."
    lines = [
        f"| {name} | {before:.2f} | {after:.2f} | {after - before:+.2f} |"
        for name, (before, after) in scores.items()
    ]
    head = ["| clip | plain | this model | gain |", "|---|---|---|---|"]
    text = f"PSNR (Y) in dB on clips that were not trained on, beside {plain}, after the last step:"
    return "\n".join([text, "", *head, *lines])
