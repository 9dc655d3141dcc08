"""One clip of super-resolution: its passes through the method, and the scores of its frames."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from fractions import Fraction

import torch

from msvsr.data.rows import to_image_tensor
from msvsr.data.videolq import Clip
from msvsr.errors import ShapeError
from msvsr.evaluation.consistency import WARPING_ERROR, MotionJudge, WarpingMeter
from msvsr.evaluation.files import FrameFolder
from msvsr.evaluation.measures import Compared, Measures
from msvsr.evaluation.methods import InterpolationMethod, Rendering, UpscalingMethod
from msvsr.evaluation.protocols import EvaluationProtocol
from msvsr.evaluation.report import read_versions
from msvsr.evaluation.running import ClipOutcome, Stopwatch
from msvsr.evaluation.scores import Scores, ScoreStore, fingerprint_of, hash_images
from msvsr.frame import Frame, ImageArray
from msvsr.video.color import to_uint8

__all__ = ["ClipJob", "Conditions", "protocol_conditions", "without_border"]

_CLOCK = Fraction(1, 25)
_NOT_OF_SCORES = ("title", "source", "published", "published_for")


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """What is the same for all clips.

    Attributes:
        method: What is evaluated.
        measures: What is measured.
        judge: Judges the motion for warping error; ``None`` where that is not asked for.
        store: Keeps scores and frames.
        keeps_frames_of: Name of the protocol whose frames are kept; empty for none.
    """

    method: UpscalingMethod
    measures: Measures
    judge: MotionJudge | None
    store: ScoreStore
    keeps_frames_of: str = ""

    def metrics_of(self, protocol: EvaluationProtocol) -> tuple[str, ...]:
        """The metrics that are measured under a protocol."""
        return tuple(name for name in self.measures.available if protocol.measures(name))


class ClipJob:
    """Evaluates one clip under the protocols that it is part of.

    Args:
        name: What the clip is called.
        clip: Its frames.
        protocols: The protocols.
        conditions: What is the same for all clips.
        ground_truth: What the output should be.
    """

    def __init__(
        self,
        name: str,
        clip: Clip,
        protocols: Sequence[EvaluationProtocol],
        conditions: Conditions,
        ground_truth: Clip | None = None,
    ) -> None:
        self.name = name
        self._clip = clip
        self._conditions = conditions
        self._ground_truth = ground_truth
        self._passes: dict[Rendering, list[EvaluationProtocol]] = {}
        for protocol in protocols:
            rendering = conditions.method.rendering(protocol)
            self._passes.setdefault(rendering, []).append(protocol)
        self.num_frames = len(clip) * len(self._passes)

    def run(self, advance: Callable[[int], None]) -> ClipOutcome:
        """Evaluate it, saying how many frames were done since the last call."""
        scores: dict[str, Scores] = {}
        content = self._hash()
        for rendering, protocols in self._passes.items():
            keys = {each.name: self._fingerprint(each, rendering, content) for each in protocols}
            known = self._recall(keys)
            if len(known) == len(keys):
                advance(len(self._clip))
            else:
                known = self._make(rendering, protocols, keys, advance)
            scores |= known
        return ClipOutcome(name=self.name, num_frames=len(self._clip), scores=scores)

    def _hash(self) -> str:
        """Hash a few frames: enough to notice other content under the same name."""
        clips = [clip for clip in (self._clip, self._ground_truth) if clip is not None]
        return hash_images(
            clip[number] for clip in clips for number in sorted({0, len(clip) // 2, len(clip) - 1})
        )

    def _fingerprint(self, protocol: EvaluationProtocol, rendering: Rendering, content: str) -> str:
        judge = self._conditions.judge
        return fingerprint_of(
            {
                **protocol_conditions(protocol, rendering, self._conditions.method),
                "metrics": self._conditions.metrics_of(protocol),
                "measures": self._conditions.measures.conditions,
                "judge": judge.description.sha256 if judge else "",
                "clip": [self.name, len(self._clip), content],
            }
        )

    def _recall(self, keys: Mapping[str, str]) -> dict[str, Scores]:
        """The scores that are there already, if frames are there too where they are wanted."""
        store, keeps = self._conditions.store, self._conditions.keeps_frames_of
        if keeps in keys and not store.has_frames(self.name, keys[keeps]):
            return {}
        found = {protocol: store.read(protocol, self.name, key) for protocol, key in keys.items()}
        return {protocol: scores for protocol, scores in found.items() if scores is not None}

    def _make(
        self,
        rendering: Rendering,
        protocols: Sequence[EvaluationProtocol],
        keys: Mapping[str, str],
        advance: Callable[[int], None],
    ) -> dict[str, Scores]:
        """Run the method over the clip, and keep the scores."""
        store, keeps = self._conditions.store, self._conditions.keeps_frames_of
        frames = store.open_frames(self.name) if keeps in keys else None
        try:
            scores = self._pass(rendering, protocols, frames, advance)
        except BaseException:
            if frames:
                frames.abort()
            raise
        if frames:
            frames.finish()
            store.confirm_frames(self.name, keys[keeps])
        for protocol, key in keys.items():
            store.write(protocol, self.name, key, scores[protocol])
        return scores

    def _pass(
        self,
        rendering: Rendering,
        protocols: Sequence[EvaluationProtocol],
        frames: FrameFolder | None,
        advance: Callable[[int], None],
    ) -> dict[str, Scores]:
        scorer = _FrameScorer(self._clip, self._ground_truth, protocols, self._conditions)
        reading, making = Stopwatch(), Stopwatch()  # reading happens while making
        made = self._conditions.method.upscale(reading.watch(self._clip), rendering)
        with closing(made):  # its memory is free before an error is handled
            for number, image in enumerate(making.watch(made)):
                scorer.add(number, image)
                if frames:
                    frames.write(Frame(image=image, pts=number, time_base=_CLOCK))
                advance(1)
        for scores in scorer.scores.values():
            scores.num_made, scores.seconds = making.num_items, making.seconds - reading.seconds
        return scorer.scores


class _FrameScorer:
    """Scores the frames of a pass as they come out."""

    def __init__(
        self,
        clip: Clip,
        ground_truth: Clip | None,
        protocols: Sequence[EvaluationProtocol],
        conditions: Conditions,
    ) -> None:
        self._clip = clip
        self._ground_truth = ground_truth
        self._border = conditions.measures.crop_border
        self._measures = conditions.measures
        self._metrics = {each.name: conditions.metrics_of(each) for each in protocols}
        self._chosen = {each.name: each.choose(len(clip)) for each in protocols}
        self._alike: dict[tuple[bool, bool], list[EvaluationProtocol]] = {}
        for each in protocols:
            key = (each.rounds_to_8_bits, each.swaps_red_and_blue)
            self._alike.setdefault(key, []).append(each)
        self._warping = {
            each.name: WarpingMeter(conditions.judge)
            for each in protocols
            if conditions.judge is not None and WARPING_ERROR in self._metrics[each.name]
        }
        self.scores = {each.name: Scores() for each in protocols}

    def add(self, number: int, image: ImageArray) -> None:
        """Score the next frame under all protocols that want it."""
        for protocols in self._alike.values():
            wanting = [each.name for each in protocols if number in self._chosen[each.name]]
            if wanting:
                self._add(number, self._view(image, protocols[0]), wanting)

    def _add(self, number: int, image: torch.Tensor, protocols: Sequence[str]) -> None:
        names = dict.fromkeys(m for protocol in protocols for m in self._metrics[protocol])
        values = self._measures.measure(self._compared(number, image), names)
        for protocol in protocols:
            own = {m: values[m] for m in self._metrics[protocol] if m in values}
            if protocol in self._warping:
                own |= self._warping[protocol].update(self._clip[number], image)
            self.scores[protocol].add(own)
            self.scores[protocol].num_frames += 1

    def _compared(self, number: int, image: torch.Tensor) -> Compared:
        gt = self._ground_truth
        reference = None if gt is None else to_image_tensor(gt[number])[None]
        return Compared(
            image=without_border(image, self._border),
            reference=None if reference is None else without_border(reference, self._border),
        )

    def _view(self, image: ImageArray, protocol: EvaluationProtocol) -> torch.Tensor:
        """The frame as a protocol wants to see it."""
        if protocol.rounds_to_8_bits:
            image = to_uint8(image)
        tensor = to_image_tensor(image)[None]
        return tensor.flip(1) if protocol.swaps_red_and_blue else tensor


def without_border(image: torch.Tensor, border: int) -> torch.Tensor:
    """Cut the border off that is not measured.

    Raises:
        ShapeError: Nothing is left.
    """
    height, width = image.shape[-2:]
    if 2 * border >= min(height, width):
        raise ShapeError(
            f"crop_border must leave something of {width}x{height} pixels, got {border}: "
            "choose a smaller one"
        )
    return image[..., border : height - border, border : width - border]


def protocol_conditions(
    protocol: EvaluationProtocol,
    rendering: Rendering,
    method: UpscalingMethod | InterpolationMethod,
) -> dict[str, object]:
    """What the numbers of a method depend on under a protocol, for JSON."""
    rules = {key: value for key, value in asdict(protocol).items() if key not in _NOT_OF_SCORES}
    return {
        "msvsr": read_versions()["msvsr"],
        "method": [method.name, method.description.sha256 if method.description else ""],
        "settings": method.settings(),
        "device": method.device,
        "rendering": asdict(rendering),
        "protocol": rules,
    }
