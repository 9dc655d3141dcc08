"""Evaluate a tiny model, alone or as one of several processes, and write down what came out.

torchrun --nproc-per-node 2 tests/support/evaluate_together.py DATA WORK_DIR OUTPUT
"""

import json
import os
import sys
from pathlib import Path

import torch

from msvsr.data.videolq import VideoLQ
from msvsr.errors import MsvsrError
from msvsr.evaluation import EvaluationProgress, ModelMethod, evaluate_super_resolution
from msvsr.evaluation.distributed import is_first_process
from msvsr.evaluation.model_description import ModelDescription
from tests.support.models import tiny_model


def main(data: str, work_dir: str, output: str) -> None:
    """Write ``OUTPUT/<rank>.json``: the report or the error, and the clips that were done here."""
    torch.set_num_threads(1)
    rank = os.environ.get("RANK", "0")
    seen: list[EvaluationProgress] = []
    method = ModelMethod(tiny_model, ModelDescription(name="tiny", sha256="0"), device="cpu")
    found: dict[str, object] = {"is_first": is_first_process()}
    try:
        report = evaluate_super_resolution(
            VideoLQ(data), method, work_dir=Path(work_dir), on_progress=seen.append
        )
        found |= {"report": report.to_json(), "metrics": report.metrics}
        again = evaluate_super_resolution(VideoLQ(data), method, work_dir=Path(work_dir))
        found["metrics_of_second_call"] = again.metrics
    except MsvsrError as error:
        found["error"] = str(error)
    found["clips"] = sorted({each.clip for each in seen})
    found["last"] = [seen[-1].clips_done, seen[-1].frames_done, seen[-1].num_frames] if seen else []
    Path(output, f"{rank}.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
