"""Which files the page may read: those in allowed folders, and uploads of the right kind."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from msvsr.errors import ConfigError, InputError
from msvsr.video.images import IMAGE_SUFFIXES, natural_key

__all__ = [
    "SOURCE_SUFFIXES",
    "VIDEO_SUFFIXES",
    "AllowedFolders",
    "Entry",
    "check_kind",
    "free_name",
    "gather_uploads",
]

VIDEO_SUFFIXES = frozenset(
    {".3gp", ".avi", ".flv", ".gif", ".m2ts", ".m4v", ".mkv", ".mov"}
    | {".mp4", ".mpeg", ".mpg", ".mts", ".ogv", ".ts", ".webm", ".wmv"}
)
"""File names of videos that the page takes."""

SOURCE_SUFFIXES = VIDEO_SUFFIXES | IMAGE_SUFFIXES
"""File names of everything that the page takes."""

_MEBIBYTE = 2**20
_NUM_SNIFFED_BYTES = 1024
_TEXT_BYTES = frozenset(range(32, 127)) | {9, 10, 13}
_MAX_ENTRIES = 500


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Something in a folder that can be chosen.

    Attributes:
        path: Where it is.
        is_folder: Whether it is a folder.
    """

    path: Path
    is_folder: bool


class AllowedFolders:
    """The folders of this machine that people on the page may read.

    Args:
        folders: At least one; symbolic links are followed once, now.

    Raises:
        ConfigError: One of them is not a folder.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self.roots = tuple(dict.fromkeys(map(_real_folder, folders)))
        if not self.roots:
            raise ConfigError("the page needs a folder that it may read: name one with --allow")

    def resolve(self, text: str) -> Path:
        """Find what somebody typed, if it is allowed.

        Args:
            text: A path; a relative one starts in the first allowed folder.

        Returns:
            The path without symbolic links. It exists.

        Raises:
            InputError: It lies outside the allowed folders, or there is nothing.
        """
        try:
            path = (self.roots[0] / Path(text.strip()).expanduser()).resolve()
            is_there = self.holds(path) and path.exists()
        except (OSError, RuntimeError, ValueError) as error:
            raise InputError(f"'{text}' is no path that can be read: check it") from error
        if not self.holds(path):
            raise InputError(
                f"'{text}' lies outside the allowed folders ({', '.join(map(str, self.roots))}): "
                "choose something inside, or start the page with --allow DIR"
            )
        if not is_there:
            raise InputError(f"'{text}': there is no such file or folder; check the path")
        return path

    def holds(self, path: Path) -> bool:
        """Whether a path without symbolic links lies in an allowed folder."""
        return any(path.is_relative_to(root) for root in self.roots)

    def source(self, text: str) -> Path:
        """Find a video, an image or a folder of images that somebody typed.

        Raises:
            InputError: It is not allowed, not there, or of another kind.
        """
        path = self.resolve(text)
        if not path.is_dir():
            check_kind(path)
            return path
        images = [each for each in path.iterdir() if each.suffix.lower() in IMAGE_SUFFIXES]
        if not images:
            raise InputError(f"{path}: there is no image in this folder; choose another")
        strangers = [each for each in images if not self._leads_inside(each)]
        if strangers:
            raise InputError(
                f"{strangers[0]} is a link to outside the allowed folders: remove the link, or "
                "start the page with --allow DIR"
            )
        return path

    def entries(self, folder: Path) -> list[Entry]:
        """What can be chosen in an allowed folder: folders first, then videos and images."""
        try:
            found = [path for path in folder.iterdir() if not path.name.startswith(".")]
            shown = [
                Entry(path=path, is_folder=path.is_dir())
                for path in found
                if (path.is_dir() or path.suffix.lower() in SOURCE_SUFFIXES)
                and self._leads_inside(path)
            ]
        except OSError:
            return []
        shown.sort(key=lambda entry: (not entry.is_folder, natural_key(entry.path.name)))
        return shown[:_MAX_ENTRIES]

    def _leads_inside(self, path: Path) -> bool:
        """Whether what a path stands for lies in an allowed folder; a link to itself does not."""
        try:
            return self.holds(path.resolve())
        except (OSError, RuntimeError):
            return False


def check_kind(path: Path) -> None:
    """Refuse what is neither a video nor an image.

    Playlists are text that names other files; read as a video, one could name files anywhere.

    Raises:
        InputError: It is something else.
    """
    if path.suffix.lower() not in SOURCE_SUFFIXES:
        raise InputError(
            f"'{path.name}' is neither a video nor an image by its name: "
            f"expected {' '.join(sorted(SOURCE_SUFFIXES))}"
        )
    try:
        with path.open("rb") as file:
            head = file.read(_NUM_SNIFFED_BYTES)
    except OSError as error:
        raise InputError(f"'{path.name}' cannot be read ({error.strerror}): check it") from error
    if not head:
        raise InputError(f"'{path.name}' is empty: expected a video or an image")
    if _TEXT_BYTES.issuperset(head):
        raise InputError(f"'{path.name}' is text: expected a video or an image")


def gather_uploads(files: Sequence[Path], folder: Path, *, max_bytes: int) -> Path:
    """Make one source of what was uploaded: a video, an image, or a folder of several images.

    Args:
        files: The uploaded files.
        folder: Where the images go, when there are several; it is made.
        max_bytes: Most bytes in all.

    Raises:
        InputError: Nothing came, too much, several videos, or files of another kind.
    """
    if not files:
        raise InputError("nothing was uploaded: choose a video or some images")
    for path in files:
        check_kind(path)
    total = sum(path.stat().st_size for path in files)
    if total > max_bytes:
        raise InputError(
            f"{total / _MEBIBYTE:.0f} MiB were uploaded, {max_bytes / _MEBIBYTE:.0f} are allowed: "
            "put the file into an allowed folder and choose it there, or raise --max-upload"
        )
    if len(files) == 1:
        return files[0]
    videos = [path.name for path in files if path.suffix.lower() in VIDEO_SUFFIXES]
    if videos:
        raise InputError(
            f"expected one video or several images, got {len(files)} files with '{videos[0]}' "
            "among them: upload videos one by one"
        )
    folder.mkdir(parents=True)
    for path in files:
        shutil.copyfile(path, free_name(folder / path.name))
    return folder


def free_name(path: Path) -> Path:
    """A path where nothing is yet: the given one, or with a number behind its name.

    Example:
        >>> free_name(Path("nothing_here.mp4")).name
        'nothing_here.mp4'
    """
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return free


def _real_folder(folder: Path) -> Path:
    try:
        real = folder.expanduser().resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise ConfigError(f"'{folder}' is not a folder that exists: name another") from error
    if not real.is_dir():
        raise ConfigError(f"'{folder}' is not a folder: name one")
    return real
