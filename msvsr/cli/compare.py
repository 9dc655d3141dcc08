"""``msvsr compare``: clips beside each other."""

import argparse
from typing import TYPE_CHECKING

from msvsr.cli import options, values
from msvsr.cli.console import print_line, print_report, progress_bar

if TYPE_CHECKING:
    from msvsr.app.compare import ClipScores, CompareOptions

__all__ = ["add_parser", "run"]

_DESCRIPTION = """
Set clips beside each other, brought together in time and size. OUTPUT says how: a video (.mp4 .mkv
.mov .webm) or .gif has a sliding divider or panels side by side, .png or .jpg is a contact sheet
with enlarged parts, .html is a page with a divider to drag, for a browser without a network. Each
CLIP is a video file, an http(s) address, a folder of images or an image.
"""


def add_parser(commands: "options.Commands[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "compare", help="set clips beside each other", description=_DESCRIPTION
    )
    parser.add_argument("left", metavar="LEFT", help="the clip at the left, whose sound is kept")
    parser.add_argument("right", metavar="RIGHT", help="the clip at the right")
    parser.add_argument("more", metavar="MORE", nargs="*", default=[], help="further clips")
    parser.add_argument(
        "-o", "--output", metavar="OUTPUT", help="see above (default: LEFT_compared.mp4)"
    )
    _add_comparison_options(parser)
    _add_slider_options(parser)
    _add_sheet_options(parser)
    options.add_source_options(parser, "--fps")
    options.add_output_options(parser)
    options.add_report_options(parser)
    parser.set_defaults(run=run)


def _add_comparison_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("comparison")
    group.add_argument(
        "--mode", help="slider or side-by-side (default: slider for two clips, else side-by-side)"
    )
    group.add_argument(
        "--labels", type=values.names, metavar="A,B", help="names of the clips (default: files)"
    )
    group.add_argument("--no-labels", action="store_true", help="draw no names")
    group.add_argument(
        "--resize",
        default="bicubic",
        metavar="WAY",
        help="nearest or bicubic, where sizes differ (default: bicubic)",
    )
    group.add_argument(
        "--gt", metavar="CLIP", help="ground truth: adds PSNR and SSIM on luma at its size"
    )
    group.add_argument(
        "--panel-width",
        type=int,
        metavar="PIXELS",
        help="width of each clip (default: that of the largest; less for .gif and .html)",
    )


def _add_slider_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("slider", "The defaults fit the length of the clips.")
    rows = (
        ("--start-frame", "N", "the divider enters at this frame; LEFT is shown alone before it"),
        ("--pause-frame", "N", "the divider pauses at this frame"),
        ("--pause-repeats", "N", "frames that a pause lasts; where there is sound, frames play on"),
        ("--slide-step", "PIXELS", "how far the divider moves per frame"),
        ("--line-width", "PIXELS", "width of the divider"),
    )
    for name, metavar, text in rows:
        group.add_argument(name, type=int, metavar=metavar, help=text)


def _add_sheet_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("contact sheet")
    group.add_argument(
        "--stills", type=int, default=3, metavar="N", help="frames shown (default: 3)"
    )
    group.add_argument(
        "--crops", type=int, default=2, metavar="N", help="parts enlarged of each (default: 2)"
    )
    group.add_argument(
        "--crop",
        action="append",
        default=[],
        type=_box,
        metavar="X,Y,W,H",
        help="enlarge this part instead, in pixels; may be repeated",
    )


def run(arguments: argparse.Namespace) -> int:
    """Do it."""
    comparison = _compare_options(arguments)
    writing = options.output_options(arguments)

    from msvsr.app.compare import compare_clips

    with progress_bar("comparing", visible=not (arguments.quiet or arguments.json)) as show:
        report = compare_clips(
            [arguments.left, arguments.right, *arguments.more],
            arguments.output,
            options=comparison,
            writing=writing,
            on_progress=show,
        )
    print_report(report, quiet=arguments.quiet, as_json=arguments.json)
    if not (arguments.quiet or arguments.json):
        _print_scores(report.scores)
    return 0


def _compare_options(arguments: argparse.Namespace) -> "CompareOptions":
    from msvsr.app.compare import CompareOptions, SliderOptions
    from msvsr.app.demo_panels import Detail

    return CompareOptions(
        mode=arguments.mode,
        labels=arguments.labels,
        show_labels=not arguments.no_labels,
        resize=arguments.resize,
        ground_truth=arguments.gt,
        panel_width=arguments.panel_width,
        slider=SliderOptions(
            start_frame=arguments.start_frame,
            pause_frame=arguments.pause_frame,
            pause_repeats=arguments.pause_repeats,
            slide_step=arguments.slide_step,
            line_width=arguments.line_width,
        ),
        num_stills=arguments.stills,
        num_crops=arguments.crops,
        crops=tuple(Detail(x=x, y=y, width=w, height=h) for x, y, w, h in arguments.crop),
        start_seconds=arguments.start,
        end_seconds=arguments.end,
        frame_rate=arguments.input_fps,
    )


def _print_scores(scores: "tuple[ClipScores, ...]") -> None:
    width = max((len(each.label) for each in scores), default=0)
    for each in scores:
        structure = "" if each.ssim is None else f", SSIM {each.ssim:.4f}"
        print_line(
            f"{each.label:{width}}  PSNR {each.psnr:.2f} dB{structure} "
            f"(luma, mean of {each.num_frames} frames)"
        )


def _box(text: str) -> tuple[int, int, int, int]:
    parts = text.split(",")
    if len(parts) != 4 or not all(part.strip().isdecimal() for part in parts):
        raise argparse.ArgumentTypeError(f"'{text}' is no part of a frame: expected X,Y,W,H")
    x, y, width, height = map(int, parts)
    return x, y, width, height
