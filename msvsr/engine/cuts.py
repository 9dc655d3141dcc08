"""Find the first frame of every shot while frames stream by."""

from collections import deque
from collections.abc import Iterable, Iterator
from fractions import Fraction

import cv2
import numpy as np
import numpy.typing as npt
from scenedetect import FrameTimecode
from scenedetect.detectors import AdaptiveDetector

from msvsr.frame import Frame, ImageArray

__all__ = ["mark_shots"]

_WINDOW = 2
"""Frames before and after a frame that its change is compared with."""

_MIN_SHOT_FRAMES = 4
_ANALYSIS_SIDE = 360
"""Frames are shrunk to this shorter side for the comparison."""


def mark_shots(
    frames: Iterable[Frame], frame_rate: Fraction, *, detect: bool = True
) -> Iterator[tuple[Frame, bool]]:
    """Say of each frame whether it is the first of a shot.

    A cut is a change between two frames that is large in itself and large beside the changes
    around it, so that fast camera movement is none.

    Args:
        frames: The frames in order; up to three of them are held back.
        frame_rate: Frames per second (for the detector's clock only).
        detect: Without it, only the very first frame starts a shot.

    Yields:
        Each frame with whether it starts a shot.

    Source: PySceneDetect's adaptive content detector (BSD-3).
    """
    if not detect:
        for index, frame in enumerate(frames):
            yield frame, index == 0
        return
    detector = AdaptiveDetector(window_width=_WINDOW, min_scene_len=_MIN_SHOT_FRAMES)
    held: deque[tuple[int, Frame]] = deque()
    shot_starts = {0}
    for index, frame in enumerate(frames):
        timecode = FrameTimecode(index, fps=float(frame_rate))
        found = detector.process_frame(timecode, _for_analysis(frame.image))
        shot_starts.update(cut.frame_num for cut in found)
        held.append((index, frame))
        if len(held) > _WINDOW:
            number, ready = held.popleft()
            yield ready, number in shot_starts
    for number, ready in held:
        yield ready, number in shot_starts


def _for_analysis(image: ImageArray) -> npt.NDArray[np.uint8]:
    """BGR, 8 bits, small: what the detector works on."""
    factor = _ANALYSIS_SIDE / min(image.shape[:2])
    if factor < 1:
        image = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    rgb = (image >> 8).astype(np.uint8) if image.dtype == np.uint16 else image
    return np.ascontiguousarray(rgb[..., ::-1], dtype=np.uint8)
