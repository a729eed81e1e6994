"""What should have come of a soak's case, worked out from its inputs and the targets' own logs.

Nothing here asks the product: how a run ended is told to us, and whether that is right follows
from what was put in and from what the targets say happened to them.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

from bench.trial.home import Home
from bench.trial.soak_cases import SoakCase

NO_RUN = "refused"


def mistakes(home: Home, case: SoakCase, status: str) -> Iterator[str]:
    """Yield each way in which the outcome is not what it should be."""
    if status != case.expected:
        yield f"it ended {status} instead of {case.expected}"
    check = {
        "refund": _refund,
        "grant-access": _grant,
        "purge": _purge,
        "change-record": _record,
    }
    yield from check[case.workflow](home, case)


def _values(home: Home, subject: str) -> list[str]:
    return [one.value for one in home.target.ledger.effects(subject)]


def _refund(home: Home, case: SoakCase) -> Iterator[str]:
    values = _values(home, str(case.inputs["order"]))
    if case.cause == "same order again":
        if len(values) != 1:
            yield f"several runs for one order paid {len(values)} times"
        return
    wanted = [f"{case.inputs['amount']}|{case.inputs['note']}"] if case.expected == "done" else []
    if values != wanted:
        yield f"the shop paid {_short(values)} instead of {_short(wanted)}"


def _grant(home: Home, case: SoakCase) -> Iterator[str]:
    effects = home.target.ledger.effects(case.subject)
    role = case.inputs["role"]
    wanted = [f"granted|{role}", f"revoked|{role}"] if case.expected == "done" else []
    if [one.value for one in effects] != wanted:
        yield f"access went {_short([one.value for one in effects])} instead of {_short(wanted)}"
    elif effects and case.ends_at is not None and effects[1].at < case.ends_at.timestamp():
        yield "access ended before its time"


def _purge(home: Home, case: SoakCase) -> Iterator[str]:
    free, held = case.accounts
    wanted = {"done": (0, held), "denied": (free, held), NO_RUN: (0, 0)}[case.expected]
    found = home.accounts(case.subject)
    if found != wanted:
        yield f"of the batch {found} accounts are left instead of {wanted} (free, held)"


def _record(home: Home, case: SoakCase) -> Iterator[str]:
    value = str(case.inputs["value"])
    wanted = {"done": [value], "aborted": [value, ""]}.get(case.expected, [])
    values = _values(home, case.subject)
    if values != wanted:
        yield f"the record went {_short(values)} instead of {_short(wanted)}"


def strangers(home: Home, known: set[str]) -> list[str]:
    """Return what happened to subjects that no case ever named."""
    with closing(sqlite3.connect(home.target.ledger.path, timeout=30)) as connection:
        rows = connection.execute("SELECT DISTINCT subject FROM effect").fetchall()
    return [subject for (subject,) in rows if subject not in known]


def _short(values: list[str]) -> list[str]:
    return [one if len(one) < 60 else f"{one[:50]}… ({len(one)})" for one in values]  # noqa: PLR2004
