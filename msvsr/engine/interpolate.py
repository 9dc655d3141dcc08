"""Make the frames between a stream's frames: the whole engine behind one generator."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import chain, islice
from typing import Generic

import torch

from msvsr.engine.cuts import mark_shots
from msvsr.engine.duplicates import KeptFrame, keep_all, merge_duplicates
from msvsr.engine.images import of_one_size, to_image, to_tensor
from msvsr.engine.options import InterpolationOptions
from msvsr.engine.sources import SourceFrame, Window, stream_windows
from msvsr.engine.timeline import InstantReader, Span, Timeline, steady_rate
from msvsr.frame import Frame, ImageArray
from msvsr.models.contract import EncodedT, FrameInterpolator, MotionT, NeighbourMotion

__all__ = ["interpolate_frames"]

_NUM_FRAMES_TO_MEASURE = 6
_MAX_UNEVENNESS = 3
"""How many times longer or shorter the interval beside a pair may be for its motion to be used."""

_MAX_MOTION_PERIODS = 4
_MAX_MOTION_SECONDS = Fraction(1, 2)
"""Frames further apart than both (in nominal frame durations and in seconds) show a picture that
stood still, as in a recording of a screen, rather than a slow movement: the first is held."""


def interpolate_frames(
    frames: Iterable[Frame],
    model: FrameInterpolator[EncodedT, MotionT],
    options: InterpolationOptions | None = None,
    *,
    frame_rate: Fraction,
    on_work: Callable[[float], None] = lambda _: None,
) -> Iterator[Frame]:
    """Bring a video of any length to another frame rate in constant memory.

    Output frames that fall on a source frame are that frame, bit for bit. The instants are exact,
    and all of them are on one clock.

    Args:
        frames: Frames of one size, in order.
        model: The model.
        options: Which frames to make.
        frame_rate: Nominal frames per second of the source. Where the first frames are evenly
            spaced at a slightly different rate, that one counts.
        on_work: Called with the work done since the last call, in frames of the source; it sums to
            their number.

    Yields:
        The frames of the output, in order, with their durations.

    Raises:
        ShapeError: A frame has another size than the first.
        InputError: A frame is not later than the one before.
    """
    options = options or InterpolationOptions()
    checked = of_one_size(frames)
    head = deque(islice(checked, _NUM_FRAMES_TO_MEASURE))
    frame_rate = steady_rate(head, frame_rate)
    shots = mark_shots(chain(_drain(head), checked), frame_rate, detect=options.detect_cuts)
    kept = merge_duplicates(shots) if options.replace_duplicates else keep_all(shots)
    sources: Iterator[SourceFrame[EncodedT, MotionT]] = _read_instants(
        kept, InstantReader(frame_rate, snaps=not options.keep_rhythm)
    )
    maker = _FrameMaker(model, options, frame_rate)
    outputs = _fill_spans(sources, maker, options, frame_rate, on_work)
    yield from _until_next(outputs) if options.keep_rhythm else outputs


def _drain(frames: deque[Frame]) -> Iterator[Frame]:
    while frames:
        yield frames.popleft()


def _read_instants(
    kept: Iterable[KeptFrame], reader: InstantReader
) -> Iterator[SourceFrame[EncodedT, MotionT]]:
    for frame, starts_shot, num_frames in kept:
        instant = reader.next(frame)
        yield SourceFrame(
            frame,
            instant=instant,
            end=instant + reader.duration(frame),
            starts_shot=starts_shot,
            num_frames=num_frames,
        )


def _fill_spans(
    sources: Iterable[SourceFrame[EncodedT, MotionT]],
    maker: "_FrameMaker[EncodedT, MotionT]",
    options: InterpolationOptions,
    frame_rate: Fraction,
    on_work: Callable[[float], None],
) -> Iterator[Frame]:
    timeline: Timeline | None = None
    for index, window in enumerate(stream_windows(sources)):
        timeline = timeline or Timeline.begin(window.first.frame, frame_rate, options)
        yield from _fill_span(_span_of(index, window), window, timeline, maker, on_work)


def _until_next(frames: Iterator[Frame]) -> Iterator[Frame]:
    """Frames that last until the next one; the last one's duration stays."""
    last = next(frames, None)
    for frame in frames:
        if last is not None:
            yield replace(last, duration=frame.pts - last.pts)
        last = frame
    if last is not None:
        yield last


