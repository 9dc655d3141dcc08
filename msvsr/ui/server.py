"""Serving the page: a socket on this machine, nothing from the internet, results by number."""

import contextlib
import os
import socket
import sys
import tempfile
import threading
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msvsr.errors import ConfigError, InputError
from msvsr.ui.desk import Desk
from msvsr.ui.files import AllowedFolders
from msvsr.ui.style import STYLE

__all__ = ["ServerOptions", "bind", "serve_page"]

_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "font-src 'self' data:",
        "worker-src 'self' blob:",
        "frame-ancestors 'self'",
    )
)
"""What browsers are told: whatever a page asks for, nothing comes from another place."""

_HEADERS = (
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)

_MAX_PORT = 65535
_LOCAL_NAMES = ("127.0.0.1", "localhost", "[::1]", "::1")
_GRACE_SECONDS = 1


@dataclass(frozen=True, kw_only=True)
class ServerOptions:
    """How the page is served.

    Attributes:
        host: Address to listen at; anything but 127.0.0.1 lets other machines in.
        port: Port to listen at; 0 takes a free one.
        allow: Folders that the page may read.
        results: Where results go.
        max_upload_mib: Most that one upload may bring, in MiB.
    """

    host: str = "127.0.0.1"
    port: int = 7860
    allow: Sequence[Path] = (Path(),)
    results: Path = Path("msvsr-results")
    max_upload_mib: int = 2048

    def __post_init__(self) -> None:
        if not 0 <= self.port <= _MAX_PORT:
            raise ConfigError(f"port must lie between 0 and {_MAX_PORT}, got {self.port}")
        if self.max_upload_mib < 1:
            raise ConfigError(f"max_upload_mib must be at least 1, got {self.max_upload_mib}")


def serve_page(options: ServerOptions, on_ready: Callable[[str], None] = lambda _: None) -> None:
    """Serve the page until somebody stops the program.

    Args:
        options: How.
        on_ready: Told the page's address once it can be opened.

    Raises:
        ConfigError: Gradio is not installed, the port is taken, or a folder does not exist.
    """
    folders = AllowedFolders(options.allow)
    with bind(options.host, options.port) as listener, _scratch() as scratch:
        app_of = _import_gradio()
        desk = Desk(
            folders, options.results.absolute(), scratch, max_upload_mib=options.max_upload_mib
        )
        threading.Thread(target=desk.start, daemon=True).start()
        try:
            _run(app_of(desk, options), listener, options, on_ready)
        finally:
            desk.close()


@contextlib.contextmanager
def bind(host: str, port: int) -> Iterator[socket.socket]:
    """Take a port.

    Raises:
        ConfigError: It is taken, or not ours to take.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        if os.name == "posix":  # elsewhere this would let two programs share it
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen()
        except OSError as error:
            raise ConfigError(
                f"the page cannot listen at {host}:{port} ({error.strerror or error}): "
                "give another --port or --host"
            ) from error
        yield listener


@contextlib.contextmanager
def _scratch() -> Iterator[Path]:
    """A folder for uploads and pictures that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="msvsr-ui-", ignore_cleanup_errors=True) as name:
        os.environ["GRADIO_TEMP_DIR"] = name
        yield Path(name)


def _import_gradio() -> Callable[[Desk, ServerOptions], Any]:
    """Import what serves the page, with everything off that would call home."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    try:
        import gradio  # noqa: F401
    except ImportError as error:
        raise ConfigError("the page needs Gradio 6 or later: pip install 'msvsr[ui]'") from error
    return _make_app


def _make_app(desk: Desk, options: ServerOptions) -> Any:  # noqa: ANN401
    import gradio as gr
    from fastapi import FastAPI

    from msvsr.ui.page import build_page, page_theme

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    _add_results(app, desk)
    gr.mount_gradio_app(
        app,
        build_page(desk),
        path="/",
        server_name=options.host,
        server_port=options.port,
        footer_links=[],
        run_history=False,
        show_error=True,
        max_file_size=f"{options.max_upload_mib}mb",
        ssr_mode=False,
        pwa=False,
        mcp_server=False,
        enable_monitoring=False,
        theme=page_theme(),
        css=STYLE,
    )
    _add_guards(app, options.host)
    return app


def _add_results(app: Any, desk: Desk) -> None:  # noqa: ANN401
    """Results by the number of their job: no path ever comes from outside."""
    from fastapi import BackgroundTasks, HTTPException
    from fastapi.responses import FileResponse

    def path_of(number: int) -> Path:
        try:
            path = desk.finished(number)[1].path
        except InputError as error:
            raise HTTPException(404, str(error)) from error
        if not path.exists():
            raise HTTPException(404, f"the result of job {number} has been moved or deleted")
        return path

    @app.get("/jobs/{number}/result")  # type: ignore[untyped-decorator]
    def play(number: int) -> FileResponse:
        path = path_of(number)
        if path.is_dir():
            raise HTTPException(404, "this result is a folder of images: download it")
        return FileResponse(path, content_disposition_type="inline", filename=path.name)

    @app.get("/jobs/{number}/download")  # type: ignore[untyped-decorator]
    def download(number: int) -> FileResponse:
        path = path_of(number)
        if path.is_file():
            return FileResponse(path, filename=path.name)
        images = sorted(path.iterdir())
        if len(images) == 1:
            return FileResponse(images[0], filename=path.name + images[0].suffix)
        packed, afterwards = _zip(path), BackgroundTasks()
        afterwards.add_task(packed.unlink)
        return FileResponse(packed, filename=f"{path.name}.zip", background=afterwards)


def _zip(folder: Path) -> Path:
    """A folder of images as one file; PNGs are compressed already."""
    descriptor, name = tempfile.mkstemp(suffix=".zip", dir=os.environ["GRADIO_TEMP_DIR"])
    with os.fdopen(descriptor, "wb") as file, zipfile.ZipFile(file, "w") as archive:
        for image in sorted(folder.iterdir()):
            archive.write(image, f"{folder.name}/{image.name}")
    return Path(name)


def _add_guards(app: Any, host: str) -> None:  # noqa: ANN401
    """Nothing comes from elsewhere, and nobody else's page may speak to this one."""
    from fastapi.middleware.trustedhost import TrustedHostMiddleware

    app.add_middleware(_Guard)
    if host in _LOCAL_NAMES:
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(_LOCAL_NAMES))


class _Guard:
    """Adds the policy to every answer, and refuses what would fetch an address."""

    def __init__(self, app: Any) -> None:  # noqa: ANN401
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401
        async def send_guarded(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *_HEADERS]
            await send(message)

        if scope["type"] == "http" and "file=http" in scope["path"]:  # Gradio would fetch it
            await send_guarded({"type": "http.response.start", "status": 403})
            await send_guarded({"type": "http.response.body", "body": b""})
            return
        await self._app(scope, receive, send_guarded)


def _run(
    app: Any,  # noqa: ANN401
    listener: socket.socket,
    options: ServerOptions,
    on_ready: Callable[[str], None],
) -> None:
    import uvicorn

    port = listener.getsockname()[1]
    host = f"[{options.host}]" if ":" in options.host else options.host

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                on_ready(f"http://{host}:{port}")

    config = uvicorn.Config(
        app, log_level="warning", timeout_graceful_shutdown=_GRACE_SECONDS, access_log=False
    )
    with contextlib.suppress(KeyboardInterrupt):
        Server(config).run(sockets=[listener])
    sys.stderr.flush()
