"""What the pipelines of both tasks share: their input, their own options, where output goes."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import torch

from msvsr.app.jobs import Progress
from msvsr.errors import InputError
from msvsr.models.devices import choose_device, choose_dtype

__all__ = ["RunOptions", "choose_pipeline_device", "output_place", "read_input"]


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """What a pipeline can be asked beside the options of reading, engine and writing.

    Attributes:
        output_video: Where the output goes; a name without a video extension is a folder of PNGs.
            ``None`` makes a new temporary folder for each output, which stays until somebody
            deletes it.
        dtype: Type that convolutions compute in: ``auto``, ``float32``, ``bfloat16``, ``float16``.
        on_progress: Called several times per frame.
        demo_service: Known from the built-in pipeline, where it asked for a second, transcoded
            file. The output can be played in a browser in any case, so this has no effect.
    """

    output_video: str | Path | None = None
    dtype: str = "auto"
    on_progress: Callable[[Progress], None] | None = None
    demo_service: bool = True

    def __post_init__(self) -> None:
        choose_dtype(self.dtype, torch.device("cpu"))


def read_input(data: object) -> tuple[str, dict[str, object]]:
    """Take one input of a pipeline apart.

    Args:
        data: A path, an http(s) URL, or a dictionary with ``video`` and options for this input.

    Returns:
        The path or URL, and the options.

    Raises:
        InputError: It is something else.

    Example:
        >>> read_input({"video": "clip.mp4", "crf": 20})
        ('clip.mp4', {'crf': 20})
    """
    options: dict[str, object] = {}
    if isinstance(data, Mapping):
        options = dict(data)
        if "video" not in options:
            raise InputError(
                "an input dictionary needs the key 'video' with a path or URL, "
                f"got the keys {', '.join(map(str, options)) or '(none)'}"
            )
        data = options.pop("video")
    if isinstance(data, os.PathLike):
        data = os.fspath(data)
    if not isinstance(data, str) or not data:
        raise InputError(
            "a video must be given as a path, an http(s) URL, or a dictionary with 'video', "
            f"got {type(data).__name__}"
        )
    return data, options


def choose_pipeline_device(name: str | torch.device) -> torch.device:
    """Find the device that ModelScope's name asks for.

    Args:
        name: As in `msvsr.models.devices.choose_device`. ``gpu`` is what ModelScope says when
            nobody chose, so it means a GPU if there is one and the CPU otherwise.

    Raises:
        ConfigError: The name is unknown, or that device was asked for and is not there.
    """
    if str(name).lower() == "gpu":
        return torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    return choose_device(str(name).lower())


@contextmanager
def output_place(video: str, output: str | Path | None, *, mark: str) -> Iterator[Path]:
    """Say where an output goes, and leave no empty folder behind when making it fails.

    Args:
        video: Path or URL of the input.
        output: What the user said; ``None`` makes a new temporary folder.
        mark: File name of a new output after the name of the input, extension included.
    """
    if output is not None:
        yield Path(output)
        return
    folder = Path(tempfile.mkdtemp(prefix="msvsr-"))
    try:
        yield folder / (_stem(video) + mark)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _stem(video: str) -> str:
    """Name of an input without its folders and extension."""
    parts = urlsplit(video)
    is_url = parts.scheme.lower() in ("http", "https")
    path = Path(unquote(parts.path)) if is_url else Path(video).resolve()
    return path.stem or "video"
