"""What was typed after `/ops`, read into one frozen value for each thing that can be asked.

Phones turn quotes and dashes into typographic ones, Slack escapes three characters and turns
mentions into ids; all of that is undone here. Whether a workflow or run of that name exists
is for the engine.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import takewhile
from typing import TypeAlias

from workflows.approval_health import LONGEST_PERIOD, USUAL_PERIOD
from workflows.duration import duration
from workflows.fault import nearest

_QUOTES = str.maketrans({"“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "’": "'", "‘": "'"})  # noqa: RUF001 - the marks that phones type.
_SPACES = re.compile(r"[\u00a0\u2000-\u200b\u202f\u3000\ufeff]")
_DASHES = re.compile(r"(?<!\S)[—–](?=[a-z])")  # noqa: RUF001 - what phones make of "--".
_LINK = re.compile(r"<((?:https?|mailto):[^|>\s]+)(?:\|[^>]*)?>")
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Start a workflow; with no name ask which, with no inputs open the form."""

    workflow: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """List runs: everybody's, mine, those of a workflow, those that wait for a person."""

    mine: bool = False
    exceptions: bool = False
    workflow: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Show:
    """Tell one run's story."""

    run: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """Tell a run as a timeline: who saw, decided and did what, on whose approval."""

    run: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """End a run."""

    run: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Open the form of a run that waits for approval, with its present values."""

    run: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveRun:
    """Put a run on another version; with none, on the active one."""

    run: str
    reason: str
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvals:
    """List what waits for a decision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflows:
    """List what can be run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Tell what became of one workflow in the catalog."""

    workflow: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """Say what differs between two versions; without them, what the active one replaced."""

    workflow: str
    versions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Set a schedule for a workflow, at a time in words; with no name list them all."""

    workflow: str = ""
    when: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Away:
    """Be away until a time in words; `to` decides meanwhile, nobody if empty."""

    until: str
    to: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegations:
    """List who is away, and who stands in for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Totp:
    """Set up one-time codes; with `reset` a governor takes that person's away."""

    reset: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Find:
    """Search the summaries of runs."""

    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """Show the digest of the last days."""

    period: timedelta = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """Say what a workflow has yet to earn before it runs unwatched."""

    workflow: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Say how approvals go, and what waits."""

    period: timedelta = USUAL_PERIOD


@dataclass(frozen=True, slots=True, kw_only=True)
class Help:
    """Say what can be asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Misread:
    """Nothing that can be done: what was wrong, and what would be right.

    `word` is an unknown first word; it may be the name of a workflow.
    """

    problem: str
    usage: str = "help"
    word: str = ""


Command: TypeAlias = (
    Run
    | Runs
    | Show
    | Audit
    | Cancel
    | Change
    | MoveRun
    | Approvals
    | Workflows
    | History
    | Diff
    | Schedule
    | Away
    | Delegations
    | Totp
    | Find
    | Digest
    | Health
    | Ready
    | Help
    | Misread
)

USAGE: Mapping[str, str] = {
    "run": "run [WORKFLOW] [FIELD=VALUE …]",
    "runs": "runs [mine | WORKFLOW | --exceptions]",
    "show": "show RUN",
    "audit": "audit RUN",
    "change": "change RUN",
    "cancel": "cancel RUN REASON",
    "move": "move RUN [to VERSION] because REASON",
    "approvals": "approvals",
    "workflows": "workflows",
    "history": "history WORKFLOW",
    "diff": "diff WORKFLOW [VERSION [VERSION]]",
    "schedule": "schedule [list | WORKFLOW WHEN [FIELD=VALUE …]]",
    "delegate": "delegate @PERSON until WHEN [because REASON]",
    "away": "away until WHEN [because REASON]",
    "delegations": "delegations",
    "totp": "totp [reset @PERSON]",
    "find": "find WORDS [CONDITION:VALUE …]",
    "digest": "digest [30d]",
    "health": "health [30d]",
    "readiness": "readiness WORKFLOW",
    "help": "help",
}


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


def normal(text: str) -> str:
    """Return `text` as it was meant: plain quotes, spaces and dashes, links as addresses.

    Line breaks become spaces, except inside straight quotes, where a value may hold them.
    """
    typed = _SPACES.sub(" ", text).replace("\r\n", "\n").translate(_QUOTES)
    typed = _LINK.sub(lambda found: found.group(1).removeprefix("mailto:"), typed)
    for entity, raw in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        typed = typed.replace(entity, raw)
    typed = _DASHES.sub("--", typed)
    return "".join(_outside_quotes(typed)).strip()


def _outside_quotes(typed: str) -> list[str]:
    parts = typed.split('"')
    is_closed = len(parts) % 2 == 1
    quoted = [
        part if index % 2 and is_closed else part.replace("\n", " ").replace("\t", " ")
        for index, part in enumerate(parts)
    ]
    return ['"'.join(quoted)]


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


def tokens(text: str) -> list[str]:
    r"""Return the words of `text`; quotes hold words together when they begin a word or value.

    An apostrophe inside a word is just that. Inside double quotes `\"` is a quote.
    """
    found: list[str] = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        word, at = _token(text, at)
        found.append(word)
    return found


def _token(text: str, at: int) -> tuple[str, int]:
    word = ""
    while at < len(text) and not text[at].isspace():
        if text[at] == '"' and (not word or word.endswith("=")):
            quoted, at = _quoted(text, at + 1)
            return word + quoted, at
        word += text[at]
        at += 1
    return word, at


def _quoted(text: str, at: int) -> tuple[str, int]:
    value = ""
    while at < len(text) and text[at] != '"':
        if text.startswith('\\"', at):
            at += 1
        value += text[at]
        at += 1
    return value, at + 1


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
