"""Tables and charts, and the rich text their cells and messages may hold."""

from sandbox import limits
from sandbox.loose import Unchecked
from sandbox.rules import texts
from sandbox.rules.shapes import (
    Faults,
    Kind,
    Pointer,
    boolean,
    by_type,
    integer,
    list_of,
    nullable,
    number,
    one_of,
    shape,
    string,
    url,
)

_style = shape({}, bold=boolean, italic=boolean, strike=boolean, code=boolean, underline=boolean)
_word = string(limits.IDENTIFIER)


def _inline(kind: str, **own: Kind) -> Kind:
    return shape({"type": one_of(kind), **own}, style=_style)


_words: dict[str, Kind] = {
    "text": _inline("text", text=string(limits.TEXT_OBJECT)),
    "link": shape(
        {"type": one_of("link"), "url": url},
        text=string(limits.TEXT_OBJECT),
        unsafe=boolean,
        style=_style,
    ),
}
inline = by_type(
    {
        **_words,
        "emoji": shape({"type": one_of("emoji"), "name": _word}, unicode=_word, style=_style),
        "user": _inline("user", user_id=_word),
        "usergroup": _inline("usergroup", usergroup_id=_word),
        "channel": _inline("channel", channel_id=_word),
        "broadcast": _inline("broadcast", range=one_of("here", "channel", "everyone")),
        "color": _inline("color", value=_word),
        "date": shape(
            {"type": one_of("date"), "timestamp": integer(0, 9_999_999_999), "format": _word},
            url=url,
            fallback=_word,
            style=_style,
        ),
    }
)
_inlines = list_of(inline, least=0, most=1_000)
_words_alone = list_of(by_type(_words), least=0, most=1_000)
_section = shape({"type": one_of("rich_text_section"), "elements": _inlines})
_framed = {"border": one_of(0, 1)}
rich_part = by_type(
    {
        "rich_text_section": _section,
        "rich_text_list": shape(
            {
                "type": one_of("rich_text_list"),
                "style": one_of("bullet", "ordered"),
                "elements": list_of(_section, most=1_000),
            },
            indent=integer(0, 8),
            offset=integer(0, 10_000),
            **_framed,
        ),
        "rich_text_preformatted": shape(
            {"type": one_of("rich_text_preformatted"), "elements": _words_alone},
            language=_word,
            **_framed,
        ),
        "rich_text_quote": shape(
            {"type": one_of("rich_text_quote"), "elements": _inlines}, **_framed
        ),
    }
)
rich_text = shape(
    {"type": one_of("rich_text"), "elements": list_of(rich_part, most=1_000)},
    block_id=texts.identifier,
)
_rich_cell = shape({"type": one_of("rich_text"), "elements": list_of(rich_part, most=100)})
_raw_text = shape(
    {"type": one_of("raw_text"), "text": string(limits.TABLE_CHARACTERS)},
)
_raw_number = shape(
    {"type": one_of("raw_number"), "value": number}, text=string(limits.OPTION_TEXT)
)
_column = nullable(shape({}, align=one_of("left", "center", "right"), is_wrapped=boolean))


def _equal_rows(value: Unchecked, at: Pointer, faults: Faults) -> None:
    rows = value.get("rows")
    widths = [len(row) for row in rows if isinstance(row, list)] if isinstance(rows, list) else []
    for place, width in enumerate(widths):
        if width != widths[0]:
            faults.add("rows must have the same number of cells", f"{at}/rows/{place}")


def _plain_header(value: Unchecked, at: Pointer, faults: Faults) -> None:
    _equal_rows(value, at, faults)
    rows = value.get("rows")
    head = rows[0] if isinstance(rows, list) and rows else []
    for place, cell in enumerate(head if isinstance(head, list) else []):
        if isinstance(cell, dict) and cell.get("type") != "raw_text":
            faults.add("header cells must be raw_text", f"{at}/rows/0/{place}")


def _rows(cells: Kind, *, least: int) -> Kind:
    row = list_of(cells, most=limits.TABLE_CELLS)
    return list_of(row, least=least, most=limits.TABLE_ROWS)


table = shape(
    {
        "type": one_of("table"),
        "rows": _rows(by_type({"raw_text": _raw_text, "rich_text": _rich_cell}), least=1),
    },
    _equal_rows,
    block_id=texts.identifier,
    column_settings=list_of(_column, most=limits.TABLE_CELLS),
)
data_table = shape(
    {
        "type": one_of("data_table"),
        "caption": string(limits.ALT_TEXT),
        "rows": _rows(
            by_type({"raw_text": _raw_text, "raw_number": _raw_number, "rich_text": _rich_cell}),
            least=2,
        ),
    },
    _plain_header,
    block_id=texts.identifier,
    page_size=integer(1, limits.DATA_TABLE_PAGE),
    row_header_column_index=integer(0, limits.TABLE_CELLS - 1),
)


def cell_text(cell: Unchecked) -> str:
    """Return the words of a cell, for the limit on all cells of a message."""
    if not isinstance(cell, dict):
        return ""
    if cell.get("type") == "raw_number":
        return str(cell.get("text", cell.get("value", "")))
    if cell.get("type") == "raw_text":
        return str(cell.get("text", ""))
    return rich_words(cell)


def rich_words(node: Unchecked) -> str:
    """Return the words inside a rich text."""
    if isinstance(node, list):
        return "".join(rich_words(one) for one in node)
    if not isinstance(node, dict):
        return ""
    return str(node.get("text", node.get("url", ""))) + rich_words(node.get("elements", []))
