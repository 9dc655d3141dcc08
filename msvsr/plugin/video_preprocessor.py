"""From what a user hands to a pipeline of either task to a checked job."""

from typing import Any, ClassVar

from modelscope.preprocessors.base import Preprocessor

from msvsr.plugin.jobs import RunOptions, read_input
from msvsr.plugin.options import build_options, refuse_unknown
from msvsr.video import OutputOptions, SourceOptions

__all__ = ["SHARED_PARTS", "VideoPreprocessor"]

SHARED_PARTS: dict[str, type] = {
    "reading": SourceOptions,
    "writing": OutputOptions,
    "run": RunOptions,
}
"""The options of a job of either task: a user gives the fields of these dataclasses by name."""


class VideoPreprocessor(Preprocessor):  # type: ignore[misc]
    """Check one input and its options; the video itself is opened when the pipeline runs.

    Args:
        model_dir: Accepted from ModelScope, without effect.
        options: Options for every input, by the names of the fields of `parts`.

    Attributes:
        parts: The dataclasses that hold the options, by the part of the job that each is for.

    Raises:
        ConfigError: An option is unknown or has an impossible value.
    """

    parts: ClassVar[dict[str, type]] = SHARED_PARTS

    def __init__(self, model_dir: str | None = None, **options: Any) -> None:  # noqa: ANN401
        del model_dir
        super().__init__()
        self.options = options
        self._build({})

    def __call__(self, data: object, **options: Any) -> dict[str, Any]:  # noqa: ANN401
        """Make a job of an input.

        Args:
            data: A path, a URL, or a dictionary with ``video`` and options for this input, which
                win over all others.
            options: Options for this call, which win over those of the constructor.

        Returns:
            ``video``, a path or URL, and one dataclass for each of `parts`.

        Raises:
            InputError: The input is neither path, URL nor dictionary with ``video``.
            ConfigError: An option is unknown or has an impossible value.
        """
        video, own = read_input(data)
        return {"video": video, **self._build({**options, **own})}

    def _build(self, options: dict[str, Any]) -> dict[str, Any]:
        values = {**self.options, **options}
        refuse_unknown(values, *self.parts.values())
        return {part: build_options(cls, values) for part, cls in self.parts.items()}
