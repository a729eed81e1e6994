"""Block rules: what Slack refuses is refused, with a pointer; what it takes is taken.

The last test asks a second opinion: whatever slack_sdk's own models refuse, we refuse too.
"""

from collections.abc import Callable
from typing import Any

import pytest
from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block

from sandbox import limits
from sandbox.errors import SlackError
from sandbox.rules.blocks import IN_MESSAGES, check_message_blocks
from sandbox.rules.views import check_view

Json = dict[str, Any]
Build = Callable[[str], Json]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def section(text: str = "hello") -> Json:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def a_button(**more: object) -> Json:
    return {"type": "button", "action_id": "a", "text": plain("Approve"), **more}


def actions(*elements: Json) -> Json:
    return {"type": "actions", "elements": list(elements)}


def a_select(count: int = 1, **more: object) -> Json:
    options = [{"text": plain(str(number)), "value": str(number)} for number in range(count)]
    return {"type": "static_select", "action_id": "s", "options": options, **more}


def a_confirm(**more: object) -> Json:
    made = {"title": plain("Sure?"), "text": plain("It cannot be undone")}
    return {**made, "confirm": plain("Yes"), "deny": plain("No"), **more}


def a_table(rows: int = 1, cells: int = 1, text: str = "x") -> Json:
    cell = {"type": "raw_text", "text": text}
    return {"type": "table", "rows": [[cell] * cells for _ in range(rows)]}


def a_data_table(*rows: list[Json]) -> Json:
    head = [{"type": "raw_text", "text": "Runs"}]
    return {"type": "data_table", "caption": "The week", "rows": [head, *rows]}


def a_chart(**chart: object) -> Json:
    pie = {"type": "pie", "segments": [{"label": "done", "value": 3}]}
    return {"type": "data_visualization", "title": "Outcomes", "chart": chart or pie}


def bars(*names: str, labels: tuple[str, ...] = ("Mon", "Tue")) -> Json:
    data = [{"label": one, "value": 1} for one in labels]
    series = [{"name": name, "data": data} for name in names]
    return {"type": "bar", "series": series, "axis_config": {"categories": ["Mon", "Tue"]}}


def an_input(**more: object) -> Json:
    element = {"type": "plain_text_input", "action_id": "value"}
    return {"type": "input", "label": plain("Order"), "element": element, **more}


def preformatted(*words: Json) -> Json:
    part = {"type": "rich_text_preformatted", "elements": list(words)}
    return {"type": "rich_text", "elements": [part]}


