"""What the pipelines of both tasks share: models, devices, inputs, calls, and what comes out."""

import os
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, TypeGuard

from modelscope.outputs import OutputKeys
from modelscope.pipelines.base import Pipeline
from modelscope.preprocessors.builder import build_preprocessor
from modelscope.utils.config import ConfigDict
from modelscope.utils.logger import get_logger

from msvsr.app.jobs import VideoReport
from msvsr.errors import ConfigError, MsvsrError
from msvsr.models.config import read_configuration
from msvsr.plugin.hub import resolve_model
from msvsr.plugin.jobs import choose_pipeline_device, output_place
from msvsr.plugin.names import REGISTRATIONS, VISION_FIELD
from msvsr.plugin.video_model import VideoModel

__all__ = ["VideoPipeline"]

logger = get_logger()


class VideoPipeline(Pipeline):  # type: ignore[misc]
    """A job on videos, with their sound, in bounded memory.

    Options are the fields of the dataclasses that the preprocessor of the task names. They can be
    given here, per call, and per input in its dictionary; the more particular wins.

    Args:
        model: A model folder, the name of a shipped model, a model id of the Hub, or a model that
            ModelScope made of one.
        preprocessor: Another preprocessor than the registered one. The options given here are
            handed to it with those of the call.
        device: ``cpu``, ``cuda``, ``cuda:1``, ``gpu:1``, ``mps``, ``auto``; ``gpu``, the default,
            falls back to the CPU where there is no GPU.
        options: Options for every input.

    Attributes:
        task: ModelScope's name of the task.
        model_type: Name of the models that the pipeline runs.
        model_class: Their class.
        preprocessor_type: Name of the registered preprocessor.
        built_in: Module and class of ModelScope's own pipeline of that name.

    Raises:
        ConfigError: An option, the device or the configuration is wrong.
        CheckpointError: The weights are missing or belong to another network.
    """

    task: ClassVar[str]
    model_type: ClassVar[str]
    model_class: ClassVar[type[VideoModel]]
    preprocessor_type: ClassVar[str]
    built_in: ClassVar[tuple[str, str]]

    _input_has_warned = True  # ModelScope has no table of inputs for these tasks and warns about it

    def __init__(
        self,
        model: str | Path | VideoModel,
        preprocessor: Any = None,  # noqa: ANN401  (any callable of ModelScope's kind)
        device: str = "gpu",
        **options: Any,  # noqa: ANN401  (checked by the preprocessor)
    ) -> None:
        options.pop("trust_remote_code", None)  # some versions of ModelScope hand it on
        placed = choose_pipeline_device(device)
        if preprocessor is None:
            kind = {"type": self.preprocessor_type}
            preprocessor = build_preprocessor(ConfigDict(kind, **options), VISION_FIELD)
            options = {}
        is_named = isinstance(model, str | os.PathLike)
        super().__init__(
            model=str(resolve_model(model, self.task)) if is_named else model,
            preprocessor=preprocessor,
            device=str(placed) if placed.type == "cuda" else "cpu",
            auto_collate=False,
        )
        if not isinstance(self.model, self.model_class):
            raise ConfigError(
                f"{type(self).__name__} runs models of the type '{self.model_type}', "
                f"got {type(self.model).__name__}"
            )
        self.device = placed
        self._options = options
        self._prepared: Any = None
        self._prepared_state: object = None

    @classmethod
    def _instantiate(cls, **kwargs: Any) -> Pipeline:  # noqa: ANN401
        """Make the pipeline; ModelScope's own for the other models that share its name there."""
        if _is_served(kwargs.get("model")):
            return cls(**kwargs)
        module, name = cls.built_in
        return getattr(import_module(module), name)(**kwargs)

    def __call__(self, input: object, **options: Any) -> Any:  # noqa: ANN401
        """Process one video, or several.

        Args:
            input: A path, an http(s) URL, a folder of images, or a dictionary with ``video`` and
                options for this input. Several of them in a list, an `MsDataset` or any other
                iterable.
            options: Options for this call. ``batch_size`` is accepted and has no effect.

        Returns:
            ``{OutputKeys.OUTPUT_VIDEO: path}`` of an existing file (or folder of PNGs, where
            ``output_video`` asked for one); a list of them for a list, a generator for another
            iterable, which processes each video when it is asked for the result.

        Raises:
            InputError: The input is none of these.
            ConfigError: An option is unknown or has an impossible value.
            VideoError: A video cannot be read or its output cannot be written.
        """
        options.pop("batch_size", None)
        if not _holds_several(input):
            return super().__call__(input, **options)
        if options.get("output_video") is not None:
            raise ConfigError(
                "output_video names one output for several inputs: give each input as a dictionary "
                "with 'video' and its own 'output_video'"
            )
        results: Iterator[Any] = (self(one, **options) for one in input)
        return list(results) if isinstance(input, list | tuple) else results

    def _sanitize_parameters(
        self,
        **options: Any,  # noqa: ANN401
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        return {**self._options, **options}, {}, {}

    def forward(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Run one job.

        Args:
            inputs: What the preprocessor made.

        Returns:
            ``report``: what was done (`msvsr.app.jobs.VideoReport`).
        """
        run, writing = inputs["run"], inputs["writing"]
        model = self._prepare(run.dtype)
        # FFV1 has no place in an MP4 file.
        suffix = ".mkv" if writing.codec == "ffv1" else ".mp4"
        mark = f"_{self._mark(model)}{suffix}"
        with output_place(inputs["video"], run.output_video, mark=mark) as output:
            report = self._process(inputs, output, model)
        for warning in report.warnings:
            logger.warning(warning)
        return {"report": report}

    def postprocess(self, inputs: dict[str, Any]) -> dict[str, str]:
        """Name the output as ModelScope does."""
        return {OutputKeys.OUTPUT_VIDEO: str(inputs["report"].output)}

    @abstractmethod
    def _mark(self, model: Any) -> str:  # noqa: ANN401
        """What a new output has in its name after the name of its input."""

    @abstractmethod
    def _process(self, job: Mapping[str, Any], output: Path, model: Any) -> VideoReport:  # noqa: ANN401
        """Do the job with the model as the engine runs it."""

    def _prepare(self, dtype: str) -> Any:  # noqa: ANN401
        """The model as the engine runs it, made anew when the type or the weights changed."""
        values = self.model.state_dict(keep_vars=True).values()
        state = (dtype, [value._version for value in values])
        if self._prepared is None or self._prepared_state != state:
            self._prepared = self.model.prepare(device=self.device, dtype=dtype)
            self._prepared_state = state
        return self._prepared


def _holds_several(data: object) -> TypeGuard[Iterable[object]]:
    is_one = isinstance(data, str | bytes | os.PathLike | Mapping) or hasattr(data, "__array__")
    return isinstance(data, Iterable) and not is_one


def _is_served(model: object) -> bool:
    """Whether a model is one of ours; what cannot be told is, so that our errors explain it."""
    if isinstance(model, str | os.PathLike) and Path(model).is_dir():
        try:
            kind = (read_configuration(Path(model)).get("model") or {}).get("type")
        except MsvsrError:
            return True
        types = {name for registry, _, name in REGISTRATIONS if registry == "MODELS"}
        return kind is None or kind in types
    return model is None or isinstance(model, str | os.PathLike | VideoModel)
