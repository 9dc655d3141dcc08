"""Python in processes of its own, one or several that work together."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

__all__ = ["one_core", "run_python", "run_together"]


def one_core() -> dict[str, str]:
    """The environment for a process that finds this checkout and leaves the other cores alone."""
    own = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    return {**os.environ, **own, "PYTHONPATH": str(Path(__file__).parents[2])}


def run_python(code: str, *arguments: object) -> Any:  # noqa: ANN401
    """What code that prints one line of JSON at its end says in a new interpreter."""
    run = _run(["-c", code, *arguments])
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout.splitlines()[-1])


def run_together(*arguments: object, count: int = 2) -> subprocess.CompletedProcess[str]:
    """Run a script, or ``-m`` and a module, in several processes as torchrun does.

    Args:
        arguments: The script and its arguments.
        count: How many processes; 1 leaves torchrun out.
    """
    together = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", count]
    return _run([*(together if count > 1 else []), *arguments])


def _run(arguments: list[Any]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env=one_core(),
    )
