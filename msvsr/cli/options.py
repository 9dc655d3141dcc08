"""Options that several commands share, and the way from them to the library's dataclasses."""

import argparse
from typing import TYPE_CHECKING

from msvsr.cli import values

if TYPE_CHECKING:
    from msvsr.engine.options import EngineOptions, InterpolationOptions
    from msvsr.models.raft_interpolation import RaftInterpolation
    from msvsr.models.realbasicvsr import RealBasicVSR
    from msvsr.video import OutputOptions, SourceOptions

__all__ = [
    "Commands",
    "add_engine_options",
    "add_input",
    "add_limit_options",
    "add_model_options",
    "add_output_options",
    "add_report_options",
    "add_source_options",
    "add_timing_options",
    "engine_options",
    "load_interpolator",
    "load_upscaler",
    "output_options",
    "source_options",
    "timing_options",
]

Commands = argparse._SubParsersAction  # the type of ``parser.add_subparsers()``


def add_input(parser: argparse.ArgumentParser, *, default_output: str) -> None:
    """Where the video is and where it goes."""
    parser.add_argument("input", metavar="INPUT", help="video file, address or image folder")
    parser.add_argument(
        "-o",
        "--output",
        metavar="OUTPUT",
        help=f"video file or folder (default: {default_output})",
    )


def add_source_options(parser: argparse.ArgumentParser, *aliases: str) -> None:
    """Which part of the input is read; ``aliases`` are further names of ``--input-fps``."""
    group = parser.add_argument_group("input")
    group.add_argument(
        "--start", type=values.seconds, metavar="TIME", help="begin here (s or h:m:s)"
    )
    group.add_argument(
        "--end", type=values.seconds, metavar="TIME", help="stop before this (s or h:m:s)"
    )
    group.add_argument(
        "--input-fps",
        *aliases,
        type=values.rate,
        metavar="RATE",
        help="frame rate of an image folder (default: 25)",
    )


def source_options(arguments: argparse.Namespace) -> "SourceOptions":
    """The library's form of `add_source_options`."""
    from msvsr.video import SourceOptions

    return SourceOptions(
        start_seconds=arguments.start, end_seconds=arguments.end, frame_rate=arguments.input_fps
    )


def add_model_options(parser: argparse.ArgumentParser, *names: str, also: str = "") -> None:
    """Which models run, and where; ``names`` are the options that ask for one.

    Args:
        parser: The command.
        names: The options.
        also: What they take beside models.
    """
    group = parser.add_argument_group("model")
    for name in names:
        group.add_argument(
            name,
            metavar="ID_OR_FOLDER",
            help="a model folder, a name from 'msvsr models', or a Hub id"
            + (f"; also {also}" if also else "")
            + " (default: the embedded one)",
        )
    group.add_argument(
        "--device", default="auto", help="auto, cpu, cuda, cuda:N or mps (default: auto)"
    )
    group.add_argument(
        "--dtype",
        default="auto",
        help="auto, float32, bfloat16 or float16 (default: auto: half precision where it is fast)",
    )


def load_upscaler(arguments: argparse.Namespace, model: str | None) -> "RealBasicVSR":
    """A model that makes frames larger, for where `add_model_options` says."""
    from msvsr.models.realbasicvsr import RealBasicVSR
    from msvsr.plugin.hub import resolve_model

    return RealBasicVSR.from_folder(
        resolve_model(model), device=arguments.device, dtype=arguments.dtype
    )


def load_interpolator(arguments: argparse.Namespace, model: str | None) -> "RaftInterpolation":
    """A model that makes frames between frames, for where `add_model_options` says."""
    from msvsr.models.catalog import FRAME_INTERPOLATION_TASK
    from msvsr.models.raft_interpolation import RaftInterpolation
    from msvsr.plugin.hub import resolve_model

    return RaftInterpolation.from_folder(
        resolve_model(model, FRAME_INTERPOLATION_TASK),
        device=arguments.device,
        dtype=arguments.dtype,
        correlation_gib=arguments.memory,
    )


def add_timing_options(
    parser: argparse.ArgumentParser, *, default_ratio: str = "2 without --fps"
) -> None:
    """When frames are shown, and what is between them."""
    group = parser.add_argument_group("timing")
    group.add_argument(
        "--ratio",
        type=values.ratio,
        metavar="R",
        help=f"frames out per frame in: 2, 2.5 or 5/2 (default: {default_ratio})",
    )
    group.add_argument(
        "--fps",
        type=values.rate,
        metavar="RATE",
        help="frame rate of the output: 60, 12.5 or 60000/1001; 23.976, 29.97, 59.94 and the like "
        "mean the exact NTSC rates; --ratio wins when both are given",
    )
    group.add_argument(
        "--keep-rhythm",
        action="store_true",
        help="multiply the rhythm of a variable frame rate by --ratio, instead of a constant rate",
    )
    group.add_argument(
        "--at-cuts",
        default="repeat",
        metavar="WAY",
        help="repeat or blend frames where a shot ends (default: repeat)",
    )
    group.add_argument(
        "--replace-duplicates",
        action="store_true",
        help="make frames in place of repeated ones (24-in-30 pull-up, animation on twos)",
    )


