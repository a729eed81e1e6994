"""The entries of a pack as its reports are made of them: run by run, however long the pack is."""

import json
import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from itertools import groupby
from operator import attrgetter
from typing import IO, TypeAlias

from storage.evidence import names
from storage.evidence.reports import of_run, outside_runs
from storage.evidence.reports.fact import Fact, data_of
from storage.verify.pack_files import PackFiles

MOST_LINE = 1 << 16  # Four times what an entry has.
MOST_PAYLOAD = 1 << 26
COLUMNS = len(names.INDEX_COLUMNS.split(","))
NUMBER = re.compile(r"0|[1-9][0-9]{0,15}")
ID = re.compile(r'"id":"([0-9a-f]{32})","key":"')
PAYLOAD = re.compile(rb'"i":(0|[1-9][0-9]{0,15}),"n":"([a-z0-9_.-]{1,64})","s":"[^"]*"}\n')
TABLE = (
    "CREATE TABLE fact (idx INTEGER PRIMARY KEY, ts TEXT, kind TEXT, run TEXT, rseq INTEGER,"
    " actor TEXT, line TEXT)"
)
Held: TypeAlias = tuple[Fact, str, int]  # The oldest entry, of which class, and how many.


class PackFacts:
    """Entries in a temporary file. What cannot be read says nothing; the walk names it."""

    def __init__(self, files: PackFiles, start: int) -> None:
        """Take up the entries of the pack, which begin at the place `start`."""
        self._db = sqlite3.connect("")  # A file without a name, gone when it is closed.
        self._db.execute("PRAGMA journal_mode=OFF")
        self._db.execute("PRAGMA synchronous=OFF")
        self._db.execute(TABLE)
        self._first: dict[str, int] = {}
        self._count: dict[str, int] = {}
        with ExitStack() as stack:
            rows, lines, payloads = (
                stack.enter_context(files.open(one))
                for one in (names.INDEX, names.ENTRIES, names.DISCLOSURES)
            )
            rows.readline(MOST_LINE)
            disclosed = _disclosed(payloads)
            held = next(disclosed, None)
            place = start
            while line := lines.readline(MOST_LINE):
                self._add(place, rows.readline(MOST_LINE), line)
                while held is not None and held[0] <= place:
                    if held[0] == place:
                        self._hold(place, held[1], line)
                    held = next(disclosed, None)
                place += 1

    def close(self) -> None:
        """Forget everything."""
        self._db.close()

    def outside(self) -> Iterator[Fact]:
        """Yield what stands outside of runs, in the order of the log."""
        yield from self._facts("run = '' ORDER BY idx", outside_runs.READ)

    def runs(self) -> Iterator[tuple[str, Iterator[Fact]]]:
        """Yield each run with its entries in their order."""
        yield from groupby(
            self._facts("run <> '' ORDER BY run, rseq, idx", of_run.READ), key=attrgetter("run")
        )

    def held(self) -> Iterator[Held]:
        """Yield of each class the oldest entry of which a payload is here, and how many are."""
        for cls, place in sorted(self._first.items()):
            for fact in self._facts(f"idx = {place:d}", frozenset()):
                yield fact, cls, self._count[cls]

    def _add(self, place: int, row: bytes, line: bytes) -> None:
        cells = row.decode(errors="replace").removesuffix("\n").split(",")
        if len(cells) != COLUMNS:
            return
        _, run, rseq, ts, kind, actor = cells
        is_read = kind in (of_run.READ if run else outside_runs.READ)
        if not run and not is_read and b'"parts":{}' in line:
            return
        told = line.decode(errors="replace") if is_read else ""
        order = int(rseq) if NUMBER.fullmatch(rseq) else -1
        values = (place, ts, kind, run, order, actor, told)
        self._db.execute("INSERT INTO fact VALUES (?, ?, ?, ?, ?, ?, ?)", values)

    def _hold(self, place: int, name: str, line: bytes) -> None:
        cls = _class_of(line, name)
        if cls is not None:
            self._first.setdefault(cls, place)
            self._count[cls] = self._count.get(cls, 0) + 1

    def _facts(self, which: str, read: frozenset[str]) -> Iterator[Fact]:
        rows = self._db.execute(
            f"SELECT idx, ts, kind, run, actor, line FROM fact WHERE {which}"  # noqa: S608  fixed words
        )
        for place, ts, kind, run, actor, line in rows:
            yield Fact(
                idx=place,
                id=_id_of(line),
                ts=ts,
                kind=kind,
                run=run,
                actor=actor,
                data=data_of(line) if kind in read else {},
            )


def _id_of(line: str) -> str:
    found = ID.search(line)
    return "" if found is None else found[1]


def _disclosed(payloads: IO[bytes]) -> Iterator[tuple[int, str]]:
    while line := payloads.readline(MOST_PAYLOAD):
        found = PAYLOAD.search(line, max(0, len(line) - 400))
        if found is not None:
            yield int(found[1]), found[2].decode()


def _class_of(line: bytes, name: str) -> str | None:
    parts = _member(line.decode(errors="replace"), "parts")
    part = parts.get(name) if isinstance(parts, Mapping) else None
    cls = part.get("cls") if isinstance(part, Mapping) else None
    return cls if isinstance(cls, str) else None


def _member(line: str, name: str) -> object:
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return said.get(name) if isinstance(said, dict) else None
