"""``msvsr crop-subimages``: cut training images into smaller ones."""

import argparse
import os
import sys
import time
from pathlib import Path

from msvsr.cli import options
from msvsr.cli.console import print_json, print_line, progress_bar
from msvsr.errors import ConfigError

__all__ = ["add_parser", "run"]

_INTERRUPTED = 130

_DESCRIPTION = """
Cut the images of a data set such as REDS into overlapping squares, so that training reads them
faster. INPUT holds a folder of images per clip. Clip 000 becomes the folders 000_s001, 000_s002 and
so on of OUTPUT, with a PNG per image. What is there already is not made again.
"""


def add_parser(commands: "options.Commands[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "crop-subimages", help="cut training images into smaller ones", description=_DESCRIPTION
    )
    parser.add_argument("input", metavar="INPUT", type=Path, help="folder of clip folders")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FOLDER", help="default: INPUT_sub, beside INPUT"
    )
    numbers = (
        ("--size", 480, "side of the squares in pixels"),
        ("--step", 240, "distance of neighbouring squares in pixels"),
        ("--threshold", 0, "a rest at the border wider than this becomes one more square"),
        ("--compression", 3, "of the PNG files, 0 (quick) to 9 (small)"),
        ("--workers", os.cpu_count() or 1, "processes"),
    )
    for name, default, text in numbers:
        parser.add_argument(
            name, type=int, default=default, metavar="N", help=f"{text} (default: {default})"
        )
    options.add_report_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Do it."""
    from dataclasses import asdict

    from msvsr.app.jobs import Progress
    from msvsr.data.subimages import SubimageConfig, cut_subimages

    if arguments.workers < 1:
        raise ConfigError(f"--workers must be at least 1, got {arguments.workers}")
    config = SubimageConfig(
        size=arguments.size,
        step=arguments.step,
        threshold=arguments.threshold,
        compression=arguments.compression,
    )
    source = arguments.input
    output = arguments.output or source.resolve().with_name(f"{source.resolve().name}_sub")
    is_visible, started = not (arguments.quiet or arguments.json), time.monotonic()
    done = total = 0
    with progress_bar("cutting", visible=is_visible) as show:

        def on_progress(num_done: int, num_images: int) -> None:
            nonlocal done, total
            done, total = num_done, num_images
            seconds = time.monotonic() - started
            show(Progress(frames_done=num_done, num_frames=num_images, seconds=seconds))

        try:
            report = cut_subimages(
                source, output, config, num_workers=arguments.workers, on_progress=on_progress
            )
        except KeyboardInterrupt:
            sys.stderr.write(
                f"\nmsvsr: interrupted after {done} of {total or '?'} images; "
                "the same command goes on from there\n"
            )
            return _INTERRUPTED
    if arguments.json:
        print_json(asdict(report))
    elif is_visible:
        there = f", {report.num_skipped} of them were there" if report.num_skipped else ""
        print_line(
            f"{report.output}: {report.num_images} images cut into {report.num_subimages} in "
            f"{report.num_clips} clips{there}, {time.monotonic() - started:.1f} s"
        )
    return 0
