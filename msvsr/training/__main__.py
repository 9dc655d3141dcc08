"""Train from the shell: ``python -m msvsr.training CONFIG --data-dir ... --work-dir ...``.

``torchrun -m msvsr.training ...`` trains with several processes.
"""

import argparse
import sys
from pathlib import Path

import torch

from msvsr.errors import MsvsrError
from msvsr.training.processes import join_processes
from msvsr.training.start import Places, make_trainer, read_run

_INTERRUPTED = 130


def main(argv: list[str] | None = None) -> int:
    """Run or continue a training; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m msvsr.training", description=main.__doc__)
    parser.add_argument("config", type=Path, help="JSON file of the run")
    parser.add_argument("--data-dir", type=Path, required=True, help="folder that holds the clips")
    parser.add_argument("--work-dir", type=Path, required=True, help="checkpoint, log and weights")
    parser.add_argument("--cache-dir", type=Path, help="folder of decoded clips")
    parser.add_argument("--initial", type=Path, help="weights to start from: model folder or file")
    parser.add_argument("--teacher", type=Path, help="weights that teach a flow network")
    parser.add_argument("--spynet", type=Path, help="weights of the flow network, then kept fixed")
    parser.add_argument("--vgg", type=Path, help="weights of VGG19: file or folder")
    parser.add_argument("--device", default="cpu", help="auto, cpu, cuda, cuda:N or mps")
    parser.add_argument("--minutes", type=float, help="stop after this time")
    parser.add_argument("--steps", type=int, help="stop after this many steps")
    parser.add_argument("--workers", type=int, default=1, help="processes that prepare samples")
    parser.add_argument("--threads", type=int, help="threads of torch")
    args = parser.parse_args(argv)
    if args.threads:
        torch.set_num_threads(args.threads)
    try:
        outcome = _train(args)
    except MsvsrError as error:
        sys.stderr.write(f"msvsr: {error}\n")
        return 1
    return _INTERRUPTED if outcome == "interrupted" else 0


def _train(args: argparse.Namespace) -> str:
    config = read_run(args.config)
    places = Places(
        data_dir=args.data_dir,
        work_dir=args.work_dir,
        cache_dir=args.cache_dir,
        initial=args.initial,
        teacher=args.teacher,
        spynet=args.spynet,
        vgg=args.vgg,
    )
    processes = join_processes(args.device)
    trainer = make_trainer(config, places, num_workers=args.workers, processes=processes)
    outcome = trainer.run(max_minutes=args.minutes, max_steps=args.steps)
    processes.leave()
    return outcome


if __name__ == "__main__":
    raise SystemExit(main())
