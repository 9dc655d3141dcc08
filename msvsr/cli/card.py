"""``msvsr card``: what a model is, in the words of its card."""

import argparse
import re

from msvsr.cli import options
from msvsr.cli.console import print_line

__all__ = ["add_parser", "run"]

_FRONT_MATTER = re.compile(r"\A---\s*\n.*?^---\s*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
"""What the Hub sorts models by, at the very top of a card."""

_CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""What a card of others could steer the terminal with."""


def add_parser(commands: "options.Commands[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "card",
        help="show the card of a model",
        description="Show the card of a model: what it is for, how it is used, and its licence. "
        "One that is neither shipped nor downloaded is fetched from the Hub, without the weights. "
        "Without a terminal, the text is printed as it was written.",
    )
    parser.add_argument(
        "model",
        metavar="ID_OR_FOLDER",
        help="a model folder, a name from 'msvsr models', or a Hub id",
    )
    parser.add_argument(
        "--raw", action="store_true", help="print the whole file as it is, its header included"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Do it."""
    from rich.console import Console
    from rich.markdown import Markdown

    from msvsr.plugin.hub import find_card

    card = find_card(arguments.model).read_text(encoding="utf-8")
    text = card if arguments.raw else _FRONT_MATTER.sub("", card).lstrip("\n")
    console = Console()
    if console.is_terminal and not arguments.raw:
        console.print(Markdown(_CONTROL_CHARACTERS.sub("", text), hyperlinks=False))
    else:
        print_line(text.rstrip("\n"))
    return 0
