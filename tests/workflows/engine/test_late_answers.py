"""The late answer about an effect that counts as having happened changes nothing but its output."""

from collections.abc import Callable
from datetime import timedelta

from storage.store import SqlStore
from tests.workflows.engine.flows import change, making, workflow
from tests.world import Clock, Working, failing, id_of
from workflows.engine import Engine
from workflows.entry import RunId
from workflows.errors import ActionFailedError

REFUSED = ActionFailedError("no", error_class="refused")
BACK = "{uses: world.change, with: {name: back, by: -1}, effect: write}"
PROOF = ", verify: {uses: world.read, with: {name: x}, expect: 'result.value < 20'}"


def overtaken(
    store: SqlStore, clock: Clock, steps: str, *, meanwhile: Callable[[Working, RunId], None]
) -> tuple[Working, RunId]:
    """Have another worker take a run over after the effect of its first step, and then do more."""
    house = making(store, clock)(workflow("w", f"steps:\n{steps}"))
    taken: list[str] = []

    def trouble(place: str) -> None:
        if place == "after" and not taken:
            taken.append(place)
            run = house.store_runs()[0]
            Engine(house._house(store)).advance(run)  # noqa: SLF001 - another worker of the house.
            meanwhile(house, run)
        failing("before bad", REFUSED)(place)

    house.world.trouble = trouble
    run = house.start("w", {})
    house.settle()
    return house, run


def grows(house: Working, _run: RunId) -> None:
    house.world.number = 90


def test_what_was_done_after_it_is_still_taken_back_first(store: SqlStore, clock: Clock) -> None:
    one, two = (change(name, more=f", undo: {BACK}") for name in ("one", "two"))
    steps = f"  - {one}\n  - {two}\n  - {change('bad')}\n"
    house, run = overtaken(store, clock, steps, meanwhile=lambda _house, _run: None)
    house.engine.settle_exception(run, "bad", person=id_of("omar"), answer="undo")
    house.settle()

    assert house.world.effects[2:] == [f"{run}/two/undo", f"{run}/one/undo"]


def test_what_was_proved_is_not_looked_at_again(store: SqlStore, clock: Clock) -> None:
    steps = f"  - {change('one', more=PROOF)}\n  - {change('two')}\n  - {{id: rest, wait: 5h}}\n"
    house, run = overtaken(store, clock, steps, meanwhile=grows)
    clock.forward(timedelta(minutes=2))
    house.settle()

    assert "late_reply" in [one.data.get("by") for one in house.entries(run)]
    assert house.status(run) == "waiting"
    assert "verification.failed" not in house.kinds(run)


def test_what_a_person_skipped_stays_skipped(store: SqlStore, clock: Clock) -> None:
    def skipped(house: Working, run: RunId) -> None:
        engine = Engine(house._house(store))  # noqa: SLF001 - as above.
        clock.forward(timedelta(minutes=2))
        engine.advance(run)
        engine.settle_exception(run, "one", person=id_of("omar"), answer="skip")
        engine.advance(run)

    proof = PROOF.replace("< 20", "> 90")
    steps = f"  - {change('one', more=proof)}\n  - {{id: rest, wait: 5h}}\n"
    house, run = overtaken(store, clock, steps, meanwhile=skipped)
    clock.forward(timedelta(minutes=2))
    house.settle()

    assert "late_reply" in [one.data.get("by") for one in house.entries(run)]
    assert house.status(run) == "waiting"
