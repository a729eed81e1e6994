"""What shows when a field about direct messages to approvers is ignored."""

from datetime import timedelta

from tests.workflows.engine.gated import asked, policy_of, wait
from tests.workflows.policy_fields.harness import Bench, Row
from tests.world import Working, id_of
from workflows.entry import RunId
from workflows.store import Subject

LEADS = 'stages: [{from: ["@leads"]}]'


def approvers_are_written_to_as_a_rule_says(bench: Bench) -> None:
    house = bench.house(policy_of(f"{LEADS}, nudge: {{after: 10m}}"))

    assert is_told_between(house, asked(house), hours=0, minutes=10)


def approvers_are_written_to_as_the_defaults_say(bench: Bench) -> None:
    text = policy_of(LEADS).replace("expires: 24h", "expires: 24h, nudge: {after: 10m}")
    house = bench.house(text)

    assert is_told_between(house, asked(house), hours=0, minutes=10)


def they_are_written_to_at_that_time(bench: Bench) -> None:
    house = bench.house(policy_of(f"{LEADS}, nudge: {{after: 2h}}"))

    assert is_told_between(house, asked(house), hours=1, minutes=70)


def is_told_between(house: Working, run: RunId, *, hours: int, minutes: int) -> bool:
    """Say whether Ana is written to within so many minutes after these hours, and not before."""
    wait(house, hours=hours)
    before = _is_told(house, run)
    wait(house, minutes=minutes)
    return not before and _is_told(house, run)


def _is_told(house: Working, run: RunId) -> bool:
    with house.store.begin() as unit:
        ana = unit.ref(id_of("ana"))
    key = f"{house.request(run).id}/{ana}"
    return house.store.outbox.find(Subject.NUDGE, key) is not None


ROWS = [
    Row(field="Rule.nudge", scenario=approvers_are_written_to_as_a_rule_says),
    Row(field="Defaults.nudge", scenario=approvers_are_written_to_as_the_defaults_say),
    Row(
        field="Nudge.after",
        scenario=they_are_written_to_at_that_time,
        instead=lambda _: timedelta(minutes=10),
    ),
]
