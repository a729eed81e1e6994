from datetime import timedelta

import pytest

from bot.views.request_card import APPROVE, CHANGE, REJECT, REVIEW, request_card
from bot.views.request_values import Absence, Escalated, Preview, RequestCard, Vote
from tests.bot.payload_checks import buttons_of, faults_of_message, text_of
from tests.bot.shown import ANA, NOON, RITA, a_card, a_preview, a_receipt, preview_json
from workflows.gate import Outcome, Verdict

VALUE = "q_19c2.1f0a9c3e"
ENDED = [one for one in Outcome if one is not Outcome.OPEN]


def payload_of(card: RequestCard) -> dict[str, object]:
    payload = request_card(card).payload
    assert faults_of_message(payload) == []
    return payload


def told_by(card: RequestCard) -> str:
    return text_of(payload_of(card))


def test_the_first_line_says_the_verb_the_object_and_where() -> None:
    first = request_card(a_card()).payload["blocks"][0]

    assert first["type"] == "header"
    assert first["text"]["text"] == "Refund a customer: POST shop /refunds"


@pytest.mark.trap(35)
def test_phones_are_told_who_wants_what_from_whom_until_when() -> None:
    text = request_card(a_card()).text

    assert "Rita asks @finance-leads" in text
    assert "2026-03-02 09:00 UTC" in text
    assert "POST shop /refunds" in text


def test_the_card_shows_the_exact_plan_and_what_the_requester_typed() -> None:
    told = told_by(a_card())

    assert "POST shop /refunds\norder: ord_8841\namount: 12000" in told
    assert "it cannot be undone" in told
    assert "*The requester typed*" in told
    assert "Amount in cents: 12000" in told


def test_the_card_mentions_who_may_decide_and_how_many_are_needed() -> None:
    told = told_by(
        a_card(
            a_preview(stages=[{"from": ["@finance-leads"], "approve": 2, "deny": 1}]), given=(1,)
        )
    )

    assert "*1 of 2 approvals* from <!subteam^S0FINANCELEADS>" in told
    assert "one rejection stops it" in told
    assert "until <!date^1772442000^" in told


def test_a_group_that_slack_does_not_know_is_named_as_written() -> None:
    assert "from @finance-leads" in told_by(a_card(known={}))


def test_later_stages_are_shown_with_their_turn() -> None:
    stages = [
        {"from": ["@finance-leads"], "approve": 1, "deny": 1},
        {"from": ["@finance-directors"], "approve": 2, "deny": 2},
    ]

    told = told_by(a_card(a_preview(stages=stages), given=(1, 1), waiting=(1,)))

    assert "Stage 1: *1 of 1 approval*" in told
    assert "Stage 2: *1 of 2 approvals*" in told
    assert "2 rejections stop it" in told


PARTS = [
    {"from": ["@ops"], "approve": 1, "deny": 1},
    {"from": ["@finance-leads"], "approve": 1, "deny": 1, "turn": 1},
    {"from": ["@security"], "approve": 2, "deny": 1, "turn": 1},
    {"from": ["@directors"], "approve": 1, "deny": 1},
]


def test_parts_of_one_turn_are_told_apart_and_marked_while_they_wait() -> None:
    told = told_by(a_card(a_preview(stages=PARTS[:3]), given=(1, 1, 0), waiting=(2,)))

    assert "✅ Stage 1: *1 of 1 approval* from @ops" in told
    assert "✅ Stage 2, part 1: *1 of 1 approval*" in told
    assert "▶️ Stage 2, part 2: *0 of 2 approvals* from @security" in told


def test_of_many_stages_those_are_shown_that_are_being_decided() -> None:
    told = told_by(a_card(a_preview(stages=PARTS), given=(1, 0, 0, 0), waiting=(1, 2)))

    assert "✅ 1 earlier stage done" in told
    assert "▶️ Stage 2, part 1" in told
    assert "Stage 3: *0 of 1 approval* from @directors" in told
    assert "Stage 1" not in told


def test_phones_are_told_whom_it_waits_for_now() -> None:
    text = request_card(a_card(a_preview(stages=PARTS), given=(1, 0, 0, 0), waiting=(1, 2))).text

    assert "asks @finance-leads and @security to approve" in text


