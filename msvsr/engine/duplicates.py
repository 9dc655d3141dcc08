"""Find the frames of a stream that only repeat the one before them."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from msvsr.frame import Frame, ImageArray

__all__ = ["KeptFrame", "keep_all", "merge_duplicates"]

_BLOCK_SIDE = 8
_MAX_REPEATS = 3
_MAX_STILL_SECONDS = Fraction(1, 4)
"""What is repeated more often or for longer is a real still."""

_MAX_SHARE_OF_MOTION = 0.3
"""Of the changes before and after. Repeats that were encoded at CRF 35 stay below 0.26, consecutive
frames of camera footage above 0.35."""

_MAX_NOISE = 1.5
_MIN_MOTION = 8.0
"""Grey levels of 255: the most that repeats differ by (root mean square over the blocks), and the
least that the most changed block of the frames around them does."""

_Blocks = npt.NDArray[np.float32]


class KeptFrame(NamedTuple):
    """A frame and those that repeat it.

    Attributes:
        frame: The frame; its duration covers the repeats.
        starts_shot: Whether it is the first of its shot.
        num_frames: How many frames of the source it stands for, itself included.
    """

    frame: Frame
    starts_shot: bool
    num_frames: int = 1


def keep_all(shots: Iterable[tuple[Frame, bool]]) -> Iterator[KeptFrame]:
    """Pass every frame on."""
    return (KeptFrame(frame, starts_shot) for frame, starts_shot in shots)


def merge_duplicates(shots: Iterable[tuple[Frame, bool]]) -> Iterator[KeptFrame]:
    """Leave frames out that repeat the one before, as pull-up and animation on twos have them.

    Repeats change by little beside the motion before and after them. A real still stays: it goes
    on for longer, or there is no motion around it.

    Args:
        shots: The frames, and whether each is the first of a shot; up to five are held.

    Yields:
        The frames that are left, with their own instants.
    """
    seen = (_Seen(frame, starts, _block_means(frame.image)) for frame, starts in shots)
    ahead: deque[_Seen] = deque()
    motion_before: _Change | None = None
    while True:
        ahead.extend(islice(seen, _MAX_REPEATS + 2 - len(ahead)))
        if not ahead:
            return
        num_repeats = _count_repeats(ahead, motion_before)
        group = [ahead.popleft() for _ in range(num_repeats + 1)]
        motion_before = _motion(group[0], ahead[0]) if ahead else None
        yield KeptFrame(_shown_for_all([each.frame for each in group]), group[0].starts, len(group))


class _Seen(NamedTuple):
    frame: Frame
    starts: bool
    blocks: _Blocks


class _Change(NamedTuple):
    """How much the blocks of two images differ."""

    root_mean_square: float
    largest: float

    def is_noise_beside(self, motion: "_Change") -> bool:
        return (
            self.root_mean_square <= min(_MAX_NOISE, _MAX_SHARE_OF_MOTION * motion.root_mean_square)
            and self.largest <= _MAX_SHARE_OF_MOTION * motion.largest
            and motion.largest >= _MIN_MOTION
        )


def _count_repeats(ahead: Sequence[_Seen], motion_before: _Change | None) -> int:
    """How many frames repeat the first of some."""
    first = ahead[0]
    changes: list[_Change] = []
    for each in islice(ahead, 1, None):
        if each.starts:
            break
        changes.append(_change(first, each))
    is_end = len(changes) < _MAX_REPEATS + 1  # of the shot or of the stream
    for num_repeats in range(min(_MAX_REPEATS, len(changes)), 0, -1):
        after = None if is_end and num_repeats == len(changes) else changes[num_repeats]
        motions = [motion for motion in (motion_before, after) if motion is not None]
        length = ahead[num_repeats].frame.time_seconds - first.frame.time_seconds
        noise = changes[:num_repeats]
        if length < _MAX_STILL_SECONDS and motions and _all_noise(noise, motions):
            return num_repeats
    return 0


def _all_noise(changes: Sequence[_Change], motions: Sequence[_Change]) -> bool:
    return all(change.is_noise_beside(motion) for change in changes for motion in motions)


def _motion(before: _Seen, after: _Seen) -> _Change | None:
    return None if after.starts else _change(before, after)


def _change(one: _Seen, other: _Seen) -> _Change:
    difference = np.abs(one.blocks - other.blocks)
    return _Change(float(np.sqrt(np.square(difference).mean())), float(difference.max()))


def _shown_for_all(frames: Sequence[Frame]) -> Frame:
    first, last = frames[0], frames[-1]
    if len(frames) == 1:
        return first
    duration = last.duration or last.pts - frames[-2].pts
    return replace(first, duration=last.pts - first.pts + duration)


def _block_means(image: ImageArray) -> _Blocks:
    """Luma of small blocks in grey levels of 255; noise within a block cancels."""
    height, width = image.shape[:2]
    size = (max(width // _BLOCK_SIDE, 1), max(height // _BLOCK_SIDE, 1))
    luma = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    means = cv2.resize(luma, size, interpolation=cv2.INTER_AREA)
    blocks: _Blocks = means.astype(np.float32) * np.float32(255 / np.iinfo(image.dtype).max)
    return blocks
