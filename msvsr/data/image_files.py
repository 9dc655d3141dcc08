"""Image files as they are stored: in and out without a change of depth or channels."""

import os
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from msvsr.errors import VideoError

__all__ = ["read_as_stored", "write_png"]


def read_as_stored(path: Path) -> npt.NDArray[np.generic]:
    """Read an image with its own channels and depth, in OpenCV's order; photographs upright.

    Raises:
        VideoError: It cannot be decoded, or has neither 8 nor 16 bits.
    """
    encoded = np.frombuffer(path.read_bytes(), np.uint8)
    flags = cv2.IMREAD_UNCHANGED
    if path.suffix.lower() in (".jpg", ".jpeg"):
        flags = cv2.IMREAD_COLOR  # which turns photographs upright
    image = cv2.imdecode(encoded, flags) if encoded.size else None
    if image is None or image.dtype not in (np.uint8, np.uint16):
        raise VideoError(f"{path} is not an image of 8 or 16 bits that can be decoded; check it")
    return image


def write_png(path: Path, image: npt.NDArray[np.generic], compression: int) -> None:
    """Write under a temporary name, then move into place; folders are made when missing.

    Args:
        path: The file.
        image: In OpenCV's order, uint8 or uint16.
        compression: 0 (quick) to 9 (small).

    Raises:
        VideoError: It cannot be written.
    """
    options = [cv2.IMWRITE_PNG_COMPRESSION, compression]
    is_encoded, encoded = cv2.imencode(".png", np.ascontiguousarray(image), options)
    if not is_encoded:
        raise VideoError(f"{path}: the image cannot be encoded as PNG; check it")
    partial = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(encoded.tobytes())
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise VideoError(f"{path} cannot be written ({error.strerror}); check the disk") from error
