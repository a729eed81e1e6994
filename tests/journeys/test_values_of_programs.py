"""Lists, moments, people and channels as programs give them: looked up, or refused by name."""

import json
from collections.abc import Iterator

import pytest

from storage.history import read_run
from tests.journeys.programs import Outside, assert_sound, outside_world, signed
from workflows.entry import RunId

AT = "2030-03-17T18:46+01:00"
HAND_OVER = {"tasks": ["Keys", "Phone"], "to": "@ana", "at": AT}


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    with outside_world(tmp_path_factory.mktemp("outside")) as world:
        yield world
        assert_sound(world)


def inputs_of(outside: Outside, run: str) -> dict[str, object]:
    """Return what the run was given, once it is over."""
    outside.get(f"/runs/{run}?wait=30&after=999", outside.token())
    with outside.day.bot.core.memory.database.read() as connection:
        first = read_run(connection, RunId(run))[0]
    found: dict[str, object] = json.loads(first.parts["input"].value or b"")
    return found


def test_what_a_program_names_is_looked_up_and_kept_by_its_id(outside: Outside) -> None:
    given = {**HAND_OVER, "watchers": ["@ben", "<@U0SAM>"]}
    body = {"workflow": "hand-over", "inputs": given, "channel": "#ops"}
    told = outside.post("/runs", outside.token(), body).json()

    assert inputs_of(outside, told["run"]) == {
        "tasks": ["Keys", "Phone"],
        "to": {"id": "U0ANA", "name": "ana"},
        "watchers": [{"id": "U0BEN", "name": "ben"}, {"id": "U0SAM", "name": "sam"}],
        "at": "2030-03-17T17:46:00Z",
        "place": {"id": "C0FINANCE", "name": "finance"},
    }


def test_each_value_that_names_nothing_is_refused_at_its_place(outside: Outside) -> None:
    given = {"tasks": "Keys", "to": "@nobody", "at": "tomorrow", "place": "#nowhere"}
    body = {
        "workflow": "hand-over",
        "inputs": {**given, "watchers": ["@ben", "<@U0CONNIE>"]},
        "channel": "#ops",
    }
    answer = outside.post("/runs", outside.token(), body)
    told = {one["pointer"]: one["detail"] for one in answer.json()["errors"]}

    assert answer.status_code == 422
    assert {name.removeprefix("#/inputs/") for name in told} == {"to", "at", "place", "watchers"}
    assert "nobody" in told["#/inputs/to"]
    assert told["#/inputs/watchers"] == "item 2: is somebody of another workspace"


def test_a_webhook_gives_the_same_values(outside: Outside) -> None:
    body = json.dumps({"tasks": ["Badge"], "login": "ana", "at": AT}).encode()
    answer = outside.delivers("people", body, signed(body))
    (started,) = answer.json()["runs"]

    assert answer.status_code == 201
    assert inputs_of(outside, started["run"])["to"] == {"id": "U0ANA", "name": "ana"}
