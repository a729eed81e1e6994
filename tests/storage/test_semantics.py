"""What entries tell of decisions that the rules of their own request do not allow."""

from typing import Any

import pytest

from storage.evidence.shipped.verify import KINDS as SHIPPED_KINDS
from storage.evidence.shipped.verify import Findings, Story
from storage.verify.report import Report
from storage.verify.semantics import SemanticCheck
from workflows.kinds import KINDS

RITA, ANA, BEN, SUE, DORA = (f"s:{name}" for name in ("rita", "ana", "ben", "sue", "dora"))
BINDING = "ab" * 32
NOON = "2026-03-02T12:00:00.000Z"
Members = dict[str, Any]


# What the verifier of each pack leaves to ours.
OURS_ALONE = {"outside-hours", "kind-malformed"}


def told(*members: Members, is_shadow: bool = False) -> list[str]:
    """Return what a run that tells this is found to have done, by either verifier."""
    report, findings = Report(), Findings()
    check, other = SemanticCheck(report), Story(findings)
    for index, one in enumerate((started(is_shadow=is_shadow), *members)):
        whole = {"id": f"{index:032x}", "run": "r", "rseq": index, "parts": {}, "ts": NOON, **one}
        check.check(index, whole)
        other.check(index, whole)
    codes = [code for code, _words in report.semantics]
    seen = [code for code, _words in findings.semantics]
    assert sorted(seen) == sorted(code for code in codes if code not in OURS_ALONE)
    return codes


def entry(kind: str, data: Members, *, by: str = "interlock", ts: str = NOON) -> Members:
    actor = {"t": "user" if by.startswith("s:") else "bot", "ref": by}
    return {"kind": kind, "data": data, "actor": actor, "ts": ts}


def started(*, is_shadow: bool = False) -> Members:
    data: Members = {"workflow": "w", "version": "v", "trigger": "slash"}
    return entry("run.started", {**data, **({"shadow": True} if is_shadow else {})}, by=RITA)


def requested(*stages: Members, **more: Any) -> Members:  # noqa: ANN401 - any field.
    data = {
        "request": "q",
        "step": "s",
        "binding": BINDING,
        "policy": "p",
        "stages": list(stages),
        "excluded": [RITA],
        "expires": NOON,
    }
    return entry("approval.requested", {**data, **more})


def stage(*people: str, approve: int = 1, **more: Any) -> Members:  # noqa: ANN401 - any field.
    return {"from": ["@a"], "approve": approve, "deny": 1, "people": list(people), **more}


def granted(by: str, stage: int = 0, *, ts: str = NOON) -> Members:
    names = ["have", "need", "via", "step_up", "slack"]
    data = {"request": "q", "binding": BINDING, "stage": stage, "decision": "approved"}
    return entry("approval.granted", {**data, **dict.fromkeys(names)}, by=by, ts=ts)


def escalated(*to: str, **more: Any) -> Members:  # noqa: ANN401 - any field.
    return entry("approval.escalated", {"request": "q", "to": list(to), "n": 1, **more})


def intended(request: str | None = "q") -> Members:
    names = ["step", "attempt", "action", "effect", "target", "idem"]
    data = {**dict.fromkeys(names, "x"), "binding": BINDING, "request": request}
    return entry("action.intended", data)


def test_an_effect_of_a_run_in_shadow_is_found_and_its_questions_are_not() -> None:
    asked = entry("question.asked", {"request": "q", "step": "s", "shadow": True})
    done = entry("run.finished", {"outcome": "withdrawn"})

    assert told(asked, done, is_shadow=True) == []
    assert told(asked, intended(request=None), is_shadow=True) == ["shadow-effect"]


def test_stages_in_turn_and_parts_in_any_order_are_as_asked() -> None:
    parts = (stage(ANA, turn=0), stage(SUE, turn=0), stage(DORA))

    assert (
        told(requested(*parts), granted(SUE, 1), granted(ANA, 0), granted(DORA, 2), intended())
        == []
    )


@pytest.mark.parametrize("later", [{}, {"turn": 1}])
def test_an_approval_before_its_turn_is_found(later: Members) -> None:
    parts = (stage(ANA, turn=0), stage(SUE, turn=0), stage(DORA, **later))

    assert told(requested(*parts), granted(ANA, 0), granted(DORA, 2)) == ["stage-order"]


def test_a_part_that_nobody_approved_is_found() -> None:
    parts = (stage(ANA, turn=0), stage(SUE, turn=0))

    assert told(requested(*parts), granted(ANA, 0), intended()) == ["quorum"]


def test_a_person_who_counts_twice_is_found() -> None:
    both = requested(stage(ANA), stage(ANA))

    assert told(both, granted(ANA, 0), granted(ANA, 1)) == ["counted-twice"]


def test_whoever_was_let_in_may_decide_there_and_nowhere_else() -> None:
    asked = requested(stage(ANA), stage(SUE))
    opened = escalated(DORA, BEN, groups=["@d"], stages=[1])

    assert told(asked, granted(ANA, 0), opened, granted(DORA, 1), intended()) == []
    assert told(asked, opened, granted(DORA, 0)) == ["ineligible-approver"]


def test_an_escalation_that_names_no_stages_opens_all() -> None:
    assert told(requested(stage(ANA)), escalated(DORA), granted(DORA), intended()) == []


def test_before_they_were_let_in_they_may_not() -> None:
    late = told(requested(stage(ANA)), granted(DORA), escalated(DORA, stages=[0]))

    assert late == ["ineligible-approver"]


def test_nobody_who_is_excluded_may_decide_even_if_let_in() -> None:
    asked = requested(stage(ANA), excluded=[RITA, DORA], duties=["requester", "editor"])

    assert told(asked, escalated(DORA, stages=[0]), granted(DORA)) == ["excluded-approver"]


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


def test_a_stage_that_does_not_exist_breaks_nothing() -> None:
    assert told(requested(stage(ANA)), granted(ANA, 7)) == ["ineligible-approver", "stage-order"]


def test_the_verifier_of_each_pack_knows_every_kind() -> None:
    assert set(KINDS) == SHIPPED_KINDS
