"""Options that several commands share, and the way from them to the library's dataclasses."""

import argparse
import re
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from msvsr.engine.options import EngineOptions
    from msvsr.models.realbasicvsr import RealBasicVSR
    from msvsr.video import OutputOptions, SourceOptions

__all__ = [
    "Commands",
    "add_engine_options",
    "add_model_options",
    "add_output_options",
    "add_report_options",
    "add_source_options",
    "engine_options",
    "load_model",
    "output_options",
    "source_options",
]

Commands = argparse._SubParsersAction  # the type of ``parser.add_subparsers()``

_CLOCK = re.compile(r"(?:(?:(\d+):)?(\d{1,2}):)?(\d+(?:\.\d+)?)")


def add_source_options(parser: argparse.ArgumentParser) -> None:
    """Which part of the input is read."""
    group = parser.add_argument_group("input")
    group.add_argument("--start", type=_seconds, metavar="TIME", help="begin here (s or h:m:s)")
    group.add_argument("--end", type=_seconds, metavar="TIME", help="stop before this (s or h:m:s)")
    group.add_argument(
        "--fps", type=_rate, metavar="RATE", help="frame rate of an image folder (default: 25)"
    )


def source_options(arguments: argparse.Namespace) -> "SourceOptions":
    """The library's form of `add_source_options`."""
    from msvsr.video import SourceOptions

    return SourceOptions(
        start_seconds=arguments.start, end_seconds=arguments.end, frame_rate=arguments.fps
    )


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """Which model runs, and where."""
    group = parser.add_argument_group("model")
    group.add_argument(
        "--model",
        metavar="ID_OR_FOLDER",
        help="a model folder, a name from 'msvsr models', or a Hub id (default: the embedded one)",
    )
    group.add_argument(
        "--device", default="auto", help="auto, cpu, cuda, cuda:N or mps (default: auto)"
    )
    group.add_argument(
        "--dtype",
        default="auto",
        help="auto, float32, bfloat16 or float16 (default: auto: half precision where it is fast)",
    )


def load_model(arguments: argparse.Namespace) -> "RealBasicVSR":
    """The model that `add_model_options` asks for."""
    from msvsr.models.realbasicvsr import RealBasicVSR
    from msvsr.plugin.hub import resolve_model

    return RealBasicVSR.from_folder(
        resolve_model(arguments.model), device=arguments.device, dtype=arguments.dtype
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
    group.add_argument("--no-cuts", action="store_true", help="do not look for cuts")
    group.add_argument("--tile", type=int, metavar="PIXELS", help="longest side of a tile")
    group.add_argument(
        "--memory", type=float, metavar="GIB", help="memory budget (default: a quarter of the free)"
    )


def engine_options(arguments: argparse.Namespace) -> "EngineOptions":
    """The library's form of `add_engine_options`."""
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


def add_output_options(parser: argparse.ArgumentParser) -> None:
    """Codec, quality, and what is kept."""
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
        type=_pair,
        metavar="KEY=VALUE",
        help="anything else the encoder understands; may be repeated",
    )
    group.add_argument(
        "--constant-fps",
        type=_rate,
        metavar="RATE",
        help="repeat and drop frames for exactly this rate (default: keep every timestamp)",
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


def _seconds(text: str) -> Fraction:
    match = _CLOCK.fullmatch(text.strip())
    if not match:
        raise argparse.ArgumentTypeError(f"'{text}' is no time: expected 12.5, 1:30 or 1:02:30.5")
    hours, minutes, seconds = (Fraction(part or 0) for part in match.groups())
    return hours * 3600 + minutes * 60 + seconds


def _rate(text: str) -> Fraction:
    try:
        rate = Fraction(text)
    except (ValueError, ZeroDivisionError):
        rate = Fraction(0)
    if rate <= 0:
        raise argparse.ArgumentTypeError(f"'{text}' is no frame rate: expected 25 or 30000/1001")
    return rate


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise argparse.ArgumentTypeError(f"'{text}' is no KEY=VALUE")
    return key, value
