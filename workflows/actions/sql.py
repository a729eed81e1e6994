"""`sql.query` and `sql.execute`: one statement on a named database.

Values are named parameters, never part of the text. What a plan shows is what the database
itself did with the statement before it took it back; the approved rows are compared once
more inside the transaction that commits. The database is reached through the `Rows` port.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated

from pydantic import Field, JsonValue, StringConstraints

from workflows.actions.base import (
    Action,
    Affected,
    Call,
    Effect,
    Happened,
    Model,
    Plan,
    Rows,
)
from workflows.actions.calls import needed_by, reveal, settled_effect
from workflows.actions.depth import refuse_depth
from workflows.actions.statement import LOSES, Statement, check_parameters, parse
from workflows.entry import Json
from workflows.errors import ActionError, ActionFailedError
from workflows.services import DatabaseTarget, Services

SHOWN = 20
CELL = 60
MOST_ROWS = 10_000

StatementText = Annotated[str, StringConstraints(min_length=1, max_length=20_000)]
Value = str | int | float | bool | None


class SqlCall(Model):
    """What `sql.execute` takes: `:name` in the statement is `name` in the parameters."""

    database: str
    statement: StatementText
    parameters: dict[str, Value] = Field(default_factory=dict)


class SqlQueryCall(SqlCall):
    """What `sql.query` takes."""

    limit: int = Field(default=1000, ge=1, le=MOST_ROWS)


class SqlRows(Model):
    """What `sql.query` gives; `is_cut` says that there are more rows than the limit."""

    rows: list[dict[str, JsonValue]]
    count: int
    is_cut: bool = False


class SqlDone(Model):
    """What `sql.execute` gives: how many rows it touched."""

    rows: int


class _Database:
    """What both actions share: the named database and its address."""

    def __init__(self, services: Services, rows: Rows) -> None:
        self._databases = services.databases
        self._rows = rows

    def target(self, arguments: SqlCall) -> DatabaseTarget:
        target = self._databases.get(arguments.database)
        if target is None:
            raise ActionFailedError(
                f"There is no database named {arguments.database}.",
                error_class="unknown_database",
                hint="Databases are named in policy.yaml.",
            )
        return target

    def secrets_of(self, arguments: Mapping[str, Json]) -> frozenset[str]:
        """Return the secret that holds the address of the named database."""
        return needed_by(arguments.get("database"), self._databases, lambda one: one.needs)

    def admit(self, arguments: SqlCall) -> None:
        _checked(arguments, self.target(arguments))

    def address(self, arguments: SqlCall, call: Call) -> str:
        target = self.target(arguments)
        return target.url if target.url is not None else reveal(call, str(target.secret))


class SqlQuery(_Database, Action[SqlQueryCall, SqlRows]):
    """Reads rows, in a transaction that can change nothing."""

    name = "sql.query"
    effect = Effect.READ
    takes = SqlQueryCall
    gives = SqlRows
    literals = frozenset({"statement", "database"})

    def describe(self, arguments: SqlQueryCall) -> str:
        return f"Read from {arguments.database}"

    def perform(self, arguments: SqlQueryCall, call: Call) -> SqlRows:
        target = self.target(arguments)
        statement = _checked(arguments, target)
        if not statement.is_read:
            raise ActionFailedError(
                f"{statement.verb} changes rows.",
                error_class="statement_refused",
                hint="Use sql.execute, which is planned and gated.",
            )
        rows = self._rows.query(
            self.address(arguments, call),
            statement.text,
            arguments.parameters,
            limit=arguments.limit + 1,
            timeout=call.timeout,
            role=target.read_role or target.role,
        )
        shown = rows[: arguments.limit]
        _refuse_depth(shown)
        return SqlRows(rows=shown, count=len(shown), is_cut=len(rows) > arguments.limit)


class SqlExecute(_Database, Action[SqlCall, SqlDone]):
    """Changes rows: exactly those of the approved plan, or none."""

    name = "sql.execute"
    effect = Effect.WRITE
    takes = SqlCall
    gives = SqlDone
    literals = frozenset({"statement", "database"})

    def effect_of(self, arguments: Mapping[str, Json]) -> Effect:
        """Return destructive for a statement after which rows are gone, else write."""
        try:
            verb = parse(str(arguments.get("statement", ""))).verb
        except ActionFailedError:
            return Effect.DESTRUCTIVE  # It will be refused; until then the strictest gate.
        return Effect.DESTRUCTIVE if verb in LOSES else Effect.WRITE

    def describe(self, arguments: SqlCall) -> str:
        return f"{_verb(arguments)} rows in {arguments.database}"

    def plan(self, arguments: SqlCall, call: Call) -> Plan:
        """Let the database do it and take it back; say which rows it touched."""
        target = self.target(arguments)
        statement = _writing(arguments, target)
        affected = self._rows.affected(
            self.address(arguments, call),
            statement.text,
            arguments.parameters,
            shown=SHOWN,
            timeout=call.timeout,
            role=target.role,
        )
        noun = "row" if affected.count == 1 else "rows"
        data = arguments.model_dump(mode="json")
        return Plan(
            summary=f"{_verb(arguments)} {affected.count} {noun} in {arguments.database}",
            lines=(*_wording(arguments), *_table(affected, call.redact)),
            data={**data, "rows": affected.count, "digest": affected.digest},
        )

    def perform(self, arguments: SqlCall, call: Call) -> SqlDone:
        target = self.target(arguments)
        statement = _writing(arguments, target)
        settled_effect(self, arguments, call)
        count = self._rows.execute(
            self.address(arguments, call),
            statement.text,
            arguments.parameters,
            expected=_approved(call.approved),
            key=call.key,
            records=target.records_effects,
            timeout=call.timeout,
            role=target.role,
        )
        return SqlDone(rows=count)

    def probe(self, arguments: SqlCall, call: Call) -> Happened:
        """Look the key up in the database's own record of effects."""
        try:
            target = self.target(arguments)
            if not target.records_effects:
                return Happened.UNKNOWN
            address = self.address(arguments, call)
        except ActionError:
            return Happened.UNKNOWN
        return self._rows.happened(address, key=call.key, timeout=call.timeout, role=target.role)


