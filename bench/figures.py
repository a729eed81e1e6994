"""Summing up what was measured: medians over rounds, percentiles, the table. Plain Python.

The drivers of the peers import this in an environment that has none of our libraries.
"""

import json
import statistics
from collections.abc import Mapping, Sequence


def percentiles(name: str, values: Sequence[float]) -> dict[str, float]:
    """Return the median and the 99th percentile under `name_p50_ms` and `name_p99_ms`."""
    ordered = sorted(values)
    last = ordered[min(len(ordered) - 1, round(0.99 * (len(ordered) - 1)))]
    return {f"{name}_p50_ms": statistics.median(ordered), f"{name}_p99_ms": last}


def medians(rounds: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the median of each figure over the rounds that have it."""
    names = dict.fromkeys(name for one in rounds for name in one)
    return {
        name: round(statistics.median(one[name] for one in rounds if name in one), 3)
        for name in names
    }


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return rows under a head, in columns; numbers stand to the right."""
    shown = [list(head), *([_cell(one) for one in row] for row in rows)]
    widths = [max(len(row[place]) for row in shown) for place in range(len(head))]
    numeric = [all(_is_number(row[place]) for row in rows) for place in range(len(head))]
    return "\n".join(
        "  ".join(
            one.rjust(width) if is_number else one.ljust(width)
            for one, width, is_number in zip(row, widths, numeric, strict=True)
        ).rstrip()
        for row in shown
    )


def last_line(figures: Mapping[str, object]) -> None:
    """Print the figures as one JSON object, which is what a bench ends with."""
    print(json.dumps(figures), flush=True)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def _is_number(value: object) -> bool:
    return value is None or isinstance(value, int | float)
