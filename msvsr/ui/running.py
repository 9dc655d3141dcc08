"""Running a request where nothing half made can be seen, and naming what came out."""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from msvsr.app.jobs import VideoReport, rate_mark
from msvsr.errors import VideoError
from msvsr.ui.files import free_name
from msvsr.ui.jobs import Outlet
from msvsr.ui.requests import JobRequest
from msvsr.ui.worker import RunOrder, Worker

__all__ = ["Finished", "Runner"]


@dataclass(frozen=True, kw_only=True)
class Finished:
    """What a job gave.

    Attributes:
        path: The video, or the folder of PNGs.
        report: How it went.
    """

    path: Path
    report: VideoReport


class Runner:
    """Runs requests in a worker and puts their results into a folder.

    Args:
        worker: Does the work.
        results: Where results go; it is made when the first one comes.
    """

    def __init__(self, worker: Worker, results: Path) -> None:
        self._worker = worker
        self.results = results

    def __call__(self, request: JobRequest, outlet: Outlet) -> Finished:
        """Do what a request asks for.

        Raises:
            JobCancelledError: It was cancelled; nothing is left of it.
            MsvsrError: It failed; nothing is left of it.
        """
        try:
            self.results.mkdir(parents=True, exist_ok=True)
            scratch = Path(tempfile.mkdtemp(prefix=".msvsr-", dir=self.results))
        except OSError as error:
            raise VideoError(
                f"{self.results}: nothing can be written there ({error.strerror}); start the page "
                "with another --output"
            ) from error
        try:
            unnamed = scratch / ("result.mp4" if request.output_kind == "video" else "result")
            report: VideoReport = self._worker.run(
                RunOrder(request=request, output=unnamed), outlet
            )
            path = free_name(self.results / _name(request, report))
            unnamed.rename(path)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        return Finished(path=path, report=report)


def _name(request: JobRequest, report: VideoReport) -> str:
    """The source's name with what was done to it."""
    parts = [request.source.name if request.source.is_dir() else request.source.stem]
    if request.task == "classic":
        parts.append("classic")
    if report.output_size != report.input_size:
        parts.append(f"x{report.output_size[0] / report.input_size[0]:g}")
    if request.interpolates:
        parts.append(rate_mark(report.output_frame_rate))
    return "_".join(parts) + (".mp4" if request.output_kind == "video" else "")
