"""Results of a script as files that name no path of the machine they were made on."""

import json
from collections.abc import Sequence
from pathlib import Path

from msvsr.evaluation import EvaluationReport

_ROOT = Path(__file__).resolve().parents[1]


def write_results(path: Path, table: str, reports: Sequence[EvaluationReport]) -> None:
    """Write ``PATH.md`` and ``PATH.json``."""
    content = json.dumps([report.to_json() for report in reports], indent=1) + "\n"
    for suffix, text in ((".md", table), (".json", content)):
        portable = text.replace(f"{_ROOT}/", "").replace(str(Path.home()), "~")
        path.with_suffix(suffix).write_text(portable, encoding="utf-8")
