"""Blocks, and what a message or a view of blocks must satisfy as a whole."""

from collections.abc import Iterator
from typing import Any

from sandbox import limits
from sandbox.errors import SlackError
from sandbox.loose import Json, Unchecked
from sandbox.rules import elements, texts
from sandbox.rules.charts import data_visualization
from sandbox.rules.elements import Surface
from sandbox.rules.shapes import (
    Faults,
    Kind,
    Pointer,
    boolean,
    by_type,
    list_of,
    one_of,
    shape,
    string,
    units,
    url,
)
from sandbox.rules.tables import cell_text, data_table, rich_text, rich_words, table


def _has_words(value: Unchecked, at: Pointer, faults: Faults) -> None:
    if "text" not in value and "fields" not in value:
        faults.add("must provide at least one of text or fields", at)


def _unique_actions(value: Unchecked, at: Pointer, faults: Faults) -> None:
    ids = [one.get("action_id") for one in value.get("elements", []) if isinstance(one, dict)]
    seen: set[str] = set()
    for place, one in enumerate(ids):
        if isinstance(one, str) and one in seen:
            faults.add("action_id already exists", f"{at}/elements/{place}/action_id")
        seen.add(str(one))


_id: dict[str, Kind] = {"block_id": texts.identifier}
_context_piece = by_type(
    {
        "plain_text": texts.plain(limits.TEXT_OBJECT),
        "mrkdwn": texts.either(limits.TEXT_OBJECT),
        "image": elements.image_element,
    }
)


def _one_picture(value: Unchecked, at: Pointer, faults: Faults) -> None:
    if ("image_url" in value) == ("slack_file" in value):
        faults.add("must provide either image_url or slack_file", at)


def _no_dispatch_of_files(value: Unchecked, at: Pointer, faults: Faults) -> None:
    element = value.get("element")
    kind = element.get("type") if isinstance(element, dict) else None
    if kind == "file_input" and value.get("dispatch_action"):
        faults.add("unsupported type: file_input", f"{at}/element")


_ANYWHERE: dict[str, Kind] = {
    "section": shape(
        {"type": one_of("section")},
        _has_words,
        **_id,
        text=texts.either(limits.TEXT_OBJECT),
        fields=list_of(texts.either(limits.SECTION_FIELD), most=limits.SECTION_FIELDS),
        accessory=elements.in_section,
        expand=boolean,
    ),
    "header": shape({"type": one_of("header"), "text": texts.plain(limits.HEADER)}, **_id),
    "divider": shape({"type": one_of("divider")}, **_id),
    "context": shape(
        {
            "type": one_of("context"),
            "elements": list_of(_context_piece, most=limits.CONTEXT_ELEMENTS),
        },
        **_id,
    ),
    "image": shape(
        {"type": one_of("image"), "alt_text": string(limits.ALT_TEXT)},
        _one_picture,
        **_id,
        image_url=url,
        slack_file=elements.slack_file,
        title=texts.plain(limits.IMAGE_TITLE),
    ),
    "rich_text": rich_text,
}


def _holding(surface: Surface) -> dict[str, Kind]:
    """Return the blocks that hold elements; which ones depends on where the blocks are shown."""
    return {
        "actions": shape(
            {
                "type": one_of("actions"),
                "elements": list_of(elements.in_actions(surface), most=limits.ACTION_ELEMENTS),
            },
            _unique_actions,
            **_id,
        ),
        "input": shape(
            {
                "type": one_of("input"),
                "label": texts.plain(limits.LABEL),
                "element": elements.in_input(surface),
            },
            _no_dispatch_of_files,
            **_id,
            hint=texts.plain(limits.LABEL),
            optional=boolean,
            dispatch_action=boolean,
        ),
    }


IN_MESSAGES: dict[str, Kind] = {
    **_ANYWHERE,
    **_holding(Surface.MESSAGE),
    "markdown": shape(
        {"type": one_of("markdown"), "text": string(limits.MARKDOWN_TEXT)},
        block_id=texts.identifier,
    ),
    "table": table,
    "data_table": data_table,
    "data_visualization": data_visualization,
    "file": shape(
        {
            "type": one_of("file"),
            "external_id": string(limits.IDENTIFIER),
            "source": one_of("remote"),
        },
        **_id,
    ),
}
_message_block = by_type(IN_MESSAGES)
_view_blocks = {
    surface: by_type({**_ANYWHERE, **_holding(surface)})
    for surface in (Surface.MODAL, Surface.HOME)
}
TABLES = ("table", "data_table")


