"""Results as one page for a browser: bars per clip, drawn in the page itself."""

import html
import math
from collections.abc import Iterator, Sequence

from msvsr.evaluation.results import ProtocolResult
from msvsr.evaluation.tables import clip_columns, clip_rows, count, format_number, format_published

__all__ = ["format_page"]

_COLORS = ("#2f6db3", "#d9822b", "#4f9a5b", "#8a5fb0")
_LABEL_WIDTH, _BAR_WIDTH, _VALUE_WIDTH = 190, 520, 90
_BAR_HEIGHT, _GAP, _TOP = 16, 10, 8
_MAX_LABEL = 26

_STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 62rem; padding: 0 1rem; }
h1 { font-size: 1.4rem; margin-bottom: 0; } h2 { font-size: 1.1rem; margin-top: 2rem; }
.about { margin-top: .2rem; opacity: .75; }
table { border-collapse: collapse; } .scroll { overflow-x: auto; }
th, td { padding: .25rem .7rem; border-bottom: 1px solid #8884; text-align: left; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
svg { max-width: 100%; height: auto; font: 12px system-ui, sans-serif; fill: currentColor; }
.key { display: inline-block; width: .8em; height: .8em; border-radius: 2px; margin-right: .4em; }
.source { opacity: .75; font-size: .9em; }
"""


def format_page(title: str, headline: Sequence[str], results: Sequence[ProtocolResult]) -> str:
    """A page with everything that was measured; it needs nothing from elsewhere.

    Args:
        title: What stands in the browser's title.
        headline: Lines that stand above.
        results: What was measured, by protocol.
    """
    metrics = dict.fromkeys(metric for each in results for metric in each.metrics)
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{html.escape(headline[0])}</h1>",
        *(f'<p class="about">{html.escape(line)}</p>' for line in headline[1:]),
        *_means(results),
        *(part for metric in metrics for part in _chart(metric, results)),
        *_clips(results),
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def _color(place: int) -> str:
    return _COLORS[place % len(_COLORS)]


def _key(place: int) -> str:
    return f'<span class="key" style="background:{_color(place)}"></span>'


def _means(results: Sequence[ProtocolResult]) -> Iterator[str]:
    yield '<h2>Means</h2><div class="scroll"><table><tr><th>protocol</th><th>metric</th>'
    yield '<th class="number">here</th><th class="number">published</th></tr>'
    for place, each in enumerate(results):
        rows = [(metric, format_number(metric, v)) for metric, v in each.metrics.items()]
        rows += [(metric, "unavailable") for metric in each.unavailable]
        for number, (metric, value) in enumerate(rows):
            label = _protocol_cell(place, each, len(rows)) if number == 0 else ""
            yield (
                f'<tr>{label}<td>{html.escape(metric)}</td><td class="number">{value}</td>'
                f'<td class="number">{format_published(each, metric)}</td></tr>'
            )
    yield "</table></div>"


def _protocol_cell(place: int, result: ProtocolResult, num_rows: int) -> str:
    protocol = result.protocol
    notes = [
        f"source: {protocol.source}",
        f"mean over {count(result.num_frames, 'frames')}, each of which weighs the same",
        *(f"{metric}: {why}" for metric, why in result.unavailable.items()),
        *result.notes,
    ]
    lines = "".join(f'<br><span class="source">{html.escape(note)}</span>' for note in notes)
    return (
        f'<td rowspan="{num_rows}">{_key(place)}<b>{html.escape(protocol.name)}</b>: '
        f"{html.escape(protocol.title)}{lines}</td>"
    )


def _chart(metric: str, results: Sequence[ProtocolResult]) -> Iterator[str]:
    """Bars for each clip, one per protocol that has the metric."""
    bars: dict[str, list[tuple[int, float]]] = {}
    for place, each in enumerate(results):
        for clip in each.clips:
            if metric in clip.metrics:
                bars.setdefault(clip.name, []).append((place, clip.metrics[metric]))
    places = sorted({place for row in bars.values() for place, _ in row})
    keys = " &nbsp; ".join(_key(p) + html.escape(results[p].protocol.name) for p in places)
    yield f"<h2>{html.escape(metric)} per clip</h2><p>{keys}</p>"
    yield from _svg(metric, bars)


def _svg(metric: str, bars: dict[str, list[tuple[int, float]]]) -> Iterator[str]:
    finite = [value for row in bars.values() for _, value in row if math.isfinite(value)]
    largest = max([*finite, 0.0]) or 1.0
    num_bars = sum(len(row) for row in bars.values())
    height = 2 * _TOP + num_bars * _BAR_HEIGHT + len(bars) * _GAP
    width = _LABEL_WIDTH + _BAR_WIDTH + _VALUE_WIDTH
    yield (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-label="{html.escape(metric)} of each clip">'
    )
    top = _TOP
    for name, row in bars.items():
        yield _clip_label(name, top + len(row) * _BAR_HEIGHT / 2)
        for place, value in row:
            yield from _bar(metric, place, value, largest, top)
            top += _BAR_HEIGHT
        top += _GAP
    yield f'<path d="M{_LABEL_WIDTH} 0V{height}" stroke="currentColor" stroke-width="1"/></svg>'


def _clip_label(name: str, middle: float) -> str:
    shown = name if len(name) <= _MAX_LABEL else name[: _MAX_LABEL - 1] + "…"
    return (
        f'<text x="{_LABEL_WIDTH - 8}" y="{middle:g}" text-anchor="end" '
        f'dominant-baseline="central">{html.escape(shown)}<title>{html.escape(name)}</title></text>'
    )


def _bar(metric: str, place: int, value: float, largest: float, top: int) -> Iterator[str]:
    share = min(max(value / largest, 0.0), 1.0)
    length = share * _BAR_WIDTH
    yield (
        f'<rect x="{_LABEL_WIDTH}" y="{top + 1}" width="{length:.1f}" '
        f'height="{_BAR_HEIGHT - 2}" fill="{_color(place)}"/>'
    )
    yield (
        f'<text x="{_LABEL_WIDTH + length + 6:.1f}" y="{top + _BAR_HEIGHT / 2:g}" '
        f'dominant-baseline="central">{format_number(metric, value)}</text>'
    )


def _clips(results: Sequence[ProtocolResult]) -> Iterator[str]:
    columns = clip_columns(results)
    if not columns:
        return
    yield '<h2>Clips</h2><div class="scroll"><table><tr><th>clip</th>'
    for place, metric in columns:
        name = html.escape(f"{metric}")
        yield f'<th class="number">{_key(place)}{name}</th>'
    yield "</tr>"
    for name, values in clip_rows(results):
        cells = "".join(f'<td class="number">{value}</td>' for value in values)
        yield f"<tr><td>{html.escape(name)}</td>{cells}</tr>"
    yield "</table></div>"
