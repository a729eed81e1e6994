"""Verify an evidence pack (audit-evidence/1) with Python and `cryptography`, and nothing else.

    python verify.py --vkey KEY [--pack FOLDER] [--checkpoint NOTE]... [--witness KEY]...
                     [--tsa FILE]

This file ships inside each pack and imports nothing of the program that wrote the pack: it was
written a second time from the specification. KEY is the log's public key, or a file with it,
that you got another way than with the pack; NOTE a signed head that you kept; the KEY of a
witness makes its lines count, and FILE (PEM) holds the certificates of those who stamp time
(with `cryptography` 42 or later).

What the entries tell of who decided what is read as well and printed apart: it changes no
verdict. Business hours need the time zones of this machine; where it does not know one, that is
said. The program itself also judges the form of each kind.

A pack of any size is read in about the same memory: what has to be sorted or found again goes
into a temporary file in TMPDIR (else /var/tmp or /tmp), which has no name and is gone with this
process, however that ends.

Exit code 0: verified. 1: the history shown is not the history recorded. 2: not readable, or
asked wrongly. 3: nothing wrong was found, but something is unproven. 130: broken off.
"""

import argparse
import base64
import csv
import hashlib
import heapq
import hmac
import io
import json
import re
import sqlite3
import sys
from array import array
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import accumulate, groupby
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, TypeGuard
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.x509.oid import ExtendedKeyUsageOID

MEMBERS = frozenset(
    ("actor", "data", "id", "key", "kind", "log", "parts", "prev", "rseq", "run", "sig", "ts", "v")
)
ENTRY_TYPE = b"application/vnd.audit-entry.v1+json"
MANIFEST_TYPE = b"application/vnd.audit-manifest.v1+json"
POPULATION = "reports/population.csv"
OWN = {"manifest.json", "manifest.dsse.json"}
REQUIRED = [
    "entries.jsonl",
    "leaves.bin",
    "context.jsonl",
    "disclosures.jsonl",
    "subjects.jsonl",
    "index.csv",
    "state.json",
    "checkpoint",
]
# For people: the log can be judged without them, and something was taken out all the same.
FOR_PEOPLE = {
    "README",
    "verify.py",
    POPULATION,
    "reports/approvals.csv",
    "reports/sod.csv",
    "reports/exceptions.csv",
    "reports/changes.csv",
    "reports/retention.csv",
    "reports/ai.csv",
}
# Every look at a pack goes through all of these, in this order; a verdict is made of no fewer.
PASSES = (
    "check_files",
    "check_ends",
    "read_markers",
    "check_context",
    "read_log",
    "judge_state",
    "judge_notes",
    "judge_anchors",
    "judge_stamps",
    "judge_witnesses",
    "judge_manifest",
    "judge_proofs",
    "judge_subjects",
    "judge_reports",
    "judge_samples",
    "judge_cells",
    "judge_ids",
)
INDEX_COLUMNS = "idx,run,rseq,ts,kind,actor"
MARKERS = {"erasure", "retention.sweep"}
MARK = re.compile(rb'"kind":"(?:erasure|retention\.sweep|hold\.set)"')
END = re.compile(rb'"kind":"run\.(?:finished|cancelled)"')
SELECTOR = re.compile(r"(run|workflow|person|period):([A-Za-z0-9_.:/@-]{1,100})")
PERIOD = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})/([0-9]{4}-[0-9]{2}-[0-9]{2})")
BARE = {"log.init", "key.add", "key.retire", "key.revoke", *MARKERS}
DECIDED = {"approval.granted": "approved", "approval.denied": "denied"}
# Which reports have to tell of an entry in a run, and of one outside of all, by its kind.
OF_RUNS = {
    "approvals": "approval.granted approval.denied",
    "sod": "approval.granted approval.denied break_glass.used",
    "exceptions": "approval.expired action.in_doubt verification.failed verification.unknown"
    " run.moved break_glass.used",
    "ai": "model.asked",
}
OUTSIDE_RUNS = {
    "sod": "approval.refused",
    "exceptions": "schedule.missed proposal.refused step_up.refused outbox.delivery_failed",
    "changes": "workflow.published workflow.activated workflow.retired workflow.level_changed"
    " policy.changed role.granted role.revoked key.add key.retire key.revoke token.created"
    " token.revoked secret.set secret.rotated secret.forgotten schedule.set schedule.paused"
    " schedule.resumed schedule.deleted step_up.enrolled step_up.confirmed step_up.reset",
    "retention": "retention.sweep erasure hold.set hold.lifted",
    "ai": "model.asked",
}
# One entry may be an exception in two ways, and the oldest that is held of several classes.
SEVERAL = {"reports/exceptions.csv", "reports/retention.csv"}
TELL_DECISIONS = {"reports/approvals.csv", "reports/sod.csv"}
# What each report says beside what it repeats of an entry.
COLUMNS = {
    "population": "workflow version trigger begun outcome ended ended_ts entries requests"
    " decisions",
    "approvals": "request step decision stage have need rules policy asked asked_ts seconds"
    " stands_for via step_up",
    "sod": "request decision requester requester_who stands_for excluded overlap wanted"
    " wanted_by refused",
    "exceptions": "exception step request detail review_by review verdict reviewer reviewed_ts",
    "changes": "subject before after by_run detail",
    "retention": "event subject term due before n reason policy by_run",
    "ai": "purpose provider model template answered finish tokens_in tokens_out cost_micro"
    " decision decided decided_by",
}
# Of each change: the fields that name what changed, what was before, what is after, and more.
# Of several the first that is there counts.
CHANGED = {
    "workflow.published": ("workflow", "", "version", "owner"),
    "workflow.activated": ("workflow", "replaces", "version", "level"),
    "workflow.retired": ("workflow", "version", "", "reason"),
    "workflow.level_changed": ("workflow", "from", "to", "reason"),
    "policy.changed": ("name", "before", "after", ""),
    "role.granted": ("to", "", "role", "scope"),
    "role.revoked": ("to", "role", "", "scope"),
    "key.add": ("role", "", "vkey pk", "holder"),
    "key.retire": ("id", "id", "", ""),
    "key.revoke": ("id", "id", "", "from"),
    "token.created": ("token", "", "owner", "expires"),
    "token.revoked": ("token", "token", "", ""),
    "secret.set": ("secret", "", "version", ""),
    "secret.rotated": ("secret", "", "version", ""),
    "secret.forgotten": ("secret", "version", "", ""),
    "schedule.set": ("schedule", "", "version", "workflow"),
    "schedule.paused": ("schedule", "", "", "workflow"),
    "schedule.resumed": ("schedule", "", "", "workflow"),
    "schedule.deleted": ("schedule", "", "", "workflow"),
    "step_up.enrolled": ("person", "", "enrolment", ""),
    "step_up.confirmed": ("person", "replaces", "enrolment", ""),
    "step_up.reset": ("person", "enrolment", "", "reason"),
}
# What an exception is called, in a run and outside of all, and the fields that tell more of it.
EXCEPTIONAL = {
    "approval.expired": ("expired", ""),
    "action.in_doubt": ("in-doubt", "cause"),
    "verification.failed": ("verification-failed", "check"),
    "verification.unknown": ("verification-unknown", "check"),
    "run.moved": ("moved", "to"),
}
EXCEPTIONAL_OUTSIDE = {
    "schedule.missed": ("missed", "schedule"),
    "proposal.refused": ("proposal-refused", "why wanted workflow"),
    "step_up.refused": ("code-refused", "why"),
    "outbox.delivery_failed": ("undelivered", "error_class"),
}
KEPT_KINDS = {"retention.sweep", "erasure", "hold.set", "hold.lifted"}
MODEL_KINDS = {"model.asked", "model.answered"}
READ_INSIDE = {
    *("run.started", "run.finished", "run.cancelled", "approval.requested", "approval.edited"),
    *("break_glass.used", "action.resolved", *DECIDED, *EXCEPTIONAL, *MODEL_KINDS),
}
READ_OUTSIDE = {
    *("action.resolved", "approval.refused", "break_glass.reviewed"),
    *(*CHANGED, *EXCEPTIONAL_OUTSIDE, *KEPT_KINDS, *MODEL_KINDS),
}
# Whose rows are known in full; a kind that is not among them may have rows of a later release.
READ = {*READ_INSIDE, *READ_OUTSIDE, "action.intended", "action.executed", "action.failed"}
READ |= {"service.started", "verify.run"}
HELD, LATE_REPLY = "oldest-held", "the outcome came after it was given up"
WRONG_CODES = {"wrong": "code_wrong", "used": "code_used"}
TERM = re.compile(r"([1-9][0-9]{0,5})(ms|s|m|h|d)")
UNITS = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
ID = re.compile(rb'"id":"([0-9a-f]{32})","key":"')
# Hashes are compared first, in shares; nobody can know beforehand which ids have the same.
MOST_HASH, ID_SHARES = 2**64 - 1, 16
NOTE_NAME = re.compile(r"checkpoints/(?:[0-9]{12}|[1-9][0-9]{12,18})")
ORIGIN = re.compile(r"[^\s+\x00-\x1f\x7f\x85\ufeff]{1,255}")
SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
# Control characters but LF, and what stands for a byte that is no UTF-8.
NO_NOTE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\ud800-\udfff]")
LINE_FILES = ["entries.jsonl", "context.jsonl", "disclosures.jsonl", "subjects.jsonl", "index.csv"]
ENVELOPE, SIGNED = {"payloadType", "payload", "signatures"}, {"keyid", "sig"}
HASH, VKEY, NOTE_LINES, MOST_BYTES, KEY_HINT, SIGNATURE = 32, 33, 3, 16_384, 4, 64
MOST_INTEGER, MOST_LEVELS, MOST_SHOWN, PAIR = 2**53 - 1, 32, 100, 2
# Of a longer line each piece counts as one, so that no line fills the memory.
MOST_LINE, MOST_PAYLOAD, MOST_ROW = 1 << 16, 1 << 26, 1 << 20
MOST_NEAR, MOST_OPEN, MOST_TOLD = 20_000, 4_000, 1_000  # What is kept in memory of each sort.
ACTORS = {"user", "bot", "schedule", "webhook", "agent", "model", "system"}
CLASSES = {"personal.content", "personal.derived", "identity.actor", "business"}
TS = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")
MEMBER, PART = re.compile(r"[A-Za-z0-9_.-]{1,64}"), re.compile(r"[a-z0-9_.-]{1,64}")
PSEUDONYM, NAME = re.compile(r"s:[0-9a-f]{32}"), re.compile(r"[A-Za-z0-9_.:/@-]{1,64}")
ENTRY_ID, KEY_ID = re.compile(r"[0-9a-f]{32}"), re.compile(r"[0-9a-f]{16}")
RUN_ID, PLACE = re.compile(r"[A-Za-z0-9_-]{1,64}"), re.compile(r"0|[1-9][0-9]{0,15}")
# The member that names the run, found in a line that need not be one any more.
RUN_OF_LINE = re.compile(rb'"rseq":[0-9]+,"run":"([A-Za-z0-9_-]{1,64})"')
REPORT_NAME = re.compile(r"reports/[^/]+\.csv")
LONGEST_NAME = 40
REPORT_COLUMNS = ["idx", "ts", "kind", "run", "actor", "who"]
FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
ANCHOR_NAME = re.compile(r"anchors/(0|[1-9][0-9]{0,15})-[0-9]{1,18}\.([a-z0-9]{1,20})")
COSIGNED, STAMP_BYTES = 4, 8
INTEGER, OBJECT, OCTETS, TIME = 0x02, 0x06, 0x04, 0x18
STAMPED_AT = re.compile(rb"([0-9]{14})(?:\.[0-9]+)?Z")
SEQUENCE, SET, TAGGED, LONG, MOST_SAID, MOST_CERTIFICATES = 0x30, 0x31, 0xA0, 0x80, 0x84, 8
CONTENT_TYPE, MESSAGE_DIGEST = (bytes.fromhex(f"2a864886f70d0109{one}") for one in ("03", "04"))
TST_INFO, CERTIFICATE_V1, CERTIFICATE_V2 = (
    bytes.fromhex(f"2a864886f70d010910{one}") for one in ("0104", "020c", "022f")
)
RSA_PSS = bytes.fromhex("2a864886f70d01010a")
HASHES: dict[bytes, hashes.HashAlgorithm] = {
    bytes.fromhex("608648016503040201"): hashes.SHA256(),
    bytes.fromhex("608648016503040202"): hashes.SHA384(),
    bytes.fromhex("608648016503040203"): hashes.SHA512(),
}
ENDS = {"run.finished", "run.cancelled"}
CLOSES_INTENT = {"action.executed", "action.failed", "action.resolved"}
TELLS_OF_EFFECT = CLOSES_INTENT | {"action.in_doubt"}
SLACK = timedelta(minutes=1)  # Between the look at the clock and the entry.
ERASES = "interlock.erase"
KIND_NAMES = """
access.read action.executed action.failed action.in_doubt action.intended action.resolved
approval.delegated approval.denied approval.edited approval.escalated approval.expired
approval.granted approval.refused approval.reminded approval.requested approval.withdrawn
break_glass.reviewed break_glass.used checkpoint.anchored decision.made digest.posted erasure
exception.reminded export.made hold.lifted hold.set key.add key.retire key.revoke log.init
model.answered model.asked outbox.delivery_failed policy.changed proposal.refused
question.answered question.asked retention.sweep role.granted role.revoked run.cancelled
run.finished run.moved run.started
schedule.deleted schedule.fired schedule.missed schedule.paused schedule.resumed schedule.set
secret.forgotten secret.rotated secret.set secret.used service.started step.observed
step_up.confirmed step_up.enrolled step_up.refused step_up.reset summary.written token.created
token.revoked verification.failed verification.passed verification.unknown verify.run wait.ended
wait.started workflow.activated workflow.level_changed workflow.published workflow.retired
"""
KINDS = frozenset(re.findall(r"\S+", KIND_NAMES))
PROOF_NAME = re.compile(r"(?:samples/[A-Za-z0-9_-]{1,64}/)?proofs/(0|[1-9][0-9]{0,15})\.tlog-proof")
BEGAN = re.compile(rb"(?:0|[1-9][0-9]{0,15}),([A-Za-z0-9_-]{1,64}),0,")
# On one system or another such a name leads elsewhere, or is that of another file.
ODD_NAME = re.compile(r"(?:^|/)\.{0,2}(?:/|$)|[\\:\x00-\x1f\x7f]|[. ](?:/|$)")
SAMPLE_NAME = re.compile(r"samples/([A-Za-z0-9_-]{1,64})/entries\.jsonl")
FAULTS = {
    "anchor": "Somebody outside vouched for another head than this log has, or a line is forged",
    "checkpoint-malformed": "A signed head cannot be read",
    "checkpoint-missing": "A signed head was taken away",
    "checkpoint-origin": "A signed head is of another log",
    "checkpoint-signature": "A signed head was changed",
    "checkpoint-untrusted": "A head is signed by somebody whom your key does not vouch for",
    "disclosure-duplicate": "A payload stands twice",
    "disclosure-orphan": "A payload belongs to no entry",
    "duplicate-id": "An entry was repeated",
    "entry-key": "An entry is signed by somebody whom the log does not know",
    "entry-key-retired": "An entry is signed with a key that had been ended before",
    "entry-malformed": "An entry is none that this log could have written",
    "entry-signature": "An entry is not what its writer signed",
    "file-extra": "A file was put into the pack",
    "file-hash": "A file of the pack was changed",
    "file-missing": "A file was taken out of the pack",
    "genesis": "The log does not begin with the keys that it says",
    "index-row": "A readable table was changed; it no longer says what was signed",
    "key-origin": "A key is for another log",
    "key-pop": "A key was brought in without a proof that somebody holds it",
    "leaf-mismatch": "An entry was changed after it was recorded",
    "manifest-signature": "The list of files was changed after it was signed",
    "not-canonical": "An entry was rewritten",
    "part-commitment": "A payload was exchanged or changed",
    "part-missing": "A payload was taken away without a word",
    "part-not-erased": "A payload is here that was said to be erased",
    "proof": "A proof in the pack proves nothing",
    "range": "Entries were taken out or put in",
    "root-mismatch": "A signed head stands for another history than the one shown",
    "run-chain": "An entry of a run was exchanged",
    "run-sequence": "An entry of a run is missing, repeated or out of order",
    "subject-ref": "Somebody else was put behind a pseudonym",
    "tree-state": "The stored tree of hashes was changed",
    "truncated": "Entries at the end are missing",
    "ts-format": "An entry has a time that is none",
    "wrong-log": "Something here belongs to another log",
}


def printable(text: str) -> str:
    """Return a text on one line, with a question mark for each sign that moves a terminal."""
    return "".join(one if one.isprintable() else "?" for one in text)


class Findings:
    """What was found: failures decide, what is unproven comes after them.

    Of the failures the first hundred are kept and the first of each code; all are counted. Where
    nothing was found, that says something only once every pass was through.
    """

    def __init__(self) -> None:
        self.owed = list(PASSES)
        self.aside = Aside()
        self.failures: list[tuple[str, str]] = []
        self.n_failures = 0
        self.unproven, self.semantics = (Told(self.aside) for _ in range(2))
        self.first_at: int | None = None  # The earliest entry that a failure is about.
        self.first_run = ""
        self.first_code = ""

    def fail(self, code: str, text: str, place: int | None = None) -> None:
        """Note a failure; `place` is that of the entry that it is about, if it is about one."""
        self.n_failures += 1
        if place is not None and (self.first_at is None or place < self.first_at):
            self.first_at, self.first_code = place, code
        if len(self.failures) < MOST_SHOWN or code not in {one for one, _ in self.failures}:
            self.failures.append((code, text))

    def first(self) -> str:
        """Return what is wrong where it begins, in plain words; nothing if nothing is."""
        if not self.failures:
            return ""
        if self.first_at is None:
            # That a file differs says least: whatever was found in it says more.
            codes = [code for code, _ in self.failures]
            inside = (code for code in codes if not code.startswith("file-"))
            return f"First fault: {FAULTS[next(inside, codes[0])]}."
        run = f", of the run {self.first_run}" if self.first_run else ""
        return f"First fault: {FAULTS[self.first_code]}. It is entry {self.first_at}{run}."

    def doubt(self, code: str, text: str) -> None:
        """Note something unproven."""
        self.unproven.append((code, text))

    def mean(self, code: str, text: str) -> None:
        """Note that the entries tell of something that the rules do not allow."""
        self.semantics.append((code, text))

    @property
    def exit(self) -> int:
        """What it amounts to."""
        if self.failures:
            return 1
        return 2 if self.owed else 3 if self.unproven else 0