def _span_of(index: int, window: Window[EncodedT, MotionT]) -> Span:
    first, second = window.first, window.second
    if second is None:
        return Span(index=index, start=first.instant, end=first.end, is_last=True)
    return Span(index=index, start=first.instant, end=second.instant)


def _fill_span(
    span: Span,
    window: Window[EncodedT, MotionT],
    timeline: Timeline,
    maker: "_FrameMaker[EncodedT, MotionT]",
    on_work: Callable[[float], None],
) -> Iterator[Frame]:
    """The output frames between two source frames."""
    numbers = timeline.numbers_in(span)
    if not numbers:
        on_work(window.first.num_frames)
    for number in numbers:
        output = timeline.output(number, span)
        image = maker.image_at(window, output.timestep)
        on_work(window.first.num_frames / len(numbers))
        yield Frame(
            image=image,
            pts=timeline.ticks(output.instant),
            time_base=timeline.time_base,
            duration=timeline.ticks(timeline.duration(output, span)),
        )


class _FrameMaker(Generic[EncodedT, MotionT]):
    """Gives the image at any instant between two source frames."""

    def __init__(
        self,
        model: FrameInterpolator[EncodedT, MotionT],
        options: InterpolationOptions,
        frame_rate: Fraction,
    ) -> None:
        self._model = model
        self._blends_at_cuts = options.at_cuts == "blend"
        self._longest_motion = max(_MAX_MOTION_SECONDS, _MAX_MOTION_PERIODS / frame_rate)

    def image_at(self, window: Window[EncodedT, MotionT], timestep: Fraction) -> ImageArray:
        """The image ``timestep`` of the way from the window's first to its second frame."""
        first, second = window.first, window.second
        if timestep == 0 or second is None or second.instant - first.instant > self._longest_motion:
            return first.image
        if not second.starts_shot:
            return self._synthesize(window, second, timestep)
        return _blend(first.image, second.image, timestep) if self._blends_at_cuts else first.image

    def _synthesize(
        self,
        window: Window[EncodedT, MotionT],
        second: SourceFrame[EncodedT, MotionT],
        timestep: Fraction,
    ) -> ImageArray:
        first = window.first
        motion = self._motion(first, second)
        before, after = self._neighbours(window)
        made = self._model.synthesize(
            self._encoded(first),
            self._encoded(second),
            motion,
            float(timestep),
            before=before,
            after=after,
        )
        return to_image(made, first.image.dtype)

    def _neighbours(
        self, window: Window[EncodedT, MotionT]
    ) -> tuple[NeighbourMotion[MotionT] | None, NeighbourMotion[MotionT] | None]:
        """Motion before and after the pair: both or, as one is of no use alone, neither."""
        before, first, second, after = window.before, window.first, window.second, window.after
        if before is None or second is None or after is None:
            return None, None
        if first.starts_shot or after.starts_shot:
            return None, None
        length = second.instant - first.instant
        length_before = (first.instant - before.instant) / length
        length_after = (after.instant - second.instant) / length
        shortest, longest = sorted((length_before, length_after))
        if shortest * _MAX_UNEVENNESS < 1 or longest > _MAX_UNEVENNESS:
            return None, None
        return (
            NeighbourMotion(self._motion(before, first), float(length_before)),
            NeighbourMotion(self._motion(second, after), float(length_after)),
        )

    def _motion(
        self, left: SourceFrame[EncodedT, MotionT], right: SourceFrame[EncodedT, MotionT]
    ) -> MotionT:
        if left.motion_to_next is None:
            left.motion_to_next = self._model.estimate_motion(
                self._encoded(left), self._encoded(right)
            )
        return left.motion_to_next

    def _encoded(self, source: SourceFrame[EncodedT, MotionT]) -> EncodedT:
        if source.encoded is None:
            source.encoded = self._model.encode(to_tensor(source.image, self._model.device))
        return source.encoded


def _blend(first: ImageArray, second: ImageArray, timestep: Fraction) -> ImageArray:
    cpu = torch.device("cpu")
    blended = torch.lerp(to_tensor(first, cpu), to_tensor(second, cpu), float(timestep))
    return to_image(blended, first.dtype)
