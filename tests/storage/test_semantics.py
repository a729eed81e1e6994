"""What entries tell of decisions that the rules of their own request do not allow."""

from typing import Any

import pytest

from storage.evidence.shipped.verify import KINDS as SHIPPED_KINDS
from storage.evidence.shipped.verify import Findings, Story
from storage.verify.report import Report
from storage.verify.semantics import SemanticCheck
from tests.storage.stories import (
    ANA,
    ERASE,
    HOURS,
    PART,
    STORIES,
    Members,
    all_of,
    ended,
    erasure,
    granted,
    requested,
    stage,
    started,
    sweep,
)
from workflows.kinds import KINDS


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
    assert sorted(seen) == sorted(codes)
    return codes


@pytest.mark.parametrize("name", STORIES)
def test_both_verifiers_find_in_a_story_what_is_wrong_and_no_more(name: str) -> None:
    members, codes = STORIES[name]

    assert told(*members) == codes.split()


@pytest.mark.parametrize(
    ("ts", "found"),
    [
        ("2026-03-02T10:59:59.000Z", []),
        ("2026-03-02T11:00:00.000Z", ["outside-hours"]),
        ("no moment", []),
    ],
)
def test_business_hours_end_with_the_minute_they_name(ts: str, found: list[str]) -> None:
    assert told(requested(stage(ANA), hours=[HOURS]), granted(ANA, ts=ts)) == found


@pytest.mark.parametrize("hours", ["odd", [7], [{**HOURS, "zone": ""}]])
def test_hours_that_nobody_can_read_break_nothing(hours: Any) -> None:  # noqa: ANN401 - any JSON.
    assert told(requested(stage(ANA), hours=hours), granted(ANA)) == []


def test_the_verifier_of_each_pack_knows_every_kind() -> None:
    assert set(KINDS) == SHIPPED_KINDS


@pytest.mark.parametrize(
    "odd",
    [
        requested(stage(ANA), stages=7),
        requested(stage(ANA), excluded=None),
        requested({**stage(ANA), "people": 7}),
    ],
)
def test_fields_that_are_none_of_their_kind_are_told_and_end_nothing(odd: Members) -> None:
    assert "kind-malformed" in told(odd, granted(ANA))


def test_what_an_open_run_needs_is_held_until_its_end() -> None:
    shown = {**requested(stage(ANA)), "parts": {"preview": {**PART, "cls": "business"}}}
    gone = [sweep(before=2), erasure(None, items=[[1, "preview"]], reason="retention")]

    assert told(shown, *gone) == ["erasure-held", "erasure-held"]
    assert told(shown, ended(), *gone) == []
    assert told(shown, sweep(before=1), sweep(before=2, cls="personal.content")) == []


def test_a_marker_of_what_comes_after_it_is_none() -> None:
    assert told(sweep(before=2)) == ["kind-malformed"]
    assert told(erasure(None, items=[[1, "input"]], reason="retention")) == ["kind-malformed"]


def test_a_sweep_goes_on_only_with_an_erasure_that_was_asked_for() -> None:
    assert told(erasure(None)) == ["erasure-unasked"]
    assert told(requested(stage(ANA), action="world.change"), erasure(None)) == ["erasure-unasked"]
    assert told(requested(stage(ANA), action=ERASE), erasure(None)) == []


def test_an_erasure_outside_of_what_is_seen_is_not_judged() -> None:
    report, findings = Report(), Findings()
    check, other = SemanticCheck(report), Story(findings)
    first = {"id": "0" * 32, "run": "r", "rseq": 0, **started(), "parts": {"input": PART}}
    gone = [erasure("gone"), sweep(cls="personal.content", before=1)]
    for one in (check, other):
        one.check(0, first)
        one.skip()
        for index, marker in enumerate(gone, 2):
            one.check(index, {"id": f"{index:032x}", "rseq": 0, "parts": {}, **marker})

    assert report.semantics == [*findings.semantics] == []
