"""Opening files and addresses, with errors that a person can act on."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import av
from av.container import InputContainer

from msvsr.errors import VideoError

__all__ = ["explain", "is_url", "open_container", "reading"]

_URL_SCHEMES = frozenset({"http", "https"})
_TIMEOUT_SECONDS = (20.0, 60.0)  # to open, to wait for the next data
_RECONNECT = {"reconnect": "1", "reconnect_on_network_error": "0", "reconnect_delay_max": "5"}


def is_url(location: str) -> bool:
    """Whether a location is an http(s) address."""
    return urlsplit(location).scheme.lower() in _URL_SCHEMES


def open_container(location: str) -> InputContainer:
    """Open a file or an address for reading.

    Args:
        location: A path, or an http(s) URL.

    Returns:
        The open container; the caller closes it.

    Raises:
        VideoError: Nothing there can be opened as audio or video.
    """
    if not is_url(location):
        _check_file(location)
    with reading(location):
        return av.open(
            location if is_url(location) else f"file:{location}",
            "r",
            container_options=dict(_RECONNECT) if is_url(location) else {},
            metadata_errors="replace",
            timeout=_TIMEOUT_SECONDS,
        )


@contextmanager
def reading(location: str) -> Iterator[None]:
    """Turn what PyAV raises while a source is read into a `VideoError` of one line."""
    try:
        yield
    except av.FFmpegError as error:
        raise VideoError(f"{location}: {explain(error)}") from error


def explain(error: av.FFmpegError) -> str:
    """Say in one line what an error of FFmpeg means and what to do."""
    if isinstance(error, av.InvalidDataError):
        return "this is not a video that can be read, or it is damaged; check the file."
    if isinstance(error, av.HTTPNotFoundError):
        return "the server has no such file (404); check the address."
    if isinstance(error, av.HTTPError):
        return f"the server refused ({_reason(error)}); check the address."
    if isinstance(error, ConnectionError | TimeoutError | av.ExitError | av.error.TimeoutError):
        return f"the server cannot be reached ({_reason(error)}); check the address."
    if isinstance(error, PermissionError):
        return "reading is not allowed; check the file's permissions."
    return f"reading failed ({_reason(error)}); check the file or the address."


def _reason(error: av.FFmpegError) -> str:
    return (error.strerror or type(error).__name__).strip().lower()


def _check_file(location: str) -> None:
    path = Path(location)
    try:
        if not path.exists():
            raise VideoError(f"{location}: there is no such file or folder; check the path.")
        if path.is_file() and path.stat().st_size == 0:
            raise VideoError(f"{location}: the file is empty; expected a video.")
        with path.open("rb"):
            pass
    except PermissionError as error:
        raise VideoError(f"{location}: reading is not allowed; check the permissions.") from error
    except OSError as error:
        if isinstance(error, VideoError):
            raise
        raise VideoError(f"{location}: cannot be opened ({error.strerror}).") from error