DESCRIBED = {"text": plain("a"), "value": "a", "description": {"type": "mrkdwn", "text": "*a*"}}
TAKEN: dict[str, list[Json]] = {
    "fifty blocks": [section()] * 50,
    "a section of 3,000": [section("x" * 3_000)],
    "ten fields": [{"type": "section", "fields": [plain("x" * 1_000)] * 10}],
    "a header of 150": [{"type": "header", "text": plain("x" * 150)}],
    "25 buttons": [actions(*(a_button(action_id=str(one)) for one in range(25)))],
    "a button of 75 with a value of 2,000": [
        actions(a_button(text=plain("x" * 75), value="v" * 2_000))
    ],
    "a confirm dialog": [actions(a_button(confirm=a_confirm(), style="danger"))],
    "100 choices": [actions(a_select(100))],
    "a table of 100 rows": [a_table(100, 3)],
    "a data table with numbers": [a_data_table([{"type": "raw_number", "value": 3, "text": "3"}])],
    "a pie": [a_chart()],
    "two bar series": [a_chart(**bars("done", "denied"))],
    "a markdown block": [{"type": "markdown", "text": "**done**"}],
    "rich text": [
        {
            "type": "rich_text",
            "elements": [
                {
                    "type": "rich_text_section",
                    "elements": [
                        {"type": "text", "text": "asked by ", "style": {"bold": True}},
                        {"type": "user", "user_id": "U0RITA"},
                    ],
                }
            ],
        }
    ],
    "an image and a divider": [
        {"type": "image", "image_url": "https://acme.example/a.png", "alt_text": "a chart"},
        {"type": "divider"},
    ],
    "an input in a message": [an_input()],
    "a moment to pick": [actions({"type": "datetimepicker", "action_id": "at"})],
    "code with a link": [
        preformatted(
            {"type": "text", "text": "see "},
            {"type": "link", "url": "https://acme.example"},
        )
    ],
}
REFUSED: dict[str, tuple[list[Json], str]] = {
    "51 blocks": ([section()] * 51, "/blocks"),
    "a section of 3,001": ([section("x" * 3_001)], "/blocks/0/text/text"),
    "empty text": ([section("")], "/blocks/0/text/text"),
    "a section without words": ([{"type": "section"}], "/blocks/0"),
    "eleven fields": ([{"type": "section", "fields": [plain("x")] * 11}], "/blocks/0/fields"),
    "a field of 2,001": (
        [{"type": "section", "fields": [plain("x" * 2_001)]}],
        "/blocks/0/fields/0/text",
    ),
    "a header of 151": ([{"type": "header", "text": plain("x" * 151)}], "/blocks/0/text/text"),
    "markup in a header": (
        [{"type": "header", "text": {"type": "mrkdwn", "text": "*x*"}}],
        "/blocks/0/text/type",
    ),
    "eleven context elements": (
        [{"type": "context", "elements": [plain("x")] * 11}],
        "/blocks/0/elements",
    ),
    "no actions": ([actions()], "/blocks/0/elements"),
    "26 actions": (
        [actions(*(a_button(action_id=str(one)) for one in range(26)))],
        "/blocks/0/elements",
    ),
    "the same action id twice": (
        [actions(a_button(), a_button())],
        "/blocks/0/elements/1/action_id",
    ),
    "a button of 76": ([actions(a_button(text=plain("x" * 76)))], "/blocks/0/elements/0/text/text"),
    "markup on a button": (
        [actions(a_button(text={"type": "mrkdwn", "text": "*x*"}))],
        "/blocks/0/elements/0/text/type",
    ),
    "a value of 2,001": (
        [actions(a_button(value="v" * 2_001))],
        "/blocks/0/elements/0/value",
    ),
    "an action id of 256": (
        [actions(a_button(action_id="a" * 256))],
        "/blocks/0/elements/0/action_id",
    ),
    "a green button": ([actions(a_button(style="success"))], "/blocks/0/elements/0/style"),
    "a confirm title of 101": (
        [actions(a_button(confirm=a_confirm(title=plain("x" * 101))))],
        "/blocks/0/elements/0/confirm/title/text",
    ),
    "a confirm button of 31": (
        [actions(a_button(confirm=a_confirm(confirm=plain("x" * 31))))],
        "/blocks/0/elements/0/confirm/confirm/text",
    ),
    "101 choices": ([actions(a_select(101))], "/blocks/0/elements/0/options"),
    "no choices": ([actions(a_select(0))], "/blocks/0/elements/0/options"),
    "a first choice that is none": (
        [actions(a_select(1, initial_option={"text": plain("9"), "value": "9"}))],
        "/blocks/0/elements/0/initial_option",
    ),
    "an unknown block": ([{"type": "confetti"}], "/blocks/0/type"),
    "a modal's alert": ([{"type": "alert", "text": plain("x")}], "/blocks/0/type"),
    "an unknown field": ([{**section(), "colour": "red"}], "/blocks/0"),
    "the same block id twice": (
        [{**section(), "block_id": "b"}, {**section(), "block_id": "b"}],
        "/blocks/1/block_id",
    ),
    "a block id of 256": ([{**section(), "block_id": "b" * 256}], "/blocks/0/block_id"),
    "101 rows": ([a_table(101)], "/blocks/0/rows"),
    "21 cells": ([a_table(1, 21)], "/blocks/0/rows/0"),
    "an empty cell": ([a_table(text="")], "/blocks/0/rows/0/0/text"),
    "rows of different length": (
        [a_data_table([{"type": "raw_text", "text": "a"}] * 2)],
        "/blocks/0/rows/1",
    ),
    "a data table without caption": (
        [{"type": "data_table", "rows": [[{"type": "raw_text", "text": "a"}]] * 2}],
        "/blocks/0",
    ),
    "a number that is none": (
        [a_data_table([{"type": "raw_number", "value": "3"}])],
        "/blocks/0/rows/1/0/value",
    ),
    "seven segments": (
        [a_chart(type="pie", segments=[{"label": str(one), "value": 1} for one in range(7)])],
        "/blocks/0/chart/segments",
    ),
    "an empty segment": (
        [a_chart(type="pie", segments=[{"label": "none", "value": 0}])],
        "/blocks/0/chart/segments/0/value",
    ),
    "two series of one name": ([a_chart(**bars("done", "done"))], "/blocks/0/chart/series"),
    "a series that leaves out a category": (
        [a_chart(**bars("done", labels=("Mon",)))],
        "/blocks/0/chart/series/0/data",
    ),
    "three charts": ([a_chart()] * 3, "/blocks"),
    "a moment beside a text": (
        [{**section(), "accessory": {"type": "datetimepicker", "action_id": "at"}}],
        "/blocks/0/accessory/type",
    ),
    "a number to type in a message": (
        [an_input(element={"type": "number_input", "is_decimal_allowed": False})],
        "/blocks/0/element/type",
    ),
    "a file to hand in below a message": (
        [an_input(element={"type": "file_input"})],
        "/blocks/0/element/type",
    ),
    "a menu that answers, outside a form": (
        [actions({"type": "channels_select", "action_id": "c", "response_url_enabled": True})],
        "/blocks/0/elements/0",
    ),
    "a menu of conversations that leaves nothing out": (
        [actions({"type": "conversations_select", "action_id": "c", "filter": {}})],
        "/blocks/0/elements/0/filter",
    ),
    "markup below a choice": (
        [actions(a_select(options=[DESCRIBED]))],
        "/blocks/0/elements/0/options/0/description/type",
    ),
    "a mention inside code": (
        [preformatted({"type": "user", "user_id": "U0RITA"})],
        "/blocks/0/elements/0/elements/0/type",
    ),
    "a picture with two files": (
        [
            {
                "type": "image",
                "alt_text": "x",
                "slack_file": {"id": "F1", "url": "https://acme.example/F1"},
            }
        ],
        "/blocks/0/slack_file",
    ),
    "a picture from nowhere": ([{"type": "image", "alt_text": "x"}], "/blocks/0"),
    "no object at all": (["section"], "/blocks/0"),  # type: ignore[list-item]
}


