"""Train from the shell: ``python -m msvsr.training CONFIG --data-dir ... --work-dir ...``."""

import argparse
import sys
from pathlib import Path

import torch

from msvsr.data.cache import default_cache_dir
from msvsr.errors import ConfigError, MsvsrError
from msvsr.models.catalog import FRAME_INTERPOLATION_TASK
from msvsr.models.config_json import dataclass_from_mapping, read_json
from msvsr.training.config import TrainingConfig
from msvsr.training.interpolation.config import InterpolationTrainingConfig
from msvsr.training.interpolation.trainer import InterpolationTrainer
from msvsr.training.trainer import Trainer


def main(argv: list[str] | None = None) -> int:
    """Run or continue a training; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m msvsr.training", description=main.__doc__)
    parser.add_argument("config", type=Path, help="JSON file of the run")
    parser.add_argument("--data-dir", type=Path, required=True, help="folder that holds the clips")
    parser.add_argument("--work-dir", type=Path, required=True, help="checkpoint, log and weights")
    parser.add_argument("--cache-dir", type=Path, default=default_cache_dir())
    parser.add_argument("--teacher", type=Path, help="weights that teach a flow network")
    parser.add_argument("--initial", type=Path, help="folder with the weights to start from")
    parser.add_argument("--minutes", type=float, help="stop after this time")
    parser.add_argument("--steps", type=int, help="stop after this many steps")
    parser.add_argument("--workers", type=int, default=1, help="processes that prepare samples")
    parser.add_argument("--threads", type=int, help="threads of torch")
    args = parser.parse_args(argv)
    if args.threads:
        torch.set_num_threads(args.threads)
    try:
        _make_trainer(args).run(max_minutes=args.minutes, max_steps=args.steps)
    except MsvsrError as error:
        sys.stderr.write(f"msvsr: {error}\n")
        return 1
    return 0


def _make_trainer(args: argparse.Namespace) -> "Trainer | InterpolationTrainer":
    """The trainer of the task that the configuration names; super-resolution by default."""
    content = read_json(args.config)
    task = content.get("task")
    places = (args.data_dir, args.cache_dir, args.work_dir, args.workers)
    if task == FRAME_INTERPOLATION_TASK:
        config = dataclass_from_mapping(InterpolationTrainingConfig, content, args.config.name)
        return InterpolationTrainer(config, *places, teacher=args.teacher, initial=args.initial)
    if task is not None:
        raise ConfigError(
            f"{args.config.name}: task must be '{FRAME_INTERPOLATION_TASK}', or left out for "
            f"super-resolution, got {task!r}"
        )
    return Trainer(dataclass_from_mapping(TrainingConfig, content, args.config.name), *places)


if __name__ == "__main__":
    raise SystemExit(main())
