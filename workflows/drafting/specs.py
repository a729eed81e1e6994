"""Reads the short words in which somebody says what an input or a step of a new workflow is.

account:string:Which account
close: destructive accounts DELETE /accounts/{account}
GET /accounts/{account} => status == 404
tidy: destructive notes SQL DELETE FROM note WHERE age > {days}
SELECT count(*) AS old FROM note WHERE age > {days} => old == 0
"""

import json
import re

from workflows.actions.base import Effect
from workflows.drafting.draft import Asked, DraftStep, Proof, Request, Statement
from workflows.entry import Json
from workflows.errors import DefinitionError

TYPES = ("string", "integer", "number", "boolean", "date", "datetime", "user", "group", "channel")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
EFFECTS = tuple(one.value for one in (Effect.READ, Effect.WRITE, Effect.DESTRUCTIVE))

_STEP = re.compile(r"([a-z][a-z0-9_]*):\s*(\w+)\s+(\S+)\s+([A-Z]+)\s+(/\S*)")
_SQL_STEP = re.compile(r"([a-z][a-z0-9_]*):\s*(\w+)\s+(\S+)\s+SQL\s+(\S.*)")
_SQL_PROOF = re.compile(r"(SELECT\s.+?)\s*=>\s*([a-z_]\w*)\s*==\s*(.+)", re.IGNORECASE)
_SQL = re.compile(r"SQL\s+(\S.*)")
_PROOF = re.compile(r"(?:GET\s+)?(/\S*)\s*=>\s*(status|body(?:\.[a-z_]\w*)+)\s*==\s*(.+)")
_REQUEST = re.compile(r"([A-Z]+)\s+(/\S*)")


def read_input(text: str) -> tuple[str, dict[str, Json]]:
    """Return the name of an input and what the file says of it.

    Raises:
        DefinitionError: it is written in another form.
    """
    name, _, rest = text.partition(":")
    kind, _, title = rest.partition(":")
    kind, choices = kind.strip() or "string", [one for one in kind.split("|") if one]
    if len(choices) > 1:
        return name.strip(), _titled({"type": "enum", "choices": list(choices)}, title)
    if kind not in TYPES:
        raise DefinitionError(
            f"{text!r} is no input.",
            hint=f"Write NAME:TYPE:TITLE with one of {', '.join(TYPES)}, or ONE|ANOTHER.",
        )
    return name.strip(), _titled({"type": kind}, title)


def _titled(spec: dict[str, Json], title: str) -> dict[str, Json]:
    return {**spec, "title": title.strip()} if title.strip() else spec


def read_step(text: str) -> DraftStep:
    """Return a step without its proof and what takes it back.

    Raises:
        DefinitionError: it is written in another form.
    """
    sql, found = _SQL_STEP.fullmatch(text.strip()), _STEP.fullmatch(text.strip())
    if sql is not None and sql[2] in EFFECTS:
        statement = Statement(database=sql[3], sql=sql[4])
        return DraftStep(id=sql[1], effect=Effect(sql[2]), asked=statement)
    if found is None or found[2] not in EFFECTS or found[4] not in METHODS:
        raise DefinitionError(
            f"{text!r} is no step.",
            hint="Write ID: EFFECT SERVICE METHOD /PATH or ID: EFFECT DATABASE SQL STATEMENT,"
            f" the effect being {', '.join(EFFECTS)}.",
        )
    request = Request(service=found[3], method=found[4], path=found[5])
    return DraftStep(id=found[1], effect=Effect(found[2]), asked=request)


def read_proof(text: str, of: Asked) -> Proof:
    """Return what shows an effect of a request, or of a statement.

    Raises:
        DefinitionError: it is written in another form.
    """
    is_sql = isinstance(of, Statement)
    found = (_SQL_PROOF if is_sql else _PROOF).fullmatch(text.strip())
    if found is None:
        raise DefinitionError(
            f"{text!r} proves nothing.",
            hint="Write SELECT … AS COLUMN … => COLUMN == VALUE."
            if is_sql
            else "Write /PATH => status == 404, or /PATH => body.FIELD == VALUE.",
        )
    return Proof(asks=found[1], field=found[2], value=_value(found[3].strip()))


def _value(text: str) -> Json:
    try:
        found = json.loads(text)
    except ValueError:
        return text
    return found if isinstance(found, bool | int | float | str) else text


def read_undo(text: str, of: Asked) -> Asked | None:
    """Return what takes a step back at the same service or database, None for `none`.

    Raises:
        DefinitionError: it is written in another form.
    """
    if text.strip() == "none":
        return None
    if isinstance(of, Statement):
        sql = _SQL.fullmatch(text.strip())
        if sql is None:
            raise DefinitionError(f"{text!r} takes nothing back.", hint="Write SQL …, or none.")
        return Statement(database=of.database, sql=sql[1])
    found = _REQUEST.fullmatch(text.strip())
    if found is None or found[1] not in METHODS:
        raise DefinitionError(f"{text!r} takes nothing back.", hint="Write METHOD /PATH, or none.")
    return Request(service=of.service, method=found[1], path=found[2])
