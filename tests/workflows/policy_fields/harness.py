"""Takes one field of a policy away, so that a test can see whether anything notices.

A row of the table says which field it is about and holds a scenario: a function that shows the
field's effect on a `Bench` and fails without it. The scenario runs twice: with the policy as it
is written, and with the field replaced wherever it stands, by its default or by what the row
says. Whoever adds a field to a policy's models adds a row to one of the tables in this folder.
"""

import atexit
import shutil
import tempfile
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from storage.database import open_database
from storage.log_setup import init_log
from storage.migrate import upgrade
from storage.store import SqlStore
from tests.workflows.actions.conftest import Behave, FixedSecrets, RawServer
from tests.workflows.engine.gated import with_groups
from tests.world import CHANGE, NOON, Clock, Working
from workflows.actions.base import Call
from workflows.loading import load_policy
from workflows.policy import Policy

Change = Callable[[Policy], Policy]


class Bench(ExitStack):
    """What a scenario works with. Every policy it makes has lost the field that is taken away."""

    def __init__(self, home: Path, change: Change = lambda policy: policy) -> None:
        super().__init__()
        self.home = home
        self._change = change

    def policy(self, text: str) -> Policy:
        """Return the policy of a text, or what is left of it."""
        return self._change(load_policy(text))

    def house(self, text: str, *, definition: str = CHANGE, at: datetime = NOON) -> Working:
        """Return an engine under that policy, on a database of its own."""
        clock = Clock(at)
        file = self.home / "interlock.db"
        shutil.copy(_schema(), file)
        database = open_database(str(file))
        self.callback(database.close)
        journal = init_log(
            database, self.home / "keys", origin="interlock.example/audit/T0", now=clock
        )
        store = SqlStore(database, journal, now=clock)
        house = with_groups(Working(store, clock, definitions=(definition,), policy=text))
        house.policy = self.policy(text)
        return house

    def server(self, behave: Behave | bytes) -> RawServer:
        """Return a server that answers so, until the scenario ends."""
        chosen = behave if callable(behave) else (lambda c, _: c.sendall(behave))
        server = RawServer(chosen)
        self.callback(server.close)
        return server

    def call(self, **secrets: str) -> Call:
        """Return the call of an action that may reveal these secrets."""
        return Call(key="run-1/refund", timeout=5.0, secrets=FixedSecrets(**secrets))


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A field, a scenario that needs it, and what takes its place; None stands for its default."""

    field: str  # "Rule.when"
    scenario: Callable[[Bench], None]
    instead: Callable[[Any], Any] | None = None

    def taken_away(self, policy: Policy) -> Policy:
        """Return `policy` with the field replaced wherever it stands."""
        found: Policy = _replaced(policy, self)
        return found


def every_field(model: type[BaseModel] = Policy) -> dict[str, Any]:
    """Return each field that may stand in a policy file, with its default."""
    found: dict[str, Any] = {}
    for one in _models(model, {}):
        for name, field in one.model_fields.items():
            found[f"{one.__name__}.{name}"] = field.get_default(call_default_factory=True)
    return found


def _models(
    model: type[BaseModel], seen: dict[type[BaseModel], None]
) -> Mapping[type[BaseModel], None]:
    if model not in seen:
        seen[model] = None
        for field in model.model_fields.values():
            for inner in _models_in(field.annotation):
                _models(inner, seen)
    return seen


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:  # noqa: ANN401 - any annotation.
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) is not typing.Literal and not isinstance(
        annotation, types.FunctionType
    ):
        for one in get_args(annotation):
            yield from _models_in(one)


def _replaced(value: Any, row: Row) -> Any:  # noqa: ANN401 - whatever stands in a policy.
    if isinstance(value, BaseModel):
        own = {name: _replaced(getattr(value, name), row) for name in type(value).model_fields}
        return type(value).model_construct(**{**own, **_instead(value, row)})
    if isinstance(value, tuple):
        return tuple(_replaced(one, row) for one in value)
    if isinstance(value, dict):
        return {name: _replaced(one, row) for name, one in value.items()}
    return value


def _instead(value: BaseModel, row: Row) -> dict[str, Any]:
    model, _, name = row.field.partition(".")
    if type(value).__name__ != model:
        return {}
    if row.instead is not None:
        return {name: row.instead(getattr(value, name))}
    default = type(value).model_fields[name].get_default(call_default_factory=True)
    if default is PydanticUndefined:
        raise LookupError(f"{row.field} has no default; its row has to say what stands instead.")
    return {name: default}


def utc(text: str) -> datetime:
    """Return a moment of UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@cache
def _schema() -> Path:
    """Make a file with the tables once in a process, since copies of it are quicker."""
    folder = tempfile.mkdtemp(prefix="interlock-fields-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    file = Path(folder) / "interlock.db"
    database = open_database(str(file))
    upgrade(database.engine)
    database.close()
    return file
