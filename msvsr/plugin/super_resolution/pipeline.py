"""Video super-resolution as a pipeline of ModelScope."""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeGuard

from modelscope.outputs import OutputKeys
from modelscope.pipelines.base import Pipeline
from modelscope.pipelines.builder import PIPELINES
from modelscope.preprocessors.builder import build_preprocessor
from modelscope.utils.config import ConfigDict
from modelscope.utils.logger import get_logger

from msvsr.app.upscale import upscale_video
from msvsr.errors import ConfigError, MsvsrError
from msvsr.models.config import read_configuration
from msvsr.models.realbasicvsr import RealBasicVSR
from msvsr.plugin.hub import resolve_model
from msvsr.plugin.jobs import choose_pipeline_device, output_place
from msvsr.plugin.names import (
    SUPER_RESOLUTION_MODEL,
    SUPER_RESOLUTION_PIPELINE,
    SUPER_RESOLUTION_PREPROCESSOR,
    SUPER_RESOLUTION_TASK,
    VISION_FIELD,
)
from msvsr.plugin.registering import register
from msvsr.plugin.super_resolution.model import RealBasicVSRForVideoSuperResolution

__all__ = ["VideoSuperResolutionPipeline"]

logger = get_logger()


@register(PIPELINES, SUPER_RESOLUTION_TASK, SUPER_RESOLUTION_PIPELINE)
class VideoSuperResolutionPipeline(Pipeline):  # type: ignore[misc]
    """Upscale videos by 4, with their sound and timestamps, in bounded memory.

    Options are the fields of `msvsr.engine.options.EngineOptions`, `msvsr.video.SourceOptions`,
    `msvsr.video.OutputOptions` and `msvsr.plugin.jobs.RunOptions`. They can be given here, per
    call, and per input in its dictionary; the more particular wins.

    Args:
        model: A model folder, the name of a shipped model, a model id of the Hub, or a
            `RealBasicVSRForVideoSuperResolution`.
        preprocessor: Another preprocessor than the registered one. The options given here are
            handed to it with those of the call.
        device: ``cpu``, ``cuda``, ``cuda:1``, ``gpu:1``, ``mps``, ``auto``; ``gpu``, the default,
            falls back to the CPU where there is no GPU.
        options: Options for every input.

    Raises:
        ConfigError: An option, the device or the configuration is wrong.
        CheckpointError: The weights are missing or belong to another network.
    """

    _input_has_warned = True  # ModelScope has no table of inputs for this task and warns about it

    def __init__(
        self,
        model: str | Path | RealBasicVSRForVideoSuperResolution,
        preprocessor: Any = None,  # noqa: ANN401  (any callable of ModelScope's kind)
        device: str = "gpu",
        **options: Any,  # noqa: ANN401  (checked by the preprocessor)
    ) -> None:
        options.pop("trust_remote_code", None)  # some versions of ModelScope hand it on
        placed = choose_pipeline_device(device)
        if preprocessor is None:
            kind = {"type": SUPER_RESOLUTION_PREPROCESSOR}
            preprocessor = build_preprocessor(ConfigDict(kind, **options), VISION_FIELD)
            options = {}
        super().__init__(
            model=str(resolve_model(model)) if isinstance(model, str | os.PathLike) else model,
            preprocessor=preprocessor,
            device=str(placed) if placed.type == "cuda" else "cpu",
            auto_collate=False,
        )
        if not isinstance(self.model, RealBasicVSRForVideoSuperResolution):
            raise ConfigError(
                f"{type(self).__name__} runs models of the type '{SUPER_RESOLUTION_MODEL}', "
                f"got {type(self.model).__name__}"
            )
        self.device = placed
        self._options = options
        self._upscaler: RealBasicVSR | None = None
        self._upscaler_state: object = None

    @classmethod
    def _instantiate(cls, **kwargs: Any) -> Pipeline:  # noqa: ANN401
        """Make the pipeline; ModelScope's own for the other models that share its name there."""
        if _is_served(kwargs.get("model")):
            return cls(**kwargs)
        from modelscope.pipelines.cv.video_super_resolution_pipeline import (
            VideoSuperResolutionPipeline as BuiltInPipeline,
        )

        return BuiltInPipeline(**kwargs)

    def __call__(self, input: object, **options: Any) -> Any:  # noqa: ANN401
        """Upscale one video, or several.

        Args:
            input: A path, an http(s) URL, a folder of images, or a dictionary with ``video`` and
                options for this input. Several of them in a list, an `MsDataset` or any other
                iterable.
            options: Options for this call. ``batch_size`` is accepted and has no effect.

        Returns:
            ``{OutputKeys.OUTPUT_VIDEO: path}`` of an existing file (or folder of PNGs, where
            ``output_video`` asked for one); a list of them for a list, a generator for another
            iterable, which upscales each video when it is asked for the result.

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
            ``report``: what was done (`msvsr.app.upscale.UpscaleReport`).
        """
        run, writing = inputs["run"], inputs["writing"]
        upscaler = self._prepare_upscaler(run.dtype)
        # FFV1 has no place in an MP4 file.
        suffix = ".mkv" if writing.codec == "ffv1" else ".mp4"
        mark = f"_x{upscaler.scale}{suffix}"
        with output_place(inputs["video"], run.output_video, mark=mark) as output:
            report = upscale_video(
                inputs["video"],
                output,
                model=upscaler,
                engine=inputs["engine"],
                reading=inputs["reading"],
                writing=writing,
                on_progress=run.on_progress or (lambda _: None),
            )
        for warning in report.warnings:
            logger.warning(warning)
        return {"report": report}

    def postprocess(self, inputs: dict[str, Any]) -> dict[str, str]:
        """Name the output as ModelScope does."""
        return {OutputKeys.OUTPUT_VIDEO: str(inputs["report"].output)}

    def _prepare_upscaler(self, dtype: str) -> RealBasicVSR:
        """The model as the engine runs it, made anew when the type or the weights changed."""
        state = (dtype, [parameter._version for parameter in self.model.parameters()])
        if self._upscaler is None or self._upscaler_state != state:
            self._upscaler = self.model.upscaler(device=self.device, dtype=dtype)
            self._upscaler_state = state
        return self._upscaler


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
        return kind in (None, SUPER_RESOLUTION_MODEL)
    return model is None or isinstance(
        model, str | os.PathLike | RealBasicVSRForVideoSuperResolution
    )
