"""Run something around the import of a module that may come later, never, or not exist."""

import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:  # importing it takes as long as all of this package
    from importlib.abc import Loader

__all__ = ["Around", "provide_module", "wrap_import"]

Around = Callable[[str], AbstractContextManager[None]]
"""Gives the context in which the module of a name is executed."""


def wrap_import(name: str, around: Around) -> None:
    """Execute a module inside a context once it is imported.

    Args:
        name: Full name of the module; importing it must still lie ahead.
        around: Called with the name when the import happens.
    """
    _stand_first()
    _FINDER.awaited[name] = around


def provide_module(name: str, around: Around) -> None:
    """Make sure that a module can be imported, and execute it inside a context.

    Args:
        name: Full name of the module. Where nothing else provides it, it is an empty one.
        around: Called with the name when the import happens, each time.
    """
    _stand_first()
    _FINDER.provided[name] = around


def _stand_first() -> None:
    if _FINDER not in sys.meta_path:
        sys.meta_path.insert(0, _FINDER)


class _Finder:
    """Stands before the other finders and wraps what they find for the awaited names."""

    def __init__(self) -> None:
        self.awaited: dict[str, Around] = {}
        self.provided: dict[str, Around] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        around = self.awaited.get(fullname) or self.provided.get(fullname)
        if around is None:
            return None
        others = [finder for finder in sys.meta_path if finder is not self]
        specs = (finder.find_spec(fullname, path, target) for finder in others)
        spec = next((spec for spec in specs if spec is not None), None)
        if spec is None and fullname in self.provided:
            spec = ModuleSpec(fullname, cast("Loader", _EmptyLoader()), is_package=True)
        if spec is not None and spec.loader is not None:
            spec.loader = cast("Loader", _Loader(spec.loader, around))
        return spec


class _Loader:
    """Leaves the module to its own loader, inside the context."""

    def __init__(self, inner: "Loader", around: Around) -> None:
        self._inner = inner
        self._around = around

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._inner.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        if module.__spec__ is not None:  # tools that ask for the source need the real loader
            module.__spec__.loader = self._inner
        module.__loader__ = self._inner
        with self._around(module.__name__):
            self._inner.exec_module(module)
        _FINDER.awaited.pop(module.__name__, None)  # after a failed import, another may follow


class _EmptyLoader:
    """Makes a module with nothing in it."""

    def create_module(self, _spec: ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, _module: ModuleType) -> None:
        return None


_FINDER = _Finder()