def _refuse_depth(rows: Sequence[Mapping[str, JsonValue]]) -> None:
    try:
        for row in rows:
            refuse_depth(dict(row))
    except ValueError as fault:
        raise ActionFailedError(
            f"The answer {fault}.",
            error_class="too_large",
            hint="Select the part of the column that is needed.",
        ) from None


def _checked(arguments: SqlCall, target: DatabaseTarget) -> Statement:
    statement = parse(arguments.statement)
    check_parameters(statement, arguments.parameters)
    if not target.allows(statement.verb):
        raise ActionFailedError(
            f"{statement.verb} may not run on {arguments.database}.",
            error_class="statement_refused",
            hint="Which statements may is listed in policy.yaml.",
        )
    return statement


def _writing(arguments: SqlCall, target: DatabaseTarget) -> Statement:
    statement = _checked(arguments, target)
    if statement.is_read:
        raise ActionFailedError(
            "This statement changes no rows.",
            error_class="statement_refused",
            hint="Use sql.query.",
        )
    return statement


def _verb(arguments: SqlCall) -> str:
    return parse(arguments.statement).verb.capitalize()


def _approved(data: Json) -> Affected | None:
    """Return what was approved, as `plan` wrote it down, if anything was."""
    if not isinstance(data, dict) or not isinstance(data.get("rows"), int):
        return None
    return Affected(count=int(str(data["rows"])), digest=str(data.get("digest", "")))


def _wording(arguments: SqlCall) -> list[str]:
    lines = [line.strip() for line in arguments.statement.strip().splitlines()]
    return lines + [f":{name} = {value!r}" for name, value in sorted(arguments.parameters.items())]


def _table(affected: Affected, redact: Callable[[str], str]) -> list[str]:
    rows = [{name: redact(str(one)) for name, one in row.items()} for row in affected.shown]
    lines = [", ".join(f"{name}={_cell(one)}" for name, one in row.items()) for row in rows]
    if rest := affected.count - len(affected.shown):
        only = f"{rest} rows, bound by their number only: their values differ with every try"
        lines.append(f"… and {rest} more" if affected.shown else only)
    return lines


def _cell(value: str) -> str:
    text = " ".join(value.split())
    return text if len(text) <= CELL else text[: CELL - 1] + "…"
