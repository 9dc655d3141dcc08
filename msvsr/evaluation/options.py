"""What a user can ask of an evaluation, and what it says while it runs."""

from dataclasses import dataclass
from pathlib import Path

from msvsr.errors import ConfigError

__all__ = ["EvaluationOptions", "EvaluationProgress"]


@dataclass(frozen=True, kw_only=True)
class EvaluationOptions:
    """What is measured, and what is kept.

    Attributes:
        metrics: Names of the metrics; ``None`` takes those that the data allow and that need
            nothing beyond msvsr, and LPIPS for interpolation.
        protocols: Names of the protocols; the numbers of the first get plain names. ``None`` takes
            all.
        resume: Take the scores of clips that were finished before from the work folder.
        save_frames: Keep the frames that the method makes (under the first protocol), as PNG files
            in the work folder.
        niqe_pristine: NIQE's pristine model (an ``.npz`` file or a model folder); ``None`` takes
            the published one.
        lpips_weights: Weights of AlexNet for LPIPS; ``None`` looks in the cache of torch's hub.
        crop_border: Pixels of the output to leave out at each side. Published numbers have 0.
    """

    metrics: tuple[str, ...] | None = None
    protocols: tuple[str, ...] | None = None
    resume: bool = True
    save_frames: bool = False
    niqe_pristine: Path | None = None
    lpips_weights: Path | None = None
    crop_border: int = 0

    def __post_init__(self) -> None:
        for name in ("metrics", "protocols"):
            names = getattr(self, name)
            if isinstance(names, str):
                raise ConfigError(f"{name} must be several names, got the text {names!r}")
            if names is not None:
                object.__setattr__(self, name, tuple(dict.fromkeys(names)))
            if names is not None and not names:
                raise ConfigError(f"{name} must name at least one: leave it out for all")
        border = self.crop_border
        if isinstance(border, bool) or not isinstance(border, int) or border < 0:
            raise ConfigError(f"crop_border must be a whole number of pixels, got {border!r}")


@dataclass(frozen=True, kw_only=True)
class EvaluationProgress:
    """How far an evaluation is; of several processes, each counts its own share.

    Attributes:
        clip: The clip or sample that was worked on last.
        clips_done: Clips that are finished.
        num_clips: Clips in all.
        frames_done: Frames that went through the method, or whose scores were known.
        num_frames: Frames in all; those that protocols need made differently count again.
        seconds: Time since the beginning.
    """

    clip: str
    clips_done: int
    num_clips: int
    frames_done: int
    num_frames: int
    seconds: float