def test_whom_it_was_opened_to_is_mentioned_and_who_comes_next_is_said() -> None:
    later = {"at": "2026-03-02T11:00:00.000Z", "to": ["@governors"]}
    earlier = {"at": "2026-03-02T10:00:00.000Z", "to": ["@finance-leads"]}
    stages = [{"from": ["@ops"], "approve": 1, "deny": 1}]
    told = told_by(
        a_card(
            a_preview(stages=stages, escalate=[earlier, later]),
            escalated=[Escalated(groups=("@finance-leads",), stages=(0,), at=NOON)],
        )
    )

    assert "from @ops or <!subteam^S0FINANCELEADS>" in told
    assert "since <!date^1772452800^" in told
    assert "If nobody decides, @governors may do so from <!date^1772449200^" in told


def test_what_else_holds_for_the_decision_stands_on_the_card() -> None:
    told = told_by(
        a_card(
            a_preview(
                needs_reason=True,
                reason_hints=["Name the ticket"],
                hours=["Mon–Fri 09:00–17:00 (UTC)"],  # noqa: RUF001
                left_out=[{"id": "slack:T0ACME:U0ANA", "name": "Ana", "duty": "editor"}],
                auto=[["small ones", "They hurt nobody."]],
            )
        )
    )

    assert "An approval needs a reason: Name the ticket" in told
    assert "can be approved only Mon–Fri 09:00–17:00 (UTC)" in told  # noqa: RUF001
    assert "May not decide this: <@U0ANA> (whoever published the workflow)" in told
    assert "The rule *small ones* asks nobody this time: They hurt nobody." in told


def test_an_open_card_has_one_primary_button_and_a_plain_reject() -> None:
    card = request_card(a_card()).payload
    row = card["blocks"][-1]["elements"]

    assert buttons_of(card) == {APPROVE: VALUE, REJECT: VALUE, CHANGE: VALUE}
    assert row[0]["text"]["text"] == "Approve: Refund a customer"
    assert [one.get("style") for one in row] == ["primary", None, None]


def test_where_nothing_was_typed_nothing_can_be_changed() -> None:
    card = request_card(a_card(a_preview(inputs=[]))).payload

    assert buttons_of(card) == {APPROVE: VALUE, REJECT: VALUE}


def test_a_card_of_what_was_changed_says_by_whom_and_leads_to_the_newer_one() -> None:
    newer = "https://acme.example/p2"
    told = told_by(a_card(outcome=Outcome.SUPERSEDED, edited_by=RITA, successor=newer))

    assert f"Not run: <@U0RITA> changed it, and <{newer}|the newer request> took its place." in told


def test_a_card_says_that_others_changed_what_the_requester_typed() -> None:
    changer = {"id": "slack:T0ACME:U0SAM", "name": "Sam", "duty": "changer"}
    told = told_by(a_card(a_preview(left_out=[changer])))

    assert "The requester typed, and others changed" in told
    assert "<@U0SAM> (whoever changed what is asked)" in told


def test_ids_and_the_digest_of_what_is_approved_stand_on_the_card() -> None:
    told = told_by(a_card(thread="https://acme.example/p1"))

    for shown in ("`q_19c2`", "`r_7f3a`", "`1f0a9c3e`", "`60892d85`", "big refunds"):
        assert shown in told
    assert "<https://acme.example/p1|Open the run's thread>" in told


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (["refunds"], "of the policy's rule “refunds”"),
        (
            ["a", "b", "the definition"],
            "rules “a” and “b” and because the workflow itself wants it",
        ),
        (["a version on trial"], "because this version of the workflow is on trial"),
        (["the publish section"], "because the policy wants it for publications"),
        ([f"r{one}" for one in range(7)], "“r4” and 2 more"),
    ],
)
def test_a_card_says_which_rules_of_the_policy_ask_and_whether_the_workflow_does(
    rules: list[str], words: str
) -> None:
    assert words in told_by(a_card(a_preview(rules=rules)))


