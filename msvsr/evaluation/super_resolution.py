"""Evaluate super-resolution on clips, one clip at a time, frames scored as they come out."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from msvsr.data.videolq import Clip
from msvsr.errors import InputError
from msvsr.evaluation.clip_job import ClipJob, Conditions
from msvsr.evaluation.consistency import WARPING_ERROR, MotionJudge
from msvsr.evaluation.distributed import open_processes
from msvsr.evaluation.measures import (
    SUPER_RESOLUTION_METRICS,
    Measures,
    choose_metrics,
    choose_protocols,
)
from msvsr.evaluation.methods import UpscalingMethod
from msvsr.evaluation.options import EvaluationOptions, EvaluationProgress
from msvsr.evaluation.protocols import EvaluationProtocol, find_protocols
from msvsr.evaluation.report import EvaluationReport, read_versions
from msvsr.evaluation.running import ClipOutcome, Meter, run_jobs
from msvsr.evaluation.scores import ScoreStore
from msvsr.evaluation.summary import seconds_per_frame, summarise
from msvsr.evaluation.writing import write_report
from msvsr.models.catalog import SUPER_RESOLUTION_TASK

__all__ = ["evaluate_super_resolution"]

_DEFAULT = ("niqe",)
_DEFAULT_WITH_REFERENCE = ("niqe", "mse", "psnr", "ssim", "psnr_y", "ssim_y")
_PAPER_LENGTH = 100
_MAX_NAMED = 3


def evaluate_super_resolution(
    clips: Mapping[str, Clip],
    method: UpscalingMethod,
    *,
    work_dir: Path | None = None,
    options: EvaluationOptions | None = None,
    ground_truth: Mapping[str, Clip] | None = None,
    data_name: str = "clips",
    on_progress: Callable[[EvaluationProgress], None] = lambda _: None,
) -> EvaluationReport:
    """Score what a method makes of clips, under one or several protocols.

    Frames are scored as they come out and then forgotten; protocols that need the same frames share
    a pass over the clip. With a work folder, the scores of finished clips are kept there, and
    ``report.json``, ``report.md`` and ``scores.html`` are written at the end. Several processes
    (``torchrun``, or ``torch.distributed`` where it is initialised) share the clips; each returns
    the whole report, and the first one writes it.

    Args:
        clips: Clips by name.
        method: What is evaluated.
        work_dir: Where scores and reports are kept; nothing is written without it.
        options: What is measured, and what is kept.
        ground_truth: What the output should be, by the names of the clips.
        data_name: What the data are called in the report.
        on_progress: Told after each frame; what it raises ends the evaluation.

    Raises:
        ConfigError: There is no such metric or protocol, or a metric needs ground truth.
        InputError: There is no clip, or ground truth does not fit.
        MsvsrError: A clip cannot be read, or another process failed.
    """
    options = options or EvaluationOptions()
    protocols = find_protocols(SUPER_RESOLUTION_TASK, options.protocols)
    metrics = choose_metrics(
        options.metrics,
        SUPER_RESOLUTION_METRICS,
        _DEFAULT if ground_truth is None else _DEFAULT_WITH_REFERENCE,
        protocols,
        has_ground_truth=ground_truth is not None,
    )
    protocols = choose_protocols(protocols, metrics, are_named=options.protocols is not None)
    _check_clips(clips, ground_truth)
    with open_processes() as processes:
        measures, judge = processes.attempt(lambda: _load(metrics, options, method))
        measures.drop(processes.gather(measures.unavailable))
        conditions = Conditions(
            method=method,
            measures=measures,
            judge=judge,
            store=ScoreStore(work_dir, resume=options.resume),
            keeps_frames_of=protocols[0].name if options.save_frames and work_dir else "",
        )
        jobs = list(_jobs(clips, ground_truth, protocols, conditions))
        outcomes = run_jobs(jobs, processes, Meter(jobs, on_progress))
        report = _report(clips, outcomes, protocols, conditions, data_name)
        processes.attempt(lambda: write_report(report, work_dir) if processes.rank == 0 else None)
    return report


def _check_clips(clips: Mapping[str, Clip], ground_truth: Mapping[str, Clip] | None) -> None:
    empty = [name for name, clip in clips.items() if not len(clip)]
    if not clips or empty:
        raise InputError(
            f"clip {empty[0]} has no frame: remove it" if empty else "there is no clip: give some"
        )
    if ground_truth is None:
        return
    for name, clip in clips.items():
        found = len(ground_truth[name]) if name in ground_truth else 0
        if found != len(clip):
            raise InputError(
                f"clip {name} needs ground truth of {len(clip)} frames, found {found}: complete "
                "ground truth, or leave it out"
            )


def _load(
    metrics: Sequence[str], options: EvaluationOptions, method: UpscalingMethod
) -> tuple[Measures, MotionJudge | None]:
    judge = MotionJudge(method.device) if WARPING_ERROR in metrics else None
    return Measures(metrics, options), judge


def _jobs(
    clips: Mapping[str, Clip],
    ground_truth: Mapping[str, Clip] | None,
    protocols: Sequence[EvaluationProtocol],
    conditions: Conditions,
) -> Iterator[ClipJob]:
    for place, (name, clip) in enumerate(clips.items()):
        own = tuple(p for p in protocols if p.num_clips is None or place < p.num_clips)
        if own:
            yield ClipJob(name, clip, own, conditions, ground_truth[name] if ground_truth else None)


def _report(
    clips: Mapping[str, Clip],
    outcomes: Sequence[ClipOutcome],
    protocols: Sequence[EvaluationProtocol],
    conditions: Conditions,
    data_name: str,
) -> EvaluationReport:
    method, measures = conditions.method, conditions.measures
    results = tuple(
        summarise(
            protocol,
            outcomes,
            measures,
            dtype=method.rendering(protocol).dtype,
            notes=tuple(_notes(protocol, outcomes, method, data_name)),
        )
        for protocol in protocols
    )
    return EvaluationReport(
        task=SUPER_RESOLUTION_TASK,
        method=method.name,
        model=method.description,
        data={
            "name": data_name,
            "num_clips": len(clips),
            "num_frames": sum(len(clip) for clip in clips.values()),
        },
        protocols=results,
        device=method.device,
        versions=read_versions(),
        seconds_per_frame=seconds_per_frame(protocols[0], outcomes),
        settings=method.settings(),
    )


def _notes(
    protocol: EvaluationProtocol,
    outcomes: Sequence[ClipOutcome],
    method: UpscalingMethod,
    data_name: str,
) -> Iterator[str]:
    if protocol.published and "videolq" not in data_name.lower():
        yield f"published numbers are of VideoLQ; these data are called {data_name}"
    if protocol.frames == "first-middle-last":
        odd = [each for each in outcomes if each.num_frames != _PAPER_LENGTH]
        named = "; ".join(
            f"{each.name}: {', '.join(map(str, sorted(protocol.choose(each.num_frames))))}"
            for each in odd[:_MAX_NAMED]
        )
        more = "; ..." if len(odd) > _MAX_NAMED else ""
        if odd:
            yield (
                f"not of {_PAPER_LENGTH} frames: {len(odd)} of {len(outcomes)} clips, whose first, "
                f"middle and last frames are scored ({named}{more})"
            )
    if any(
        WARPING_ERROR in each.scores[protocol.name].values
        for each in outcomes
        if protocol.name in each.scores
    ):
        yield (
            "warping_error is taken over the share warping_share of the pixels, where the input's "
            "motion is certain; compare it among outputs of one size"
        )
    if protocol.half_on_gpu and method.description and not method.device.startswith("cuda"):
        yield "without a GPU the model computes in float32, as the card's code does there"
    if protocol.window and not method.description:
        yield f"{method.name} works frame by frame: windows make no difference"