def check_message_blocks(blocks: Unchecked) -> list[Json]:
    """Return the blocks of a message when Slack would take them.

    Raises:
        SlackError: `invalid_blocks_format`, `invalid_blocks` with JSON pointers,
            `only_one_table_allowed` or `msg_blocks_too_long`.
    """
    if not isinstance(blocks, list):
        raise SlackError("invalid_blocks_format")
    faults = Faults()
    list_of(_message_block, least=0, most=limits.MESSAGE_BLOCKS)(blocks, "/blocks", faults)
    _whole(blocks, faults)
    if faults.messages:
        raise SlackError("invalid_blocks", faults.messages)
    if sum(one["type"] in TABLES for one in blocks) > limits.TABLES:
        raise SlackError("invalid_attachments", ["only_one_table_allowed"])
    _check_totals(blocks)
    return blocks


def check_view_blocks(blocks: Unchecked, surface: Surface, faults: Faults) -> None:
    """Report what is wrong with the blocks of a modal or a Home."""
    block, at = _view_blocks[surface], "/view/blocks"
    list_of(block, least=0, most=limits.VIEW_BLOCKS)(blocks, at, faults)
    if isinstance(blocks, list):
        _unique_blocks(blocks, at, faults)
        _one_focus(blocks, at, faults)


def _one_focus(blocks: list[Any], at: Pointer, faults: Faults) -> None:
    focused = [place for place, block in enumerate(blocks) if _takes_focus(block)]
    for place in focused[1:]:
        faults.add("only one element may have focus_on_load", f"{at}/{place}")


def _takes_focus(block: Unchecked) -> bool:
    held = [block.get("element"), block.get("accessory")] if isinstance(block, dict) else []
    more = block.get("elements") if isinstance(block, dict) else None
    held += more if isinstance(more, list) else []
    return any(isinstance(one, dict) and one.get("focus_on_load") is True for one in held)


def _whole(blocks: list[Any], faults: Faults) -> None:
    _unique_blocks(blocks, "/blocks", faults)
    charts = [one for one in blocks if _type(one) == "data_visualization"]
    if len(charts) > limits.CHARTS:
        faults.add(f"no more than {limits.CHARTS} charts allowed", "/blocks")


def _unique_blocks(blocks: list[Any], at: Pointer, faults: Faults) -> None:
    seen: set[str] = set()
    for place, block in enumerate(blocks):
        found = block.get("block_id") if isinstance(block, dict) else None
        if isinstance(found, str) and found in seen:
            faults.add("block_id already exists", f"{at}/{place}/block_id")
        seen.add(str(found))


def _type(block: Unchecked) -> Unchecked:
    return block.get("type") if isinstance(block, dict) else None


def _check_totals(blocks: list[Json]) -> None:
    for kind, most in (
        ("table", limits.TABLE_CHARACTERS),
        ("data_table", limits.DATA_TABLE_CHARACTERS),
    ):
        cells = (
            cell for one in blocks if one["type"] == kind for row in one["rows"] for cell in row
        )
        if sum(units(cell_text(cell)) for cell in cells) > most:
            raise SlackError("invalid_blocks", [f"[ERROR] cells hold more than {most} characters"])
    marked = sum(units(one["text"]) for one in blocks if one["type"] == "markdown")
    if marked > limits.MARKDOWN_TEXT:
        raise SlackError("msg_too_long")
    if block_characters(blocks) > limits.MESSAGE_BLOCK_TEXT:
        raise SlackError("msg_blocks_too_long")


def block_characters(blocks: list[Json]) -> int:
    """Count the characters that Slack's undocumented limit on a message counts.

    One block of 13,297 characters was the most that passed, and 13,172 beside a divider: each
    block weighs something, however little it says.
    """
    return sum(units(words) for words in words_of(blocks)) + limits.BLOCK_WEIGHT * len(blocks)


def words_of(blocks: list[Json]) -> Iterator[str]:
    """Yield every piece of text that a person can read in the blocks, in order."""
    for block in blocks:
        if block["type"] in TABLES:
            yield from (cell_text(cell) for row in block["rows"] for cell in row)
        elif block["type"] == "rich_text":
            yield rich_words(block)
        else:
            yield from _words(block)


def _words(node: Unchecked) -> Iterator[str]:
    if isinstance(node, list):
        for one in node:
            yield from _words(one)
    elif isinstance(node, dict):
        for name, value in node.items():
            if name in {"text", "title", "alt_text", "caption"} and isinstance(value, str):
                yield value
            elif name not in {"confirm", "options", "option_groups", "placeholder"}:
                yield from _words(value)
