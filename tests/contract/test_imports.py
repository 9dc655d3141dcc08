"""Who imports whom, what an import costs, and what the package promises to export."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGE = REPOSITORY / "msvsr"

# Runs in a process of its own: it imports everything, with the warnings of third parties.
SURVEY = """
import importlib, inspect, json, sys
report = {}
for name in sys.argv[1:]:
    try:
        module = importlib.import_module(name)
    except BaseException as error:
        report[name] = {"error": f"{type(error).__name__}: {error}"}
        continue
    exported = list(getattr(module, "__all__", []))
    values = {export: getattr(module, export, None) for export in exported}
    own = [key for key in vars(module) if not key.startswith("_")]
    own = [key for key in own if not inspect.ismodule(getattr(module, key))]
    report[name] = {
        "has_all": hasattr(module, "__all__") or not own,
        "missing": [export for export in exported if not hasattr(module, export)],
        "documented": bool(inspect.getdoc(module)),
        "undocumented": [
            export
            for export, value in values.items()
            if (inspect.isclass(value) or inspect.isfunction(value))
            and value.__module__.startswith("msvsr")
            and not value.__doc__
        ],
    }
json.dump(report, sys.stdout)
"""


def fresh_python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run code in a new interpreter."""
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def module_name(path: Path) -> str:
    parts = path.relative_to(REPOSITORY).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = sorted(
    module_name(path) for path in PACKAGE.rglob("*.py") if not path.stem.startswith("__main__")
)


@pytest.fixture(scope="module")
def survey() -> dict[str, dict[str, Any]]:
    """What a fresh process says of each module."""
    run = fresh_python(SURVEY, *MODULES)
    assert run.returncode == 0, run.stderr
    report: dict[str, dict[str, Any]] = json.loads(run.stdout.splitlines()[-1])
    return report


@pytest.mark.parametrize("name", MODULES)
def test_module_imports_and_keeps_its_promises(
    name: str, survey: dict[str, dict[str, Any]]
) -> None:
    facts = survey[name]
    assert "error" not in facts, f"import {name} failed: {facts.get('error')}"
    assert facts["documented"], f"{name} has no docstring"
    is_private = any(part.startswith("_") for part in name.split("."))
    assert facts["has_all"] or is_private, f"{name} does not say what is public: add __all__"
    assert not facts["missing"], f"{name}.__all__ names what does not exist"
    assert not facts["undocumented"], f"public names of {name} without a docstring"


def test_import_contracts_hold() -> None:
    run = fresh_python("from importlinter.cli import lint_imports_command as run; run()")
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("heavy", ["torch", "modelscope", "numpy", "cv2", "av"])
def test_importing_the_package_is_light(heavy: str) -> None:
    run = fresh_python(f"import sys, msvsr; sys.exit({heavy!r} in sys.modules)")
    assert run.returncode == 0, run.stderr or f"import msvsr loads {heavy}"


def test_every_folder_of_code_is_a_package() -> None:
    """A folder without ``__init__.py`` works from a checkout and is missing from the wheel."""
    folders = {path.parent for path in PACKAGE.rglob("*.py")}
    assert not [folder for folder in folders if not (folder / "__init__.py").exists()]
