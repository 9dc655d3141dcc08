"""``msvsr upscale``: four times the size."""

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING

from msvsr.cli import options
from msvsr.cli.console import print_json, print_line, print_warnings, progress_bar

if TYPE_CHECKING:
    from msvsr.app.upscale import UpscaleReport

__all__ = ["add_parser", "run"]

_DESCRIPTION = """
Make a video four times as wide and high, clean and sharp, with its sound, its subtitles and its
timestamps. INPUT is a video file, an http(s) address or a folder of images. An OUTPUT without a
video extension is a folder of PNGs.
"""


def add_parser(commands: "options.Commands[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "upscale", help="make a video four times as wide and high", description=_DESCRIPTION
    )
    parser.add_argument("input", metavar="INPUT", help="video file, address or image folder")
    parser.add_argument(
        "-o", "--output", metavar="OUTPUT", help="video file or folder (default: INPUT_x4)"
    )
    options.add_model_options(parser)
    options.add_engine_options(parser)
    options.add_source_options(parser)
    options.add_output_options(parser)
    options.add_report_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Do it."""
    engine = options.engine_options(arguments)
    reading = options.source_options(arguments)
    writing = options.output_options(arguments)
    model = options.load_model(arguments)

    from msvsr.app.upscale import upscale_video

    with progress_bar("upscaling", visible=not (arguments.quiet or arguments.json)) as show:
        report = upscale_video(
            arguments.input,
            arguments.output,
            model=model,
            engine=engine,
            reading=reading,
            writing=writing,
            on_progress=show,
        )
    if arguments.json:
        print_json({**asdict(report), "frames_per_second": report.frames_per_second})
    elif not arguments.quiet:
        print_warnings(report.warnings)
        print_line(_summary(report))
    return 0


def _summary(report: "UpscaleReport") -> str:
    (height, width), (output_height, output_width) = report.input_size, report.output_size
    return (
        f"{report.output}: {report.num_frames} frames, {width}x{height} to "
        f"{output_width}x{output_height}, {report.seconds:.1f} s "
        f"({report.frames_per_second:.2f} frames/s)"
    )
