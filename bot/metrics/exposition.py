"""Prometheus' text format, version 0.0.4, as values and as text (docs/decisions/0090)."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Kind: TypeAlias = Literal["gauge", "counter", "histogram"]
Labels: TypeAlias = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One value. `suffix` stands behind the family's name, as a histogram has it."""

    value: float
    labels: Labels = field(default_factory=dict)
    suffix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """What is measured under one name. Its name says the unit, and `_total` that it only grows."""

    name: str
    kind: Kind
    help: str
    samples: tuple[Sample, ...]


def written(families: Iterable[Family]) -> str:
    """Return the families as text; one without a value says only what it would be."""
    return "".join(line + "\n" for one in families for line in _lines(one))


def _lines(one: Family) -> Iterator[str]:
    yield f"# HELP {one.name} {_escaped(one.help)}"
    yield f"# TYPE {one.name} {one.kind}"
    for sample in one.samples:
        yield f"{one.name}{sample.suffix}{_labels(sample.labels)} {_number(sample.value)}"


def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    pairs = (f'{name}="{_quoted(value)}"' for name, value in labels.items())
    return "{" + ",".join(pairs) + "}"


def _quoted(value: str) -> str:
    return _escaped(value).replace('"', '\\"')


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _number(value: float) -> str:
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value == int(value) else repr(float(value))
