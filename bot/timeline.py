"""A run as one timeline: saw, asked, decided, did; by whom, on whose approval, at which cost.

Every line restates one entry and carries its number in the log. Only what the entries hold is
told; how it looks is for the command line and for `views.timeline`.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from typing import TypeAlias

from bot.entry_words import words_about
from bot.wording import NAMELESS, Who, who_of
from workflows.entry import Actor, Entry, Json, Ref
from workflows.people import PersonId

Known: TypeAlias = Mapping[str, tuple[PersonId, str]]

SAW = frozenset(
    {
        "step.observed",
        "verification.passed",
        "verification.failed",
        "verification.unknown",
        "action.resolved",
        "wait.ended",
    }
)
ASKED = frozenset(
    {
        "run.started",
        "approval.requested",
        "approval.escalated",
        "approval.reminded",
        "exception.reminded",
        "question.asked",
        "model.asked",
    }
)
TRIED = frozenset({"approval.refused", "step_up.refused"})
# Of several requests that are open at once these say which they are about.
ABOUT = TRIED | {"approval.expired", "approval.withdrawn"}
DID = frozenset({"action.intended", "action.executed", "action.failed", "action.in_doubt"})
ERASED = "what people were shown has been erased"
UNREADABLE = "what cannot be read; run `interlock audit verify`"
NOT_NEEDED = "no approval: the policy asks for none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """Somebody's approval, or their breaking of the glass, and the entry that has it."""

    actor: Actor
    index: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One line of a timeline.

    `agreed` are those on whose approval it was done, `alone` who broke the glass for it, and
    `ground` says why where there was nobody;
    `shown` is what people were shown, `cost` what it took.
    """

    entry: Entry
    did: str
    words: str
    agreed: tuple[Agreed, ...] = ()
    alone: tuple[Agreed, ...] = ()
    ground: str = ""
    shown: str = ""
    cost: str = ""

    @property
    def notes(self) -> list[str]:
        """What there is to say beside the words, a sentence each."""
        return [one for one in (self.ground, self.shown, self.cost) if one]


def timeline(entries: Sequence[Entry], beside: Sequence[Entry] = ()) -> list[Moment]:
    """Return the timeline of one run from its entries, in the order of the log.

    `beside` tell of decisions on it that did not count, and of reviews; they stand outside of it.
    """
    own = [_moment(entry, entries[:place]) for place, entry in enumerate(entries)]
    others = [_moment(entry, entries) for entry in beside]
    return list(merge(own, others, key=_place)) if others else own


def _place(one: Moment) -> tuple[bool, int, datetime]:
    entry = one.entry
    return (entry.index is None, entry.index or 0, entry.at)


def actors_in(moments: Iterable[Moment]) -> list[Ref]:
    """Return the pseudonyms of everybody a timeline names; all who decided are among the actors."""
    return sorted({Ref(one.entry.actor.ref) for one in moments if one.entry.actor.is_person})


def who(actor: Actor, known: Known) -> Who:
    """Return an actor as people know them."""
    if not actor.is_person:
        return Who(name=actor.ref)
    return who_of(*known[actor.ref]) if actor.ref in known else NAMELESS


def _moment(entry: Entry, before: Sequence[Entry]) -> Moment:
    agreed = _decided_by("approval.granted", entry, before)
    alone = _decided_by("break_glass.used", entry, before)
    return Moment(
        entry=entry,
        did=_did(entry.kind),
        words=words_about(entry),
        agreed=agreed,
        alone=alone,
        ground="" if agreed or alone else _ground(entry, before),
        shown=_shown(entry, before),
        cost=_cost(entry),
    )


def _did(kind: str) -> str:
    if kind in SAW:
        return "saw"
    if kind in ASKED:
        return "asked"
    if kind in TRIED:
        return "tried"
    return "did" if kind in DID else "decided"


def _decided_by(kind: str, entry: Entry, before: Iterable[Entry]) -> tuple[Agreed, ...]:
    """Return who decided so on the request under which an effect is announced."""
    request = entry.data.get("request")
    if entry.kind != "action.intended" or request is None:
        return ()
    return tuple(
        Agreed(actor=one.actor, index=one.index)
        for one in before
        if one.kind == kind and one.data["request"] == request
    )


def _ground(entry: Entry, before: Iterable[Entry]) -> str:
    if entry.kind != "action.intended":
        return ""
    asked = _asked(entry, before)
    if asked is None:
        return NOT_NEEDED
    spared = asked.data.get("auto")
    rules = ", ".join(map(str, spared)) if isinstance(spared, list) else ""
    return f"no approval: spared by the rule {rules}" if rules else ""


def _shown(entry: Entry, before: Iterable[Entry]) -> str:
    """Return what people were shown: with the request itself, and where it was answered or over."""
    if entry.kind == "approval.requested":
        return f"shown: {_headline(entry)}"
    asked = _asked(entry, before)
    is_answer = entry.kind.startswith("approval.") and entry.actor.is_person
    if asked is None or not (is_answer or entry.kind in ABOUT):
        return ""
    place = "…" if asked.index is None else asked.index
    how = "about" if entry.kind in ABOUT else "was shown"
    return f"{how} #{place}: {_headline(asked)}"


def _asked(entry: Entry, before: Iterable[Entry]) -> Entry | None:
    request = entry.data.get("request")
    raised = (one for one in before if one.kind == "approval.requested")
    return next((one for one in raised if one.data["request"] == request), None)


def _headline(entry: Entry) -> str:
    """Return the first line of what people were shown, or why there is none to tell."""
    part = entry.parts.get("preview")
    if part is None or not part.value:
        return ERASED
    try:
        preview: Json = json.loads(part.value)
    except ValueError:  # Whoever owns the database can write anything.
        return UNREADABLE
    told = str(preview.get("headline") or "") if isinstance(preview, dict) else ""
    return told or ERASED


def _cost(entry: Entry) -> str:
    """Return what it took: of which budgets, in tokens and money, in time."""
    taken = entry.data.get("budgets")
    shares = [one for one in taken if isinstance(one, dict)] if isinstance(taken, list) else []
    told = [f"takes {one['amount']:,} of the budget {one['name']}" for one in shares]
    if entry.kind == "model.answered":
        spent = entry.data
        told.append(f"{spent['tokens_in']} tokens in, {spent['tokens_out']} out")
        told.append(f"{spent['cost_micro']} millionths of the currency")
    if "ms" in entry.data and entry.kind != "action.executed":  # Whose words have it.
        told.append(f"{entry.data['ms']} ms")
    return ", ".join(told)
