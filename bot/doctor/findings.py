"""What a look at one thing found: how it stands, what was seen, what to do about it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from workflows.errors import InterlockError


class State(StrEnum):
    """How something stands. What could not be seen is unknown, never well."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One check: `saw` is what it saw, `costs` what it means if nobody cares, `do` what helps."""

    check: str
    state: State
    saw: str
    costs: str = ""
    do: str = ""


def ok(check: str, saw: str) -> Finding:
    """Return that something is as it should be."""
    return Finding(check=check, state=State.OK, saw=saw)


def warn(check: str, saw: str, *, costs: str, do: str) -> Finding:
    """Return that the bot works, and would be better off otherwise."""
    return Finding(check=check, state=State.WARN, saw=saw, costs=costs, do=do)


def fail(check: str, saw: str, *, costs: str, do: str) -> Finding:
    """Return that something does not work."""
    return Finding(check=check, state=State.FAIL, saw=saw, costs=costs, do=do)


def unknown(check: str, saw: str, *, do: str) -> Finding:
    """Return that nobody can say, and what would make it possible."""
    return Finding(
        check=check, state=State.UNKNOWN, saw=saw, costs="Nobody knows whether it is well.", do=do
    )


def refused(check: str, refusal: InterlockError, *, costs: str) -> Finding:
    """Return that something does not work, in the words of whoever refused it."""
    do = refusal.hint or "Correct it, then look again."
    return fail(check, refusal.message, costs=costs, do=do)


def worst(findings: Iterable[Finding]) -> State:
    """Return the state that the whole is in."""
    found = {one.state for one in findings}
    order = (State.FAIL, State.UNKNOWN, State.WARN)
    return next((one for one in order if one in found), State.OK)
