"""A served page and a browser that looks at it, for tests of the page."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

__all__ = ["ServedPage", "find_chromium", "launch_chromium", "serve"]

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_START_SECONDS = 120


@dataclass(frozen=True, kw_only=True)
class ServedPage:
    """A page that a process of its own serves.

    Attributes:
        address: Where.
        process: The process.
        media: The folder that it may read.
        results: The folder that it writes to.
    """

    address: str
    process: "subprocess.Popen[str]"
    media: Path
    results: Path

    def stop(self) -> int:
        """Press Ctrl-C and say how the program ended."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=20)


@contextmanager
def serve(folder: Path, *options: str) -> Iterator[ServedPage]:
    """Serve the page as a user would, on a free port."""
    media, results = folder / "media", folder / "results"
    media.mkdir(exist_ok=True)
    places = ["--allow", str(media), "--output", str(results)]
    process = subprocess.Popen(
        [sys.executable, "-m", "msvsr", "ui", "--port", "0", *places, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "TMPDIR": str(folder)},
    )
    try:
        yield ServedPage(address=_address(process), process=process, media=media, results=results)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def _address(process: "subprocess.Popen[str]") -> str:
    end = time.monotonic() + _START_SECONDS
    lines = []
    while time.monotonic() < end and process.stdout is not None:
        line = process.stdout.readline()
        if line.startswith("http://"):
            return line.split()[0]
        if not line and process.poll() is not None:
            break
        lines.append(line)
    raise AssertionError(f"the page did not start: {''.join(lines)}")


def find_chromium() -> str:
    """The system's Chromium; the test is skipped where there is none."""
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        pytest.skip("no Chromium is installed (Debian: apt-get install chromium)")
    return path


@contextmanager
def launch_chromium() -> Iterator[Any]:
    """A headless browser; the test is skipped where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = find_chromium()
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()
