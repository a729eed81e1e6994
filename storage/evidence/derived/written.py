"""Writes a range of the log in another system's form."""

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from itertools import chain
from typing import TypeAlias

from sqlalchemy import Connection

from storage.evidence.derived.agentack import trace
from storage.evidence.derived.cloudevents import cloud_event
from storage.evidence.derived.ocsf import ocsf_event
from storage.evidence.derived.sealed import Sealed, sealed
from storage.evidence.derived.table import header, table_row
from storage.evidence.ranges import Bounds, places
from storage.heads import head
from workflows.errors import EvidenceError

Event: TypeAlias = Callable[[Sealed, str], bytes]


class Form(StrEnum):
    """The forms in which entries are handed on."""

    CLOUDEVENTS = "cloudevents"
    OCSF = "ocsf"
    CSV = "csv"
    AGENTACK = "agentack"


EVENTS: Mapping[Form, Event] = {Form.CLOUDEVENTS: cloud_event, Form.OCSF: ocsf_event}


def derived(
    connection: Connection, form: Form, bounds: Bounds, *, run: str | None = None
) -> Iterator[bytes]:
    """Yield the lines of that form, each with its end.

    Raises:
        EvidenceError: there is no such range or run, or a trace was asked of no run.
    """
    found = head(connection)
    start, end = places(connection, bounds, found.size)
    entries = sealed(connection, start, end, run=run)
    if run is not None and form is not Form.AGENTACK:  # Traces see to it themselves.
        entries = _of_run(entries, run)
    if form is Form.CSV:
        yield header()
        yield from map(table_row, entries)
        return
    if form is Form.AGENTACK:
        yield from _trace(entries, run)
        return
    for entry in entries:
        yield EVENTS[form](entry, found.origin) + b"\n"


def _of_run(entries: Iterator[Sealed], run: str) -> Iterator[Sealed]:
    """Return the entries; a run without any is a typing error more often than an answer."""
    first = next(entries, None)
    if first is None:
        raise EvidenceError(
            f"There is nothing of a run {run} in this range.", hint="`interlock runs` lists runs."
        )
    return chain([first], entries)


def _trace(entries: Iterator[Sealed], run: str | None) -> Iterator[bytes]:
    if run is None:
        raise EvidenceError(
            "A trace is of one run.", hint="Name it: --run RUN; `interlock runs` lists them."
        )
    any_line = False
    for line in trace(entries):
        any_line = True
        yield line + b"\n"
    if not any_line:
        raise EvidenceError(
            f"There is nothing to trace of a run {run} in this range.",
            hint="`interlock runs` lists runs.",
        )
