"""A waiting run goes on by another version because a person says so, and by nothing else."""

import json
import time
from collections.abc import Mapping
from datetime import timedelta

import pytest

from storage.rebuild import check_projections
from storage.store import SqlStore
from tests.workflows.engine.gated import assert_sound, publish
from tests.workflows.engine.moves import (
    INPUT,
    MORE,
    REFUSED,
    asked,
    in_house,
    move,
    refusal,
    version_of,
)
from tests.world import CHANGE, Clock, Working, failing, id_of
from workflows.definition import Definition
from workflows.entry import Json, RunId
from workflows.errors import (
    InputsError,
    NotEligibleError,
    RequestClosedError,
)
from workflows.gate import Outcome
from workflows.orders import Edit, Moved, Start
from workflows.people import PersonId

WAITS = """
workflow: change-it
title: Change the number
owner: "@owners"
deputy: "@deputies"
run_by: ["@askers"]
steps:
  - {id: look, uses: world.read, with: {name: number}}
  - {id: rest, wait: 1h}
"""


@pytest.fixture(params=["sqlite"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Give SQLite where a test does not ask for both: what is refused is refused before."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.mark.parametrize("database_url", ["sqlite", "postgres"], indirect=True)
def test_what_has_not_begun_is_taken_from_the_new_version(house: Working) -> None:
    run = asked(house)
    before = house.request(run)
    house.activate(MORE.replace('"${{ inputs.by }}"', '"${{ inputs.by + 2 }}"'))
    moved = move(house, run)
    house.settle()
    after = house.request(run)
    house.approve(run)
    house.settle()

    assert moved.changed
    assert house.store.run(run).version == moved.version != moved.before
    assert house.store.request(before.id).outcome is Outcome.WITHDRAWN
    assert after.binding != before.binding
    assert (house.world.number, house.status(run)) == (17, "waiting")
    house.clock.forward(timedelta(hours=2))
    house.settle()
    assert house.status(run) == "done"
    soak = house.store.soak(moved.version, most=9)
    assert soak is not None
    assert soak.runs == []  # It says nothing of that version that it went by it at the end.
    assert_sound(house.store.database)


def test_an_approval_of_before_counts_for_nothing(house: Working) -> None:
    run = asked(house)
    house.shelf.put(MORE)
    house.effects_wait = "not now"
    house.approve(run)
    house.settle()
    move(house, run)
    house.effects_wait = None
    house.settle()

    assert (house.world.effects, house.request(run).outcome) == ([], Outcome.OPEN)


def test_a_run_that_was_moved_forth_and_back_says_nothing_of_either_version(
    house: Working,
) -> None:
    house.activate(CHANGE)
    run = asked(house)
    house.activate(MORE)
    there = move(house, run)
    house.settle()
    back = move(house, run, to=CHANGE)
    found = [house.store.soak(one, most=9) for one in (there.version, back.version)]

    assert back.version == there.before
    assert [one and one.runs for one in found] == [[], []]


def test_the_entry_says_who_moved_it_from_where_to_where_and_why(house: Working) -> None:
    run = asked(house)
    house.shelf.put(MORE)
    move(house, run, why="The new version waits.")
    entry = next(one for one in house.entries(run) if one.kind == "run.moved")

    assert entry.data == {
        "workflow": "change-it",
        "from": version_of(CHANGE),
        "to": version_of(MORE),
    }
    assert house.store.person(entry.actor.ref) == id_of("omar")
    assert {name: one.value for name, one in entry.parts.items()} == {
        "reason": b"The new version waits."
    }


def test_the_same_again_changes_nothing(house: Working) -> None:
    run = asked(house)
    house.shelf.put(MORE)
    move(house, run)
    before = house.kinds(run)

    assert not move(house, run).changed
    assert house.kinds(run) == before


def test_whoever_moved_it_decides_nothing_of_what_follows(store: SqlStore, clock: Clock) -> None:
    house = in_house(store, clock, CHANGE)
    house.town.groups["@deciders"].add("omar")
    run = asked(house)
    house.shelf.put(MORE)
    move(house, run)
    house.settle()

    with pytest.raises(NotEligibleError, match="You changed what is asked"):
        house.approve(run, by="omar")


@pytest.mark.parametrize("by", ["ana", "rita"])
def test_only_owner_and_deputy_may(house: Working, by: str) -> None:
    run = asked(house)
    house.shelf.put(MORE)

    assert "Only owner and deputy" in refusal(house, run, by=by)
    assert move(house, run, by="sam").changed


def test_an_owner_who_asked_for_what_cannot_be_undone_leaves_it_to_another(house: Working) -> None:
    house.town.groups["@owners"].add("rita")
    run = asked(house)
    house.shelf.put(MORE)

    assert "You asked for this run" in refusal(house, run, by="rita")
    assert move(house, run, by="omar").changed


def test_what_a_workflow_starts_counts_as_its_own(store: SqlStore, clock: Clock) -> None:
    calls = WAITS + "  - {id: call, workflow: alter-it, inputs: {by: 1}}\n"
    child = CHANGE.replace("workflow: change-it", "workflow: alter-it")
    house = Working(store, clock, definitions=(WAITS, child))
    house.town.groups["@owners"].add("rita")
    run = asked(house)
    house.shelf.put(calls)

    assert "You asked for this run" in refusal(house, run, by="rita")


def test_an_owner_who_asked_for_what_can_be_undone_may(store: SqlStore, clock: Clock) -> None:
    house = in_house(store, clock, WAITS)
    house.town.groups["@owners"].add("rita")
    run = asked(house)
    house.shelf.put(WAITS.replace("wait: 1h", "wait: 1h, title: Rest"))

    assert move(house, run, by="rita").changed


def test_without_a_reason_it_stays(house: Working) -> None:
    run = asked(house)
    house.shelf.put(MORE)

    with pytest.raises(InputsError, match="say why"):
        move(house, run, why=" ")


# --- what has begun --------------------------------------------------------------------------


def test_titles_people_and_proof_of_what_has_begun_may_differ(
    store: SqlStore, clock: Clock
) -> None:
    house = in_house(store, clock, MORE)
    run = asked(house)
    house.approve(run)
    house.settle()
    house.shelf.put(
        MORE.replace("- id: change\n", "- id: change\n    title: Now\n").replace("1m", "2m")
    )

    assert house.status(run) == "waiting"
    assert move(house, run).changed


def test_what_was_done_before_is_taken_back_as_its_version_says(
    store: SqlStore, clock: Clock
) -> None:
    undo = "undo: {uses: world.change, with: {name: number, by: -5}, effect: write}"
    last = "  - {id: last, uses: world.change, with: {name: broken, by: 1}}\n"
    house = in_house(store, clock, CHANGE.replace("undo: none", undo) + last)
    house.world.trouble = failing("before broken", REFUSED)
    run = asked(house)
    house.approve(run)
    house.settle()
    house.shelf.put(CHANGE.replace("undo: none", undo) + last.replace("last", "final"))
    told = refusal(house, run)
    house.shelf.put(CHANGE.replace("undo: none", undo) + last + "  - {id: more, wait: 1h}\n")
    move(house, run)
    house.engine.settle_exception(run, "last", person=id_of("omar"), answer="undo")
    house.settle()

    assert "“last” has begun" in told  # The target may know its key.
    assert (house.status(run), house.world.number) == ("aborted", 10)


LOOP = """
workflow: change-it
title: Change the number
owner: "@owners"
deputy: "@deputies"
run_by: ["@askers"]
steps:
  - id: rows
    uses: world.list
    with: {name: number}
  - id: each
    foreach: ${{ steps.rows.output.rows }}
    as: row
    steps:
      - id: change
        uses: world.change
        with: {name: "${{ row.name }}", by: "${{ row.by }}"}
        effect: destructive
        undo: none
  - {id: last, wait: 1h}
"""
TAIL = "      - {id: after, wait: 1m}\n  - {id: last"


def test_an_open_loop_may_get_further_steps_and_one_that_is_over_may_not(
    store: SqlStore, clock: Clock
) -> None:
    house = in_house(store, clock, LOOP)
    house.world.items = [{"name": "a", "by": 1}, {"name": "b", "by": 2}]
    run, over = asked(house), asked(house)
    house.approve(run)
    for _ in house.world.items:
        house.approve(over)
        house.settle()
    newer = LOOP.replace("    as: row\n", "    as: row\n    max_parallel: 2\n")
    house.shelf.put(newer.replace("  - {id: last", TAIL))

    assert "“each” has begun, and the other version says steps 2" in refusal(house, over)
    house.shelf.put(newer.replace('by: "${{ row.by }}"', "by: 1"))
    assert "steps 1 with by" in refusal(house, over)
    assert "“change” has begun, and the other version says with by" in refusal(house, run)
    house.shelf.put(newer.replace("  - {id: last", TAIL))
    assert move(house, run).changed
    house.settle()
    assert [one.data["step"] for one in house.entries(run) if one.kind == "wait.started"] == [
        "after/0"
    ]


def test_an_exception_that_did_nothing_begins_anew_by_the_new_version(
    store: SqlStore, clock: Clock
) -> None:
    broken = CHANGE.replace(
        "steps.look.output.value < 1000", "1 / (steps.look.output.value - 10) > 0"
    )
    house = in_house(store, clock, broken)
    run = asked(house)
    assert house.status(run) == "exception"
    house.shelf.put(CHANGE)
    move(house, run)
    house.settle()
    house.approve(run)
    house.settle()

    assert (house.status(run), house.world.number) == ("done", 15)
    assert [str(one) for one in check_projections(store.database)] == []


REFUSED_BESIDE = """
workflow: change-it
title: Change the number
owner: "@owners"
deputy: "@deputies"
run_by: ["@askers"]
steps:
  - id: sides
    parallel:
      left:
        - {id: look, uses: world.read, when: "1 / size('') > 0", with: {name: number}}
      right:
        - id: change
          uses: world.change
          with: {name: number, by: 1}
          effect: destructive
          undo: none
"""


def test_a_run_that_people_refused_is_not_moved_while_another_branch_stands_still(
    store: SqlStore, clock: Clock
) -> None:
    house = in_house(store, clock, REFUSED_BESIDE)
    run = asked(house)
    house.deny(run)  # No process has looked at it since.
    assert house.status(run) == "exception"
    house.shelf.put(REFUSED_BESIDE.replace("id: change", "id: change_it"))

    assert "is being ended" in refusal(house, run)
    house.settle()
    assert house.status(run) == "denied"


def test_what_was_denied_of_a_loop_that_goes_on_stays_denied(store: SqlStore, clock: Clock) -> None:
    goes_on = LOOP.replace("    as: row\n", "    as: row\n    on_item_failure: continue\n")
    house = in_house(store, clock, goes_on)
    house.world.items = [{"name": "a", "by": 1}, {"name": "b", "by": 2}]
    run = asked(house)
    house.deny(run)
    house.settle()
    house.shelf.put(goes_on.replace("id: change\n", "id: change_it\n"))

    assert "“change” has begun" in refusal(house, run)
    house.approve(run)
    house.settle()
    assert (house.world.number, house.status(run)) == (12, "waiting")


# --- when ------------------------------------------------------------------------------------


def test_a_run_that_is_about_to_look_is_at_work(house: Working) -> None:
    run = house.start()
    house.shelf.put(MORE)

    assert "at work just now" in refusal(house, run)


BUSY = """
workflow: change-it
title: Change the number
owner: "@owners"
deputy: "@deputies"
run_by: ["@askers"]
steps:
  - id: sides
    parallel:
      left: [{id: rest, wait: 1h}]
      right:
        - {id: look, uses: world.read, with: {name: number}}
        - {id: change, uses: world.change, with: {name: a, by: 1}, effect: destructive, undo: none}
"""


def test_a_segment_that_began_by_the_old_version_lets_go(store: SqlStore, clock: Clock) -> None:
    """One branch waits, and somebody moves the run while another one looks at the world."""
    house, newer = in_house(store, clock, BUSY), BUSY.replace("by: 1}", "by: 2}")
    said: list[Moved] = []

    def moves(place: str) -> None:
        if place == "read" and not said:
            while house.status(run) != "waiting":
                time.sleep(0.01)  # The other branch has a thread of its own.
            said.append(move(house, run))

    run = house.start()
    house.shelf.put(newer)
    house.world.trouble = moves
    house.settle()

    assert [one.changed for one in said] == [True]
    assert versions_asked_for(house, run) == [version_of(newer)]


@pytest.mark.parametrize("at_once", ["", "at_once: 1\n"])
def test_a_run_that_is_moved_while_it_is_taken_up_goes_by_the_new_version(
    store: SqlStore, clock: Clock, at_once: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = in_house(store, clock, CHANGE + at_once)
    run, known = asked(house), house.shelf.version
    house.shelf.put(MORE + at_once)

    def version(digest: str) -> Definition:
        monkeypatch.undo()
        move(house, run)
        return known(digest)

    monkeypatch.setattr(house.shelf, "version", version)
    house.engine.advance(run)
    house.settle()

    assert versions_asked_for(house, run) == [
        version_of(CHANGE + at_once),
        version_of(MORE + at_once),
    ]


def versions_asked_for(house: Working, run: RunId) -> list[str]:
    raised = [one for one in house.entries(run) if one.kind == "approval.requested"]
    return [json.loads(one.parts["preview"].value or b"")["version"] for one in raised]


def test_values_that_somebody_changes_meanwhile_are_not_moved_unseen(
    house: Working, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, members = asked(house), house.town.members
    house.shelf.put(MORE)

    def slowly(name: str, *, max_age: timedelta) -> frozenset[PersonId]:
        monkeypatch.undo()
        edit = Edit(request=house.request(run).id, person=id_of("rita"), inputs={"by": 7})
        house.engine.edit(edit)
        house.settle()
        return members(name, max_age=max_age)

    monkeypatch.setattr(house.town, "members", slowly)
    with pytest.raises(RequestClosedError, match="Somebody changed this run"):
        move(house, run)
    assert move(house, run).changed


# --- versions and inputs ----------------------------------------------------------------------


def test_another_version_than_the_active_one_must_have_been_active(house: Working) -> None:
    run = asked(house)
    house.shelf.put(MORE)
    publish(house, by="sam")
    house.shelf.put(CHANGE)

    assert "never active" in refusal(house, run, to=MORE)
    house.activate(MORE)
    house.shelf.put(CHANGE)
    assert move(house, run, to=MORE).version == version_of(MORE)


def test_a_version_of_another_workflow_is_refused(store: SqlStore, clock: Clock) -> None:
    other = MORE.replace("workflow: change-it", "workflow: alter-it")
    house = Working(store, clock, definitions=(CHANGE, other))
    run = asked(house)

    assert "is no version of change-it" in refusal(house, run, to=other)


def inputs(house: Working, run: RunId) -> Mapping[str, Json]:
    entry = next(one for one in house.entries(run) if one.kind == "run.moved")
    found: Mapping[str, Json] = json.loads(entry.parts["input"].value or b"")
    return found


def test_new_inputs_get_their_defaults_and_the_start_stays_what_it_was(house: Working) -> None:
    order = Start(
        workflow="change-it", inputs={"by": 5}, trigger="cli", person=id_of("rita"), key="once"
    )
    run = house.engine.start(order).run
    house.settle()
    more = INPUT + "  name: {type: string, default: number}\n"
    house.shelf.put(
        CHANGE.replace(INPUT, more).replace("{name: number, by", '{name: "${{ inputs.name }}", by')
    )
    move(house, run)
    house.settle()
    house.approve(run)
    house.settle()

    assert inputs(house, run) == {"by": 5, "name": "number"}
    assert not house.engine.start(order).is_new
    assert house.status(run) == "done"


def test_a_run_that_is_being_taken_back_is_not_moved(store: SqlStore, clock: Clock) -> None:
    back = "undo: {uses: world.change, with: {name: number, by: -5}, effect: destructive}"
    last = "  - {id: last, uses: world.change, with: {name: broken, by: 1}}\n"
    house = in_house(store, clock, CHANGE.replace("undo: none", back) + last)
    house.world.trouble = failing("before broken", REFUSED)
    run = asked(house)
    house.approve(run)
    house.settle()
    house.engine.settle_exception(run, "last", person=id_of("omar"), answer="undo")
    house.settle()
    house.shelf.put(CHANGE.replace("undo: none", back) + last + "  - {id: more, wait: 1h}\n")

    assert house.request(run).step == "change/undo"
    assert "is being ended" in refusal(house, run)


def test_a_queued_run_that_is_moved_goes_on_waiting_and_waiting_is_no_work(
    store: SqlStore, clock: Clock
) -> None:
    alone = CHANGE.replace('run_by: ["@askers"]', 'run_by: ["@askers"]\nlock: one\ndeadline: 10m')
    house = in_house(store, clock, alone)
    first, second = house.start(), house.start()
    house.settle()
    house.shelf.put(alone + "  - {id: last, wait: 1h}\n")
    move(house, second)
    house.settle()
    clock.forward(timedelta(hours=3))
    house.deny(first)
    house.settle()

    assert house.status(second) == "waiting"
