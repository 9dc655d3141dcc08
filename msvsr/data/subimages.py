"""Cutting the images of clips into overlapping smaller ones, which are quicker to read.

A training sample needs a small square of each frame, but an image can only be decoded whole.
"""

import json
import multiprocessing
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import pairwise, product
from pathlib import Path

import cv2

from msvsr.data.image_files import read_as_stored, write_png
from msvsr.data.rows import list_images, sort_naturally
from msvsr.errors import ConfigError, InputError, VideoError
from msvsr.video.images import read_image_size

__all__ = ["CutReport", "SubimageConfig", "cut_subimages", "plan_offsets"]

RECORD_FILE = "subimages.json"

OnProgress = Callable[[int, int], None]
"""Takes the images that are done and the images in all."""


@dataclass(frozen=True, kw_only=True)
class SubimageConfig:
    """Where images are cut.

    Attributes:
        size: Side of the squares in pixels.
        step: Distance of neighbouring squares in pixels.
        threshold: What is left at the right and at the bottom becomes one more square, moved back
            to the border, when it is wider than this many pixels.
        compression: Of the PNG files, 0 (quick) to 9 (small).
    """

    size: int = 480
    step: int = 240
    threshold: int = 0
    compression: int = 3

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: A value is out of range.
        """
        if self.size < 1 or self.step < 1 or self.threshold < 0:
            raise ConfigError(
                "size and step must be at least 1 and threshold at least 0, got "
                f"{self.size}, {self.step} and {self.threshold}"
            )
        if not 0 <= self.compression <= 9:
            raise ConfigError(f"compression must lie in 0 to 9, got {self.compression}")


@dataclass(frozen=True, kw_only=True)
class CutReport:
    """What was done.

    Attributes:
        output: Folder of the smaller clips.
        num_clips: Smaller clips in it.
        num_images: Images that were cut.
        num_skipped: Of these, images whose parts had all been there.
        num_subimages: Parts of all images.
    """

    output: Path
    num_clips: int
    num_images: int
    num_skipped: int
    num_subimages: int


def plan_offsets(length: int, config: SubimageConfig) -> list[int]:
    """Where the squares begin along one side of an image.

    Args:
        length: The side in pixels, at least ``config.size``.
        config: Where images are cut.

    Source:
        The tool of BasicSR and MMEditing that prepares REDS (Apache-2.0), same positions.

    Example:
        >>> plan_offsets(1280, SubimageConfig())
        [0, 240, 480, 720, 800]
        >>> plan_offsets(1280, SubimageConfig(threshold=80))
        [0, 240, 480, 720]
    """
    last = length - config.size
    offsets = list(range(0, last + 1, config.step))
    if last - offsets[-1] > config.threshold:
        offsets.append(last)
    return offsets


@dataclass(frozen=True, kw_only=True)
class _Task:
    """One image to cut: its parts go to ``<output>/<clip>_s001/<name>.png`` and so on."""

    path: Path
    output: Path
    clip: str
    image_size: tuple[int, int]
    config: SubimageConfig

    def targets(self) -> Iterator[tuple[Path, int, int]]:
        """File, top and left of each part, row by row."""
        rows, columns = (plan_offsets(side, self.config) for side in self.image_size)
        for number, (top, left) in enumerate(product(rows, columns), 1):
            folder = self.output / f"{self.clip}_s{number:03d}"
            yield folder / f"{self.path.stem}.png", top, left


def cut_subimages(
    source: Path,
    output: Path,
    config: SubimageConfig,
    *,
    num_workers: int = 1,
    on_progress: OnProgress | None = None,
) -> CutReport:
    """Cut all clips of a folder, going on where an earlier call was stopped.

    Files appear complete or not at all, so what is there is not made again.

    Args:
        source: Folder of clip folders at any depth, or one clip folder.
        output: Folder to write to; clip ``a/000`` becomes ``a/000_s001``, ``a/000_s002``...
        config: Where images are cut.
        num_workers: Processes; with 1 everything happens in this one.
        on_progress: Called after each image.

    Returns:
        What was done.

    Raises:
        InputError: There is no image, or one is too small, or a clip has images of several sizes.
        ConfigError: The output was cut with other settings.
        VideoError: An image cannot be read or written.
    """
    tasks = _plan(source, output, config)
    _check_record(output, config)
    num_skipped = 0
    for num_done, was_there in enumerate(_run(tasks, num_workers), 1):
        num_skipped += was_there
        if on_progress is not None:
            on_progress(num_done, len(tasks))
    targets = [target for task in tasks for target, _, _ in task.targets()]
    return CutReport(
        output=output,
        num_clips=len({target.parent for target in targets}),
        num_images=len(tasks),
        num_skipped=num_skipped,
        num_subimages=len(targets),
    )


def _plan(source: Path, output: Path, config: SubimageConfig) -> list[_Task]:
    if not source.is_dir():
        raise InputError(f"there is no folder {source}; give a folder of clip folders")
    tasks: list[_Task] = []
    for folder in _clip_folders(source, output.resolve()):
        clip = folder.relative_to(source).as_posix() if folder != source else source.resolve().name
        tasks += _plan_clip(folder, clip, output, config)
    if not tasks:
        raise InputError(
            f"{source}: expected folders of images, one per clip, but found no image; "
            "give the folder that holds them"
        )
    return tasks


def _clip_folders(folder: Path, output: Path) -> Iterator[Path]:
    if list_images(folder):
        yield folder
    for path in sort_naturally(path for path in folder.iterdir() if path.is_dir()):
        if path.resolve() != output:
            yield from _clip_folders(path, output)


def _plan_clip(folder: Path, clip: str, output: Path, config: SubimageConfig) -> Iterator[_Task]:
    paths = list_images(folder)
    _check_names(clip, paths)
    size = _first_size(clip, paths[0], config.size)
    for path in paths:
        yield _Task(path=path, output=output, clip=clip, image_size=size, config=config)


def _check_names(clip: str, paths: list[Path]) -> None:
    for first, second in pairwise(sorted(paths, key=lambda path: path.stem)):
        if first.stem == second.stem:
            raise InputError(
                f"clip {clip}: {first.name} and {second.name} would both become "
                f"{first.stem}.png; rename one of them"
            )


def _first_size(clip: str, path: Path, smallest: int) -> tuple[int, int]:
    size = read_image_size(path)
    if size is None:
        raise VideoError(f"clip {clip}: {path} is not an image that can be read; check the file")
    if min(size) < smallest:
        raise InputError(
            f"clip {clip}: images must have at least {smallest}x{smallest} pixels to be cut, "
            f"got {size[1]}x{size[0]}; choose a smaller size"
        )
    return size


def _check_record(output: Path, config: SubimageConfig) -> None:
    """Refuse to mix parts that were cut differently."""
    places = {key: value for key, value in asdict(config).items() if key != "compression"}
    record = output / RECORD_FILE
    try:
        output.mkdir(parents=True, exist_ok=True)
        if not record.exists():
            record.write_text(json.dumps(places) + "\n", encoding="utf-8")
        there = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{output} cannot be written to or continued ({error}); give another folder"
        ) from error
    if there != places:
        raise ConfigError(
            f"{output} was cut with {there}, not with {places}; "
            "give the same values or another folder"
        )


def _run(tasks: list[_Task], num_workers: int) -> Iterator[bool]:
    """Whether the parts of each image had been there, in any order."""
    if num_workers <= 1:
        yield from map(_cut, tasks)
        return
    pool = ProcessPoolExecutor(
        num_workers, mp_context=multiprocessing.get_context("spawn"), initializer=_start_worker
    )
    try:
        with _deaf_to_interrupts():  # processes start here and inherit it
            futures: list[Future[bool]] = [pool.submit(_cut, task) for task in tasks]
        for future in as_completed(futures):
            yield future.result()
    finally:  # after an error, or when the caller is interrupted, images not begun are dropped
        pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Ctrl-C reaches all processes of a terminal; the one that waits ends the others itself.

    Where signals can be blocked, one that comes meanwhile is held back for the time after.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # where signals cannot be set, and Ctrl-C does not arrive
    elif hasattr(signal, "pthread_sigmask"):
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
    else:
        handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, handler)


def _start_worker() -> None:
    cv2.setNumThreads(1)


def _cut(task: _Task) -> bool:
    missing = [(path, top, left) for path, top, left in task.targets() if not path.exists()]
    if not missing:
        return True
    image = read_as_stored(task.path)
    if image.shape[:2] != task.image_size:
        raise InputError(
            f"clip {task.clip}: all images must be as large as the first, which is "
            f"{task.image_size[1]}x{task.image_size[0]}, but {task.path.name} is "
            f"{image.shape[1]}x{image.shape[0]}; sort them apart"
        )
    for path, top, left in missing:
        part = image[top : top + task.config.size, left : left + task.config.size]
        write_png(path, part, task.config.compression)
    return False
