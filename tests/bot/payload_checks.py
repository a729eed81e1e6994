# ruff: noqa: ANN401 - payloads are JSON of any shape.
"""Checks on what goes to Slack: what the limits of SLACK.md section 2 say, in one walk.

`faults_of_message` and `faults_of_view` take payloads as dictionaries, from our views or from
a recorder, and return sentences; an empty list means that nothing is wrong.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from bot import limits

OURS = frozenset({"data_table", "data_visualization"})  # slack_sdk has no model for these.
KNOWN = frozenset(
    {"section", "header", "context", "actions", "divider", "input", "rich_text", *OURS}
)
MESSAGES_ONLY = OURS
VIEWS_ONLY = frozenset({"input"})
PLAIN_ONLY = frozenset({"header", "button", "input"})
LIVE = re.compile(r"<[^<>]*>")
HALF = re.compile(r"<.{0,20}|&(?!(?:amp|lt|gt);).{0,5}")
ALLOWED_LIVE = re.compile(
    r"<@[UW][A-Z0-9]+>|<!subteam\^S[A-Z0-9]+>|<!date\^\d+\^[^|<>]*\|[^|<>]*>|<https?://[^|<>\s]+\|[^<>]*>"
)
BY_TYPE = {"plain_text_input": limits.PLACEHOLDER, "number_input": limits.PLACEHOLDER}


def units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def faults_of_message(payload: Mapping[str, Any]) -> list[str]:
    text, blocks = payload.get("text"), payload.get("blocks", [])
    faults = []
    if not isinstance(text, str) or not text.strip():
        faults.append("text is missing: phones show nothing else")
    elif units(text) > limits.MESSAGE_TEXT:
        faults.append(f"text has {units(text)} characters")
    if len(blocks) > limits.MESSAGE_BLOCKS:
        faults.append(f"{len(blocks)} blocks")
    total = sum(units(one) for one in shown_texts(blocks))
    total += limits.BLOCK_CHARACTERS * len(blocks)
    if total > limits.MESSAGE_CHARACTERS:
        faults.append(f"{total} characters in all blocks")
    faults += [f"a {b['type']} belongs into a modal" for b in blocks if b["type"] in VIEWS_ONLY]
    if sum(b["type"] in {"table", "data_table"} for b in blocks) > 1:
        faults.append("two tables")
    if sum(b["type"] == "data_visualization" for b in blocks) > limits.CHARTS:
        faults.append("more than two charts")
    return faults + live_faults([str(text)]) + faults_of_blocks(blocks)


def faults_of_view(view: Mapping[str, Any]) -> list[str]:
    blocks = view.get("blocks", [])
    faults = []
    if not 1 <= len(blocks) <= limits.VIEW_BLOCKS:
        faults.append(f"{len(blocks)} blocks in a view")
    if len(json.dumps(view)) > limits.VIEW_BYTES:
        faults.append("the view is larger than 250 KB")
    if any(b["type"] == "input" for b in blocks) and "submit" not in view:
        faults.append("inputs without submit")
    faults += [
        f"{name} has {units(view[name]['text'])} characters"
        for name in ("title", "submit", "close")
        if name in view and not 1 <= units(view[name]["text"]) <= limits.VIEW_TITLE
    ]
    if units(view.get("private_metadata", "")) > limits.PRIVATE_METADATA:
        faults.append("private_metadata is too long")
    if units(view.get("callback_id", "")) > limits.CALLBACK_ID:
        faults.append("callback_id is too long")
    faults += [
        f"a {b['type']} belongs into a message" for b in blocks if b["type"] in MESSAGES_ONLY
    ]
    faults += _model_faults(lambda: View(**view).to_dict())
    return faults + faults_of_blocks(blocks)


def faults_of_blocks(blocks: Sequence[Mapping[str, Any]]) -> list[str]:
    faults = [fault for block in blocks for fault in _faults_of_block(block)]
    ids = Counter(block["block_id"] for block in blocks if "block_id" in block)
    return faults + [f"block_id {one} stands twice" for one, count in ids.items() if count > 1]


def _faults_of_block(block: Mapping[str, Any]) -> Iterator[str]:
    kind = block["type"]
    if kind not in KNOWN:
        yield f"unknown block {kind}"
        return
    if units(block.get("block_id", "")) > limits.BLOCK_ID:
        yield "block_id is too long"
    if kind not in OURS:
        yield from _model_faults(lambda: _round_trip(block))
    for thing in _things(block):
        yield from _faults_of_thing(thing)
    yield from _CHECKS.get(kind, lambda _: iter(()))(block)


def _round_trip(block: Mapping[str, Any]) -> None:
    parsed = Block.parse(dict(block))
    assert parsed is not None
    again = parsed.to_dict()
    assert _sorted(again) == _sorted(block), f"slack_sdk reads {again} from {block}"


def _sorted(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _model_faults(build: Any) -> Iterator[str]:
    try:
        build()
    except (SlackObjectFormationError, AssertionError) as error:
        yield f"slack_sdk: {error}"


def _things(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        yield value
        for one in value.values():
            yield from _things(one)
    elif isinstance(value, list):
        for one in value:
            yield from _things(one)


def _faults_of_thing(thing: Mapping[str, Any]) -> Iterator[str]:
    kind = thing.get("type")
    if kind in ("plain_text", "mrkdwn"):
        yield from _faults_of_text(thing)
    if "action_id" in thing and not 1 <= units(thing["action_id"]) <= limits.ACTION_ID:
        yield "action_id is empty or too long"
    if kind == "button":
        yield from _faults_of_button(thing)
    if "options" in thing:
        yield from _faults_of_options(thing)
    if kind in BY_TYPE or "placeholder" in thing:
        yield from _longer(thing, "placeholder", limits.PLACEHOLDER)


def _faults_of_text(thing: Mapping[str, Any]) -> Iterator[str]:
    if not 1 <= units(thing["text"]) <= limits.TEXT or not thing["text"].strip():
        yield f"a text of {units(thing['text'])} characters"
    if thing["type"] == "plain_text":
        return
    if thing.get("verbatim") is not True:
        yield "mrkdwn that is not verbatim: Slack would add links of its own"
    yield from live_faults([thing["text"]])


def live_faults(texts: Sequence[str]) -> list[str]:
    """Return what is live in mrkdwn and not ours, or was cut in two: odd links, half entities."""
    live = [
        f"live in mrkdwn: {one}"
        for text in texts
        for one in LIVE.findall(text)
        if not ALLOWED_LIVE.fullmatch(one)
    ]
    halves = [HALF.search(LIVE.sub("", text)) for text in texts]
    return live + [f"half of something: {one[0]}" for one in halves if one is not None]


def _faults_of_button(thing: Mapping[str, Any]) -> Iterator[str]:
    yield from _longer(thing, "text", limits.BUTTON)
    if thing["text"]["type"] != "plain_text":
        yield "mrkdwn on a button"
    if units(thing.get("value", "")) > limits.BUTTON_VALUE:
        yield "a button's value is too long"
    if units(thing.get("url", "")) > limits.URL:
        yield "a button's url is too long"
    if thing.get("style") not in (None, "primary", "danger"):
        yield "a button's style is unknown"
    if thing.get("style") == "danger" and "confirm" not in thing:
        yield "danger without a question first"
    for name, most in (
        ("title", limits.CONFIRM_TITLE),
        ("text", limits.CONFIRM_TEXT),
        ("confirm", limits.CONFIRM_BUTTON),
        ("deny", limits.CONFIRM_BUTTON),
    ):
        yield from _longer(thing.get("confirm", {}), name, most)


def _faults_of_options(thing: Mapping[str, Any]) -> Iterator[str]:
    most = limits.OPTIONS if "select" in thing["type"] else limits.RADIO_OPTIONS
    if not 1 <= len(thing["options"]) <= most:
        yield f"{len(thing['options'])} options"
    values = [one["value"] for one in thing["options"]]
    if len(set(values)) != len(values):
        yield "an option's value stands twice"
    for option in thing["options"]:
        yield from _longer(option, "text", limits.OPTION)
        yield from _longer(option, "description", limits.OPTION)
        if not 1 <= units(option["value"]) <= limits.OPTION_VALUE:
            yield "an option's value is too long"
    if "initial_option" in thing and thing["initial_option"] not in thing["options"]:
        yield "the initial option is none of the options"


def _longer(thing: Mapping[str, Any], name: str, most: int) -> Iterator[str]:
    if name in thing and units(thing[name]["text"]) > most:
        yield f"{name} has {units(thing[name]['text'])} characters, {most} are allowed"


def _check_section(block: Mapping[str, Any]) -> Iterator[str]:
    if "text" not in block and not block.get("fields"):
        yield "a section without text"
    if len(block.get("fields", [])) > limits.FIELDS:
        yield "too many fields"
    yield from (
        f"a field of {units(one['text'])}"
        for one in block.get("fields", [])
        if units(one["text"]) > limits.FIELD
    )


def _check_header(block: Mapping[str, Any]) -> Iterator[str]:
    yield from _longer(block, "text", limits.HEADER)
    if block["text"]["type"] != "plain_text":
        yield "mrkdwn in a header"


def _check_context(block: Mapping[str, Any]) -> Iterator[str]:
    if not 1 <= len(block.get("elements", [])) <= limits.CONTEXT_ELEMENTS:
        yield "a context with too few or too many elements"


def _check_actions(block: Mapping[str, Any]) -> Iterator[str]:
    elements = block.get("elements", [])
    if not 1 <= len(elements) <= limits.ACTION_ELEMENTS:
        yield "an actions block with too few or too many elements"
    ids = [one.get("action_id") for one in elements]
    if len(set(ids)) != len(ids) or None in ids:
        yield f"action ids {ids} are not unique in their block"
    if sum(one.get("style") == "primary" for one in elements) > 1:
        yield "two primary buttons"


def _check_input(block: Mapping[str, Any]) -> Iterator[str]:
    yield from _longer(block, "label", limits.LABEL)
    yield from _longer(block, "hint", limits.HINT)
    element = block["element"]
    most = element.get("max_length", limits.TEXT_INPUT)
    if element["type"] == "plain_text_input":
        if not 1 <= most <= limits.TEXT_INPUT or element.get("min_length", 0) > most:
            yield "max_length is out of range"
        if units(element.get("initial_value", "")) > most:
            yield "the initial value is longer than max_length"
    if "initial_value" in element and element["initial_value"] == "":
        yield "an empty initial value"


def _check_table(block: Mapping[str, Any]) -> Iterator[str]:
    rows = block["rows"]
    if not 2 <= len(rows) <= limits.TABLE_ROWS:
        yield f"{len(rows)} table rows"
    if len({len(row) for row in rows}) != 1 or not 1 <= len(rows[0]) <= limits.TABLE_COLUMNS:
        yield "rows of different length, or too many columns"
    if not block.get("caption"):
        yield "a table without caption"
    cells = [cell for row in rows for cell in row]
    if any(cell["type"] not in ("raw_text", "raw_number") or not cell["text"] for cell in cells):
        yield "an empty or unknown cell"
    if sum(units(cell["text"]) for cell in cells) > limits.TABLE_CHARACTERS:
        yield "too many characters in the table"
    if not 1 <= block.get("page_size", 5) <= limits.TABLE_PAGE:
        yield "page_size is out of range"


def _check_chart(block: Mapping[str, Any]) -> Iterator[str]:
    if not 1 <= units(block["title"]) <= limits.CHART_TITLE:
        yield "the chart's title is empty or too long"
    chart = block["chart"]
    if chart["type"] == "pie":
        points = chart["segments"]
        if any(point["value"] <= 0 for point in points):
            yield "a segment of nothing"
        if not 1 <= len(points) <= limits.CHART_SERIES:
            yield "too few or too many segments"
        yield from _labels([point["label"] for point in points])
        return
    if chart["type"] not in ("bar", "line", "area"):
        yield "an unknown chart"
    categories = chart["axis_config"]["categories"]
    yield from _labels(categories)
    if not 1 <= len(categories) <= limits.CHART_POINTS:
        yield "too few or too many points"
    yield from _labels([one["name"] for one in chart["series"]])
    if not 1 <= len(chart["series"]) <= limits.CHART_SERIES:
        yield "too few or too many series"
    if any([point["label"] for point in one["data"]] != categories for one in chart["series"]):
        yield "a series that does not follow the categories"


def _labels(labels: Sequence[str]) -> Iterator[str]:
    if len(set(labels)) != len(labels):
        yield "a label stands twice"
    if any(not 1 <= units(label) <= limits.CHART_LABEL for label in labels):
        yield "a label is empty or too long"


_CHECKS: dict[str, Any] = {
    "section": _check_section,
    "header": _check_header,
    "context": _check_context,
    "actions": _check_actions,
    "input": _check_input,
    "data_table": _check_table,
    "data_visualization": _check_chart,
}

_SHOWN = frozenset({"text", "label", "title", "caption", "name"})


def shown_texts(value: Any) -> Iterator[str]:
    """Yield every text that people see in `value`."""
    for thing in _things(value):
        yield from (thing[key] for key in _SHOWN if isinstance(thing.get(key), str))


def text_of(payload: Mapping[str, Any]) -> str:
    """Return all that people see of a payload, for tests that look for words in it."""
    return "\n".join([str(payload.get("text", "")), *shown_texts(payload.get("blocks", []))])


def buttons_of(payload: Mapping[str, Any]) -> dict[str, str]:
    """Return the buttons people can press, action id and value."""
    return {
        thing["action_id"]: thing.get("value", "")
        for thing in _things(payload.get("blocks", []))
        if thing.get("type") == "button"
    }
