"""``msvsr card``: pictures of text on a terminal, text elsewhere."""

from pathlib import Path

import pytest

from msvsr.cli import main

CARD = """---
tasks:
- video-super-resolution
license: Apache License 2.0
---

# A model of ours

It makes *large* from small:

| whose | NIQE |
|---|---|
| paper | 3.7662 |

---

See [the page](https://example.org/page).\x1b[2J
"""


@pytest.fixture
def folder(tmp_path: Path) -> str:
    (tmp_path / "README.md").write_text(CARD)
    return str(tmp_path)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the standard output count as a terminal."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")


@pytest.mark.usefixtures("terminal")
def test_a_terminal_shows_the_card_without_its_header(
    folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["card", folder]) == 0
    shown = capsys.readouterr().out
    assert "Apache" not in shown
    assert "A model of ours" in shown
    assert "*large*" not in shown
    assert "|---|" not in shown
    assert "https://example.org/page" in shown


@pytest.mark.usefixtures("terminal")
def test_a_card_cannot_steer_the_terminal(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["card", folder]) == 0
    shown = capsys.readouterr().out
    assert "\x1b[1m" in shown  # bold: what rich writes itself
    assert "\x1b[2J" not in shown  # an empty screen: what the card wants


def test_a_pipe_gets_the_text_and_raw_the_file(
    folder: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    assert main(["card", folder]) == 0
    assert capsys.readouterr().out == CARD[CARD.index("# A model") :]
    assert main(["card", folder, "--raw"]) == 0
    assert capsys.readouterr().out == CARD


def test_shipped_models_have_cards(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["card", "realbasicvsr_lite_x4"]) == 0
    assert capsys.readouterr().out.startswith("# ")


def test_a_folder_without_a_card_is_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["card", str(tmp_path)]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert "has no card" in line
    assert "README.md" in line
