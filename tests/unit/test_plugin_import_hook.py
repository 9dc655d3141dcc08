"""The import hook and what it does, with modules made for it."""

import importlib
import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from msvsr.plugin import activation
from msvsr.plugin.import_hook import wrap_import
from msvsr.plugin.names import REGISTRATIONS


@pytest.fixture
def module_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A module that can be imported and says what was there when it was executed."""
    name = "msvsr_test_hooked"
    (tmp_path / f"{name}.py").write_text("import sys\nseen = list(sys.hook_log)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "hook_log", [], raising=False)
    yield name
    sys.modules.pop(name, None)


@contextmanager
def logged(name: str) -> Iterator[None]:
    log: list[str] = sys.hook_log  # type: ignore[attr-defined]
    log.append(f"before {name}")
    yield
    log.append(f"after {name}")


def test_the_module_is_executed_inside_the_context(module_name: str) -> None:
    wrap_import(module_name, logged)
    module = importlib.import_module(module_name)
    assert module.seen == [f"before {module_name}"]
    assert sys.hook_log[1:] == [f"after {module_name}"]  # type: ignore[attr-defined]
    assert "seen" in inspect.getsource(module)


def test_looking_for_the_module_without_importing_it_changes_nothing(module_name: str) -> None:
    wrap_import(module_name, logged)
    assert importlib.util.find_spec(module_name) is not None
    assert sys.hook_log == []  # type: ignore[attr-defined]
    importlib.import_module(module_name)
    assert len(sys.hook_log) == 2  # type: ignore[attr-defined]


def test_the_context_comes_once(module_name: str) -> None:
    wrap_import(module_name, logged)
    importlib.reload(importlib.import_module(module_name))
    assert len(sys.hook_log) == 2  # type: ignore[attr-defined]


def test_a_module_that_does_not_exist_stays_missing() -> None:
    wrap_import("msvsr_test_missing", logged)
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("msvsr_test_missing")


def test_another_import_after_a_failed_one_is_wrapped_too(module_name: str, tmp_path: Path) -> None:
    source = tmp_path / f"{module_name}.py"
    good = source.read_text()
    source.write_text("raise OSError('not now')\n")
    wrap_import(module_name, logged)
    with pytest.raises(OSError, match="not now"):
        importlib.import_module(module_name)
    source.write_text(good + "# of another size, so that no cached bytecode fits\n")
    importlib.import_module(module_name)
    assert sys.hook_log[-1] == f"after {module_name}"  # type: ignore[attr-defined]


def test_every_registration_names_a_module_that_exists() -> None:
    for module in REGISTRATIONS.values():
        assert importlib.util.find_spec(module) is not None
        assert Path(activation._path_of(module)).is_file()


def test_the_index_gets_our_modules() -> None:
    index: dict[tuple[str, str, str], dict[str, object]] = {}
    lazy = SimpleNamespace(get_ast_index=lambda: {"index": index})
    host = ModuleType("host")
    host.LazyImportModule = lazy  # type: ignore[attr-defined]
    activation._write_index(host)
    assert {key: entry["module"] for key, entry in index.items()} == REGISTRATIONS


def test_a_host_that_changed_stays_usable() -> None:
    with pytest.warns(RuntimeWarning, match="the built-in classes stay in use"):
        activation._run(activation._write_index, ModuleType("host"))
