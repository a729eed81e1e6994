"""What a policy would have decided about a step that was judged before, held against what was.

Pure: a judgement as the log tells it and a policy in, the differences out. What depends on
other runs, or on who was in which group, is not looked at again.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from workflows.actions.base import Effect
from workflows.batching import FIELD as BATCH
from workflows.definition import Definition
from workflows.definition_steps import Approval
from workflows.demand import ON_TRIAL, Demand, DemandStage, Match, Why
from workflows.denials import RULE as DENIED_BEFORE
from workflows.duration import duration_text
from workflows.entry import Entry, Json
from workflows.errors import InterlockError, NoGateError
from workflows.instances import items_of, step_of
from workflows.moments import moment
from workflows.policy import Policy
from workflows.policy_facts import Facts
from workflows.terms import FIELDS, terms_data
from workflows.turns import turns_in

REQUESTED, INTENDED = "approval.requested", "action.intended"
CLOSE = timedelta(minutes=1)  # Between the moment a request was made and that of its entry.
AUTO_UNCLEAR = "auto: "  # How a rule says that the condition of its auto has no value.
_ALONE = frozenset({"glass", "replaces"})  # What has one of these is in no batch.
_TERMS = ("reason", "remind", *(name for name in FIELDS if name != "duties"))


class Change(StrEnum):
    """What would have been different."""

    ASKS_NOW = "needs approval now"
    ASKS_NO_MORE = "needs no approval any more"
    REFUSED = "does not run any more"
    PEOPLE = "other people"
    EXPIRY = "another end"
    TERMS = "other terms"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was demanded, as its entry tells it; `people` says how many each stage asked."""

    stages: tuple[DemandStage, ...]
    people: tuple[int, ...]
    expires: timedelta
    terms: Mapping[str, Json]
    is_batched: bool | None  # None: it had a card of its own whatever rules said of batches.


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A step that was put to the policy: the facts as far as they are kept, and the verdict."""

    run: str
    name: str  # The step, in a loop with its item.
    facts: Facts
    approval: Approval | None  # What the definition wanted.
    asked: Asked | None
    lacks: tuple[str, ...] = ()  # What was erased: inputs, args.
    was_denied: bool = False  # The same had been rejected before, so no rule spared people.


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that would have been different, in words."""

    change: Change
    before: str = ""
    now: str = ""

    def __str__(self) -> str:
        if self.before and self.now:
            return f"{self.change}: {self.before} → {self.now}"
        told = self.now or self.before
        return f"{self.change}: {told}" if told else str(self.change)


class NotJudgedError(InterlockError):
    """Nobody can say what the policy would make of it."""


def judgement_of(
    entry: Entry,
    *,
    definition: Definition,
    inputs: Mapping[str, Json] | None,
    requester: str,
    is_by_model: bool = False,
) -> Judgement:
    """Return what `entry` tells: a request for approval, or an effect that needed none.

    `inputs` are None once they were erased. Where a language model filled arguments, no rule
    looks at any of them, so it does not matter whether they are still there.

    Raises:
        NotJudgedError: it was written by a release that said less.
        DefinitionError: the definition has no such step.
    """
    data, name = entry.data, str(entry.data["step"])
    if "effect" not in data:
        raise NotJudgedError("it was recorded without its effect")
    work, args = definition.step(name), _part(entry, "args")
    was_denied = DENIED_BEFORE in _list(data.get("rules")) or "denied" in (
        _part(entry, "preview") or {}
    )
    kept = {"inputs": inputs, **({} if is_by_model else {"args": args})}
    facts = Facts(
        effect=Effect(str(data["effect"])),
        workflow=definition.workflow,
        step=step_of(name),
        action=str(data.get("action") or work.uses),
        requester=requester,
        at=entry.at,
        inputs=inputs or {},
        args=args or {},
        watchers=_watchers(data, definition),
        are_args_of_a_model=is_by_model,
    )
    is_alone = was_denied or is_by_model
    return Judgement(
        run=entry.run or "",
        name=name,
        facts=facts,
        approval=work.approval,
        asked=_asked(entry, is_alone=is_alone) if entry.kind == REQUESTED else None,
        lacks=tuple(what for what, found in kept.items() if found is None),
        was_denied=was_denied,
    )


def _watchers(data: Mapping[str, Json], definition: Definition) -> tuple[str, ...]:
    """Return who was asked because the version was on trial, nobody where it was not."""
    if ON_TRIAL not in _list(data.get("rules")):
        return ()
    own = {definition.owner, definition.deputy}
    stages = [_stage(one).asked for one in _list(data.get("stages")) if isinstance(one, dict)]
    return next((asked for asked in stages if own.issubset(asked)), ())


def _part(entry: Entry, name: str) -> dict[str, Json] | None:
    """Return what a part holds, None once it was erased."""
    part = entry.parts.get(name)
    found = json.loads(part.value) if part is not None and part.value is not None else None
    return found if isinstance(found, dict) else None


