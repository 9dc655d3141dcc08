"""``msvsr info``: what the reader sees in a file."""

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING

from msvsr.cli import options
from msvsr.cli.console import print_json, print_line

if TYPE_CHECKING:
    from msvsr.frame import StreamInfo, VideoInfo

__all__ = ["add_parser", "run"]


def add_parser(commands: "options.Commands[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "info",
        help="show what is in a video",
        description="Show what the reader sees in a video file, an address or an image folder.",
    )
    parser.add_argument("input", metavar="INPUT", help="video file, address or image folder")
    parser.add_argument(
        "--count", action="store_true", help="decode everything and count (headers may be wrong)"
    )
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Do it."""
    from msvsr.video import probe

    info = probe(arguments.input, count_frames=arguments.count)
    if arguments.json:
        print_json(asdict(info))
        return 0
    rows = {name: text for name, text in _describe(info).items() if text}
    width = max(map(len, rows))
    for name, text in rows.items():
        print_line(f"{name:{width}}  {text}")
    return 0


def _describe(info: "VideoInfo") -> dict[str, str]:
    rows = {
        "input": info.location,
        "container": info.container,
        "video": f"{info.codec}, {info.pixel_format}, {info.bit_depth} bits",
        "size": f"{info.width}x{info.height}" + _shape_notes(info),
        "rate": f"{float(info.frame_rate):.3f} frames/s ({info.frame_rate})",
        "frames": f"{info.num_frames_from_header or 'unknown'} (header)",
        "duration": f"{_seconds(info.duration_seconds_from_header)} (header)",
        "colour": f"{info.color.matrix}{' (guessed)' if info.color.is_matrix_guessed else ''}, "
        f"{info.color.range} range",
        "audio": "; ".join(map(_describe_stream, info.audio_streams)),
        "subtitles": "; ".join(map(_describe_stream, info.subtitle_streams)),
        "chapters": str(len(info.chapters) or ""),
    }
    if info.num_frames_from_content is not None:
        rhythm = "variable" if info.is_variable_rate else "constant"
        rows["frames"] += f", {info.num_frames_from_content} (counted), {rhythm} rate"
        rows["duration"] += f", {_seconds(info.duration_seconds_from_content)} (counted)"
    return rows


def _shape_notes(info: "VideoInfo") -> str:
    notes = [
        f"turned by {info.rotation_degrees} degrees" if info.rotation_degrees else "",
        "mirrored" if info.is_mirrored else "",
        f"pixel shape {info.sample_aspect_ratio}" if info.sample_aspect_ratio != 1 else "",
        "interlaced" if info.is_interlaced else "",
    ]
    return "".join(f", {note}" for note in notes if note)


def _describe_stream(stream: "StreamInfo") -> str:
    parts = [
        stream.codec or "unknown codec",
        f"{stream.sample_rate} Hz" if stream.sample_rate else "",
        f"{stream.num_channels} channels" if stream.num_channels else "",
        stream.language or "",
        stream.title or "",
    ]
    return ", ".join(part for part in parts if part)


def _seconds(value: object) -> str:
    return "unknown" if value is None else f"{float(value):.3f} s"  # type: ignore[arg-type]
