"""Files that are no videos, written whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msvsr.errors import VideoError
from msvsr.video.placement import Placement, exit_on_kill

__all__ = ["whole_file"]


@contextmanager
def whole_file(target: Path, *, overwrite: bool) -> Iterator[Path]:
    """Give a hidden place beside a target, which becomes the target when the block ends normally.

    Args:
        target: The file.
        overwrite: An existing one may be replaced.

    Yields:
        Where to write.

    Raises:
        VideoError: The target exists, or nothing can be written there.
    """
    with exit_on_kill():
        placement = Placement(target, overwrite=overwrite)
        try:
            yield placement.temporary
        except OSError as error:
            placement.discard()
            if isinstance(error, VideoError):
                raise
            raise VideoError(f"{target}: writing failed ({error.strerror}).") from error
        except BaseException:
            placement.discard()
            raise
        placement.commit()
