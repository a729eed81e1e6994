"""A policy held against what runs on record were asked, on both databases."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot.policy_history import Count, History, Replayed
from storage import judgements
from storage.database import Database
from tests.stores import begun
from tests.workflows.engine.flows import change, destructive, workflow
from tests.world import CHANGE, POLICY, Clock, Working, id_of
from workflows.entry import SYSTEM, Draft, RunId
from workflows.loading import load_policy
from workflows.orders import Edit, Moving

PLAIN = workflow("plain", f"steps: [{change('a')}]")
LOOP = workflow(
    "loop",
    "steps: [{id: look, uses: world.list, with: {name: x}}, "
    '{id: each, foreach: "${{ steps.look.output.rows }}", steps: ['
    + destructive("a", '"${{ item.by }}"')
    + "]}]",
)
BOTH = "2 of @deciders and 1 of @directors"
FULL = """
defaults: {expires: 24h}
roles: {governors: ["@owners", "@deputies"]}
rules:
  - name: destructive
    when: effect == "destructive"
    stages: [{all: [{from: ["@deciders"], approve: 2, deny: 5}, {from: ["@directors"]}]}]
    exclude: ["@deputies"]
    hours: {from: "00:00", to: "23:59", holidays: [2026-12-25]}
    escalate: {after: 2h, to: ["@owners"]}
    remind: [1h]
    reason: required
  - name: writes
    when: effect == "write"
    stages: [{from: ["@deciders"]}]
    auto: {when: args.by < 100, because: It is little.}
