"""The page's two languages say the same things, and the page says nothing else."""

import re
from pathlib import Path
from string import Formatter

import pytest

from msvsr.errors import InputError
from msvsr.ui.texts import TEXTS, preferred_language, say

_FOLDER = Path(__file__).parents[2] / "msvsr" / "ui"
_MADE_KEYS = re.compile(r"(state|task|kind|fact|refine)_\w+")


def gaps(text: str) -> int:
    return sum(name is not None for _, name, _, _ in Formatter().parse(text))


@pytest.mark.parametrize("key", TEXTS)
def test_both_languages_have_the_same_gaps(key: str) -> None:
    english, chinese = TEXTS[key]
    assert english.strip()
    assert chinese.strip()
    assert gaps(english) == gaps(chinese)


def test_every_text_is_used_and_every_used_text_is_there() -> None:
    source = "\n".join(
        path.read_text(encoding="utf-8") for path in _FOLDER.glob("*.py") if path.name != "texts.py"
    )
    used = set(re.findall(r"say\(\s*[\"'](\w+)[\"']", source))
    assert used <= TEXTS.keys()
    quoted = set(re.findall(r"[\"'](\w+)[\"']", source))
    for key in TEXTS:
        assert key in quoted or _MADE_KEYS.fullmatch(key), f"nobody says '{key}'"


def test_no_chinese_stands_outside_the_table() -> None:
    for path in _FOLDER.glob("*.py"):
        if path.name != "texts.py":
            assert not re.search(r"[\u4e00-\u9fff]", path.read_text(encoding="utf-8")), path.name


def test_gaps_are_filled_and_unknown_texts_refused() -> None:
    assert say("frames", "en", 3, 10) == "3 of 10 frames"
    assert say("frames", "zh", 3, 10) == "3 / 10 帧"
    with pytest.raises(InputError, match="no text 'nonsense'"):
        say("nonsense", "en")


@pytest.mark.parametrize(
    ("header", "language"),
    [("zh-TW", "zh"), ("en-GB,zh;q=0.5", "en"), ("fr", "en"), ("", "en")],
)
def test_the_browser_says_which_language(header: str, language: str) -> None:
    assert preferred_language(header) == language
