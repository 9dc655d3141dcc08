"""What the page may read: allowed folders, whatever a path or a link tries, and honest files."""

from pathlib import Path

import pytest

from msvsr.errors import ConfigError, InputError
from msvsr.ui.files import AllowedFolders, check_kind, free_name, gather_uploads

_MEBIBYTE = 2**20


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret.mp4").write_bytes(b"\0\1\2\3")
    (folder / "secret.png").write_bytes(b"\0\1\2\3")
    return folder


@pytest.fixture
def inside(tmp_path: Path, outside: Path) -> Path:
    folder = tmp_path / "inside"
    (folder / "images").mkdir(parents=True)
    (folder / "clip.mp4").write_bytes(b"\0\0\0\x20ftyp")
    (folder / "notes.txt").write_text("hello")
    for number in range(3):
        (folder / "images" / f"{number}.png").write_bytes(b"\x89PNG\0")
    return folder


@pytest.fixture
def allowed(inside: Path) -> AllowedFolders:
    return AllowedFolders([inside])


def test_what_lies_inside_is_found_by_any_path(allowed: AllowedFolders, inside: Path) -> None:
    assert allowed.source("clip.mp4") == inside / "clip.mp4"
    assert allowed.source(str(inside / "clip.mp4")) == inside / "clip.mp4"
    assert allowed.source("images/../images") == inside / "images"
    assert allowed.source(" clip.mp4 ") == inside / "clip.mp4"


def test_what_lies_outside_is_refused_whether_or_not_it_is_there(
    allowed: AllowedFolders, inside: Path, outside: Path
) -> None:
    sibling = inside.with_name("inside-too")
    sibling.mkdir()
    for text in (
        str(outside / "secret.mp4"),
        str(outside / "missing.mp4"),
        "../outside/secret.mp4",
        "images/../../outside/secret.mp4",
        str(sibling),
        "/",
        "~",
        "..",
    ):
        with pytest.raises(InputError, match="outside the allowed folders"):
            allowed.resolve(text)


def test_links_count_as_what_they_point_at(
    allowed: AllowedFolders, inside: Path, outside: Path
) -> None:
    (inside / "link.mp4").symlink_to(outside / "secret.mp4")
    (inside / "door").symlink_to(outside)
    (inside / "loop.mp4").symlink_to(inside / "loop.mp4")
    (inside / "again.mp4").symlink_to(inside / "clip.mp4")
    for text in ("link.mp4", "door", "door/secret.mp4"):
        with pytest.raises(InputError, match="outside the allowed folders"):
            allowed.source(text)
    with pytest.raises(InputError):
        allowed.source("loop.mp4")
    assert allowed.source("again.mp4") == inside / "clip.mp4"
    shown = {entry.path.name for entry in allowed.entries(inside)}
    assert shown == {"images", "clip.mp4", "again.mp4"}


def test_a_folder_with_an_image_from_outside_is_refused(
    allowed: AllowedFolders, inside: Path, outside: Path
) -> None:
    (inside / "images" / "3.png").symlink_to(outside / "secret.png")
    with pytest.raises(InputError, match="link to outside"):
        allowed.source("images")


@pytest.mark.parametrize("text", ["missing.mp4", "http://example.org/a.mp4", "a\0b.mp4"])
def test_what_is_not_there_is_refused_in_one_line(allowed: AllowedFolders, text: str) -> None:
    with pytest.raises(InputError) as caught:
        allowed.source(text)
    assert "\n" not in str(caught.value)


def test_folders_come_first_and_only_what_can_be_read(
    allowed: AllowedFolders, inside: Path
) -> None:
    for name in ("frame10.png", "frame9.png", ".hidden.mp4"):
        (inside / name).write_bytes(b"\0")
    names = [(entry.path.name, entry.is_folder) for entry in allowed.entries(inside)]
    assert names == [
        ("images", True),
        ("clip.mp4", False),
        ("frame9.png", False),
        ("frame10.png", False),
    ]


def test_a_folder_without_images_is_no_source(allowed: AllowedFolders, inside: Path) -> None:
    (inside / "empty").mkdir()
    with pytest.raises(InputError, match="no image"):
        allowed.source("empty")


def test_allowing_what_is_no_folder_is_refused(inside: Path) -> None:
    for path in (inside / "missing", inside / "clip.mp4"):
        with pytest.raises(ConfigError, match="folder"):
            AllowedFolders([path])
    with pytest.raises(ConfigError, match="--allow"):
        AllowedFolders([])


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("program.exe", b"MZ\0\0", "neither a video nor an image"),
        ("empty.mp4", b"", "is empty"),
        ("list.mp4", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n", "is text"),
        ("list.mkv", b"ffconcat version 1.0\nfile /etc/hostname\n", "is text"),
    ],
)
def test_files_of_another_kind_are_refused(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=reason):
        check_kind(path)


def test_one_upload_is_the_source_and_several_images_are_a_folder(
    tmp_path: Path, inside: Path
) -> None:
    clip = inside / "clip.mp4"
    assert gather_uploads([clip], tmp_path / "new", max_bytes=_MEBIBYTE) == clip
    images = sorted((inside / "images").iterdir())
    twice = [*images, images[0]]  # two folders may hold the same name
    folder = gather_uploads(twice, tmp_path / "new", max_bytes=_MEBIBYTE)
    assert {path.name for path in folder.iterdir()} == {"0.png", "1.png", "2.png", "0-2.png"}
    assert images[0].exists()


def test_uploads_that_cannot_be_one_source_are_refused(tmp_path: Path, inside: Path) -> None:
    clip, image = inside / "clip.mp4", inside / "images" / "0.png"
    with pytest.raises(InputError, match="one video or several images"):
        gather_uploads([clip, image], tmp_path / "new", max_bytes=_MEBIBYTE)
    with pytest.raises(InputError, match="nothing"):
        gather_uploads([], tmp_path / "new", max_bytes=_MEBIBYTE)
    (inside / "large.mp4").write_bytes(bytes(2 * _MEBIBYTE))
    with pytest.raises(InputError, match="2 MiB were uploaded, 1 are allowed"):
        gather_uploads([inside / "large.mp4"], tmp_path / "new", max_bytes=_MEBIBYTE)
    assert not (tmp_path / "new").exists()


def test_a_name_that_is_taken_gets_a_number(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    assert free_name(path) == path
    path.touch()
    (tmp_path / "clip-2.mp4").touch()
    assert free_name(path) == tmp_path / "clip-3.mp4"
