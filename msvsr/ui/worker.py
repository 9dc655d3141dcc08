"""The process that does the work: cancelling it ends it, and the page never waits for it.

A process can be stopped in the middle of a convolution, cannot take the page with it when memory
runs out, and gives all its memory back.
"""

import contextlib
import multiprocessing
import signal
import threading
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol

import cv2

from msvsr.app.jobs import Progress, VideoReport
from msvsr.errors import MsvsrError
from msvsr.frame import ImageArray
from msvsr.ui.jobs import JobCancelledError, Outlet
from msvsr.ui.requests import JobRequest, ModelShelf, run_request
from msvsr.video.color import to_uint8

__all__ = ["Order", "RunOrder", "Worker", "encode_jpeg"]

_POLL_SECONDS = 0.1
_POLITE_SECONDS = 1.0
_SECONDS_BETWEEN_PROGRESS = 0.2
_SECONDS_BETWEEN_PREVIEWS = 0.8
_PREVIEW_SIDE = 640
_PREVIEW_QUALITY = 80


class Order(Protocol):
    """Something for the process to do; it travels there and its result comes back."""

    def run(self, shelf: ModelShelf, reporter: "Reporter") -> object:
        """Do it, over there."""
        ...


@dataclass(frozen=True, kw_only=True)
class RunOrder:
    """Do what a request asks for.

    Attributes:
        request: The request.
        output: Where the output goes.
    """

    request: JobRequest
    output: Path

    def run(self, shelf: ModelShelf, reporter: "Reporter") -> VideoReport:
        """Do it."""
        return run_request(self.request, self.output, shelf, reporter.tell)


@dataclass(frozen=True)
class _Step:
    frames_done: float
    num_frames: int | None
    frames_per_second: float


@dataclass(frozen=True)
class _Picture:
    jpeg: bytes


@dataclass(frozen=True)
class _Result:
    value: Any


@dataclass(frozen=True)
class _Failure:
    line: str


class Worker:
    """Runs orders one at a time in a process, which is started again when it has been stopped."""

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("spawn")
        self._process: Any = None
        self._connection: Connection | None = None
        self._busy = threading.Lock()

    def start(self) -> None:
        """Start the process now, so that the first order need not wait for it."""
        with self._busy:
            self._ensure()

    @property
    def process_id(self) -> int | None:
        """The process's number; ``None`` while there is none."""
        return None if self._process is None else self._process.pid

    def run(self, order: Order, outlet: Outlet) -> Any:  # noqa: ANN401
        """Carry out an order and wait for its result.

        Args:
            order: What to do.
            outlet: Hears of progress; setting its ``cancelled`` ends the process.

        Raises:
            JobCancelledError: It was cancelled.
            MsvsrError: It failed, or the process ended.
        """
        with self._busy:
            connection = self._ensure()
            try:
                connection.send(order)
                return self._listen(connection, outlet)
            except (EOFError, OSError) as error:
                code = self._stop()
                raise MsvsrError(
                    f"the process that did the work has ended (code {code}), as it does when "
                    "memory runs out: close other programs, or choose a smaller video or model"
                ) from error
            except BaseException:
                if outlet.cancelled.is_set():
                    self._stop()
                raise

    def close(self) -> None:
        """End the process, whatever it does."""
        self._stop()

    def _listen(self, connection: Connection, outlet: Outlet) -> Any:  # noqa: ANN401
        while True:
            if outlet.cancelled.is_set():
                raise JobCancelledError("the job was cancelled")
            if not connection.poll(_POLL_SECONDS):
                continue
            message = connection.recv()
            if isinstance(message, _Step):
                outlet.progress(message.frames_done, message.num_frames, message.frames_per_second)
            elif isinstance(message, _Picture):
                outlet.preview(message.jpeg)
            elif isinstance(message, _Failure):
                raise MsvsrError(message.line)
            else:
                return message.value

    def _ensure(self) -> Connection:
        if self._connection is None or not self._process.is_alive():
            self._stop()
            ours, theirs = self._context.Pipe()
            self._process = self._context.Process(
                target=_serve, args=(theirs,), name="msvsr-worker", daemon=True
            )
            self._process.start()
            theirs.close()
            self._connection = ours
        return self._connection

    def _stop(self) -> int | None:
        process, connection = self._process, self._connection
        self._process = self._connection = None
        if connection is not None:
            connection.close()
        if process is None:
            return None
        process.terminate()
        process.join(_POLITE_SECONDS)
        if process.is_alive():
            process.kill()
            process.join()
        code: int | None = process.exitcode
        return code


class Reporter:
    """Sends progress and pictures from the process, not more often than anybody looks."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._last_step = self._last_picture = float("-inf")

    def tell(self, progress: Progress) -> None:
        """Tell how far the work is, and show its latest frame."""
        now = time.monotonic()
        if now - self._last_step >= _SECONDS_BETWEEN_PROGRESS:
            self._last_step = now
            self._connection.send(
                _Step(progress.frames_done, progress.num_frames, progress.frames_per_second)
            )
        frame = progress.last_frame
        if frame is not None and now - self._last_picture >= _SECONDS_BETWEEN_PREVIEWS:
            self._last_picture = now
            jpeg = encode_jpeg(frame.image, _PREVIEW_SIDE, _PREVIEW_QUALITY)
            self._connection.send(_Picture(jpeg))


def encode_jpeg(image: ImageArray, longest_side: int, quality: int) -> bytes:
    """A JPEG of an image, made smaller where it is too large.

    Args:
        image: RGB, ``(h, w, 3)``, uint8 or uint16.
        longest_side: Longest side of the JPEG in pixels.
        quality: Of the JPEG, 0 to 100.
    """
    values = to_uint8(image)
    height, width = values.shape[:2]
    factor = longest_side / max(height, width)
    if factor < 1:
        size = (max(round(width * factor), 1), max(round(height * factor), 1))
        values = cv2.resize(values, size, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    bgr = cv2.cvtColor(values, cv2.COLOR_RGB2BGR)
    is_encoded, jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not is_encoded:
        raise MsvsrError(f"a picture of {width}x{height} pixels cannot be encoded as JPEG")
    return jpeg.tobytes()


def _serve(connection: Connection) -> None:
    """The process: carry out orders until nobody sends any."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the page, which then stops us
    shelf = ModelShelf()
    with contextlib.suppress(EOFError, OSError):
        while True:
            order: Order = connection.recv()
            connection.send(_carry_out(order, shelf, connection))


def _carry_out(order: Order, shelf: ModelShelf, connection: Connection) -> _Result | _Failure:
    try:
        return _Result(order.run(shelf, Reporter(connection)))
    except MsvsrError as error:
        return _Failure(str(error))
    except MemoryError:
        return _Failure("out of memory: close other programs, or choose a smaller video or model")
    except (BrokenPipeError, ConnectionResetError):  # the page has gone
        raise
    except Exception as error:
        return _Failure(f"unexpected {type(error).__name__}: {error}")
