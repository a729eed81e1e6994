"""Where a run stands, as values. `replay` makes them from its entries."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from workflows.entry import Actor, Entry, Json, Ref, RequestId, RunId

LEFT = "item_failed"  # The rule by which a loop leaves an item behind.
DIED = "segments_died"  # The rule by which a run that the bot broke down over stops.
UNTOLD = "shadow"  # The rule by which a run in shadow leaves out what it cannot tell.


class Status(StrEnum):
    """Where a run stands; the last seven are ends (AUDIT.md's outcomes, and cancelled)."""

    QUEUED = "queued"
    READY = "ready"
    RUNNING = "running"
    WAITING = "waiting"
    IN_DOUBT = "in_doubt"
    EXCEPTION = "exception"
    DONE = "done"
    DENIED = "denied"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    FAILED = "failed"
    ABORTED = "aborted"
    CANCELLED = "cancelled"

    @property
    def is_end(self) -> bool:
        """Whether nothing follows."""
        return self in _ENDS

    @property
    def words(self) -> str:
        """How people are told, in a word or two: the button that denies says Reject."""
        return "rejected" if self is Status.DENIED else self.value.replace("_", " ")


_ENDS = frozenset(list(Status)[list(Status).index(Status.DONE) :])


class Phase(StrEnum):
    """Where one step stands."""

    PENDING = "pending"  # Not begun, or to be begun again.
    OBSERVED = "observed"  # A read that answered.
    ASKED = "asked"  # An approval request is open.
    APPROVED = "approved"  # Approved, not yet consumed.
    REFUSED = "refused"  # Denied, expired or aborted: the run ends.
    TIMED = "timed"  # Waits for a moment.
    QUESTIONED = "questioned"  # People were asked something.
    CALLED = "called"  # A run of another workflow goes on for it.
    DONE = "done"  # A wait that is over, a question answered, a run that ended well.
    INTENDED = "intended"  # The effect is under way, or was when a process died.
    IN_DOUBT = "in_doubt"  # Nobody knows whether the effect happened.
    EXECUTED = "executed"
    VERIFIED = "verified"
    SKIPPED = "skipped"
    FAILED = "failed"  # The last attempt failed.
    EXCEPTION = "exception"  # A person has to say how it goes on.


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """An approval as it was given; `stands_for` is whose place it was given in, if another's."""

    approver: Ref
    stage: int
    at: datetime
    stands_for: Ref | None = None

    @property
    def place(self) -> Ref:
        """Return whose place it was given in."""
        return self.stands_for or self.approver


@dataclass(frozen=True, kw_only=True)  # Without slots: `changing` copies them often.
class StepState:
    """One step: how often it was tried, what came of it, what it waits for."""

    phase: Phase = Phase.PENDING
    attempt: int = 0
    failures: int = 0  # Failed attempts since a person last set the step going.
    output: Json = None
    request: RequestId | None = None
    next_request: RequestId | None = None  # What its next request is called, after an edit.
    stands: bool = False  # Its request is open, or approved and not used up by an effect.
    refusal: str = ""  # denied, expired or aborted
    asked: Entry | None = None  # The newest approval.requested of this step.
    approvers: tuple[Voice, ...] = ()
    glass: Entry | None = None  # The newest break_glass.used of this step.
    granted_at: datetime | None = None
    intended: Entry | None = None  # The entry that announced the newest effect.
    trouble: str = ""  # The id of the entry that made it an exception.
    changed_at: datetime | None = None
    error_class: str = ""
    performed: str = "no"
    may_retry: bool = True  # False: another attempt by itself would be blind or pointless.
    approvals_void: int = 0  # Requests withdrawn because the facts changed.
    until: datetime | None = None  # The moment a wait or a question ends.
    child: RunId | None = None  # The run that was started for it.
    is_left: bool = False  # An item that failed and was left behind.
    effect_rseq: int = -1  # The entry that says its effect happened, -1 for none.

    @property
    def is_shadow(self) -> bool:
        """Whether its question stands in the place of an effect."""
        return self.asked is not None and self.asked.data.get("shadow") is True

    @property
    def is_settled(self) -> bool:
        """Whether its effect counts as having happened, and the run went on by that."""
        return self.effect_rseq >= 0 and self.phase in _SETTLED

    @property
    def is_broken(self) -> bool:
        """Whether somebody broke the glass over its present request."""
        return self.glass is not None and self.glass.data["request"] == self.request


UNTOUCHED = StepState()
UNDER_WAY = frozenset({Phase.INTENDED, Phase.IN_DOUBT})
# Phases in which a step is over and what follows it may begin.
OVER = frozenset({Phase.OBSERVED, Phase.EXECUTED, Phase.VERIFIED, Phase.SKIPPED, Phase.DONE})
WAITING = frozenset(
    {
        Phase.ASKED,
        Phase.TIMED,
        Phase.QUESTIONED,
        Phase.CALLED,
        Phase.EXCEPTION,
        Phase.IN_DOUBT,
    }
)
MARKED = UNDER_WAY | WAITING | {Phase.REFUSED}  # A run looks for these before anything else.
_SETTLED = frozenset({Phase.EXECUTED, Phase.VERIFIED, Phase.SKIPPED})
_TOLD = frozenset({Phase.OBSERVED, Phase.EXECUTED, Phase.VERIFIED, Phase.DONE})


@dataclass(frozen=True, kw_only=True)  # Without slots: `changing` copies them often.
class RunState:
    """A run as its entries tell it."""

    id: RunId
    workflow: str = ""
    version: str = ""
    requester: Actor | None = None
    parent: RunId | None = None  # The run that this one was started for.
    source: str = ""  # What it was asked for from: a webhook, a token, a message, a builder's step.
    depth: int = 0  # How many runs stand around it.
    is_shadow: bool = False  # It reads and plans, and changes nothing.
    inputs: Mapping[str, Json] = field(default_factory=dict)
    editors: tuple[Ref, ...] = ()  # Who changed its inputs or version since it was asked for.
    steps: Mapping[str, StepState] = field(default_factory=dict)
    marked: Mapping[str, Phase] = field(default_factory=dict)  # Steps in a phase of MARKED.
    left: int = 0  # How many steps of items were left behind by loops that go on.
    rseq: int = -1
    cancel_asked: bool = False
    is_undoing: bool = False  # Aborted, and what can be taken back is.
    is_aborted: bool = False  # Nothing follows but the ends of what is under way.
    is_queued: bool = False  # Waits for a lock or a free place.
    held: frozenset[str] = frozenset()  # Steps whose effect waits for a freeze, a target, Slack.
    ended: Status | None = None
    started_at: datetime | None = None
    moved_at: datetime | None = None  # When the newest entry was written.
    worked: timedelta = timedelta()  # Time in which it waited for nobody and for no moment.

    def step(self, name: str) -> StepState:
        """Return the state of a step, begun or not."""
        return self.steps.get(name, UNTOUCHED)

    def gave(self, name: str) -> bool:
        """Say whether a step has an output, be it null."""
        step = self.step(name)
        return step.phase in _TOLD or step.output is not None

    @property
    def is_ending(self) -> bool:
        """Whether it was cancelled or aborted, and ends once what is under way has an end."""
        return self.cancel_asked or self.is_aborted

    @property
    def goes_on(self) -> bool:
        """Whether its steps go on: it neither ended nor ends, and is not being undone."""
        return self.ended is None and not self.is_ending and not self.is_undoing

    @property
    def is_waiting(self) -> bool:
        """Whether something in it waits for a person, a moment or another run, or is held back."""
        is_held = any(self.step(name).phase is not Phase.REFUSED for name in self.held)
        return self.is_queued or is_held or any(one in WAITING for one in self.marked.values())

    def time_worked(self, now: datetime) -> timedelta:
        """Return how long the run has worked by `now`, waiting left out."""
        if self.moved_at is None or self.is_waiting:
            return self.worked
        return self.worked + max(timedelta(), now - self.moved_at)

    @property
    def under_way(self) -> list[str]:
        """Return the steps whose effect is announced and not ended."""
        return [name for name, phase in self.marked.items() if phase in UNDER_WAY]

    @property
    def open_intent(self) -> str | None:
        """Return a step whose effect is announced and not ended, if there is one."""
        return next(iter(self.under_way), None)
