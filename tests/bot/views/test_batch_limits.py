"""Whatever fifty items say, Slack takes the card of their batch and the modals around it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.views.app_home_items import BatchItem, batch_item
from bot.views.batch_card import APPROVE_ALL, batch_card
from bot.views.batch_modals import (
    approve_all_modal,
    choices_in,
    counted,
    decide_modal,
    done_modal,
    reject_all_modal,
    review_all_modal,
)
from bot.views.batch_values import BatchCard, may_turn
from bot.views.pieces import rendered
from bot.views.request_values import Preview, RequestCard, Vote
from tests.bot.shown import ANA, NOON, a_receipt
from tests.bot.views.test_limits import FULLEST, TEXTS, judged, judged_view, previews
from workflows.batching import MOST
from workflows.entry import RequestId
from workflows.gate import Outcome, Verdict

ID = RequestId("f" * 32)


def numbered(shown: Preview, number: int) -> Preview:
    named = {"request": f"{number:032d}", "step": f"pay/{number}", "digest": f"{number:08x}"}
    return shown.model_copy(update=named)


def batch_of(some: list[Preview], outcomes: list[Outcome], comment: str) -> BatchCard:
    """Return a full batch in which the items of `some` come again and again."""
    items = [
        RequestCard(
            preview=numbered(some[one % len(some)], one),
            outcome=outcomes[one % len(outcomes)],
            given=(1,),
            votes=[Vote(who=ANA, verdict=Verdict.DENY, at=NOON, comment=f"{one}{comment}")],
            settled_at=NOON,
            may_take_back=True,
            reason=f"{one}{comment}",
        )
        for one in range(MOST)
    ]
    card = BatchCard(id=ID, items=items, to_come=9_950, ends_run=True, receipt=a_receipt())
    return replace(card, thread="https://acme.example/" + "p" * 200)


def pages(card: BatchCard, told: str) -> Iterator[dict[str, Any]]:
    """Yield every page of the items that can be decided."""
    after = 0
    while (view := decide_modal(card, after=after, whole={}, told=told)) is not None:
        shown = judged_view(view)
        yield shown
        after = int(shown["private_metadata"].rpartition("/")[2])


def is_verdict(block: dict[str, Any]) -> bool:
    return str(block.get("block_id", "")).startswith("verdict.")


def check_everything(card: BatchCard, words: str) -> None:
    judged(batch_card(card))
    shown = list(pages(card, counted(3, 4, [words] * 5)))
    asked = [
        one["block_id"].split(".")[1] for page in shown for one in page["blocks"] if is_verdict(one)
    ]
    assert asked == [one.preview.request for one in card.decidable]
    judged_view(done_modal(counted(3, 4, [words] * 5), decided=7, of=12))
    if card.open:
        judged_view(approve_all_modal(card, card.open))
        judged_view(reject_all_modal(card, card.open))
        for page in (1, 2, 99):
            judged_view(review_all_modal(card, card.open, whole={}, page=page))
        judged(rendered("home", batch_item(BatchItem(card=card, some=card.open, link="x"))))


@settings(
    max_examples=4,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    some=st.lists(previews(), min_size=1, max_size=3),
    outcomes=st.lists(st.sampled_from(Outcome), min_size=1, max_size=4),
    words=TEXTS,
)
def test_slack_takes_every_batch(some: list[Preview], outcomes: list[Outcome], words: str) -> None:
    check_everything(batch_of(some, outcomes, words), words)


@pytest.mark.parametrize("outcomes", [[Outcome.OPEN], [Outcome.OPEN, Outcome.DENIED]])
def test_fifty_of_the_fullest_items_fit(outcomes: list[Outcome]) -> None:
    card = batch_of([FULLEST], outcomes, "Wide words & <signs> " * 300)

    check_everything(card, "why & <why> " * 90)
    assert APPROVE_ALL not in str(batch_card(card).payload)


def test_review_shows_every_line_of_every_item_before_it_offers_approval() -> None:
    card = batch_of([FULLEST], [Outcome.OPEN], "")
    texts, page, offered = "", 1, []
    while not offered or not offered[-1]:
        shown = judged_view(review_all_modal(card, card.open, whole={}, page=page))
        texts += str(shown["blocks"])
        offered.append("submit" in shown)
        page += 1

    assert offered.count(True) == 1
    assert texts.count("l" * 199) >= 90 * MOST
    assert all(f"[{one:08x}]" in texts for one in range(MOST))


def test_a_page_says_what_was_chosen_of_each_item() -> None:
    card = batch_of([FULLEST.model_copy(update={"lines": ()})], [Outcome.OPEN], "")
    view = judged_view(decide_modal(card, whole={}))
    blocks = [one["block_id"] for one in view["blocks"] if one["type"] == "input"]
    verdicts = [one for one in blocks if one.startswith("verdict.")]
    chosen = {"approve": verdicts[0], "deny": verdicts[1], "leave": verdicts[2]}
    values: dict[str, Any] = {
        block: {"verdict": {"selected_option": {"value": value}}} for value, block in chosen.items()
    }
    values[f"item_reason.{verdicts[1].removeprefix('verdict.')}"] = {"reason": {"value": " no "}}

    found = choices_in({"values": values})

    assert [(one.verdict, one.reason) for one in found] == [
        (Verdict.APPROVE, ""),
        (Verdict.DENY, "no"),
    ]
    assert [one.digest for one in found] == ["00000000", "00000001"]
    assert found[1].reason_block in blocks


def test_what_was_approved_and_used_is_on_no_page() -> None:
    card = batch_of([FULLEST], [Outcome.APPROVED], "")
    used = replace(card, items=[replace(one, is_consumed=True) for one in card.items])

    assert all(may_turn(one) for one in card.items)
    assert "Take my approval back" in str(next(pages(card, "")))
    assert decide_modal(used, whole={}) is None
