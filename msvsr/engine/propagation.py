"""Bidirectional propagation over a segment of any length in bounded memory.

Backward propagation needs the future first: it runs over the whole segment once and leaves either
every feature, where they fit the budget, or one checkpoint per window. Forward propagation then
goes window by window, recomputes a window's backward features from its checkpoint where needed,
and gives upscaled frames. The result is that of one pass over the segment.
"""

from collections.abc import Callable, Container, Iterator, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F

from msvsr.archs.realbasicvsr import MAX_CLEANING_PASSES
from msvsr.engine.segments import Segment
from msvsr.engine.store import TensorStore
from msvsr.engine.tiles import StageRunner
from msvsr.models.contract import RecurrentUpscaler
from msvsr.ops.warp import backward_warp

__all__ = ["Propagation", "split_windows", "to_model_input"]

CLEANING_SHARE = 0.25
BACKWARD_SHARE = 0.3
FORWARD_SHARE = 0.45
"""How the work on one frame divides among the stages, roughly; for progress only."""


class _ForwardState(NamedTuple):
    """The last frame before a segment and its forward feature."""

    frame: torch.Tensor
    feature: torch.Tensor


class Propagation:
    """Upscales segment after segment of a video.

    Args:
        model: The model.
        runner: Runs the model's stages within the memory budget.
        budget_bytes: Memory for what is kept between stages; the rest goes to a temporary file.
        window: Frames between two checkpoints.
        refine_threshold: Threshold of dynamic refinement in 0-255 units.
        refine_per_frame: Decide refinement for each frame instead of once per shot.
        on_work: Called with the share of a frame's work that was done.
    """

    def __init__(
        self,
        model: RecurrentUpscaler,
        runner: StageRunner,
        *,
        budget_bytes: int,
        window: int,
        refine_threshold: float,
        refine_per_frame: bool = False,
        on_work: Callable[[float], None] = lambda _: None,
    ) -> None:
        self._model = model
        self._runner = runner
        self._budget_bytes = budget_bytes
        self._window = window
        self._threshold = refine_threshold / 255.0
        self._per_frame = refine_per_frame
        self._on_work = on_work
        self._store = TensorStore(budget_bytes)
        self._state: _ForwardState | None = None
        self._num_passes = 1

    def add(self, number: int, image: torch.Tensor) -> None:
        """Take in the next frame.

        Args:
            number: Its number in the video; segments name frames by it.
            image: RGB, whole numbers, ``(h, w, 3)``.
        """
        self._store["image", number] = image

    def close(self) -> None:
        """Release memory and disk."""
        self._store.close()
        self._state = None

    def run(self, segment: Segment[int]) -> Iterator[torch.Tensor]:
        """Upscale one segment of frames that were added before.

        Args:
            segment: Numbers of the frames.

        Yields:
            For each frame of the core, ``(1, 3, scale * h, scale * w)``, not clamped, with the
            padding that small images get.
        """
        if not segment.continues:
            self._state = None
        self._clean(segment)
        last = segment.items[-1]
        with_output = segment.items[: segment.lead + segment.core]
        windows = split_windows(with_output, self._window)
        if self._all_features_fit(segment):
            kept = with_output
        else:
            kept = tuple(window[-1] + 1 for window in windows)
        self._run_backward(segment, kept)
        for window in windows:
            features = self._window_features(window, last)
            yield from self._run_forward(window, features, set(segment.items[segment.lead :]))
        self._forget(segment)

    def _clean(self, segment: Segment[int]) -> None:
        """Turn images into cleaned frames; those of an earlier look-ahead are there already."""
        new = [number for number in segment.items if ("frame", number) not in self._store]
        if self._per_frame:
            for number in new:
                self._store["frame", number] = self._clean_until_calm(self._load(number))
        else:
            for number in new:
                self._store["frame", number] = self._load(number)
            self._clean_equally(new, decide=segment.starts_shot)
        self._on_work(CLEANING_SHARE * segment.core)

    def _load(self, number: int) -> torch.Tensor:
        return to_model_input(
            self._store.pop(("image", number)).to(self._model.device), self._model.min_side
        )

    def _clean_until_calm(self, frame: torch.Tensor) -> torch.Tensor:
        for _ in range(MAX_CLEANING_PASSES):
            residue = self._runner.run(self._model.cleaning, frame)
            frame = frame + residue
            if float(residue.abs().mean()) < self._threshold:
                break
        return frame

    def _clean_equally(self, numbers: Sequence[int], *, decide: bool) -> None:
        """Clean frames equally often; the first segment of a shot decides how often."""
        if decide:
            self._num_passes = MAX_CLEANING_PASSES
        for num_done in range(1, self._num_passes + 1):
            mean_residue = self._clean_once(numbers)
            if decide and mean_residue < self._threshold:
                self._num_passes = num_done
                break

    def _clean_once(self, numbers: Sequence[int]) -> float:
        total = 0.0
        for number in numbers:
            frame = self._frame(number)
            residue = self._runner.run(self._model.cleaning, frame)
            self._store["frame", number] = frame + residue
            total += float(residue.abs().mean())
        return total / max(len(numbers), 1)

    def _all_features_fit(self, segment: Segment[int]) -> bool:
        height, width = self._store["frame", segment.items[0]].shape[-2:]
        feature_bytes = (
            self._model.feature_channels * self._model.feature_dtype.itemsize * height * width
        )
        return self._store.memory_bytes + len(segment.items) * feature_bytes <= self._budget_bytes

    def _run_backward(self, segment: Segment[int], kept: Container[int]) -> None:
        feature = None
        for place, number in reversed(list(enumerate(segment.items))):
            feature = self._step_backward(number, feature)
            if number in kept:
                self._store["backward", number] = feature
            if segment.lead <= place < segment.lead + segment.core:
                self._on_work(BACKWARD_SHARE)

    def _step_backward(self, number: int, feature: torch.Tensor | None) -> torch.Tensor:
        frame = self._frame(number)
        if feature is None:
            return self._runner.run(self._model.backward_branch, frame, self._no_feature(frame))
        flow = self._flow_to_next(number, frame)
        return self._runner.run(self._model.backward_branch, frame, backward_warp(feature, flow))

    def _flow_to_next(self, number: int, frame: torch.Tensor) -> torch.Tensor:
        key = ("flow_to_next", number)
        if key not in self._store:
            self._store[key] = self._model.estimate_flow(frame, self._frame(number + 1))
        return self._store[key].to(self._model.device)

    def _window_features(self, window: Sequence[int], last: int) -> dict[int, torch.Tensor]:
        """Backward features of a window's frames, kept ones or recomputed from a checkpoint."""
        if ("backward", window[0]) in self._store:
            return {number: self._take(("backward", number)) for number in window}
        features: dict[int, torch.Tensor] = {}
        after = window[-1] + 1
        feature = self._take(("backward", after)) if after <= last else None
        for number in reversed(window):
            feature = self._step_backward(number, feature)
            features[number] = feature
        return features

    def _run_forward(
        self, window: Sequence[int], features: dict[int, torch.Tensor], wanted: Container[int]
    ) -> Iterator[torch.Tensor]:
        for number in window:
            frame = self._frame(number)
            forward = self._runner.run(self._model.forward_branch, frame, self._aligned_past(frame))
            self._state = _ForwardState(frame, forward)
            backward = features.pop(number)
            if number in wanted:
                upscaled = self._runner.run(self._model.reconstruction, frame, backward, forward)
                self._on_work(FORWARD_SHARE)
                yield upscaled

    def _aligned_past(self, frame: torch.Tensor) -> torch.Tensor:
        if self._state is None:
            return self._no_feature(frame)
        flow = self._model.estimate_flow(frame, self._state.frame)
        return backward_warp(self._state.feature, flow)

    def _no_feature(self, frame: torch.Tensor) -> torch.Tensor:
        n, _, h, w = frame.shape
        channels, dtype = self._model.feature_channels, self._model.feature_dtype
        return torch.zeros(n, channels, h, w, dtype=dtype, device=frame.device)

    def _frame(self, number: int) -> torch.Tensor:
        return self._store["frame", number].to(self._model.device)

    def _take(self, key: tuple[str, int]) -> torch.Tensor:
        return self._store.pop(key).to(self._model.device)

    def _forget(self, segment: Segment[int]) -> None:
        for number in segment.items[: segment.finished]:
            for kind in ("frame", "flow_to_next", "backward"):
                self._store.discard((kind, number))


def to_model_input(image: torch.Tensor, min_side: int) -> torch.Tensor:
    """Turn an image into what networks expect.

    Args:
        image: RGB, ``(h, w, 3)``, uint8 or uint16.
        min_side: Shorter sides are continued by the border up to this many pixels.

    Returns:
        RGB in [0, 1], float32, ``(1, 3, h, w)`` or larger.
    """
    values = image.permute(2, 0, 1)[None].float() / torch.iinfo(image.dtype).max
    bottom, right = (max(min_side - side, 0) for side in image.shape[:2])
    return F.pad(values, (0, right, 0, bottom), mode="replicate")


def split_windows(numbers: Sequence[int], window: int) -> list[Sequence[int]]:
    """Consecutive groups of at most ``window`` numbers.

    Example:
        >>> split_windows(range(5), 2)
        [range(0, 2), range(2, 4), range(4, 5)]
    """
    return [numbers[start : start + window] for start in range(0, len(numbers), window)]
