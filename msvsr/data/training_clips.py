"""Samples of RealBasicVSR's training scheme, cut out of clips where they are and degraded."""

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch.utils.data import Dataset

from msvsr.data.footage import Box, Footage, FootageSource, find_footage, read_box
from msvsr.data.sampling import ByteClip, mirror_in_time
from msvsr.data.sharpening import SharpeningConfig, sharpen
from msvsr.data.windows import clip_to_tensor
from msvsr.degradations.second_order import SecondOrderDegrader
from msvsr.degradations.second_order_config import SecondOrderConfig
from msvsr.errors import ConfigError, InputError, MsvsrError, ShapeError

__all__ = [
    "ClipInfo",
    "Degrade",
    "TrainingClips",
    "TrainingClipsConfig",
    "TrainingSample",
]

Degrade = Callable[[ByteClip, np.random.Generator], ByteClip]
"""Makes the low-quality clip ``(t, h / scale, w / scale, 3)`` of a clip ``(t, h, w, 3)``."""

_Source = FootageSource | str | os.PathLike[str]

_MAX_DRAWS = 10

_logger = logging.getLogger(__name__)


class TrainingSample(NamedTuple):
    """One sample, or a batch of them with one more axis in front.

    Attributes:
        lq: Degraded clip, ``(t, 3, h, w)``, RGB uint8.
        gt: Ground truth, ``(t, 3, scale * h, scale * w)``, RGB uint8.
        gt_unsharp: Ground truth after unsharp masking, like ``gt``; the same as ``gt`` where
            sharpening is switched off.
    """

    lq: torch.Tensor
    gt: torch.Tensor
    gt_unsharp: torch.Tensor


