"""What a step of a workflow may say."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import Discriminator, Field, JsonValue, Tag, model_validator

from workflows.actions.base import Effect
from workflows.definition_parts import Closed, Condition, Identifier, Somebody, Title
from workflows.duration import Duration, at_most
from workflows.entry import PartClass
from workflows.policy_escalation import Escalate
from workflows.policy_reason import Reason
from workflows.retry import Backoff
from workflows.shapes import Returns

MOST_ATTEMPTS = 20
LONGEST_TIMEOUT = timedelta(hours=6)
LONGEST_EXPIRY = timedelta(days=30)

Expiry = Annotated[Duration, at_most(LONGEST_EXPIRY)]
Timeout = Annotated[Duration, at_most(LONGEST_TIMEOUT)]


class Retry(Closed):
    """How often a step is tried, and how long it waits in between."""

    attempts: int = Field(default=3, ge=1, le=MOST_ATTEMPTS)
    backoff: Literal["exponential", "fixed"] = "exponential"
    first: Duration = timedelta(seconds=1)
    max: Duration = timedelta(seconds=60)

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.first > self.max:
            raise ValueError("first is longer than max")
        return self

    @property
    def policy(self) -> Backoff:
        """Return it as the engine's rule for trying again."""
        return Backoff(
            attempts=self.attempts,
            first=self.first,
            longest=self.max,
            is_exponential=self.backoff == "exponential",
        )


PATIENT_RETRY = Retry()
HASTY_RETRY = Retry(attempts=1)
HASTY_TIMEOUT = timedelta(seconds=30)


class ApprovalStage(Closed):
    """Some people, of whom `approve` must agree and `deny` suffice to refuse."""

    asked: tuple[Somebody, ...] = Field(alias="from", min_length=1, max_length=20)
    approve: int = Field(default=1, ge=1, le=100)
    deny: int = Field(default=1, ge=1, le=100)


class AllOf(Closed):
    """Parts that are decided side by side; each of them has to agree."""

    parts: tuple[ApprovalStage, ...] = Field(alias="all", min_length=2, max_length=10)


def _stage_form(value: object) -> str:
    is_all = isinstance(value, AllOf) or (isinstance(value, dict) and "all" in value)
    return "<all>" if is_all else "<people>"


AnyStage: TypeAlias = Annotated[
    Annotated[ApprovalStage, Tag("<people>")] | Annotated[AllOf, Tag("<all>")],
    Discriminator(_stage_form),
]


def turns_of(stages: Iterable[ApprovalStage | AllOf]) -> tuple[tuple[ApprovalStage, ...], ...]:
    """Return the stages turn by turn: alone, or the parts that are decided side by side."""
    return tuple(one.parts if isinstance(one, AllOf) else (one,) for one in stages)


def apart(turns: Iterable[Sequence[ApprovalStage]]) -> list[tuple[ApprovalStage, ...]]:
    """Return the stages turn by turn, those that ask the same people once, where they first stand.

    One person counts once, so as many have to agree there as in all these stages together, and
    as few suffice to refuse as in one of them. A turn that has none of its own is empty.
    """
    found: dict[frozenset[str], ApprovalStage] = {}
    kept: list[list[frozenset[str]]] = []
    for turn in turns:
        kept.append([])
        for stage in turn:
            people = frozenset(stage.asked)
            first = found.get(people)
            if first is None:
                kept[-1].append(people)
            found[people] = stage if first is None else _both(first, stage)
    return [tuple(found[people] for people in turn) for turn in kept]


def _both(first: ApprovalStage, then: ApprovalStage) -> ApprovalStage:
    wanted = {"approve": first.approve + then.approve, "deny": min(first.deny, then.deny)}
    return first.model_copy(update=wanted)


class Approval(Closed):
    """People whose agreement the definition wants on top of what the policy demands."""

    stages: tuple[AnyStage, ...] = Field(min_length=1, max_length=10)
    expires: Expiry | None = None
    remind: tuple[Duration, ...] = ()
    reason: Reason = "optional"
    escalate: Escalate | None = None

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if self.expires is None:
            return self
        if are_late(self.remind, self.expires):
            raise ValueError("a reminder comes after the request has expired")
        if self.escalate is not None and self.escalate.after >= self.expires:
            raise ValueError("an escalation comes after the request has expired")
        return self


def are_late(remind: tuple[timedelta, ...], expires: timedelta) -> bool:
    """Say whether a reminder comes only when nobody can decide any more."""
    return any(one >= expires for one in remind)


class _Work(Closed):
    """An action with its arguments: the heart of a step, of its proof and of its undoing."""

    uses: str = Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$")
    arguments: dict[str, JsonValue] = Field(default_factory=dict, alias="with")
    returns: dict[str, Returns] | None = None
    timeout: Timeout = timedelta(minutes=10)
    retry: Retry | None = None


class Verify(_Work):
    """A read that shows whether this very effect happened; asked again until `within` is over."""

    timeout: Timeout = timedelta(minutes=1)
    expect: Condition
    within: Timeout = timedelta(minutes=1)


class Undo(_Work):
    """What takes a step back; it is gated like any other step."""

    title: Title | None = None
    effect: Effect | None = None
    approval: Approval | None = None
    verify: Verify | None = None


def _undo_form(value: object) -> str:
    return "none" if isinstance(value, str) else "step"


UndoChoice: TypeAlias = Annotated[
    Annotated[Literal["none"], Tag("none")] | Annotated[Undo, Tag("step")],
    Discriminator(_undo_form),
]


class Step(_Work):
    """One stage of a workflow."""

    id: Identifier
    title: Title | None = None
    when: Condition | None = None
    effect: Effect | None = None
    approval: Approval | None = None
    verify: Verify | None = None
    undo: UndoChoice | None = None
    recheck: bool = True
    cls: PartClass | None = None

    @property
    def shown(self) -> str:
        """Return the step's name for people."""
        return self.title or self.id.replace("_", " ")


Work: TypeAlias = Step | Verify | Undo


def hasty(step: Step) -> Step:
    """Return `step` as best effort takes it: one attempt, a short timeout, no verification."""
    return step.model_copy(
        update={
            "retry": HASTY_RETRY,
            "timeout": min(step.timeout, HASTY_TIMEOUT),
            "verify": None,
        }
    )


def raised(declared: Effect, stated: Effect | None) -> Effect:
    """Return the graver of what the action declares and what the definition says."""
    return max(declared, stated or declared, key=lambda one: one.rank)


def args_of(work: Work) -> dict[str, Any]:
    """Return a copy of the arguments as they stand in the file, expressions included."""
    return dict(work.arguments)
