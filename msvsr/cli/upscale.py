"""``msvsr upscale``: four times the size."""

import argparse

from msvsr.cli import options
from msvsr.cli.console import print_report, progress_bar

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
    options.add_input(parser, default_output="INPUT_x4")
    options.add_model_options(parser, "--model")
    options.add_engine_options(parser)
    options.add_limit_options(parser)
    options.add_source_options(parser, "--fps")
    options.add_output_options(parser)
    options.add_report_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Do it."""
    engine = options.engine_options(arguments)
    reading = options.source_options(arguments)
    writing = options.output_options(arguments)
    model = options.load_upscaler(arguments, arguments.model)

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
    print_report(report, quiet=arguments.quiet, as_json=arguments.json)
    return 0
