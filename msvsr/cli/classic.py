"""``msvsr classic``: filters without learning."""

import argparse
import textwrap
from typing import TYPE_CHECKING, NoReturn

from msvsr.cli import options
from msvsr.cli.console import print_line, print_report, progress_bar

if TYPE_CHECKING:
    from msvsr.classical import StepDescription

__all__ = ["add_parser", "run"]

_DESCRIPTION = """
Run filters over a video frame by frame, with its sound, its subtitles and its timestamps: for
comparison with the network, and for machines that cannot run it. INPUT is a video file, an http(s)
address, a folder of images or an image. An OUTPUT without a video extension is a folder of PNGs; an
image may become an image.
"""

_LIST_HEADER = """\
Steps stand in any order, with commas between them and their parameters behind them:
  msvsr classic my.mp4 --steps sharpen,denoise,upscale
  msvsr classic my.mp4 --steps unsharp:amount=0.8:radius=2,median:size=3,lanczos:factor=2
"""

_WIDTH = 96


class _ListSteps(argparse.Action):
    """Explains the steps and ends the program, as ``--help`` does."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from msvsr.classical import describe_steps

        print_line(_LIST_HEADER)
        for step in describe_steps():
            print_line("\n".join(_lines(step)))
        parser.exit()


def add_parser(commands: "options.Commands[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "classic", help="sharpen, denoise or scale without a network", description=_DESCRIPTION
    )
    options.add_input(parser, default_output="INPUT_classic")
    group = parser.add_argument_group("work")
    group.add_argument(
        "--steps",
        required=True,
        metavar="STEP,...",
        help="what to do, in order, such as sharpen,denoise,upscale or median:size=5,lanczos",
    )
    group.add_argument(
        "--list", action=_ListSteps, nargs=0, help="explain all steps and their parameters, and end"
    )
    options.add_source_options(parser, "--fps")
    options.add_output_options(parser)
    options.add_report_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Do it."""
    from msvsr.app.classic import classic_video
    from msvsr.classical import parse_steps

    steps = parse_steps(arguments.steps)
    reading = options.source_options(arguments)
    writing = options.output_options(arguments)
    with progress_bar("filtering", visible=not (arguments.quiet or arguments.json)) as show:
        report = classic_video(
            arguments.input,
            arguments.output,
            steps=steps,
            reading=reading,
            writing=writing,
            on_progress=show,
        )
    print_report(report, quiet=arguments.quiet, as_json=arguments.json)
    return 0


def _lines(step: "StepDescription") -> list[str]:
    """What ``--list`` says of a step."""
    lines = [", ".join((step.name, *step.aliases)), *_wrap(step.explanation, 2, 2)]
    for parameter in step.parameters:
        text = f"{parameter.name}={parameter.default}  {parameter.explanation} ({parameter})"
        lines += _wrap(text, 4, 6)
    for name, preset in step.presets.items():
        settings = "".join(f":{key}={value}" for key, value in preset.items())
        lines += _wrap(f"{name}  short for {step.name}{settings}", 4, 6)
    return [*lines, ""]


def _wrap(text: str, first: int, more: int) -> list[str]:
    """Lines of a text, indented."""
    return textwrap.wrap(text, _WIDTH, initial_indent=" " * first, subsequent_indent=" " * more)
