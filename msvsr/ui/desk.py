"""What the page does when somebody asks for something, without a word of HTML or Gradio."""

import secrets
import threading
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from msvsr.errors import ConfigError, InputError
from msvsr.frame import VideoInfo
from msvsr.models.catalog import list_models
from msvsr.plugin.hub import cached_folder, model_id_of
from msvsr.ui.estimates import Estimate, Need, TrialOrder, estimate
from msvsr.ui.files import AllowedFolders, gather_uploads
from msvsr.ui.jobs import JobQueue, Outlet
from msvsr.ui.pictures import Look, write_pair
from msvsr.ui.requests import JobRequest, OutputKind, Task, read_rate
from msvsr.ui.running import Finished, Runner
from msvsr.ui.views import PageJob
from msvsr.ui.worker import Worker
from msvsr.video import probe

__all__ = ["Desk", "Settings"]

_MEBIBYTE = 2**20


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is filled in on the page, as it stands there.

    Attributes:
        task: What is to be done.
        rate: Output rate, such as ``60`` or ``2x``.
        steps: Steps of classical enhancement.
        output_kind: A video, or PNGs.
        crf: Quality of a video.
        image_rate: Frames per second of a folder of images.
        upscale_model: Folder, shipped name or Hub id; empty for the embedded model.
        interpolate_model: The same for interpolation.
        device: Name of the device.
        refine: Refinement threshold; empty for the model's own.
    """

    task: Task
    rate: str
    steps: str
    output_kind: OutputKind
    crf: float
    image_rate: float | None
    upscale_model: str
    interpolate_model: str
    device: str
    refine: str


class Desk:
    """Everything behind one page: the files it may read, the queue, the worker, the results.

    Args:
        folders: What may be read.
        results: Where results go.
        scratch: A folder for uploads and pictures, which somebody else deletes.
        max_upload_mib: Most that one upload may bring, in MiB.
    """

    def __init__(
        self, folders: AllowedFolders, results: Path, scratch: Path, *, max_upload_mib: int
    ) -> None:
        self.folders = folders
        self.max_upload_mib = max_upload_mib
        self._scratch = scratch
        self._worker = Worker()
        self._runner = Runner(self._worker, results)
        self._needs: dict[tuple[object, ...], Need] = {}
        self._trying = threading.Lock()
        self.queue: JobQueue[JobRequest, Finished] = JobQueue(self._runner)

    def start(self) -> None:
        """Start the worker now, so that the first job need not wait for it."""
        self._worker.start()

    def close(self) -> None:
        """Cancel every job and end the worker."""
        self.queue.close()
        self._worker.close()

    def take_uploads(self, files: list[str]) -> Path:
        """Make one source of what was uploaded.

        Raises:
            InputError: It is too large or of another kind.
        """
        folder = self._scratch / f"images-{secrets.token_hex(4)}"
        return gather_uploads(
            [Path(name) for name in files], folder, max_bytes=self.max_upload_mib * _MEBIBYTE
        )

    def request(self, source: Path | None, settings: Settings) -> JobRequest:
        """Make a request of what is filled in.

        Raises:
            InputError: There is no source, or a model folder is not allowed.
            ConfigError: A value is wrong.
        """
        if source is None:
            raise InputError("there is no video yet: upload one, or choose one on this machine")
        is_interpolating = settings.task in ("interpolate", "both")
        return JobRequest(
            source=source,
            task=settings.task,
            upscale_model=self._model(settings.upscale_model),
            interpolate_model=self._model(settings.interpolate_model),
            device=(settings.device or "").strip() or "auto",
            refine_threshold=_threshold(settings.refine),
            timing=read_rate(settings.rate or "") if is_interpolating else None,
            steps=(settings.steps or "").strip(),
            image_rate=_image_rate(settings.image_rate) if source.is_dir() else None,
            crf=round(settings.crf),
            output_kind=settings.output_kind,
        )

    def _model(self, text: str) -> str | None:
        name = (text or "").strip()
        if not name:
            return None
        shipped = {entry.name for entry in list_models()}
        if name in shipped or (not Path(name).is_dir() and model_id_of(name) is not None):
            return name
        return str(self.folders.resolve(name))

    def needs_download(self, request: JobRequest) -> bool:
        """Whether a model of a request is not on this machine yet."""
        models = [request.upscale_model if request.upscales else None]
        models.append(request.interpolate_model if request.interpolates else None)
        ids = [model_id_of(name) for name in models if name is not None]
        return any(model_id is not None and cached_folder(model_id) is None for model_id in ids)

    def needs_trial(self, request: JobRequest) -> bool:
        """Whether an estimate of a request takes a moment.

        Raises:
            VideoError: Its source cannot be read.
        """
        return _kind_of_work(request, self.probe(request.source)) not in self._needs

    def estimate(self, request: JobRequest) -> Estimate | None:
        """Say what a request needs, after a trial where none of its like was made yet.

        Returns:
            The estimate; ``None`` while a job runs, which a trial would have to wait for.

        Raises:
            MsvsrError: The request cannot be done.
        """
        info = self.probe(request.source)
        key = _kind_of_work(request, info)
        with self._trying:
            if key not in self._needs:
                if any(view.state == "running" for view in self.queue.views()):
                    return None
                self._needs[key] = self._worker.run(TrialOrder(request=request), Outlet())
        return estimate(request, info, self._needs[key])

    def probe(self, source: Path) -> VideoInfo:
        """What a source is.

        Raises:
            VideoError: It cannot be read.
        """
        return probe(source)

    def finished(self, number: int) -> tuple[PageJob, Finished]:
        """A job that is done, and what it gave.

        Raises:
            InputError: There is none.
        """
        view = self.queue.view(number)
        if view.result is None:
            raise InputError(f"job {number} has no result: choose one that is done")
        return view, view.result

    def siblings(self, number: int) -> list[PageJob]:
        """Other finished jobs on the same source, the newest first."""
        source = self.queue.view(number).request.source
        return [
            view
            for view in reversed(self.queue.views())
            if view.state == "done" and view.number != number and view.request.source == source
        ]

    def compare(self, number: int, other: int | None, share: float) -> tuple[Path, Path]:
        """Pictures of one moment: the source, or another job's result, and a job's result.

        Args:
            number: The job on the right.
            other: The job on the left; ``None`` is the source.
            share: The moment, from 0 to 1.

        Raises:
            MsvsrError: One of them cannot be read any more.
        """
        view, finished = self.finished(number)
        source = Look(path=view.request.source, image_rate=view.request.image_rate)
        left = source if other is None else _look_at(self.finished(other)[1])
        folder = self._scratch / f"pictures-{secrets.token_hex(4)}"
        folder.mkdir(parents=True)
        return write_pair(left, _look_at(finished), share, folder)


def _kind_of_work(request: JobRequest, info: VideoInfo) -> tuple[object, ...]:
    """What decides how long a pixel takes."""
    return (
        *(request.task, request.upscale_model, request.interpolate_model, request.device),
        *(request.refine_threshold, request.steps, request.output_rate(info) / info.frame_rate),
    )


def _look_at(finished: Finished) -> Look:
    return Look(path=finished.path, image_rate=finished.report.output_frame_rate)


def _threshold(text: str) -> float | None:
    stripped = str(text or "").strip()
    try:
        return float(stripped) if stripped else None
    except ValueError as error:
        raise ConfigError(
            f"'{text}' is no refinement threshold: expected grey levels from 0 to 255"
        ) from error


def _image_rate(value: float | None) -> Fraction | None:
    if value is None:
        return None
    if not 0 < value <= 1000:
        raise ConfigError(f"the images' frame rate must lie above 0 and up to 1000, got {value:g}")
    return Fraction(str(value))