@pytest.mark.parametrize("name", TAKEN)
def test_slack_takes(name: str) -> None:
    assert check_message_blocks(TAKEN[name]) == TAKEN[name]


@pytest.mark.parametrize("name", REFUSED)
def test_slack_refuses_and_points_at(name: str) -> None:
    blocks, pointer = REFUSED[name]
    with pytest.raises(SlackError) as caught:
        check_message_blocks(blocks)

    assert caught.value.error == "invalid_blocks"
    assert any(one.endswith(f"[json-pointer:{pointer}]") for one in caught.value.messages)


@pytest.mark.parametrize(
    ("blocks", "error"),
    [
        ([section("x" * 2_900)] * 5, "msg_blocks_too_long"),
        ([a_table(10, 1, "x" * 1_001)], "invalid_blocks"),
        ([a_table(), a_table()], "invalid_attachments"),
        ([a_table(), a_data_table([{"type": "raw_text", "text": "a"}])], "invalid_attachments"),
        ([{"type": "markdown", "text": "x" * 6_001}] * 2, "msg_too_long"),
        ({"type": "section"}, "invalid_blocks_format"),
    ],
)
def test_a_message_as_a_whole_has_limits_too(blocks: object, error: str) -> None:
    with pytest.raises(SlackError) as caught:
        check_message_blocks(blocks)

    assert caught.value.error == error


def test_each_block_counts_besides_its_words() -> None:
    few = [section("x" * 300)] * 31
    many = [*few, section("x" * 300)]

    check_message_blocks(few)
    with pytest.raises(SlackError) as caught:
        check_message_blocks(many)

    assert caught.value.error == "msg_blocks_too_long"


def a_number(**more: object) -> Json:
    element = {"type": "number_input", "action_id": "n", "is_decimal_allowed": True, **more}
    return an_input(element=element)


def focused(name: str) -> Json:
    return {"type": "plain_text_input", "action_id": name, "focus_on_load": True}


def a_modal(*blocks: Json, **more: object) -> Json:
    made = {"type": "modal", "title": plain("Refund"), "blocks": list(blocks)}
    return {**made, "submit": plain("Ask"), **more}


@pytest.mark.parametrize(
    "view",
    [
        a_modal(title=plain("x" * 25)),
        a_modal(submit=plain("x" * 25)),
        a_modal(close=plain("x" * 25)),
        a_modal(private_metadata="x" * 3_001),
        a_modal(callback_id="x" * 256),
        a_modal(*([section()] * 101)),
        a_modal({"type": "markdown", "text": "x"}),
        a_modal(a_table()),
        a_modal({**an_input(), "label": {"type": "mrkdwn", "text": "x"}}),
        {"type": "modal", "title": plain("Refund"), "blocks": [an_input()]},
        {"type": "modal", "blocks": [section()]},
        {"type": "home", "blocks": [section()]},
        {"type": "modal", "title": plain("Refund")},
        a_modal(colour="red"),
        a_modal(submit_disabled=True),  # Known to a step's old settings page alone.
        a_modal(an_input(element=focused("a")), an_input(element=focused("b"))),
        a_modal(an_input(element={"type": "file_input"}, dispatch_action=True)),
        a_modal(a_number(min_value="3", max_value="2")),
        a_modal(a_number(initial_value="many")),
        a_modal(a_number(initial_value=3)),
        "no object",
    ],
)
def test_a_modal_that_slack_refuses(view: object) -> None:
    with pytest.raises(SlackError) as caught:
        check_view(view, kind="modal")

    assert caught.value.error == "invalid_arguments"


