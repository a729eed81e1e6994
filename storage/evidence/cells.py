"""Cells and rows of the CSV files that people open in spreadsheets.

A cell that a spreadsheet would take for a formula gets an apostrophe in front, as OWASP advises.
"""

from collections.abc import Iterable

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
QUOTED = '",\r\n'


def cell(value: object) -> str:
    """Return a value as a cell holds it: nothing for None, and never a formula."""
    text = "" if value is None else str(value)
    if isinstance(value, bool):
        text = text.lower()
    return f"'{text}" if text.startswith(FORMULA) else text


def csv_row(values: Iterable[object]) -> str:
    """Return one line of RFC 4180, ended by LF; the same values give the same bytes."""
    return f"{','.join(_quoted(cell(one)) for one in values)}\n"


def _quoted(text: str) -> str:
    # The module csv leaves a lone CR as it is, and readers take that for the end of the row.
    if any(one in text for one in QUOTED):
        return '"' + text.replace('"', '""') + '"'
    return text
