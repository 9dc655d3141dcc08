"""Results as tables: in plain text and in Markdown."""

from collections.abc import Iterator, Mapping, Sequence

from msvsr.evaluation.results import ProtocolResult

__all__ = [
    "clip_columns",
    "clip_rows",
    "count",
    "format_comparison",
    "format_markdown",
    "format_number",
    "format_published",
    "format_text",
]

_DECIMALS = {"psnr": 2, "psnr_y": 2, "mse": 2, "warping_error": 6}
_INDENT = "  "


def format_number(metric: str, value: float) -> str:
    """A value with as many decimals as tables of its metric have.

    Example:
        >>> format_number("psnr", 34.4444), format_number("niqe", 3.7662)
        ('34.44', '3.7662')
    """
    return f"{value:.{_DECIMALS.get(metric, 4)}f}"


def format_published(result: ProtocolResult, metric: str) -> str:
    """The number that was published under a protocol; empty where there is none."""
    value = result.protocol.published.get(metric)
    return "" if value is None else f"{value:g}"


def count(number: int, what: str) -> str:
    """A number of things.

    Example:
        >>> count(1, "clips"), count(2, "clips")
        ('1 clip', '2 clips')
    """
    return f"{number} {what.removesuffix('s') if number == 1 else what}"


def clip_columns(results: Sequence[ProtocolResult]) -> list[tuple[int, str]]:
    """Place of the protocol and metric of each column of a table of clips."""
    return [(place, metric) for place, each in enumerate(results) for metric in each.metrics]


def clip_rows(results: Sequence[ProtocolResult]) -> Iterator[tuple[str, list[str]]]:
    """Name and numbers of each clip, in the columns of `clip_columns`."""
    columns = clip_columns(results)
    names = dict.fromkeys(clip.name for each in results for clip in each.clips)
    found = [{clip.name: clip.metrics for clip in each.clips} for each in results]
    for name in names:
        values = [found[place].get(name, {}).get(metric) for place, metric in columns]
        yield (
            name,
            [
                "-" if value is None else format_number(metric, value)
                for value, (_, metric) in zip(values, columns, strict=True)
            ],
        )


def format_text(
    headline: Sequence[str], results: Sequence[ProtocolResult], *, max_clips: int
) -> str:
    """Everything that was measured, in plain text.

    Args:
        headline: Lines that stand above.
        results: What was measured, by protocol.
        max_clips: Most clips to list.
    """
    lines = [*headline, "", *_number_lines(results), *_note_lines(results)]
    rows = list(clip_rows(results))
    if rows and clip_columns(results):
        head = ["", *(_column_name(results, *column) for column in clip_columns(results))]
        shown = [[name, *values] for name, values in rows[:max_clips]]
        lines += ["", *_align([head, *shown])]
        if len(rows) > max_clips:
            lines.append(f"... and {len(rows) - max_clips} more")
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _column_name(results: Sequence[ProtocolResult], place: int, metric: str) -> str:
    return f"{metric} {results[place].protocol.name}" if len(results) > 1 else metric


def _number_lines(results: Sequence[ProtocolResult]) -> Iterator[str]:
    rows = [["metric", "here", "published"]]
    labels = ["protocol"]
    for each in results:
        titles = [f"{each.protocol.name}: {each.protocol.title}"]
        for metric, value in each.metrics.items():
            rows.append([metric, format_number(metric, value), format_published(each, metric)])
            labels.append(titles.pop() if titles else each.protocol.name)
        for metric in each.unavailable:
            rows.append([metric, "unavailable", format_published(each, metric)])
            labels.append(titles.pop() if titles else each.protocol.name)
        rows.append(["", "", ""])
        labels.append(f"{_INDENT}source: {each.protocol.source}")
    for cells, label in zip(_align(rows), labels, strict=True):
        yield f"{cells}  {label}"


def _note_lines(results: Sequence[ProtocolResult]) -> Iterator[str]:
    for each in results:
        frames = count(each.num_frames, "frames")
        yield ""
        yield f"{each.protocol.name}: mean over {frames}, each of which weighs the same"
        yield from (f"{_INDENT}{metric}: {why}" for metric, why in each.unavailable.items())
        yield from (f"{_INDENT}{note}" for note in each.notes)


def _align(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    for first, *others in rows:
        cells = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        yield "  ".join([first.ljust(widths[0]), *cells])


def format_markdown(headline: Sequence[str], results: Sequence[ProtocolResult]) -> str:
    """Everything that was measured, in Markdown."""
    lines = [f"# {headline[0]}", "", *headline[1:], ""]
    lines += _markdown_row(["metric", "here", "published", "protocol"])
    lines += _markdown_row(["---", "---:", "---:", "---"])
    for each in results:
        label = f"{each.protocol.name}: {each.protocol.title}"
        for metric, value in each.metrics.items():
            cells = [metric, format_number(metric, value), format_published(each, metric), label]
            lines += _markdown_row(cells)
        for metric in each.unavailable:
            lines += _markdown_row([metric, "unavailable", format_published(each, metric), label])
    for each in results:
        lines += ["", f"## {each.protocol.name}", "", f"Source: {each.protocol.source}.", ""]
        lines.append(f"- Mean over {count(each.num_frames, 'frames')}, each weighs the same.")
        lines += [f"- {metric}: {why}." for metric, why in each.unavailable.items()]
        lines += [f"- {note}." for note in each.notes]
    columns = clip_columns(results)
    if columns:
        names = [_column_name(results, *column) for column in columns]
        lines += ["", "## Clips", "", *_markdown_row(["clip", *names])]
        lines += _markdown_row(["---", *["---:"] * len(columns)])
        for name, values in clip_rows(results):
            lines += _markdown_row([name, *values])
    return "\n".join(lines) + "\n"


def format_comparison(columns: Mapping[str, Sequence[ProtocolResult]]) -> str:
    """Methods side by side, in Markdown: a row per protocol and metric, a column per method.

    Args:
        columns: What was measured of each method, under the same protocols.
    """
    lines = _markdown_row(["protocol", "metric", *columns, "published"])
    lines += _markdown_row(["---", "---", *["---:"] * (len(columns) + 1)])
    reasons: dict[str, str] = {}
    for results in zip(*columns.values(), strict=True):
        for each in results:
            reasons.update(each.unavailable)
        for metric in dict.fromkeys(m for r in results for m in (*r.metrics, *r.unavailable)):
            cells = [
                format_number(metric, each.metrics[metric]) if metric in each.metrics else "-"
                for each in results
            ]
            published = format_published(results[0], metric)
            lines += _markdown_row([results[0].protocol.name, metric, *cells, published])
    return "\n".join([*lines, "", *(f"- {metric}: {why}" for metric, why in reasons.items())])


def _markdown_row(cells: Sequence[str]) -> list[str]:
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"]
