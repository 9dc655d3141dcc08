"""Evaluate frame interpolation on samples, one at a time."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import torch
import torch.nn.functional as F

from msvsr.data.interpolation_sets import InterpolationSample
from msvsr.engine.images import to_image
from msvsr.errors import InputError
from msvsr.evaluation.clip_job import protocol_conditions, without_border
from msvsr.evaluation.distributed import open_processes
from msvsr.evaluation.measures import (
    INTERPOLATION_METRICS,
    Compared,
    Measures,
    choose_metrics,
    choose_protocols,
)
from msvsr.evaluation.methods import InterpolationMethod
from msvsr.evaluation.options import EvaluationOptions, EvaluationProgress
from msvsr.evaluation.protocols import EvaluationProtocol, find_protocols
from msvsr.evaluation.report import EvaluationReport, read_versions
from msvsr.evaluation.running import ClipOutcome, Meter, run_jobs
from msvsr.evaluation.scores import Scores, ScoreStore, fingerprint_of, hash_images
from msvsr.evaluation.summary import seconds_per_frame, summarise
from msvsr.evaluation.writing import write_report
from msvsr.frame import Frame
from msvsr.models.catalog import FRAME_INTERPOLATION_TASK

__all__ = ["evaluate_interpolation"]

_DEFAULT = ("psnr", "ssim", "lpips", "psnr_y", "ssim_y")
_CLOCK = Fraction(1, 25)
_NUM_INPUTS = (2, 4)


def evaluate_interpolation(
    samples: Sequence[InterpolationSample],
    method: InterpolationMethod,
    *,
    work_dir: Path | None = None,
    options: EvaluationOptions | None = None,
    data_name: str = "samples",
    on_progress: Callable[[EvaluationProgress], None] = lambda _: None,
) -> EvaluationReport:
    """Score the frames that a method makes in the middle of others.

    One sample is decoded at a time. The work folder and several processes are used as by
    `msvsr.evaluation.super_resolution.evaluate_super_resolution`.

    Args:
        samples: The samples.
        method: What is evaluated.
        work_dir: Where scores and reports are kept; nothing is written without it.
        options: What is measured, and what is kept.
        data_name: What the data are called; where it says ``ucf``, ``middlebury`` or ``davis``, the
            numbers published for that set are shown.
        on_progress: Told after each sample; what it raises ends the evaluation.

    Raises:
        ConfigError: There is no such metric or protocol.
        InputError: There is no sample, or one has other than two or four frames.
        MsvsrError: A sample cannot be read, or another process failed.
    """
    options = options or EvaluationOptions()
    found = find_protocols(FRAME_INTERPOLATION_TASK, options.protocols)
    protocols = tuple(protocol.for_data(data_name) for protocol in found)
    metrics = choose_metrics(
        options.metrics, INTERPOLATION_METRICS, _DEFAULT, protocols, has_ground_truth=True
    )
    protocols = choose_protocols(protocols, metrics, are_named=options.protocols is not None)
    if not len(samples):
        raise InputError("there is no sample: give some")
    with open_processes() as processes:
        measures = processes.attempt(lambda: Measures(metrics, options))
        measures.drop(processes.gather(measures.unavailable))
        conditions = _Conditions(
            method=method,
            measures=measures,
            store=ScoreStore(work_dir, resume=options.resume),
            protocols=protocols,
            keeps_frames=options.save_frames and work_dir is not None,
        )
        jobs = [_SampleJob(sample, conditions) for sample in samples]
        outcomes = run_jobs(jobs, processes, Meter(jobs, on_progress))
        report = _report(outcomes, conditions, data_name)
        processes.attempt(lambda: write_report(report, work_dir) if processes.rank == 0 else None)
    return report


@dataclass(frozen=True, kw_only=True)
class _Conditions:
    """What is the same for all samples."""

    method: InterpolationMethod
    measures: Measures
    store: ScoreStore
    protocols: tuple[EvaluationProtocol, ...]
    keeps_frames: bool

    def metrics_of(self, protocol: EvaluationProtocol) -> tuple[str, ...]:
        return tuple(name for name in self.measures.available if protocol.measures(name))


class _SampleJob:
    """Evaluates one sample under all protocols."""

    def __init__(self, sample: InterpolationSample, conditions: _Conditions) -> None:
        self.name = sample.name
        self.num_frames = len(conditions.protocols)
        self._sample = sample
        self._conditions = conditions

    def run(self, advance: Callable[[int], None]) -> ClipOutcome:
        """Evaluate it, saying how many frames were done since the last call."""
        frames, gt = self._sample.load()
        if len(frames) not in _NUM_INPUTS:
            raise InputError(
                f"sample {self.name} must have 2 or 4 frames around the one to be made, got "
                f"{len(frames)}: correct or remove it"
            )
        content = hash_images([frames, gt])
        scores = {}
        for protocol in self._conditions.protocols:
            scores[protocol.name] = self._score(protocol, frames, gt, content)
            advance(1)
        return ClipOutcome(name=self.name, num_frames=len(frames), scores=scores)

    def _score(
        self, protocol: EvaluationProtocol, frames: torch.Tensor, gt: torch.Tensor, content: str
    ) -> Scores:
        store = self._conditions.store
        keeps = self._conditions.keeps_frames and protocol is self._conditions.protocols[0]
        key = self._fingerprint(protocol, content)
        known = store.read(protocol.name, self.name, key)
        if known is not None and not (keeps and not store.has_frames(self.name, key)):
            return known
        made, seconds = self._make(protocol, frames)
        if keeps:
            self._keep(made.flip(0) if protocol.swaps_red_and_blue else made, key)
        scores = self._measure(protocol, made, gt)
        scores.seconds = seconds
        store.write(protocol.name, self.name, key, scores)
        return scores

    def _fingerprint(self, protocol: EvaluationProtocol, content: str) -> str:
        rendering = self._conditions.method.rendering(protocol)
        return fingerprint_of(
            {
                **protocol_conditions(protocol, rendering, self._conditions.method),
                "metrics": self._conditions.metrics_of(protocol),
                "measures": self._conditions.measures.conditions,
                "sample": [self.name, content],
            }
        )

    def _make(
        self, protocol: EvaluationProtocol, frames: torch.Tensor
    ) -> tuple[torch.Tensor, float]:
        """The frame in the middle as the protocol has it, ``(3, h, w)``, and the time it took."""
        height, width = frames.shape[-2:]
        seen = frames.flip(1) if protocol.swaps_red_and_blue else frames
        if protocol.zero_padding:
            multiple = protocol.zero_padding
            seen = F.pad(seen, (0, -width % multiple, 0, -height % multiple))
        method = self._conditions.method
        begin = time.perf_counter()
        made = method.make_middle(seen, method.rendering(protocol)).cpu()
        seconds = time.perf_counter() - begin
        made = made[..., :height, :width]
        return ((made * 255).round() / 255 if protocol.rounds_to_8_bits else made), seconds

    def _measure(
        self, protocol: EvaluationProtocol, made: torch.Tensor, gt: torch.Tensor
    ) -> Scores:
        measures = self._conditions.measures
        reference = gt.flip(0) if protocol.swaps_red_and_blue else gt
        compared = Compared(
            image=without_border(made[None], measures.crop_border),
            reference=without_border(reference[None], measures.crop_border),
            has_3d_ssim=protocol.has_3d_ssim,
        )
        scores = Scores(num_frames=1, num_made=1)
        scores.add(measures.measure(compared, self._conditions.metrics_of(protocol)))
        return scores

    def _keep(self, made: torch.Tensor, key: str) -> None:
        frames = self._conditions.store.open_frames(self.name)
        if frames is not None:
            frames.write(Frame(image=to_image(made, "uint8"), pts=0, time_base=_CLOCK))
            frames.finish()
            self._conditions.store.confirm_frames(self.name, key)


def _report(
    outcomes: Sequence[ClipOutcome], conditions: _Conditions, data_name: str
) -> EvaluationReport:
    method = conditions.method
    results = tuple(
        summarise(
            protocol,
            outcomes,
            conditions.measures,
            dtype=method.rendering(protocol).dtype,
            notes=tuple(_notes(protocol, outcomes, method)),
        )
        for protocol in conditions.protocols
    )
    return EvaluationReport(
        task=FRAME_INTERPOLATION_TASK,
        method=method.name,
        model=method.description,
        data={
            "name": data_name,
            "num_clips": len(outcomes),
            "num_frames": sum(each.num_frames for each in outcomes),
        },
        protocols=results,
        device=method.device,
        versions=read_versions(),
        seconds_per_frame=seconds_per_frame(conditions.protocols[0], outcomes),
        settings=method.settings(),
    )


def _notes(
    protocol: EvaluationProtocol, outcomes: Sequence[ClipOutcome], method: InterpolationMethod
) -> Iterator[str]:
    num_pairs = sum(each.num_frames == _NUM_INPUTS[0] for each in outcomes)
    if num_pairs and method.description:
        yield (
            f"{num_pairs} of {len(outcomes)} samples have two frames, so motion is linear there; "
            "published numbers were made from four"
        )
    if protocol.zero_padding and method.description:
        yield "the model limits its output to [0, 1], which the card's code does not"
