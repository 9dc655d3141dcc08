"""Protocols: under which conditions a number is measured, and whose number it reproduces."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from msvsr.errors import ConfigError
from msvsr.models.catalog import FRAME_INTERPOLATION_TASK, SUPER_RESOLUTION_TASK

__all__ = [
    "INTERPOLATION_PROTOCOLS",
    "SUPER_RESOLUTION_PROTOCOLS",
    "EvaluationProtocol",
    "FrameChoice",
    "find_protocols",
]

FrameChoice = Literal["all", "first-middle-last"]


@dataclass(frozen=True, kw_only=True)
class EvaluationProtocol:
    """Under which conditions numbers are measured.

    Attributes:
        name: What users call it.
        title: What it measures, shown beside each number.
        source: Whose numbers it reproduces, with a reference.
        published: The numbers published under it, by metric.
        published_for: The numbers published for some data sets, by a part of their names.
        metrics: The only metrics that it has; ``None`` does not restrict them.
        frames: Which frames of a clip are scored: all of them, or the first, the one at half of
            the clip's length (rounded down) and the last.
        num_clips: Only the first clips are used; ``None`` takes all.
        window: The model gets runs of this many frames, each on its own; ``None`` leaves it whole
            shots.
        half_on_gpu: The model computes in float16 on a GPU and in float32 elsewhere.
        full_precision: The model computes in float32.
        swaps_red_and_blue: For super-resolution, outputs are scored with red and blue exchanged;
            for interpolation, the model and the scores get frames with red and blue exchanged.
        rounds_to_8_bits: Outputs are rounded to what a file of 8 bits holds before they are scored.
        zero_padding: Frames are filled up at the right and at the bottom with black to a multiple
            of this many pixels; ``None`` leaves it to the model.
        has_3d_ssim: SSIM is taken over the channels too, as if they were a third dimension.
    """

    name: str
    title: str
    source: str
    published: Mapping[str, float] = field(default_factory=dict)
    published_for: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    metrics: tuple[str, ...] | None = None
    frames: FrameChoice = "all"
    num_clips: int | None = None
    window: int | None = None
    half_on_gpu: bool = False
    full_precision: bool = False
    swaps_red_and_blue: bool = False
    rounds_to_8_bits: bool = True
    zero_padding: int | None = None
    has_3d_ssim: bool = False

    def measures(self, metric: str) -> bool:
        """Whether the protocol has a metric; warping error needs frames that follow each other."""
        if metric == "warping_error" and self.frames != "all":
            return False
        return self.metrics is None or metric in self.metrics

    def choose(self, num_frames: int) -> frozenset[int]:
        """Numbers of the frames of a clip that are scored.

        Example:
            >>> sorted(SUPER_RESOLUTION_PROTOCOLS["paper"].choose(100))
            [0, 50, 99]
        """
        if self.frames == "all":
            return frozenset(range(num_frames))
        return frozenset({0, num_frames // 2, num_frames - 1} if num_frames else ())

    def for_data(self, name: str) -> "EvaluationProtocol":
        """The same protocol with what was published for a data set.

        Args:
            name: What the data set is called; a path may do.

        Example:
            >>> card = INTERPOLATION_PROTOCOLS["modelscope-card"]
            >>> card.for_data("vfi/middlebury_other").published["psnr"]
            34.44
        """
        rows = [row for part, row in self.published_for.items() if part in name.lower()]
        return replace(self, published=rows[0]) if rows else self


SUPER_RESOLUTION_PROTOCOLS: Mapping[str, EvaluationProtocol] = {
    protocol.name: protocol
    for protocol in (
        EvaluationProtocol(
            name="all-frames",
            title="every frame of every clip, Y channel, 8-bit frames",
            source=(
                "an independent reproduction with the official weights on the 4771 frames of "
                "VideoLQ, https://github.com/open-mmlab/mmagic/issues/1731"
            ),
            published={"niqe": 3.87, "pi": 3.920},
        ),
        EvaluationProtocol(
            name="paper",
            title="frames 0, 50 and 99 of each clip, Y channel, 8-bit frames, as MATLAB does",
            source=(
                "the authors' numbers on the 50 clips of VideoLQ: Chan et al., CVPR 2022, "
                "https://arxiv.org/abs/2111.12704, and mmediting; the frames are named in "
                "https://github.com/ckkelvinchan/RealBasicVSR/issues/22"
            ),
            published={"niqe": 3.7662, "nrqm": 6.0477, "pi": 3.8593, "brisque": 29.030},
            frames="first-middle-last",
        ),
        EvaluationProtocol(
            name="modelscope-card",
            title=(
                "the first clip alone, windows of 7 frames, luma with red and blue exchanged, "
                "outputs not rounded to 8 bits"
            ),
            source=(
                "the number on ModelScope's model card for the first clip of VideoLQ, which gives "
                "RGB frames to a function for BGR; reproduced on purpose, comparable with nothing "
                "else"
            ),
            published={"niqe": 2.5693},
            metrics=("niqe",),
            num_clips=1,
            window=7,
            half_on_gpu=True,
            swaps_red_and_blue=True,
            rounds_to_8_bits=False,
        ),
    )
}
"""By name, the one that answers first."""

INTERPOLATION_PROTOCOLS: Mapping[str, EvaluationProtocol] = {
    protocol.name: protocol
    for protocol in (
        EvaluationProtocol(
            name="standard",
            title="RGB frames of 8 bits, SSIM in two dimensions, per sample",
            source="the usual definitions; no numbers were published under them",
        ),
        EvaluationProtocol(
            name="modelscope-card",
            title=(
                "BGR frames to the model, filled up with black to a multiple of 32 pixels, "
                "outputs not rounded to 8 bits, SSIM in three dimensions"
            ),
            source=(
                "the numbers on ModelScope's model card of the practical model; its code gives "
                "BGR frames to networks for RGB and takes channels for a third dimension; "
                "reproduced on purpose"
            ),
            published_for={
                "ucf": {"psnr": 32.37, "ssim": 0.966, "lpips": 0.036},
                "middlebury": {"psnr": 34.44, "ssim": 0.971, "lpips": 0.035},
                "davis": {"psnr": 27.51, "ssim": 0.888, "lpips": 0.094},
            },
            metrics=("psnr", "ssim", "lpips"),
            full_precision=True,
            swaps_red_and_blue=True,
            rounds_to_8_bits=False,
            zero_padding=32,
            has_3d_ssim=True,
        ),
    )
}
"""By name, the one that answers first."""

_OF_TASK = {
    SUPER_RESOLUTION_TASK: SUPER_RESOLUTION_PROTOCOLS,
    FRAME_INTERPOLATION_TASK: INTERPOLATION_PROTOCOLS,
}


def find_protocols(task: str, names: Sequence[str] | None = None) -> tuple[EvaluationProtocol, ...]:
    """Find protocols by name.

    Args:
        task: ModelScope's name of the task.
        names: Which, the one whose numbers get plain names first; ``None`` takes all.

    Raises:
        ConfigError: There is no such task or protocol, or none was named.

    Example:
        >>> [protocol.name for protocol in find_protocols("video-super-resolution")]
        ['all-frames', 'paper', 'modelscope-card']
    """
    if task not in _OF_TASK:
        raise ConfigError(f"no evaluation for the task '{task}': expected {' or '.join(_OF_TASK)}")
    known = _OF_TASK[task]
    chosen = tuple(known) if names is None else tuple(dict.fromkeys(names))
    unknown = [name for name in chosen if name not in known]
    if unknown or not chosen:
        raise ConfigError(
            f"no protocol '{unknown[0] if unknown else ''}' for {task}: "
            f"expected some of {', '.join(known)}"
        )
    return tuple(known[name] for name in chosen)