@pytest.mark.parametrize(
    "preview",
    [
        a_preview(lines=[f"row {number}" for number in range(500)], lines_total=500),
        a_preview(lines=["x" * 2_000], lines_total=1),
        a_preview(lines=["first"], lines_total=900),
        a_preview(inputs=[["Reason", "y" * 3_000]]),
        a_preview(inputs=[[f"Field {number}", "z"] for number in range(50)]),
        a_preview(changed=["c" * 700]),
    ],
)
def test_what_does_not_fit_is_approved_only_where_it_can_be_read_whole(preview: Preview) -> None:
    card = payload_of(a_card(preview))

    assert buttons_of(card) == {REVIEW: VALUE, REJECT: VALUE, CHANGE: VALUE}
    assert "not shown here in full" in text_of(card)


def test_a_changed_plan_shows_what_changed() -> None:
    told = told_by(a_card(a_preview(changed=["amount: 100 → 200"])))

    assert "What changed" in told
    assert "amount: 100 → 200" in told


@pytest.mark.parametrize("outcome", ENDED)
def test_every_outcome_ends_the_buttons_and_says_so(outcome: Outcome) -> None:
    card = payload_of(a_card(outcome=outcome, settled_at=NOON))

    assert buttons_of(card) == {}
    assert "2026-03-02 12:00 UTC" in text_of(card)


@pytest.mark.parametrize(
    "outcome", [Outcome.DENIED, Outcome.EXPIRED, Outcome.WITHDRAWN, Outcome.SUPERSEDED]
)
def test_everything_but_approved_means_not_run(outcome: Outcome) -> None:
    assert "Not run" in told_by(a_card(outcome=outcome, settled_at=NOON))


def test_an_open_card_says_what_each_answer_and_none_at_all_lead_to() -> None:
    told = told_by(a_card())

    assert "Approved, it runs. Rejected, or not decided by then, it does not." in told


def test_a_card_speaks_of_what_will_run_for_as_long_as_something_will() -> None:
    approved = a_card(outcome=Outcome.APPROVED, settled_at=NOON)
    used = a_card(outcome=Outcome.APPROVED, settled_at=NOON, is_consumed=True)
    denied = a_card(outcome=Outcome.DENIED, settled_at=NOON)

    assert all("*What will run*" in told_by(one) for one in (a_card(), approved))
    assert all("*What was asked*" in told_by(one) for one in (used, denied))


def test_a_settled_card_keeps_who_decided_what_when_and_why() -> None:
    vote = Vote(who=ANA, verdict=Verdict.DENY, at=NOON, comment="not *this* <!channel>")
    card = a_card(outcome=Outcome.DENIED, settled_at=NOON, votes=[vote], receipt=a_receipt())

    told = told_by(card)

    assert "<@U0ANA> rejected <!date^1772452800^" in told
    assert "not *this* <!channel>" in told
    assert "#1 · leaf 980c1f86 · head 3/1d9adf54" in told


def test_an_approval_that_was_used_says_that_the_step_has_begun() -> None:
    approved = a_card(outcome=Outcome.APPROVED, settled_at=NOON)

    assert "about to run" in told_by(approved)
    assert "has begun" in told_by(
        a_card(outcome=Outcome.APPROVED, settled_at=NOON, is_consumed=True)
    )


def test_an_approval_can_be_taken_back_until_it_is_used() -> None:
    waiting = a_card(outcome=Outcome.APPROVED, settled_at=NOON, may_take_back=True)
    used = a_card(outcome=Outcome.APPROVED, settled_at=NOON, may_take_back=True, is_consumed=True)

    assert buttons_of(payload_of(waiting)) == {REJECT: VALUE}
    assert buttons_of(payload_of(used)) == {}


def test_a_superseded_card_links_to_the_newer_request() -> None:
    card = a_card(outcome=Outcome.SUPERSEDED, settled_at=NOON, successor="https://acme.example/p2")

    assert "<https://acme.example/p2|the newer request>" in told_by(card)


def test_a_withdrawn_card_says_why() -> None:
    card = a_card(outcome=Outcome.WITHDRAWN, settled_at=NOON, reason="the order was changed")

    assert "the order was changed" in told_by(card)