@pytest.mark.parametrize(
    "block",
    [
        an_input(element={"type": "file_input", "action_id": "f"}),
        an_input(element={"type": "email_text_input", "action_id": "e"}),
        an_input(element={"type": "url_text_input", "action_id": "u"}),
        an_input(element={"type": "datetimepicker", "action_id": "at"}),
        an_input(element={"type": "channels_select", "response_url_enabled": True}),
        an_input(element=focused("a")),
        a_number(min_value="2", max_value="2.5", initial_value="2.25"),
    ],
)
def test_a_modal_that_slack_takes(block: Json) -> None:
    view = a_modal(block)

    assert check_view(view, kind="modal") == view


@pytest.mark.parametrize(
    "element",
    [
        {"type": "number_input", "is_decimal_allowed": False},
        {"type": "file_input"},
        {"type": "email_text_input"},
        {"type": "url_text_input"},
        {"type": "datetimepicker"},
        {"type": "channels_select", "response_url_enabled": True},
    ],
)
def test_what_only_a_form_may_ask_is_refused_on_home(element: Json) -> None:
    with pytest.raises(SlackError) as caught:
        check_view({"type": "home", "blocks": [an_input(element=element)]}, kind="home")

    assert caught.value.error == "invalid_arguments"
    assert "[json-pointer:/view/blocks/0/element" in caught.value.messages[0]


def test_an_emoji_is_as_long_as_a_browser_counts_it() -> None:
    check_message_blocks([section("🎉" * 1_500)])
    with pytest.raises(SlackError) as caught:
        check_message_blocks([section("🎉" * 1_501)])

    assert "less than 3001 characters" in caught.value.messages[0]


def test_a_field_begins_with_no_more_than_it_may_hold() -> None:
    element = {"type": "plain_text_input", "action_id": "a", "max_length": 4}
    field = {"type": "input", "label": plain("Order"), "element": element}
    view = {"type": "modal", "title": plain("Run"), "submit": plain("Run"), "blocks": [field]}
    element["initial_value"] = "🎉🎉"
    check_view(view, kind="modal")
    element["initial_value"] = "🎉🎉!"
    with pytest.raises(SlackError) as caught:
        check_view(view, kind="modal")

    assert caught.value.messages == [
        "[ERROR] must be less than 5 characters [json-pointer:/view/blocks/0/element/initial_value]"
    ]


def test_a_view_is_at_most_250_kilobytes() -> None:
    with pytest.raises(SlackError, match="view_too_large"):
        check_view(a_modal(*([section("x" * 3_000)] * 100)), kind="modal")


def test_a_modal_without_inputs_needs_no_submit_button() -> None:
    view = {"type": "modal", "title": plain("Plan"), "blocks": [section()]}

    assert check_view(view, kind="modal") == view


def refused_by_the_sdk(blocks: list[Json]) -> bool:
    try:
        for block in blocks:
            Block.parse(block).to_dict()  # type: ignore[union-attr]
    except SlackObjectFormationError:
        return True
    return False


SDK_REFUSES = [name for name, (blocks, _) in REFUSED.items() if name != "no object at all"]


def test_what_the_sdk_refuses_we_refuse_and_what_we_take_it_takes() -> None:
    known = [name for name, blocks in TAKEN.items() if all(_has_model(one) for one in blocks)]
    also_refused = [
        name
        for name in SDK_REFUSES
        if all(_has_model(one) for one in REFUSED[name][0]) and refused_by_the_sdk(REFUSED[name][0])
    ]

    assert [name for name in known if refused_by_the_sdk(TAKEN[name])] == []
    assert len(also_refused) >= 10


LONGEST: list[tuple[str, Build, int]] = [
    ("section", section, limits.TEXT_OBJECT),
    ("header", lambda text: {"type": "header", "text": plain(text)}, limits.HEADER),
    ("button", lambda text: actions(a_button(text=plain(text))), limits.BUTTON_TEXT),
    ("value", lambda text: actions(a_button(value=text)), limits.BUTTON_VALUE),
    ("block id", lambda text: {**section(), "block_id": text}, limits.IDENTIFIER),
    ("action id", lambda text: actions(a_button(action_id=text)), limits.IDENTIFIER),
    ("label", lambda text: an_input(label=plain(text)), limits.LABEL),
    ("hint", lambda text: an_input(hint=plain(text)), limits.LABEL),
    ("markdown", lambda text: {"type": "markdown", "text": text}, limits.MARKDOWN_TEXT),
]


@pytest.mark.parametrize(("name", "build", "most"), LONGEST)
def test_our_longest_is_the_sdks_longest(name: str, build: Build, most: int) -> None:
    longest, too_long = [build("x" * most)], [build("x" * (most + 1))]

    assert check_message_blocks(longest) == longest, name
    assert not refused_by_the_sdk(longest)
    assert refused_by_the_sdk(too_long)
    with pytest.raises(SlackError):
        check_message_blocks(too_long)


def _has_model(block: Json) -> bool:
    return Block.parse(block) is not None and block.get("type") in IN_MESSAGES
