"""What an approval card is drawn from: the preview as it was recorded, and what is live.

The preview was made once, when the request was raised, and the auditor reads the same bytes;
only the tally, the buttons and the receipt change.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from bot.wording import Who, who_of
from workflows.entry import Json
from workflows.gate import Outcome, Verdict
from workflows.instances import is_undo, undone_by
from workflows.separation import Duty


class _Frozen(BaseModel):
    # A later release may add to the preview; what this one knows keeps its meaning.
    model_config = ConfigDict(frozen=True, extra="ignore")


class Asker(_Frozen):
    """Who asked, by external id."""

    id: str
    name: str = ""


class StageShown(_Frozen):
    """One stage, with the groups as the policy names them."""

    groups: tuple[str, ...] = Field(validation_alias="from")
    approve: int
    deny: int
    turn: int | None = None  # Stages that are decided side by side share it.


class EscalationShown(_Frozen):
    """Who may decide too from a moment on."""

    at: datetime
    to: tuple[str, ...]


class LeftOut(_Frozen):
    """Somebody beside the requester who may not decide, and why."""

    id: str
    name: str = ""
    duty: str


class FreezeShown(_Frozen):
    """A freeze that was on, or coming, when it was asked."""

    name: str
    until: datetime


class DeniedShown(_Frozen):
    """Who had denied the same before."""

    by: Asker
    at: datetime
    reason: str = ""
    workflow: str = ""
    count: int = 1

    @property
    def who(self) -> Who:
        """Return the person, as somebody where they were erased."""
        return who_of(self.by.id, self.by.name) if self.by.id else Who(name="somebody")


class GlassShown(_Frozen):
    """Who could decide alone, and who reviews that, by the policy's names."""

    names: tuple[str, ...] = Field(validation_alias="from")
    by: tuple[str, ...]
    review: str


Shown = Annotated[str, BeforeValidator(str)]  # Values are shown; a number becomes its digits.


class Preview(_Frozen):
    """What an approver was shown, read back from the entry that asked."""

    v: Literal[1]
    run: str
    request: str
    workflow: str
    title: str
    version: str
    step: str
    action: str
    effect: str
    headline: str
    lines: tuple[str, ...] = ()
    lines_total: int = 0
    inputs: tuple[tuple[str, Shown], ...] = ()
    live: tuple[tuple[int, str, str], ...] = ()  # Row of the inputs, kind, id or moment.
    requester: Asker | None = None
    rules: tuple[str, ...] = ()
    stages: tuple[StageShown, ...]
    needs_reason: bool = False
    step_up: str = ""  # What an approver types as well, if anything.
    expires: datetime
    digest: str
    changed: tuple[str, ...] = ()
    reason_hints: tuple[str, ...] = ()
    hours: tuple[str, ...] = ()
    escalate: tuple[EscalationShown, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    auto: tuple[tuple[str, str], ...] = ()  # Rules that spared people, and why.
    by_model: tuple[str, ...] = ()  # The arguments that a language model filled.
    budgets: tuple[str, ...] = ()
    freeze: FreezeShown | None = None
    denied: DeniedShown | None = None
    glass: GlassShown | None = None

    @classmethod
    def read(cls, stored: bytes | str | Mapping[str, Any]) -> Self:
        """Return the preview from its part, or from the JSON in it."""
        if isinstance(stored, bytes | str):
            return cls.model_validate_json(stored)
        return cls.model_validate(stored)

    @property
    def value(self) -> str:
        """Return what the buttons carry: the request and what exactly is approved."""
        return f"{self.request}.{self.digest[:8]}"

    @property
    def more(self) -> str:
        """Return what the headline says beyond the title; a proposal's title may say it all."""
        return self.headline.removeprefix(self.title).removeprefix(": ")

    @property
    def heading(self) -> str:
        """Return the line over it: what it is, and what would be done."""
        return f"{self.titled}: {self.more}" if self.more else self.titled

    @property
    def titled(self) -> str:
        """Return the title, of an undoing with what it takes back."""
        return f"{self.title}, taking back {self.taken_back}" if self.taken_back else self.title

    @property
    def taken_back(self) -> str:
        """Return the step that this one takes back, "" where it is no undoing."""
        return undone_by(self.step) if is_undo(self.step) else ""

    @property
    def asker(self) -> Who:
        """Return who asked, or the schedule if nobody did."""
        if self.requester is None:
            return Who(name="the schedule")
        return who_of(self.requester.id, self.requester.name)

    @property
    def was_changed(self) -> bool:
        """Whether somebody beside the requester changed what is asked."""
        return any(one.duty == Duty.CHANGER for one in self.left_out)

    @property
    def hidden(self) -> int:
        """Return how many lines of the plan the preview itself does not hold."""
        return max(0, self.lines_total - len(self.lines))


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """One decision, for the record on the card; `stands_for` is in whose place it was given."""

    who: Who
    verdict: Verdict
    at: datetime
    comment: str = ""
    stands_for: Who | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """Somebody who was asked and is away, and who decides in their place, if anybody."""

    who: Who
    until: datetime
    stand_in: Who | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Where the settling entry stands in the log, and the log's head that covers it."""

    number: int
    leaf: str
    size: int
    root: str

    @property
    def line(self) -> str:
        return f"#{self.number} · leaf {self.leaf[:8]} · head {self.size}/{self.root[:8]}"

    @property
    def whole(self) -> dict[str, Json]:
        """Return all of it, for the message's metadata."""
        return {"entry": self.number, "leaf": self.leaf, "size": self.size, "root": self.root}


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalated:
    """Groups that may decide too since a moment, and in which stages."""

    groups: tuple[str, ...]
    stages: tuple[int, ...]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class GlassBroken:
    """Somebody decided alone, why, and by when that is reviewed."""

    who: Who
    at: datetime
    reason: str = ""
    settles: bool = True  # False: it had been approved, and a freeze was passed.


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldShown:
    """Why an approved effect waits: a freeze, or something else in words."""

    words: str
    is_frozen: bool = False
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestCard:
    """A request as it stands now.

    `given` says how many approvals each stage has, and `waiting` are the stages of the present
    turn that lack some.
    `known` maps the groups and people that the policy names to live mentions; a name that is
    not in it is shown as written. `reason` says why a request was withdrawn. `absences` are
    those of whom it still waits for; `deserted_until` is when the first is back, if all are.
    """

    preview: Preview
    outcome: Outcome = Outcome.OPEN
    given: Sequence[int] = ()
    waiting: Sequence[int] = (0,)
    escalated: Sequence[Escalated] = ()
    votes: Sequence[Vote] = ()
    settled_at: datetime | None = None
    is_consumed: bool = False
    reason: str = ""
    successor: str = ""  # The permalink of the request that took this one's place.
    edited_by: Who | None = None  # Who changed what was asked here.
    receipt: Receipt | None = None
    known: Mapping[str, Who] = field(default_factory=dict)
    thread: str = ""
    absences: Sequence[Absence] = ()
    deserted_until: datetime | None = None
    may_take_back: bool = False  # Approved, not consumed, and whoever approved may still deny.
    broken: GlassBroken | None = None
    hold: HoldShown | None = None

    @property
    def is_open(self) -> bool:
        return self.outcome is Outcome.OPEN
