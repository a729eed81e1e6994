"""Bar charts as SVG inside the page, each with the same numbers as a table beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, LABEL, BAR, GAP = 640, 220, 18, 8
NUMBER = 60  # Room for the number behind the longest bar.
MOST_LABEL = 34


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Counts by name, each one or two numbers: `series` says what they count."""

    title: str
    series: tuple[str, ...]
    counts: Sequence[tuple[str, tuple[int, ...]]]


def drawn(chart: Chart) -> str:
    """Return a chart and its table as HTML."""
    heading = f"<h3>{escape(chart.title)}</h3>\n"
    if not chart.counts:
        return f"{heading}<p>None in this range.</p>\n"
    return f'{heading}<div class="chart">{_svg(chart)}{_table(chart)}</div>\n'


def _table(chart: Chart) -> str:
    heads = "".join(f'<th scope="col">{escape(one)}</th>' for one in chart.series)
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th>'
        + "".join(f'<td class="n">{one}</td>' for one in numbers)
        + "</tr>"
        for name, numbers in chart.counts
    )
    caption = f'<caption class="unseen">{escape(chart.title)}</caption>'
    return f"<table>{caption}<thead><tr><td></td>{heads}</tr></thead><tbody>{rows}</tbody></table>"


def _svg(chart: Chart) -> str:
    most = max(sum(numbers) for _, numbers in chart.counts) or 1
    height = len(chart.counts) * (BAR + GAP)
    rows = "".join(
        _bars(name, numbers, y=place * (BAR + GAP), most=most)
        for place, (name, numbers) in enumerate(chart.counts)
    )
    words = escape(f"{chart.title} ({' + '.join(chart.series)}), the numbers as in the table")
    # Whoever hears the page is told the numbers by the table.
    return (
        f'<svg role="img" aria-label="{words}" viewBox="0 0 {WIDTH} {height}"'
        f' width="{WIDTH}" height="{height}">{rows}</svg>'
    )


def _bars(name: str, numbers: tuple[int, ...], *, y: int, most: int) -> str:
    room, x, bars = WIDTH - LABEL - NUMBER, LABEL, ""
    for series, number in enumerate(numbers):
        width = room * number // most
        bars += f'<rect class="s{series}" x="{x}" y="{y}" width="{width}" height="{BAR}"/>'
        x += width
    middle = y + BAR - 5
    label = escape(name if len(name) <= MOST_LABEL else f"{name[: MOST_LABEL - 1]}…")
    return (
        f'<text x="{LABEL - 8}" y="{middle}" text-anchor="end">{label}</text>{bars}'
        f'<text x="{x + 6}" y="{middle}">{" + ".join(str(one) for one in numbers)}</text>'
    )
