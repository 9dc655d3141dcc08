"""Scores of clips that are finished, kept so that an evaluation can go on after a stop."""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from msvsr.evaluation.files import FrameFolder, file_name, make_folder, read_json, write_json
from msvsr.frame import ImageArray

__all__ = ["ScoreStore", "Scores", "fingerprint_of", "hash_images"]

_FORMAT = 1


@dataclass(kw_only=True)
class Scores:
    """Numbers of one clip under one protocol.

    Attributes:
        num_frames: Frames that were scored.
        values: One number per frame (per pair of frames for warping error), by metric.
        num_made: Frames that the method made for it.
        seconds: Time that the method took for them.
    """

    num_frames: int = 0
    values: dict[str, list[float]] = field(default_factory=dict)
    num_made: int = 0
    seconds: float = 0.0

    def add(self, values: Mapping[str, float]) -> None:
        """Add what was measured on a frame."""
        for metric, value in values.items():
            self.values.setdefault(metric, []).append(value)

    def means(self) -> dict[str, float]:
        """Mean of each metric over the frames that have a value."""
        return means_of([self])

    def num_undefined(self) -> dict[str, int]:
        """Frames that have no value, by metric, where there are some."""
        counts = {k: sum(math.isnan(value) for value in v) for k, v in self.values.items()}
        return {metric: count for metric, count in counts.items() if count}


def means_of(scores: Iterable[Scores]) -> dict[str, float]:
    """Mean of each metric over the frames of all clips; each frame weighs the same."""
    joined: dict[str, list[float]] = {}
    for each in scores:
        for metric, values in each.values.items():
            defined = (value for value in values if not math.isnan(value))
            joined.setdefault(metric, []).extend(defined)
    # The exact sum does not depend on the order, so neither on how clips were dealt out.
    return {metric: math.fsum(v) / len(v) for metric, v in joined.items() if v}


def fingerprint_of(conditions: Mapping[str, object]) -> str:
    """A short text that differs when any condition does.

    Example:
        >>> fingerprint_of({"a": 1}) == fingerprint_of({"a": 2})
        False
    """
    text = json.dumps({"format": _FORMAT, **conditions}, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def hash_images(images: Iterable[ImageArray | torch.Tensor]) -> str:
    """Hash what images hold: shape, type and pixels."""
    digest = hashlib.sha256()
    for image in images:
        pixels = image.numpy() if isinstance(image, torch.Tensor) else image
        digest.update(f"{pixels.dtype} {pixels.shape} ".encode())
        digest.update(pixels.tobytes())
    return digest.hexdigest()


class ScoreStore:
    """The scores in a work folder: a file per protocol and clip.

    Args:
        work_dir: The work folder; without one nothing is kept.
        resume: Whether to take scores that are there.
    """

    def __init__(self, work_dir: Path | None, *, resume: bool = True) -> None:
        self._root = work_dir
        self._resume = resume

    def read(self, protocol: str, clip: str, fingerprint: str) -> Scores | None:
        """The scores that were kept under the same conditions, if there are any."""
        content = self._read("scores", protocol, clip)
        if not self._resume or content.get("fingerprint") != fingerprint:
            return None
        try:
            return _scores_from(content["scores"])
        except (KeyError, TypeError, ValueError):
            return None

    def write(self, protocol: str, clip: str, fingerprint: str, scores: Scores) -> None:
        """Keep scores, in place of older ones."""
        content = {"clip": clip, "fingerprint": fingerprint, "scores": asdict(scores)}
        self._write(content, "scores", protocol, clip)

    def has_frames(self, clip: str, fingerprint: str) -> bool:
        """Whether the frames of a clip were kept, made under the same conditions."""
        if self._root is None or not self._resume:
            return False
        is_same = self._read("scores", "frames", clip).get("fingerprint") == fingerprint
        return is_same and (self._root / "frames" / file_name(clip)).is_dir()

    def open_frames(self, clip: str) -> FrameFolder | None:
        """Where to keep the frames of a clip; older ones are given up."""
        if self._root is None:
            return None
        self._write({"clip": clip, "fingerprint": ""}, "scores", "frames", clip)
        return FrameFolder(self._root / "frames" / file_name(clip))

    def confirm_frames(self, clip: str, fingerprint: str) -> None:
        """Remember how the frames of a clip were made."""
        self._write({"clip": clip, "fingerprint": fingerprint}, "scores", "frames", clip)

    def _path(self, root: Path, *names: str) -> Path:
        *folders, clip = names
        return root.joinpath(*folders, f"{file_name(clip)}.json")

    def _read(self, *names: str) -> dict[str, Any]:
        return {} if self._root is None else read_json(self._path(self._root, *names))

    def _write(self, content: dict[str, Any], *names: str) -> None:
        if self._root is not None:
            path = self._path(self._root, *names)
            make_folder(path.parent)
            write_json(path, content)


def _scores_from(content: Mapping[str, Any]) -> Scores:
    return Scores(
        num_frames=int(content["num_frames"]),
        values={str(k): [float(value) for value in v] for k, v in content["values"].items()},
        num_made=int(content["num_made"]),
        seconds=float(content["seconds"]),
    )
