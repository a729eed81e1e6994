"""The checker itself: a checker that always says yes would prove nothing."""

from typing import Any

import pytest

from tests.bot.payload_checks import faults_of_message, faults_of_view


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}


def mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": mrkdwn(text)}


def button(**more: Any) -> dict[str, Any]:  # noqa: ANN401 - any field of a button.
    return {"type": "button", "action_id": "a.b", "text": plain("Go"), "value": "v", **more}


def actions(*buttons: dict[str, Any]) -> dict[str, Any]:
    return {"type": "actions", "elements": list(buttons)}


CONFIRM = {"title": plain("t"), "text": plain("t"), "confirm": plain("y"), "deny": plain("n")}
TABLE = {
    "type": "data_table",
    "caption": "c",
    "rows": [[{"type": "raw_text", "text": "h"}], [{"type": "raw_text", "text": "v"}]],
}
EMPTY_CELL = {**TABLE, "rows": [*TABLE["rows"], [{"type": "raw_text", "text": ""}]]}
UNEVEN = {**TABLE, "rows": [*TABLE["rows"], []]}


@pytest.mark.parametrize(
    ("blocks", "fault"),
    [
        ([section("x")] * 51, "51 blocks"),
        ([section("x" * 2_999)] * 5, "characters in all blocks"),
        ([section("x" * 3_001)], "slack_sdk"),
        ([section(" ")], "a text of 1 characters"),
        ([section("<!channel>")], "live in mrkdwn: <!channel>"),
        ([section("<https://a.example>")], "live in mrkdwn"),
        ([section("a &amp; b &am…")], "half of something: &am…"),
        ([section("see <https://a.ex…")], "half of something: <https://a.ex…"),
        ([{"type": "section", "text": {"type": "mrkdwn", "text": "x"}}], "not verbatim"),
        ([{"type": "section"}], "a section without text"),
        ([{"type": "section", "fields": [plain("x" * 2_001)]}], "a field of 2001"),
        ([{"type": "header", "text": plain("x" * 151)}], "slack_sdk"),
        ([{"type": "header", "text": mrkdwn("x")}], "mrkdwn in a header"),
        ([{"type": "context", "elements": []}], "too few or too many"),
        ([{"type": "marquee"}], "unknown block"),
        ([{**section("x"), "block_id": "b"}] * 2, "stands twice"),
        ([actions(button(), button())], "not unique"),
        ([actions(button(text=plain("x" * 76)))], "text has 76"),
        ([actions(button(text=mrkdwn("x")))], "mrkdwn on a button"),
        ([actions(button(value="x" * 2_001))], "value is too long"),
        ([actions(button(style="danger"))], "danger without a question"),
        ([actions(button(confirm={**CONFIRM, "deny": plain("n" * 31)}))], "deny has 31"),
        ([actions()], "too few or too many"),
        ([TABLE, TABLE], "two tables"),
        ([EMPTY_CELL], "empty or unknown cell"),
        ([UNEVEN], "different length"),
        ([{"type": "input", "label": plain("x"), "element": {"type": "x"}}], "into a modal"),
    ],
)
def test_what_slack_refuses_in_messages_is_reported(
    blocks: list[dict[str, Any]], fault: str
) -> None:
    assert any(fault in one for one in faults_of_message({"text": "t", "blocks": blocks}))


@pytest.mark.parametrize(
    ("payload", "fault"),
    [
        ({"blocks": [section("x")]}, "text is missing"),
        ({"text": "x" * 4_001, "blocks": []}, "text has 4001"),
        ({"text": "<!here> look", "blocks": []}, "live in mrkdwn"),
    ],
)
def test_what_phones_show_is_judged_too(payload: dict[str, Any], fault: str) -> None:
    assert any(fault in one for one in faults_of_message(payload))


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"title": plain("x" * 25)}, "title has 25"),
        ({"private_metadata": "x" * 3_001}, "private_metadata"),
        ({"blocks": []}, "0 blocks in a view"),
        ({"blocks": [section("x")] * 101}, "101 blocks"),
        ({"blocks": [TABLE]}, "belongs into a message"),
        (
            {
                "blocks": [
                    {
                        "type": "input",
                        "label": plain("l"),
                        "element": {"type": "plain_text_input", "action_id": "a"},
                    }
                ]
            },
            "inputs without submit",
        ),
    ],
)
def test_what_slack_refuses_in_modals_is_reported(change: dict[str, Any], fault: str) -> None:
    view = {"type": "modal", "title": plain("T"), "blocks": [section("x")], **change}

    assert any(fault in one for one in faults_of_view(view))


def test_a_sound_message_and_a_sound_modal_have_no_faults() -> None:
    blocks = [section("*hi* <@U0ANA>"), actions(button(style="danger", confirm=CONFIRM)), TABLE]

    assert faults_of_message({"text": "hi", "blocks": blocks}) == []
    assert faults_of_view({"type": "modal", "title": plain("T"), "blocks": blocks[:2]}) == []
