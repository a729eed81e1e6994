"""Slack's own chart and table blocks, for which `slack_sdk` has no models yet.

Both draw numbers only; the same figures stand in words beside them, because some workspaces
still refuse charts and a screen reader needs the words.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from slack_sdk.models.basic_objects import JsonValidator
from slack_sdk.models.blocks import Block

from bot import limits
from bot.wording import NOTHING, clip, length, one_line

Cell: TypeAlias = "str | int | float"

_CELL = 60


class DataVisualizationBlock(Block):
    """A chart; `chart` holds its type with segments, or with series and axis_config."""

    type = "data_visualization"
    attributes = Block.attributes | {"title", "chart"}

    def __init__(
        self, *, title: str, chart: Mapping[str, Any], block_id: str | None = None
    ) -> None:
        super().__init__(type=self.type, block_id=block_id)
        self.title = title
        self.chart = dict(chart)

    @JsonValidator(f"title must have 1 to {limits.CHART_TITLE} characters")
    def _validate_title(self) -> bool:
        return 1 <= length(self.title) <= limits.CHART_TITLE


class DataTableBlock(Block):
    """A table with a header row; cells are `raw_text` or `raw_number`."""

    type = "data_table"
    attributes = Block.attributes | {"caption", "rows", "page_size"}

    def __init__(
        self,
        *,
        caption: str,
        rows: Sequence[Sequence[Mapping[str, Any]]],
        page_size: int | None = None,
        block_id: str | None = None,
    ) -> None:
        super().__init__(type=self.type, block_id=block_id)
        self.caption = caption
        self.rows = [[dict(cell) for cell in row] for row in rows]
        self.page_size = page_size

    @JsonValidator(f"a table has 2 to {limits.TABLE_ROWS} rows of the same length")
    def _validate_rows(self) -> bool:
        is_even = len({len(row) for row in self.rows}) == 1
        return is_even and 1 < len(self.rows) <= limits.TABLE_ROWS


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One row of values, one for each category of the chart."""

    name: str
    values: tuple[float, ...]


def bar_chart(
    title: str, categories: Sequence[str], series: Sequence[Series], *, y_label: str = ""
) -> DataVisualizationBlock:
    """Return bars grouped by category; the newest categories and first series have room."""
    labels = _distinct(categories[-limits.CHART_POINTS :])
    names = _distinct([one.name for one in series[: limits.CHART_SERIES]])
    axis: dict[str, Any] = {"categories": labels}
    if y_label:
        axis["y_label"] = clip(one_line(y_label), limits.CHART_TITLE)
    chart = {
        "type": "bar",
        "series": [
            {"name": name, "data": _points(labels, one.values[-limits.CHART_POINTS :])}
            for name, one in zip(names, series, strict=False)
        ],
        "axis_config": axis,
    }
    return DataVisualizationBlock(title=_title(title), chart=chart)


def pie_chart(title: str, segments: Sequence[tuple[str, float]]) -> DataVisualizationBlock | None:
    """Return slices, the largest first and the rest as one; None when there is nothing to show."""
    above = sorted((one for one in segments if one[1] > 0), key=lambda one: -one[1])
    if not above:
        return None
    most = limits.CHART_SERIES
    shown = above if len(above) <= most else above[: most - 1]
    rest = sum(value for _, value in above[len(shown) :])
    labels = _distinct([*(label for label, _ in shown), *(["other"] if rest else [])])
    values = [*(value for _, value in shown), *([rest] if rest else [])]
    return DataVisualizationBlock(
        title=_title(title), chart={"type": "pie", "segments": _points(labels, values)}
    )


def _title(title: str) -> str:
    return clip(one_line(title).strip(), limits.CHART_TITLE) or NOTHING


def _points(labels: Sequence[str], values: Sequence[float]) -> list[dict[str, Any]]:
    return [{"label": label, "value": one} for label, one in zip(labels, values, strict=True)]


def _distinct(labels: Sequence[str]) -> list[str]:
    """Return short labels, no two the same, since Slack refuses a repeated one."""
    found: list[str] = []
    for label in labels:
        short = clip(one_line(label).strip(), limits.CHART_LABEL) or NOTHING
        number = 2
        candidate = short
        while candidate in found:
            candidate = f"{clip(short, limits.CHART_LABEL - 4)} {number}"
            number += 1
        found.append(candidate)
    return found


def data_table(
    caption: str, head: Sequence[str], rows: Sequence[Sequence[Cell]], *, most: int = 25
) -> DataTableBlock | None:
    """Return a table, or None when there are no rows; rows beyond `most` are counted in the last.

    A message has one budget for tables and text, so cells are short and columns few.
    """
    if not rows:
        return None
    shown = [*rows] if len(rows) <= most else [*rows[: most - 1], _further(rows[most - 1 :])]
    return DataTableBlock(
        caption=clip(one_line(caption), limits.HEADER) or NOTHING,
        rows=[[_cell(one) for one in row] for row in [list(head), *shown]],
        page_size=min(limits.TABLE_PAGE, len(shown)),
    )


def _further(rows: Sequence[Sequence[Cell]]) -> list[Cell]:
    return [f"{len(rows)} more", *([NOTHING] * (len(rows[0]) - 1))]


def _cell(value: Cell) -> dict[str, Any]:
    if isinstance(value, str):
        return {"type": "raw_text", "text": clip(one_line(value).strip(), _CELL) or NOTHING}
    return {"type": "raw_number", "value": value, "text": f"{value:,}"}
