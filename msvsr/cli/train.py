"""``msvsr train``: train a model by a configuration."""

import argparse
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msvsr.cli import options
from msvsr.cli.console import TrainingDisplay, print_json, print_line, training_bar
from msvsr.errors import ConfigError

if TYPE_CHECKING:
    from msvsr.training.events import TrainingEvents
    from msvsr.training.loop import Outcome
    from msvsr.training.processes import Processes
    from msvsr.training.start import AnyTrainer, AnyTrainingConfig

__all__ = ["add_parser", "run"]

_INTERRUPTED = 130  # as for every command, see `msvsr.cli.main`

_CHECKPOINT, _LOG = "checkpoint.pt", "log.jsonl"

_DESCRIPTION = """
Train a model by a configuration, and print the model folder that comes out. The work folder also
gets a log, sample pictures and the state of the run: the same command goes on from there after a
stop, as if there had been none. Started by torchrun (torchrun --nproc-per-node N -m msvsr train
...), the processes share each batch.
"""


def add_parser(commands: "options.Commands[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "train", help="train a model by a configuration", description=_DESCRIPTION
    )
    parser.add_argument(
        "config", nargs="?", metavar="CONFIG", help="a JSON file, or a name that --list shows"
    )
    parser.add_argument("--list", action="store_true", help="list the shipped configurations")
    _add_place_options(parser)
    _add_weight_options(parser)
    _add_run_options(parser)
    options.add_report_options(parser)
    parser.set_defaults(run=run)


def _add_place_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("places")
    group.add_argument(
        "--data-dir", type=Path, metavar="FOLDER", help="videos and folders of images to learn from"
    )
    group.add_argument(
        "--work-dir",
        type=Path,
        metavar="FOLDER",
        help="model, state, log and pictures (default: msvsr_training/CONFIG)",
    )
    group.add_argument(
        "--cache-dir",
        type=Path,
        metavar="FOLDER",
        help="decoded clips, where the configuration wants them decoded (default: below the "
        "temporary folder)",
    )


def _add_weight_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("weights")
    group.add_argument(
        "--initial",
        metavar="ID_OR_FOLDER",
        help="start from these: a model folder, a work folder, a name from 'msvsr models', a Hub "
        "id, or a file (default: random)",
    )
    group.add_argument(
        "--teacher",
        type=Path,
        metavar="FILE",
        help="a RAFT network that the flow of an interpolation model learns from",
    )
    group.add_argument(
        "--vgg-weights",
        metavar="FILE_OR_ID",
        help="VGG19, for a perceptual loss: torchvision's file, or the Hub id of a repository "
        "that has it (default: from torch's cache)",
    )
    group.add_argument(
        "--spynet-weights",
        metavar="FILE_OR_ID",
        help="the flow network of super-resolution, which then stays as it is: its file, or a "
        "model (folder, name, Hub id) whose flow network it is",
    )


def _add_run_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("run")
    group.add_argument(
        "--resume",
        action=argparse.BooleanOptionalAction,
        help="go on with the run in the work folder, which must be there; --no-resume begins anew "
        "and keeps its state as checkpoint.old.pt (default: go on if there is one)",
    )
    group.add_argument("--steps", type=int, metavar="N", help="stop after N more steps")
    group.add_argument("--minutes", type=float, metavar="M", help="stop after M minutes")
    group.add_argument(
        "--device", default="auto", help="auto, cpu, cuda, cuda:N or mps (default: auto)"
    )
    group.add_argument(
        "--precision",
        help="float32, bfloat16 or float16 (default: as the configuration says)",
    )
    group.add_argument(
        "--workers",
        type=int,
        default=1,
        metavar="N",
        help="processes that prepare samples; 0 for none beside the one that trains (default: 1)",
    )
    group.add_argument("--threads", type=int, metavar="N", help="threads of torch")


def run(arguments: argparse.Namespace) -> int:
    """Do it."""
    if arguments.list:
        _print_list(as_json=arguments.json)
        return 0
    _check(arguments)

    import torch

    from msvsr.training.processes import join_processes

    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    config = _read_config(arguments)
    work_dir = arguments.work_dir or _default_work_dir(arguments.config)
    processes = join_processes(arguments.device)
    if processes.is_first:
        _prepare_work_dir(work_dir, arguments.resume)
    try:
        outcome = _train(arguments, config, work_dir, processes)
    except KeyboardInterrupt:  # before the first step, or for the second time
        sys.stderr.write("\nmsvsr: interrupted; the same command goes on from the last state\n")
        return _INTERRUPTED
    processes.leave()
    return _INTERRUPTED if outcome == "interrupted" else 0


def _train(
    arguments: argparse.Namespace,
    config: "AnyTrainingConfig",
    work_dir: Path,
    processes: "Processes",
) -> "Outcome":
    is_visible = processes.is_first and not (arguments.quiet or arguments.json)
    with training_bar(visible=is_visible) as display:
        trainer = _make_trainer(
            arguments, config, work_dir, processes, _watch(display, config.task)
        )
        if trainer.step:
            display.say(f"going on at step {trainer.step:,} of {config.num_steps:,}")
        outcome = trainer.run(max_minutes=arguments.minutes, max_steps=arguments.steps)
    if processes.is_first:
        _tell(arguments, trainer, outcome)
    return outcome


