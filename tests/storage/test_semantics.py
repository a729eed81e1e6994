"""What entries tell of decisions that the rules of their own request do not allow."""

from typing import Any

import pytest

from storage.evidence.shipped.verify import KINDS as SHIPPED_KINDS
from storage.evidence.shipped.verify import Findings, Story
from storage.verify.report import Report
from storage.verify.semantics import SemanticCheck
from tests.storage.stories import ANA, STORIES, Members, all_of, granted, requested, stage
from workflows.kinds import KINDS

# What the verifier of each pack leaves to ours.
OURS_ALONE = {"outside-hours", "kind-malformed"}


def told(*members: Members) -> list[str]:
    """Return what a run that tells this is found to have done, by either verifier."""
    report, findings = Report(), Findings()
    check, other = SemanticCheck(report), Story(findings)
    for index, one in enumerate(all_of(members)):
        whole = {"id": f"{index:032x}", "run": "r", "rseq": index, "parts": {}, **one}
        check.check(index, whole)
        other.check(index, whole)
    codes = [code for code, _words in report.semantics]
    seen = [code for code, _words in findings.semantics]
    assert sorted(seen) == sorted(code for code in codes if code not in OURS_ALONE)
    return codes


@pytest.mark.parametrize("name", STORIES)
def test_both_verifiers_find_in_a_story_what_is_wrong_and_no_more(name: str) -> None:
    members, codes = STORIES[name]

    assert told(*members) == codes.split()


HOURS = {"weekdays": [1], "from": "09:00", "to": "12:00", "holidays": [], "zone": "Europe/Berlin"}


@pytest.mark.parametrize(
    ("ts", "found"),
    [
        ("2026-03-02T10:59:59.000Z", []),
        ("2026-03-02T11:00:00.000Z", ["outside-hours"]),
        ("2026-03-03T10:00:00.000Z", ["outside-hours"]),
        ("no moment", []),
    ],
)
def test_an_approval_outside_business_hours_is_found(ts: str, found: list[str]) -> None:
    assert told(requested(stage(ANA), hours=[HOURS]), granted(ANA, ts=ts)) == found


@pytest.mark.parametrize("hours", [[{}], "odd", [{**HOURS, "zone": "Nowhere/At_all"}], [7]])
def test_hours_that_nobody_can_read_break_nothing(hours: Any) -> None:  # noqa: ANN401 - any JSON.
    assert told(requested(stage(ANA), hours=hours), granted(ANA)) == []


def test_the_verifier_of_each_pack_knows_every_kind() -> None:
    assert set(KINDS) == SHIPPED_KINDS
