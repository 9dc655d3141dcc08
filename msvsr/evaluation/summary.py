"""From the numbers of clips to those of a protocol."""

from collections.abc import Iterator, Sequence

from msvsr.evaluation.measures import Measures
from msvsr.evaluation.protocols import EvaluationProtocol
from msvsr.evaluation.results import ClipScores, ProtocolResult
from msvsr.evaluation.running import ClipOutcome
from msvsr.evaluation.scores import Scores, means_of

__all__ = ["seconds_per_frame", "summarise"]


def summarise(
    protocol: EvaluationProtocol,
    outcomes: Sequence[ClipOutcome],
    measures: Measures,
    *,
    dtype: str,
    notes: Sequence[str] = (),
) -> ProtocolResult:
    """Join the numbers of all clips.

    Args:
        protocol: The protocol that they were measured under.
        outcomes: What was measured on each clip.
        measures: Says what could not be measured.
        dtype: Name of the type that the model computed in.
        notes: What a reader has to know beside what holds for all protocols.
    """
    named = [(each.name, each.scores[protocol.name]) for each in _with(protocol, outcomes)]
    scores = [each for _, each in named]
    means = means_of(scores)
    undefined = {
        m: "no frame has a value" for each in scores for m in each.values if m not in means
    }
    missing = {m: why for m, why in measures.unavailable.items() if protocol.measures(m)}
    return ProtocolResult(
        protocol=protocol,
        metrics=means,
        num_frames=sum(each.num_frames for each in scores),
        unavailable={m: why for m, why in missing.items() if m in measures.asked} | undefined,
        notes=(*_common_notes(scores, measures), *notes),
        clips=tuple(
            ClipScores(
                name=name,
                num_frames=each.num_frames,
                metrics=each.means(),
                num_undefined=each.num_undefined(),
            )
            for name, each in named
        ),
        dtype=dtype,
    )


def seconds_per_frame(protocol: EvaluationProtocol, outcomes: Sequence[ClipOutcome]) -> float:
    """Time that the method took for a frame under a protocol."""
    scores = [each.scores[protocol.name] for each in _with(protocol, outcomes)]
    num_made = sum(each.num_made for each in scores)
    return sum(each.seconds for each in scores) / num_made if num_made else 0.0


def _with(protocol: EvaluationProtocol, outcomes: Sequence[ClipOutcome]) -> list[ClipOutcome]:
    return [each for each in outcomes if protocol.name in each.scores]


def _common_notes(scores: Sequence[Scores], measures: Measures) -> Iterator[str]:
    counts: dict[str, int] = {}
    for each in scores:
        for metric, count in each.num_undefined().items():
            counts[metric] = counts.get(metric, 0) + count
    for metric, count in counts.items():
        yield f"{count} frames have no {metric} and are left out of its mean"
    if measures.crop_border:
        yield (
            f"{measures.crop_border} pixels are left out at each side, which published numbers "
            "have not"
        )
