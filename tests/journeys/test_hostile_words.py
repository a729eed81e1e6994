"""What people write is shown as they wrote it, and never becomes a mention, a link or markup."""

import json
from collections.abc import Iterator, Mapping

import pytest

from tests.journeys.day import Case

REASONS = {
    "everybody": "Hey <!channel> and <!here>, <!everyone>!",
    "a person": "Ask <@U0ANA> or <@U0ANA|ana>, or @ana.",
    "a group": "<!subteam^S0FINANCELEADS|@finance-leads> agreed already.",
    "a link": "<https://evil.example/pay|Approve here> & https://evil.example/again",
    "markup": "*bold* _it_ ~no~ `code` ```block``` > quote\n• list",
    "a forged line": "ok\n\n✅ *Approved by Ana*\n<https://evil.example|Receipt>",
    "emoji": "💸👩‍👩‍👧 :moneybag: \u202ereversed\u202c \u200b zero",
    "quotes": """She said "it's 'broken'" \u2013 “really” \\ and & < >""",
    "length": ("x & <y> " * 70)[:500],
}


def texts_of(blocks: object) -> str:
    return json.dumps(blocks, ensure_ascii=False)


def marked_up(found: object) -> Iterator[str]:
    """Yield every text in which Slack would see mentions and links."""
    if isinstance(found, Mapping):
        if found.get("type") == "mrkdwn":
            yield str(found["text"])
        for one in found.values():
            yield from marked_up(one)
    elif isinstance(found, list | tuple):
        for one in found:
            yield from marked_up(one)


@pytest.mark.trap(31)
@pytest.mark.parametrize("name", REASONS)
def test_what_stands_in_a_form_is_only_text_on_the_card(case: Case, name: str) -> None:
    known = len(case.person("dora").notifications)
    root = case.asks(Reason=REASONS[name])
    card = case.card(root)
    said = "\n".join([card.text, *marked_up(card.blocks)])

    for live in ("<!channel>", "<!here>", "<!everyone>", "<@U0ANA", "|Approve here>", "evil"):
        assert live not in said
    assert len(case.person("dora").notifications) == known
    assert "Reject" in card.buttons
    case.approves("ana", card)
    case.ends(root, "done")
    assert case.refunds() == [500]


def test_the_words_of_the_card_are_those_that_were_written(case: Case) -> None:
    root = case.asks(Reason='He wrote: "5 < 6 & 7 > 2"')

    assert 'Reason: He wrote: "5 < 6 & 7 > 2"' in texts(case.card(root).blocks)


@pytest.mark.trap(25)
def test_a_reason_of_three_thousand_characters_is_refused_at_its_field_and_kept(
    case: Case,
) -> None:
    rita = case.person("rita")
    words = "x" * 3000
    typed = f'/ops run refund-customer order={case.order} amount=500 reason="{words}"'
    rita.command(typed, channel=case.channel)
    view = rita.wait_for_view("Order")
    kept = texts_of(view.values)
    rita.close_view(everything=True)

    assert case.order in texts_of(view.values) + view.words
    assert "500" in kept + view.words
    assert case.roots() == []


def texts(blocks: object) -> list[str]:
    """Return every text of a message, as it stands there."""
    if isinstance(blocks, Mapping):
        own = [blocks["text"]] if isinstance(blocks.get("text"), str) else []
        return own + [text for one in blocks.values() for text in texts(one)]
    if isinstance(blocks, list | tuple):
        return [text for one in blocks for text in texts(one)]
    return []


@pytest.mark.trap(25)
@pytest.mark.parametrize(
    "typed",
    [
        "/ops run refund-customer order={order} amount=500 reason=“came broken”",
        "/ops run refund-customer\norder={order}\namount=500\nreason=“came broken”",
        "/ops   RUN   refund-customer   order=“{order}”  amount=500  reason=„came broken”",
    ],
)
def test_smart_quotes_and_line_breaks_mean_what_they_look_like(case: Case, typed: str) -> None:
    case.person("rita").command(typed.format(order=case.order), channel=case.channel)
    root = case.waits(lambda: next(iter(case.roots()), None), "the run's first message")

    assert "came broken" in case.card(root).words


@pytest.mark.trap(25)
@pytest.mark.trap(31)
@pytest.mark.parametrize(
    "typed",
    ["/ops run <!channel>", "/ops find <@U0ANA> *", '/ops "', "/ops show <https://x.example|y>"],
)
def test_a_command_nobody_can_read_is_answered_without_mentioning_anybody(
    case: Case, typed: str
) -> None:
    rita = case.person("rita")
    before = len(rita.ephemerals)
    rita.command(typed, channel=case.channel)
    told = case.waits(lambda: next(iter(rita.ephemerals[before:]), None), "an answer")

    assert "<!channel>" not in told.text + texts_of(told.blocks)
    assert "<https://x" not in told.text + texts_of(told.blocks)


def test_a_wrong_value_comes_back_at_its_field_with_everything_else_still_there(
    case: Case,
) -> None:
    rita = case.person("rita")
    rita.command("/ops run refund-customer", channel=case.channel)
    rita.wait_for_view("Order")
    rita.submit({"Order": "8841", "Amount in cents": "500", "Reason": "Broken 💔 “twice”"})
    view = rita.wait_for_view("Order")
    assert view.errors
    assert "Broken 💔 “twice”" in texts_of(view.values)
    rita.submit({"Order": case.order})
    root = case.waits(lambda: next(iter(case.roots()), None), "the run's first message")

    assert "Broken 💔 “twice”" in case.card(root).words
