"""Reading from an address, served on this machine."""

import functools
import http.server
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from msvsr.errors import VideoError
from msvsr.video import OutputOptions, open_sink, open_source
from tests.support.clips import AudioTrack, make_video, packets_of


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    folder = tmp_path / "served"
    folder.mkdir()
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_an_address_is_read_like_a_file(served: tuple[Path, str], tmp_path: Path) -> None:
    folder, address = served
    path = make_video(folder / "a.mp4", 8, audio=[AudioTrack()])
    output = tmp_path / "b.mp4"
    options = OutputOptions(preset="ultrafast")
    with (
        open_source(f"{address}/a.mp4") as source,
        open_sink(output, source, options=options) as sink,
    ):
        for frame in source:
            sink.write(frame)
    assert sink.num_frames == 8
    assert packets_of(output, "audio") == packets_of(path, "audio")


def test_a_missing_file_on_a_server_is_one_clear_line(served: tuple[Path, str]) -> None:
    with pytest.raises(VideoError, match=r"no such file \(404\)") as caught:
        open_source(f"{served[1]}/missing.mp4")
    assert "\n" not in str(caught.value)


def test_a_dead_server_is_one_clear_line() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(VideoError, match="the server cannot be reached") as caught:
        open_source(f"http://127.0.0.1:{port}/a.mp4")
    assert "\n" not in str(caught.value)
