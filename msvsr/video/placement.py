"""Outputs that appear whole or not at all.

An output is written beside its target under a hidden temporary name and moved into place at the
end. Whatever ends the block early, an exception, Ctrl-C or a polite kill, removes it.
"""

import contextlib
import os
import re
import secrets
import shutil
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from msvsr.errors import VideoError

__all__ = ["Placement", "exit_on_kill"]

_KILL_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)
)


class Placement:
    """Where an output is written before it is whole.

    Attributes:
        target: Where it goes.
        temporary: Where it is written.
    """

    def __init__(
        self, target: Path, *, overwrite: bool, entries: re.Pattern[str] | None = None
    ) -> None:
        """Check the target and choose a temporary name beside it.

        Args:
            target: A file, or with ``entries`` a folder.
            overwrite: An existing target may be replaced.
            entries: Names that a folder may hold to be replaced; a folder with anything else in it
                is never touched.

        Raises:
            VideoError: The target exists, or nothing can be written beside it.
        """
        self.target = target
        self._overwrite = overwrite
        self._entries = entries
        self._check_target()
        self._made = _make_parents(target)
        mark = f".{target.stem}.{os.getpid()}-{secrets.token_hex(4)}.part"
        self.temporary = target.with_name(mark + target.suffix)
        self._check_writable()

    def _check_target(self) -> None:
        target = self.target
        if not target.exists():
            return
        if target.is_dir() != (self._entries is not None):
            kind, wanted = ("folder", "file") if target.is_dir() else ("file", "folder")
            raise VideoError(f"{target}: is a {kind}, but the output is a {wanted}; rename it.")
        foreign = self._foreign_entry()
        if foreign is not None:
            raise VideoError(
                f"{target}: the folder holds other files ({foreign}); name a new or empty folder."
            )
        if not self._overwrite and not self._is_empty_folder():
            raise VideoError(f"{target}: exists already; choose another name or allow overwriting.")

    def _is_empty_folder(self) -> bool:
        return self.target.is_dir() and next(self.target.iterdir(), None) is None

    def _foreign_entry(self) -> str | None:
        if self._entries is None:
            return None
        names = (path.name for path in self.target.iterdir())
        return next((name for name in names if not self._entries.fullmatch(name)), None)

    def _check_writable(self) -> None:
        try:
            if self._entries is not None:
                self.temporary.mkdir()
            else:
                self.temporary.touch(exist_ok=False)
        except OSError as error:
            self._remove_parents()
            raise VideoError(
                f"{self.target.parent}: nothing can be written there ({error.strerror}); "
                "choose another place for the output."
            ) from error

    def commit(self) -> None:
        """Move the whole output into place.

        Raises:
            VideoError: Something else appeared there meanwhile, or moving fails.
        """
        try:
            self._check_target()
            if self._entries is not None:
                self._swap_folder()
            elif self._overwrite:
                self.temporary.replace(self.target)
            else:
                self._link_new()
        except OSError as error:
            self.discard()
            if isinstance(error, VideoError):
                raise
            raise VideoError(
                f"{self.target}: the output cannot be moved into place ({error.strerror})."
            ) from error

    def _link_new(self) -> None:
        try:
            os.link(self.temporary, self.target)  # unlike replace, never clobbers a newcomer
        except FileExistsError as error:
            raise VideoError(f"{self.target}: appeared meanwhile; it was not replaced.") from error
        except OSError:  # no hard links on this file system
            self.temporary.replace(self.target)
        else:
            self.temporary.unlink()

    def _swap_folder(self) -> None:
        if not self.target.exists():
            self.temporary.rename(self.target)
            return
        old = self.temporary.with_suffix(".old")
        self.target.rename(old)
        self.temporary.rename(self.target)
        shutil.rmtree(old)

    def discard(self) -> None:
        """Remove what was written, and the folders that were made for it."""
        if self.temporary.is_dir():
            shutil.rmtree(self.temporary, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                self.temporary.unlink()
        self._remove_parents()

    def _remove_parents(self) -> None:
        for folder in self._made:
            with contextlib.suppress(OSError):
                folder.rmdir()


def _make_parents(target: Path) -> tuple[Path, ...]:
    """Make the folders above a target; give those that were new, the innermost first."""
    missing = [folder for folder in target.parents if not folder.exists()]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise VideoError(
            f"{target.parent}: the folder cannot be made ({error.strerror}); "
            "choose another place for the output."
        ) from error
    return tuple(missing)


@contextlib.contextmanager
def exit_on_kill() -> Iterator[None]:
    """Make a polite kill unwind the stack, so that clean-up runs, where nobody else handles it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ours = [number for number in _KILL_SIGNALS if signal.getsignal(number) is signal.SIG_DFL]
    for number in ours:
        signal.signal(number, _exit)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)


def _exit(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
