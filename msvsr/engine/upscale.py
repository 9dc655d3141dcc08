"""Upscale a stream of frames: the whole engine behind one generator."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from fractions import Fraction

import numpy as np
import torch

from msvsr.engine.cuts import mark_shots
from msvsr.engine.images import of_one_size, to_image
from msvsr.engine.options import EngineOptions
from msvsr.engine.propagation import Propagation
from msvsr.engine.segments import SegmentRules, stream_segments
from msvsr.engine.tiles import StageRunner
from msvsr.frame import Frame, ImageArray
from msvsr.models.contract import RecurrentUpscaler

__all__ = ["upscale_frames"]

_DEFAULT_WINDOW = 12
_WORKING_SHARE = 0.5
"""Part of the memory budget for a stage at work; the rest keeps what stages leave behind."""

_DEFAULT_FRAME_RATE = Fraction(25)


def upscale_frames(
    frames: Iterable[Frame],
    model: RecurrentUpscaler,
    options: EngineOptions | None = None,
    *,
    frame_rate: Fraction = _DEFAULT_FRAME_RATE,
    on_work: Callable[[float], None] = lambda _: None,
) -> Iterator[Frame]:
    """Upscale a video of any length in bounded memory.

    The result is that of one pass over each shot. Frames come out with the instants and the depth
    that they came in with.

    Args:
        frames: Frames of one size, in order.
        model: The model.
        options: How the video is cut into pieces.
        frame_rate: Frames per second, for the cut detector's clock.
        on_work: Called with the work done since the last call, in frames; the shares of a frame's
            stages sum to 1.

    Yields:
        The upscaled frames, in order, one for each that came in.

    Raises:
        ShapeError: A frame has another size than the first.
    """
    options = options or EngineOptions()
    budget = options.memory_bytes()
    runner = StageRunner(int(budget * _WORKING_SHARE), options.tile)
    propagation = Propagation(
        model,
        runner,
        budget_bytes=int(budget * (1 - _WORKING_SHARE)),
        window=options.window or model.window or _DEFAULT_WINDOW,
        refine_threshold=(
            model.refine_threshold if options.refine_threshold is None else options.refine_threshold
        ),
        refine_per_frame=options.refine_scope == "frame",
        on_work=on_work,
    )
    shots = mark_shots(of_one_size(frames), frame_rate, detect=options.detect_cuts)
    waiting: deque[Frame] = deque()
    numbers = _take_in(shots, propagation, waiting)
    with closing(propagation):
        for segment in stream_segments(numbers, SegmentRules.from_options(options)):
            for output in propagation.run(segment):
                frame = waiting.popleft()
                yield frame.with_image(_to_image(output, frame, model.scale))


def _take_in(
    shots: Iterable[tuple[Frame, bool]], propagation: Propagation, waiting: deque[Frame]
) -> Iterator[tuple[int, bool]]:
    """Hand the pixels to the propagation, which bounds their memory; keep the instants here."""
    for number, (frame, starts_shot) in enumerate(shots):
        propagation.add(number, torch.from_numpy(np.require(frame.image, requirements=["C", "W"])))
        waiting.append(frame.with_image(_no_pixels(frame.image)))
        yield number, starts_shot


def _no_pixels(image: ImageArray) -> ImageArray:
    """Shape and type of an image without its memory."""
    pixel = np.zeros((1, 1, 1), dtype=image.dtype)
    return np.broadcast_to(pixel, image.shape)


def _to_image(output: torch.Tensor, source: Frame, scale: int) -> ImageArray:
    """An array of the source's depth, cropped to its size times the scale."""
    height, width = (side * scale for side in source.size)
    return to_image(output[0, :, :height, :width], source.image.dtype)
