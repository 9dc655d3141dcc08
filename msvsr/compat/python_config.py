"""Configuration files that are Python programs, read without running them.

The frameworks of the original project execute such a file. Here its syntax tree is looked at:
values that are written out are taken, whatever else stands in the file only matters when a value
that is asked for depends on it.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from msvsr.errors import ConfigError

__all__ = ["PythonConfig", "read_python_config"]

_MAX_BYTES = 1 << 20
_MAX_BASES = 20
_BASE, _DELETE = "_base_", "_delete_"
_REACH_EVERYTHING = frozenset({"*", "exec", "eval", "globals", "locals", "vars"})
_READ = "literals, dict(...), lists, tuples and names assigned before"


class _NotRead(Exception):  # noqa: N818 - it never leaves this module
    """Part of a file is no value that is written out."""


@dataclass(frozen=True)
class _Unknown:
    """The value of a name that cannot be known without running the file."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class PythonConfig:
    """What a configuration file assigns.

    Attributes:
        path: The file.
        missing_bases: Files that it builds on and that are not there.
    """

    path: Path
    missing_bases: tuple[Path, ...] = ()
    _values: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def get(self, name: str) -> Any:  # noqa: ANN401 - whatever was written there
        """The value of a name at the end of the file; ``None`` when there is none.

        Raises:
            ConfigError: It is not written out in the file.
        """
        value = self._values.get(name)
        if isinstance(value, _Unknown):
            raise ConfigError(
                f"{self.path}: '{name}' cannot be read without running the file, which msvsr does "
                f"not do ({value.reason}); write it out with {_READ}"
            )
        return value


def read_python_config(path: Path) -> PythonConfig:
    """Read a configuration file, and those that it names in ``_base_``.

    Args:
        path: The file.

    Raises:
        ConfigError: It cannot be read, or is no Python.
    """
    return _read(path, ())


def _read(path: Path, above: tuple[Path, ...]) -> PythonConfig:
    if len(above) > _MAX_BASES or path.resolve() in above:
        raise ConfigError(f"{path}: builds on itself through {_BASE}; take that line out")
    values = _names_of(_parse(path))
    missing: list[Path] = []
    merged: dict[str, Any] = {}
    for name in _bases(path, values.pop(_BASE, None)):
        base = path.parent / name
        if not base.is_file():
            missing.append(base)
            continue
        inner = _read(base, (*above, path.resolve()))
        missing += inner.missing_bases
        merged.update(inner._values)
    own = {name: _merge(merged.get(name), value) for name, value in values.items()}
    return PythonConfig(path=path, missing_bases=tuple(missing), _values={**merged, **own})


def _parse(path: Path) -> ast.Module:
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(
            f"cannot read the configuration {path} ({error.strerror}): give the path of a Python "
            "file such as configs/realbasicvsr_x4.py"
        ) from error
    if len(content) > _MAX_BYTES:
        raise ConfigError(f"{path} is larger than a configuration can be: give another file")
    try:
        return ast.parse(content)
    except SyntaxError as error:
        raise ConfigError(
            f"{path} is not Python, line {error.lineno or 1}: {error.msg}; give a configuration "
            "such as configs/realbasicvsr_x4.py"
        ) from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise ConfigError(f"{path} is not a configuration that can be read: {error}") from error


def _bases(path: Path, value: object) -> tuple[str, ...]:
    names = (value,) if isinstance(value, str) else value
    if names is None:
        return ()
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise ConfigError(f"{path}: {_BASE} must be a path, or a list of paths, written out")
    return tuple(names)


def _merge(base: Any, value: Any) -> Any:  # noqa: ANN401 - values of any kind
    """A value laid over that of a base: dictionaries key by key, anything else as a whole."""
    if not isinstance(value, dict):
        return value
    rest = {key: entry for key, entry in value.items() if key != _DELETE}
    if value.get(_DELETE) or base is None:
        return rest
    if isinstance(base, _Unknown):
        return base
    if not isinstance(base, dict):
        return rest
    return {**base, **{key: _merge(base.get(key), entry) for key, entry in rest.items()}}


def _names_of(module: ast.Module) -> dict[str, Any]:
    """The names that a file assigns, with their values as far as they are written out."""
    values: dict[str, Any] = {}
    for statement in module.body:
        targets = _plain_targets(statement)
        if targets is None:
            _forget(statement, values)
        else:
            for target, node in targets:
                _assign(target, node, values)
    return values


def _assign(target: str, node: ast.expr, values: dict[str, Any]) -> None:
    try:
        values[target] = _evaluate(node, values)
    except _NotRead as error:
        if any(isinstance(part, ast.Call | ast.NamedExpr) for part in ast.walk(node)):
            _forget(node, values)  # a call may change what it is given
        values[target] = _Unknown(str(error))
    except RecursionError:
        values[target] = _Unknown(f"line {node.lineno}: nested too deep")


