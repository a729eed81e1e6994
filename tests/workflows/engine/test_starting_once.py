"""One key starts one run: asked again it gives that run, and something else under it is refused."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from tests.world import CHANGE, Working, id_of
from workflows.errors import KeyReusedError, UnknownWorkflowError
from workflows.orders import Start, Started

OTHER = CHANGE.replace("workflow: change-it", "workflow: change-that")
LATER = CHANGE.replace(
    "inputs:\n", "inputs:\n  note: {type: string, required: false, multiline: true}\n"
)


def order(key: str = "k1", *, workflow: str = "change-it", **inputs: object) -> Start:
    given: Mapping[str, object] = inputs or {"by": 5}
    return Start(workflow=workflow, inputs=given, trigger="agent", person=id_of("rita"), key=key)


def refusal(house: Working, again: Start) -> KeyReusedError:
    with pytest.raises(KeyReusedError) as refused:
        house.engine.start(again)
    return refused.value


def test_the_same_key_and_inputs_give_the_run_that_was_started(house: Working) -> None:
    first = house.engine.start(order())
    again = house.engine.start(order())

    assert again == Started(run=first.run, is_new=False)


def test_values_that_mean_the_same_are_the_same(house: Working) -> None:
    first = house.engine.start(order(by=5))
    again = house.engine.start(order(by="5"))

    assert again.run == first.run


def test_the_same_key_with_other_inputs_is_refused_and_names_the_run(house: Working) -> None:
    first = house.engine.start(order(by=5))
    refused = refusal(house, order(by=6))

    assert refused.run == first.run
    assert first.run in refused.message
    assert "other inputs" in refused.message
    assert len(house.store_runs()) == 1


def test_the_same_key_with_inputs_that_never_fit_is_refused_too(house: Working) -> None:
    house.engine.start(order(by=5))

    assert "other inputs" in refusal(house, order(by="many")).message


def test_the_same_key_for_another_workflow_is_refused_and_names_the_run(house: Working) -> None:
    house.shelf.put(OTHER)
    first = house.engine.start(order())
    refused = refusal(house, order(workflow="change-that"))

    assert refused.run == first.run
    assert "change-it" in refused.message


def test_a_lost_answer_is_given_again_after_the_workflow_has_changed(house: Working) -> None:
    first = house.engine.start(order())
    house.shelf.put(LATER)

    assert house.engine.start(order()) == Started(run=first.run, is_new=False)
    with pytest.raises(KeyReusedError):
        house.engine.start(order(by=5, note="more"))


def test_inputs_that_were_erased_cannot_be_compared_and_are_refused(house: Working) -> None:
    house.engine.start(order())
    with house.store.database.begin() as tx:
        tx.connection.execute(text("DELETE FROM audit_part"))

    assert "erased" in refusal(house, order()).message


def test_a_key_is_not_used_up_by_a_start_that_was_refused(house: Working) -> None:
    with pytest.raises(UnknownWorkflowError):
        house.engine.start(order(workflow="change-nothing"))

    assert house.engine.start(order()).is_new


def test_of_many_equal_starts_at_the_same_moment_one_is_new(house: Working) -> None:
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(house.engine.start, [order()] * 20))

    assert len({one.run for one in told}) == 1
    assert sum(one.is_new for one in told) == 1


def test_of_two_different_starts_under_one_key_at_the_same_moment_one_is_refused(
    house: Working,
) -> None:
    def begin(one: Start) -> str:
        try:
            return house.engine.start(one).run
        except KeyReusedError as refused:
            return f"refused for {refused.run}"

    with ThreadPoolExecutor(2) as pool:
        told = sorted(pool.map(begin, [order(by=5), order(by=6)]))

    assert len(house.store_runs()) == 1
    assert told[1] == f"refused for {told[0]}"
