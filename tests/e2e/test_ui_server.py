"""Serving the page: ports, addresses, other people's pages, and the process that does the work."""

import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from msvsr.cli import main
from msvsr.errors import MsvsrError, VideoError
from msvsr.ui.estimates import TrialOrder, estimate
from msvsr.ui.jobs import JobCancelledError, Outlet
from msvsr.ui.requests import JobRequest
from msvsr.ui.running import Runner
from msvsr.ui.worker import Worker
from msvsr.video import probe
from tests.support.browser import ServedPage, serve
from tests.support.clips import make_video


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    worker = Worker()
    yield worker
    worker.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedPage]:
    pytest.importorskip("gradio", reason="gradio is not installed")
    with serve(tmp_path_factory.mktemp("page")) as served:
        yield served


def status(served: ServedPage, path: str, host: str | None = None) -> int:
    request = urllib.request.Request(served.address + path)  # noqa: S310
    if host is not None:
        request.add_header("Host", host)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_a_port_that_is_taken_is_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert main(["ui", "--port", port, "--allow", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert f"127.0.0.1:{port}" in error
    assert "--port" in error


@pytest.mark.parametrize(
    "options", [["--port", "99999"], ["--allow", "/no/such/folder"], ["--max-upload", "0"]]
)
def test_wrong_options_are_one_line(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ui", *options]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_only_the_page_itself_and_results_are_served(served: ServedPage, tmp_path: Path) -> None:
    secret = served.media / "secret.txt"
    secret.write_text("secret")
    assert status(served, "/") == 200
    for path in (f"file={secret}", "file=/etc/passwd", f"file={tmp_path}", "file=http://localhost"):
        assert status(served, f"/gradio_api/{path}") == 403
    for path in ("/jobs/1/result", "/jobs/1/download"):
        assert status(served, path) == 404
    assert status(served, "/jobs/..%2f..%2fetc/result") in (404, 422)
    assert status(served, "/", host="evil.example") == 400


def test_only_this_machine_is_let_in(served: ServedPage) -> None:
    port = int(served.address.rsplit(":", 1)[1])
    addresses = {
        connection.laddr.ip
        for connection in psutil.Process(served.process.pid).net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
    }
    assert addresses == {"127.0.0.1"}


def test_ctrl_c_ends_the_page_its_worker_and_its_scratch(
    tmp_path: Path, served: ServedPage
) -> None:
    children = psutil.Process(served.process.pid).children(recursive=True)
    scratch = served.media.parent
    assert list(scratch.glob("msvsr-ui-*"))
    assert served.stop() == 0
    _, alive = psutil.wait_procs(children, timeout=5)
    assert alive == []
    assert not list(scratch.glob("msvsr-ui-*"))


def test_an_estimate_is_about_right(worker: Worker, tmp_path: Path) -> None:
    clip = make_video(tmp_path / "clip.mp4", 12, size=(96, 128))
    request = JobRequest(source=clip, device="cpu")
    need = worker.run(TrialOrder(request=request), Outlet())
    found = estimate(request, probe(clip), need)
    finished = Runner(worker, tmp_path / "results")(request, Outlet())
    assert found.output_size == finished.report.output_size == (384, 512)
    assert found.num_output_frames == finished.report.num_frames
    assert found.seconds is not None
    assert found.seconds / 5 < finished.report.seconds < found.seconds * 5  # other jobs run as well
    peak = psutil.Process(worker.process_id).memory_info().rss
    assert peak / 2 < found.memory_bytes < peak * 2


def test_a_cancelled_job_leaves_nothing_and_the_worker_comes_back(
    worker: Worker, tmp_path: Path
) -> None:
    clip = make_video(tmp_path / "clip.mp4", 60, size=(180, 320))
    short = make_video(tmp_path / "short.mp4", 3)
    runner, outlet = Runner(worker, tmp_path / "results"), Outlet()
    outlet.progress = lambda *_: began.set()  # type: ignore[method-assign]
    began, cancelled_at = threading.Event(), []

    def cancel() -> None:
        began.wait(60)
        cancelled_at.append(time.monotonic())
        outlet.cancelled.set()

    threading.Thread(target=cancel).start()
    with pytest.raises(JobCancelledError):
        runner(JobRequest(source=clip, device="cpu"), outlet)
    assert time.monotonic() - cancelled_at[0] < 2
    assert list((tmp_path / "results").iterdir()) == []
    assert runner(JobRequest(source=short, device="cpu"), Outlet()).path.name == "short_x4.mp4"


def test_a_worker_that_dies_is_one_line_and_comes_back(worker: Worker, tmp_path: Path) -> None:
    clip = make_video(tmp_path / "clip.mp4", 60, size=(180, 320))
    short = make_video(tmp_path / "short.mp4", 3)
    runner = Runner(worker, tmp_path / "results")

    def kill(*_: object) -> None:
        psutil.Process(worker.process_id).kill()

    with pytest.raises(MsvsrError, match="memory runs out") as caught:
        runner(JobRequest(source=clip, device="cpu"), Outlet(on_progress=kill))
    assert "\n" not in str(caught.value)
    assert list((tmp_path / "results").iterdir()) == []
    assert runner(JobRequest(source=short, device="cpu"), Outlet()).path.exists()


def test_results_never_replace_each_other(worker: Worker, tmp_path: Path) -> None:
    clip = make_video(tmp_path / "clip.mp4", 2)
    runner = Runner(worker, tmp_path / "results")
    request = JobRequest(source=clip, task="classic", steps="sharpen")
    assert [runner(request, Outlet()).path.name for _ in range(2)] == [
        "clip_classic.mp4",
        "clip_classic-2.mp4",
    ]


def test_a_folder_that_cannot_be_written_is_one_line(worker: Worker, tmp_path: Path) -> None:
    (tmp_path / "results").write_text("a file")
    clip = make_video(tmp_path / "clip.mp4", 2)
    with pytest.raises(VideoError, match="--output"):
        Runner(worker, tmp_path / "results")(JobRequest(source=clip), Outlet())
