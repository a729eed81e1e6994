"""The values of the trail: what is about to be recorded, and what has been.

AUDIT.md gives their bytes, which `storage/` makes; here they are plain values, so that the
engine can decide over a run's history without a database.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType, TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

RunId = NewType("RunId", str)
RequestId = NewType("RequestId", str)
Ref = NewType("Ref", str)  # A person's pseudonym: "s:" and 32 hex digits.
PERSON = "s:"  # How a pseudonym begins.

NewSalt = Callable[[], bytes]


class ActorKind(StrEnum):
    """What sort of actor did something (AUDIT.md section 2)."""

    USER = "user"
    BOT = "bot"
    SCHEDULE = "schedule"
    WEBHOOK = "webhook"
    AGENT = "agent"
    MODEL = "model"
    SYSTEM = "system"


class PartClass(StrEnum):
    """Which retention term a part has (AUDIT.md section 4)."""

    CONTENT = "personal.content"
    DERIVED = "personal.derived"
    IDENTITY = "identity.actor"
    BUSINESS = "business"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Whoever did something: a person by pseudonym, anything else by its configured name."""

    kind: ActorKind
    ref: str

    @property
    def is_person(self) -> bool:
        return self.kind is ActorKind.USER


INTERLOCK = Actor(kind=ActorKind.BOT, ref="interlock")
SYSTEM = Actor(kind=ActorKind.SYSTEM, ref="interlock")


def new_salt() -> bytes:
    """Return 32 fresh random bytes."""
    return secrets.token_bytes(32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A piece of payload kept beside its entry, deletable without touching the entry."""

    value: bytes
    cls: PartClass = PartClass.CONTENT
    subject: Ref | None = None
    salt: bytes = field(default_factory=new_salt)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A fact about to be recorded. `run` is None for facts outside any run."""

    kind: str
    actor: Actor
    data: Mapping[str, Json]
    parts: Mapping[str, Part] = field(default_factory=dict)
    run: RunId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPart:
    """A part as found again; `value` and `salt` are None once it has been erased."""

    cls: PartClass
    commitment: str
    value: bytes | None
    salt: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A recorded fact. `index` is its place in the log, None while that is pending."""

    id: str
    index: int | None
    run: RunId | None
    rseq: int
    at: datetime
    kind: str
    actor: Actor
    data: Mapping[str, Json]
    parts: Mapping[str, StoredPart] = field(default_factory=dict)