def _forget(cause: ast.stmt | ast.expr, values: dict[str, Any]) -> None:
    """Make unknown what a piece of Python may change, and every value that holds such a one."""
    assigned, used = _names_in(cause)
    if (assigned | used) & _REACH_EVERYTHING:
        assigned |= set(values)
    mutable = {name for name in assigned | used if isinstance(values.get(name), dict | list)}
    changed = {id(values[name]) for name in mutable}
    holders = {name for name, value in values.items() if _holds(value, changed)}
    unknown = _Unknown(f"line {cause.lineno}: {_describe(cause)}")
    values.update(dict.fromkeys(assigned | holders, unknown))


def _holds(value: object, changed: set[int]) -> bool:
    """Whether one of several objects is a value or somewhere inside it."""
    if id(value) in changed:
        return True
    inner = value.values() if isinstance(value, dict) else value
    is_container = isinstance(value, dict | list | tuple)
    return is_container and any(_holds(item, changed) for item in inner)  # type: ignore[attr-defined]


def _plain_targets(statement: ast.stmt) -> list[tuple[str, ast.expr]] | None:
    """The names that a statement gives a value; ``None`` when it does something else."""
    if isinstance(statement, ast.Assign):
        names = [target.id for target in statement.targets if isinstance(target, ast.Name)]
        is_plain = len(names) == len(statement.targets)
        return [(name, statement.value) for name in names] if is_plain else None
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        return [(statement.target.id, statement.value)] if statement.value else []
    is_text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return [] if is_text or isinstance(statement, ast.Pass) else None


def _names_in(code: ast.stmt | ast.expr) -> tuple[set[str], set[str]]:
    """The names that a piece of Python gives another meaning, and those that it uses."""
    assigned: set[str] = set()
    used: set[str] = set()
    for node in ast.walk(code):
        if isinstance(node, ast.Name):
            (used if isinstance(node.ctx, ast.Load) else assigned).add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            assigned.add(node.name)
        elif isinstance(node, ast.alias):
            assigned.add((node.asname or node.name).split(".")[0])
    return assigned, used


def _evaluate(node: ast.expr, values: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any value
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return _look_up(node, values)
    if isinstance(node, ast.Dict):
        return _dictionary(list(zip(node.keys, node.values, strict=True)), values)
    if isinstance(node, ast.List):
        return [_evaluate(item, values) for item in node.elts]
    if isinstance(node, ast.Tuple):
        return tuple(_evaluate(item, values) for item in node.elts)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        return _signed(node, values)
    if _is_dict_call(node, values):
        keywords = [(_key_of(word), word.value) for word in node.keywords]  # type: ignore[attr-defined]
        return _dictionary(keywords, values)
    raise _NotRead(f"line {node.lineno}: {_describe(node)}")


def _look_up(node: ast.Name, values: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any value
    if node.id not in values:
        raise _NotRead(f"line {node.lineno}: {node.id} is not assigned before")
    value = values[node.id]
    if isinstance(value, _Unknown):
        raise _NotRead(value.reason)
    return value


def _is_dict_call(node: ast.expr, values: Mapping[str, Any]) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "dict"
        and "dict" not in values
        and not node.args
    )


def _key_of(word: ast.keyword) -> ast.expr | None:
    return None if word.arg is None else ast.Constant(word.arg)


def _dictionary(
    entries: list[tuple[ast.expr | None, ast.expr]], values: Mapping[str, Any]
) -> dict[Any, Any]:
    """A dictionary of keys and values; a key that is ``None`` stands for ``**``."""
    result: dict[Any, Any] = {}
    for key_node, node in entries:
        value = _evaluate(node, values)
        if key_node is None:
            if not isinstance(value, dict):
                raise _NotRead(f"line {node.lineno}: ** takes a dictionary")
            result.update(value)
            continue
        key = _evaluate(key_node, values)
        if isinstance(key, list | dict | tuple):
            raise _NotRead(f"line {node.lineno}: a key that is no text and no number")
        result[key] = value
    return result


def _signed(node: ast.UnaryOp, values: Mapping[str, Any]) -> int | float:
    value = _evaluate(node.operand, values)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _NotRead(f"line {node.lineno}: a sign before something that is no number")
    return -value if isinstance(node.op, ast.USub) else value


def _describe(node: ast.AST) -> str:
    """What a piece of Python is, in a word."""
    if isinstance(node, ast.Call):
        return f"a call of {ast.unparse(node.func)[:40]}"
    words = {
        ast.If: "a condition",
        ast.For: "a loop",
        ast.Import: "an import",
        ast.ImportFrom: "an import",
        ast.JoinedStr: "a formatted text",
        ast.BinOp: "a calculation",
        ast.AugAssign: "a calculation",
        ast.Subscript: "an element of something",
        ast.Attribute: "an attribute of something",
    }
    if isinstance(node, ast.Expr):
        return _describe(node.value)
    return words.get(type(node), f"Python's {type(node).__name__}")
