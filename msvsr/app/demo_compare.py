"""Setting an upscaled clip beside bicubic interpolation: scores, a picture, a video."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch

from msvsr.app.demo_panels import (
    Detail,
    Panel,
    comparison_picture,
    interesting_details,
    side_by_side,
)
from msvsr.errors import VideoError
from msvsr.frame import Frame
from msvsr.metrics import FrameMean, psnr
from msvsr.video import OutputOptions, SourceOptions, open_sink, open_source

__all__ = ["Comparison", "Scores", "Scoring", "as_bytes", "compare", "label", "write_picture"]

Image = npt.NDArray[np.uint8]

_BORDER = 4  # pixels that tables of x4 networks leave out at each side
_HALF_SIZE = (720, 1280)  # of each half of the video; larger frames are cut to their middle
_DETAIL_SIZE = (72, 180)


@dataclass(frozen=True, kw_only=True)
class Scores:
    """Mean PSNR over the frames in dB, without the outermost 4 pixels.

    Attributes:
        psnr_y: On luma.
        psnr_rgb: On all channels.
    """

    psnr_y: float
    psnr_rgb: float


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What a comparison made.

    Attributes:
        picture: Bicubic, model and (when known) ground truth with enlarged details.
        video: Bicubic and model next to each other, with the source's sound.
        upscaled: The model's output as a video.
        bicubic: Scores of bicubic interpolation; ``None`` without ground truth.
        model: Scores of the model; ``None`` without ground truth.
    """

    picture: Path
    video: Path
    upscaled: Path
    bicubic: Scores | None
    model: Scores | None


def compare(
    source: str | Path,
    reading: SourceOptions,
    result: Path,
    output_dir: Path,
    *,
    ground_truth: Sequence[Image] = (),
    details: Sequence[Detail] = (),
) -> Comparison:
    """Set an upscaled clip beside bicubic interpolation of its source.

    Args:
        source: The low-quality clip.
        reading: Which part of it was upscaled.
        result: The upscaled frames, a folder of images.
        output_dir: Where to write.
        ground_truth: What the upscaled frames should look like, if that is known.
        details: What to enlarge in the picture; found by their structure when not given.

    Returns:
        What was made.

    Raises:
        VideoError: Something cannot be read or written.
    """
    writing = OutputOptions(overwrite=True)
    video, upscaled = output_dir / "side_by_side.mp4", output_dir / "upscaled.mp4"
    bicubic_scores, model_scores = Scoring(), Scoring()
    stills: tuple[Image, Image] | None = None
    with ExitStack() as stack:
        frames = stack.enter_context(open_source(source, reading))
        results = stack.enter_context(open_source(result))
        size = results.info.size
        middle = (results.info.num_frames_from_header or 0) // 2
        joined = _joined_size(size)
        video_sink = stack.enter_context(open_sink(video, frames, size=joined, options=writing))
        sink = stack.enter_context(open_sink(upscaled, frames, size=size, options=writing))
        for index, (frame, outcome) in enumerate(zip(frames, results, strict=True)):
            bicubic, model = _enlarge(as_bytes(frame), size), as_bytes(outcome)
            if ground_truth:
                bicubic_scores.add(bicubic, ground_truth[index])
                model_scores.add(model, ground_truth[index])
            if index <= middle:
                stills = bicubic, model
            video_sink.write(frame.with_image(_join(bicubic, model)))
            sink.write(frame.with_image(model))
    if stills is None:
        raise VideoError(f"{source}: there is no frame to compare")
    truth = ground_truth[middle] if ground_truth else None
    picture = output_dir / "side_by_side.png"
    panels = _panels(stills, truth, bicubic_scores.mean_or_none(), model_scores.mean_or_none())
    write_picture(picture, comparison_picture(panels, details or _find_details(panels)))
    return Comparison(
        picture=picture,
        video=video,
        upscaled=upscaled,
        bicubic=bicubic_scores.mean_or_none(),
        model=model_scores.mean_or_none(),
    )


class Scoring:
    """Collects the scores of one method, frame by frame."""

    def __init__(self) -> None:
        self._y, self._rgb = FrameMean(), FrameMean()

    def add(self, image: Image, truth: Image) -> None:
        """Take one frame and what it should look like."""
        first, second = _as_tensor(image), _as_tensor(truth)
        self._y.update(psnr(first, second, channels="y", crop_border=_BORDER))
        self._rgb.update(psnr(first, second, channels="rgb", crop_border=_BORDER))

    def mean(self) -> Scores:
        """The mean over the frames that were added.

        Raises:
            InputError: There was none.
        """
        return Scores(psnr_y=self._y.compute(), psnr_rgb=self._rgb.compute())

    def mean_or_none(self) -> Scores | None:
        """The mean, or nothing where there was no frame."""
        return self.mean() if self._y.num_frames else None


def _as_tensor(image: Image) -> torch.Tensor:
    return torch.from_numpy(image).movedim(-1, 0).float() / 255  # (h, w, c) -> (c, h, w)


def as_bytes(frame: Frame) -> Image:
    """The picture of a frame with 8 bits per sample."""
    if frame.image.dtype == np.uint8:
        return frame.image.astype(np.uint8, copy=False)
    return ((frame.image.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _enlarge(image: Image, size: tuple[int, int]) -> Image:
    enlarged = cv2.resize(image, (size[1], size[0]), interpolation=cv2.INTER_CUBIC)
    return np.asarray(enlarged, np.uint8)


def _middle(image: Image) -> Image:
    height, width = image.shape[:2]
    top = max(height - _HALF_SIZE[0], 0) // 2
    left = max(width - _HALF_SIZE[1], 0) // 2
    return image[top : top + _HALF_SIZE[0], left : left + _HALF_SIZE[1]]


def _join(bicubic: Image, model: Image) -> Image:
    left = Panel(label="bicubic", image=_middle(bicubic))
    return side_by_side(left, Panel(label="msvsr", image=_middle(model)))


def _joined_size(size: tuple[int, int]) -> tuple[int, int]:
    blank = np.zeros((*size, 3), np.uint8)
    height, width = _join(blank, blank).shape[:2]
    return height, width


def _panels(
    stills: tuple[Image, Image],
    truth: Image | None,
    bicubic: Scores | None,
    model: Scores | None,
) -> list[Panel]:
    panels = [
        Panel(label=label("bicubic", bicubic), image=stills[0]),
        Panel(label=label("msvsr", model), image=stills[1]),
    ]
    return panels if truth is None else [*panels, Panel(label="ground truth", image=truth)]


def label(name: str, scores: Scores | None) -> str:
    """What to write over a panel: whose it is, and how good."""
    return name if scores is None else f"{name}   {scores.psnr_y:.2f} dB PSNR (Y)"


def _find_details(panels: Sequence[Panel]) -> list[Detail]:
    return interesting_details(panels[1].image, 3, _DETAIL_SIZE)


def write_picture(path: Path, picture: Image) -> None:
    """Write an RGB picture as PNG.

    Raises:
        VideoError: It cannot be written.
    """
    _, data = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    try:
        path.write_bytes(data.tobytes())
    except OSError as error:
        raise VideoError(f"{path}: cannot be written ({error.strerror})") from error
