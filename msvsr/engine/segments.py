"""Cut a stream of frames into the segments that a model processes at once.

Nothing here knows what a frame is: the plans are made on any items, integers in the tests.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from msvsr.engine.options import EngineOptions

__all__ = ["Segment", "SegmentRules", "stream_segments"]

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class SegmentRules:
    """How long segments are and what they share.

    Attributes:
        core: Frames whose output is kept, at most.
        lead: Frames of context before the core.
        tail: Frames of context after the core.
        carries_state: Whether a segment goes on with the forward state of the one before.
    """

    core: int
    lead: int
    tail: int
    carries_state: bool

    @classmethod
    def from_options(cls, options: EngineOptions) -> "SegmentRules":
        """The rules for whole shots, or for the cheap mode where ``max_frames`` asks for it."""
        if options.max_frames is None:
            return cls(
                core=options.max_shot_frames, lead=0, tail=options.look_ahead, carries_state=True
            )
        return cls(
            core=options.max_frames,
            lead=options.overlap,
            tail=options.overlap,
            carries_state=False,
        )


@dataclass(frozen=True, kw_only=True)
class Segment(Generic[T]):
    """Consecutive frames of one shot.

    Attributes:
        items: The frames: lead, core and tail.
        lead: How many of them come before the core.
        core: How many of them have their output kept.
        continues: Whether the forward state of the segment before belongs to the frame before
            these.
        starts_shot: Whether this is the first segment of its shot.
        finished: How many of the first items are in no later segment.
    """

    items: tuple[T, ...]
    lead: int
    core: int
    continues: bool
    starts_shot: bool
    finished: int


def stream_segments(items: Iterable[tuple[T, bool]], rules: SegmentRules) -> Iterator[Segment[T]]:
    """Group a stream into segments, holding one segment at a time.

    A shot of at most ``core + tail`` frames is one segment. Every item is in exactly one core, and
    no segment holds items of two shots.

    Args:
        items: Each item, and whether it is the first of a shot.
        rules: Lengths.

    Example:
        >>> rules = SegmentRules(core=2, lead=0, tail=1, carries_state=True)
        >>> stream = [(i, i in (0, 5)) for i in range(7)]
        >>> [segment.items for segment in stream_segments(stream, rules)]
        [(0, 1, 2), (2, 3, 4), (5, 6)]
    """
    buffer: list[T] = []
    lead = 0
    in_first = True
    for item, starts_shot in items:
        if starts_shot and buffer:
            yield _last_of_shot(buffer, lead, in_first, rules)
            buffer, lead, in_first = [], 0, True
        elif len(buffer) == lead + rules.core + rules.tail:
            next_core = lead + rules.core
            next_lead = min(rules.lead, next_core)
            yield Segment(
                items=tuple(buffer),
                lead=lead,
                core=rules.core,
                continues=rules.carries_state and not in_first,
                starts_shot=in_first,
                finished=next_core - next_lead,
            )
            buffer, lead, in_first = buffer[next_core - next_lead :], next_lead, False
        buffer.append(item)
    if buffer:
        yield _last_of_shot(buffer, lead, in_first, rules)


def _last_of_shot(buffer: list[T], lead: int, in_first: bool, rules: SegmentRules) -> Segment[T]:
    return Segment(
        items=tuple(buffer),
        lead=lead,
        core=len(buffer) - lead,
        continues=rules.carries_state and not in_first,
        starts_shot=in_first,
        finished=len(buffer),
    )
