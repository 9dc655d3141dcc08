"""``msvsr models``: which models there are, and where."""

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

from msvsr.cli import options
from msvsr.cli.console import print_json, print_line

__all__ = ["add_parser", "run"]


def add_parser(commands: "options.Commands[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "models",
        help="list models and where they are",
        description="List the models that '--model' knows by name, and where their weights are.",
    )
    parser.add_argument("--json", action="store_true", help="print the list as JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Do it."""
    models = _list()
    if arguments.json:
        print_json(models)
        return 0
    for model in models:
        default = " (default)" if model["is_default"] else ""
        print_line(f"{model['name']}{default}\n  {model['task']}\n  {_where(model)}")
    return 0


def _list() -> list[dict[str, Any]]:
    """The shipped model folders, with the Hub's id and cached folder of those without weights."""
    from msvsr.models.catalog import DEFAULT_MODELS, list_models
    from msvsr.plugin.hub import cached_models
    from msvsr.plugin.names import HUB_IDS

    cached: dict[str, Path] = {}
    entries = list_models()
    if not all(entry.has_weights for entry in entries):
        cached = cached_models()
    return [
        {
            **asdict(entry),
            "is_default": DEFAULT_MODELS.get(entry.task) == entry.name,
            "hub_id": HUB_IDS.get(entry.name),
            "cached_folder": cached.get(HUB_IDS.get(entry.name, "")),
        }
        for entry in entries
    ]


def _where(model: dict[str, Any]) -> str:
    if model["has_weights"]:
        return str(model["folder"])
    if model["cached_folder"]:
        return str(model["cached_folder"])
    if model["hub_id"] is None:
        return f"{model['folder']} (its weights are missing)"
    return f"downloaded when first used, as {model['hub_id']}"
