"""What is different between who may do what now and what governors signed last.

Both are reports as CSV. Whoever signs again reads what changed; the rest is one line.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# Together these name a grant; when it was used last changes with every day.
KEY = ("person", "role", "scope", "via")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedReview:
    """A report that governors signed: its CSV, what stood out, and on which day."""

    csv: str
    findings: tuple[str, ...]
    day: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """What changed since a review was signed, a line each, and the rest in one."""

    new_findings: tuple[str, ...]
    grants: tuple[str, ...]  # That are new or gone.
    as_signed: str


def since_signed(signed: SignedReview, report: str, findings: Sequence[str]) -> Since:
    """Return how a report with these findings differs from the one that was signed."""
    before, now = _grants(signed.csv), _grants(report)
    new = tuple(one for one in findings if one not in signed.findings)
    changes = [
        *(f"new: {now[key]}" for key in now if key not in before),
        *(f"gone: {before[key]}" for key in before if key not in now),
    ]
    same, known = len(now.keys() & before.keys()), len(findings) - len(new)
    return Since(
        new_findings=new,
        grants=tuple(changes),
        as_signed=f"As signed on {signed.day} ({signed.digest[:12]}):"
        f" {same} grant(s), {known} finding(s).",
    )


def _grants(report: str) -> Mapping[tuple[str, ...], str]:
    """Return each grant of a report in words, without what keeps cells from being formulas."""
    rows = (
        {name: cell.removeprefix("'") for name, cell in row.items()}
        for row in csv.DictReader(io.StringIO(report))
    )
    return {
        tuple(row[name] for name in KEY): f"{row['name']} ({row['person']}):"
        f" {row['role']} of {row['scope']} by {row['via']}"
        for row in rows
    }
