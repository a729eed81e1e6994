"""Who has to agree before another version of a workflow, or of the policy, counts.

Stages look as in rules. Besides groups and people they may name three roles: `owner` and
`deputy` of what is changed, and `governors`. The owner is the one who answers for it now, so
that nobody gives a workflow to themselves and then agrees.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal, Self, TypeAlias

from pydantic import Discriminator, Field, Tag, model_validator

from workflows.definition_parts import Closed, Somebody
from workflows.definition_steps import AllOf, Approval, ApprovalStage, Expiry, apart, are_late
from workflows.duration import Duration
from workflows.policy_reason import Reason

Role: TypeAlias = Literal["owner", "deputy", "governors"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """Who is behind the roles for one change; each a group or a person by name."""

    owner: str
    deputy: str
    governors: tuple[str, ...]

    def names(self, asked: Iterable[str]) -> tuple[str, ...]:
        """Return `asked` with whoever has a role in its place, each once."""
        known = {"owner": (self.owner,), "deputy": (self.deputy,), "governors": self.governors}
        return tuple(dict.fromkeys(name for one in asked for name in known.get(one, (one,))))


class PublishStage(Closed):
    """Some people, of whom `approve` must agree and `deny` suffice to refuse."""

    asked: tuple[Role | Somebody, ...] = Field(alias="from", min_length=1, max_length=20)
    approve: int = Field(default=1, ge=1, le=100)
    deny: int = Field(default=1, ge=1, le=100)


class PublishAllOf(Closed):
    """Parts that are decided side by side; each of them has to agree."""

    parts: tuple[PublishStage, ...] = Field(alias="all", min_length=2, max_length=10)


def _stage_form(value: object) -> str:
    is_all = isinstance(value, PublishAllOf) or (isinstance(value, dict) and "all" in value)
    return "<all>" if is_all else "<people>"


AnyPublishStage: TypeAlias = Annotated[
    Annotated[PublishStage, Tag("<people>")] | Annotated[PublishAllOf, Tag("<all>")],
    Discriminator(_stage_form),
]
OWNER_AND_GOVERNOR: Final = (
    PublishAllOf.model_validate({"all": ({"from": ("owner",)}, {"from": ("governors",)})}),
)


class Publish(Closed):
    """The gate of every publication. Whoever wrote or proposed it never decides."""

    stages: tuple[AnyPublishStage, ...] = Field(
        default=OWNER_AND_GOVERNOR, min_length=1, max_length=10
    )
    expires: Expiry | None = None
    remind: tuple[Duration, ...] = ()
    reason: Reason = "optional"
    authors: Annotated[tuple[Somebody, ...], Field(min_length=1, max_length=20)] | None = None

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if self.expires is not None and are_late(self.remind, self.expires):
            raise ValueError("a reminder comes after the request has expired")
        return self

    def approval(self, roles: Roles) -> Approval:
        """Return whose agreement one change needs."""
        stages = [_turn(one, roles) for one in self.stages]
        return Approval.model_construct(
            stages=tuple(_each_once(stages)),
            expires=self.expires,
            remind=self.remind,
            reason=self.reason,
            escalate=None,
        )


def _turn(stage: PublishStage | PublishAllOf, roles: Roles) -> list[ApprovalStage]:
    parts = stage.parts if isinstance(stage, PublishAllOf) else (stage,)
    return [
        ApprovalStage.model_construct(
            asked=roles.names(one.asked), approve=one.approve, deny=one.deny
        )
        for one in parts
    ]


def _each_once(turns: Sequence[Sequence[ApprovalStage]]) -> Iterator[ApprovalStage | AllOf]:
    """Yield the stages turn by turn; where owner and governors are the same, once for both."""
    for kept in apart(turns):
        if len(kept) > 1:
            yield AllOf.model_construct(parts=kept)
        else:
            yield from kept
