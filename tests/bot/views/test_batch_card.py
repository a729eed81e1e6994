# ruff: noqa: ANN401 - a builder takes whatever field a test is about.
"""The card of a batch: what all have in common once, each item in a line, nothing cut silently."""

from dataclasses import replace
from typing import Any

import pytest

from bot.views.batch_card import APPROVE_ALL, DECIDE_EACH, REJECT_ALL, REVIEW_ALL, batch_card
from bot.views.batch_values import BatchCard, BatchShown, numbers
from bot.views.request_values import RequestCard, Vote
from tests.bot.payload_checks import faults_of_message, text_of
from tests.bot.shown import ANA, NOON, RITA, a_card, a_preview, a_receipt
from workflows.entry import RequestId
from workflows.gate import Outcome, Verdict

ID = RequestId("b" * 32)


def item(number: int, **changes: Any) -> RequestCard:
    told: dict[str, Any] = {
        "request": f"{number:032d}",
        "step": f"pay/{number}",
        "effect": "write",
        "headline": f"pay n{number}",
        "lines": (),
        "lines_total": 0,
        "digest": f"{number:08x}",
    }
    fields = {name: changes.pop(name) for name in [*changes] if name in told or name == "stages"}
    return a_card(a_preview(**{**told, **fields}), given=(0,), **changes)


def batch(count: int = 3, **changes: Any) -> BatchCard:
    return replace(BatchCard(id=ID, items=[item(one) for one in range(count)]), **changes)


def decided(one: RequestCard, verdict: Verdict, *, comment: str = "") -> RequestCard:
    outcome = Outcome.APPROVED if verdict is Verdict.APPROVE else Outcome.DENIED
    vote = Vote(who=ANA, verdict=verdict, at=NOON, comment=comment)
    return replace(one, outcome=outcome, votes=[vote], settled_at=NOON)


def seen(card: BatchCard) -> tuple[str, dict[str, str]]:
    """Return what stands on the card, and what each of its buttons carries."""
    payload = batch_card(card).payload
    assert faults_of_message(payload) == []
    found = [one for block in payload["blocks"] for one in block.get("elements", ())]
    buttons = {one["action_id"]: one["value"] for one in found if one["type"] == "button"}
    return text_of(payload), buttons


def test_every_item_has_a_line_and_what_is_common_stands_once() -> None:
    words, buttons = seen(batch())

    assert all(f"▫️ {one + 1}. pay n{one}" in words for one in range(3))
    assert words.count("Amount in cents") == 1
    assert buttons.keys() == {APPROVE_ALL, DECIDE_EACH, REJECT_ALL, REVIEW_ALL}
    assert words.index("Approve all 3") < words.index("Decide one by one")


def test_json_of_several_lines_stands_on_one_and_other_lines_are_told_apart() -> None:
    lines = ("POST /refunds", "{", '  "order": "o1",', '  "items": [', "    1", "  ]", "}", "then")
    words, _ = seen(batch(1, items=[item(0, lines=lines, lines_total=len(lines))]))

    assert 'POST /refunds · { "order": "o1", "items": [ 1 ] } · then' in words


def test_once_all_are_decided_nothing_is_still_to_run() -> None:
    card = batch(1)
    over = replace(card, items=[decided(card.items[0], Verdict.DENY)])

    assert "*What will run for each*" in seen(card)[0]
    assert "*What was asked for each*" in seen(over)[0]


def test_a_button_names_exactly_what_its_card_shows_open() -> None:
    card = batch()
    some = replace(card, items=[decided(card.items[0], Verdict.DENY), *card.items[1:]])
    _, buttons = seen(some)

    shown = BatchShown.read(buttons[APPROVE_ALL])
    assert shown == BatchShown(batch=ID, digests=frozenset({"00000001", "00000002"}))


@pytest.mark.parametrize("value", ["", "x", ".12345678", f"{ID}.123", "q.1234567"])
def test_a_value_that_is_none_of_ours_names_nothing(value: str) -> None:
    assert BatchShown.read(value) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"lines": ["a" * 500], "lines_total": 1},
        {"lines": ["a"], "lines_total": 9},
    ],
)
def test_what_cannot_be_read_on_the_card_is_approved_where_it_can(changes: dict[str, Any]) -> None:
    words, buttons = seen(batch(items=[item(0), item(1, **changes)]))

    assert APPROVE_ALL not in buttons
    assert "it stands behind Review" in words
    assert "Review all, then approve" in words


def test_fifty_items_of_any_length_fit_into_one_message_and_nothing_is_cut_silently() -> None:
    long = {"lines": ["🧾" * 150] * 5, "lines_total": 5, "headline": "&" * 300}
    votes = [
        Vote(who=RITA, verdict=Verdict.DENY, at=NOON, comment=f"{one} " + "<" * 500)
        for one in range(25)
    ]
    items = [item(one, **long) for one in range(50)]
    some = [
        replace(one, outcome=Outcome.DENIED, votes=[vote], settled_at=NOON)
        for one, vote in zip(items, votes, strict=False)
    ]
    words, buttons = seen(
        batch(items=[*some, *items[25:]], to_come=900, ends_run=True, receipt=a_receipt())
    )

    assert "items are not shown here" in words
    assert "15 earlier decisions" in words
    assert "Up to 900 further items" in words
    assert REVIEW_ALL in buttons


def test_fifty_short_items_all_stand_on_the_card() -> None:
    words, buttons = seen(batch(50))

    assert "50. pay n49" in words
    assert APPROVE_ALL in buttons
    assert len(BatchShown.read(buttons[APPROVE_ALL]).digests) == 50  # type: ignore[union-attr]


def test_a_settled_card_says_who_decided_which_and_has_a_receipt() -> None:
    items = [item(one) for one in range(5)]
    done = [
        *(decided(one, Verdict.APPROVE) for one in items[:3]),
        decided(items[3], Verdict.DENY, comment="not this month"),
        replace(items[4], outcome=Outcome.EXPIRED, settled_at=NOON),
    ]
    words, buttons = seen(batch(items=done, receipt=a_receipt()))

    assert buttons == {}
    assert "✅ 3 approved · ⛔ 1 rejected · ⌛ 1 expired" in words
    assert "approved items 1 to 3" in words
    assert "rejected item 4" in words
    assert "not this month" in words
    assert "Item 5 expired" in words
    assert "#1 · leaf" in words


def test_an_approval_that_was_not_used_can_be_taken_back() -> None:
    done = replace(decided(item(0), Verdict.APPROVE), may_take_back=True)
    used = replace(done, is_consumed=True)

    assert seen(batch(items=[done, used]))[1].keys() == {DECIDE_EACH}
    assert seen(batch(items=[used]))[1] == {}


def test_how_far_an_item_is_stands_beside_it_where_one_approval_is_not_enough() -> None:
    stages = [{"from": ["@finance-leads"], "approve": 2, "deny": 1}]
    one = replace(item(0, stages=stages), given=(1,))
    words, _ = seen(batch(items=[one, item(1, stages=stages)]))

    assert "pay n0 (1 of 2 approvals)" in words
    assert "0 of 2 approvals" in words


@pytest.mark.parametrize(
    ("found", "told"),
    [([], ""), ([4], "4"), ([1, 2, 3], "1 to 3"), ([5, 1, 2, 9], "1 to 2, 5, 9")],
)
def test_numbers_stand_as_people_write_them(found: list[int], told: str) -> None:
    assert numbers(found) == told
