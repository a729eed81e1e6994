"""What a review of access finds in roles, people and their last use."""

from datetime import UTC, datetime, timedelta

from bot.access import AccessReport, Grant
from bot.access_names import bound_anywhere
from workflows.access_changes import SignedReview
from workflows.actions.access import PORT, AccessReportAction, AccessReviewAction, Nothing
from workflows.actions.base import Call
from workflows.loading import read_policy
from workflows.own_workflows import IN_FULL
from workflows.people import Person, PersonId

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def grant(
    name: str,
    role: str,
    *,
    days: int | None = 1,
    is_guest: bool = False,
    scope: str = "*",
    via: str = "@group",
) -> Grant:
    return Grant(
        person=Person(id=PersonId(f"slack:T0:U0{name.upper()}"), name=name, is_guest=is_guest),
        role=role,
        scope=scope,
        via=via,
        last_used=None if days is None else NOON - timedelta(days=days),
    )


def found(*grants: Grant, governors: tuple[str, ...] = ("@governors",)) -> list[str]:
    report = AccessReport(at=NOON, grants=grants, unread=(), governors=governors)
    return [one.partition("): ")[2] or one for one in report.findings]


def test_roles_that_are_used_and_apart_are_not_told() -> None:
    assert (
        found(grant("ivan", "governor"), grant("dora", "governor"), grant("rita", "runner")) == []
    )


def test_what_nobody_uses_is_told_once_for_all_their_roles() -> None:
    grants = (
        grant("ana", "approver", days=None, scope="rule refunds"),
        grant("ana", "owner", days=None, scope="workflow refund"),
        grant("ben", "approver", days=91),
        grant("vic", "viewer", days=None),  # Looking leaves no trace.
    )

    assert found(*grants) == [
        "never used: approver (rule refunds), owner (workflow refund).",
        "not used in 90 days: approver (*).",
    ]


def test_a_role_that_came_by_two_groups_is_told_once() -> None:
    grants = [grant("ivan", "author", days=None, via=one) for one in ("@dev", "@ops")]

    assert found(*grants) == ["never used: author (*)."]


def test_whoever_governs_themselves_is_told() -> None:
    assert found(grant("ivan", "governor"), grant("ivan", "author")) == [
        "the only governor, so nobody governs them: governor (*).",
        "governs what they publish: governor (*).",
    ]
    assert found(grant("rita", "runner"), governors=()) == [
        "The policy names no governors, so nobody gives or takes roles."
    ]


def test_an_owner_and_a_deputy_who_are_the_same_people_are_told() -> None:
    def owners(*names: str, via: str) -> list[Grant]:
        return [grant(one, "owner", scope="workflow refund", via=via) for one in names]

    (same,) = found(*owners("ana", "ben", via="@ops"), *owners("ben", "ana", via="@leads"))
    assert same.startswith("@leads and @ops are the same people, so nobody stands in")
    assert found(*owners("ana", "ben", via="@ops"), *owners("ben", via="@leads")) == []
    assert found(*owners("ana", via="@ops")) == []


def test_an_auditor_who_takes_part_and_a_guest_are_told() -> None:
    assert found(grant("axel", "auditor"), grant("axel", "starter")) == [
        "audits what they take part in: auditor (*)."
    ]
    assert found(grant("gil", "starter", is_guest=True)) == ["guest: starter (*)."]


def test_who_may_propose_and_agree_to_versions_is_among_it() -> None:
    text = """
    defaults: {expires: 24h}
    rules: [{name: all, when: effect == "destructive", stages: [{from: ["@ops"], approve: 1}]}]
    roles: {governors: ["@governors"]}
    secrets: {shop: {publishers: ["@finance"]}}
    production: {runs: 3, error_budget: {failures: 1, runs: 5}, watch: ["@watch"]}
    publish: {stages: [{all: [{from: [owner, "@board"]}, {from: [governors]}]}], authors: ["@dev"]}
    """
    bound = set(bound_anywhere(read_policy(text, "policy.yaml").required(), ()))

    assert bound == {
        ("governor", "*", "@governors"),
        ("approver", "rule all", "@ops"),
        ("approver", "publishing", "@board"),
        ("author", "publishing", "@dev"),
        ("author", "secret shop", "@finance"),
        ("approver", "trial", "@watch"),
    }


def test_the_same_access_gives_the_same_bytes_and_no_cell_is_a_formula() -> None:
    grants = (grant("=cmd", "runner"),)
    one, other = (
        AccessReport(at=NOON + timedelta(hours=n), grants=grants, unread=(), governors=("@g",))
        for n in range(2)
    )

    assert one.reported.digest == other.reported.digest
    assert ",'=cmd," in one.csv


def test_what_governors_signed_before_is_one_line_and_the_rest_is_told() -> None:
    kept = (grant("ana", "approver", days=None), grant("ivan", "governor", days=None))
    old = AccessReport(
        at=NOON, grants=(*kept, grant("rita", "runner")), unread=(), governors=("@governors",)
    )
    signed = SignedReview(
        csv=old.csv, findings=tuple(old.findings), day="2026-02-01", digest=old.reported.digest
    )
    now = AccessReport(
        at=NOON + timedelta(days=1),
        grants=(*kept, grant("ben", "owner", days=200)),
        unread=(),
        governors=("@governors",),
        signed=signed,
    )
    call = Call(key="r/report", timeout=1.0, secrets={}, ports={PORT: lambda: now.reported})
    card = AccessReviewAction().plan(AccessReportAction().perform(Nothing(), call), call).lines

    assert list(card[: card.index(IN_FULL)]) == [
        "ben (slack:T0:U0BEN): not used in 90 days: owner (*).",
        "new: ben (slack:T0:U0BEN): owner of * by @group",
        "gone: rita (slack:T0:U0RITA): runner of * by @group",
        f"As signed on 2026-02-01 ({old.reported.digest[:12]}): 2 grant(s), 3 finding(s).",
        f"SHA-256 {now.reported.digest}",
    ]
    assert set(now.findings) < set(card)
