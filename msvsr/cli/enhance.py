"""``msvsr enhance``: larger and smoother in one go."""

import argparse

from msvsr.cli import interpolate, options, upscale
from msvsr.cli.console import print_report, progress_bar
from msvsr.errors import ConfigError

__all__ = ["add_parser", "run"]

_DESCRIPTION = """
Make a video larger (--upscale), give it another frame rate (--ratio or --fps), or both in one pass
that writes once, with its sound and its subtitles in step. INPUT is a video file, an http(s)
address or a folder of images. An OUTPUT without a video extension is a folder of PNGs.
"""


def add_parser(commands: "options.Commands[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "enhance", help="upscale, interpolate, or both in one pass", description=_DESCRIPTION
    )
    options.add_input(parser, default_output="INPUT_x4_60fps, with the output's rate")
    group = parser.add_argument_group("work")
    group.add_argument("--upscale", action="store_true", help="make it four times as large")
    group.add_argument(
        "--order",
        default="auto",
        metavar="ORDER",
        help="auto, upscale-first or interpolate-first (default: auto)",
    )
    options.add_timing_options(parser, default_ratio="the rate stays")
    options.add_model_options(parser, "--upscale-model", "--interpolate-model")
    options.add_engine_options(parser)
    options.add_limit_options(parser)
    options.add_source_options(parser)
    options.add_output_options(parser)
    options.add_report_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Do what is asked."""
    is_rate_asked = arguments.ratio is not None or arguments.fps is not None
    if not is_rate_asked and (arguments.keep_rhythm or arguments.replace_duplicates):
        raise ConfigError("--keep-rhythm and --replace-duplicates need --ratio or --fps as well")
    if arguments.upscale and is_rate_asked:
        return _run_both(arguments)
    if arguments.upscale:
        arguments.model = arguments.upscale_model
        return upscale.run(arguments)
    if is_rate_asked:
        arguments.model = arguments.interpolate_model
        return interpolate.run(arguments)
    raise ConfigError("nothing to do: give --upscale, --ratio or --fps, or several of them")


def _run_both(arguments: argparse.Namespace) -> int:
    engine = options.engine_options(arguments)
    timing = options.timing_options(arguments)
    reading = options.source_options(arguments)
    writing = options.output_options(arguments)
    upscaler = options.load_upscaler(arguments, arguments.upscale_model)
    interpolator = options.load_interpolator(arguments, arguments.interpolate_model)

    from msvsr.app.enhance import enhance_video

    with progress_bar("enhancing", visible=not (arguments.quiet or arguments.json)) as show:
        report = enhance_video(
            arguments.input,
            arguments.output,
            upscaler=upscaler,
            interpolator=interpolator,
            engine=engine,
            timing=timing,
            order=arguments.order,
            reading=reading,
            writing=writing,
            on_progress=show,
        )
    print_report(report, quiet=arguments.quiet, as_json=arguments.json)
    return 0
