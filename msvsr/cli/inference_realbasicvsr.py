"""``msvsr inference-realbasicvsr``: the original project's command line."""

import argparse
from pathlib import Path

from msvsr.cli import options, values
from msvsr.cli.console import print_report, progress_bar

__all__ = ["add_parser", "run"]

_TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}

_DESCRIPTION = """
Takes the place of the original project's inference_realbasicvsr.py, with its arguments. CONFIG is
read but never executed. INPUT and OUTPUT are folders of images or videos, in any combination;
images keep their names. What is in OUTPUT already under the same names is replaced.
"""


def add_parser(commands: "options.Commands[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "inference-realbasicvsr",
        help="the original project's command line",
        description=_DESCRIPTION,
    )
    parser.add_argument(
        "config", metavar="CONFIG", type=Path, help="Python file such as configs/realbasicvsr_x4.py"
    )
    parser.add_argument("checkpoint", metavar="CHECKPOINT", type=Path, help="weights file")
    parser.add_argument("input", metavar="INPUT", help="folder of images, or video")
    parser.add_argument("output", metavar="OUTPUT", help="folder of images, or video")
    group = parser.add_argument_group("work")
    group.add_argument(
        "--max_seq_len",
        "--max-seq-len",
        type=int,
        metavar="N",
        help="independent windows of N frames (default: the whole clip, in bounded memory)",
    )
    group.add_argument(
        "--is_save_as_png",
        "--is-save-as-png",
        type=_truth,
        default=True,
        metavar="B",
        help="write a folder of images as PNGs: true or false, which keeps their formats "
        "(default: true)",
    )
    group.add_argument(
        "--fps",
        type=values.rate,
        metavar="RATE",
        help="frame rate of an output video (default: 25 for images; a video keeps its own)",
    )
    options.add_model_options(parser)
    options.add_report_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Do it."""
    from msvsr.compat.original_inference import (
        InferenceOptions,
        load_original_model,
        run_inference,
    )

    chosen = InferenceOptions(
        max_seq_len=arguments.max_seq_len,
        is_save_as_png=arguments.is_save_as_png,
        fps=arguments.fps,
    )
    model = load_original_model(
        arguments.config, arguments.checkpoint, device=arguments.device, dtype=arguments.dtype
    )
    with progress_bar("upscaling", visible=not (arguments.quiet or arguments.json)) as show:
        report = run_inference(model, arguments.input, arguments.output, chosen, on_progress=show)
    print_report(report, quiet=arguments.quiet, as_json=arguments.json)
    return 0


def _truth(text: str) -> bool:
    """Read true or false; the original takes every text but an empty one for true."""
    value = _TRUTHS.get(text.strip().lower())
    if value is None:
        raise argparse.ArgumentTypeError(f"'{text}' is neither true nor false")
    return value
