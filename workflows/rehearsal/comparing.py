"""Holds what a test expects against what its run did. What it does not mention is not compared."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from workflows.entry import Json
from workflows.fault import Place
from workflows.rehearsal.form import Expected, ExpectedGate, ExpectedStage
from workflows.rehearsal.found import Found, Gate

NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One place of a test where something else came of it."""

    path: Place
    expected: str
    found: str


def differences(expected: Expected, found: Found) -> list[Difference]:
    """Return where `found` is not what was expected, in the order of the test."""
    return list(_differences(expected, found))


def _differences(expected: Expected, found: Found) -> Iterator[Difference]:
    yield from _word(("outcome",), expected.outcome.value, found.outcome)
    for field in ("steps", "skipped", "effects"):
        wanted = getattr(expected, field)
        if wanted is not None:
            yield from _list((field,), wanted, getattr(found, field))
    if expected.fails is not None:
        yield from _same(("fails",), dict(expected.fails), dict(found.fails))
    if expected.gates is not None:
        yield from _gates(expected.gates, found.gates)
    for field in ("arguments", "outputs"):
        for name, value in getattr(expected, field).items():
            yield from _within((field, name), value, getattr(found, field).get(name))


def _gates(expected: Sequence[ExpectedGate], found: Sequence[Gate]) -> Iterator[Difference]:
    if [one.step for one in expected] != [one.step for one in found]:
        yield from _list(("gates",), [one.step for one in expected], [one.step for one in found])
        return
    for number, (wanted, gate) in enumerate(zip(expected, found, strict=True)):
        yield from _gate(("gates", number), wanted, gate)


def _gate(path: Place, wanted: ExpectedGate, gate: Gate) -> Iterator[Difference]:
    if wanted.outcome is not None:
        yield from _word((*path, "outcome"), wanted.outcome.value, gate.outcome)
    if wanted.rules is not None:
        yield from _list((*path, "rules"), wanted.rules, gate.rules)
    if wanted.stages is None:
        return
    if len(wanted.stages) != len(gate.stages):
        asked = [" or ".join(map(str, _names(one.get("from")))) for one in gate.stages]
        named = [" or ".join(one.asked or ("somebody",)) for one in wanted.stages]
        yield from _list((*path, "stages"), named, asked)
        return
    for number, (stage, told) in enumerate(zip(wanted.stages, gate.stages, strict=True)):
        yield from _stage((*path, "stages", number), stage, told)


def _stage(path: Place, wanted: ExpectedStage, found: Mapping[str, Json]) -> Iterator[Difference]:
    if wanted.asked is not None:
        yield from _list((*path, "from"), wanted.asked, _names(found.get("from")))
    if wanted.approve is not None:
        yield from _same((*path, "approve"), wanted.approve, found.get("approve"))
    if wanted.people is not None:
        people = sorted(one.removeprefix("@") for one in wanted.people)
        yield from _list((*path, "people"), people, _names(found.get("people")))


def _within(path: Place, wanted: Json, found: Json) -> Iterator[Difference]:
    """Compare only what is named: further fields of an object do not matter."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        for name, value in wanted.items():
            if name not in found:
                yield Difference(path=(*path, name), expected=_shown(value), found=NOTHING)
            else:
                yield from _within((*path, name), value, found[name])
        return
    yield from _same(path, wanted, found)


def _same(path: Place, wanted: Json, found: Json) -> Iterator[Difference]:
    if wanted != found or isinstance(wanted, bool) is not isinstance(found, bool):
        yield Difference(path=path, expected=_shown(wanted), found=_shown(found))


def _word(path: Place, wanted: str, found: str) -> Iterator[Difference]:
    if wanted != found:
        yield Difference(path=path, expected=wanted, found=found)


def _list(path: Place, wanted: Sequence[str], found: Sequence[str]) -> Iterator[Difference]:
    if list(wanted) != list(found):
        yield Difference(
            path=path,
            expected=", ".join(wanted) or NOTHING,
            found=", ".join(found) or NOTHING,
        )


def _names(value: Json) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []


def _shown(value: Json) -> str:
    return NOTHING if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)
