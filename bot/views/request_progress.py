"""Who may decide a request, how far it is, who is still needed, and what else holds for them."""

from collections.abc import Iterator, Sequence

from slack_sdk.models.blocks import Block

from bot.views.pieces import context, section
from bot.views.request_values import Absence, RequestCard, StageShown
from bot.wording import Who, bold, escape, joined, mention, mentions, plural, when, who_of
from workflows.demand import DEFINITION, ON_TRIAL, PUBLISH
from workflows.denials import RULE as DENIED_BEFORE
from workflows.separation import Duty
from workflows.turns import turns_in

# Together with the plan's head these stay below what one message may hold.
_STAGES, _NAMES, _NOTES, _WORDS, _LONG, _ABSENCES, _RULES = 3, 5, 2, 160, 600, 3, 5
# What wants an approval beside the rules of the policy, by how it is named among them.
_WANTED = {
    PUBLISH: "the policy wants it for publications",
    DEFINITION: "the workflow itself wants it",
    ON_TRIAL: "this version of the workflow is on trial",
    DENIED_BEFORE: "the same was rejected before",
}


def who_may_decide(card: RequestCard) -> Iterator[Block]:
    """Yield the stages that are being decided, and what approvers have to know beside the plan."""
    if not card.is_open:
        return
    lines = [_stage_line(card, index, label) for index, label in _labels(card)]
    start = max(0, min(min(card.waiting, default=0), len(lines) - _STAGES))
    shown = lines[start : start + _STAGES]
    before = f"✅ {plural(start, 'earlier stage')} done" if start else ""
    yield section("\n".join([before, *shown] if before else shown))
    notes = list(_notes(card, later=len(lines) - start - len(shown)))
    if notes:
        yield context(*notes)
    yield from _who_is_away(card)


def _who_is_away(card: RequestCard) -> Iterator[Block]:
    if card.deserted_until is not None:
        back = when(card.deserted_until)
        yield section(f"⚠️ Everybody who could decide is away. The first is back {back}.")
    if card.absences:
        more = len(card.absences) - _ABSENCES
        lines = [_absence_line(one) for one in card.absences[:_ABSENCES]]
        yield context(*lines, f"{plural(more, 'other')} away too" if more > 0 else "")


def _absence_line(one: Absence) -> str:
    stands_in = f"; {mention(one.stand_in)} stands in" if one.stand_in is not None else ""
    return f"🏝️ {mention(one.who)} is away until {when(one.until)}{stands_in}"


def asked_now(card: RequestCard) -> str:
    """Say for whom the request waits just now: any group of a stage, and each of its stages."""
    stages = range(len(card.preview.stages))
    found = (joined(_groups(card, index)) for index in card.waiting if index in stages)
    return joined(list(dict.fromkeys(found)), "and")


def _groups(card: RequestCard, index: int) -> list[str]:
    more = (name for one in card.escalated if index in one.stages for name in one.groups)
    return list(dict.fromkeys((*card.preview.stages[index].groups, *more)))


def asked_because(named: Sequence[str]) -> str:
    """Say what wants the approval: rules of the policy by name, the workflow's file, its trial."""
    rules = [f"“{escape(one, 60)}”" for one in named if one not in _WANTED]
    told = rules[:_RULES]
    more = len(rules) - len(told)
    listed = joined([*told, f"{more} more"] if more else told, "and")
    of_policy = [f"of the policy's {'rules' if rules[1:] else 'rule'} {listed}"] if rules else []
    why = " and because ".join([*of_policy, *(_WANTED[one] for one in _WANTED if one in named)])
    return f"Asked because {why}" if why else ""


def _labels(card: RequestCard) -> Iterator[tuple[int, str]]:
    """Yield each stage with its number, and its part where several are decided side by side."""
    turns = turns_in([stage.turn for stage in card.preview.stages])
    for number, turn in enumerate(turns, start=1):
        for part, index in enumerate(turn, start=1):
            named = f"Stage {number}, part {part}: " if len(turn) > 1 else f"Stage {number}: "
            yield index, named if len(card.preview.stages) > 1 else ""


def _stage_line(card: RequestCard, index: int, label: str) -> str:
    stage = card.preview.stages[index]
    names = [_known(card, name) for name in _groups(card, index)]
    given = card.given[index] if index < len(card.given) else 0
    counted = f"*{min(given, stage.approve)} of {plural(stage.approve, 'approval')}*"
    sign = "▶️ " if index in card.waiting else ""
    if given >= stage.approve:
        sign = "✅ "
    return f"{sign if label else ''}{label}{counted} from {_several(names)}; {_stops(stage)}"


def _several(names: list[str]) -> str:
    more = len(names) - _NAMES
    return joined([*names[:_NAMES], plural(more, "other")] if more > 0 else names)


def _stops(stage: StageShown) -> str:
    one = stage.deny == 1
    return "one rejection stops it" if one else f"{stage.deny} rejections stop it"


def _known(card: RequestCard, name: str) -> str:
    return mention(card.known.get(name, Who(name=name)))


def _notes(card: RequestCard, *, later: int) -> Iterator[str]:
    shown = card.preview
    if later > 0:
        yield f"After these, {plural(later, 'further stage')}."
    if shown.reason_hints:
        yield f"An approval needs a reason: {escape('; '.join(shown.reason_hints), _LONG)}"
    elif shown.needs_reason:
        yield "A reason is asked for with each decision."
    if shown.step_up:
        yield "An approval needs a code from the approver's authenticator app."
    if shown.hours:
        hours = escape(" and ".join(shown.hours), _LONG)
        yield f"It can be approved only {hours}; it can be rejected at any time."
    yield from _escalations(card)
    yield from _left_out(card)
    for rule, because in shown.auto[:_NOTES]:
        yield f"The rule {bold(rule, 60)} asks nobody this time: {escape(because, _WORDS)}"


def _escalations(card: RequestCard) -> Iterator[str]:
    """Yield who was let in since, and who will be if nobody decides."""
    for one in card.escalated[:_NOTES]:
        people = _all(card, one.groups)
        yield f"📣 It waited for long: since {when(one.at)} {people} may decide too."
    since = {name for one in card.escalated for name in one.groups}
    for coming in card.preview.escalate[:_NOTES]:
        if not since.issuperset(coming.to):
            yield f"If nobody decides, {_all(card, coming.to)} may do so from {when(coming.at)} on."


def _all(card: RequestCard, groups: tuple[str, ...]) -> str:
    return mentions([card.known.get(one, Who(name=one)) for one in groups], "more people")


def _left_out(card: RequestCard) -> Iterator[str]:
    people = card.preview.left_out
    if people:
        named = [f"{mention(who_of(one.id, one.name))} ({_why(one.duty)})" for one in people]
        yield f"May not decide this: {_several(named)}"


def _why(duty: str) -> str:
    return Duty(duty).who if duty in set(Duty) else escape(duty, _WORDS)
