"""The published table of RealBasicVSR on VideoLQ, beside what methods reach on clips at hand.

Published: NIQE, NRQM, PI and BRISQUE of the official weights (Chan et al., CVPR 2022, and
mmediting), NIQE and PI of an independent reproduction, and NIQE of the ModelScope card; each under
its own protocol.

    python eval/videolq.py --data VIDEOLQ --models none bicubic realbasicvsr_lite_x4 realbasicvsr_x4
"""

import argparse
from pathlib import Path

from results import write_results

from msvsr.data.videolq import VideoLQ
from msvsr.errors import MsvsrError
from msvsr.evaluation import (
    AsIs,
    Bicubic,
    EvaluationOptions,
    ModelMethod,
    UpscalingMethod,
    evaluate_super_resolution,
)
from msvsr.evaluation.tables import format_comparison
from msvsr.plugin.hub import resolve_model

METRICS = ("niqe", "nrqm", "pi", "brisque", "warping_error")


def main() -> None:
    """Evaluate each method, print a table, and write it beside a JSON file when asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of clip folders")
    parser.add_argument("--models", nargs="+", default=["none", "bicubic", "realbasicvsr_lite_x4"])
    parser.add_argument("--metrics", nargs="+", default=METRICS)
    parser.add_argument("--work-dir", type=Path, help="keep scores here and go on from them")
    parser.add_argument("--output", type=Path, help="write PATH.md and PATH.json")
    args = parser.parse_args()
    clips, reports, missing = VideoLQ(args.data), [], {}
    for name in args.models:
        try:
            method = make_method(name)
        except MsvsrError as error:
            missing[name] = str(error)
            continue
        reports.append(
            evaluate_super_resolution(
                clips,
                method,
                work_dir=args.work_dir / name if args.work_dir else None,
                options=EvaluationOptions(metrics=tuple(args.metrics)),
                data_name=args.data.name,
            )
        )
    table = format_comparison({report.method: report.protocols for report in reports})
    text = "\n".join([table, *(f"- {name}: {why}" for name, why in missing.items()), ""])
    print(text)
    if args.output:
        write_results(args.output, text, reports)


def make_method(name: str) -> UpscalingMethod:
    """A plain method, or the model of a folder, a shipped name or a Hub id."""
    plain = {"none": AsIs, "bicubic": Bicubic}
    return plain[name]() if name in plain else ModelMethod.from_folder(resolve_model(name))


if __name__ == "__main__":
    main()
