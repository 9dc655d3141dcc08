"""``msvsr evaluate``: scores of a model on clips or samples."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from msvsr.cli import options, values
from msvsr.cli.console import evaluation_bar, print_json, print_line
from msvsr.errors import ConfigError

if TYPE_CHECKING:
    from msvsr.evaluation import (
        EvaluationOptions,
        EvaluationReport,
        InterpolationMethod,
        UpscalingMethod,
    )

__all__ = ["add_parser", "run"]

_DESCRIPTION = """
Measure a model on real clips under named protocols, each of which reproduces somebody's numbers,
and print whose they are. Finished clips are kept in the work folder: --resume goes on after a stop.
Started by torchrun, the processes share the clips and give the numbers that one would.
"""

_TASKS = {
    "super-resolution": "video-super-resolution",
    "interpolation": "video-frame-interpolation",
}
"""ModelScope's name of each task; that is understood too."""

_PLAIN = ("none", "bicubic")


def add_parser(commands: "options.Commands[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "evaluate", help="measure a model on clips or samples", description=_DESCRIPTION
    )
    parser.add_argument(
        "--task",
        default="super-resolution",
        metavar="TASK",
        help=f"{' or '.join(_TASKS)} (default: super-resolution)",
    )
    parser.add_argument(
        "--data",
        required=True,
        type=Path,
        metavar="FOLDER",
        help="a folder of image folders, one per clip; for interpolation one per sample of 3 or 5 "
        "images, or 'input' and 'gt' with one each",
    )
    parser.add_argument(
        "--gt",
        type=Path,
        metavar="FOLDER",
        help="ground truth of the clips, under the same names: adds MSE, PSNR and SSIM",
    )
    _add_measure_options(parser)
    options.add_model_options(
        parser, "--model", also="none (frames as they are, or their blend), bicubic"
    )
    options.add_limit_options(parser)
    options.add_report_options(parser)
    parser.set_defaults(run=run)


def _add_measure_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("measures")
    group.add_argument(
        "--metrics",
        type=values.names,
        metavar="A,B",
        help="niqe, brisque, nrqm, pi, warping_error, and with --gt mse, psnr, ssim, psnr_y, "
        "ssim_y; for interpolation psnr, ssim, psnr_y, ssim_y, lpips (default: what the data "
        "allow)",
    )
    group.add_argument(
        "--protocol",
        type=values.names,
        metavar="A,B",
        help="all-frames, paper, modelscope-card; for interpolation standard, modelscope-card; the "
        "first gives the plain numbers (default: all)",
    )
    group.add_argument(
        "--niqe-model", type=Path, metavar="FILE", help="another pristine model for NIQE (.npz)"
    )
    group.add_argument(
        "--lpips-weights", type=Path, metavar="FILE", help="weights of AlexNet for LPIPS"
    )
    group.add_argument(
        "--work-dir",
        type=Path,
        metavar="FOLDER",
        help="scores, report and page (default: msvsr_evaluation/DATA-MODEL)",
    )
    group.add_argument("--resume", action="store_true", help="take over clips that are finished")
    group.add_argument("--save-frames", action="store_true", help="keep the frames as PNGs")


def run(arguments: argparse.Namespace) -> int:
    """Do it."""
    task = _TASKS.get(arguments.task, arguments.task)
    if task not in _TASKS.values():
        raise ConfigError(f"no task '{arguments.task}': expected {' or '.join(_TASKS)}")
    is_interpolation = task == _TASKS["interpolation"]
    if is_interpolation and arguments.gt is not None:
        raise ConfigError("--gt is for super-resolution: samples of interpolation bring their own")
    report = _interpolation(arguments) if is_interpolation else _super_resolution(arguments)

    from msvsr.evaluation.distributed import is_first_process

    if is_first_process():
        _print(report, arguments)
    return 0


def _super_resolution(arguments: argparse.Namespace) -> "EvaluationReport":
    from msvsr.data.videolq import VideoLQ
    from msvsr.evaluation import evaluate_super_resolution

    clips = VideoLQ(arguments.data)
    ground_truth = None if arguments.gt is None else VideoLQ(arguments.gt)
    method = _upscaling_method(arguments)
    with evaluation_bar(visible=not (arguments.quiet or arguments.json)) as show:
        return evaluate_super_resolution(
            clips,
            method,
            work_dir=_work_dir(arguments, method.name),
            options=_evaluation_options(arguments),
            ground_truth=ground_truth,
            data_name=arguments.data.resolve().name,
            on_progress=show,
        )


def _interpolation(arguments: argparse.Namespace) -> "EvaluationReport":
    from msvsr.data.interpolation_sets import InterpolationSet
    from msvsr.evaluation import evaluate_interpolation

    samples = InterpolationSet(arguments.data)
    method = _interpolation_method(arguments)
    with evaluation_bar(visible=not (arguments.quiet or arguments.json)) as show:
        return evaluate_interpolation(
            samples,
            method,
            work_dir=_work_dir(arguments, method.name),
            options=_evaluation_options(arguments),
            data_name=arguments.data.resolve().name,
            on_progress=show,
        )


def _upscaling_method(arguments: argparse.Namespace) -> "UpscalingMethod":
    from msvsr.engine.options import EngineOptions
    from msvsr.evaluation import AsIs, Bicubic, ModelMethod
    from msvsr.plugin.hub import resolve_model

    if arguments.model in _PLAIN:
        return AsIs() if arguments.model == "none" else Bicubic()
    return ModelMethod.from_folder(
        resolve_model(arguments.model),
        device=arguments.device,
        dtype=arguments.dtype,
        engine=EngineOptions(detect_cuts=not arguments.no_cuts, memory_gib=arguments.memory),
    )


def _interpolation_method(arguments: argparse.Namespace) -> "InterpolationMethod":
    from msvsr.evaluation import Blend, InterpolatorMethod
    from msvsr.plugin.hub import resolve_model

    if arguments.model == "none":
        return Blend()
    return InterpolatorMethod.from_folder(
        resolve_model(arguments.model, _TASKS["interpolation"]),
        device=arguments.device,
        dtype=arguments.dtype,
    )


def _evaluation_options(arguments: argparse.Namespace) -> "EvaluationOptions":
    from msvsr.evaluation import EvaluationOptions

    return EvaluationOptions(
        metrics=arguments.metrics,
        protocols=arguments.protocol,
        resume=arguments.resume,
        save_frames=arguments.save_frames,
        niqe_pristine=arguments.niqe_model,
        lpips_weights=arguments.lpips_weights,
    )


def _work_dir(arguments: argparse.Namespace, method: str) -> Path:
    if arguments.work_dir is not None:
        return Path(arguments.work_dir)
    return Path("msvsr_evaluation") / f"{arguments.data.resolve().name}-{method}"


def _print(report: "EvaluationReport", arguments: argparse.Namespace) -> None:
    if arguments.json:
        print_json(report.to_json())
    elif not arguments.quiet:
        print_line(report.to_text())
