"""Read the command line, run a command, and turn what goes wrong into one line."""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from msvsr import __version__
from msvsr.cli import (
    card,
    classic,
    compare,
    crop_subimages,
    demo,
    download,
    enhance,
    evaluate,
    inference_realbasicvsr,
    info,
    interpolate,
    merge,
    models,
    split,
    train,
    ui,
    upscale,
)
from msvsr.errors import ConfigError, MsvsrError

__all__ = ["main"]

DONE, FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130

_COMMANDS = (
    upscale,
    interpolate,
    enhance,
    ui,
    classic,
    compare,
    split,
    merge,
    info,
    models,
    download,
    card,
    evaluate,
    train,
    crop_subimages,
    inference_realbasicvsr,
    demo,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: Arguments without the program's name; those of the process by default.

    Returns:
        0 when done, 1 after a failure, which is told in one line on stderr, 2 after wrong usage,
        130 after Ctrl-C.
    """
    parser = _build_parser()
    try:
        arguments = parser.parse_args(argv)
    except SystemExit as stop:  # argparse has printed its line, or the help
        return int(stop.code or DONE)
    try:
        return int(arguments.run(arguments))
    except ConfigError as error:
        return _fail(error, WRONG_USAGE)
    except MsvsrError as error:
        return _fail(error, FAILED)
    except KeyboardInterrupt:
        sys.stderr.write("\nmsvsr: interrupted; nothing was left behind\n")
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output, `head` say, has gone
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115
        return FAILED
    except MemoryError:
        return _fail("out of memory: give a smaller --memory or --tile, or close programs", FAILED)
    except Exception as error:
        if os.environ.get("MSVSR_DEBUG"):
            raise
        name = type(error).__name__
        return _fail(f"unexpected {name}: {error} (MSVSR_DEBUG=1 shows where)", FAILED)


def _build_parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="msvsr",
        description="Enhance real-world video: small, noisy and compressed clips become large "
        "and clean, and get any frame rate.",
        epilog="'msvsr COMMAND --help' explains a command.",
    )
    parser.add_argument("--version", action="version", version=f"msvsr {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in _COMMANDS:
        command.add_parser(commands)
    return parser


class _Parser(argparse.ArgumentParser):
    """Answers wrong usage with one line instead of the whole synopsis."""

    def error(self, message: str) -> NoReturn:
        self.exit(WRONG_USAGE, f"{self.prog}: error: {message}; '{self.prog} --help' explains\n")


def _fail(error: object, status: int) -> int:
    line = " ".join(str(error).split())
    sys.stderr.write(f"msvsr: error: {line}\n")
    return status
