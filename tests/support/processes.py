"""Python in a process of its own, for what depends on the order of imports."""

import json
import os
import subprocess
import sys
from typing import Any

__all__ = ["run_python"]


def run_python(code: str, *arguments: object) -> Any:  # noqa: ANN401
    """What code that prints one line of JSON at its end says in a new interpreter."""
    run = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout.splitlines()[-1])
