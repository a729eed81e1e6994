"""Moving runs to another version, as tests of it do."""

import pytest

from storage.store import SqlStore
from tests.world import CHANGE, Clock, Working, definition_in, id_of
from workflows.entry import RunId
from workflows.errors import ActionFailedError, InterlockError
from workflows.orders import Moved, Moving

MORE = CHANGE.replace("undo: none\n", "undo: none\n  - {id: last, wait: 1h}\n")
INPUT = "  by: {type: integer, minimum: 1, maximum: 1000, title: By}\n"
REFUSED = ActionFailedError("refused", error_class="http_422")


def version_of(text: str) -> str:
    return definition_in(text).version


def move(house: Working, run: RunId, *, by: str = "omar", to: str = "", why: str = "gap") -> Moved:
    wanted = Moving(run=run, person=id_of(by), reason=why, to=to and version_of(to))
    return house.engine.move(wanted)


def asked(house: Working) -> RunId:
    run = house.start()
    house.settle()
    return run


def in_house(store: SqlStore, clock: Clock, text: str) -> Working:
    return Working(store, clock, definitions=(text,))


def refusal(house: Working, run: RunId, *, by: str = "omar", to: str = "") -> str:
    before = house.kinds(run)
    with pytest.raises(InterlockError) as refused:
        move(house, run, by=by, to=to)
    assert house.kinds(run) == before
    return str(refused.value)
