"""Reads what was typed after `/ops` into the value that says what is asked.

Whether a workflow or run of that name exists is for the engine.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import takewhile

from bot.command_values import (
    USAGE,
    Approvals,
    Audit,
    Away,
    Cancel,
    Change,
    Command,
    Delegations,
    Diff,
    Digest,
    Find,
    Health,
    Help,
    History,
    Misread,
    MoveRun,
    Ready,
    Run,
    Runs,
    Schedule,
    Show,
    Totp,
    Workflows,
)
from bot.typed_words import normal, tokens
from workflows.approval_health import LONGEST_PERIOD, USUAL_PERIOD
from workflows.duration import duration
from workflows.fault import nearest

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_FOR_WHOM = re.compile(r"(?:to\s+)?(?P<to><[^>]+>|\S+)\s+(?P<rest>.+)", re.DOTALL)
_UNTIL = re.compile(
    r"until\s+(?P<until>.+?)(?:\s+because\s+(?P<reason>.+))?", re.DOTALL | re.IGNORECASE
)
_MOVED = re.compile(
    r"(?P<run>\S+)(?:\s+to\s+(?P<to>\S+))?\s+because\s+(?P<reason>.+)", re.DOTALL | re.IGNORECASE
)
_LONGEST_REASON = 300
_ECHO = 60


def parse(text: str) -> Command:
    """Return what `text` asks for; nothing typed asks for help."""
    typed = normal(text)
    word, _, rest = typed.partition(" ")
    name = word.casefold()
    if not name:
        return Help()
    if name not in _READERS:
        return _unknown(word)
    return _READERS[name](rest.strip())


def _unknown(word: str) -> Misread:
    near = nearest(word.casefold(), USAGE)
    if near is None:
        return Misread(problem=f"There is no “{_short(word)}”.", word=word)
    problem = f"There is no “{_short(word)}”. Did you mean “{near}”?"
    return Misread(problem=problem, usage=near, word=word)


def _short(word: str) -> str:
    return word if len(word) <= _ECHO else f"{word[:_ECHO]}…"


def _run(rest: str) -> Command:
    if rest.count('"') % 2:
        return Misread(problem="A quote is opened and not closed.", usage="run")
    words = tokens(rest)
    if not words:
        return Run()
    name, given = words[0], words[1:]
    if _NAME.match(name):
        return Misread(problem="The workflow's name comes first.", usage="run")
    inputs = _inputs(given, usage="run")
    return inputs if isinstance(inputs, Misread) else Run(workflow=name.casefold(), inputs=inputs)


def _inputs(given: Sequence[str], *, usage: str) -> dict[str, str] | Misread:
    inputs: dict[str, str] = {}
    for word in given:
        key, sign, value = word.partition("=")
        if not sign or not _NAME.match(word):
            hint = f"“{_short(word)}” is no FIELD=VALUE; put quotes around values with spaces."
            return Misread(problem=hint, usage=usage)
        if key in inputs:
            return Misread(problem=f"{_short(key)} is given twice.", usage=usage)
        inputs[key] = value
    return inputs


def _schedule(rest: str) -> Command:
    if rest.count('"') % 2:
        return Misread(problem="A quote is opened and not closed.", usage="schedule")
    words = tokens(rest)
    if not words or [word.casefold() for word in words] == ["list"]:
        return Schedule()
    name, said = words[0], list(takewhile(lambda word: not _NAME.match(word), words[1:]))
    if _NAME.match(name):
        return Misread(problem="The workflow's name comes first.", usage="schedule")
    if not said:
        return Misread(problem="Say when, as in “tomorrow 9am”.", usage="schedule")
    inputs = _inputs(words[1 + len(said) :], usage="schedule")
    if isinstance(inputs, Misread):
        return inputs
    return Schedule(workflow=name.casefold(), when=" ".join(said), inputs=inputs)


def _delegate(rest: str) -> Command:
    found = _FOR_WHOM.fullmatch(rest)
    if found is None:
        problem = "Say who decides for you, and until when."
        return Misread(problem=problem, usage="delegate")
    match _away(found["rest"]):
        case Away() as away:
            return replace(away, to=found["to"])
        case Misread() as misread:
            return replace(misread, usage="delegate")
        case other:
            return other


def _away(rest: str) -> Command:
    found = _UNTIL.fullmatch(rest)
    if found is None:
        return Misread(problem="Say until when, as in “until monday”.", usage="away")
    reason = (found["reason"] or "").strip().strip('"').strip()
    if len(reason) > _LONGEST_REASON:
        problem = f"The reason is longer than {_LONGEST_REASON} characters."
        return Misread(problem=problem, usage="away")
    return Away(until=found["until"], reason=reason)


def _totp(rest: str) -> Command:
    words = rest.split()
    if not words:
        return Totp()
    if words[0].casefold() != "reset" or len(words) != 2:  # noqa: PLR2004 - the word and a person.
        return Misread(problem="Say whose codes are to be taken away.", usage="totp")
    return Totp(reset=words[1])


def _runs(rest: str) -> Command:
    words = [word.casefold() for word in rest.split()]
    flags = {word for word in words if word in ("mine", "--mine", "--exceptions", "exceptions")}
    named = [word for word in words if word not in flags]
    odd = next((word for word in named if word.startswith("-")), None)
    if odd is not None or len(named) > 1:
        what = odd or " ".join(named)
        return Misread(problem=f"“{_short(what)}” is no list of runs.", usage="runs")
    return Runs(
        mine=bool(flags & {"mine", "--mine"}),
        exceptions=bool(flags & {"exceptions", "--exceptions"}),
        workflow=named[0] if named else "",
    )


def _show(rest: str) -> Command:
    words = rest.split()
    if len(words) != 1:
        return Misread(problem="Say which run, by its id.", usage="show")
    return Show(run=words[0].strip("`"))


def _audit(rest: str) -> Command:
    words = rest.split()
    if len(words) != 1:
        return Misread(problem="Say which run, by its id.", usage="audit")
    return Audit(run=words[0].strip("`"))


def _history(rest: str) -> Command:
    words = rest.split()
    if len(words) != 1:
        return Misread(problem="Say which workflow, by its name.", usage="history")
    return History(workflow=words[0].strip("`").casefold())


def _diff(rest: str) -> Command:
    name, *versions = (word.strip("`").casefold() for word in rest.split() or [""])
    if not name:
        return Misread(problem="Say which workflow, by its name.", usage="diff")
    if len(versions) > 2:  # noqa: PLR2004 - two versions are compared.
        return Misread(problem="Only two versions can be compared.", usage="diff")
    return Diff(workflow=name, versions=tuple(versions))


def _change(rest: str) -> Command:
    words = rest.split()
    if len(words) != 1:
        return Misread(problem="Say which run, by its id.", usage="change")
    return Change(run=words[0].strip("`"))


def _cancel(rest: str) -> Command:
    run, _, reason = rest.partition(" ")
    reason = reason.strip().strip('"').strip()
    if not run:
        return Misread(problem="Say which run, by its id, and why.", usage="cancel")
    if not reason:
        problem = "Say why as well; the reason stays on record."
        return Misread(problem=problem, usage="cancel")
    return Cancel(run=run.strip("`"), reason=reason)


def _move(rest: str) -> Command:
    found = _MOVED.fullmatch(rest)
    reason = found["reason"].strip().strip('"').strip() if found is not None else ""
    if found is None or not reason:
        problem = "Say which run, by its id, and because of what; the reason stays on record."
        return Misread(problem=problem, usage="move")
    version = (found["to"] or "").strip("`").casefold()
    return MoveRun(run=found["run"].strip("`"), version=version, reason=reason)


def _find(rest: str) -> Command:
    if not rest:
        return Misread(problem="Say what to look for.", usage="find")
    return Find(words=rest)


def _health(rest: str) -> Command:
    period = _period(rest, usage="health")
    return period if isinstance(period, Misread) else Health(period=period or USUAL_PERIOD)


def _ready(rest: str) -> Command:
    words = rest.split()
    if len(words) != 1:
        return Misread(problem="Say which workflow, by its name.", usage="readiness")
    return Ready(workflow=words[0].casefold())


def _digest(rest: str) -> Command:
    period = _period(rest, usage="digest")
    if isinstance(period, Misread):
        return period
    return Digest(period=period) if period else Digest()


def _period(rest: str, *, usage: str) -> timedelta | Misread | None:
    """Return a period that was typed, None where there was none."""
    if not rest:
        return None
    try:
        period = duration(rest.casefold())
    except ValueError:
        return Misread(problem=f"“{_short(rest)}” is no period; write 7d or 30d.", usage=usage)
    if period > LONGEST_PERIOD:
        return Misread(problem="That is longer than a year.", usage=usage)
    return period


def _bare(command: Callable[[], Command]) -> Callable[[str], Command]:
    return lambda _: command()


_READERS: Mapping[str, Callable[[str], Command]] = {
    "run": _run,
    "runs": _runs,
    "show": _show,
    "audit": _audit,
    "change": _change,
    "cancel": _cancel,
    "move": _move,
    "approvals": _bare(Approvals),
    "workflows": _bare(Workflows),
    "history": _history,
    "diff": _diff,
    "schedule": _schedule,
    "delegate": _delegate,
    "away": _away,
    "delegations": _bare(Delegations),
    "totp": _totp,
    "find": _find,
    "digest": _digest,
    "health": _health,
    "readiness": _ready,
    "help": _bare(Help),
}