def test_progress_names_each_decision_so_far() -> None:
    votes = [Vote(who=ANA, verdict=Verdict.APPROVE, at=NOON, comment="fine")]

    assert "<@U0ANA> approved <!date^1772452800^" in told_by(a_card(votes=votes, given=(1,)))


def test_a_card_says_that_an_approval_needs_a_code() -> None:
    coded = a_preview(step_up="totp")

    assert "authenticator app" in told_by(a_card(coded))
    assert "authenticator app" not in told_by(a_card())


def test_a_decision_in_the_place_of_another_names_both() -> None:
    vote = Vote(who=ANA, verdict=Verdict.APPROVE, at=NOON, stands_for=RITA)

    assert "<@U0ANA> (for <@U0RITA>) approved" in told_by(a_card(votes=[vote]))


def test_an_open_card_says_who_is_away_and_who_stands_in() -> None:
    absences = [
        Absence(who=ANA, until=NOON, stand_in=RITA),
        *[Absence(who=RITA, until=NOON, stand_in=None)] * 6,
    ]
    told = told_by(a_card(absences=absences))

    assert "<@U0ANA> is away until <!date^1772452800^" in told
    assert "; <@U0RITA> stands in" in told
    assert "4 others away too" in told
    assert "Everybody who could decide is away" in told_by(a_card(deserted_until=NOON))
    assert "away" not in told_by(a_card(outcome=Outcome.APPROVED, absences=absences))


def test_more_decisions_than_fit_are_counted() -> None:
    votes = [
        Vote(who=RITA, verdict=Verdict.APPROVE, at=NOON + timedelta(minutes=one), comment="c" * 900)
        for one in range(100)
    ]

    assert "94 earlier decisions" in told_by(a_card(votes=votes))


def test_what_people_typed_stays_a_dead_letter_on_the_card() -> None:
    evil = "<!channel> <@U0ANA> <https://evil.example|bank> *Approved*"
    preview = a_preview(
        title=evil,
        headline=evil,
        lines=[evil],
        lines_total=1,
        inputs=[["Reason", evil]],
        requester={"id": "os:x", "name": evil},
        rules=[evil],
        workflow=evil,
        step=evil,
    )

    text = request_card(a_card(preview)).text

    told_by(a_card(preview))  # Checks that nothing but our own mentions is live.
    assert "<!channel>" not in text
    assert "*Approved*" not in text


def test_a_line_of_the_plan_cannot_pretend_to_be_two() -> None:
    told = told_by(a_card(a_preview(lines=["note: a\nApproved by: Ana"])))

    assert "note: a ⏎ Approved by: Ana" in told


def test_a_run_of_a_schedule_has_no_requester() -> None:
    assert request_card(a_card(a_preview(requester=None))).text.startswith("the schedule asks")


def test_fields_of_a_later_release_are_ignored_and_other_versions_refused() -> None:
    assert Preview.read(preview_json(mood="good")).title == "Refund a customer"
    with pytest.raises(ValueError, match="v"):
        Preview.read(preview_json(v=2))


def test_a_proposal_is_named_once_and_told_in_short_with_all_of_it_behind_review() -> None:
    title = "Change tidy-up: version 81f1fc1b in place of 7a5333fc"
    inputs = [["Workflow", "tidy-up"], ["Why", "It is time."], ["Checks", "odd"]]
    told = {"workflow": "interlock-publish", "title": title, "headline": title, "inputs": inputs}
    short = a_card(a_preview(**told, lines=["⚠️ odd", "Check: odd"], lines_total=2))
    long = a_card(a_preview(**told, lines=["1. say", "In full:", "title: x"], lines_total=3))
    many = a_card(a_preview(**told, lines=[f"step {n}" for n in range(40)], lines_total=40))

    assert payload_of(short)["blocks"][0]["text"]["text"] == title  # type: ignore[index]
    assert "Approve: Change tidy-up" in told_by(short)
    assert "Checks: odd" not in told_by(short)
    assert "Why: It is time." in told_by(short)
    assert "title: x" not in told_by(long)
    assert "step 12" in told_by(many)
    assert "step 13" not in told_by(many)
    for card in (long, many):
        assert REVIEW in buttons_of(payload_of(card))
        assert APPROVE not in buttons_of(payload_of(card))