def timing_options(arguments: argparse.Namespace) -> "InterpolationOptions":
    """The library's form of `add_timing_options` and `add_limit_options`."""
    from msvsr.engine.options import InterpolationOptions

    return InterpolationOptions(
        interp_ratio=arguments.ratio,
        out_fps=arguments.fps,
        keep_rhythm=arguments.keep_rhythm,
        detect_cuts=not arguments.no_cuts,
        at_cuts=arguments.at_cuts,
        replace_duplicates=arguments.replace_duplicates,
    )


def add_engine_options(parser: argparse.ArgumentParser) -> None:
    """How the video is cut into pieces for the model."""
    group = parser.add_argument_group("processing")
    group.add_argument(
        "--refine-threshold",
        type=float,
        metavar="LEVELS",
        help="clean again while the mean residue is at least this many grey levels of 255: 5 for "
        "the official GAN model, 1.5 without GAN, 255 cleans once (default: the model's own)",
    )
    group.add_argument(
        "--refine-scope",
        default="shot",
        help="decide that per shot or per frame (default: shot)",
    )
    group.add_argument(
        "--max-frames",
        type=int,
        metavar="N",
        help="cheap mode: independent windows of N frames instead of whole shots",
    )
    group.add_argument(
        "--overlap",
        type=int,
        default=4,
        metavar="N",
        help="frames of context on both sides of such a window (default: 4)",
    )
    group.add_argument(
        "--max-shot-frames",
        type=int,
        default=300,
        metavar="N",
        help="longer shots are processed in pieces of N frames (default: 300)",
    )
    group.add_argument(
        "--look-ahead",
        type=int,
        default=30,
        metavar="N",
        help="frames beyond such a piece that are looked at (default: 30)",
    )
    group.add_argument("--window", type=int, metavar="N", help="frames between checkpoints")
    group.add_argument("--tile", type=int, metavar="PIXELS", help="longest side of a tile")


def add_limit_options(parser: argparse.ArgumentParser) -> None:
    """What both engines take."""
    group = parser.add_argument_group("limits")
    group.add_argument("--no-cuts", action="store_true", help="do not look for cuts")
    group.add_argument(
        "--memory", type=float, metavar="GIB", help="memory budget (default: a quarter of the free)"
    )


def engine_options(arguments: argparse.Namespace) -> "EngineOptions":
    """The library's form of `add_engine_options` and `add_limit_options`."""
    from msvsr.engine.options import EngineOptions

    return EngineOptions(
        window=arguments.window,
        max_shot_frames=arguments.max_shot_frames,
        look_ahead=arguments.look_ahead,
        max_frames=arguments.max_frames,
        overlap=arguments.overlap,
        detect_cuts=not arguments.no_cuts,
        refine_threshold=arguments.refine_threshold,
        refine_scope=arguments.refine_scope,
        tile=arguments.tile,
        memory_gib=arguments.memory,
    )


def add_output_options(
    parser: argparse.ArgumentParser, *, shows_constant_rate: bool = True
) -> None:
    """Codec, quality, and what is kept; ``--constant-fps`` need not be shown to be understood."""
    group = parser.add_argument_group("output")
    group.add_argument(
        "--codec",
        help="h264, h264-lossless, hevc, ffv1, vp9 or av1 (default: what suits the file's name)",
    )
    group.add_argument("--crf", type=int, default=18, help="quality, lower is better (default: 18)")
    group.add_argument("--preset", help="speed preset of the encoder")
    group.add_argument("--pixel-format", help="FFmpeg's name, such as yuv444p or yuv420p10le")
    group.add_argument(
        "--encoder-option",
        action="append",
        default=[],
        type=values.pair,
        metavar="KEY=VALUE",
        help="anything else the encoder understands; may be repeated",
    )
    group.add_argument(
        "--constant-fps",
        type=values.rate,
        metavar="RATE",
        help="repeat and drop frames for exactly this rate (default: keep every timestamp)"
        if shows_constant_rate
        else argparse.SUPPRESS,
    )
    group.add_argument("--no-audio", action="store_true", help="leave the sound out")
    group.add_argument("--no-subtitles", action="store_true", help="leave subtitles out")
    group.add_argument("--overwrite", action="store_true", help="replace an existing output")


def output_options(arguments: argparse.Namespace) -> "OutputOptions":
    """The library's form of `add_output_options`."""
    from msvsr.video import OutputOptions

    return OutputOptions(
        codec=arguments.codec,
        crf=arguments.crf,
        preset=arguments.preset,
        pixel_format=arguments.pixel_format,
        encoder_options=dict(arguments.encoder_option),
        constant_frame_rate=arguments.constant_fps,
        keep_audio=not arguments.no_audio,
        keep_subtitles=not arguments.no_subtitles,
        overwrite=arguments.overwrite,
    )


def add_report_options(parser: argparse.ArgumentParser) -> None:
    """How much is told while it runs and afterwards."""
    group = parser.add_argument_group("report")
    group.add_argument("--quiet", action="store_true", help="print nothing but errors")
    group.add_argument("--json", action="store_true", help="print the result as JSON")
