"""``msvsr split``: a video becomes a folder of images."""

import argparse

from msvsr.cli import options
from msvsr.cli.console import print_line, print_report, progress_bar
from msvsr.errors import ConfigError

__all__ = ["add_parser", "run"]

_DESCRIPTION = """
Write the frames of a video as images, upright and in RGB. VIDEO is a video file, an http(s) address
or a folder of images. PNG files lose nothing; those of deeper video have 16 bits. 'msvsr merge'
makes a video of them again.
"""
_SUFFIXES = {"png": ".png", "jpeg": ".jpg", "jpg": ".jpg"}


def add_parser(commands: "options.Commands[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "split", help="write the frames of a video as images", description=_DESCRIPTION
    )
    parser.add_argument("input", metavar="VIDEO", help="video file, address or image folder")
    parser.add_argument("output", metavar="DIR", help="folder for the images")
    group = parser.add_argument_group("images")
    group.add_argument("--format", help="png or jpeg (default: that of the pattern, else png)")
    group.add_argument(
        "--pattern", metavar="NAME", help="file names, such as frame_%%04d.png (default: %%08d.png)"
    )
    group.add_argument(
        "--first-number", type=int, default=0, metavar="N", help="of the files (default: 0)"
    )
    group.add_argument(
        "--every", type=int, default=1, metavar="N", help="keep one of N frames (default: 1)"
    )
    group.add_argument(
        "--quality", type=int, default=95, metavar="N", help="of JPEG files (default: 95)"
    )
    group.add_argument(
        "--depth", type=int, metavar="BITS", help="of PNG files, 8 or 16 (default: the video's)"
    )
    group.add_argument("--overwrite", action="store_true", help="replace an existing output")
    options.add_source_options(parser, "--fps")
    options.add_report_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Do it."""
    from msvsr.app.frames import SplitOptions, split_video

    naming = SplitOptions(
        pattern=_pattern(arguments.pattern, arguments.format),
        first_number=arguments.first_number,
        every=arguments.every,
        quality=arguments.quality,
        bit_depth=arguments.depth,
        overwrite=arguments.overwrite,
    )
    is_visible = not (arguments.quiet or arguments.json)
    with progress_bar("splitting", visible=is_visible) as show:
        report = split_video(
            arguments.input,
            arguments.output,
            options=naming,
            reading=options.source_options(arguments),
            on_progress=show,
        )
    print_report(report, quiet=arguments.quiet, as_json=arguments.json)
    if is_visible:
        print_line(f"msvsr merge {report.output} VIDEO --fps {report.output_frame_rate} joins them")
    return 0


def _pattern(pattern: str | None, kind: str | None) -> str:
    if kind is not None and kind not in _SUFFIXES:
        raise ConfigError(f"--format must be png or jpeg, got {kind!r}")
    suffix = ".png" if kind is None else _SUFFIXES[kind]
    if pattern is None:
        return f"%08d{suffix}"
    if kind is not None and pattern.lower().endswith(".png") != (suffix == ".png"):
        raise ConfigError(f"--format {kind} and --pattern {pattern} contradict each other")
    return pattern
