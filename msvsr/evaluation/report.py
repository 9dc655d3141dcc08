"""What an evaluation found, as data: per protocol, per clip, and on which versions."""

import contextlib
import importlib.metadata
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from msvsr.evaluation.model_description import ModelDescription
from msvsr.evaluation.results import ProtocolResult, plain_numbers
from msvsr.evaluation.tables import count, format_text
from msvsr.models.catalog import FRAME_INTERPOLATION_TASK

__all__ = ["EvaluationReport", "read_versions"]


@dataclass(frozen=True, kw_only=True)
class EvaluationReport:
    """What an evaluation found.

    Attributes:
        task: ModelScope's name of the task.
        method: What was evaluated.
        model: Which model it was; ``None`` for a plain method.
        data: What it was evaluated on: ``name``, ``num_clips`` and ``num_frames``.
        protocols: What was measured, by protocol; the first answers under plain names.
        device: What it ran on.
        versions: Of Python and of the packages that have an influence.
        seconds_per_frame: Time that the method took for a frame, without scoring.
        settings: What the method's results depend on beside the model.
    """

    task: str
    method: str
    model: ModelDescription | None
    data: Mapping[str, Any]
    protocols: tuple[ProtocolResult, ...]
    device: str
    versions: Mapping[str, str]
    seconds_per_frame: float
    settings: Mapping[str, object] = field(default_factory=dict)

    @property
    def metrics(self) -> dict[str, float]:
        """The means by metric; those of later protocols as ``niqe[paper]``."""
        first, *others = self.protocols
        named = dict(first.metrics)
        for result in others:
            for metric, value in result.metrics.items():
                named[f"{metric}[{result.protocol.name}]"] = value
        return named

    @property
    def unavailable(self) -> dict[str, str]:
        """Metrics that could not be measured, and why, under the names of `metrics`."""
        first, *others = self.protocols
        named = dict(first.unavailable)
        for result in others:
            for metric, reason in result.unavailable.items():
                named[f"{metric}[{result.protocol.name}]"] = reason
        return named

    def to_json(self) -> dict[str, Any]:
        """The report as plain data for JSON, with the first protocol's metrics as keys.

        A number that is infinite, as PSNR of equal images, becomes the text ``inf``.
        """
        model = self.model
        return {
            **plain_numbers(self.protocols[0].metrics),
            "task": self.task,
            "method": self.method,
            "model": None
            if model is None
            else {
                "name": model.name,
                "folder": None if model.folder is None else str(model.folder),
                "sha256": model.sha256,
                "files": list(model.files),
            },
            "settings": dict(self.settings),
            "data": dict(self.data),
            "protocols": {each.protocol.name: each.to_json() for each in self.protocols},
            "versions": dict(self.versions),
            "device": self.device,
            "dtype": self.protocols[0].dtype,
            "seconds_per_frame": self.seconds_per_frame,
        }

    def headline(self) -> tuple[str, str]:
        """Two lines: what was evaluated, and on what."""
        about = self.method
        if self.model is not None:
            about += f" (sha256 {self.model.sha256[:16]})"
        dtype = self.protocols[0].dtype
        what = "samples" if self.task == FRAME_INTERPOLATION_TASK else "clips"
        return about, (
            f"{self.data['name']}: {count(self.data['num_clips'], what)}, "
            f"{count(self.data['num_frames'], 'frames')}; {self.device}"
            f"{', ' + dtype if dtype else ''}, {self.seconds_per_frame:.3g} s per frame made"
        )

    def to_text(self, *, max_clips: int = 60) -> str:
        """The report as tables in plain text.

        Args:
            max_clips: Clips beyond this many are left to `to_json`.
        """
        return format_text(self.headline(), self.protocols, max_clips=max_clips)


def read_versions() -> dict[str, str]:
    """Versions of Python and of the packages that have an influence on numbers."""
    package = sys.modules[__name__.partition(".")[0]]
    versions = {
        "python": platform.python_version(),
        "msvsr": str(getattr(package, "__version__", "unknown")),
        "torch": str(torch.__version__),
    }
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        versions["modelscope"] = importlib.metadata.version("modelscope")
    return versions
