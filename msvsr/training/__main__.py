"""Train from the shell: ``python -m msvsr.training CONFIG --data-dir ... --work-dir ...``."""

import argparse
import sys
from pathlib import Path

import torch

from msvsr.data.cache import default_cache_dir
from msvsr.errors import MsvsrError
from msvsr.models.config_json import read_config
from msvsr.training.config import TrainingConfig
from msvsr.training.trainer import Trainer


def main(argv: list[str] | None = None) -> int:
    """Run or continue a training; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m msvsr.training", description=main.__doc__)
    parser.add_argument("config", type=Path, help="JSON file of the run")
    parser.add_argument("--data-dir", type=Path, required=True, help="folder that holds the clips")
    parser.add_argument("--work-dir", type=Path, required=True, help="checkpoint, log and weights")
    parser.add_argument("--cache-dir", type=Path, default=default_cache_dir())
    parser.add_argument("--minutes", type=float, help="stop after this time")
    parser.add_argument("--steps", type=int, help="stop after this many steps")
    parser.add_argument("--workers", type=int, default=1, help="processes that prepare samples")
    parser.add_argument("--threads", type=int, help="threads of torch")
    args = parser.parse_args(argv)
    if args.threads:
        torch.set_num_threads(args.threads)
    try:
        config = read_config(args.config, TrainingConfig)
        trainer = Trainer(config, args.data_dir, args.cache_dir, args.work_dir, args.workers)
        trainer.run(max_minutes=args.minutes, max_steps=args.steps)
    except MsvsrError as error:
        sys.stderr.write(f"msvsr: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
