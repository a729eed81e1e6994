"""The page on the kinds of entries has every kind, with exactly the fields and parts it has."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.docs.pages import ROOT
from workflows.kinds import ALL, KINDS, Kind, Place

PAGE = (ROOT / "docs/entry-kinds.md").read_text(encoding="utf-8")
NAME = re.compile(r"`([^`]+)`")
ROW = re.compile(r"^\| (`[a-z_.]+`) \| `(\S+)` \|(.*)\|(.*)\|(.*)\|$", re.MULTILINE)
# Fields of one kind alone of which another field says whether they have to be there.
BY_ROLE = frozenset({"vkey", "pk", "pop", "holder"})


@dataclass(frozen=True, slots=True)
class Row:
    """A kind as the table of the page shows it."""

    name: str
    place: str
    required: frozenset[str]
    optional: frozenset[str]
    parts: frozenset[str]


def rows() -> list[Row]:
    """Return the rows of the table of all kinds, in order."""
    return [
        Row(NAME.findall(name)[0], place, *(frozenset(NAME.findall(cell)) for cell in cells))
        for name, place, *cells in ROW.findall(PAGE)
    ]


def row_of(kind: Kind) -> Row:
    """Return what the registry would have the table show."""
    by_role = frozenset[str]().union(*kind.also.values()) - kind.optional
    return Row(kind.name, kind.place.value, kind.required | by_role, kind.optional, kind.parts)


def sections() -> Iterator[tuple[list[str], str]]:
    """Yield the kinds that each heading names, and what stands under it."""
    for heading, text in re.findall(
        r"^### ([^\n]*)\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL
    ):
        yield NAME.findall(heading), text.strip()


SAID = {name: text for names, text in sections() for name in names}


def explained(text: str) -> tuple[set[str], set[str]]:
    """Return the fields and the parts that the points of a text are about."""
    points = re.findall(r"^- (part )?((?:`\w+`(?:, )?)+): \S", text, re.MULTILINE)
    fields, parts = set[str](), set[str]()
    for part, names in points:
        (parts if part else fields).update(NAME.findall(names))
    return fields, parts


def common() -> tuple[set[str], set[str]]:
    """Return the fields and the parts that mean the same in every kind."""
    text = PAGE.partition("## What means the same everywhere\n")[2].partition("\n- ")[0]
    told = re.findall(r"^\| (part )?`(\w+)` \| \S", text, re.MULTILINE)
    return {name for part, name in told if not part}, {name for part, name in told if part}


def test_the_table_has_every_kind_with_its_fields_and_parts() -> None:
    assert rows() == [row_of(kind) for kind in ALL]


def test_every_sign_of_the_table_is_explained() -> None:
    signs = PAGE.partition("| sign | where in a run |")[2].partition("\n\n")[0]

    assert re.findall(r"^\| `(\S+)` \| \S", signs, re.MULTILINE) == [one.value for one in Place]


def test_every_kind_is_told_once_in_the_order_of_the_table() -> None:
    told = [name for names, _ in sections() for name in names]

    assert told == [kind.name for kind in ALL]


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.name)
def test_every_kind_says_what_happened_before_its_fields(kind: Kind) -> None:
    first, _, _ = SAID[kind.name].partition("\n")

    assert re.match(r"[A-Z].*\.$", first)


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.name)
def test_every_field_and_part_of_a_kind_is_explained(kind: Kind) -> None:
    row, (fields, parts) = row_of(kind), explained(SAID[kind.name])
    everywhere, parts_everywhere = common()

    assert (row.required | row.optional) - fields - everywhere == set()
    assert row.parts - parts - parts_everywhere == set()


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.name)
def test_no_kind_tells_of_a_field_or_part_that_it_does_not_have(kind: Kind) -> None:
    row, (fields, parts) = row_of(kind), explained(SAID[kind.name])

    assert fields - row.required - row.optional == set()
    assert parts - row.parts == set()


def test_what_means_the_same_everywhere_is_of_some_kind() -> None:
    fields, parts = common()
    shown = [row_of(kind) for kind in ALL]

    assert fields <= frozenset[str]().union(*(one.required | one.optional for one in shown))
    assert parts <= frozenset[str]().union(*(one.parts for one in shown))
    assert {"batch", "by_run", "request", "binding"} <= fields


def test_only_the_fields_of_keys_depend_on_another_one() -> None:
    """The table shows them as required, and says so in a sentence of its own."""
    depending = {kind.name: row_of(kind).required - kind.required for kind in ALL}

    assert {name: one for name, one in depending.items() if one} == {"key.add": BY_ROLE}
    assert "Of `key.add`, `role` says which of the other fields are there." in PAGE


def test_a_field_that_no_kind_has_is_known_as_such() -> None:
    kind = KINDS["key.add"]

    assert kind.unknown(["role", "vkey", "holder"]) == set()
    assert kind.unknown(["role", "colour"]) == {"colour"}
