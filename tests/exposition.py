"""Reads Prometheus' text format strictly, so that what is written by hand is read by another hand.

Whatever the format does not allow fails: a sample without its type, a name or label that is
none, a series twice, buckets that shrink, a counter that does not end in `_total`.
"""

import re
from dataclasses import dataclass, field

NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\[\\"n])*)"(?:,|$)')
UNITS = ("_seconds", "_bytes", "_total", "_info")

Series = tuple[str, tuple[tuple[str, str], ...]]


@dataclass
class Scrape:
    """What one answer tells: the type of each family, the value of each series."""

    types: dict[str, str] = field(default_factory=dict)
    values: dict[Series, float] = field(default_factory=dict)

    def value(self, name: str, /, **labels: str) -> float:
        return self.values[name, tuple(sorted(labels.items()))]

    def of(self, name: str) -> dict[tuple[tuple[str, str], ...], float]:
        return {labels: value for (one, labels), value in self.values.items() if one == name}


def read(text: str) -> Scrape:
    """Return what a whole answer tells."""
    assert text.endswith("\n")
    found, family = Scrape(), ""
    for line in text.splitlines():
        if line.startswith("# HELP "):
            assert NAME.fullmatch(line.split()[2])
        elif line.startswith("# TYPE "):
            _, _, family, kind = line.split(" ")
            assert family not in found.types
            found.types[family] = kind
            assert (kind == "counter") == family.endswith("_total"), family
        else:
            _take(found, family, line)
    _check_histograms(found)
    return found


def _take(found: Scrape, family: str, line: str) -> None:
    sample = SAMPLE.fullmatch(line)
    assert sample is not None, line
    name, written, value = sample.groups()
    ends = ("_bucket", "_sum", "_count") if found.types[family] == "histogram" else ("",)
    assert name in {family + end for end in ends}, line
    labels = LABEL.findall(written or "")
    assert len(LABEL.sub("", written or "")) == 0, line
    series = name, tuple(sorted(labels))
    assert series not in found.values, line
    found.values[series] = float(value)


def _check_histograms(found: Scrape) -> None:
    for family in (name for name, kind in found.types.items() if kind == "histogram"):
        counts = list(found.of(f"{family}_bucket").values())
        assert counts == sorted(counts)
        assert found.value(f"{family}_bucket", le="+Inf") == found.value(f"{family}_count")