# --- what is kept aside -----------------------------------------------------------------------


class Aside:
    """A temporary database: a file without a name, of which SQLite holds a few pages in memory."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)
        self.tables = 0
        for one in ("PRAGMA journal_mode = OFF", "PRAGMA synchronous = OFF", "BEGIN"):
            self._db.execute(one)

        self._cursor = self._db.cursor()

    def execute(self, statement: str, values: Sequence[object] = ()) -> None:
        """Do something there."""
        self._cursor.execute(statement, values)

    def first(self, statement: str, values: Sequence[object]) -> Any:  # noqa: ANN401  any row
        """Return the first row of an answer, None if there is none."""
        return self._cursor.execute(statement, values).fetchone()

    def rows(self, statement: str, values: Sequence[object] = ()) -> Iterator[Any]:
        """Return the rows of an answer, one after the other."""
        return self._db.execute(statement, values)

    def add(self, statement: str, rows: Iterable[Sequence[object]]) -> None:
        """Do the same for many rows."""
        self._db.executemany(statement, rows)


class Pile:
    """Values by name, in the same memory however many they are, in the order in which they came.

    The newest lie in a dictionary; when they become many they go aside. A value that was got may
    be changed in place until the pile is asked for another one.
    """

    def __init__(self, aside: Aside, most: int | None = None) -> None:
        self._aside, self.count, self._far = aside, 0, ""
        self._most = MOST_NEAR if most is None else most
        self._near: dict[str, tuple[int, Any]] = {}

    def get(self, name: str) -> Any:  # noqa: ANN401  whatever was put there
        """Return the value of that name, None if there is none."""
        near = self._near.get(name)
        if near is not None:
            return near[1]
        if not self._far:
            return None
        asked = f"SELECT n, value FROM {self._far} WHERE name = ?"  # noqa: S608  a name of ours
        found = self._aside.first(asked, (name,))
        if found is None:
            return None
        value = read_aside(found[1])
        self._keep(name, found[0], value)
        return value

    def put(self, name: str, value: object) -> None:
        """Keep a value; of a name that was got before, in its place."""
        near = self._near.get(name)
        self.count += near is None
        self._keep(name, self.count if near is None else near[0], value)

    def drop(self, name: str) -> None:
        """Forget a value, if there is one."""
        self._near.pop(name, None)
        if self._far:
            self._aside.execute(f"DELETE FROM {self._far} WHERE name = ?", (name,))  # noqa: S608

    def values(self) -> Iterator[Any]:
        """Yield the values alone; nothing may be asked of the pile meanwhile."""
        for _, value in self.pairs():
            yield value

    def pairs(self) -> Iterator[tuple[str, Any]]:
        """Yield names and values; nothing may be asked of the pile meanwhile."""
        if not self._far:
            yield from ((name, value) for name, (_, value) in self._near.items())
            return
        self._move_away()
        asked = f"SELECT name, value FROM {self._far} ORDER BY n"  # noqa: S608  a name of ours
        for name, value in self._aside.rows(asked):
            yield name, read_aside(value)

    def __bool__(self) -> bool:
        return bool(self.count)

    def _keep(self, name: str, number: int, value: object) -> None:
        if len(self._near) >= self._most and name not in self._near:
            self._move_away()
        self._near[name] = number, value

    def _move_away(self) -> None:
        if not self._far:
            self._aside.tables += 1
            self._far = f"pile{self._aside.tables}"
            columns = "name TEXT PRIMARY KEY, n INTEGER, value TEXT"
            self._aside.execute(f"CREATE TABLE {self._far} ({columns}) WITHOUT ROWID")
        rows = ((one, n, aside_text(value)) for one, (n, value) in sorted_by_name(self._near))
        adding = f"INSERT OR REPLACE INTO {self._far} VALUES (?, ?, ?)"  # noqa: S608  as above
        self._aside.add(adding, rows)
        self._near.clear()


def sorted_by_name(found: Mapping[str, tuple[int, Any]]) -> list[tuple[str, tuple[int, Any]]]:
    """Return items by their names alone; neighbours lie on one page of a table."""
    return sorted(found.items(), key=lambda one: one[0])


class Told:
    """Findings in their order: as many as people read in memory, and what comes after aside."""

    def __init__(self, aside: Aside) -> None:
        self._aside, self._near, self._far = aside, list[tuple[str, str]](), ""

    def append(self, one: tuple[str, str]) -> None:
        """Take in the next."""
        if len(self._near) < MOST_TOLD:
            self._near.append(one)
            return
        if not self._far:
            self._aside.tables += 1
            self._far = f"told{self._aside.tables}"
            self._aside.execute(f"CREATE TABLE {self._far} (n INTEGER PRIMARY KEY, text TEXT)")
        adding = f"INSERT INTO {self._far} (text) VALUES (?)"  # noqa: S608  a name of ours
        self._aside.execute(adding, (aside_text(one),))

    def __iter__(self) -> Iterator[tuple[str, str]]:
        yield from self._near
        if self._far:
            asked = f"SELECT text FROM {self._far} ORDER BY n"  # noqa: S608  a name of ours
            for (text,) in self._aside.rows(asked):
                yield read_aside(text)

    def __bool__(self) -> bool:
        return bool(self._near)


def aside_text(value: object) -> str:
    """Return a value as it is kept aside: JSON, in which each container names its kind.

    Nothing but JSON is read back, so whatever stands in that file can only be data.
    """
    return json.dumps(_marked(value), ensure_ascii=True)


def read_aside(text: str) -> Any:  # noqa: ANN401  whatever was kept
    """Return what `aside_text` was given."""
    return _unmarked(json.loads(text))


def _marked(value: object) -> object:
    if value is None or isinstance(value, (str, int)):
        return value
    if isinstance(value, bytes):
        return ["bytes", value.hex()]
    if isinstance(value, Mapping):
        return ["dict", *([_marked(one), _marked(its)] for one, its in value.items())]
    if isinstance(value, (Run, Asked, Call)):
        values = (getattr(value, one.name) for one in fields(value))
        return [type(value).__name__, *map(_marked, values)]
    if isinstance(value, (list, tuple, set, frozenset, array)):
        return [type(value).__name__, *map(_marked, value)]
    raise TypeError(f"a {type(value).__name__} cannot be kept aside")


def _unmarked(value: Any) -> Any:  # noqa: ANN401  any JSON value
    if not isinstance(value, list):
        return value
    kind, *members = value
    if kind == "bytes":
        return bytes.fromhex(members[0])
    if kind == "dict":
        return {_unmarked(one): _unmarked(its) for one, its in members}
    read = [_unmarked(one) for one in members]
    if kind == "array":
        return array("Q", read)
    if kind in COLLECTIONS:
        return COLLECTIONS[kind](read)
    return {"Run": Run, "Asked": Asked, "Call": Call, "Fact": Fact}[kind](*read)


COLLECTIONS = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}


# --- bytes ----------------------------------------------------------------------------------


class TooDeepError(ValueError):
    """A value with more levels than this Python reads or writes, so with more than there may be."""


def canonical(value: Any) -> bytes:  # noqa: ANN401  any JSON value
    """Return the one spelling of a value (RFC 8785, over integers)."""
    try:
        text = ENCODER.encode(value)
    except RecursionError:
        raise TooDeepError("too many levels") from None
    return text.encode()


def refuse(text: str) -> NoReturn:
    """Refuse a number that is no integer."""
    raise ValueError(f"{text} is no integer")


ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)
DECODER = json.JSONDecoder(parse_float=refuse, parse_constant=refuse)


def parse(data: bytes) -> Any:  # noqa: ANN401  any JSON value
    """Read JSON that holds no fractions."""
    try:
        return DECODER.decode(data.decode())
    except RecursionError:
        raise TooDeepError("too many levels") from None


def strict(data: bytes) -> dict[str, Any]:
    """Read an object in its one spelling: no member twice, no odd space, no odd value."""
    value = parse(data)
    if not isinstance(value, dict) or not is_value(value, 1) or canonical(value) != data:
        raise ValueError("it re-encodes to other bytes")
    return value


def is_plain(value: object, depth: int = 1) -> bool:
    """Say whether a value is one that all readers read alike: integers, few levels, ASCII names."""
    if isinstance(value, (dict, list)) and depth > MOST_LEVELS:
        return False
    if isinstance(value, dict):
        return all(name.isascii() and is_plain(one, depth + 1) for name, one in value.items())
    if isinstance(value, list):
        return all(is_plain(one, depth + 1) for one in value)
    return not isinstance(value, int) or -MOST_INTEGER <= value <= MOST_INTEGER


def pae(kind: bytes, body: bytes) -> bytes:
    """Return what DSSE signs."""
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(body), body)


def holds(hours: dict[str, Any], moment: datetime) -> bool:
    """Say whether a moment lies in business hours, by the clock of their zone."""
    here = moment.astimezone(ZoneInfo(hours["zone"]))
    if here.isoweekday() not in hours["weekdays"] or here.date().isoformat() in hours["holidays"]:
        return False
    return bool(hours["from"] <= f"{here:%H:%M}" < hours["to"])


def cell(value: object) -> str:
    """Return a value as a table for spreadsheets holds it: never a formula."""
    text = "" if value is None else str(value)
    text = text.lower() if isinstance(value, bool) else text
    return f"'{text}" if text.startswith(FORMULA) else text


def b64(text: object, size: int | None = None) -> bytes:
    """Return the bytes behind base64, in its one spelling; of that `size` if one is given."""
    data = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    if base64.b64encode(data).decode() != text or size not in {None, len(data)}:
        raise ValueError("not base64")
    return data


def verifies(public: bytes, signature: bytes, message: bytes) -> bool:
    """Say whether an Ed25519 signature holds."""
    try:
        public_key(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


@lru_cache(maxsize=100)
def public_key(public: bytes) -> Ed25519PublicKey:
    """Return a key that verifies; reading one takes a while, and a log has few."""
    return Ed25519PublicKey.from_public_bytes(public)


def key_id(public: bytes) -> str:
    """Return the id of a public key."""
    return hashlib.sha256(public).hexdigest()[:16]


# --- the form of an entry -------------------------------------------------------------------


def is_named(text: object, form: re.Pattern[str]) -> bool:
    """Say whether something is a text of that form."""
    return isinstance(text, str) and form.fullmatch(text) is not None


def named(value: object) -> str:
    """Return a name that something is found by."""
    if not isinstance(value, str):
        raise TypeError("a name is a text")
    return value


def is_count(value: object) -> TypeGuard[int]:
    """Say whether something is a number that counts."""
    return type(value) is int and 0 <= value <= MOST_INTEGER


def is_value(value: object, depth: int = 2) -> bool:
    """Say whether the canonical form has a place for a value."""
    if isinstance(value, str):
        return "\0" not in value
    if isinstance(value, int):
        return -MOST_INTEGER <= value <= MOST_INTEGER
    if isinstance(value, (dict, list)) and depth > MOST_LEVELS:
        return False
    if isinstance(value, dict):
        return all(is_named(k, MEMBER) and is_value(v, depth + 1) for k, v in value.items())
    return value is None or (
        isinstance(value, list) and all(is_value(one, depth + 1) for one in value)
    )


def is_part(name: str, part: Any) -> bool:  # noqa: ANN401  any JSON value
    """Say whether an entry may speak of such a part."""
    if not is_named(name, PART) or not isinstance(part, dict) or set(part) != {"c", "cls", "len"}:
        return False
    try:
        fits = len(b64(part["c"])) == HASH
    except ValueError:
        return False
    return (
        fits and isinstance(part["cls"], str) and part["cls"] in CLASSES and is_count(part["len"])
    )


def is_actor(actor: Any) -> bool:  # noqa: ANN401  any JSON value
    """Say whether an entry may name such an actor."""
    if not isinstance(actor, dict) or set(actor) != {"t", "ref"}:
        return False
    known = isinstance(actor["t"], str) and actor["t"] in ACTORS
    return known and is_named(actor["ref"], PSEUDONYM if actor["t"] == "user" else NAME)


def is_placed(entry: dict[str, Any]) -> bool:
    """Say whether an entry's place in a run, or outside of all, fits together."""
    run, rseq, prev = entry["run"], entry["rseq"], entry["prev"]
    if not is_count(rseq) or not isinstance(prev, str) or (rseq == 0) != (prev == ""):
        return False
    return is_named(run, RUN_ID) or (run is None and rseq == 0)


def is_entry(entry: Any) -> bool:  # noqa: ANN401  any JSON value
    """Say whether a value has the form of an entry, whatever its kind."""
    if not isinstance(entry, dict) or set(entry) != MEMBERS:
        return False
    if type(entry["v"]) is not int or entry["v"] != 1:
        return False
    if not is_named(entry["id"], ENTRY_ID) or not is_named(entry["key"], KEY_ID):
        return False
    if not all(isinstance(entry[one], str) for one in ("log", "kind", "ts", "sig")):
        return False
    data, parts = entry["data"], entry["parts"]
    if not isinstance(data, dict) or not isinstance(parts, dict):
        return False
    is_made = is_actor(entry["actor"]) and is_placed(entry)
    return is_made and is_value(data) and all(is_part(*one) for one in parts.items())


def is_moment(ts: str) -> bool:
    """Say whether a time is one, written as entries write it."""
    if TS.fullmatch(ts) is None:
        return False
    try:
        datetime(*map(int, re.split("[-T:.]", ts[:-1])))  # type: ignore[arg-type]  # noqa: DTZ001
    except ValueError:
        return False
    return True


# --- the tree -------------------------------------------------------------------------------


def node(left: bytes, right: bytes) -> bytes:
    """Return the hash over two subtrees."""
    return hashlib.sha256(b"\1" + left + right).digest()


class Tree:
    """The roots of the perfect subtrees, the largest first."""

    def __init__(self) -> None:
        self.size = 0
        self.frontier: list[bytes] = []

    def append(self, leaf: bytes) -> None:
        """Take in the next leaf."""
        bits = self.size
        while bits & 1:
            leaf = node(self.frontier.pop(), leaf)
            bits >>= 1
        self.frontier.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """Return the root over all leaves so far."""
        if not self.frontier:
            return hashlib.sha256(b"").digest()
        root = self.frontier[-1]
        for one in reversed(self.frontier[:-1]):
            root = node(one, root)
        return root