def _asked(entry: Entry, *, is_alone: bool) -> Asked:
    data = entry.data
    is_alone = is_alone or not items_of(str(data["step"])) or not _ALONE.isdisjoint(data)
    stages = [one for one in _list(data.get("stages")) if isinstance(one, dict)]
    return Asked(
        stages=tuple(_stage(one) for one in stages),
        people=tuple(len(_list(one.get("people"))) for one in stages),
        expires=moment(str(data["expires"])) - entry.at,
        terms={name: data[name] for name in _TERMS if name in data},
        is_batched=None if is_alone else BATCH in data,
    )


def _stage(stored: Mapping[str, Json]) -> DemandStage:
    approve, deny, turn = stored.get("approve"), stored.get("deny"), stored.get("turn")
    return DemandStage(
        asked=tuple(str(one) for one in _list(stored.get("from"))),
        approve=approve if isinstance(approve, int) else 1,
        deny=deny if isinstance(deny, int) else 1,
        turn=turn if isinstance(turn, int) else None,
    )


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def differences(policy: Policy, judged: Judgement) -> list[Difference]:
    """Return what `policy` would have decided differently.

    Raises:
        NotJudgedError: one of its rules looks at what was erased.
    """
    spares = not judged.was_denied
    whys = policy.whys(judged.facts, judged.approval, spares=spares)
    if judged.lacks and any(_is_unclear(one) for one in whys):
        raise NotJudgedError(f"its {' and '.join(judged.lacks)} were erased")
    try:
        demand = policy.judge(judged.facts, judged.approval, spares=spares).demand
    except NoGateError:
        return [Difference(change=Change.REFUSED, now="nobody is asked, and it is destructive")]
    if demand is None and judged.was_denied:
        return []  # Whoever decided then is asked again, whatever the rules say.
    if judged.asked is None or demand is None:
        return list(_only_one(judged.asked, demand))
    return list(_between(judged.asked, demand))


def _is_unclear(why: Why) -> bool:
    return why.match is Match.UNSURE or why.because.startswith(AUTO_UNCLEAR)


def _only_one(asked: Asked | None, demand: Demand | None) -> Iterator[Difference]:
    if asked is not None:
        yield Difference(change=Change.ASKS_NO_MORE, before=_words(asked.stages))
    if demand is not None:
        yield Difference(change=Change.ASKS_NOW, now=_words(demand.stages))


def _between(asked: Asked, demand: Demand) -> Iterator[Difference]:
    if not _are_alike(asked, demand):
        before, now = _words(asked.stages), _words(demand.stages)
        if before == now:
            before, now = (f"{one}, rejected by {who}" for one, who in _rejected(asked, demand))
        yield Difference(change=Change.PEOPLE, before=before, now=now)
    if abs(asked.expires - demand.expires) > CLOSE:
        before, now = _length(asked.expires), _length(demand.expires)
        yield Difference(change=Change.EXPIRY, before=before, now=now)
    other = [name for name in _TERMS if _term(asked.terms, name) != _term(_terms(demand), name)]
    if asked.is_batched not in (None, demand.batch):
        other.append(BATCH)
    if other:
        yield Difference(change=Change.TERMS, now=", ".join(other))


def _are_alike(asked: Asked, demand: Demand) -> bool:
    """Say whether the same people had to agree in the same order.

    A request says how many rejections sufficed among those who were asked.
    """
    if len(asked.stages) != len(demand.stages):
        return False
    turns = (turns_in([one.turn for one in stages]) for stages in (asked.stages, demand.stages))
    pairs = zip(asked.stages, demand.stages, asked.people, strict=True)
    return next(turns) == next(turns) and all(
        frozenset(was.asked) == frozenset(now.asked)
        and was.approve == now.approve
        and was.deny == min(now.deny, people)
        for was, now, people in pairs
    )


def _rejected(asked: Asked, demand: Demand) -> Iterator[tuple[str, str]]:
    for stages in (asked.stages, demand.stages):
        yield _words(stages), ", ".join(str(one.deny) for one in stages)


def _words(stages: Sequence[DemandStage]) -> str:
    turns = turns_in([one.turn for one in stages])
    told = (
        " and ".join(f"{stages[at].approve} of {' or '.join(stages[at].asked)}" for at in turn)
        for turn in turns
    )
    return ", then ".join(told)


def _length(length: timedelta) -> str:
    """Return a length of time to the minute, since an entry comes a moment after its request."""
    minutes = max(1, round(length / timedelta(minutes=1)))
    return duration_text(timedelta(minutes=minutes))


def _terms(demand: Demand) -> dict[str, Json]:
    return {
        **terms_data(demand, ()),
        "reason": "required" if demand.needs_reason else "optional",
        "remind": [int(one.total_seconds()) for one in demand.remind],
    }


def _term(terms: Mapping[str, Json], name: str) -> Json:
    """Return one of the terms in a form that can be compared; what is not there asks nothing."""
    found = terms.get(name) or []
    if name == "hours":
        # A request holds those holidays alone that mattered while it was open.
        return [{**one, "holidays": None} for one in _list(found) if isinstance(one, dict)]
    return [*sorted(map(str, _list(found)))] if name == "exclude" else found
