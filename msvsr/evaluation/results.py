"""What was measured under a protocol, as data."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from msvsr.evaluation.protocols import EvaluationProtocol

__all__ = ["ClipScores", "ProtocolResult", "plain_numbers"]


@dataclass(frozen=True, kw_only=True)
class ClipScores:
    """The scores of one clip, or of one sample.

    Attributes:
        name: What it is called.
        num_frames: Frames that were scored.
        metrics: Mean over those frames, by metric; a metric that no frame has is left out.
        num_undefined: Frames that have no value, by metric: NIQE has none for a flat frame.
    """

    name: str
    num_frames: int
    metrics: Mapping[str, float]
    num_undefined: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ProtocolResult:
    """What was measured under one protocol.

    Attributes:
        protocol: The protocol, with what was published for these data.
        metrics: Mean over all frames that were scored, each of which weighs the same.
        num_frames: How many they were.
        unavailable: Metrics that could not be measured, and why in one line.
        notes: What a reader of the numbers has to know, one line each.
        clips: The scores of each clip, in the order of the data.
        dtype: Name of the type that the model computed in; empty without a model.
    """

    protocol: EvaluationProtocol
    metrics: Mapping[str, float]
    num_frames: int
    unavailable: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    clips: tuple[ClipScores, ...] = ()
    dtype: str = ""

    def to_json(self) -> dict[str, Any]:
        """The same as plain data."""
        return {
            "title": self.protocol.title,
            "source": self.protocol.source,
            "published": dict(self.protocol.published),
            "metrics": plain_numbers(self.metrics),
            "num_frames": self.num_frames,
            "unavailable": dict(self.unavailable),
            "dtype": self.dtype,
            "notes": list(self.notes),
            "clips": [
                {
                    "name": clip.name,
                    "num_frames": clip.num_frames,
                    "metrics": plain_numbers(clip.metrics),
                    "num_undefined": dict(clip.num_undefined),
                }
                for clip in self.clips
            ],
        }


def plain_numbers(metrics: Mapping[str, float]) -> dict[str, float | str]:
    """Numbers as JSON can hold them: one that is infinite becomes the text ``inf``."""
    return {k: v if math.isfinite(v) else str(v) for k, v in metrics.items()}
