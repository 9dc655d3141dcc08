"""A stand-in for ModelScope's Hub on this machine: what its real client asks for.

It has models, data sets of ModelScope's own formation (a table that names files, and an archive
with these files), the storage in which the Hub keeps such archives, and plain files.
"""

import hashlib
import json
import os
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from subprocess import CompletedProcess, run
from threading import Event, Thread
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

__all__ = ["StandInHub"]

MODELS = "/api/v1/models/"
METADATA = "/openapi/v1/models/"
DATASETS = "/api/v1/datasets/"
STORAGE = "/storage/"

NATIVE_FORMATION = 2
"""ModelScope's number for data sets whose table has columns that end in ``:FILE``."""

STORAGE_SDK = Path(__file__).with_name("storage_sdk")
"""What stands in for the library that ModelScope's client asks the storage with."""


class StandInHub:
    """Serves model and data set folders as the Hub does; to be used in a ``with`` block.

    Attributes:
        requests: Paths that were asked for, in order, without their queries.
        downloads: Files of models that were asked for, in order, with the bytes that were wanted
            (the header ``Range``).
    """

    def __init__(
        self,
        models: Mapping[str, Path],
        files: Mapping[str, Path] | None = None,
        datasets: Mapping[str, Path] | None = None,
    ) -> None:
        """Prepare a server on a free port of this machine.

        Args:
            models: Folder of each model id.
            files: Plain files by the path of their URL.
            datasets: Folder of each data set: ``NAME.json``, its tables and its archives.
        """
        self.requests: list[str] = []
        self.downloads: list[tuple[str, str | None]] = []
        self.models = dict(models)
        self.files = dict(files or {})
        self.datasets = dict(datasets or {})
        self.faults: dict[str, tuple[int, bool]] = {}
        self.stopped = Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, self))
        self._thread = Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """Address of the server, without a slash at its end."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def environment(self, cache: Path) -> dict[str, str]:
        """What makes ModelScope's client use this hub, with an empty cache of its own."""
        return {
            "MODELSCOPE_ENDPOINT": self.url,
            "MODELSCOPE_CACHE": str(cache),
            "PYTHONPATH": str(STORAGE_SDK),
            "HOME": str(cache),  # credentials are kept there
            "TMPDIR": str(cache),
            "OMP_NUM_THREADS": "1",
        }

    def run(self, *arguments: object, cache: Path, **settings: str) -> CompletedProcess[str]:
        """Run Python in a new process that uses this hub.

        Args:
            arguments: Those of the interpreter: ``-m``, ``msvsr`` and more, or ``-c`` and code.
            cache: Where ModelScope keeps what it downloads.
            settings: More of the environment.
        """
        return run(
            [sys.executable, *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
            env={**os.environ, **self.environment(cache), **settings},
        )

    def break_off(self, name: str, num_bytes: int, *, stall: bool = False) -> None:
        """Send no more than the beginning of a file, the next time that it is asked for.

        Args:
            name: The file's name in its repository.
            num_bytes: How much of it is sent.
            stall: Send nothing more, rather than close the connection.
        """
        self.faults[name] = (num_bytes, stall)

    def __enter__(self) -> "StandInHub":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stopped.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    """Answers the requests of one connection."""

    protocol_version = "HTTP/1.1"

    def __init__(self, hub: StandInHub, *connection: Any) -> None:  # noqa: ANN401
        self.hub = hub
        super().__init__(*connection)

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        path, query = unquote(url.path), parse_qs(url.query)
        self.hub.requests.append(path)
        if path in self.hub.files:
            self._send_file(self.hub.files[path])
            return
        for prefix, answer in (
            (METADATA, self._answer_metadata),
            (MODELS, self._answer_for_model),
            (DATASETS, self._answer_for_dataset),
            (STORAGE, self._answer_for_storage),
        ):
            if path.startswith(prefix):
                answer(path.removeprefix(prefix).rstrip("/").split("/"), query)
                return
        self._refuse()

    do_HEAD = do_GET  # noqa: N815

    def do_POST(self) -> None:
        """Downloads are counted."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._send_json({})

    def _answer_metadata(self, path: Sequence[str], _query: Mapping[str, list[str]]) -> None:
        model_id = "/".join(path)
        if model_id not in self.hub.models:
            self._refuse()
            return
        owner, name = path
        self._send_json({"id": model_id, "owner": owner, "name": name, "visibility": "public"})

    def _answer_for_model(self, path: Sequence[str], query: Mapping[str, list[str]]) -> None:
        owner, name, *rest = path
        folder = self.hub.models.get(f"{owner}/{name}")
        wanted = query.get("FilePath", [""])[0]
        if folder is None:
            self._refuse()
        elif rest == ["repo", "files"]:
            self._send_json({"Files": [_describe(file, folder) for file in _files(folder)]})
        elif rest == ["repo"] and folder / wanted in _files(folder):
            self.hub.downloads.append((wanted, self.headers.get("Range")))
            self._send_file(folder / wanted, self.hub.faults.pop(wanted, None))
        elif not rest:
            self._answer_metadata((owner, name), query)
        else:
            self._refuse()

    def _answer_for_dataset(self, path: Sequence[str], query: Mapping[str, list[str]]) -> None:
        names = list(self.hub.datasets)
        if path[0].isdecimal():  # some questions give the number instead of owner and name
            dataset, rest = names[int(path[0])], path[1:]
        else:
            dataset, rest = "/".join(path[:2]), path[2:]
        if dataset not in names:
            self._refuse()
            return
        folder = self.hub.datasets[dataset]
        wanted = query.get("FilePath", [""])[0]
        answers: dict[str, object] = {
            "": {"Id": names.index(dataset), "Type": NATIVE_FORMATION},
            "repo/tree": {"Files": [{"Path": file.name} for file in _files(folder)]},
            "oss/tree": [{"Key": file.name} for file in folder.glob("*.zip")],
            "ststoken": _storage_access(dataset),
        }
        if "/".join(rest) in answers:
            self._send_json(answers["/".join(rest)])
        elif "/".join(rest) == "repo" and folder / wanted in _files(folder):
            self._send_file(folder / wanted)
        else:
            self._refuse()

    def _answer_for_storage(self, path: Sequence[str], _query: Mapping[str, list[str]]) -> None:
        _bucket, owner, name, *rest = path
        archive = self.hub.datasets[f"{owner}/{name}"].joinpath(*rest)
        if archive.is_file():
            self._send_file(archive)
        else:
            self._refuse()

    def _send_json(self, data: object, status: int = 200) -> None:
        body = {"Code": status, "Data": data, "data": data, "Success": status == 200}
        self._send(json.dumps({**body, "success": status == 200}).encode(), status)

    def _send_file(self, path: Path, fault: tuple[int, bool] | None = None) -> None:
        content = path.read_bytes()
        span = self.headers.get("Range")
        if span is None:
            self._send(content, fault=fault)
            return
        first, _, last = span.removeprefix("bytes=").partition("-")
        part = content[int(first) : int(last) + 1 if last else None]
        position = f"bytes {first}-{int(first) + len(part) - 1}/{len(content)}"
        self._send(part, 206, {"Content-Range": position}, fault)

    def _refuse(self) -> None:
        self._send(json.dumps({"Code": 404, "Message": "not found"}).encode(), 404)

    def _send(
        self,
        body: bytes,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        fault: tuple[int, bool] | None = None,
    ) -> None:
        self.send_response(status)
        for name, value in {"Accept-Ranges": "bytes", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        num_bytes, stall = (len(body), False) if fault is None else fault
        self.wfile.write(body[:num_bytes])
        if stall:
            self.hub.stopped.wait()
        self.close_connection = self.close_connection or fault is not None

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _describe(file: Path, folder: Path) -> dict[str, object]:
    content = file.read_bytes()
    return {
        "Path": str(file.relative_to(folder)),
        "Name": file.name,
        "Type": "blob",
        "Size": len(content),
        "Sha256": hashlib.sha256(content).hexdigest(),
        "Revision": "master",
    }


def _storage_access(dataset: str) -> dict[str, str]:
    """Where the storage keeps the archives of a data set, and the keys to it."""
    place = {"Bucket": "datasets", "Region": "oss-nowhere", "Dir": dataset, "BackupDir": dataset}
    return {**place, "AccessId": "id", "AccessSecret": "secret", "SecurityToken": "token"}
