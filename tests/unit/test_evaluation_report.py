"""What a report says: for programs, for readers, and for a browser without a network."""

import html.parser
import importlib.metadata
import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from msvsr.data.videolq import VideoLQ
from msvsr.errors import ConfigError
from msvsr.evaluation import (
    INTERPOLATION_PROTOCOLS,
    SUPER_RESOLUTION_PROTOCOLS,
    AsIs,
    Bicubic,
    EvaluationOptions,
    EvaluationReport,
    ModelDescription,
    evaluate_super_resolution,
    find_protocols,
)
from msvsr.evaluation.tables import format_comparison
from tests.support.evaluation import CountingMethod, write_clips

LENGTHS = (3, 2)


@pytest.fixture
def clips(tmp_path: Path) -> VideoLQ:
    return VideoLQ(write_clips(tmp_path / "data", LENGTHS))


@pytest.fixture
def report(clips: VideoLQ, tmp_path: Path) -> EvaluationReport:
    return evaluate_super_resolution(
        clips, CountingMethod(), work_dir=tmp_path / "work", data_name="street <1>"
    )


def test_protocols_stand_in_the_order_in_which_they_answer() -> None:
    assert list(SUPER_RESOLUTION_PROTOCOLS) == ["all-frames", "paper", "modelscope-card"]
    assert list(INTERPOLATION_PROTOCOLS) == ["standard", "modelscope-card"]
    named = find_protocols("video-frame-interpolation", ["modelscope-card", "standard"])
    assert [each.name for each in named] == ["modelscope-card", "standard"]
    with pytest.raises(ConfigError, match="expected some of all-frames, paper, modelscope-card"):
        find_protocols("video-super-resolution", ["card"])
    with pytest.raises(ConfigError, match="no evaluation for the task 'image-matting'"):
        find_protocols("image-matting")


def test_published_numbers_are_those_of_their_sources() -> None:
    published = {name: dict(p.published) for name, p in SUPER_RESOLUTION_PROTOCOLS.items()}
    assert published == {
        "all-frames": {"niqe": 3.87, "pi": 3.92},
        "paper": {"niqe": 3.7662, "nrqm": 6.0477, "pi": 3.8593, "brisque": 29.03},
        "modelscope-card": {"niqe": 2.5693},
    }


def test_the_paper_takes_frames_0_50_and_99_of_a_hundred() -> None:
    paper = SUPER_RESOLUTION_PROTOCOLS["paper"]
    assert sorted(paper.choose(100)) == [0, 50, 99]
    assert sorted(paper.choose(2)) == [0, 1]
    assert sorted(paper.choose(1)) == [0]
    assert len(SUPER_RESOLUTION_PROTOCOLS["all-frames"].choose(100)) == 100


def test_options_name_metrics_as_several_names() -> None:
    with pytest.raises(ConfigError, match="got the text 'niqe'"):
        EvaluationOptions(metrics="niqe")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="at least one"):
        EvaluationOptions(protocols=())
    with pytest.raises(ConfigError, match="crop_border must be"):
        EvaluationOptions(crop_border=-1)


def test_the_json_has_metrics_as_keys_and_says_what_was_measured(
    report: EvaluationReport, tmp_path: Path
) -> None:
    content = json.loads((tmp_path / "work" / "report.json").read_text())
    assert content == json.loads(json.dumps(report.to_json()))
    assert content["niqe"] == report.metrics["niqe"]
    assert content["data"] == {"name": "street <1>", "num_clips": 2, "num_frames": 5}
    assert content["model"]["sha256"] == "1"
    assert content["device"] == "cpu"
    versions = content["versions"]
    assert versions["torch"] == torch.__version__
    assert versions["modelscope"] == importlib.metadata.version("modelscope")
    assert list(content["protocols"]) == list(SUPER_RESOLUTION_PROTOCOLS)
    paper = content["protocols"]["paper"]
    assert paper["published"]["nrqm"] == 6.0477
    assert "Chan et al." in paper["source"]
    assert paper["metrics"] == {"niqe": report.metrics["niqe[paper]"]}
    assert [(clip["name"], clip["num_frames"]) for clip in paper["clips"]] == [
        ("000", 3),
        ("001", 2),
    ]
    assert content["seconds_per_frame"] >= 0


