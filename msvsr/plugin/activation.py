"""Write our names into ModelScope: at once for what it has imported, else as soon as it is.

ModelScope finds a class by looking its signature up in an index and importing the module named
there. With our modules in that index under the official signatures, the built-in ones are never
imported, and ours only when they are used.
"""

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from msvsr.plugin.import_hook import provide_module, wrap_import
from msvsr.plugin.names import (
    DATASET_MODULES,
    DEFAULT_PIPELINES,
    PREPROCESSOR_OF_MODEL,
    REGISTRATIONS,
    Signature,
)

__all__ = ["REGISTRIES", "activate"]

REGISTRIES: dict[Signature, Any] = {}
"""The registries that hold our classes, by signature; filled when a class is registered."""


def activate() -> None:
    """Make ModelScope serve our classes. Costs next to nothing, and nothing when repeated."""
    for name, action in _ACTIONS.items():
        module = sys.modules.get(name)
        if module is not None:
            _run(action, module)
        elif name in DATASET_MODULES:
            provide_module(name, _run_afterwards)
        else:
            wrap_import(name, _run_afterwards)


def _write_index(import_utils: ModuleType) -> None:
    """Put our modules in the index, in the place of the built-in ones."""
    index = import_utils.LazyImportModule.get_ast_index()["index"]
    for signature, module in REGISTRATIONS.items():
        builtin = index.get(signature, {}).get("module")
        index[signature] = {"filepath": _path_of(module), "imports": [], "module": module}
        if builtin not in (None, module) and builtin not in sys.modules:
            wrap_import(builtin, _give_way)


def _write_default_models(metainfo: ModuleType) -> None:
    """Make the embedded models the default ones of their tasks."""
    from msvsr.models.catalog import default_model_folder

    for task, pipeline in DEFAULT_PIPELINES.items():
        metainfo.DEFAULT_MODEL_FOR_PIPELINE[task] = (pipeline, str(default_model_folder(task)))


def _write_preprocessors(base: ModuleType) -> None:
    """Name our preprocessors for the configurations that name none."""
    base.PREPROCESSOR_MAP.update(PREPROCESSOR_OF_MODEL)


def _put_datasets(module: ModuleType) -> None:
    """Put our data sets where the model cards import them from."""
    for name, home in DATASET_MODULES[module.__name__].items():
        setattr(module, name, getattr(import_module(home), name))


def _find_our_models_first(builder: ModuleType) -> None:
    """Keep ``build_trainer`` from asking the Hub about models of ours that are on this machine."""
    for name in ("is_official_hub_path", "is_model_from_trusted_source"):
        ask_hub = getattr(builder, name, None)  # older versions lack the second
        if ask_hub is not None and not hasattr(ask_hub, "__wrapped__"):
            vars(builder)[name] = _unless_here(ask_hub)


def _unless_here(ask_hub: Callable[..., bool]) -> Callable[..., bool]:
    @wraps(ask_hub)
    def ask(model: object, *arguments: Any, **options: Any) -> bool:  # noqa: ANN401
        from msvsr.plugin.our_models import needs_no_hub

        revision = options.get("revision", arguments[0] if arguments else None)
        return not needs_no_hub(model, revision) and ask_hub(model, *arguments, **options)

    return ask


def _take_cached_models_first(builder: ModuleType) -> None:
    """Keep ``pipeline()`` from asking the Hub about official models that are in the cache."""
    from msvsr.plugin.cached_first import prefer_cached_models

    prefer_cached_models(builder)


_ACTIONS: dict[str, Callable[[ModuleType], None]] = {
    "modelscope.utils.import_utils": _write_index,
    "modelscope.metainfo": _write_default_models,
    "modelscope.preprocessors.base": _write_preprocessors,
    "modelscope.trainers.builder": _find_our_models_first,
    "modelscope.pipelines.builder": _take_cached_models_first,
    **dict.fromkeys(DATASET_MODULES, _put_datasets),
}
"""What to do with each module of ModelScope once it is there."""


@contextmanager
def _run_afterwards(name: str) -> Iterator[None]:
    yield
    _run(_ACTIONS[name], sys.modules[name])


def _run(action: Callable[[ModuleType], None], module: ModuleType) -> None:
    try:
        action(module)
    except Exception as error:  # ModelScope itself must stay usable
        warnings.warn(
            f"msvsr could not register with this version of ModelScope ({module.__name__}: "
            f"{type(error).__name__}: {error}); the built-in classes stay in use",
            RuntimeWarning,
            stacklevel=2,
        )


@contextmanager
def _give_way(_name: str) -> Iterator[None]:
    """Let a built-in module register its classes, which it refuses while ours are there.

    Afterwards ours take their places again.
    """
    held = []
    for (_, group, name), registry in REGISTRIES.items():
        held.append((registry.modules[group], name, registry.modules[group].pop(name, None)))
    try:
        yield
    finally:
        for modules, name, ours in held:
            if ours is not None:
                modules[name] = ours


def _path_of(module: str) -> str:
    package = Path(__file__).resolve().parents[2]
    return str(package.joinpath(*module.split(".")).with_suffix(".py"))
