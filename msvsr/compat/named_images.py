"""Results that join what is in a folder already, under the names of the images they came from."""

import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from msvsr.data.rows import list_images
from msvsr.errors import ConfigError, VideoError

__all__ = ["joined_folder", "result_names"]


def result_names(source: Path, *, as_png: bool) -> Mapping[int, str]:
    """File names of the results, by the number of the image.

    Args:
        source: A folder of images, or an image.
        as_png: Results are PNGs; otherwise they have the formats of their images.

    Raises:
        ConfigError: Two results would have one name.
    """
    paths = list_images(source) if source.is_dir() else [source]
    names = [path.with_suffix(".png").name if as_png else path.name for path in paths]
    origin: dict[str, str] = {}
    for path, name in zip(paths, names, strict=True):
        if name in origin:
            raise ConfigError(
                f"{source}: {origin[name]} and {path.name} would both become {name}; rename one, "
                "or give --is_save_as_png false"
            )
        origin[name] = path.name
    return dict(enumerate(names))


@contextmanager
def joined_folder(target: Path) -> Iterator[Path]:
    """Give a hidden place beside a folder; a folder made there joins it when the block ends.

    Files of the same names are replaced, others stay.

    Args:
        target: The folder; it is made when it is missing.

    Yields:
        Where to make the new folder.

    Raises:
        VideoError: The target is a file, or cannot be written.
    """
    if target.exists() and not target.is_dir():
        raise VideoError(f"{target}: is a file, but the output is a folder; name another.")
    place = target.with_name(f".{target.name}.{os.getpid()}-{secrets.token_hex(4)}.new")
    try:
        yield place
        _join(place, target)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _join(place: Path, target: Path) -> None:
    try:
        target.mkdir(exist_ok=True)
        for path in sorted(place.iterdir()):
            path.replace(target / path.name)
    except OSError as error:
        raise VideoError(
            f"{target}: the results cannot be moved there ({error.strerror}); name another folder."
        ) from error
