"""What stands in the way of moving a run to another version: named, and nothing is moved."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from storage.store import SqlStore
from tests.workflows.engine.moves import INPUT, MORE, REFUSED, asked, in_house, refusal
from tests.world import CHANGE, LOST, Clock, Working, failing, id_of
from workflows.entry import RunId

BACK = "{uses: world.change, with: {name: number, by: -5}}"
READ, BEFORE = "    uses: world.read\n    with: {name: number}\n", "  - id: change\n"
SIDES = """
workflow: change-it
title: Change the number
owner: "@owners"
deputy: "@deputies"
run_by: ["@askers"]
steps:
  - id: sides
    parallel:
      left:
        - {id: look, uses: world.read, with: {name: number}}
        - {id: rest, wait: 1h}
      right:
        - id: how
          ask: {of: ["@deciders"], question: How?, fields: {by: {type: integer}}, expires: 30m}
"""


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Give SQLite alone: what is refused is refused before anything is written."""
    return sqlite_url


def waits(_: Working, __: RunId) -> None:
    """It waits for people."""


def late(house: Working, _: RunId) -> None:
    house.clock.forward(timedelta(minutes=40))
    house.settle()


def approved(house: Working, run: RunId) -> None:
    house.approve(run)
    house.settle()


def failed(house: Working, run: RunId) -> None:
    house.world.trouble = failing("before", REFUSED)
    approved(house, run)


def doubted(house: Working, run: RunId) -> None:
    house.world.can_probe = False
    house.world.trouble = failing("before", LOST)
    approved(house, run)


def denied(house: Working, run: RunId) -> None:
    house.deny(run)
    house.settle()


def cancelled(house: Working, run: RunId) -> None:
    house.engine.cancel(run, person=id_of("rita"), reason="no")


WORDS = CHANGE.replace(INPUT, INPUT + "  more: {type: string, default: '7'}\n")
LAST = "undo: none\n  - {id: last, wait: 1h}\n"
IN_THE_WAY: list[tuple[str, Callable[[Working, RunId], None], str, str, str]] = [
    # What has begun is not as it was done.
    (CHANGE, waits, "{name: number}\n" + BEFORE, "{name: other}\n" + BEFORE, "number → other"),
    (CHANGE, waits, "- id: look\n", "- id: glance\n", "has “glance” in its place"),
    (CHANGE, waits, "- id: look\n", "- {id: first, wait: 1m}\n  - id: look\n", "has “first”"),
    (CHANGE, waits, READ, READ.replace("read", "list"), "uses: world.read → world.list"),
    (CHANGE, waits, "- id: look\n", "- id: look\n    effect: write\n", "effect: nothing → write"),
    (MORE, approved, "undo: none", f"undo: {BACK}", "says undo"),
    (MORE, approved, "wait: 1h", "wait: 2h", "says wait: 1h → 2h"),
    (MORE, approved, "  - {id: last", "  - {id: more, wait: 5m}\n  - {id: last", "has “more”"),
    (SIDES, late, "      right:", "      other:", "has other branches"),
    (SIDES, late, "{name: number}", "{name: other}", "“look” has begun"),
    (SIDES, late, "question: How?", "question: Why?", "“how” has begun"),
    (CHANGE, failed, '"${{ inputs.by }}"', "2", "“change” has begun"),  # Its key may be known.
    # It is not at rest.
    (CHANGE, doubted, "undo: none\n", LAST, "“change” is under way or in doubt"),
    (CHANGE, denied, "undo: none\n", LAST, "has ended"),
    (CHANGE, cancelled, "undo: none\n", LAST, "has ended"),
    # The other version does not take its inputs, or holds another lock.
    (CHANGE, waits, INPUT, INPUT + "  more: {type: string}\n", "more: "),
    (CHANGE, waits, "minimum: 1,", "minimum: 6,", "by: "),
    (CHANGE, waits, "integer, minimum: 1, maximum: 1000", "string", "by: "),
    (CHANGE, waits, "by: {type", "much: {type", "no input by"),
    (WORDS, waits, "string, default: '7'", "integer, default: 7", "more: the other version reads"),
    (CHANGE, waits, "steps:", "lock: number\nsteps:", "another lock"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "comes", "old", "new", "told"),
    IN_THE_WAY,
    ids=[f"{one[1].__name__}: {one[4]}" for one in IN_THE_WAY],
)
def test_what_stands_in_the_way_is_named_and_nothing_is_moved(
    store: SqlStore,
    clock: Clock,
    text: str,
    comes: Callable[[Working, RunId], None],
    old: str,
    new: str,
    told: str,
) -> None:
    house = in_house(store, clock, text)
    run = asked(house)
    comes(house, run)
    newer = text.replace(old, new, 1)
    house.shelf.put(newer.replace("inputs.by", "inputs.much") if "much:" in new else newer)

    assert told in refusal(house, run)
