"""``msvsr interpolate``: any frame rate."""

import argparse

from msvsr.cli import options
from msvsr.cli.console import print_report, progress_bar

__all__ = ["add_parser", "run"]

_DESCRIPTION = """
Give a video another frame rate by making the frames between its frames, with its sound and its
subtitles in step. INPUT is a video file, an http(s) address or a folder of images. An OUTPUT
without a video extension is a folder of PNGs.
"""


def add_parser(commands: "options.Commands[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "interpolate", help="give a video any frame rate", description=_DESCRIPTION
    )
    options.add_input(parser, default_output="INPUT_60fps, with the output's rate")
    options.add_timing_options(parser)
    options.add_model_options(parser, "--model")
    options.add_limit_options(parser)
    options.add_source_options(parser)
    options.add_output_options(parser, shows_constant_rate=False)
    options.add_report_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Do it."""
    timing = options.timing_options(arguments)
    reading = options.source_options(arguments)
    writing = options.output_options(arguments)
    model = options.load_interpolator(arguments, arguments.model)

    from msvsr.app.interpolate import interpolate_video

    with progress_bar("interpolating", visible=not (arguments.quiet or arguments.json)) as show:
        report = interpolate_video(
            arguments.input,
            arguments.output,
            model=model,
            timing=timing,
            reading=reading,
            writing=writing,
            on_progress=show,
        )
    print_report(report, quiet=arguments.quiet, as_json=arguments.json)
    return 0
