"""``msvsr models``: which models there are, and where."""

import argparse
from dataclasses import asdict

from msvsr.cli import options
from msvsr.cli.console import print_json, print_line

__all__ = ["add_parser", "run"]


def add_parser(commands: "options.Commands[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "models",
        help="list models and where they are",
        description="List the models that ship with msvsr and those found in ModelScope's cache.",
    )
    parser.add_argument("--json", action="store_true", help="print the list as JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Do it."""
    from msvsr.models.catalog import DEFAULT_MODELS, list_models

    entries = list_models()
    if arguments.json:
        print_json([asdict(entry) for entry in entries])
        return 0
    for entry in entries:
        notes = ["default"] if DEFAULT_MODELS.get(entry.task) == entry.name else []
        notes += [] if entry.has_weights else ["weights not included"]
        suffix = f" ({', '.join(notes)})" if notes else ""
        print_line(f"{entry.name}{suffix}\n  {entry.task}\n  {entry.folder}")
    return 0
