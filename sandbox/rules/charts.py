"""The chart block: pies, and series over shared categories."""

from typing import Any

from sandbox import limits
from sandbox.loose import Unchecked
from sandbox.rules import texts
from sandbox.rules.shapes import (
    Faults,
    Kind,
    Pointer,
    by_type,
    list_of,
    number,
    one_of,
    shape,
    string,
)

_label = string(limits.CHART_LABEL)
_axis = shape(
    {"categories": list_of(_label, most=limits.CHART_POINTS)},
    x_label=string(limits.CHART_TITLE),
    y_label=string(limits.CHART_TITLE),
)
_series = shape(
    {
        "name": _label,
        "data": list_of(shape({"label": _label, "value": number}), most=limits.CHART_POINTS),
    }
)


def _above_zero(value: Unchecked, at: Pointer, faults: Faults) -> None:
    share = value.get("value")
    if isinstance(share, int | float) and share <= 0:
        faults.add("must be greater than 0", f"{at}/value")


def _same_categories(value: Unchecked, at: Pointer, faults: Faults) -> None:
    series = [one for one in _items(value.get("series")) if isinstance(one, dict)]
    names = [one.get("name") for one in series]
    if len(set(map(str, names))) != len(names):
        faults.add("series names must be unique", f"{at}/series")
    axis = value.get("axis_config")
    wanted = _items(axis.get("categories")) if isinstance(axis, dict) else []
    for place, one in enumerate(series):
        found = [p.get("label") for p in _items(one.get("data")) if isinstance(p, dict)]
        if sorted(map(str, found)) != sorted(map(str, wanted)):
            faults.add("one value per category needed", f"{at}/series/{place}/data")


def _items(value: Unchecked) -> list[Any]:
    return value if isinstance(value, list) else []


_pie = shape(
    {
        "type": one_of("pie"),
        "segments": list_of(
            shape({"label": _label, "value": number}, _above_zero), most=limits.CHART_SERIES
        ),
    }
)


def _plotted(kind: str) -> Kind:
    return shape(
        {
            "type": one_of(kind),
            "series": list_of(_series, most=limits.CHART_SERIES),
            "axis_config": _axis,
        },
        _same_categories,
    )


data_visualization = shape(
    {
        "type": one_of("data_visualization"),
        "title": string(limits.CHART_TITLE),
        "chart": by_type({"pie": _pie, **{one: _plotted(one) for one in ("bar", "area", "line")}}),
    },
    block_id=texts.identifier,
)
