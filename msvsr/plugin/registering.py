"""The decorator that puts a class into a registry of ModelScope."""

from collections.abc import Callable
from typing import Any, TypeVar

from msvsr.plugin.activation import REGISTRIES

__all__ = ["register"]

_Class = TypeVar("_Class", bound=type)


def register(registry: Any, group: str, name: str) -> Callable[[_Class], _Class]:  # noqa: ANN401
    """Register a class, also where a built-in one was registered before.

    Args:
        registry: The registry of ModelScope.
        group: Task of the class, or field of a preprocessor.
        name: Name of the class in configurations.

    Returns:
        A decorator that gives the class back.
    """

    def decorate(cls: _Class) -> _Class:
        registry.register_module(group, module_name=name, module_cls=cls, force=True)
        REGISTRIES[(registry.name.upper(), group, name)] = registry
        return cls

    return decorate
