"""The python blocks of the documentation run, and its links lead somewhere.

The blocks of one file run in order, in one namespace and one temporary folder, where a clip named
``my.mp4`` lies. A block that cannot run here says why, and is reported as skipped:
``<!-- no-run: reason -->`` on the line above it.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.support.clips import AudioTrack, make_video

REPOSITORY = Path(__file__).resolve().parents[2]
RUN = [
    *(REPOSITORY / name for name in ("README.md", "CONVENTIONS.md")),
    *sorted(REPOSITORY.glob("configuration/*/README.md")),
]
LINKED = [
    *sorted(REPOSITORY.glob("*.md")),
    *sorted(REPOSITORY.glob("configuration/*/*.md")),
    *sorted(REPOSITORY.glob("*/README.md")),
]
BLOCK = re.compile(
    r"(?:<!-- no-run: (?P<reason>.+?) -->\n+)?```python\n(?P<code>.*?)^```", re.M | re.S
)
LINK = re.compile(
    r"\[[^\]]*\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)|src=['\"](?!https?:)([^'\"]+)"
)


@dataclass
class Document:
    """One file: its blocks, and the names that the blocks run so far have made."""

    path: Path
    blocks: list[re.Match[str]]
    num_run: int = 0
    names: dict[str, Any] = field(default_factory=dict)

    def run_up_to(self, index: int) -> None:
        """Run a block, after those before it that have not run yet."""
        while self.num_run <= index:
            block = self.blocks[self.num_run]
            self.num_run += 1
            if block["reason"] is None:
                self._run(block)

    def _run(self, block: re.Match[str]) -> None:
        lines_above = block.string.count("\n", 0, block.start("code"))
        source = "\n" * lines_above + block["code"]  # tracebacks show the line of the file
        exec(compile(source, str(self.path), "exec"), self.names)  # noqa: S102


def read(path: Path) -> Document:
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return Document(path, list(BLOCK.finditer(text)), names={"__name__": path.stem})


DOCUMENTS = [read(path) for path in RUN]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Path]:
    """A folder to work in for each document."""
    made = {document.path: tmp_path_factory.mktemp("blocks") for document in DOCUMENTS}
    for folder in made.values():
        make_video(folder / "my.mp4", audio=[AudioTrack()])
    return made


@pytest.mark.parametrize(
    ("document", "index"),
    [
        pytest.param(document, index, id=f"{document.path.relative_to(REPOSITORY)}-{index + 1}")
        for document in DOCUMENTS
        for index in range(len(document.blocks))
    ],
)
def test_block_runs(
    document: Document,
    index: int,
    folders: dict[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reason = document.blocks[index]["reason"]
    if reason is not None:
        pytest.skip(reason)
    monkeypatch.chdir(folders[document.path])
    document.run_up_to(index)


@pytest.mark.parametrize("path", LINKED, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_links_lead_somewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    broken = []
    for target, anchor, picture in LINK.findall(text):
        place = path.parent / (target or picture) if target or picture else path
        if not place.exists() or (anchor and anchor not in headings(place)):
            broken.append(f"{target or picture}#{anchor}")
    assert not broken, f"{path.name} links to what is not there: {broken}"


def headings(path: Path) -> set[str]:
    """Return the anchors that GitHub gives to a file's headings."""
    titles = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
