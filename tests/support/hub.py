"""A stand-in for ModelScope's Hub on this machine: what its real client asks to fetch models."""

import hashlib
import json
from collections.abc import Mapping
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

__all__ = ["StandInHub"]

MODELS = "/api/v1/models/"
METADATA = "/openapi/v1/models/"


class StandInHub:
    """Serves model folders as the Hub does, and plain files; to be used in a ``with`` block.

    Attributes:
        requests: Paths that were asked for, in order, without their queries.
    """

    def __init__(self, models: Mapping[str, Path], files: Mapping[str, Path] | None = None) -> None:
        """Prepare a server on a free port of this machine.

        Args:
            models: Folder of each model id.
            files: Plain files by the path of their URL.
        """
        self.requests: list[str] = []
        self.models = dict(models)
        self.files = dict(files or {})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, self))
        self._thread = Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """Address of the server, without a slash at its end."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def environment(self, cache: Path) -> dict[str, str]:
        """What makes ModelScope's client use this hub, with an empty cache of its own."""
        return {"MODELSCOPE_ENDPOINT": self.url, "MODELSCOPE_CACHE": str(cache)}

    def __enter__(self) -> "StandInHub":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
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
        elif path.startswith(METADATA):
            self._send_metadata(path.removeprefix(METADATA))
        elif path.startswith(MODELS):
            self._answer_for_model(path.removeprefix(MODELS), query)
        else:
            self._refuse()

    do_HEAD = do_GET  # noqa: N815

    def _answer_for_model(self, path: str, query: Mapping[str, list[str]]) -> None:
        owner, name, *rest = path.split("/")
        folder = self.hub.models.get(f"{owner}/{name}")
        if folder is None:
            self._refuse()
        elif rest == ["repo", "files"]:
            self._send_json({"Files": [_describe(file, folder) for file in _files(folder)]})
        elif rest == ["repo"] and (folder / query["FilePath"][0]) in _files(folder):
            self._send_file(folder / query["FilePath"][0])
        elif not rest:
            self._send_metadata(f"{owner}/{name}")
        else:
            self._refuse()

    def _send_metadata(self, model_id: str) -> None:
        if model_id not in self.hub.models:
            self._refuse()
            return
        owner, name = model_id.split("/")
        self._send_json({"id": model_id, "owner": owner, "name": name, "visibility": "public"})

    def _send_json(self, data: object, status: int = 200) -> None:
        body = {"Code": status, "Data": data, "data": data, "Success": status == 200}
        self._send(json.dumps({**body, "success": status == 200}).encode(), status)

    def _send_file(self, path: Path) -> None:
        content = path.read_bytes()
        span = self.headers.get("Range")
        if span is None:
            self._send(content)
            return
        first, _, last = span.removeprefix("bytes=").partition("-")
        part = content[int(first) : int(last) + 1 if last else None]
        position = f"bytes {first}-{int(first) + len(part) - 1}/{len(content)}"
        self._send(part, 206, {"Content-Range": position})

    def _refuse(self) -> None:
        self._send(json.dumps({"Code": 404, "Message": "not found"}).encode(), 404)

    def _send(
        self, body: bytes, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        self.send_response(status)
        for name, value in {"Accept-Ranges": "bytes", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

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
