"""The files of a report."""

from pathlib import Path

from msvsr.evaluation.files import make_folder, write_json, write_text
from msvsr.evaluation.page import format_page
from msvsr.evaluation.report import EvaluationReport
from msvsr.evaluation.tables import format_markdown

__all__ = ["JSON_FILE", "MARKDOWN_FILE", "PAGE_FILE", "write_report"]

JSON_FILE = "report.json"
MARKDOWN_FILE = "report.md"
PAGE_FILE = "scores.html"


def write_report(report: EvaluationReport, work_dir: Path | None) -> None:
    """Write a report for programs, for readers, and for a browser.

    Args:
        report: The report.
        work_dir: The folder; without one nothing is written.

    Raises:
        InputError: The folder cannot be made.
    """
    if work_dir is None:
        return
    make_folder(work_dir)
    headline = report.headline()
    title = f"{report.method} on {report.data['name']}"
    write_text(work_dir / PAGE_FILE, format_page(title, headline, report.protocols))
    write_text(work_dir / MARKDOWN_FILE, format_markdown(headline, report.protocols))
    write_json(work_dir / JSON_FILE, report.to_json())