class ClipInfo(NamedTuple):
    """What is known of a clip.

    Attributes:
        name: Its path below the folder in which it was found.
        num_frames: Frames that samples are cut from.
        size: Height and width of the ground truth.
    """

    name: str
    num_frames: int
    size: tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class TrainingClipsConfig:
    """How samples are cut out of clips; the paper's scheme by default.

    Attributes:
        num_frames: Frames of a sample.
        mirror: Read half of the frames and append them backwards: ``1 .. n, n .. 1``.
        intervals: Steps between the frames that are read; each sample draws one of them.
        crop_size: Side of the square that is cut out of the ground truth, in pixels.
        scale: Side of ``gt`` over side of ``lq``.
        flip_probability: How often a sample is flipped left-right, and how often top-bottom.
        transpose_probability: How often height and width change places.
        sharpening: How ``gt_unsharp`` is made; ``None`` leaves it as ``gt`` is.
        degrade_sharpened: Make ``lq`` from ``gt_unsharp``, as the paper does, not from ``gt``.

    Source:
        Chan et al., Investigating Tradeoffs in Real-World Video Super-Resolution, CVPR 2022.
    """

    num_frames: int = 30
    mirror: bool = True
    intervals: tuple[int, ...] = (1,)
    crop_size: int = 256
    scale: int = 4
    flip_probability: float = 0.5
    transpose_probability: float = 0.5
    sharpening: SharpeningConfig | None = field(default_factory=SharpeningConfig)
    degrade_sharpened: bool = True

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: A value is out of range.
        """
        if self.num_frames < 1 or (self.mirror and self.num_frames % 2):
            raise ConfigError(
                "num_frames must be at least 1, and even to be mirrored in time, "
                f"got {self.num_frames}"
            )
        if self.scale < 1 or self.crop_size < 1 or self.crop_size % self.scale:
            raise ConfigError(
                "crop_size must be a multiple of scale, both at least 1, "
                f"got {self.crop_size} and {self.scale}"
            )
        if not self.intervals or min(self.intervals) < 1:
            raise ConfigError(f"intervals must be numbers from 1, got {list(self.intervals)}")
        for name in ("flip_probability", "transpose_probability"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"{name} must lie in [0, 1], got {getattr(self, name)}")

    @property
    def num_read(self) -> int:
        """Frames that are read for a sample."""
        return self.num_frames // 2 if self.mirror else self.num_frames


class TrainingClips(Dataset[TrainingSample]):
    """An endless, indexable stream of training samples; sample ``i`` depends on seed and ``i``.

    Frames are decoded when a sample asks for them: videos from the key frame before, images one by
    one. A video's frames are counted by its packets, not taken from its header. Where a clip is
    damaged another place is drawn, the same one each time, and the log says so once.

    Args:
        sources: Files and folders, one or several, see `msvsr.data.footage.FootageSource`;
            folders are searched to any depth.
        degrade: Makes the low-quality clip, with randomness from the generator that it is given;
            the paper's second-order degradations by default.
        config: How samples are cut.
        seed: Together with the index it determines a sample.
        data_dir: Folder that relative paths of sources start from.

    Raises:
        InputError: There is no clip, or one is too short or too small.
        VideoError: A video file cannot be read.

    Example:
        >>> clips = TrainingClips("clips")  # doctest: +SKIP
        >>> clips[0].lq.shape, clips[0].gt.shape  # doctest: +SKIP
        (torch.Size([30, 3, 64, 64]), torch.Size([30, 3, 256, 256]))
    """

    def __init__(
        self,
        sources: _Source | Sequence[_Source],
        degrade: Degrade | None = None,
        config: TrainingClipsConfig | None = None,
        *,
        seed: int = 0,
        data_dir: str | os.PathLike[str] = ".",
    ) -> None:
        self.config = config or TrainingClipsConfig()
        self.seed = seed
        self._degrade = degrade or SecondOrderDegrader(SecondOrderConfig(scale=self.config.scale))
        self._clips = [
            _Clip.prepare(footage, source)
            for source in _list_sources(sources)
            for footage in find_footage(Path(data_dir) / source.path)
        ]
        if not self._clips:
            raise ConfigError("there are no sources of clips to train on; name at least one")
        self._check_sizes()
        weights = np.array([clip.weight for clip in self._clips])
        self._probabilities = weights / weights.sum()
        self._damaged: set[str] = set()

    @property
    def clips(self) -> tuple[ClipInfo, ...]:
        """The clips that samples are drawn from."""
        return tuple(clip.info for clip in self._clips)

    def _check_sizes(self) -> None:
        config = self.config
        span = (config.num_read - 1) * max(config.intervals) + 1
        small = [
            clip.info
            for clip in self._clips
            if clip.info.num_frames < span or min(clip.info.size) < config.crop_size
        ]
        if small:
            name, num_frames, size = small[0]
            others = f" ({len(small) - 1} more are too small as well)" if len(small) > 1 else ""
            raise InputError(
                f"clip {name}: samples need {span} frames of {config.crop_size}x{config.crop_size} "
                f"pixels or more, but it has {num_frames} of {size[1]}x{size[0]}{others}; "
                "remove it, or choose smaller samples"
            )

    def __getitem__(self, index: int) -> TrainingSample:
        """Make sample ``index``; any number from 0 is allowed.

        Raises:
            VideoError: Clips are damaged wherever they are drawn.
            ShapeError: The degradation gives a clip of another size than it should.
        """
        rng = np.random.default_rng((self.seed, index))
        gt = self._draw_readable(rng)
        sharp = gt if self.config.sharpening is None else sharpen(gt, self.config.sharpening)
        if self.config.mirror:
            gt, sharp = mirror_in_time(gt), mirror_in_time(sharp)
        lq = self._degrade(sharp if self.config.degrade_sharpened else gt, rng)
        self._check_degraded(lq)
        return TrainingSample(clip_to_tensor(lq), clip_to_tensor(gt), clip_to_tensor(sharp))

    def _check_degraded(self, lq: ByteClip) -> None:
        side = self.config.crop_size // self.config.scale
        expected = (self.config.num_frames, side, side, 3)
        if lq.shape != expected or lq.dtype != np.uint8:
            raise ShapeError(
                f"the degradation must give {expected} in uint8, got {lq.shape} in {lq.dtype}; "
                "give both one scale"
            )

    def _draw_readable(self, rng: np.random.Generator) -> ByteClip:
        """Draw until frames can be read."""
        for _ in range(_MAX_DRAWS - 1):
            clip = self._choose(rng)
            try:
                return self._draw(clip, rng)
            except MsvsrError as error:
                self._note(clip.info.name, error)
        return self._draw(self._choose(rng), rng)

    def _choose(self, rng: np.random.Generator) -> "_Clip":
        return self._clips[rng.choice(len(self._clips), p=self._probabilities)]

    def _draw(self, clip: "_Clip", rng: np.random.Generator) -> ByteClip:
        """Cut, flip and transpose; everything is drawn before anything is read."""
        config, (height, width) = self.config, clip.info.size
        interval = int(rng.choice(config.intervals))
        span = (config.num_read - 1) * interval + 1
        start = int(rng.integers(clip.info.num_frames - span + 1))
        top = int(rng.integers(height - config.crop_size + 1))
        left = int(rng.integers(width - config.crop_size + 1))
        chances = (config.flip_probability, config.flip_probability, config.transpose_probability)
        choices = [chance < limit for chance, limit in zip(rng.random(3), chances, strict=True)]
        box = Box(top, left, config.crop_size, config.crop_size)
        indices = range(start, start + span, interval)
        return _turn(read_box(clip.footage, indices, box, shrink=clip.shrink), choices)

    def _note(self, name: str, error: MsvsrError) -> None:
        if name not in self._damaged:
            self._damaged.add(name)
            _logger.warning("training goes on without a damaged part: %s", error)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Clip:
    """A clip as samples see it."""

    footage: Footage
    info: ClipInfo
    weight: float
    shrink: int

    @classmethod
    def prepare(cls, footage: Footage, source: FootageSource) -> "_Clip":
        height, width = (side // source.shrink for side in footage.size)
        num_frames = min(len(footage), source.max_frames or len(footage))
        info = ClipInfo(footage.name, num_frames, (height, width))
        return cls(footage=footage, info=info, weight=source.weight, shrink=source.shrink)


def _list_sources(sources: _Source | Sequence[_Source]) -> list[FootageSource]:
    if isinstance(sources, FootageSource | str | os.PathLike):
        sources = [sources]
    return [
        source if isinstance(source, FootageSource) else FootageSource(path=os.fspath(source))
        for source in sources
    ]


def _turn(clip: ByteClip, choices: Sequence[bool]) -> ByteClip:
    """Flip left-right, flip top-bottom and transpose all frames alike, as chosen."""
    if choices[0]:
        clip = clip[:, :, ::-1]
    if choices[1]:
        clip = clip[:, ::-1]
    if choices[2]:
        clip = clip.transpose(0, 2, 1, 3)
    return np.ascontiguousarray(clip)
