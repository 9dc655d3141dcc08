"""``msvsr demo``: see what the embedded models do, on a drawn clip or on a file."""

import argparse
from pathlib import Path

from msvsr.cli import console, options

__all__ = ["add_parser", "run"]


def add_parser(commands: "options.Commands[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "demo",
        help="upscale and interpolate a drawn clip, or the beginning of a file, and compare",
        description="Upscale a clip and set the result beside bicubic interpolation; then leave "
        "out every other frame, make it again, and set that beside a blend.",
    )
    parser.add_argument(
        "input", metavar="INPUT", nargs="?", help="video file or image folder (default: drawn)"
    )
    parser.add_argument(
        "--output-dir", type=Path, default=Path("demo"), metavar="FOLDER", help="default: demo"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Do it."""
    from msvsr.app.demo import run_demo, show_demo

    with console.progress_bar("upscaling", visible=True) as show_progress:
        result = run_demo(
            arguments.input,
            arguments.output_dir,
            on_step=lambda step: console.print_line(f"{step} ..."),
            on_progress=show_progress,
        )
    show_demo(result)
    return 0
