"""Official models that are in ModelScope's cache need no network in ``pipeline()`` either."""

import sys
from collections.abc import Callable
from functools import wraps
from inspect import signature
from types import ModuleType
from typing import Any

from msvsr.plugin.names import HUB_IDS

__all__ = ["prefer_cached_models"]


def prefer_cached_models(builder: ModuleType) -> None:
    """Let ``pipeline()`` take the cached folder of an official id, instead of asking the Hub first.

    Args:
        builder: The module ``modelscope.pipelines.builder``. Whoever took the function out of it
            before keeps the one that asks.
    """
    pipeline: Callable[..., Any] = builder.pipeline
    if hasattr(pipeline, "__wrapped__"):
        return
    cached_first = _cached_first(pipeline)
    for module in (builder, sys.modules.get("modelscope.pipelines")):
        if getattr(module, "pipeline", None) is pipeline:
            vars(module)["pipeline"] = cached_first


def _cached_first(pipeline: Callable[..., Any]) -> Callable[..., Any]:
    parameters = signature(pipeline)

    @wraps(pipeline)
    def with_folder(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401  (ModelScope's own)
        call = parameters.bind(*arguments, **options)
        model, revision = map(call.arguments.get, ("model", "model_revision"))
        if isinstance(model, str) and model in HUB_IDS.values() and revision is None:
            from msvsr.plugin.hub import cached_folder

            folder = cached_folder(model)
            call.arguments["model"] = model if folder is None else str(folder)
        return pipeline(*call.args, **call.kwargs)

    return with_folder