def test_infinite_numbers_are_no_invalid_json(clips: VideoLQ, tmp_path: Path) -> None:
    evaluate_super_resolution(clips, AsIs(), work_dir=tmp_path / "w", ground_truth=clips)

    def refuse(text: str) -> float:
        raise AssertionError(text)

    text = (tmp_path / "w" / "report.json").read_text()
    content = json.loads(text, parse_constant=refuse)
    assert float(content["psnr"]) == math.inf
    assert content["mse"] == 0
    page = (tmp_path / "w" / "scores.html").read_text()
    assert page.count('width="0.0"') >= 2
    assert ">nan<" not in page


def test_the_text_shows_label_source_and_published_number_beside_each(
    report: EvaluationReport,
) -> None:
    text = report.to_text()
    lines = text.splitlines()
    for result in report.protocols:
        protocol = result.protocol
        label = f"{protocol.name}: {protocol.title}"
        row = next(number for number, line in enumerate(lines) if label in line)
        assert lines[row].split()[:3] == [
            "niqe",
            f"{result.metrics['niqe']:.4f}",
            f"{protocol.published['niqe']:g}",
        ]
        assert lines[row + 1].strip() == f"source: {protocol.source}"
    assert "mean over 5 frames, each of which weighs the same" in text
    assert lines[-2].split() == ["000", *_numbers(report, "000")]
    assert lines[-1].split() == ["001", *_numbers(report, "001")]
    assert report.to_text(max_clips=1).splitlines()[-1] == "... and 1 more"


def _numbers(report: EvaluationReport, name: str) -> list[str]:
    found = [
        next((clip.metrics["niqe"] for clip in result.clips if clip.name == name), None)
        for result in report.protocols
    ]
    return ["-" if value is None else f"{value:.4f}" for value in found]


class _Page(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_the_page_has_a_bar_per_clip_and_needs_nothing_from_elsewhere(
    report: EvaluationReport, tmp_path: Path
) -> None:
    page = _Page()
    page.feed((tmp_path / "work" / "scores.html").read_text(encoding="utf-8"))
    assert not page.open
    assert not {"script", "link", "img", "iframe"} & {tag for tag, _ in page.tags}
    assert not [attrs for _, attrs in page.tags if {"src", "href", "xlink:href"} & set(attrs)]
    bars = [attrs for tag, attrs in page.tags if tag == "rect"]
    values = [c.metrics["niqe"] for name in ("000", "001") for r in report.protocols
              for c in r.clips if c.name == name]  # fmt: skip
    widths = [float(attrs["width"] or 0) for attrs in bars]
    assert np.allclose(np.array(widths) / max(widths), np.array(values) / max(values), atol=1e-3)
    colors = {str(attrs["fill"]) for attrs in bars}
    assert len(colors) == 3
    text = "".join(page.texts)
    assert "counting on street <1>" in text
    for result in report.protocols:
        assert result.protocol.title in text
        assert result.protocol.source in text
        assert f"{result.metrics['niqe']:.4f}" in text


def test_the_markdown_has_the_same_numbers(report: EvaluationReport, tmp_path: Path) -> None:
    text = (tmp_path / "work" / "report.md").read_text(encoding="utf-8")
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in text.splitlines()
        if "|" in line
    ]
    for result in report.protocols:
        protocol = result.protocol
        value, published = f"{result.metrics['niqe']:.4f}", f"{protocol.published['niqe']:g}"
        assert ["niqe", value, published, f"{protocol.name}: {protocol.title}"] in rows
    assert ["000", *_numbers(report, "000")] in rows


def test_a_model_is_named_with_its_hash(report: EvaluationReport) -> None:
    assert report.model == ModelDescription(name="m", sha256="1")
    assert report.headline()[0] == "counting (sha256 1)"


def test_methods_stand_side_by_side_with_the_reason_of_what_is_missing(
    clips: VideoLQ, report: EvaluationReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyiqa", None)  # not installed
    options = EvaluationOptions(metrics=("niqe", "brisque"))
    other = evaluate_super_resolution(clips, Bicubic(1), options=options)
    text = format_comparison({"first": report.protocols, "second": other.protocols})
    row = next(line for line in text.splitlines() if line.startswith("| all-frames | niqe |"))
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    expected = [f"{each.metrics['niqe']:.4f}" for each in (report, other)]
    assert cells == ["all-frames", "niqe", *expected, "3.87"]
    assert "| all-frames | brisque | - | - |" in text
    assert "- brisque: " in text
