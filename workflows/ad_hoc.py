"""Procedures that people follow under no name of their own, found by what their runs did. Pure.

Two workflows may say different things and come to the same; and one that takes whatever is typed
may be used again and again for one thing. Definitions do not show that, runs do.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from workflows.definition import Definition
from workflows.entry import Json, Ref, RunId

LEAST_RUNS = 2  # On either side: once is chance.
LEAST_ASKED = 3
LEAST_PEOPLE = 2
# What says what is done; of all other arguments only the names count.
_SAYING = frozenset({"service", "method", "path", "database", "statement", "program", "args"})
_WORDS = "title"  # Of an approval that stands for itself.
_NUMBERED = re.compile(r"[^\s/=,:;()\[\]\"'“”]*\d[^\s/=,:;()\[\]\"'“”]*")
_LONE_INPUT = re.compile(r"\$\{\{\s*inputs\.[a-z][a-z0-9_]*\s*\}\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One run of a workflow: for whom, and what it asked for and did, as `act` tells it."""

    run: RunId
    workflow: str
    requester: Ref
    acts: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """That `runs` of one workflow did what runs of another do."""

    workflow: str
    other: str
    runs: Sequence[RunId]


@dataclass(frozen=True, slots=True, kw_only=True)
class OneOff:
    """That the same was asked for in `runs` of a workflow that takes whatever is typed."""

    workflow: str
    runs: Sequence[RunId]
    people: int
    act: str


def act(action: str, args: Mapping[str, Json]) -> str:
    """Return what an effect is, the same for all that differ in values only.

    Numbers, and names with a digit in them, are values wherever they stand.
    """
    said = {name: _told(one) if _says(name) else _names(one) for name, one in args.items()}
    return json.dumps([action, said], sort_keys=True, ensure_ascii=False)


def copies_in_use(uses: Iterable[Use]) -> list[Copied]:
    """Return which workflows were used for what another one does, by their runs.

    The other is the one that did it most often; the first by name among several.
    """
    found: list[Copied] = []
    for by_workflow in _by_acts(uses).values():
        runs = {name: some for name, some in by_workflow.items() if len(some) >= LEAST_RUNS}
        if len(runs) < 2:  # noqa: PLR2004 - it takes two.
            continue
        most = min(runs, key=lambda name: (-len(runs[name]), name))
        found += [
            Copied(workflow=name, other=most, runs=[one.run for one in some])
            for name, some in sorted(runs.items())
            if name != most
        ]
    return found


def one_offs(uses: Iterable[Use], definitions: Mapping[str, Definition]) -> Iterator[OneOff]:
    """Yield what several people asked for again and again where anything can be asked for."""
    free = {name for name, one in definitions.items() if takes_anything(one)}
    for acts, by_workflow in _by_acts(one for one in uses if one.workflow in free).items():
        for name, some in sorted(by_workflow.items()):
            people = len({one.requester for one in some})
            if len(some) >= LEAST_ASKED and people >= LEAST_PEOPLE:
                runs = [one.run for one in some]
                yield OneOff(workflow=name, runs=runs, people=people, act="\n".join(sorted(acts)))


def takes_anything(definition: Definition) -> bool:
    """Say whether what a step does is nothing but what is typed when a run is asked for."""
    return any(
        isinstance(one, str) and _LONE_INPUT.fullmatch(one) is not None
        for step in definition.works
        for name, one in step.arguments.items()
        if _says(name)
    )


def _says(name: str) -> bool:
    return name in _SAYING or name == _WORDS


def _by_acts(uses: Iterable[Use]) -> dict[frozenset[str], dict[str, list[Use]]]:
    found: dict[frozenset[str], dict[str, list[Use]]] = defaultdict(lambda: defaultdict(list))
    for one in uses:
        if one.acts:
            found[one.acts][one.workflow].append(one)
    return found


def _told(value: Json) -> Json:
    """Return a value with whatever looks like an id or a number left out."""
    if isinstance(value, str):
        return " ".join(_NUMBERED.sub("#", value.casefold()).split())
    return [_told(one) for one in value] if isinstance(value, list) else _names(value)


def _names(value: Json) -> Json:
    """Return the names inside of a value, and nothing of what they stand for."""
    if isinstance(value, dict):
        return {name: _names(one) for name, one in value.items()}
    return [_names(value[0])] if isinstance(value, list) and value else None
