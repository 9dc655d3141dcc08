"""``msvsr merge``: a folder of images becomes a video."""

import argparse

from msvsr.cli import options
from msvsr.cli.console import print_report, progress_bar

__all__ = ["add_parser", "run"]

_DESCRIPTION = """
Make a video of a folder of images, in natural order (frame10 after frame9). The codecs
h264-lossless and ffv1 (.mkv) keep every value of 8-bit images, and ffv1 those of 16 bits.
"""


def add_parser(commands: "options.Commands[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "merge", help="make a video of a folder of images", description=_DESCRIPTION
    )
    parser.add_argument("input", metavar="DIR", help="folder of images")
    parser.add_argument("output", metavar="VIDEO", help="video file")
    parser.add_argument(
        "--audio", metavar="FILE", help="take the sound of this file, with pictures or without"
    )
    options.add_source_options(parser, "--fps")
    options.add_output_options(parser)
    options.add_report_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Do it."""
    reading = options.source_options(arguments)
    writing = options.output_options(arguments)

    from msvsr.app.frames import merge_frames

    with progress_bar("merging", visible=not (arguments.quiet or arguments.json)) as show:
        report = merge_frames(
            arguments.input,
            arguments.output,
            audio=arguments.audio,
            reading=reading,
            writing=writing,
            on_progress=show,
        )
    print_report(report, quiet=arguments.quiet, as_json=arguments.json)
    return 0