"""


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def house(database: Database, tmp_path: Path, clock: Clock) -> Working:
    made = Working(
        begun(database, tmp_path, clock), clock, definitions=(CHANGE, PLAIN, LOOP), policy=FULL
    )
    _keep_definitions(made)
    return made


def _keep_definitions(house: Working) -> None:
    """Publish what the house works with, as a bot does when it starts."""
    with house.store.begin() as unit:
        for name in ("change-it", "plain", "loop"):
            definition = house.shelf.active(name)
            data = {
                "workflow": name,
                "version": definition.version,
                "owner": definition.owner,
                "deputy": definition.deputy,
                "actions": "0" * 64,
            }
            unit.append(Draft(kind="workflow.published", actor=SYSTEM, data=data))
            unit.add_definition(definition.version, definition.canonical.decode())


def replayed(
    house: Working, policy: str, *, since: timedelta = timedelta(days=30)
) -> list[Replayed]:
    history = History(house.store.database, load_policy(policy), None, house.actions)
    return list(history.replayed(since=house.clock() - since))


def told(house: Working, policy: str) -> list[str]:
    return [str(found) for one in replayed(house, policy) for found in one.differences]


def asked(house: Working, workflow: str = "change-it") -> RunId:
    run = house.start(workflow)
    house.settle()
    return run


def test_the_same_policy_decides_everything_the_same(house: Working) -> None:
    house.world.items = [{"name": "one", "by": 1}, {"name": "two", "by": 2}]
    asked(house)
    asked(house, "plain")
    asked(house, "loop")
    found = replayed(house, FULL)

    assert [one.entry.data["step"] for one in found] == ["change", "a", "a/0"]
    assert [(one.differences, one.why_not) for one in found] == [((), "")] * 3


def test_a_step_that_nobody_was_asked_about_needs_somebody_now(house: Working) -> None:
    asked(house, "plain")
    stricter = FULL.replace("args.by < 100", "args.by < 1")

    assert told(house, stricter) == ["needs approval now: 1 of @deciders"]


def test_a_step_that_was_asked_about_needs_nobody_any_more(house: Working) -> None:
    house.policy = load_policy(FULL.replace("args.by < 100", "args.by < 1"))
    asked(house, "plain")

    assert told(house, FULL) == ["needs no approval any more: 1 of @deciders"]


def test_what_is_destructive_and_asks_nobody_does_not_run(house: Working) -> None:
    asked(house)

    assert told(house, FULL.replace('"destructive"', '"egress"')) == [
        "does not run any more: nobody is asked, and it is destructive"
    ]


@pytest.mark.parametrize(
    ("old", "new", "difference"),
    [
        (
            "approve: 2",
            "approve: 1",
            f"other people: {BOTH} → 1 of @deciders and 1 of @directors",
        ),
        (
            '[{all: [{from: ["@deciders"], approve: 2, deny: 5}, {from: ["@directors"]}]}]',
            '[{from: ["@deciders"], approve: 2, deny: 5}, {from: ["@directors"]}]',
            f"other people: {BOTH} → 2 of @deciders, then 1 of @directors",
        ),
        (
            "deny: 5",
            "deny: 1",
            f"other people: {BOTH}, rejected by 2, 1 → {BOTH}, rejected by 1, 1",
        ),
        ("expires: 24h", "expires: 8h", "another end: 1d → 8h"),
        ("reason: required", "reason: optional", "other terms: reason"),
        ("remind: [1h]", "remind: [3h]", "other terms: remind"),
        ('exclude: ["@deputies"]', 'exclude: ["@owners"]', "other terms: exclude"),
        ('to: "23:59"', 'to: "22:00"', "other terms: hours"),
        ("after: 2h", "after: 3h", "other terms: escalate"),
        ("reason: required", "reason: required\n    step_up: totp", "other terms: step_up"),
    ],
)
def test_each_thing_that_would_be_different_is_told(
    house: Working, old: str, new: str, difference: str
) -> None:
    asked(house)

    assert told(house, FULL.replace(old, new, 1)) == [difference]


def test_more_rejections_than_people_are_no_difference(house: Working) -> None:
    asked(house)

    assert told(house, FULL.replace("deny: 5", "deny: 9")) == []


def test_holidays_that_did_not_matter_are_no_difference(house: Working) -> None:
    asked(house)

    assert told(house, FULL.replace("2026-12-25", "2026-12-26")) == []


def test_an_edited_run_is_judged_by_the_values_it_had_each_time(house: Working) -> None:
    run = asked(house)
    edit = Edit(request=house.request(run).id, person=id_of("rita"), inputs={"by": 7})
    house.engine.edit(edit)
    house.settle()
    seven = FULL.replace('when: effect == "destructive"', "when: inputs.by == 7")
    first, second = replayed(house, seven)

    assert [str(one) for one in first.differences] == [
        "does not run any more: nobody is asked, and it is destructive"
    ]
    assert second.differences == ()


def test_a_moved_run_is_judged_by_the_version_it_was_on_each_time(house: Working) -> None:
    run = asked(house)
    newer = CHANGE.replace("- id: change", "- id: alter")
    house.activate(newer)
    with house.store.begin() as unit:
        definition = house.shelf.active("change-it")
        unit.add_definition(definition.version, definition.canonical.decode())
    house.engine.move(Moving(run=run, person=id_of("omar"), reason="it is called so"))
    house.settle()
    found = replayed(house, FULL)

    assert [one.entry.data["step"] for one in found] == ["change", "alter"]
    assert [(one.differences, one.why_not) for one in found] == [((), "")] * 2


def test_who_asked_is_known_by_the_name_on_record(house: Working) -> None:
    asked(house)
    rita = FULL.replace('when: effect == "destructive"', 'when: requester == "@rita"')

    assert told(house, rita) == []


def test_what_was_erased_is_not_evaluated_where_a_rule_looks_at_it(house: Working) -> None:
    asked(house)
    with house.store.database.begin() as tx:
        tx.connection.exec_driver_sql("DELETE FROM audit_part WHERE name IN ('input', 'args')")
    looks = FULL.replace('when: effect == "destructive"', "when: inputs.by > 1")
    count = Count()
    for one in replayed(house, looks):
        count.take(one)

    assert (count.judged, count.same, count.not_evaluated) == (1, 0, 1)
    assert [one.why_not for one in replayed(house, looks)] == ["its inputs and args were erased"]
    assert told(house, FULL) == []  # No rule of this one looks at them for such a step.


def test_what_was_asked_since_it_was_denied_before_is_no_difference(house: Working) -> None:
    sticky = FULL.replace("{expires: 24h}", "{expires: 24h, sticky: 7d}")
    house.policy = load_policy(sticky.replace("args.by < 100", "args.by < 1"))
    house.deny(asked(house, "plain"))
    house.settle()
    house.policy = load_policy(sticky)
    asked(house, "plain")
    first, second = replayed(house, sticky)

    assert [str(one) for one in first.differences] == ["needs no approval any more: 1 of @deciders"]
    assert second.differences == ()


def test_only_what_was_judged_since_then_is_looked_at(house: Working, clock: Clock) -> None:
    asked(house)
    clock.forward(timedelta(hours=5))
    late = asked(house)

    assert [one.entry.run for one in replayed(house, FULL, since=timedelta(hours=1))] == [late]


def test_page_after_page_is_read_and_each_step_once(
    house: Working, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judgements, "PAGE", 2)
    runs = [asked(house) for _ in range(5)]
    house.deny(runs[0], by="ana")
    house.settle()
    since = house.clock() - timedelta(days=1)

    assert [one.entry.run for one in replayed(house, POLICY)] == runs
    assert judgements.count_judged(house.store.database, since=since) == len(runs)
