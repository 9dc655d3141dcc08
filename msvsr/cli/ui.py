"""``msvsr ui``: a page in the browser."""

import argparse
import sys
from pathlib import Path

from msvsr.cli import options
from msvsr.cli.console import print_line

__all__ = ["add_parser", "run"]

_DESCRIPTION = """
Serve a web page on this machine: choose a video or upload one, see what it will cost, watch it
being made, compare before and after, play and download the result. Nothing is fetched from the
internet. Ctrl-C stops it.
"""


def add_parser(commands: "options.Commands[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = commands.add_parser("ui", help="open a page in the browser", description=_DESCRIPTION)
    parser.add_argument(
        "--allow",
        action="append",
        type=Path,
        metavar="DIR",
        help="a folder that the page may read; may be repeated (default: the working directory)",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("msvsr-results"),
        metavar="DIR",
        help="folder for results (default: msvsr-results)",
    )
    parser.add_argument("--port", type=int, default=7860, help="port (default: 7860; 0: any)")
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen at (default: 127.0.0.1; 0.0.0.0 lets anybody in the network use "
        "the page, without a password)",
    )
    parser.add_argument(
        "--max-upload",
        type=int,
        default=2048,
        metavar="MIB",
        help="most that one upload may bring (default: 2048)",
    )
    parser.add_argument("--open", action="store_true", help="open the browser as well")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Do it."""
    from msvsr.ui.server import ServerOptions, serve_page

    def tell(address: str) -> None:
        print_line(f"{address}  (Ctrl-C stops)")
        sys.stdout.flush()
        if arguments.open:
            import webbrowser

            webbrowser.open(address)

    serve_page(
        ServerOptions(
            host=arguments.host,
            port=arguments.port,
            allow=arguments.allow or [Path()],
            results=arguments.output,
            max_upload_mib=arguments.max_upload,
        ),
        on_ready=tell,
    )
    return 0
