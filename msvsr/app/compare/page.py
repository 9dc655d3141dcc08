"""A page for a browser with a divider to drag; it holds all that it needs."""

import base64
import html
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from msvsr.app.compare.options import ClipScores
from msvsr.app.compare.page_parts import SCRIPT, STYLE
from msvsr.app.compare.pictures import Scene
from msvsr.errors import VideoError

__all__ = ["MAX_BYTES", "Embedded", "embed_file", "embed_images", "format_page", "stack"]

Image = npt.NDArray[np.uint8]

MAX_BYTES = 48 * 2**20  # of the pictures in a page: more is slow to open and hard to send
_LOSSLESS_BYTES = 12 * 2**20
_JPEG_QUALITY = 95


@dataclass(frozen=True, kw_only=True)
class Embedded:
    """Pictures that a page carries: all clips below each other, so that they cannot drift apart.

    Attributes:
        kind: MIME type.
        data: The file.
        has_sound: The file has sound, too.
    """

    kind: str
    data: bytes
    has_sound: bool = False


def stack(scene: Scene, num_clips: int) -> Image:
    """The frames of the clips below each other, each cut to even sides."""
    height, width = scene.images[0].shape[:2]
    even = [image[: height - height % 2, : width - width % 2] for image in scene.images[:num_clips]]
    return np.vstack(even)


def embed_file(path: Path, *, has_sound: bool) -> Embedded:
    """Take a video into a page.

    Raises:
        VideoError: It is too large.
    """
    data = path.read_bytes()
    if len(data) > MAX_BYTES:
        raise VideoError(
            f"a page holds at most {MAX_BYTES >> 20} MiB of pictures, got {len(data) >> 20}; give "
            "--end, a smaller --panel-width or a larger --crf."
        )
    return Embedded(kind="video/mp4", data=data, has_sound=has_sound)


def embed_images(image: Image) -> Embedded:
    """Take images into a page, without loss as long as that is not large."""
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    _, lossless = cv2.imencode(".png", bgr)
    if len(lossless) <= _LOSSLESS_BYTES:
        return Embedded(kind="image/png", data=lossless.tobytes())
    _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return Embedded(kind="image/jpeg", data=data.tobytes())


def format_page(
    embedded: Embedded,
    *,
    labels: Sequence[str],
    size: tuple[int, int],
    frame_rate: float,
    scores: Sequence[ClipScores],
) -> Iterator[str]:
    """The page.

    Args:
        embedded: The pictures.
        labels: The clips, in the order in which they lie below each other.
        size: Height and width of one of them.
        frame_rate: Frames per second, for stepping.
        scores: Figures to show; may be empty.

    Yields:
        Its parts, in order.
    """
    title = html.escape(" | ".join(labels))
    facts = {"labels": list(labels), "height": size[0], "width": size[1], "rate": frame_rate}
    encoded = base64.b64encode(embedded.data).decode()
    source = f"data:{embedded.kind};base64,{encoded}"
    yield '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">\n'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    yield f"<title>{title}</title><style>{STYLE}</style></head><body>\n"
    yield '<div id="view"><div id="stage"><canvas id="picture" role="img" '
    yield f'aria-label="{title}"></canvas><span id="left" class="name"></span>'
    yield '<span id="right" class="name"></span>'
    yield '<div id="divider" role="slider" tabindex="0" aria-label="divider" aria-valuemin="0" '
    yield 'aria-valuemax="100" aria-valuenow="50"><span></span></div></div></div>\n'
    yield from _controls(labels, embedded)
    yield from _table(scores)
    if embedded.kind.startswith("video"):
        yield f'<video id="source" muted loop playsinline preload="auto" src="{source}"></video>\n'
    else:
        yield f'<img id="source" alt="" src="{source}">\n'
    encoded_facts = json.dumps(facts).replace("</", "<\\/")
    yield f'<script type="application/json" id="facts">{encoded_facts}</script>\n'
    yield f"<script>{SCRIPT}</script></body></html>\n"


def _controls(labels: Sequence[str], embedded: Embedded) -> Iterator[str]:
    yield '<div id="controls">'
    if embedded.kind.startswith("video"):
        yield '<button id="play" type="button" title="space">play</button>'
        yield '<button id="back" type="button" title="comma">&minus;1 frame</button>'
        yield '<button id="on" type="button" title="full stop">+1 frame</button>'
        yield '<input id="time" type="range" min="0" max="1" step="any" value="0" '
        yield 'aria-label="position">'
        yield '<label>speed <select id="speed"><option>0.1</option><option>0.25</option>'
        yield "<option>0.5</option><option selected>1</option></select></label>"
    if embedded.has_sound:
        yield '<label><input id="sound" type="checkbox"> sound</label>'
    if len(labels) > 2:
        for place, (name, chosen) in enumerate((("left", 0), ("right", 1))):
            rows = "".join(
                f'<option value="{number}"{" selected" if number == chosen else ""}>'
                f"{html.escape(label)}</option>"
                for number, label in enumerate(labels)
            )
            yield f'<label>{name} <select id="choice{place}">{rows}</select></label>'
    yield '<label>size <select id="zoom"><option value="0">fit</option>'
    yield '<option value="1">100%</option><option value="2">200%</option>'
    yield '<option value="4">400%</option></select></label></div>\n'


def _table(scores: Sequence[ClipScores]) -> Iterator[str]:
    if not scores:
        return
    yield "<table><tr><th>clip</th><th>PSNR</th><th>SSIM</th><th>frames</th></tr>"
    for each in scores:
        structure = "" if each.ssim is None else f"{each.ssim:.4f}"
        yield (
            f"<tr><td>{html.escape(each.label)}</td><td>{each.psnr:.2f} dB</td>"
            f"<td>{structure}</td><td>{each.num_frames}</td></tr>"
        )
    yield "</table><p>Means over frames, on luma, against the ground truth.</p>\n"
