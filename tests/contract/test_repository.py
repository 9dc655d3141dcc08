"""The files of the repository agree with each other and keep private places to themselves."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import msvsr

REPOSITORY = Path(__file__).resolve().parents[2]

# Folders of one machine. Written so that this line does not match itself.
MACHINE_PATH = re.compile(r"(?<![\w.~-])/(?:work|root|home|Users)/\w|/opt/(?:wheels|pypi)")

# Whom a text may point a reader to. Package indexes and model hubs are the business of each
# machine's settings, so neither code nor constraints may name one.
HOSTS = {
    "127.0.0.1",
    "arxiv.org",
    "doi.org",
    "example.com",
    "example.org",
    "ffmpeg.org",
    "github.com",
    "keepachangelog.com",
    "localhost",
    "pytorch.org",
    "semver.org",
    "www.apache.org",
}
# The model cards and the README show the official example, whose video has an address.
CARD_HOSTS = {
    "modelscope.cn",
    "www.modelscope.cn",
    "modelscope.oss-cn-beijing.aliyuncs.com",
}
# What is imported under another name than it is installed by.
DISTRIBUTIONS = {"PIL": "pillow", "cv2": "opencv-python"}
URL = re.compile(r"https?://([\w.-]+)")


def project_files() -> list[Path]:
    """List the text files that git tracks or would add."""
    git = shutil.which("git")
    if git is None or not (REPOSITORY / ".git").exists():
        pytest.skip("not a git checkout")
    command = [git, "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listing = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    paths = (REPOSITORY / name for name in listing.stdout.split("\0") if name)
    return [path for path in paths if path.is_file() and b"\0" not in path.read_bytes()[:8192]]


def test_no_file_names_a_folder_of_one_machine() -> None:
    named = {
        str(path.relative_to(REPOSITORY)): found[0]
        for path in project_files()
        if (found := MACHINE_PATH.findall(path.read_text(encoding="utf-8")))
    }
    assert not named


def test_no_file_names_a_host_that_is_not_allowed() -> None:
    named = {}
    for path in project_files():
        allowed = HOSTS | CARD_HOSTS if path.suffix == ".md" else HOSTS
        hosts = set(URL.findall(path.read_text(encoding="utf-8"))) - allowed
        if hosts:
            named[str(path.relative_to(REPOSITORY))] = sorted(hosts)
    assert not named


def test_the_changelog_has_the_version() -> None:
    changelog = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## \[{re.escape(msvsr.__version__)}\]", changelog, re.MULTILINE)


def test_constraints_name_versions_only() -> None:
    lines = (REPOSITORY / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    pattern = re.compile(r'^[\w.-]+==[\w.]+(; python_version >= "3\.\d+")?$')
    assert not [pin for pin in pins if not pattern.match(pin)]


def required() -> set[str]:
    """Read the distributions that setup.py names, the development tools included."""
    setup = (REPOSITORY / "setup.py").read_text(encoding="utf-8")
    return set(re.findall(r'^\s+"([\w-]+)(?:\[\w+\])?>=', setup, re.MULTILINE))


def test_every_requirement_is_pinned() -> None:
    constraints = (REPOSITORY / "constraints.txt").read_text(encoding="utf-8").lower()
    canonical = re.sub(r"[-_.]+", "-", constraints)
    assert not [name for name in required() if f"\n{name.lower()}==" not in canonical]


def test_every_import_is_required() -> None:
    imported = set()
    for path in (REPOSITORY / "msvsr").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module.split(".")[0])
    foreign = imported - set(sys.stdlib_module_names) - {"msvsr"}
    assert foreign
    assert not {DISTRIBUTIONS.get(name, name) for name in foreign} - required()
