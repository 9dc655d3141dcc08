"""The interpolation card's table (PSNR, SSIM, LPIPS), beside what methods reach on sets at hand.

Published: the practical model on ucf_101, middlebury and davis (ModelScope's card). A set's
published row is found by its folder's name.

    python eval/interpolation_sets.py --data MIDDLEBURY --models none raft_interpolation_lite \
        raft_interpolation_practical
"""

import argparse
from pathlib import Path

from results import write_results

from msvsr.data.interpolation_sets import InterpolationSet
from msvsr.errors import MsvsrError
from msvsr.evaluation import (
    Blend,
    EvaluationOptions,
    InterpolatorMethod,
    evaluate_interpolation,
)
from msvsr.evaluation.tables import format_comparison
from msvsr.models.catalog import FRAME_INTERPOLATION_TASK
from msvsr.plugin.hub import resolve_model

NAMES = {"none": "blend"}


def main() -> None:
    """Evaluate each method on each set, print tables, and write them when asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="folders of samples")
    parser.add_argument("--models", nargs="+", default=["none", "raft_interpolation_lite"])
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--lpips-weights", type=Path, help="weights of AlexNet")
    parser.add_argument("--output", type=Path, help="write PATH.md and PATH.json")
    args = parser.parse_args()
    options = EvaluationOptions(lpips_weights=args.lpips_weights)
    parts, every, missing = [], [], {}
    for folder in args.data:
        reports = []
        for name in args.models:
            try:
                method = make_method(name, args.dtype)
            except MsvsrError as error:
                missing[name] = str(error)
                continue
            samples = InterpolationSet(folder)
            reports.append(
                evaluate_interpolation(samples, method, options=options, data_name=folder.name)
            )
        table = format_comparison({NAMES.get(r.method, r.method): r.protocols for r in reports})
        parts += [f"## {folder.name}", "", table]
        every += reports
    text = "\n".join([*parts, *(f"- {name}: {why}" for name, why in missing.items()), ""])
    print(text)
    if args.output:
        write_results(args.output, text, every)


def make_method(name: str, dtype: str) -> Blend | InterpolatorMethod:
    """The blend, or the model of a folder, a shipped name or a Hub id."""
    if name == "none":
        return Blend()
    return InterpolatorMethod.from_folder(
        resolve_model(name, FRAME_INTERPOLATION_TASK), dtype=dtype
    )


if __name__ == "__main__":
    main()