def root_of(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """Return the root that an inclusion proof leads to (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        raise ValueError("there is no such entry")
    place, last = index, size - 1
    for one in path:
        if last == 0:
            raise ValueError("the proof is too long")
        if place & 1 or place == last:
            leaf = node(one, leaf)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            leaf = node(leaf, one)
        place, last = place >> 1, last >> 1
    if last:
        raise ValueError("the proof is too short")
    return leaf


# --- keys and notes -------------------------------------------------------------------------


class Key:
    """A log key, from which entry on it is known and at which it ended."""

    def __init__(self, vkey: str, added: int = -1) -> None:
        self.vkey = vkey.strip()
        self.name, short, encoded = self.vkey.split("+", 2)
        material = b64(encoded)
        digest = hashlib.sha256(self.name.encode() + b"\n" + material).digest()
        is_key = len(material) == VKEY and material[:1] == b"\1"
        if not is_key or digest[:4].hex() != short or not ORIGIN.fullmatch(self.name):
            raise ValueError("not an Ed25519 verifier key")
        self.public, self.short, self.id = material[1:], digest[:4], key_id(material[1:])
        self.added = added
        self.ended: int | None = None
        self.revoked_from: int | None = None

    def counts_at(self, size: int) -> bool:
        """Say whether a head of that size counts under it."""
        return self.ended is None or size <= self.ended


Named = dict[tuple[str, bytes], list[Key]]


def by_name(keys: Iterable[Key]) -> Named:
    """Return keys by what the line of a signature names them by."""
    found: Named = {}
    for key in keys:
        found.setdefault((key.name, key.short), []).append(key)
    return found


class Witness:
    """Somebody who cosigns heads, and refuses a second history."""

    def __init__(self, vkey: str) -> None:
        self.name, short, encoded = vkey.strip().split("+", 2)
        material = b64(encoded)
        digest = hashlib.sha256(self.name.encode() + b"\n" + material).digest()
        if len(material) != VKEY or material[0] != COSIGNED or digest[:4].hex() != short:
            raise ValueError("not the key of a witness")
        self.public, self.short = material[1:], digest[:4]

    def saw(self, message: bytes, data: bytes) -> bool:
        """Say whether a line is its word that it saw this head, at the second it names."""
        seconds = int.from_bytes(data[:STAMP_BYTES], "big")
        signed = b"cosignature/v1\ntime %d\n%b" % (seconds, message)
        return verifies(self.public, data[STAMP_BYTES:], signed)


@dataclass
class Writer:
    """A key that signs entries, and the entry at which it ended."""

    public: bytes
    ended: int | None = None
    signed: "array[int]" = field(default_factory=lambda: array("Q"))


class Note:
    """A signed head."""

    def __init__(self, text: str) -> None:
        body, gap, signatures = text.partition("\n\n")
        lines = body.split("\n")
        if not gap or len(lines) != NOTE_LINES or not signatures.endswith("\n"):
            raise ValueError("not a note over three lines")
        if NO_NOTE.search(text):
            raise ValueError("not UTF-8, or a control character in it")
        if not ORIGIN.fullmatch(lines[0]) or not SIZE.fullmatch(lines[1]):
            raise ValueError("not a checkpoint")
        self.origin, self.size, self.root = lines[0], int(lines[1]), b64(lines[2], HASH)
        self.message = f"{body}\n".encode()
        self.signatures: list[tuple[str, bytes]] = []
        for line in signatures[:-1].split("\n"):
            dash, name, data = line.split(" ")
            if dash != "\u2014":
                raise ValueError("not a signature line")
            self.signatures.append((name, b64(data)))
            if len(self.signatures[-1][1]) <= KEY_HINT:
                raise ValueError("a signature line without a signature")

    def signers(self, keys: Named) -> list[Key]:
        """Return the known keys that signed; one bad line under any of them rejects the note."""
        found = []
        for name, data in self.signatures:
            for key in keys.get((name, data[:4]), ()):
                if not verifies(key.public, data[4:], self.message):
                    raise ValueError(f"the line of key {key.id} is false")
                found.append(key)
        return found


def unpasted(text: str) -> str:
    """Return a note as it was before Slack turned names into links and quoted signs."""
    text = re.sub(r"<[^|<>\n]+\|([^<>\n]+)>", r"\1", text.replace("\r\n", "\n"))
    text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    # What `interlock audit head` prints has the key below the note.
    return text.replace("```", "").partition("\nvkey ")[0].strip("\n ") + "\n"


# --- time stamps (RFC 3161) -----------------------------------------------------------------


class Der(NamedTuple):
    """One value of DER: its tag, what is inside of it, and all its bytes."""

    tag: int
    inside: bytes
    whole: bytes


def der(data: bytes, tag: int | None = None) -> list[Der]:
    """Return the values in `data`; with a tag, those inside of the one value that has it."""
    found, at = [], 0
    while at < len(data):
        size = said = data[at + 1]
        start = at + 2 + max(0, said - LONG)
        if said > LONG:
            size = int.from_bytes(data[at + 2 : start], "big")
        if said == LONG or said > MOST_SAID or start + size > len(data):
            raise ValueError("not DER")
        found.append(Der(data[at], data[start : start + size], data[at : start + size]))
        at = start + size
    if tag is None:
        return found
    if [one.tag for one in found] != [tag]:
        raise ValueError("another value of DER than belongs there")
    return der(found[0].inside)


class UnknownAlgorithmError(Exception):
    """A token is signed in a way that this file does not know."""


class UnknownAuthorityError(Exception):
    """A token is signed by somebody for whom none of the certificates given vouches."""


class Stamp:
    """A token of a time stamp authority: what it says of which bytes, and who signed that."""

    def __init__(self, answer: bytes) -> None:
        try:
            status, token = der(answer, SEQUENCE)
            _type, signed = der(token.whole, SEQUENCE)
            (data,) = der(signed.whole, TAGGED)
            _version, _hashes, content, *more = der(data.whole, SEQUENCE)
            (self.signer,) = der(more[-1].whole, SET)
            kind, held = der(content.whole, SEQUENCE)
            (octets,) = der(held.whole, TAGGED)
            self.told = octets.inside
            _version, _policy, imprint, serial, at, *rest = der(self.told, SEQUENCE)
            _algorithm, digest = der(imprint.whole, SEQUENCE)
            granted = der(status.whole, SEQUENCE)[0].whole in {b"\2\1\0", b"\2\1\1"}
            if not all(one.inside for one in (serial, *rest) if one.tag == INTEGER):
                refuse("no number")
            moment = STAMPED_AT.fullmatch(at.inside) or refuse("no time")
            self.at = datetime.strptime(moment[1].decode() + "+0000", "%Y%m%d%H%M%S%z")
        except (IndexError, ValueError) as error:
            raise ValueError("not the answer of a time stamp authority") from error
        tags = (kind.tag, octets.tag, serial.tag, at.tag)
        if not granted or kind.inside != TST_INFO or tags != (OBJECT, OCTETS, INTEGER, TIME):
            raise ValueError("the authority refused")
        self.digest = digest.inside
        sent = b"".join(one.inside for one in more if one.tag == TAGGED)
        found = (certificate_in(one.whole) for one in der(sent))
        self.certificates = [one for one in found if one is not None]

    def refusal(self, roots: Sequence[x509.Certificate]) -> str:
        """Return why the token does not hold under these certificates, nothing if it does.

        Raises:
            UnknownAlgorithmError: it is signed in a way that this file does not know.
            UnknownAuthorityError: none of the certificates vouches for who signed it.
        """
        try:
            _version, _who, digest, attributes, algorithm, signature, *_rest = der(
                self.signer.whole, SEQUENCE
            )
            hashed = hash_named(digest)
            told: dict[bytes, Der] = {}
            for one in der(attributes.inside):
                name, values = der(one.whole, SEQUENCE)
                (told[name.inside],) = der(values.whole, SET)
            content, hashed_content = told[CONTENT_TYPE].inside, told[MESSAGE_DIGEST].inside
            certificate = self.author(told, roots)
        except (IndexError, KeyError, ValueError):
            return "its signature cannot be read"
        if certificate is None:
            return "the certificate of who signed it is not here"
        chain = self.chain_of(certificate, roots)  # Of a stranger's token nothing can be told.
        if content != TST_INFO:
            return "it signs something else"
        if hashed_content != digest_of(hashed, self.told):
            return "what it says was changed"
        if der(algorithm.whole, SEQUENCE)[0].inside == RSA_PSS:
            raise UnknownAlgorithmError("RSA-PSS")
        # What is signed is the set of attributes, under its own tag instead of that of its place.
        message = bytes([SET]) + attributes.whole[1:]
        if not is_signed(certificate, signature.inside, message, hashed):
            return "its signature is false"
        if not stamps_time(certificate):
            return "who signed it is not certified to stamp time"
        if not all(one.not_valid_before_utc <= self.at <= one.not_valid_after_utc for one in chain):
            return "a certificate was not good at the time that it names"
        return ""

    def author(
        self, told: dict[bytes, Der], roots: Sequence[x509.Certificate]
    ) -> x509.Certificate | None:
        """Return the certificate that the signed attributes name by its hash."""
        named = told.get(CERTIFICATE_V2) or told[CERTIFICATE_V1]
        first = der(der(der(named.whole, SEQUENCE)[0].whole, SEQUENCE)[0].whole, SEQUENCE)
        hashed: hashes.HashAlgorithm = hashes.SHA256()
        if CERTIFICATE_V2 not in told:
            hashed = hashes.SHA1()  # noqa: S303  it only says which certificate is meant
        elif first[0].tag == SEQUENCE:
            hashed = hash_named(first.pop(0))
        known = (*self.certificates, *roots)
        return next((one for one in known if one.fingerprint(hashed) == first[0].inside), None)

    def chain_of(
        self, certificate: x509.Certificate, roots: Sequence[x509.Certificate]
    ) -> list[x509.Certificate]:
        """Return the certificates from this one up to one of the roots.

        Raises:
            UnknownAuthorityError: it leads to none of them.
        """
        chain = [certificate]
        while chain[-1] not in roots or chain[-1].issuer != chain[-1].subject:
            above = (one for one in (*roots, *self.certificates) if issued(chain[-1], one))
            found = next(above, None)
            if found is None or len(chain) == MOST_CERTIFICATES:
                raise UnknownAuthorityError(
                    "no certificate that you gave vouches for who signed it"
                )
            chain.append(found)
        return chain


def certificate_in(data: bytes) -> x509.Certificate | None:
    """Return a certificate that came with a token, None if it cannot be read in full."""
    try:
        found = x509.load_der_x509_certificate(data)
        _parsed_only_now = (found.issuer, found.subject, found.extensions)
    except (ValueError, x509.InvalidVersion, x509.DuplicateExtension):
        return None
    return found


def hash_named(value: Der) -> hashes.HashAlgorithm:
    """Return the hash that an AlgorithmIdentifier names."""
    name = der(value.whole, SEQUENCE)[0].inside
    if name not in HASHES:
        raise UnknownAlgorithmError(f"the hash {name.hex()}")
    return HASHES[name]


def digest_of(hashed: hashes.HashAlgorithm, data: bytes) -> bytes:
    """Return the hash of some bytes."""
    return hashlib.new(hashed.name, data).digest()


def is_signed(
    certificate: x509.Certificate, signature: bytes, message: bytes, hashed: hashes.HashAlgorithm
) -> bool:
    """Say whether the key in a certificate signed a message."""
    try:
        key = certificate.public_key()
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, message, padding.PKCS1v15(), hashed)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, message, ec.ECDSA(hashed))
        elif isinstance(key, Ed25519PublicKey):
            key.verify(signature, message)
        else:
            raise UnknownAlgorithmError(type(key).__name__)
    except UnsupportedAlgorithm as error:
        raise UnknownAlgorithmError(str(error)) from error
    except (InvalidSignature, ValueError):
        return False
    return True


def stamps_time(certificate: x509.Certificate) -> bool:
    """Say whether a certificate is for time stamps and nothing else (RFC 3161, 2.3)."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except (x509.ExtensionNotFound, ValueError):
        return False
    return found.critical and list(found.value) == [ExtendedKeyUsageOID.TIME_STAMPING]


def issued(certificate: x509.Certificate, by: x509.Certificate) -> bool:
    """Say whether an authority issued a certificate."""
    try:
        rules = by.extensions.get_extension_for_class(x509.BasicConstraints).value
        certificate.verify_directly_issued_by(by)
    except (x509.ExtensionNotFound, InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return rules.ca


# --- the pack -------------------------------------------------------------------------------


class Pack:
    """A folder with a pack in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if folder.is_file():
            raise ValueError("it is a file; unpack it, and name the folder")
        found = (one for one in folder.rglob("*") if one.is_file() or one.is_symlink())
        self._names = frozenset(one.relative_to(folder).as_posix() for one in found)
        self.links = sorted(one for one in self.names() if (folder / one).is_symlink())
        self.payload, self.manifest = b"", {}
        if self.links:
            return  # What lies outside is never read: it may have no end.
        if not (folder / "manifest.json").is_file():
            raise ValueError("there is no manifest.json in it")
        self.payload = (folder / "manifest.json").read_bytes()
        self.manifest = parse(self.payload)
        if not is_plain(self.manifest) or canonical(self.manifest) != self.payload:
            raise ValueError("the manifest re-encodes to other bytes")
        fault = self.fault()
        if fault:
            raise ValueError(f"the manifest {fault}")
        self.start, self.end = self.manifest["range"]

    def fault(self) -> str:
        """Return what a manifest cannot say, nothing if it says all that it has to."""
        said = self.manifest
        if not isinstance(said, dict) or said.get("format") != "audit-evidence/1":
            return "is not of audit-evidence/1"
        span, listed, keys = said.get("range"), said.get("files"), said.get("log_vkeys")
        if not isinstance(span, list) or len(span) != PAIR or not all(map(is_count, span)):
            return "names no range"
        if span[0] > span[1]:
            return "names no range"
        if said.get("disclosure") not in ("all", "selected"):
            return "does not say what is disclosed"
        if not isinstance(listed, dict) or not all(isinstance(x, dict) for x in listed.values()):
            return "lists no files"
        if not isinstance(keys, list) or not all(isinstance(one, str) for one in keys):
            return "names no keys"
        return self.fault_beside(said) if isinstance(said.get("origin"), str) else "names no log"

    @staticmethod
    def fault_beside(said: dict[str, Any]) -> str:
        """Return what a manifest cannot say of how the pack was made."""
        if said.get("entry_type") != ENTRY_TYPE.decode():
            return "is for entries of another type"
        if not is_count(said.get("size")):
            return "names no size"
        if not isinstance(said.get("created"), str) or not isinstance(said.get("tool"), str):
            return "does not say what made it, and when"
        is_empty = said["range"][0] == said["range"][1]
        period = said.get("period", [] if is_empty else None)
        if not isinstance(period, list) or len(period) != (0 if is_empty else PAIR):
            return "names no period"
        filters = said.get("filters", {})
        sample = filters.get("sample", {"count": 0, "seed": ""}) if type(filters) is dict else None
        if not isinstance(sample, dict) or not is_count(sample.get("count")):
            return "has malformed filters"
        if not isinstance(sample.get("seed"), str):
            return "has malformed filters"
        return "" if all(isinstance(one, str) for one in period) else "names no period"

    def names(self) -> frozenset[str]:
        """Return the names of all files."""
        return self._names

    def content(self, name: str) -> bytes:
        """Return a whole file."""
        return (self.folder / name).read_bytes()

    def text(self, name: str) -> str:
        """Return a whole file as text, line ends as they are; what is no UTF-8 is no note."""
        return self.content(name).decode(errors="surrogateescape")

    def ends_midway(self, name: str) -> bool:
        """Say whether a file of lines ends in the middle of one."""
        with (self.folder / name).open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - 1))
            return file.read(1) not in {b"", b"\n"}

    def lines(self, name: str) -> Iterator[bytes]:
        """Yield the lines of a file."""
        most = MOST_PAYLOAD if name == "disclosures.jsonl" else MOST_LINE
        with (self.folder / name).open("rb") as file:
            while line := file.readline(most):
                yield line.removesuffix(b"\n")

    def leaves(self) -> Iterator[bytes]:
        """Yield the leaf of every entry of the log."""
        with (self.folder / "leaves.bin").open("rb") as file:
            while leaf := file.read(HASH):
                yield leaf

    def leaf(self, index: int) -> bytes:
        """Return the leaf of one entry, nothing where there is none."""
        with (self.folder / "leaves.bin").open("rb") as file:
            at = min(HASH * index, file.seek(0, 2))
            file.seek(at)
            return file.read(HASH)

    def context(self) -> dict[int, int]:
        """Return where in its file what has to be known outside the range stands, by its place.

        At -1 stands what has no place.
        """
        found, at = {}, 0
        with (self.folder / "context.jsonl").open("rb") as file:
            while line := file.readline(MOST_LINE):
                place = line.partition(b"\t")[0].decode(errors="replace")
                found[int(place) if PLACE.fullmatch(place.removesuffix("\n")) else -1] = at
                at += len(line)
        return found

    def context_line(self, at: int) -> bytes:
        """Return the line of the context that stands there in its file."""
        with (self.folder / "context.jsonl").open("rb") as file:
            file.seek(at)
            return file.readline(MOST_LINE).removesuffix(b"\n").partition(b"\t")[2]


# --- what the entries tell ------------------------------------------------------------------


@dataclass(slots=True)
class Asked:
    """An approval request, and what was said to it."""

    step: Any
    binding: str
    expires: Any
    stages: list[dict[str, Any]]
    excluded: set[str]
    breakers: set[str]
    wants_code: bool
    hours: Any
    version: str | None
    granted: dict[int, set[str]] = field(default_factory=dict)
    rejected: dict[int, set[str]] = field(default_factory=dict)
    voices: set[str] = field(default_factory=set)
    added: dict[int, set[str]] = field(default_factory=dict)
    closed: str = ""
    is_denied: bool = False
    used_by: tuple[str, str] | None = None

    def was_asked(self, person: str, stage: int) -> bool:
        """Say whether somebody was asked at a stage, then or later."""
        here = self.stages[stage].get("people", []) if 0 <= stage < len(self.stages) else []
        return person in here or person in self.added.get(stage, ())

    def is_done(self, stage: int) -> bool:
        """Say whether a stage has enough approvals."""
        need = self.stages[stage].get("approve")
        return len(self.granted.get(stage, ())) >= max(1, need if isinstance(need, int) else 0)

    def has_spoken(self, person: str, instead: str) -> bool:
        """Say whether somebody decided before, or somebody in the place that they decide."""
        places = [*self.granted.values(), *self.rejected.values()]
        return person in self.voices or any(instead in one for one in places)

    def reject(self, instead: str, stage: int) -> None:
        """Count a rejection: enough of a stage close it, or one by whoever had approved."""
        self.rejected.setdefault(stage, set()).add(instead)
        enough = self.stages[stage].get("deny") if 0 <= stage < len(self.stages) else 1
        enough = max(1, enough if isinstance(enough, int) else 0)
        had_approved = any(instead in one for one in self.granted.values())
        self.is_denied |= had_approved or len(self.rejected[stage]) >= enough

    def is_in_turn(self, stage: int) -> bool:
        """Say whether all stages that come before are done; neighbours of one turn go together."""
        turns: list[list[int]] = []
        for number, one in enumerate(self.stages):
            turn = one.get("turn")
            together = number and turn is not None and self.stages[number - 1].get("turn") == turn
            if together:
                turns[-1].append(number)
            else:
                turns.append([number])
        for turn_now in turns:
            if stage in turn_now:
                return True
            if not all(self.is_done(one) for one in turn_now):
                return False
        return all(self.is_done(one) for turn_now in turns for one in turn_now)

    def has_expired_at(self, ts: str) -> bool:
        """Say whether its time was over; what cannot be read binds nobody."""
        if not isinstance(self.expires, str) or not TS.fullmatch(self.expires):
            return False
        try:
            until, moment = (
                datetime.fromisoformat(one.replace("Z", "+00:00"))  # noqa: FURB162  for 3.10
                for one in (self.expires, ts)
            )
        except ValueError:
            return False
        return moment - until > SLACK

    @property
    def is_granted(self) -> bool:
        """Whether everybody agreed who had to."""
        places = range(len(self.stages))
        return bool(places) and not self.is_denied and all(self.is_done(one) for one in places)


@dataclass(slots=True)
class Run:
    """What a run that has not ended has told."""

    requester: str | None = None
    workflow: Any = None
    version: str | None = None
    is_shadow: bool = False
    requests: list[str] = field(default_factory=list)  # Their names.
    intents: dict[tuple[str, str], int] = field(default_factory=dict)
    announced: set[tuple[str, str]] = field(default_factory=set)
    undone: set[tuple[str, str]] = field(default_factory=set)  # Attempts that did nothing.
    glass: set[str] = field(default_factory=set)
    held: "array[int]" = field(default_factory=lambda: array("Q"))  # Entries with payloads, and of
    classes: set[str] = field(default_factory=set)  # which: the run needs them until it ends.
    editors: set[str] = field(default_factory=set)


class Kept(NamedTuple):
    """An entry with payloads, as far as a legal hold may select it."""

    place: int
    run: str | None  # The one that it is about.
    workflow: str | None
    actor: str
    ts: str
    own: str | None  # The hold that it sets.
    classes: str  # Of its payloads that are not gone, by name, as JSON.


class Holds:
    """What legal holds keep, as the entries tell; nothing is kept of a log that has none."""

    def __init__(self, aside: Aside) -> None:
        self.kinds: set[str] = set()  # Of the selectors that the pack ever has.
        self.named: set[str] = set()  # Whom those that select people name.
        self.in_force: dict[str, tuple[str, str]] = {}
        self.names: dict[str, dict[str, int]] = {}  # What those select by: how often, by kind.
        self.aside = aside
        self.workflows = Pile(aside)
        self.swept: dict[str, int] = {}
        self.periods: tuple[list[str], list[str]] | None = None  # As `is_dated` looks at them.

    @staticmethod
    def selector(text: object) -> tuple[str, str] | None:
        """Return what a selector selects by, and what."""
        found = SELECTOR.fullmatch(text) if isinstance(text, str) else None
        if found is None:
            return None
        period = PERIOD.fullmatch(found[2])
        is_period = period is not None and period[1] < period[2]
        return (found[1], found[2]) if found[1] != "period" or is_period else None

    def foresee(self, text: object) -> None:
        """Learn that there is a hold of that selector at some time."""
        found = self.selector(text)
        if found is None:
            return
        if not self.kinds:
            columns = "run TEXT, workflow TEXT, actor TEXT, ts TEXT, own TEXT, classes TEXT"
            self.aside.execute(f"CREATE TABLE kept (place INTEGER PRIMARY KEY, {columns})")
            key = "PRIMARY KEY (run, who)"
            self.aside.execute(f"CREATE TABLE took_part (run TEXT, who TEXT, {key}) WITHOUT ROWID")
        self.kinds.add(found[0])
        if found[0] == "person":
            self.named.add(found[1])

    def take(self, place: int, entry: dict[str, Any]) -> None:
        """Take in an entry, whatever it is."""
        if not self.kinds:
            return
        data, run, who = entry["data"], entry["run"], entry["actor"]["ref"]
        workflow = data.get("workflow") if isinstance(data.get("workflow"), str) else None
        if entry["kind"] == "run.started" and run is not None and workflow is not None:
            self.workflows.put(run, workflow)
        for one in {who, str(data.get("for"))} & self.named if run is not None else ():
            self.aside.execute("INSERT OR IGNORE INTO took_part VALUES (?, ?)", (run, one))
        if entry["parts"]:
            about, own = run or data.get("by_run"), data.get("hold")
            about = about if isinstance(about, str) else None
            own = own if entry["kind"] == "hold.set" and isinstance(own, str) else None
            classes = json.dumps({name: part["cls"] for name, part in entry["parts"].items()})
            one = Kept(place, about, workflow, who, entry["ts"], own, classes)
            self.aside.execute("INSERT INTO kept VALUES (?, ?, ?, ?, ?, ?, ?)", one)
        hold = str(data.get("hold"))
        if entry["kind"] == "hold.set":
            self.enforce(hold, self.selector(data.get("selector")))
        elif entry["kind"] == "hold.lifted":
            self.lift(hold)

    def enforce(self, hold: str, selector: tuple[str, str] | None) -> None:
        """Take in that a hold is set; of one that selects nothing there is nothing to know."""
        if selector is not None:
            self.lift(hold)
            self.in_force[hold] = selector
            names = self.names.setdefault(selector[0], {})
            names[selector[1]] = names.get(selector[1], 0) + 1
            self.periods = None

    def lift(self, hold: str) -> None:
        """Take in that a hold, if there is one of that name, is none any more."""
        kind, name = self.in_force.pop(hold, ("", ""))
        if kind:
            self.names[kind][name] -= 1
            if not self.names[kind][name]:
                del self.names[kind][name]
            self.periods = None

    def keep(self, kind: str, data: dict[str, Any]) -> bool:
        """Say whether a marker removes what a hold keeps; what it removes is gone then."""
        if not self.kinds:
            return False
        sweep = data.get("cls", ""), data.get("before", 0)
        removed = self.listed(data["items"]) if kind == "erasure" else self.passed(*sweep)
        is_held = False
        for one, gone in removed:
            is_held = is_held or self.is_held(one)
            left = {name: cls for name, cls in json.loads(one.classes).items() if name not in gone}
            told = (json.dumps(left), one.place)
            self.aside.execute("UPDATE kept SET classes = ? WHERE place = ?", told)
        return is_held

    def listed(self, items: Sequence[Any]) -> Iterator[tuple[Kept, set[str]]]:
        """Yield what an erasure removes: entries, and which of their payloads."""
        for at, name in items:
            row = self.aside.first("SELECT * FROM kept WHERE place = ?", (at,))
            if row is not None and name in json.loads(row[-1]):
                yield Kept(*row), {name}

    def passed(self, cls: str, before: int) -> Iterator[tuple[Kept, set[str]]]:
        """Yield what a sweep removes; what one of that class has passed is not looked at again."""
        at = self.swept.get(cls, 0)
        self.swept[cls] = max(at, before)
        asked = "SELECT * FROM kept WHERE place >= ? AND place < ? ORDER BY place LIMIT 100"
        while rows := [*self.aside.rows(asked, (at, before))]:
            for one in map(Kept._make, rows):
                gone = {name for name, its in json.loads(one.classes).items() if its == cls}
                if gone:
                    yield one, gone
            at = rows[-1][0] + 1

    def is_held(self, one: Kept) -> bool:
        """Say whether a hold that is in force selects an entry."""
        if one.own in self.in_force or one.run in self.names.get("run", ()):
            return True
        workflows = self.names.get("workflow")
        if workflows and {one.workflow, self.workflows.get(one.run or "")} & workflows.keys():
            return True
        people = self.names.get("person")
        if people and (one.actor in people or self.acted(one.run) & people.keys()):
            return True
        return self.is_dated(one.ts)

    def acted(self, run: str | None) -> set[str]:
        """Return who took part in a run, of those whom some hold names."""
        rows = self.aside.rows("SELECT who FROM took_part WHERE run = ?", (run,))
        return {who for (who,) in rows}

    def is_dated(self, ts: str) -> bool:
        """Say whether a moment lies in a held period, whose last day does not belong to it."""
        if self.periods is None:
            days = sorted(one.split("/") for one in self.names.get("period", ()))
            moments = [[f"{day}T00:00:00.000Z" for day in two] for two in days]
            # Of the periods that have begun by a moment, the one that ends last decides.
            lasts = [*accumulate((end for _, end in moments), max)]
            self.periods = [begin for begin, _ in moments], lasts
        begun, lasts = bisect_right(self.periods[0], ts), self.periods[1]
        return begun > 0 and ts < lasts[begun - 1]


class Needed:
    """Where payloads stand that runs need until they end, and the first of each run and class."""

    def __init__(self) -> None:
        self._flags = bytearray()  # By place.
        self._first: dict[str, array[int]] = {}
        self._at: dict[str, int] = {}

    def hold(self, place: int, parts: Mapping[str, Any], run: Run) -> None:
        """Take in the payloads of an entry of a run."""
        if not parts:
            return
        run.held.append(place)
        self._flags.extend(bytes(max(0, place + 1 - len(self._flags))))
        self._flags[place] = 1
        for cls in {part["cls"] for part in parts.values()} - run.classes:
            run.classes.add(cls)
            self._first.setdefault(cls, array("Q")).append(place)

    def let_go(self, run: Run) -> None:
        """Take in that a run has ended."""
        for place in run.held:
            self._flags[place] = 0

    def __contains__(self, place: int) -> bool:
        return place < len(self._flags) and bool(self._flags[place])

    def is_before(self, cls: str, before: int) -> bool:
        """Say whether one of that class stands before a place; what ended is passed for good."""
        first, at = self._first.get(cls, ()), self._at.get(cls, 0)
        while at < len(first) and first[at] not in self:
            at += 1
        self._at[cls] = at
        return at < len(first) and first[at] < before


class Story:
    """Follows what the entries tell of decisions and effects."""

    def __init__(self, found: Findings) -> None:
        self.found, aside = found, found.aside
        self.runs = Pile(aside, MOST_OPEN)  # Those that go on.
        self.requests = Pile(aside, MOST_OPEN)  # Theirs, by run and name.
        self.glass = Pile(aside)
        self.words = Pile(aside)  # Who stands in for somebody, until when.
        self.activated = Pile(aside)
        self.policies = Pile(aside)
        self.needed = Needed()
        self.holds = Holds(aside)
        self.erasing = Pile(aside)  # Runs that erase somebody, on a request.
        self.asked_to_erase = False
        self.stray = Pile(aside)  # Runs that go on after their end.
        self.begins_late = self.ends_early = self.has_begun = False

    def skip(self) -> None:
        """Take note that an entry is not here: what is not told in full is not judged."""
        self.ends_early = self.has_begun
        self.begins_late |= not self.has_begun

    def check(self, place: int, entry: dict[str, Any]) -> None:
        """Take in one entry."""
        run, kind = entry["run"], entry["kind"]
        self.has_begun |= run is not None
        if kind not in KINDS:
            self.found.mean("kind-unknown", f"entry {place} is of the kind {kind}")
            return
        try:
            self.holds.take(place, entry)
            if kind == "workflow.activated":
                self.activated.put(named(entry["data"]["version"]), value=True)
            if kind == "policy.changed":
                self.policies.put(named(entry["data"]["after"]), value=True)
            if kind in MARKERS:
                self.removed(place, kind, entry["data"])
            if kind == "break_glass.reviewed" and not self.begins_late:
                self.reviewed(place, entry)
            if kind == "approval.delegated" and run is None:
                data = entry["data"]
                self.words.put(named(data["from"]), (data["to"], data["until"]))
            is_told = not self.begins_late or kind == "run.started"
            if run is not None and (is_told or self.runs.get(run) is not None):
                self.follow(place, entry, kind)
        except (KeyError, TypeError, AttributeError, IndexError):
            self.found.mean("kind-malformed", f"entry {place} does not tell what its kind has to")

    def finish(self) -> None:
        """Say what has no end."""
        for name, run in () if self.ends_early else self.runs.pairs():
            self.found.mean("run-without-end", f"run {name} has not ended")
            self.left(run)

    def left(self, run: Run) -> None:
        """Say which intents have no end."""
        for place in run.intents.values():
            self.found.mean("intent-without-end", f"the intent {place} has no end")

    def follow(self, place: int, entry: dict[str, Any], kind: str) -> None:
        """Take in an entry of a run."""
        run, data = self.runs.get(entry["run"]), entry["data"]
        if run is None and entry["rseq"] == 0:
            run = Run()
            self.runs.put(entry["run"], run)
        if run is None:
            if self.stray.get(entry["run"]) is None:
                words = f"entry {place} is of a run that has ended, or never began"
                self.found.mean("after-end", words)
            self.stray.put(entry["run"], value=True)
            return
        self.hold(place, entry, run)
        name = data.get("request")
        asked = self.requests.get(f"{entry['run']} {name}") if isinstance(name, str) else None
        if kind == "run.started":
            run.requester = entry["actor"]["ref"] if entry["actor"]["t"] == "user" else None
            run.workflow, run.version = data["workflow"], data["version"]
            run.is_shadow = data.get("shadow") is True
        elif kind == "approval.requested":
            run.requests.append(named(name))
            self.requests.put(f"{entry['run']} {name}", self.request(place, entry, run))
        elif kind == "action.intended":
            self.intended(place, data, run, asked)
        elif kind in JUDGED:
            JUDGED[kind](self, place, entry, run, asked)
        elif kind in TELLS_OF_EFFECT:
            self.told(place, kind, data, run)
        elif kind in ENDS:
            self.ended(entry["run"], run)

    def ended(self, name: str, run: Run) -> None:
        """Take in that a run has ended, and say what it left."""
        self.needed.let_go(run)
        self.runs.drop(name)
        for one in run.requests:
            self.requests.drop(f"{name} {one}")
        self.left(run)

    def hold(self, place: int, entry: dict[str, Any], run: Run) -> None:
        """Take in what a run needs until it ends, and whether it erases somebody, on a request."""
        data = entry["data"]
        if entry["kind"] == "action.intended" and data["action"] == ERASES and data["request"]:
            self.erasing.put(entry["run"], value=True)
        self.needed.hold(place, entry["parts"], run)

    def removed(self, place: int, kind: str, data: dict[str, Any]) -> None:
        """Judge what a marker says is gone: nobody may hold it, and somebody was asked."""
        if kind == "retention.sweep":
            cls, before = data["cls"], data["before"]
            is_whole = cls in CLASSES and is_count(data["n"])
            is_whole = is_whole and is_count(before) and before <= place
            is_held = is_whole and self.needed.is_before(cls, before)
        else:
            items = data["items"]
            is_whole = isinstance(items, list) and all(
                isinstance(one, list)
                and len(one) == PAIR
                and (is_count(one[0]) and one[0] < place and isinstance(one[1], str))
                for one in items
            )
            is_held = is_whole and any(one in self.needed for one, _ in items)
        if not is_whole:
            self.found.mean("kind-malformed", f"entry {place} does not say which payloads are gone")
            return
        if self.ends_early:
            return  # Since then runs have asked, and ended.
        if is_held:
            self.found.mean("erasure-held", f"entry {place} removes what a run that goes on needs")
        if kind == "erasure" and not self.may_erase(data):
            self.found.mean("erasure-unasked", f"entry {place} erases somebody, nobody was asked")
        if self.holds.keep(kind, data):
            self.found.mean("erasure-held", f"entry {place} removes what a hold keeps")

    def may_erase(self, data: dict[str, Any]) -> bool:
        """Say whether people were asked; the nightly sweep comes back to what such a run left."""
        if data["reason"] != "request" or self.begins_late:
            return True
        by = data["by_run"]
        return self.asked_to_erase if by is None else self.erasing.get(named(by)) is not None

    def told(self, place: int, kind: str, data: dict[str, Any], run: Run) -> None:
        """Take in what became of an effect."""
        attempt = str(data["idem"]), str(data["attempt"])
        if kind in CLOSES_INTENT:
            run.intents.pop(attempt, None)
        if "no" in (data.get("performed"), data.get("happened")):
            run.undone.add(attempt)
        if attempt not in run.announced:
            self.found.mean("end-without-intent", f"entry {place} ends what was not announced")

    def bound(self, place: int, entry: dict[str, Any], run: Run) -> None:
        """Judge what a request is bound to, by its own entry and by what its run is of."""
        data, parts = entry["data"], entry["parts"]
        what = {
            "args": parts["args"]["c"] if "args" in parts else None,
            "plan": parts["plan"]["c"] if "plan" in parts else None,
            "policy": data["policy"],
            "step": data["step"],
            "version": run.version,
            "workflow": run.workflow,
        }
        own = hashlib.sha256(canonical(what)).hexdigest()
        if run.version is not None and data["binding"] != own:
            self.found.mean("binding", f"entry {place} is bound to something else than it asks")
        is_told = bool(self.policies) and not self.begins_late
        if is_told and self.policies.get(named(data["policy"])) is None:
            self.found.mean("policy-unknown", f"entry {place} asks by a policy never in force")

    def request(self, place: int, entry: dict[str, Any], run: Run) -> Asked:
        """Return a request as its entry tells it."""
        self.bound(place, entry, run)
        data = entry["data"]
        # Early releases did not say of which action a request was.
        self.asked_to_erase |= data.get("action", ERASES) == ERASES
        glass = data.get("glass")
        return Asked(
            step=data["step"],
            binding=data["binding"],
            expires=data["expires"],
            stages=[one for one in data["stages"] if isinstance(one, dict)],
            excluded=set(data["excluded"]),
            breakers=set(glass.get("people", [])) if isinstance(glass, dict) else set(),
            wants_code=data.get("step_up") is not None,
            hours=data.get("hours", []),
            version=run.version,
        )

    def let_in(self, _place: int, entry: dict[str, Any], _run: Run, asked: Asked | None) -> None:
        """Take in that more people may decide."""
        if asked is None:
            return
        data = entry["data"]
        people = data["to"] if entry["kind"] == "approval.escalated" else [data["to"]]
        for stage in data.get("stages", range(len(asked.stages))):
            asked.added.setdefault(stage, set()).update(people)

    def closed(self, _place: int, entry: dict[str, Any], _run: Run, asked: Asked | None) -> None:
        """Take in that nothing can be decided any more."""
        if asked is not None:
            asked.closed = entry["kind"]

    def edited(self, place: int, entry: dict[str, Any], run: Run, asked: Asked | None) -> None:
        """Judge a change of what is asked."""
        if asked is not None and (asked.closed or asked.is_denied or asked.is_granted):
            self.found.mean("edit-late", f"entry {place} changes what was settled")
        self.closed(place, entry, run, asked)
        run.editors.add(entry["actor"]["ref"])

    def moved(self, place: int, entry: dict[str, Any], run: Run, _asked: Asked | None) -> None:
        """Judge that a run goes on by another version."""
        data, actor = entry["data"], entry["actor"]
        rules = {
            "moved-from": run.version in (None, data["from"]),
            "moved-to": self.begins_late or self.activated.get(named(data["to"])) is not None,
            "moved-by": actor["t"] == "user" and "reason" in entry["parts"],
            "moved-under-way": not run.intents,
        }
        for code in (code for code, holds in rules.items() if not holds):
            self.found.mean(code, f"entry {place} puts a run on another version as nobody may")
        run.version = data["to"]
        run.editors.add(actor["ref"])

    def decided(self, place: int, entry: dict[str, Any], run: Run, asked: Asked | None) -> None:
        """Judge a decision."""
        if asked is None:
            self.found.mean("decision-unasked", f"entry {place} decides what nobody asked")
            return
        data, person = entry["data"], entry["actor"]["ref"]
        if data["binding"] != asked.binding:
            self.found.mean("binding", f"entry {place} is bound to something else than asked")
        if asked.closed:
            self.found.mean("decision-late", f"entry {place} decides after {asked.closed}")
        instead, stage = data.get("for", person), data["stage"]
        if entry["kind"] == "approval.denied":
            asked.reject(instead, stage)
            asked.voices.add(person)
            return
        if not asked.closed and asked.has_expired_at(entry["ts"]):
            self.found.mean("decision-late", f"entry {place} approves after its time was over")
        self.approver(place, {person, instead}, run, asked)
        left_out = (asked.excluded | {run.requester} | run.editors) & {person, instead}
        if not left_out and not asked.was_asked(instead, stage):
            self.found.mean("ineligible-approver", f"entry {place}: who approved was not asked")
        self.stood_in(place, entry, instead, {*asked.excluded, run.requester})
        self.hour(place, asked.hours, entry["ts"])
        if not asked.is_in_turn(stage):
            self.found.mean("stage-order", f"entry {place} approves before it is its turn")
        if asked.wants_code and data["step_up"] is not True:
            self.found.mean("step-up", f"entry {place}: an approval without the code it needs")
        if asked.has_spoken(person, instead):
            self.found.mean("counted-twice", f"entry {place}: who approved had decided before")
        asked.voices.add(person)
        asked.granted.setdefault(stage, set()).add(instead)

    def approver(self, place: int, who: set[str], run: Run, asked: Asked) -> None:
        """Judge whether somebody may approve at all."""
        if run.requester in who:
            self.found.mean("self-approval", f"entry {place}: the requester approved")
        elif run.editors & who:
            self.found.mean("self-approval", f"entry {place}: who changed it approved")
        elif asked.excluded & who:
            self.found.mean("excluded-approver", f"entry {place}: an excluded person approved")

    def stood_in(
        self, place: int, entry: dict[str, Any], instead: str, left_out: set[str | None]
    ) -> None:
        """Judge in whose place somebody approved: what was said before that counts."""
        if self.begins_late:
            return
        person, ts = entry["actor"]["ref"], entry["ts"]
        standing = {
            one
            for one in {named(instead), *left_out}
            if one is not None
            and (word := self.words.get(one))
            and word[0] == person
            and ts < word[1]
        }
        if instead != person and instead not in standing:
            self.found.mean(
                "no-delegation", f"entry {place}: who approved did not stand in for them"
            )
        if standing & left_out:
            self.found.mean(
                "acts-for-excluded", f"entry {place}: who approved acts for one left out"
            )

    def hour(self, place: int, hours: Any, ts: str) -> None:  # noqa: ANN401  any JSON value
        """Judge when somebody approved; hours that cannot be read bind nobody."""
        try:
            moment = datetime.fromisoformat(ts.replace("Z", "+00:00"))  # noqa: FURB162  for 3.10
            if not all(holds(one, moment) for one in hours):
                self.found.mean("outside-hours", f"entry {place} approves outside business hours")
        except ZoneInfoNotFoundError as error:
            self.found.mean("hours-unread", f"the hours of entry {place} were not judged: {error}")
        except (KeyError, TypeError, ValueError):
            return

    def broken(self, place: int, entry: dict[str, Any], run: Run, asked: Asked | None) -> None:
        """Judge a use of the glass."""
        data, actor = entry["data"], entry["actor"]
        self.glass.put(entry["id"], actor["ref"])
        if asked is None:
            self.found.mean("glass-unasked", f"entry {place} breaks the glass over no request")
            return
        # What was approved in time may wait for the end of a freeze, and that is broken later.
        is_over = asked.has_expired_at(entry["ts"]) and not asked.is_granted
        rules = {
            "binding": data["binding"] == asked.binding,
            "decision-late": not asked.closed and not asked.is_denied and not is_over,
            "glass-ineligible": actor["t"] == "user" and actor["ref"] in asked.breakers,
            "glass-without-reason": "reason" in entry["parts"],
            "glass-without-code": not asked.wants_code or data.get("step_up") is True,
        }
        for code in (code for code, holds in rules.items() if not holds):
            self.found.mean(code, f"entry {place} breaks the glass as nobody may")
        if all(rules.values()):
            run.glass.add(data["request"])

    def reviewed(self, place: int, entry: dict[str, Any]) -> None:
        """Judge a review of the glass."""
        used = named(entry["data"]["used"])
        by = self.glass.get(used)
        self.glass.drop(used)
        if by == entry["actor"]["ref"]:
            self.found.mean("self-review", f"entry {place}: who broke the glass reviewed it")

    def intended(self, place: int, data: dict[str, Any], run: Run, asked: Asked | None) -> None:
        """Judge whether an effect was agreed to."""
        attempt = str(data["idem"]), str(data["attempt"])
        run.intents[attempt] = place
        run.announced.add(attempt)
        run.undone.discard(attempt)
        if run.is_shadow:
            self.found.mean("shadow-effect", f"entry {place} acts in a run in shadow")
        if data["request"] is None:
            if data["effect"] == "destructive":
                self.found.mean("intent-unasked", f"entry {place} destroys, and asks nobody")
            return
        if asked is None:
            self.found.mean("intent-unasked", f"entry {place} rests on a request nobody made")
            return
        if data["binding"] != asked.binding or data["step"] != asked.step:
            self.found.mean("binding", f"entry {place} does something else than was approved")
        if asked.used_by is not None and asked.used_by not in run.undone:
            self.found.mean("approval-used", f"entry {place} acts on an approval used before")
        asked.used_by = attempt
        if asked.version != run.version:
            self.found.mean("other-version", f"entry {place} acts on an approval of before")
        if not asked.is_granted and data["request"] not in run.glass:
            self.found.mean("quorum", f"entry {place} acts before enough people agreed")


JUDGED = {
    "approval.granted": Story.decided,
    "approval.denied": Story.decided,
    "approval.expired": Story.closed,
    "approval.withdrawn": Story.closed,
    "approval.edited": Story.edited,
    "run.moved": Story.moved,
    "approval.escalated": Story.let_in,
    "approval.delegated": Story.let_in,
    "break_glass.used": Story.broken,
}


@dataclass(slots=True)
class Sweep:
    """A sweep of one class; those before it had left nothing below `start`."""

    place: int
    before: int
    said: int | None  # How many payloads it says that it removed.
    start: int = 0
    count: int = 0


class Erased:
    """Which payloads erasures list, asked for in the order of the log."""

    def __init__(self, aside: Aside) -> None:
        self._aside = aside
        columns = "n INTEGER PRIMARY KEY, place INTEGER, name TEXT, marker INTEGER"
        aside.execute(f"CREATE TABLE erased ({columns})")
        self._rows: Iterator[tuple[int, str, int]] | None = None
        self._next: tuple[int, str, int] | None = None

    def add(self, place: int, name: str, marker: int) -> None:
        """Take in that the marker at a place lists a payload."""
        adding = "INSERT INTO erased (place, name, marker) VALUES (?, ?, ?)"
        self._aside.execute(adding, (place, name, marker))

    def of(self, place: int) -> dict[str, int]:
        """Return the payloads of an entry that are listed, and the marker that was read first."""
        if self._rows is None:
            asked = "SELECT place, name, marker FROM erased ORDER BY place, n"
            self._rows = self._aside.rows(asked)
            self._next = next(self._rows, None)
        found: dict[str, int] = {}
        while self._next is not None and self._next[0] <= place:
            if self._next[0] == place:
                found.setdefault(self._next[1], self._next[2])
            self._next = next(self._rows, None)
        return found


class Payloads:
    """The payloads of a pack as they come, in the order of the log."""

    def __init__(self, pack: Pack, readable: bytearray) -> None:
        self._lines = zip(pack.lines("disclosures.jsonl"), readable, strict=False)
        self._left = array("Q")
        self._next = self._read()

    def take(self, place: int, names: Mapping[str, Any]) -> dict[str, tuple[bytes, bytes]]:
        """Return salt and value of the payloads of an entry; of others than those names none."""
        found: dict[str, tuple[bytes, bytes]] = {}
        while self._next is not None and self._next["i"] <= place:
            one, self._next = self._next, self._read()
            if one["i"] != place:
                self._leave(one["i"])
            elif one["n"] in names:
                found[one["n"]] = base64.b64decode(one["s"]), base64.b64decode(one["d"])
            else:
                found[one["n"]] = b"", b""
        return found

    def left(self) -> "array[int]":
        """Return for which places there were payloads, and nobody took them."""
        while self._next is not None:
            self._leave(self._next["i"])
            self._next = self._read()
        return self._left

    def _leave(self, place: int) -> None:
        if not self._left or self._left[-1] != place:
            self._left.append(place)

    def _read(self) -> dict[str, Any] | None:
        line = next((line for line, is_readable in self._lines if is_readable), None)
        return None if line is None else parse(line)


class Flags:
    """Places of a range, a byte for each."""

    def __init__(self, start: int, size: int) -> None:
        self._start, self._flags = start, bytearray(size)

    def add(self, place: int) -> None:
        """Take in a place, if it is one of the range."""
        at = place - self._start
        if 0 <= at < len(self._flags):
            self._flags[at] = 1

    def __contains__(self, place: int) -> bool:
        at = place - self._start
        return 0 <= at < len(self._flags) and bool(self._flags[at])


class Index:
    """The rows of the index by their places, and of which entries each report has to tell."""

    def __init__(self, pack: Pack, reports: Sequence[str]) -> None:
        self._start, self._at = pack.start, array("Q")
        self.reported = {one: array("Q") for one in reports}
        self._file = (pack.folder / "index.csv").open("rb")
        inside, outside = (self._by_kind(one) for one in (OF_RUNS, OUTSIDE_RUNS))
        at = 0
        while line := self._file.readline(MOST_LINE):
            row, place = self._cells(line), pack.start + len(self._at) - 1
            self._at.append(at)
            at += len(line)
            if row is None or int(row[0]) != place:
                continue
            for one in (inside if row[1] else outside).get(row[4], ()):
                one.append(place)
            if row[1] and row[2] == "0" and POPULATION in self.reported:
                self.reported[POPULATION].append(place)

    def close(self) -> None:
        """Be done with it."""
        self._file.close()

    def __len__(self) -> int:
        return len(self._at)

    def row(self, place: int) -> list[str]:
        """Return the row of an entry, without words where there is none."""
        at = place - self._start + 1  # In front of all stand the names of the columns.
        if not 0 < at < len(self._at):
            return [""] * len(REPORT_COLUMNS)
        self._file.seek(self._at[at])
        row = self._cells(self._file.readline(MOST_LINE))
        return row if row is not None and int(row[0]) == place else [""] * len(REPORT_COLUMNS)

    def _by_kind(self, told: Mapping[str, str]) -> dict[str, list["array[int]"]]:
        found: dict[str, list[array[int]]] = {}
        for report, kinds in told.items():
            places = self.reported.get(f"reports/{report}.csv")
            if places is not None:
                for kind in kinds.split():
                    found.setdefault(kind, []).append(places)
        return found

    @staticmethod
    def _cells(line: bytes) -> list[str] | None:
        row = line.decode(errors="replace").removesuffix("\n").split(",")
        return row if len(row) == len(REPORT_COLUMNS) and PLACE.fullmatch(row[0]) else None


def text_of(path: Path) -> io.TextIOWrapper:
    """Return a file as text; what is no Unicode is replaced, and a line ends with LF alone."""
    return path.open(newline="\n", encoding="utf-8", errors="replace")


def lines_of(file: io.TextIOWrapper) -> Iterator[str]:
    """Yield the lines; one that is longer than any report has comes in pieces."""
    while line := file.readline(MOST_ROW):
        yield line


def repeated(short: "array[int]") -> Iterator[int]:
    """Yield the numbers that stand there twice; sorted in shares, since lists take much memory."""
    for share in range(ID_SHARES):
        latest = -1
        for one in sorted(one for one in short if one % ID_SHARES == share):
            if one == latest:
                yield one
            latest = one


# --- what the reports have to say -------------------------------------------------------------


class Fact(NamedTuple):
    """An entry as the reports read it."""

    idx: int
    id: str
    ts: str
    kind: str
    run: str
    actor: str
    data: dict[str, Any]

    def said(self, name: str) -> Any:  # noqa: ANN401  any text or number
        """Return a field that is a text or a number, None where there is none."""
        found = self.data.get(name)
        return found if isinstance(found, (str, int)) else None

    def listed(self, name: str) -> list[str]:
        """Return the texts in a field that is a list."""
        found = self.data.get(name)
        return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []

    def all_of(self, names: str) -> dict[str, object]:
        """Return several fields."""
        return {one: self.said(one) for one in names.split()}


Finding = tuple[str, Fact, dict[str, object]]  # A report, the entry of a row, and its cells.


@dataclass(slots=True)
class Call:
    """A model that was asked, what it answered, and the decision of a person that came after."""

    asked: Fact
    answered: Fact | None = None
    decided: Fact | None = None

    def row(self) -> Finding:
        """Return the row about it."""
        found = self.asked.all_of("purpose provider model template")
        if self.answered is not None:
            found |= self.answered.all_of("model finish tokens_in tokens_out cost_micro")
            found["answered"] = self.answered.idx
        if self.decided is not None:
            found |= {"decision": self.decided.said("decision"), "decided": self.decided.idx}
            found["decided_by"] = self.decided.actor
        return "ai", self.asked, found


def exception(fact: Fact, name: str, detail: object = None) -> Finding:
    """Return the row of an exception that needs no review."""
    return "exceptions", fact, {"exception": name, "detail": detail, **fact.all_of("step request")}


def late_reply(fact: Fact) -> Iterator[Finding]:
    """Yield the exception of a doubt that the action's own outcome settled, too late."""
    if fact.said("by") == "late_reply":
        yield exception(fact, "late", LATE_REPLY)


def refused(fact: Fact) -> dict[str, object]:
    """Return the cells of a decision that did not count; a wrong code came with an approval."""
    return {
        "request": fact.said("request"),
        "decision": "refused",
        "overlap": "none",
        "wanted": fact.said("decision") or "approved",
        "wanted_by": fact.said("person") or fact.actor,
        "refused": WRONG_CODES.get(str(fact.said("why")), fact.said("why")),
    }


def seconds_between(earlier: str, later: str) -> int | None:
    """Return the whole seconds from one moment to another."""
    try:
        first, second = (
            datetime.fromisoformat(one.replace("Z", "+00:00"))  # noqa: FURB162  for 3.10
            for one in (earlier, later)
        )
    except ValueError:
        return None
    return int((second - first).total_seconds())


class OutsideRows:
    """What the entries outside of runs say in the reports; reviews and refusals go to runs."""

    def __init__(self, aside: Aside) -> None:
        self.aside, self.calls, self.reviews = aside, Pile(aside), Pile(aside)
        self.has_refused = False
        aside.execute("CREATE TABLE refused (idx INTEGER PRIMARY KEY, run TEXT, fact TEXT)")
        aside.execute("CREATE INDEX refused_of ON refused (run)")

    def take(self, fact: Fact) -> Iterator[Finding]:
        """Take up the next entry; yield the rows that rest on it."""
        kind = fact.kind
        if kind in CHANGED:
            yield "changes", fact, self.change(fact)
        elif kind in KEPT_KINDS:
            yield "retention", fact, self.removed(fact)
        elif kind in EXCEPTIONAL_OUTSIDE:
            name, more = EXCEPTIONAL_OUTSIDE[kind]
            told = map(fact.said, more.split())
            yield exception(fact, name, " ".join(str(one) for one in told if one))
            if kind == "step_up.refused" and fact.said("request") is not None:
                yield "sod", fact, refused(fact)
        elif kind == "action.resolved":
            yield from late_reply(fact)
        elif kind == "approval.refused":
            values = (fact.idx, str(fact.said("by_run")), aside_text(fact))
            self.aside.execute("INSERT INTO refused VALUES (?, ?, ?)", values)
            self.has_refused = True
            if fact.said("why") == "requester":
                yield exception(fact, "self-approval-tried", fact.said("decision"))
        else:
            self.note(fact)

    def note(self, fact: Fact) -> None:
        """Keep what later rows tell of."""
        call = repr(fact.said("call"))
        if fact.kind == "break_glass.reviewed":
            self.reviews.put(str(fact.said("used")), fact)
        elif fact.kind == "model.asked":
            self.calls.get(call)
            self.calls.put(call, Call(fact))
        elif fact.kind == "model.answered" and self.calls.get(call) is not None:
            self.calls.get(call).answered = fact

    def refused_of(self, run: str) -> list[Fact]:
        """Return the decisions on a run that did not count, once."""
        if not self.has_refused:
            return []
        rows = [*self.aside.rows("SELECT fact FROM refused WHERE run = ? ORDER BY idx", (run,))]
        self.aside.execute("DELETE FROM refused WHERE run = ?", (run,))
        return [read_aside(one) for (one,) in rows]

    def left_over(self) -> Iterator[Finding]:
        """Yield the refusals about runs of which the range holds nothing else."""
        for (one,) in self.aside.rows("SELECT fact FROM refused ORDER BY idx"):
            fact = read_aside(one)
            yield "sod", fact, refused(fact)

    @staticmethod
    def change(fact: Fact) -> dict[str, object]:
        """Return the cells of a change."""
        subject, before, after, more = CHANGED[fact.kind]
        told = (fact.said(one) for one in after.split())
        return {
            "subject": fact.said(subject),
            "before": fact.said(before),
            "after": next((one for one in told if one is not None), None),
            "by_run": fact.said("by_run"),
            "detail": fact.said(more),
        }

    @staticmethod
    def removed(fact: Fact) -> dict[str, object]:
        """Return the cells of a sweep, an erasure or a hold."""
        found = fact.all_of("before reason policy by_run")
        if fact.kind == "retention.sweep":
            return {**found, "event": "swept", "subject": fact.said("cls"), "n": fact.said("n")}
        if fact.kind == "erasure":
            items = fact.data.get("items")
            count = len(items) if isinstance(items, list) else None
            return {**found, "event": "erased", "subject": fact.said("request"), "n": count}
        hold, selector = fact.said("hold"), fact.said("selector")
        named_so = hold if selector is None else f"{hold}: {selector}"
        return {**found, "event": fact.kind.replace(".", "-"), "subject": named_so}


class RunRows:
    """What the entries of one run say in the reports, taken up in their order."""

    def __init__(self, name: str, outside: OutsideRows, people: Pile) -> None:
        self.name, self.outside, self.people = name, outside, people
        self.first: Fact | None = None
        self.started: Fact | None = None
        self.ended: Fact | None = None
        self.entries = self.decisions = 0
        self.requests, self.calls = (Pile(outside.aside, MOST_OPEN) for _ in range(2))
        self.answered: set[str] = set()  # Calls after which no person has decided.
        self.editors: set[str] = set()

    def take(self, fact: Fact) -> Iterator[Finding]:
        """Take up the next entry; yield the rows that rest on it."""
        self.entries += 1
        self.first = self.first or fact
        if fact.kind in READ_INSIDE:
            self.note(fact)
        if fact.kind in DECIDED:
            yield from self.decided(fact)
        elif fact.kind == "break_glass.used":
            yield from self.broke_glass(fact)
        elif fact.kind in EXCEPTIONAL:
            name, more = EXCEPTIONAL[fact.kind]
            yield exception(fact, name, fact.said(more))
        elif fact.kind == "action.resolved":
            yield from late_reply(fact)

    def note(self, fact: Fact) -> None:
        """Keep what later rows tell of."""
        call = repr(fact.said("call"))
        if fact.kind == "run.started":
            self.started = fact
        elif fact.kind in ENDS:
            self.ended = fact
        elif fact.kind == "approval.requested":
            asked = repr(fact.said("request"))
            self.requests.get(asked)
            self.requests.put(asked, fact)
        elif fact.kind in {"approval.edited", "run.moved"}:
            self.editors.add(fact.actor)
        elif fact.kind == "model.asked":
            self.calls.get(call)
            self.calls.put(call, Call(fact))
            self.answered.discard(call)
        elif fact.kind == "model.answered" and self.calls.get(call) is not None:
            self.calls.get(call).answered = fact
            if self.calls.get(call).decided is None:
                self.answered.add(call)

    def asked(self, fact: Fact) -> Fact | None:
        """Return the request that an entry is about, as far as the range holds it."""
        found: Fact | None = self.requests.get(repr(fact.said("request")))
        return found

    def decided(self, fact: Fact) -> Iterator[Finding]:
        """Yield the rows of a decision."""
        self.decisions += 1
        if fact.actor.startswith("s:"):
            for call in self.answered:
                self.calls.get(call).decided = fact
            self.answered.clear()
        asked = self.asked(fact)
        yield "approvals", fact, self.approval(fact, asked)
        overlap = self.overlap(fact, asked)
        yield "sod", fact, self.duties(fact, asked, overlap)
        if overlap == "requester" and fact.kind == "approval.granted":
            yield exception(fact, "self-approval")
        expires = None if asked is None else asked.said("expires")
        if expires is not None and fact.ts > str(expires):
            yield exception(fact, "late", "decided after the request had expired")

    def broke_glass(self, fact: Fact) -> Iterator[Finding]:
        """Yield the rows of a use of the glass, with its review."""
        asked = self.asked(fact)
        overlap = self.overlap(fact, asked)
        yield "sod", fact, self.duties(fact, asked, "alone" if overlap == "none" else overlap)
        found = {"exception": "break-glass", **fact.all_of("step request review_by")}
        found["verdict"] = "none in the range"
        review = self.outside.reviews.get(fact.id)
        if review is not None:
            is_late = review.ts > str(fact.said("review_by"))
            found |= {"detail": "reviewed late" if is_late else None, "review": review.idx}
            found |= {"verdict": review.said("verdict"), "reviewer": review.actor}
            found["reviewed_ts"] = review.ts
        yield "exceptions", fact, found

    def overlap(self, fact: Fact, asked: Fact | None) -> str:
        """Name the duty that whoever decided, or whom they stood in for, had besides."""
        voices = {fact.actor, fact.said("for")}
        if self.started is not None and self.started.actor in voices:
            return "requester"
        if not self.editors.isdisjoint(voices):
            return "editor"
        if asked is not None and not voices.isdisjoint(asked.listed("excluded")):
            return "excluded"
        return "none" if self.started is not None and asked is not None else "unknown"

    def duties(self, fact: Fact, asked: Fact | None, overlap: str) -> dict[str, object]:
        """Return the cells about who asked and who decided."""
        requester = "" if self.started is None else self.started.actor
        return {
            "request": fact.said("request"),
            "decision": fact.said("decision") or "break-glass",
            "requester": requester,
            "requester_who": self.people.get(requester),
            "stands_for": fact.said("for"),
            "excluded": None if asked is None else " ".join(asked.listed("excluded")),
            "overlap": overlap,
        }

    @staticmethod
    def approval(fact: Fact, asked: Fact | None) -> dict[str, object]:
        """Return the cells of a decision over a request."""
        found = fact.all_of("request decision stage have need via step_up")
        found["stands_for"] = fact.said("for")
        if asked is not None:
            found |= asked.all_of("step policy")
            found |= {"rules": "; ".join(asked.listed("rules")), "asked": asked.idx}
            found |= {"asked_ts": asked.ts, "seconds": seconds_between(asked.ts, fact.ts)}
        return found

    def finish(self) -> Iterator[Finding]:
        """Yield the rows that only the whole run can tell."""
        for _, call in self.calls.pairs():
            yield call.row()
        for fact in self.outside.refused_of(self.name):
            yield "sod", fact, {**self.duties(fact, self.asked(fact), ""), **refused(fact)}
        if self.first is not None:
            yield "population", self.first, self.population()

    def population(self) -> dict[str, object]:
        """Return the cells about the run as a whole."""
        found: dict[str, object] = {"begun": "before the range", "outcome": "open"}
        found |= {"entries": self.entries, "decisions": self.decisions}
        found["requests"] = self.requests.count
        if self.ended is not None:
            found["outcome"] = self.ended.said("outcome") or "cancelled"
            found |= {"ended": self.ended.idx, "ended_ts": self.ended.ts}
        if self.started is not None:
            found |= self.started.all_of("workflow version trigger")
            found["begun"] = "in the range"
        return found


class Facts:
    """The entries of the range, aside, and the rows that they make."""

    def __init__(self, aside: Aside) -> None:
        self.aside = aside
        self.held: dict[str, list[int]] = {}  # Of each class the oldest, and how many.
        columns = "id TEXT, ts TEXT, kind TEXT, run TEXT, actor TEXT, data TEXT, rseq INTEGER"
        aside.execute(f"CREATE TABLE fact (idx INTEGER PRIMARY KEY, {columns})")
        aside.execute("CREATE TABLE made (n INTEGER PRIMARY KEY, report TEXT, idx INT, cells TEXT)")

    def add(self, place: int, entry: dict[str, Any]) -> None:
        """Take in an entry; of kinds that no report reads no more than that they are there."""
        kind, run = entry["kind"], entry["run"] or ""
        is_read = kind in (READ_INSIDE if run else READ_OUTSIDE)
        if not run and not is_read and not entry["parts"]:
            return
        data = json.dumps(entry["data"]) if is_read else "{}"
        told = (entry["id"], entry["ts"], kind, run, entry["actor"]["ref"], data, entry["rseq"])
        self.aside.execute("INSERT INTO fact VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (place, *told))

    def hold(self, place: int, cls: str) -> None:
        """Take in that a payload is here."""
        self.held.setdefault(cls, [place, 0])[1] += 1

    def make(self, people: Pile, *, withholds: bool) -> None:
        """Make the rows, as an export of these entries does."""
        for report, fact, told in self.findings(people, withholds=withholds):
            cells = {name: cell(told.get(name)) for name in COLUMNS[report].split()}
            values = (report, fact.idx, json.dumps(cells | {"ts": fact.ts, "kind": fact.kind}))
            self.aside.execute("INSERT INTO made (report, idx, cells) VALUES (?, ?, ?)", values)

    def rows(self, report: str) -> Iterator[tuple[int, dict[str, str]]]:
        """Yield the rows of a report in the order of the log."""
        asked = "SELECT idx, cells FROM made WHERE report = ? ORDER BY idx, n"
        for place, cells in self.aside.rows(asked, (report,)):
            yield place, json.loads(cells)

    def findings(self, people: Pile, *, withholds: bool) -> Iterator[Finding]:
        """Yield every row."""
        outside = OutsideRows(self.aside)
        for fact in self.facts("run = '' ORDER BY idx"):
            yield from outside.take(fact)
        for _, call in outside.calls.pairs():
            yield call.row()
        for name, some in groupby(self.facts("run <> '' ORDER BY run, rseq, idx"), run_of):
            run = RunRows(name, outside, people)
            for fact in some:
                yield from run.take(fact)
            yield from run.finish()
        yield from outside.left_over()
        for cls, (place, count) in () if withholds else sorted(self.held.items()):
            for fact in self.facts(f"idx = {place:d}"):
                yield "retention", fact, {"event": HELD, "subject": cls, "n": count}

    def facts(self, which: str) -> Iterator[Fact]:
        """Yield entries."""
        asked = f"SELECT idx, id, ts, kind, run, actor, data FROM fact WHERE {which}"  # noqa: S608
        for row in self.aside.rows(asked):
            yield Fact._make((*row[:-1], json.loads(row[-1])))


def run_of(fact: Fact) -> str:
    """Return the run that an entry is of."""
    return fact.run


Row = tuple[int, dict[str, str]]  # The entry that a row of a report names, and its cells.
Rows = list[dict[str, str]]
Abreast = tuple[int, Rows, Rows]
END_OF_ROWS: tuple[int, Rows] = (10**17, [])  # Behind every place.


def without_term(row: dict[str, str], *, withholds: bool) -> dict[str, str] | None:
    """Return a row without what no entry says: for how long a class is kept, and what is withheld.

    The moment until which it is kept has to follow from the term all the same.
    """
    if row.get("event") != HELD:
        return row
    if withholds:
        return None
    return {**row, "term": "", "due": ""} if row.get("due", "") == due(row) else row


def due(row: dict[str, str]) -> str:
    """Return until when what a row tells of is kept, nothing where that cannot be read."""
    term = TERM.fullmatch(row.get("term", ""))
    try:
        if term is None:
            return ""
        since = datetime.fromisoformat(row["ts"].removesuffix("Z"))
        until = since + timedelta(**{UNITS[term[2]]: int(term[1])})
    except (KeyError, ValueError, OverflowError):
        return ""
    return f"{until.isoformat(timespec='milliseconds')}Z"


def abreast(made: Iterable[Row], told: Iterable[Row]) -> Iterator[Abreast]:
    """Yield each entry with the rows that the entries make about it, and those that are there."""
    ours, theirs = by_place(made), by_place(told)
    one, other = next(ours, END_OF_ROWS), next(theirs, END_OF_ROWS)
    while (place := min(one[0], other[0])) < END_OF_ROWS[0]:
        is_ours, is_theirs = one[0] == place, other[0] == place
        yield place, one[1] if is_ours else [], other[1] if is_theirs else []
        one = next(ours, END_OF_ROWS) if is_ours else one
        other = next(theirs, END_OF_ROWS) if is_theirs else other


def by_place(rows: Iterable[Row]) -> Iterator[tuple[int, list[dict[str, str]]]]:
    """Yield the rows of each entry together."""
    for place, some in groupby(rows, lambda one: one[0]):
        yield place, [row for _, row in some]


def differing(made: dict[str, str], told: dict[str, str]) -> list[str]:
    """Return the columns in which a row says something else than its entries."""
    return [one for one in made if one in told and made[one] != told[one]]


class Verifier:
    """One look at one pack."""

    def __init__(
        self,
        pack: Pack,
        pins: Sequence[Key],
        notes: Sequence[str],
        witnesses: Sequence[Witness] = (),
        authorities: Sequence[x509.Certificate] | None = None,
    ) -> None:
        self.authorities = authorities
        self.pack, self.pins, self.given, self.witnesses = pack, pins, notes, witnesses
        self.found, self.tree, self.origin = Findings(), Tree(), ""
        self.story, self.aside = Story(self.found), self.found.aside
        self.log_keys: list[Key] = []
        self.keys_of: dict[str, list[Key]] = {}  # By their ids.
        self.own_keys: set[tuple[str, bytes]] = set()  # The same.
        self.genesis: list[Key] = []
        self.writers: dict[str, Writer] = {}
        self.roots = {0: self.tree.root()}  # At the sizes of which something speaks.
        self.tails = Pile(self.aside)
        self.wanted = Pile(self.aside)
        self.has_gap = False
        self.erased = Erased(self.aside)
        self.facts, self.is_sound = Facts(self.aside), False
        self.swept: dict[str, int] = {}
        self.sweeps: dict[str, list[Sweep]] = {}
        self.ends: dict[str, list[int]] = {}  # Below which each sweep of a class left nothing.
        # From which places to which the entries are not here.
        self.absent = array("Q"), array("Q")
        self.people = Pile(self.aside)
        self.outcomes = Pile(self.aside)  # What the entries say that runs came to.
        self.period: dict[int, str] = {}  # What the index says of the range's ends.

    def run(self) -> Findings:
        """Do everything; return what was found."""
        if self.is_whole():
            for name in PASSES:
                getattr(self, name)()
                self.found.owed.remove(name)
            self.find_run_of_first()
        return self.found

    def is_whole(self) -> bool:
        """Say whether there is all that a look needs; what is missing is a failure."""
        for name in self.pack.links:
            self.found.fail("file-hash", f"{name} leads out of the pack")
        missing = () if self.pack.links else sorted(set(REQUIRED) - self.pack.names())
        for name in missing:
            self.found.fail("file-missing", f"{name} is not in the pack")
        return not self.found.failures

    def find_run_of_first(self) -> None:
        """Look once more at the earliest entry that is at fault: of which run is it?"""
        place = self.found.first_at
        if place is None:
            return
        entries = enumerate(self.pack.lines("entries.jsonl"), start=self.pack.start)
        line = next((line for at, line in entries if at == place), b"")
        beside = None if line else self.pack.context().get(place)
        runs = RUN_OF_LINE.findall(line if beside is None else self.pack.context_line(beside))
        self.found.first_run = runs[-1].decode() if runs else ""

    # files

    def check_files(self) -> None:
        """Compare every file with the manifest."""
        listed, there = self.pack.manifest["files"], self.pack.names() - OWN
        for name in sorted(set(listed) | there | FOR_PEOPLE):
            if name not in there:
                self.found.fail("file-missing", f"{name} is not in the pack")
            elif name not in listed:
                self.found.fail("file-extra", f"{name} is not in the manifest")
            else:
                self.check_file(name, listed[name])
        met: dict[str, str] = {}
        for name in sorted(there):
            if ODD_NAME.search(name):
                self.found.fail("file-extra", f"{name} is no name that every system takes alike")
            if met.setdefault(name.lower(), name) != name:
                words = f"{name} differs from {met[name.lower()]} by case alone"
                self.found.fail("file-extra", words)

    def check_file(self, name: str, listed: dict[str, Any]) -> None:
        """Compare one file with what the manifest says of it."""
        digest, size = hashlib.sha256(), 0
        with (self.pack.folder / name).open("rb") as file:
            while block := file.read(1 << 16):
                digest.update(block)
                size += len(block)
        is_told = is_count(listed.get("bytes"))
        if not is_told or (size, digest.hexdigest()) != (listed["bytes"], listed.get("sha256")):
            self.found.fail("file-hash", f"{name} is not the file that the manifest lists")

    def check_ends(self) -> None:
        """Check that each file of lines ends with the end of one."""
        for name in filter(self.pack.ends_midway, LINE_FILES):
            self.found.fail("file-hash", f"{name} ends in the middle of a line")

    # entries

    def read_markers(self) -> None:
        """Learn first which payloads are said to be gone."""
        ranged = enumerate(self.pack.lines("entries.jsonl"), start=self.pack.start)
        context = self.pack.context().items()
        beside = ((place, self.pack.context_line(at)) for place, at in context)
        for source in (ranged, beside):
            for place, line in source:
                if MARK.search(line) is None:
                    continue
                try:
                    entry = parse(line)
                except ValueError:
                    continue
                # The walk meets it again, and says what is wrong with it.
                if is_entry(entry) and entry["kind"] in MARKERS:
                    self.mark(place, entry["kind"], entry["data"])
                if is_entry(entry) and entry["kind"] == "hold.set":
                    self.story.holds.foresee(entry["data"].get("selector"))
        for cls, some in self.sweeps.items():
            some.sort(key=lambda one: one.place)
            end = 0
            for one in some:
                one.start, end = end, max(end, one.before)
            self.ends[cls] = [max(one.start, one.before) for one in some]

    def mark(self, place: int, kind: str, data: dict[str, Any]) -> None:
        """Take in one marker; it explains only entries before it."""
        if kind == "retention.sweep":
            cls, before = data.get("cls"), data.get("before")
            if isinstance(cls, str) and is_count(before):
                before = min(before, place)
                self.swept[cls] = max(before, self.swept.get(cls, 0))
                said = data.get("n")
                sweep = Sweep(place, before, said if is_count(said) else None)
                self.sweeps.setdefault(cls, []).append(sweep)
            return
        items = data.get("items")
        for item in items if isinstance(items, list) else []:
            if not isinstance(item, list) or len(item) != PAIR:
                continue
            if is_count(item[0]) and is_named(item[1], PART) and item[0] < place:
                self.erased.add(item[0], item[1], place)

    def count(self, place: int, cls: str, erased: int | None) -> None:
        """Count a payload for the first sweep that passed it, unless it was erased before."""
        one = self.sweeps[cls][bisect_right(self.ends[cls], place)]
        one.count += erased is None or erased >= one.place

    def miss(self, place: int) -> None:
        """Take note that an entry is not here, or is none."""
        starts, ends = self.absent
        if ends and ends[-1] == place:
            ends[-1] = place + 1
        else:
            starts.append(place)
            ends.append(place + 1)

    def judge_sweeps(self) -> None:
        """Compare how many payloads each sweep says that it removed with those it explains."""
        starts, ends = self.absent
        for one in (one for some in self.sweeps.values() for one in some):
            at = bisect_left(starts, one.before)
            is_whole = at == 0 or ends[at - 1] <= one.start
            if is_whole and one.said is not None and one.said != one.count:
                words = f"entry {one.place} says that {one.said} payloads went; {one.count} did"
                self.found.mean("sweep-count", words)

    def check_context(self) -> None:
        """Check that each entry of the context stands once, in its turn, and is of its kinds."""
        latest = -1
        for line in self.pack.lines("context.jsonl"):
            number, _, rest = line.partition(b"\t")
            if not PLACE.fullmatch(number.decode(errors="replace")):
                continue  # It is found as one of no place.
            place = int(number)
            if place <= latest:
                self.found.fail("range", f"entry {place} stands out of turn in the context")
            latest = max(latest, place)
            try:
                entry = parse(rest)
            except ValueError:
                continue
            kind = entry.get("kind") if isinstance(entry, dict) else None
            if isinstance(kind, str) and kind not in BARE:
                self.found.fail("range", f"entry {place} is of a kind that no context holds")

    def read_log(self) -> None:
        """Go over every leaf of the log, and over the entries that are here."""
        start, end, faults = self.pack.start, self.pack.end, self.found.n_failures
        lines, rows = self.pack.lines("entries.jsonl"), self.rows()
        parts, context = Payloads(self.pack, self.readable_parts()), self.pack.context()
        known, sizes = set(context), self.sizes()
        for place, leaf in enumerate(self.pack.leaves()):
            if len(leaf) != HASH:
                self.found.fail("range", "the leaves end in the middle of one")
                break
            inside = start <= place < end
            beside = None if inside else context.pop(place, None)
            line = next(lines, None) if inside else None
            line = line if beside is None else self.pack.context_line(beside)
            if line is None:
                self.tree.append(leaf)
                self.has_gap = True
                self.miss(place)
                self.story.skip()
                if inside:
                    self.found.fail("range", f"entry {place} is not in the pack", place)
            else:
                row = next(rows, "") if inside else None
                if row is not None and place in {start, end - 1}:
                    self.period[place] = ",".join(row.split(",")[3:4])
                entry = self.entry(place, line, leaf, row)
                self.entry_parts(place, entry or self.too_long(line), parts if inside else None)
            if self.tree.size in sizes:
                self.roots[self.tree.size] = self.tree.root()
        if end > self.tree.size or next(lines, None) is not None or next(rows, None) is not None:
            self.found.fail("range", "the pack holds other entries than its range")
        if context:
            self.found.fail("range", "the context holds entries of the range")
        for place in parts.left():
            self.found.fail("disclosure-orphan", f"a payload is for entry {place}")
        self.find_outside(known)
        self.judge_sweeps()
        self.story.finish()
        self.is_sound = self.found.n_failures == faults

    def sizes(self) -> set[int]:
        """Return the sizes that a head, or what somebody gave for one, speaks of."""
        names = self.pack.names()
        anchors = (one for one in map(ANCHOR_NAME.fullmatch, names) if one is not None)
        found = {int(one[1]) for one in anchors}
        heads = {one for one in names if NOTE_NAME.fullmatch(one)} | {"checkpoint"}
        heads |= {one for one in names if self.witnesses and one.endswith(".witness")}
        for text in (*self.given, *map(self.pack.text, heads)):
            try:
                found.add(Note(text).size)
            except ValueError:
                continue  # Said where the heads are judged.
        return found

    @staticmethod
    def too_long(line: bytes) -> dict[str, Any] | None:
        """Return the entry on a line that no entry may be as long as; it may have payloads."""
        if len(line) <= MOST_BYTES:
            return None
        try:
            entry = parse(line)
        except ValueError:
            return None
        return entry if is_entry(entry) else None

    def rows(self) -> Iterator[str]:
        """Yield the rows of the index; none of its values needs quoting."""
        rows = (one.decode(errors="replace") for one in self.pack.lines("index.csv"))
        if next(rows, "") != INDEX_COLUMNS:
            self.found.fail("index-row", "the index has other columns")
        yield from rows

    def readable_parts(self) -> bytearray:
        """Check that each payload can be read and is in its turn; return which of them are."""
        found = bytearray()
        latest, met = 0, set[str]()
        for number, line in enumerate(self.pack.lines("disclosures.jsonl")):
            found.append(0)
            try:
                one = strict(line)
                index, name, _ = one["i"], one["n"], (b64(one["s"]), b64(one["d"]))
            except (KeyError, ValueError):
                index, name = None, None
            if not is_count(index) or not isinstance(name, str):
                self.found.fail("disclosure-orphan", f"payload {number} cannot be read")
                continue
            if index < latest:
                self.found.fail("disclosure-orphan", f"a payload is for entry {index}, out of turn")
                continue
            met = met if index == latest else set()
            latest = index
            if name in met:
                self.found.fail("disclosure-duplicate", f"{name} of {index} is there twice", index)
            met.add(name)
            found[-1] = 1
        return found

    def entry(self, place: int, line: bytes, leaf: bytes, row: str | None) -> dict[str, Any] | None:
        """Check one entry and its row of the index; return it, if it is one."""
        own = hashlib.sha256(b"\0" + line).digest()
        if own != leaf:
            self.found.fail("leaf-mismatch", f"the leaf of entry {place} is not of its line", place)
        self.tree.append(own)
        entry = self.read(place, line)
        if entry is None:
            return None
        self.start(place, entry)
        if self.author(place, entry, line):
            self.keys(place, entry)
        self.chain(place, entry, own)
        self.story.check(place, entry)
        if row is not None:
            self.facts.add(place, entry)
        if entry["log"] != self.origin:
            self.found.fail("wrong-log", f"entry {place} is of the log {entry['log']}", place)
        told = (place, entry["run"] or "", entry["rseq"], entry["ts"], entry["kind"])
        if row is not None and row != ",".join(map(str, (*told, entry["actor"]["ref"]))):
            self.found.fail("index-row", f"the row of entry {place} differs from its line", place)
        return entry

    def read(self, place: int, line: bytes) -> dict[str, Any] | None:
        """Return the entry on a line; nothing, and a failure, if it is none."""
        if len(line) > MOST_BYTES:
            self.found.fail("entry-malformed", f"entry {place} is too long", place)
            return None
        try:
            entry = parse(line)
            is_canonical = canonical(entry) == line
        except TooDeepError:
            self.found.fail("entry-malformed", f"entry {place} has too many levels", place)
            return None
        except ValueError:
            self.found.fail("not-canonical", f"entry {place} is not canonical JSON", place)
            return None
        if not is_canonical:
            self.found.fail("not-canonical", f"entry {place} re-encodes to other bytes", place)
        if not is_entry(entry):
            self.found.fail("entry-malformed", f"entry {place} is malformed", place)
            return None
        if not is_moment(entry["ts"]):
            self.found.fail("ts-format", f"entry {place} has the time {entry['ts']!r}", place)
        return dict(entry)

    def start(self, place: int, entry: dict[str, Any]) -> None:
        """Learn the first keys; the first entry alone names them, and is signed by one of them."""
        is_first = entry["kind"] == "log.init"
        if (place == 0) != is_first:
            self.found.fail("genesis", "only entry 0 is log.init", place)
        try:
            if is_first and place == 0:
                self.begin(entry)
        except (KeyError, TypeError, ValueError):
            self.found.fail("entry-key", f"entry {place} names a key that is none", place)

    def keys(self, place: int, entry: dict[str, Any]) -> None:
        """Learn what an entry says about keys that one of them signed which counted before it."""
        kind, data = entry["kind"], entry["data"]
        try:
            if kind == "key.add":
                self.add_key(place, data)
            elif kind == "key.retire":
                self.end_key(place, data["id"], None)
            elif kind == "key.revoke":
                self.end_key(place, data["id"], data.get("from"))
        except (KeyError, TypeError, ValueError):
            self.found.fail("entry-key", f"entry {place} names a key that is none", place)

    def begin(self, entry: dict[str, Any]) -> None:
        """Take in the first keys of the log."""
        self.origin = entry["log"]
        for encoded in entry["data"]["entry_keys"]:
            public = b64(encoded, HASH)
            self.writers[key_id(public)] = Writer(public)
        for vkey in entry["data"]["log_vkeys"]:
            self.genesis.append(self.own_key(0, vkey))

    def add_key(self, place: int, data: dict[str, Any]) -> None:
        """Take in another key."""
        if data["role"] == "log":
            self.own_key(place, data["vkey"])
            return
        public, pop = b64(data["pk"], HASH), b64(data["pop"], SIGNATURE)
        claim = f"audit-key-pop/v1\n{self.origin}\n{key_id(public)}".encode()
        if not verifies(public, pop, claim):
            self.found.fail("key-pop", f"entry {place} enrols a key that nobody held", place)
        self.writers.setdefault(key_id(public), Writer(public))

    def own_key(self, place: int, vkey: str) -> Key:
        """Take in a log key, which is to be of this log."""
        key = Key(str(vkey), place)
        if key.name != self.origin:
            self.found.fail("key-origin", f"entry {place} names a key of {key.name}", place)
        # One that is known already is no other for being named again.
        if (key.name, key.public) not in self.own_keys:
            self.own_keys.add((key.name, key.public))
            self.log_keys.append(key)
            self.keys_of.setdefault(key.id, []).append(key)
        return key

    def end_key(self, place: int, ended: object, since: object) -> None:
        """Take in the end of a key: the earliest counts, a revocation also after it."""
        if not isinstance(ended, str) or not (since is None or is_count(since)):
            raise TypeError("its id or its place is malformed")
        writer = self.writers.get(ended)
        if writer is not None:
            writer.ended = place if writer.ended is None else writer.ended
            signed = len(writer.signed)
            doubtful = 0 if since is None else signed - bisect_left(writer.signed, since)
            if doubtful:
                words = f"{doubtful} entries from {since} on are signed by the revoked key"
                self.found.doubt("revoked-window", f"{words} {ended}")
        for key in self.keys_of.get(ended, ()):
            key.ended = place if key.ended is None else key.ended
            key.revoked_from = since if key.revoked_from is None else key.revoked_from

    def author(self, place: int, entry: dict[str, Any], line: bytes) -> bool:
        """Check who signed an entry; say whether it was a key that counts there."""
        writer = self.writers.get(entry["key"])
        if writer is None:
            self.found.fail("entry-key", f"entry {place} is signed by an unknown key", place)
            return False
        is_late = writer.ended is not None and place > writer.ended
        if is_late:
            words = f"entry {place} is signed by a key that ended"
            self.found.fail("entry-key-retired", words, place)
        writer.signed.append(place)
        body = line[:-136] + line[-39:]
        try:
            signature = b64(entry["sig"])
        except ValueError:
            signature = b""
        is_true = verifies(writer.public, signature, pae(ENTRY_TYPE, body))
        if not is_true:
            self.found.fail("entry-signature", f"the signature of entry {place} is false", place)
        return is_true and not is_late

    def chain(self, place: int, entry: dict[str, Any], leaf: bytes) -> None:
        """Check the place of an entry in its run."""
        run = entry["run"]
        if run is None:
            return
        tail = self.tails.get(run)
        if tail is None and self.has_gap:
            self.want(place, entry)
            self.tails.put(run, (entry["rseq"], leaf))
            return
        rseq, before = tail or (-1, b"")
        if entry["rseq"] != rseq + 1:
            self.found.fail("run-sequence", f"entry {place} does not follow in its run", place)
        if entry["prev"] != base64.b64encode(before).decode():
            self.found.fail("run-chain", f"entry {place} does not name the one before it", place)
        self.tails.put(run, (entry["rseq"], leaf))

    def want(self, place: int, entry: dict[str, Any]) -> None:
        """Remember from which entry before the range a run goes on; no two from the same one."""
        try:
            leaf = b64(entry["prev"], HASH).hex() if entry["rseq"] else ""
        except ValueError:
            leaf = ""
        if entry["rseq"] and (not leaf or self.wanted.get(leaf) is not None):
            self.found.fail("run-chain", f"entry {place} goes on from none of its run", place)
        elif entry["rseq"]:
            self.wanted.put(leaf, place)

    def find_outside(self, known: set[int]) -> None:
        """Look for the leaves from which runs go on that were under way before the range."""
        if self.wanted:
            for place, leaf in zip(range(self.pack.start), self.pack.leaves(), strict=False):
                if place not in known:
                    self.wanted.drop(leaf.hex())
        for place in self.wanted.values():
            self.found.fail("run-chain", f"entry {place} goes on from none of its run", place)

    def entry_parts(
        self, place: int, entry: dict[str, Any] | None, payloads: "Payloads | None"
    ) -> None:
        """Compare payloads with what their entry committed to."""
        named_here: dict[str, Any] = {} if entry is None else entry["parts"]
        held = {} if payloads is None else payloads.take(place, named_here)
        if entry is None:
            self.miss(place)
            return
        erased = self.erased.of(place)
        for name in held.keys() - named_here.keys():
            self.found.fail("disclosure-orphan", f"entry {place} has no part {name}", place)
        for name, promised in named_here.items():
            is_swept = place < self.swept.get(promised["cls"], 0)
            gone = is_swept or name in erased
            if is_swept:
                self.count(place, promised["cls"], erased.get(name))
            if name not in held:
                if not gone and self.pack.manifest["disclosure"] == "all":
                    self.found.fail(
                        "part-missing", f"part {name} of entry {place} is missing", place
                    )
                continue
            self.facts.hold(place, promised["cls"])
            if gone:
                self.found.fail("part-not-erased", f"part {name} of entry {place} is held", place)
            salt, value = held[name]
            tagged = b"audit-part/v1\0" + name.encode() + b"\0" + value
            made = base64.b64encode(hmac.digest(salt, tagged, "sha256")).decode()
            # Zeros behind a shorter salt would give the same commitment.
            is_own = len(salt) == HASH and made == promised["c"]
            if not is_own or len(value) != promised["len"]:
                self.found.fail(
                    "part-commitment", f"part {name} of entry {place} is another", place
                )

    # what vouches for it

    def judge_state(self) -> None:
        """Compare the stored tree with that of the entries."""
        try:
            state = strict(self.pack.content("state.json"))
            frontier = b"".join(self.tree.frontier).hex()
            fits = (state["size"], state["frontier"]) == (self.tree.size, frontier)
        except (ValueError, KeyError):
            fits = False
        if not fits:
            self.found.fail("tree-state", "the stored tree is not that of the entries")

    def judge_notes(self) -> None:
        """Check every head, those of the pack and those that were kept elsewhere."""
        names = sorted(one for one in self.pack.names() if NOTE_NAME.fullmatch(one))
        texts = [(name, self.pack.text(name)) for name in [*names, "checkpoint"]]
        if texts[-1][1] not in {text for _, text in texts[:-1]}:
            words = "the newest head is not among those that are kept"
            self.found.fail("checkpoint-missing", words)
        texts += [(f"given note {number}", one) for number, one in enumerate(self.given, 1)]
        notes: list[tuple[str, Note]] = []
        for name, text in texts:
            try:
                note = Note(text)
            except ValueError as error:
                self.found.fail("checkpoint-malformed", f"{name}: {error}")
                continue
            notes.append((name, note))
            if name.startswith("checkpoints/") and name != f"checkpoints/{note.size:012d}":
                self.found.fail("checkpoint-malformed", f"{name} is for {note.size} entries")
        notes.sort(key=lambda one: one[1].size)
        # A head of another log says nothing of what this one has lost or kept.
        own = [one for one in notes if self.origin in ("", one[1].origin)]
        self.judge_roots(own)
        if not self.pins:
            self.found.doubt("unpinned", "no key was given: the log vouches for itself")
        if not notes:
            self.found.doubt("no-checkpoint", "there is no signed head")
        for pin in self.pins:
            if pin.name != self.origin:
                self.found.fail("key-origin", f"the given key is for the log {pin.name}")
        counting = self.judge_signers(notes)
        if max((one for one in counting if one <= self.tree.size), default=0) < self.tree.size:
            self.found.doubt("unsigned-tail", "no head that counts covers the last entries")
        self.judge_kept(notes)

    def judge_kept(self, notes: Sequence[tuple[str, Note]]) -> None:
        """Look for the head over everything; doubt a note from elsewhere that is not listed."""
        own = [note for name, note in notes if name.startswith("checkpoint")]
        if self.tree.size and self.tree.size not in {one.size for one in own}:
            self.found.fail("checkpoint-missing", "there is no head over all entries")
        kept = {one.message for one in own}
        for name, note in notes:
            is_of_this = self.origin in ("", note.origin) and not name.startswith("checkpoint")
            if is_of_this and note.message not in kept:
                self.found.doubt("pin-not-kept", f"{name} is not listed any more")

    def judge_roots(self, notes: Sequence[tuple[str, Note]]) -> None:
        """Compare every head with the root that the entries give at its size."""
        for name, note in notes:
            if note.size > self.tree.size:
                self.found.fail("truncated", f"{name} covers {note.size} entries")
            elif note.root != self.roots[note.size]:
                self.found.fail("root-mismatch", f"{name} has another root")

    def judge_signers(self, notes: Sequence[tuple[str, Note]]) -> set[int]:
        """Check the signatures of the notes; return the sizes of those that count."""
        own = {(key.name, key.short): key for key in self.log_keys}
        pins = [own.get((one.name, one.short), one) for one in (self.pins or self.genesis)]
        trusted, named = set(pins), by_name(pins)
        added = deque(
            sorted((one for one in self.log_keys if one.added > 0), key=lambda one: one.added)
        )
        for _, note in notes:
            try:
                signed = note.signers(named)
            except ValueError:
                continue
            is_known = any(key.counts_at(note.size) for key in signed)
            while is_known and added and added[0].added < note.size:
                one = added.popleft()
                if one not in trusted:
                    trusted.add(one)
                    named.setdefault((one.name, one.short), []).append(one)
        counting: set[int] = set()
        everybody = by_name(
            {(one.name, one.short): one for one in [*pins, *self.log_keys]}.values()
        )
        for name, note in notes:
            if note.origin != self.origin:
                self.found.fail("checkpoint-origin", f"{name} is of {note.origin}")
                continue
            try:
                signed = note.signers(everybody)
            except ValueError as error:
                self.found.fail("checkpoint-signature", f"{name}: {error}")
                continue
            good = [one for one in signed if one in trusted and one.counts_at(note.size)]
            if not good:
                self.found.fail("checkpoint-untrusted", f"{name} is signed by no key that counts")
                continue
            counting.add(note.size)
            late = [key.revoked_from is not None and note.size > key.revoked_from for key in good]
            if all(late):
                self.found.doubt("revoked-window", f"{name} is signed by a key revoked later")
        return counting

    def judge_anchors(self) -> None:
        """Compare what others gave for heads of this log with these heads."""
        for name in sorted(self.pack.names()):
            match = ANCHOR_NAME.fullmatch(name)
            if match is None:
                continue
            size, content = int(match[1]), (self.pack.folder / name).read_bytes()
            root = self.roots.get(size)
            try:
                fits = root is not None and self.vouches(match[2], content, size, root)
            except (ValueError, KeyError, TypeError, RecursionError, OSError):
                fits = False
            if not fits:
                self.found.fail("anchor", f"{name} is not for a head of this log")

    def vouches(self, kind: str, content: bytes, size: int, root: bytes) -> bool:
        """Say whether something kept of that kind speaks of that head."""
        if kind in {"folder", "slack", "witness", "mail"}:
            # Of a mail, what the server said stands before the note.
            note = Note("\n\n".join(content.decode().split("\n\n")[-2:]))
            return (note.size, note.root) == (size, root)
        if kind == "reply":
            start: str = base64.b64encode(root).decode()[:12]
            return bool(json.loads(content)["fingerprint"] == start)
        if kind == "rfc3161":
            text, _, lines = self.pack.text(f"checkpoints/{size:012d}").partition("\n\n")
            signed = lines.splitlines(keepends=True)
            # The note may have got lines since.
            stamped = (f"{text}\n\n{''.join(signed[:n])}" for n in range(1, len(signed) + 1))
            digest = Stamp(content).digest
            return any(hashlib.sha256(one.encode()).digest() == digest for one in stamped)
        return True

    def judge_stamps(self) -> None:
        """Check who made each time stamp, under the certificates that were given."""
        if self.authorities is None:
            return
        names = [one for one in sorted(self.pack.names()) if one.endswith(".rfc3161")]
        for name in names:
            try:
                why = Stamp((self.pack.folder / name).read_bytes()).refusal(self.authorities)
            except UnknownAlgorithmError as error:
                self.found.doubt("anchor", f"{name}: {error} is for `openssl ts -verify`")
                continue
            except UnknownAuthorityError as error:
                self.found.doubt("anchor", f"{name}: {error}")
                continue
            except (OSError, ValueError) as error:
                why = str(error)
            if why:
                self.found.fail("anchor", f"{name} does not hold: {why}")
        if not names:
            self.found.doubt("anchor", "no head has a time stamp")

    def judge_witnesses(self) -> None:
        """Check every line of a pinned witness under a head of this log."""
        names = [one for one in self.pack.names() if NOTE_NAME.fullmatch(one)]
        names += [one for one in self.pack.names() if one.endswith(".witness")]
        files = [self.pack.folder / one for one in sorted(names)] if self.witnesses else []
        texts = [one.read_text(encoding="utf-8", errors="surrogateescape") for one in files]
        met = set()
        for text in dict.fromkeys([*texts, *self.given]):
            try:
                note = Note(text)
            except ValueError:
                continue
            if self.roots.get(note.size) != note.root:
                continue
            for one in self.witnesses:
                for name, data in note.signatures:
                    if (name, data[:4]) != (one.name, one.short):
                        continue
                    met.add(one)
                    if not one.saw(note.message, data[4:]):
                        self.found.fail("anchor", f"a line of {one.name} is false")
        for one in self.witnesses:
            if one not in met:
                self.found.doubt("anchor", f"no head has a line of the witness {one.name}")

    def judge_manifest(self) -> None:
        """Check what the manifest says of the log, and who signed it."""
        manifest = self.pack.manifest
        if manifest["origin"] != self.origin:
            self.found.fail("wrong-log", f"the manifest is for {manifest['origin']}")
        if manifest["log_vkeys"] != [one.vkey for one in self.genesis]:
            self.found.fail("genesis", "the manifest names other first keys")
        self.judge_size()
        path = self.pack.folder / "manifest.dsse.json"
        if not path.exists():
            self.found.doubt("manifest-unsigned", "nobody signed the manifest")
            return
        try:
            envelope = parse(self.pack.content("manifest.dsse.json"))
            # Whoever stole a key that was ended since could list other files under it.
            known = {key.id: key for key in self.log_keys if key.ended is None}
            message = pae(MANIFEST_TYPE, self.pack.payload)
            lines = envelope["signatures"]
            is_typed = envelope.keys() == ENVELOPE and isinstance(lines, list)
            is_typed &= all(one.keys() == SIGNED and type(one["keyid"]) is str for one in lines)
            results = [
                verifies(known[one["keyid"]].public, b64(one["sig"]), message)
                for one in lines
                if one["keyid"] in known
            ]
            is_same = b64(envelope["payload"]) == self.pack.payload
            is_typed &= envelope["payloadType"] == MANIFEST_TYPE.decode()
        except (ValueError, KeyError, TypeError, AttributeError):
            results, is_same, is_typed = [], False, False
        if not (results and all(results) and is_same and is_typed):
            self.found.fail("manifest-signature", "no key of the log signed this manifest")

    def judge_size(self) -> None:
        """Check that manifest and newest head speak of all the leaves, and when they were."""
        said, size, start, end = self.pack.manifest, self.tree.size, self.pack.start, self.pack.end
        if said["size"] != size:
            self.found.fail("range", f"the manifest is for {said['size']} entries")
        ends = (start, end - 1) if start < end else ()
        if said.get("period", []) != [self.period.get(one, "") for one in ends]:
            self.found.fail("range", "the manifest names another period than its entries")
        try:
            newest = Note(self.pack.text("checkpoint"))
        except ValueError:
            return  # Said where the heads are judged.
        if newest.size != size:
            self.found.fail("checkpoint-missing", f"the newest head is not one over {size} entries")

    def judge_proofs(self) -> None:
        """Check every proof in the pack."""
        keys = by_name(self.log_keys)
        for name in sorted(self.pack.names()):
            match = PROOF_NAME.fullmatch(name)
            if match is None:
                continue
            index = int(match[1])
            try:
                self.judge_proof(self.pack.text(name), index, self.pack.leaf(index), keys)
            except ValueError as error:
                self.found.fail("proof", f"{name}: {error}")

    def judge_proof(self, text: str, index: int, leaf: bytes, keys: Named) -> None:
        """Return if `text` proves that `leaf` stands at `index` under a head of this log."""
        if len(leaf) < HASH:
            raise ValueError("there is no such entry")
        head, _, note_text = text.partition("\n\n")
        lines = head.split("\n")
        if lines[:2] != ["c2sp.org/tlog-proof@v1", f"index {index}"]:
            raise ValueError("it is for another entry")
        note = Note(note_text)
        if note.origin != self.origin or not note.signers(keys):
            raise ValueError("its head is not of this log")
        path = [b64(one, HASH) for one in lines[2:]]
        if root_of(leaf, index, note.size, path) != note.root:
            raise ValueError("it leads to another root")

    def judge_reports(self) -> None:
        """Compare what each row of a report repeats of its entry with that entry."""
        names = sorted(one for one in self.pack.names() if REPORT_NAME.fullmatch(one))
        if not names:
            return
        self.read_outcomes()
        with closing(Index(self.pack, names)) as index:
            for name in names:
                try:
                    met = self.judge_report(name, index)
                except csv.Error as error:
                    self.found.fail("index-row", f"{name} cannot be read: {error}")
                    continue
                for place in index.reported[name]:
                    if place not in met:
                        self.found.fail("index-row", f"{name} does not tell of entry {place}")

    def read_outcomes(self) -> None:
        """Learn what the entries say that runs came to; a line that is none is met elsewhere."""
        for line in self.pack.lines("entries.jsonl"):
            if END.search(line) is None:
                continue
            try:
                entry = parse(line)
                run, kind, outcome = entry["run"], entry["kind"], entry["data"].get("outcome")
            except (AttributeError, KeyError, TypeError, ValueError):
                continue
            if is_named(run, RUN_ID) and isinstance(kind, str) and kind in ENDS:
                came_to = outcome or "cancelled"
                told = came_to if isinstance(came_to, str) else None
                self.outcomes.put(run, (self.outcomes.get(run) or frozenset()) | {told})

    def judge_report(self, name: str, index: "Index") -> "Flags":
        """Compare the rows of one report; return the entries that it tells of."""
        met, runs = Flags(self.pack.start, len(index)), Pile(self.aside)
        latest, before = -1, set[bytes]()
        with text_of(self.pack.folder / name) as file:
            rows = csv.reader(lines_of(file))
            columns = next(rows, [])
            if columns[: len(REPORT_COLUMNS)] != REPORT_COLUMNS:
                self.found.fail("index-row", f"{name} has other columns")
            is_told = "decision" in columns and name in TELL_DECISIONS
            at = columns.index("decision") if is_told else len(columns)
            is_ended = "outcome" in columns and name == POPULATION
            ended = columns.index("outcome") if is_ended else len(columns)
            for row in rows:
                if not row or not PLACE.fullmatch(row[0]):
                    self.found.fail("index-row", f"{name}: a row names no entry")
                    continue
                if int(row[0]) < latest:
                    self.found.fail(
                        "index-row", f"{name}: the row of entry {row[0]} is out of turn"
                    )
                before = before if int(row[0]) == latest else set()
                whole = hashlib.sha256(repr(row).encode(errors="surrogatepass")).digest()
                if whole in before or (before and name not in SEVERAL):
                    self.found.fail("index-row", f"{name} tells twice of entry {row[0]}")
                before.add(whole)
                latest = int(row[0])
                met.add(latest)
                place, run, _, ts, kind, actor = index.row(latest)
                repeated = [place, ts, kind, run, actor, self.people.get(actor) or ""]
                is_other = is_told and "".join(row[at : at + 1]) != DECIDED.get(
                    kind, "".join(row[at : at + 1])
                )
                if is_other or row[: len(repeated)] != [cell(one) for one in repeated]:
                    self.found.fail("index-row", f"{name} differs from entry {row[0]}")
                if name == POPULATION and len(row) > REPORT_COLUMNS.index("run"):
                    self.judge_run(row, ended if is_ended else len(row), runs)
        return met

    def judge_cells(self) -> None:
        """Make every report once more from the entries, and compare it cell by cell.

        What is made of entries at fault is at fault, too, and says nothing more.
        """
        if not self.is_sound:
            return
        withholds = self.pack.manifest["disclosure"] != "all"
        self.facts.make(self.people, withholds=withholds)
        for name in sorted(one for one in self.pack.names() if REPORT_NAME.fullmatch(one)):
            report = name.removeprefix("reports/").removesuffix(".csv")
            names = COLUMNS.get(report, "")
            with text_of(self.pack.folder / name) as file:
                rows = csv.reader(lines_of(file))
                columns = self.columns(rows)
                self.judge_columns(name, columns, names.split())
                if not names:
                    continue
                told = self.told(rows, columns, withholds=withholds)
                # A table without one of the columns is of another release, and misses no row.
                misses = set(columns).issuperset(names.split())
                for place, mine, given in abreast(self.facts.rows(report), told):
                    self.judge_row(name, place, mine, given)
                    for _ in mine if misses else ():
                        self.fail_once(f"{name} does not tell of entry {place}")

    def judge_columns(self, name: str, columns: list[str], known: list[str]) -> None:
        """Say what of a table nobody compares: whoever has the log key can write anything there."""
        if len(set(columns)) < len(columns):
            self.found.fail("index-row", f"{name} has a column twice")
        unknown = [one for one in columns if one not in REPORT_COLUMNS and one not in known]
        if unknown:
            first = unknown[0][:LONGEST_NAME]
            self.found.doubt("columns", f"{name} has a column that is not known here: {first!r}")

    @staticmethod
    def columns(rows: Iterator[list[str]]) -> list[str]:
        """Return the names in the first row; what is malformed is said elsewhere."""
        with suppress(csv.Error):
            return next(rows, [])
        return []

    @staticmethod
    def told(
        rows: Iterator[list[str]], columns: Sequence[str], *, withholds: bool
    ) -> Iterator[Row]:
        """Yield place and cells of each row; what is malformed is said elsewhere."""
        with suppress(csv.Error):
            for row in rows:
                if row and PLACE.fullmatch(row[0]):
                    cells = [*row, *[""] * (len(columns) - len(row))]
                    found = dict(zip(columns, cells, strict=False))
                    kept = without_term(found, withholds=withholds)
                    if kept is not None:
                        yield int(row[0]), kept

    def judge_row(
        self, name: str, place: int, made: list[dict[str, str]], told: list[dict[str, str]]
    ) -> None:
        """Compare the rows about an entry with those that the entries make, and take these away."""
        for row in told:
            fitting = [one for one in made if not differing(one, row)]
            if fitting:
                made.remove(fitting[0])
            elif made:
                one = made.pop(0)
                column = differing(one, row)[0]
                words = f"says {row[column]!r} as {column}, its entries say {one[column]!r}"
                self.fail_once(f"{name}: the row of entry {place} {words}")
            elif row.get("kind") in READ:
                self.fail_once(f"{name}: a row says something else than entry {place}")

    def fail_once(self, words: str) -> None:
        """Note what may have been found before, without the cells."""
        if ("index-row", words) not in self.found.failures:
            self.found.fail("index-row", words)

    def judge_run(self, row: list[str], ended: int, runs: Pile) -> None:
        """Compare what a row says that its run came to, of which no other row tells."""
        run = row[REPORT_COLUMNS.index("run")]
        if runs.get(run) is not None:
            self.found.fail("index-row", f"{POPULATION} tells twice of the run {run}")
        runs.put(run, value=True)
        came_to = self.outcomes.get(run) or {"open"}
        if len(row) > ended and None not in came_to and row[ended] not in came_to:
            self.found.fail("index-row", f"{POPULATION} tells another outcome of {run}")

    def judge_ids(self) -> None:
        """Check that no entry stands twice."""
        short = array("Q")
        for line in self.pack.lines("entries.jsonl"):
            found = ID.search(line)
            if found is not None:
                short.append(hash(found[1]) & MOST_HASH)
        twice = set(repeated(short))
        met: set[str] = set()
        for line in self.pack.lines("entries.jsonl") if twice else ():
            found = ID.search(line)
            if found is None or hash(found[1]) & MOST_HASH not in twice:
                continue
            if found[1].decode() in met:
                self.found.fail("duplicate-id", f"the id {found[1].decode()} stands twice")
            met.add(found[1].decode())

    def judge_samples(self) -> None:
        """Check that the folder of a sampled run holds the entries of that run, and no other.

        Where the manifest names seed and count, the runs are drawn again.
        """
        there = self.pack.names()
        matches = [one for one in map(SAMPLE_NAME.fullmatch, there) if one is not None]
        found = {one[1] for one in matches}
        drawn = self.drawn() if "sample" in self.pack.manifest.get("filters", {}) else None
        for run in sorted(found - (found if drawn is None else drawn)):
            self.found.fail("file-extra", f"samples/{run} is of a run that was not drawn")
        lines = {run.encode(): hashlib.sha256() for run in found | (drawn or set())}
        entries = enumerate(self.pack.lines("entries.jsonl"), start=self.pack.start)
        for place, line in entries if lines else ():
            for run in RUN_OF_LINE.findall(line)[-1:]:
                if run not in lines:
                    continue
                lines[run].update(line + b"\n")
                proof = f"samples/{run.decode()}/proofs/{place}.tlog-proof"
                if drawn is not None and run.decode() in drawn and proof not in there:
                    self.found.fail("file-missing", f"{proof} is not in the pack")
        for encoded, digest in sorted(lines.items()):
            name = f"samples/{encoded.decode()}/entries.jsonl"
            if name not in there:
                self.found.fail("file-missing", f"{name} is not in the pack, and it was drawn")
            elif hashlib.sha256(self.pack.content(name)).digest() != digest.digest():
                self.found.fail("range", f"{name} holds other entries than those of its run")

    def drawn(self) -> set[str]:
        """Return the runs that began in the range and are drawn: those with the smallest hash."""
        wanted = self.pack.manifest["filters"]["sample"]
        rows = map(BEGAN.match, self.pack.lines("index.csv"))
        runs = (one[1].decode() for one in rows if one is not None)
        lots = ((hashlib.sha256(f"{wanted['seed']}\n{one}".encode()).digest(), one) for one in runs)
        return {run for _, run in heapq.nsmallest(wanted["count"], lots)}

    def judge_subjects(self) -> None:
        """Check that each pseudonym is that of who stands behind it."""
        met = Pile(self.aside)
        for number, line in enumerate(self.pack.lines("subjects.jsonl")):
            try:
                one = strict(line)
                ref, name, key = one["ref"], one["id"], b64(one["k"])
                mac = hmac.new(key, name.encode(), "sha256").hexdigest()
            except (AttributeError, KeyError, ValueError):
                self.found.fail("subject-ref", f"line {number} of the people cannot be read")
                continue
            is_own = len(key) == HASH and f"s:{mac[:32]}" == ref
            if not is_own or met.get(name) is not None:
                self.found.fail("subject-ref", f"{ref} is not who stands behind it")
            met.put(name, value=True)
            self.people.put(str(ref), name)


def keys_in(given: str) -> list[Key]:
    """Return the key itself, or the keys in the file of that name."""
    path = Path(given)
    lines = path.read_text().splitlines() if path.is_file() else [given]
    return [Key(one) for one in lines if one.strip()]


def note_in(path: Path) -> str:
    """Return a head that was kept; another file that was named says nothing of the log."""
    try:
        text = unpasted(path.read_text())
        Note(text)
    except (OSError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"{path} is no signed head: {error}") from error
    return text


def write_json(found: Findings) -> None:
    """Print what was found as data, piece by piece."""
    told = {
        "exit": found.exit,
        "failures": found.failures,
        "n_failures": found.n_failures,
        "first": found.first(),
    }
    sys.stdout.write(json.dumps(told)[:-1])
    for name, findings in (("unproven", found.unproven), ("semantics", found.semantics)):
        sys.stdout.write(f', "{name}": [')
        for number, one in enumerate(findings):
            sys.stdout.write(f"{', ' if number else ''}{json.dumps(one)}")
        sys.stdout.write("]")
    sys.stdout.write("}\n")


def main() -> int:
    """Verify, print, and return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pack", type=Path, default=Path(__file__).resolve().parent)
    parser.add_argument("--vkey", action="append", default=[], help="a key, or a file with it")
    parser.add_argument(
        "--checkpoint", action="append", default=[], type=lambda one: note_in(Path(one))
    )
    parser.add_argument("--witness", action="append", default=[], help="a witness's key")
    parser.add_argument("--tsa", type=Path, help="certificates of time stamp authorities (PEM)")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    try:
        witnesses = [Witness(one) for one in asked.witness]
        pins = [key for one in asked.vkey for key in keys_in(one)]
        authorities = x509.load_pem_x509_certificates(asked.tsa.read_bytes()) if asked.tsa else None
        found = Verifier(Pack(asked.pack), pins, asked.checkpoint, witnesses, authorities).run()
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        why = f"nothing is called {error}" if isinstance(error, KeyError) else error
        sys.stderr.write(f"The pack cannot be read: {why}\n")
        return 2
    except sqlite3.Error as error:
        sys.stderr.write(f"No temporary file can be kept in TMPDIR, /var/tmp or /tmp: {error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("Broken off, which says nothing of the log.\n")
        return 130
    (write_json if asked.json else write_words)(found)
    return found.exit


def write_words(found: Findings) -> None:
    """Print what was found for people, the verdict last."""
    failures: Iterable[tuple[str, str]] = found.failures
    for level, findings in (("failure", failures), ("unproven", found.unproven)):
        for code, text in findings:
            sys.stdout.write(f"{level} {code}: {printable(text)}\n")
    if found.n_failures > len(found.failures):
        sys.stdout.write(f"\u2026 and {found.n_failures - len(found.failures)} failures more\n")
    if found.semantics:
        sys.stdout.write("What the entries tell (this does not change the verdict):\n")
    for code, text in found.semantics:
        sys.stdout.write(f"  {code}: {printable(text)}\n")
    if found.failures:
        sys.stdout.write(f"{found.first()}\n")
    verdicts = {
        0: "Verified: the history shown is the history recorded.",
        1: "BROKEN: the history shown is not the history recorded.",
        2: "Not verified: not everything was checked.",
        3: "Nothing wrong found, but something is unproven.",
    }
    sys.stdout.write(f"{verdicts[found.exit]}\n")


if __name__ == "__main__":
    sys.exit(main())
