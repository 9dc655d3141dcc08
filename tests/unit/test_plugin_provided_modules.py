"""Modules that must be there to be imported, whether anybody has them or not."""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from msvsr.plugin import import_hook
from msvsr.plugin.import_hook import provide_module

NAME = "msvsr_test_provided"


@contextmanager
def signed(name: str) -> Iterator[None]:
    yield
    sys.modules[name].signature = "ours"  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Provide nothing after a test."""
    yield
    for name in [name for name in import_hook._FINDER.provided if name.startswith(NAME)]:
        del import_hook._FINDER.provided[name]
        sys.modules.pop(name, None)


def test_a_module_that_nobody_has_is_an_empty_one() -> None:
    provide_module(NAME, signed)
    module = importlib.import_module(NAME)
    assert module.signature == "ours"
    assert not [key for key in vars(module) if key != "signature" and not key.startswith("__")]


def test_it_can_hold_another_one() -> None:
    provide_module(NAME, signed)
    provide_module(f"{NAME}.inner", signed)
    assert importlib.import_module(f"{NAME}.inner").signature == "ours"
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module(f"{NAME}.other")


def test_a_module_that_exists_keeps_what_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / f"{NAME}.py").write_text("signature, other = 'theirs', 'theirs'\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    provide_module(NAME, signed)
    module = importlib.import_module(NAME)
    assert (module.signature, module.other) == ("ours", "theirs")


def test_it_is_provided_again_after_a_reload() -> None:
    provide_module(NAME, signed)
    module = importlib.import_module(NAME)
    module.signature = "changed"
    assert importlib.reload(module).signature == "ours"
    del sys.modules[NAME]
    assert importlib.import_module(NAME).signature == "ours"
