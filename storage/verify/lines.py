"""Pass 1: is each stored line an entry, byte for byte, and do its copies say the same?"""

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from storage.entry_bytes import (
    DECODER,
    MEMBERS,
    MOST_BYTES,
    MalformedEntryError,
    check_value,
    read_stamp,
)
from storage.evidence.names import index_row
from storage.verify.report import Report
from storage.verify.source import StoredEntry
from workflows.binding import canonical
from workflows.entry import ActorKind, PartClass

TS = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z", re.ASCII)
ID = re.compile(r"[0-9a-f]{32}")
KEY_ID = re.compile(r"[0-9a-f]{16}")
RUN = re.compile(r"[A-Za-z0-9_-]{1,64}")
NAME = re.compile(r"[A-Za-z0-9_.:/@-]{1,64}")
PSEUDONYM = re.compile(r"s:[0-9a-f]{32}")
PART = re.compile(r"[a-z0-9_.-]{1,64}")
# The base64 of 32 bytes, in its one spelling: two bits of the last letter are left over.
COMMITMENT = re.compile(r"[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=")
FORMS = (("id", ID), ("key", KEY_ID))
TEXTS = ("log", "kind", "ts", "sig", "prev")
ACTOR_MEMBERS = {"t", "ref"}
USER = ActorKind.USER.value
ACTORS = frozenset(ActorKind)
CLASSES = frozenset(PartClass)
CLOCK_SLACK = timedelta(seconds=300)
LONG_AGO = datetime.min.replace(tzinfo=UTC)
PART_MEMBERS = {"c", "cls", "len"}


class LineCheck:
    """Reads lines one after the other and reports what no entry can have."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._latest = LONG_AGO
        self.log: str | None = None

    def read(self, row: StoredEntry, index: int) -> dict[str, Any] | None:
        """Return the members of the line at `index`; None when it cannot be read at all."""
        line = row.line or b""
        if len(line) > MOST_BYTES:
            self._report.fail("entry-malformed", f"Entry {index} has {len(line)} bytes.")
            return None
        members = self._parse(line, index)
        if members is None:
            return None
        fault = shape_fault(members)
        if fault is not None:
            self._report.fail("entry-malformed", f"Entry {index}: {fault}")
            return None
        self._check_log(members, index)
        self._check_time(members["ts"], index)
        if row.columns is not None and row.columns != columns_of(members):
            self._report.fail("index-row", f"The columns of entry {index} differ from its line.")
        if row.row is not None and row.row != row_of(index, members):
            self._report.fail("index-row", f"The row of entry {index} differs from its line.")
        return members

    def _parse(self, line: bytes, index: int) -> dict[str, Any] | None:
        try:
            text = line.decode()
            # The bare scanner: what it leaves over re-encodes to other bytes.
            members, end = DECODER.raw_decode(text)
            is_canonical = end == len(text) and canonical(members) == line
        except (ValueError, RecursionError):
            self._report.fail("not-canonical", f"Entry {index} is not canonical JSON.")
            return None
        # A member that stands twice, odd spaces or escapes: all of them re-encode to other bytes.
        if not is_canonical:
            self._report.fail("not-canonical", f"Entry {index} re-encodes to other bytes.")
        if not isinstance(members, dict) or members.keys() != MEMBERS:
            self._report.fail("entry-malformed", f"Entry {index} has not the thirteen members.")
            return None
        return members

    def _check_log(self, members: Mapping[str, Any], index: int) -> None:
        if self.log is None:
            self.log = members["log"]
        elif members["log"] != self.log:
            self._report.fail("wrong-log", f"Entry {index} is of the log {members['log']}.")

    def _check_time(self, ts: str, index: int) -> None:
        try:
            moment = read_stamp(ts) if TS.fullmatch(ts) else None
        except ValueError:
            moment = None
        if moment is None:
            self._report.fail("ts-format", f"Entry {index} has the time {ts!r}.")
            return
        if moment >= self._latest:
            self._latest = moment
            return
        back = self._latest - moment
        if back > CLOCK_SLACK:
            seconds = round(back.total_seconds())
            self._report.warn("clock", f"At entry {index} the clock is {seconds} s back.")


def leaf_of(line: bytes) -> bytes:
    """Return the leaf hash of a line."""
    return hashlib.sha256(b"\0" + line).digest()


def columns_of(members: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what the readable columns must say."""
    workflow = members["data"].get("workflow")
    return (
        members["id"],
        members["run"],
        members["rseq"],
        members["ts"],
        members["kind"],
        members["actor"]["ref"],
        workflow,
    )


def row_of(index: int, members: Mapping[str, Any]) -> str:
    """Return what the entry's row in the index of a pack must say."""
    return index_row(
        index=index,
        run=members["run"],
        rseq=members["rseq"],
        ts=members["ts"],
        kind=members["kind"],
        actor=members["actor"]["ref"],
    )


def shape_fault(members: Mapping[str, Any]) -> str | None:
    """Return what is wrong with the thirteen members, or None."""
    if type(members["v"]) is not int or members["v"] != 1:
        return "its format is not 1."
    for name, form in FORMS:
        if not isinstance(members[name], str) or form.fullmatch(members[name]) is None:
            return f"its {name} is malformed."
    for name in TEXTS:
        if not isinstance(members[name], str):
            return f"its {name} is no text."
    return _place_fault(members) or _actor_fault(members["actor"]) or _payload_fault(members)


def _place_fault(members: Mapping[str, Any]) -> str | None:
    run, rseq, prev = members["run"], members["rseq"], members["prev"]
    if type(rseq) is not int or rseq < 0:
        return "its place in the run is malformed."
    if run is None:
        return None if rseq == 0 and prev == "" else "without a run it has no place in one."
    if not isinstance(run, str) or RUN.fullmatch(run) is None:
        return "its run is malformed."
    if (rseq == 0) != (prev == ""):
        return "its prev does not fit its place."
    return None


def _actor_fault(actor: object) -> str | None:
    if not isinstance(actor, dict) or actor.keys() != ACTOR_MEMBERS:
        return "its actor is malformed."
    if not isinstance(actor["t"], str) or actor["t"] not in ACTORS:
        return "its actor is malformed."
    form = PSEUDONYM if actor["t"] == USER else NAME
    is_named = isinstance(actor["ref"], str) and form.fullmatch(actor["ref"]) is not None
    return None if is_named else "its actor's name is malformed."


def _payload_fault(members: Mapping[str, Any]) -> str | None:
    if not isinstance(members["data"], dict) or not isinstance(members["parts"], dict):
        return "its data or parts are no objects."
    try:
        check_value(members["data"], 2)
        for name, part in members["parts"].items():
            _check_part(name, part)
    except MalformedEntryError as error:
        return str(error)
    return None


def _check_part(name: str, part: object) -> None:
    if PART.fullmatch(name) is None or not isinstance(part, dict) or part.keys() != PART_MEMBERS:
        raise MalformedEntryError("a part is malformed.")
    is_classed = isinstance(part["cls"], str) and part["cls"] in CLASSES
    if not is_classed or type(part["len"]) is not int or part["len"] < 0:
        raise MalformedEntryError("a part's class or length is malformed.")
    if not isinstance(part["c"], str) or COMMITMENT.fullmatch(part["c"]) is None:
        raise MalformedEntryError("a part's commitment is malformed.")
