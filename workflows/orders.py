"""What people and programs ask of the engine, and what they are told back."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from workflows.entry import Actor, Json, RequestId, RunId
from workflows.errors import GateError
from workflows.gate import Tally, Verdict
from workflows.people import PersonId
from workflows.store import Delivery


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A run that somebody or something wants started.

    `person` is who asks; without one, `actor` says what does (a schedule). `key` makes the
    same start twice one run, and something else under it a refusal. `delivery` does the same
    for what is delivered more than once, and whatever is delivered again counts as the same.
    `message` is what the person typed.
    """

    workflow: str
    inputs: Mapping[str, object]
    trigger: str
    person: PersonId | None = None
    actor: Actor | None = None
    key: str | None = None
    channel: str = ""
    message: str = ""
    source: str = ""
    delivery: Delivery | None = None
    child: "Child | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A run that a step of another run starts: its id, and whose step at which depth."""

    run: RunId
    parent: RunId
    step: str
    depth: int
    is_shadow: bool = False  # As the run that starts it.


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The run that answers a start; `is_new` is False when it was started before."""

    run: RunId
    is_new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ballot:
    """A verdict that somebody wants recorded; `shown` is the digest's head on their card.

    `code` is the one-time code that they typed, where one is asked for.
    """

    request: RequestId
    person: PersonId
    verdict: Verdict
    shown: str = ""
    comment: str = ""
    via: str = "slack"
    slack: Json = None
    delivery: Delivery | None = None
    code: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A verdict among several that does not count, and why."""

    request: RequestId
    why: GateError


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """All inputs of a run as somebody wants them; `shown` is the digest's head on their card."""

    request: RequestId
    person: PersonId
    inputs: Mapping[str, object]
    shown: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """The run that goes on with other inputs, and what its new request will be called.

    `changed` is False when the same edit was recorded before.
    """

    run: RunId
    next: RequestId
    changed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Moving:
    """A waiting run that somebody wants on another version; without `to`, on the active one."""

    run: RunId
    person: PersonId
    reason: str
    to: str = ""
    via: str = "slack"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """The version that a run has now, and the one it had; `changed` is False if it had it."""

    run: RunId
    before: str
    version: str
    changed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What a request amounts to now; `changed` is False when the verdict was there already."""

    request: RequestId
    run: RunId
    tally: Tally
    changed: bool