def _default_work_dir(config: str) -> Path:
    name = Path(config).name if Path(config).is_file() else config.replace("/", "-")
    return Path("msvsr_training", name.removesuffix(".json"))


def _check(arguments: argparse.Namespace) -> None:
    """Refuse what needs no reading to be wrong."""
    if arguments.config is None:
        raise ConfigError("train needs a configuration: a JSON file, or a name from --list")
    if arguments.data_dir is None:
        raise ConfigError("train needs --data-dir: the folder of the clips to learn from")
    limits = {"--workers": 0, "--threads": 1, "--steps": 1, "--minutes": 0}
    for name, least in limits.items():
        value = getattr(arguments, name.removeprefix("--"))
        if value is not None and value < least:
            raise ConfigError(f"{name} must be at least {least}, got {value}")


def _print_list(*, as_json: bool) -> None:
    from msvsr.plugin.training_recipes import list_recipes
    from msvsr.training.start import read_run

    runs = {name: read_run(path) for name, path in list_recipes().items()}
    entries = [
        {"name": name, "task": each.task, "steps": each.num_steps, "batch_size": each.batch_size}
        for name, each in runs.items()
    ]
    if as_json:
        print_json(entries)
        return
    for entry in entries:
        steps = f"{entry['steps']:,} steps of {entry['batch_size']} samples"
        print_line(f"{entry['name']}\n  {entry['task']}, {steps}")


def _read_config(arguments: argparse.Namespace) -> "AnyTrainingConfig":
    from msvsr.plugin.training_data import name_clips
    from msvsr.plugin.training_recipes import find_recipe
    from msvsr.training.interpolation.config import InterpolationTrainingConfig
    from msvsr.training.start import read_run

    config = read_run(find_recipe(arguments.config))
    if arguments.precision is not None:
        config = replace(config, precision=arguments.precision)
    if isinstance(config, InterpolationTrainingConfig) and config.data is None:
        return name_clips(config, arguments.data_dir)
    return config


def _prepare_work_dir(work_dir: Path, resume: bool | None) -> None:
    """Look for a run that goes on, or put it aside."""
    is_there = (work_dir / _CHECKPOINT).is_file()
    if resume and not is_there:
        raise ConfigError(
            f"'{work_dir}' holds no {_CHECKPOINT} to go on from: leave --resume out, or give the "
            "work folder of the run"
        )
    if resume is False:
        for path in (work_dir / _CHECKPOINT, work_dir / _LOG):
            if path.is_file():
                path.replace(path.with_stem(f"{path.stem}.old"))


def _make_trainer(
    arguments: argparse.Namespace,
    config: "AnyTrainingConfig",
    work_dir: Path,
    processes: "Processes",
    events: "TrainingEvents",
) -> "AnyTrainer":
    from msvsr.plugin.training_weights import (
        find_initial,
        find_spynet,
        find_teacher,
        find_vgg,
    )
    from msvsr.training.start import Places, make_trainer

    with find_initial(arguments.initial, config) as initial:
        places = Places(
            data_dir=arguments.data_dir,
            work_dir=work_dir,
            cache_dir=arguments.cache_dir,
            initial=initial,
            teacher=find_teacher(arguments.teacher),
            spynet=find_spynet(arguments.spynet_weights),
            vgg=find_vgg(arguments.vgg_weights),
        )
        return make_trainer(
            config, places, num_workers=arguments.workers, processes=processes, events=events
        )


def _watch(display: TrainingDisplay, task: str) -> "TrainingEvents":
    from msvsr.models.catalog import SUPER_RESOLUTION_TASK
    from msvsr.training.events import SilentEvents, TrainingProgress

    plain = "bicubic interpolation" if task == SUPER_RESOLUTION_TASK else "a blend"

    class Watcher(SilentEvents):
        """Hands on what a person wants to see."""

        def on_progress(self, progress: TrainingProgress) -> None:
            display.show(progress)

        def after_validation(self, scores: Mapping[str, float]) -> None:
            if "gain_db" in scores:
                gain = f"{scores['gain_db']:+.2f} dB"
                display.say(f"held-out clips: {gain} over {plain}")

    return Watcher()


def _tell(arguments: argparse.Namespace, trainer: "AnyTrainer", outcome: "Outcome") -> None:
    """Say what came out, and how to go on."""
    done, total = f"{trainer.step:,}", f"{trainer.settings.num_steps:,}"
    same = (
        "the same command without --no-resume" if arguments.resume is False else "the same command"
    )
    again = f"{same} goes on from there"
    if outcome == "interrupted":
        sys.stderr.write(
            f"\nmsvsr: interrupted at step {done} of {total}; what was learned is in "
            f"{trainer.checkpoint_path}, {again}\n"
        )
    elif arguments.json:
        print_json(_summary(trainer, outcome))
    elif not arguments.quiet:
        rest = f"; {again}" if outcome == "limit" else ""
        print_line(f"{trainer.work_dir}: {done} of {total} steps, {trainer.seconds:.1f} s{rest}")


def _summary(trainer: "AnyTrainer", outcome: "Outcome") -> dict[str, Any]:
    scores = {
        name: {"plain_psnr_y": plain, "psnr_y": ours}
        for name, (plain, ours) in trainer.scores.items()
    }
    return {
        "folder": trainer.work_dir,
        "outcome": outcome,
        "step": trainer.step,
        "num_steps": trainer.settings.num_steps,
        "seconds": trainer.seconds,
        "validation": scores,
    }
