"""What an SQL statement is, as far as it must be known before it may run.

This reads no grammar. It splits a text into words, quoted things and signs, enough to tell
one statement from two, reading from writing, and which names it expects values for. What
it cannot be sure of it refuses; the database is the second guard.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from workflows.entry import Json
from workflows.errors import ActionFailedError

READS = frozenset({"SELECT", "VALUES"})
WRITES = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE"})
LOSES = frozenset({"DELETE", "MERGE", "REPLACE"})
# What gives another value each time it is asked.
CHANGING = frozenset(
    {
        "CLOCK_TIMESTAMP",
        "CURRENT_DATE",
        "CURRENT_TIME",
        "CURRENT_TIMESTAMP",
        "DATE",
        "DATETIME",
        "GEN_RANDOM_UUID",
        "JULIANDAY",
        "LOCALTIME",
        "LOCALTIMESTAMP",
        "NEXTVAL",
        "NOW",
        "RANDOM",
        "RANDOMBLOB",
        "STATEMENT_TIMESTAMP",
        "STRFTIME",
        "TIME",
        "TIMEOFDAY",
        "TRANSACTION_TIMESTAMP",
        "TXID_CURRENT",
        "UNIXEPOCH",
        "UUIDV4",
        "UUIDV7",
    }
)

# Functions that reach out of the data: to files, other servers, other sessions, or to statements
# that are not this one. A transaction that can change nothing does not stop them.
REACHING = frozenset(
    {
        "CURSOR_TO_XML",
        "DATABASE_TO_XML",
        "EDIT",
        "FTS3_TOKENIZER",
        "LOAD_EXTENSION",
        "LOREAD",
        "LOWRITE",
        "QUERY_TO_XML",
        "QUERY_TO_XMLSCHEMA",
        "QUERY_TO_XML_AND_XMLSCHEMA",
        "READFILE",
        "SET_CONFIG",
        "WRITEFILE",
        "XPATH_TABLE",
    }
)
REACHING_BEGIN = (
    "DBLINK",
    "LO_",
    "PG_ADVISORY",
    "PG_BACKUP",
    "PG_CANCEL",
    "PG_CREATE",
    "PG_CURRENT_LOGFILE",
    "PG_DROP",
    "PG_FILE",
    "PG_LOGICAL",
    "PG_LS_",
    "PG_NOTIFY",
    "PG_PROMOTE",
    "PG_READ_",
    "PG_RELOAD",
    "PG_REPLICATION",
    "PG_ROTATE",
    "PG_SLEEP",
    "PG_START",
    "PG_STAT_FILE",
    "PG_STAT_RESET",
    "PG_STOP",
    "PG_SWITCH",
    "PG_TERMINATE",
    "PG_TRY_ADVISORY",
    "PG_WAL",
)

SQUARE = frozenset({("sign", "["), ("sign", "]")})
TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<doubt>--|/\*|\$\w*\$|`|\b[eE]'|\b[uU]&['"])  # Read differently by each database.
    |(?P<quoted>'(?:[^']|'')*'|"(?:[^"]|"")*")
    |(?P<cast>::)
    |(?P<name>:[A-Za-z_]\w*)
    |(?P<word>[^\W\d]\w*)
    |(?P<sign>.)""",
    re.VERBOSE | re.DOTALL,
)

LIKE_A_NAME = re.compile(r"(?<![:\w\\]):\w")


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement: its `verb`, and the names of its parameters.

    `is_steady` says that the rows it returns are the same whenever it is tried on the same
    data: those of an INSERT carry fresh numbers, and those of an UPDATE may carry the time.
    """

    text: str
    verb: str
    names: frozenset[str]
    has_returning: bool
    is_steady: bool

    @property
    def is_read(self) -> bool:
        """Whether it looks like one that only reads; a CTE may hide a write."""
        return self.verb in READS


def parse(text: str) -> Statement:
    """Return what `text` is.

    Raises:
        ActionFailedError: not exactly one plain statement.
    """
    tokens = list(_tokens(text))
    if tokens and tokens[-1] == ("sign", ";"):
        tokens.pop()
    if ("sign", ";") in tokens:
        raise _refused("There is more than one statement.", "Make each a step of its own.")
    _refuse_reaching(tokens)
    top = list(_outside_brackets(tokens))
    verb = next((word for word in top if word in READS | WRITES), "")
    words = {value.upper() for kind, value in tokens if kind == "word"}
    first = tokens[0][1].upper() if tokens else ""
    if not verb or first not in {verb, "WITH"}:
        raise _refused("This is no statement that reads or changes rows.", "Write SELECT, …")
    return Statement(
        text=text.strip().rstrip(";").rstrip(),
        verb=verb,
        names=frozenset(value[1:] for kind, value in tokens if kind == "name"),
        has_returning="RETURNING" in top,
        is_steady=verb == "DELETE" or (verb == "UPDATE" and not (words & CHANGING)),
    )


def check_parameters(statement: Statement, parameters: Mapping[str, Json]) -> None:
    """Refuse values that do not fit the names the statement expects.

    Raises:
        ActionFailedError: a value is missing, or nobody asked for it.
    """
    if missing := sorted(statement.names - set(parameters)):
        raise _refused(f"No value for :{', :'.join(missing)}.", "Give it under `parameters`.")
    if unused := sorted(set(parameters) - statement.names):
        raise _refused(f"The statement has no :{', :'.join(unused)}.", "Remove that parameter.")


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    for match in TOKEN.finditer(text):
        kind = match.lastgroup or "sign"
        if kind == "doubt" or (kind == "sign" and match[0] in "'\"\0"):
            raise _refused(
                f"{match[0]!r} may stand for different things in different databases.",
                "Leave out comments and escapes, close every quote; values are parameters.",
            )
        if kind == "quoted" and LIKE_A_NAME.search(match[0]):
            raise _refused(
                f"{match[0]} holds what looks like a parameter.", "Give that text as a parameter."
            )
        if kind != "space":
            yield kind, match[0]


def _refuse_reaching(tokens: list[tuple[str, str]]) -> None:
    """Refuse calls of functions that reach out of the data, however their names are written."""
    for name in _called(tokens):
        if name in REACHING or name.startswith(REACHING_BEGIN):
            raise _refused(
                f"{name.lower()} reaches out of the data.", "A statement reads and changes rows."
            )


def _called(tokens: list[tuple[str, str]]) -> Iterator[str]:
    """Yield the names before a bracket, in capitals. SQLite takes them in square ones, too."""
    named = [one for one in tokens if one not in SQUARE]
    for (kind, value), following in pairwise(named):
        if following == ("sign", "(") and (kind == "word" or value.startswith('"')):
            yield value.strip('"').upper()


def _outside_brackets(tokens: list[tuple[str, str]]) -> Iterator[str]:
    """Yield the words, in capitals, that stand in no bracket: a CTE's body is left out."""
    depth = 0
    for kind, value in tokens:
        if kind == "sign":
            depth += {"(": 1, ")": -1}.get(value, 0)
        if kind == "word" and depth == 0:
            yield value.upper()


def _refused(message: str, hint: str) -> ActionFailedError:
    return ActionFailedError(message, error_class="statement_refused", hint=hint)
