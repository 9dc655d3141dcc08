"""``msvsr download``: have a model on this machine."""

import argparse
import sys

from msvsr.cli import options
from msvsr.cli.console import print_json, print_line

__all__ = ["add_parser", "run"]

_INTERRUPTED = 130  # as for every command, see `msvsr.cli.main`

_DESCRIPTION = """
Download a model from the ModelScope Hub with ModelScope's own client, and print its folder. Files
that are there are not fetched again, and one that was interrupted goes on where it stopped. Later
commands use the folder without a network.
"""


def add_parser(commands: "options.Commands[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "download", help="download a model from the Hub", description=_DESCRIPTION
    )
    parser.add_argument("model", metavar="ID", help="a Hub id, or a name from 'msvsr models'")
    parser.add_argument("--revision", help="branch, tag or commit (default: the Hub's own)")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Do it."""
    from msvsr.plugin.hub import download_model, model_id_of

    try:
        folder = download_model(arguments.model, arguments.revision)
    except KeyboardInterrupt:
        sys.stderr.write("\nmsvsr: interrupted; the same command goes on where it stopped\n")
        return _INTERRUPTED
    if arguments.json:
        model_id = model_id_of(arguments.model)
        print_json({"model": arguments.model, "hub_id": model_id, "folder": folder})
    else:
        print_line(str(folder))
    return 0
