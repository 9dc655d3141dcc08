"""Files of a work folder: names that are safe, contents that are whole or not there."""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from msvsr.errors import InputError
from msvsr.frame import Frame
from msvsr.video.options import OutputOptions
from msvsr.video.pngs import PngFolderWriter

__all__ = ["FrameFolder", "file_name", "make_folder", "read_json", "write_json", "write_text"]


def file_name(name: str) -> str:
    """A file name for the name of a clip, another for each.

    Example:
        >>> file_name("demo_000"), file_name("../a b")
        ('demo_000', '.._a_b-2c2c791a')
    """
    safe = re.sub(r"[^\w.-]", "_", name)
    if safe == name and not name.startswith(".") and len(name) <= 100:
        return name
    return f"{safe[:80]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def make_folder(folder: Path) -> None:
    """Make a folder and those around it.

    Raises:
        InputError: There is a file in the way, or writing is not allowed.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"cannot make the folder {folder} ({error.strerror}): choose another work folder"
        ) from error


def write_text(path: Path, text: str) -> None:
    """Write a file under another name, then move it into place."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write data as JSON, whole or not at all."""
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """Read what `write_json` wrote; empty when there is no such file or it is damaged."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


class FrameFolder:
    """A folder of PNG files that replaces an older one when it is complete.

    Args:
        folder: Where it shall be.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._partial = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
        self._writer = PngFolderWriter(OutputOptions())
        self._write: Callable[[Frame], None] = self._write_first

    def write(self, frame: Frame) -> None:
        """Write the next frame."""
        self._write(frame)

    def _write_first(self, frame: Frame) -> None:
        shutil.rmtree(self._partial, ignore_errors=True)
        make_folder(self._partial)
        self._writer.begin(self._partial, frame)
        self._write = self._writer.write
        self._write(frame)

    def finish(self) -> None:
        """Put the folder in its place."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._partial.replace(self._folder)

    def abort(self) -> None:
        """Remove what was written."""
        shutil.rmtree(self._partial, ignore_errors=True)
