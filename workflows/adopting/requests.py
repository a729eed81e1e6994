"""Requests and statements as scripts write them. What curl and wget are told is for `curl`."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import urlsplit

from workflows.actions.base import Effect
from workflows.actions.statement import parse
from workflows.adopting.found import Doing, Http, Sql
from workflows.entry import Json
from workflows.errors import ActionFailedError

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
SHELLS_OF_DATABASES = frozenset({"psql", "mysql", "mariadb", "sqlite3"})
_COMMAND = {
    "psql": ("-c", "--command"),
    "mysql": ("-e", "--execute"),
    "mariadb": ("-e", "--execute"),
}
_DATABASE = {
    "psql": ("-d", "--dbname"),
    "mysql": ("-D", "--database"),
    "mariadb": ("-D", "--database"),
}
_CONNECTS = ("-h", "--host", "-U", "-u", "--user", "--username", "-p", "-P", "--port")
_EXPRESSION = re.compile(r"'?\$\{\{ inputs\.([a-z][a-z0-9_]*) \}\}'?")


def effect_of_method(method: str) -> Effect:
    """Return what a request with that method may do at the worst."""
    return Effect.READ if method in ("GET", "HEAD") else Effect.DESTRUCTIVE


def apart(args: Iterable[str]) -> Iterator[str]:
    """Yield the arguments with `--name=value` and `-XPOST` taken apart."""
    for one in args:
        if one.startswith("--") and "=" in one:
            yield from one.split("=", 1)
        elif re.match(r"-[Xd]\S", one) and not one.startswith("--"):
            yield from (one[:2], one[2:])
        else:
            yield one


def request(line: int, method: str, url: str, body: str, asked: Sequence[str]) -> Doing:
    """Return a request to `url`; what cannot be told from it is asked."""
    questions = list(asked)
    known = method if method in METHODS else "POST"
    base, path = _split(url)
    if known != method:
        questions.append(f"its method was {method or 'not to be seen'}; POST is a guess")
    if not base:
        questions.append("where it goes is not to be seen; name its service in the policy")
    if "?" in path:
        questions.append("put what stands behind the ? into query")
        path = path.partition("?")[0]
    work = Http(base=base, method=known, path=path or "/", body=_body(body, questions))
    return Doing(line=line, work=work, effect=effect_of_method(known), open=tuple(questions))


def _split(url: str) -> tuple[str, str]:
    """Return the address without its path, and the path; expressions stay in the path."""
    match = re.match(r"(https?://)?([A-Za-z0-9.-]+(?::[0-9]+)?)(/.*)?$", url, re.DOTALL)
    if match is None or (match[1] is None and "." not in match[2] and "localhost" not in match[2]):
        after = url.partition("://")[2] or url
        slash = after.partition("/")[2]
        return "", f"/{slash}" if slash else "/"
    return f"{match[1] or 'http://'}{match[2]}", match[3] or "/"


def host_of(base: str) -> str:
    """Return the host of an address, empty where there is none."""
    return urlsplit(base).hostname or ""


def _body(text: str, asked: list[str]) -> Json:
    if not text:
        return None
    try:
        found: Json = json.loads(text)
    except ValueError:
        asked.append("its body was no JSON; write it as json")
        return None
    return found


def database_shell(line: int, name: str, args: Sequence[str], asked: Sequence[str]) -> Doing | None:
    """Return the statement that a database's shell is given; None where none is to be seen."""
    statement = _after(list(apart(args)), _COMMAND.get(name, ()))
    plain = _plain_words(name, args)
    if name == "sqlite3" and len(plain) > 1:
        statement = plain[1]
    return sql(line, database_of(name, args), statement, asked) if statement else None


def database_of(name: str, args: Sequence[str]) -> str:
    """Return the database that a database's shell is told, empty where it is told none."""
    told, plain = _after(list(apart(args)), _DATABASE.get(name, ())), _plain_words(name, args)
    return told or (plain[0] if plain else "")


def _plain_words(name: str, args: Sequence[str]) -> list[str]:
    """Return the arguments that are neither options nor what the known options take."""
    given = list(apart(args))
    flags = (*_COMMAND.get(name, ()), *_DATABASE.get(name, ()), *_CONNECTS)
    taken = {at + 1 for at, one in enumerate(given) if one in flags}
    return [one for at, one in enumerate(given) if not one.startswith("-") and at not in taken]


def _after(args: Sequence[str], flags: Sequence[str]) -> str:
    return next((args[at + 1] for at, one in enumerate(args[:-1]) if one in flags), "")


def sql(line: int, database: str, statement: str, asked: Sequence[str]) -> Doing:
    """Return a statement, its inputs as parameters."""
    names: dict[str, str] = {}

    def named(match: re.Match[str]) -> str:
        names[match[1]] = f"${{{{ inputs.{match[1]} }}}}"
        return f":{match[1]}"

    text, questions = _EXPRESSION.sub(named, statement).strip().rstrip(";"), list(asked)
    try:
        effect = Effect.READ if parse(text).is_read else Effect.DESTRUCTIVE
    except ActionFailedError as refusal:
        effect = Effect.DESTRUCTIVE
        questions.append(f"sql.execute refuses it so far: {refusal.message}")
    work = Sql(database=_database_name(database), statement=text, parameters=names)
    return Doing(line=line, work=work, effect=effect, open=tuple(questions))


def _database_name(text: str) -> str:
    last = text.rstrip("/").rpartition("/")[2].partition("?")[0].partition(".")[0]
    plain = re.sub(r"[^a-z0-9_-]+", "-", last.casefold()).strip("-_0123456789")
    return plain or "database"
