"""Whether an approval that was given still counts, by who people are at this moment."""

from collections.abc import Sequence

from workflows.entry import Ref
from workflows.house import House
from workflows.people import EFFECT_AGE, PersonId
from workflows.people_store import AskedNow
from workflows.run import Voice


def may_still_decide(house: House, voice: Voice, asked: AskedNow) -> bool:
    """Say whether whoever gave an approval may still do so.

    Of one that was given in another's place both have to count: that other as somebody who was
    asked and still belongs to those who were, and whoever spoke as the one who stood in for
    them when they did.

    Raises:
        PeopleUnreadableError: the directory did not answer.
    """
    who = _who_counts(house, voice.place, asked)
    if who is None:
        return False
    if voice.stands_for is not None and not _spoke_for_them(house, voice, asked):
        return False
    stage = asked.request.stages[voice.stage]
    return stage.admits(voice.place, _belongs(house, who, stage.all_groups))


def _spoke_for_them(house: House, voice: Voice, asked: AskedNow) -> bool:
    who = _who_counts(house, voice.approver, asked)
    return (
        who is not None
        and house.people.person(who).may_stand_in
        and house.store.stood_in(voice.place, voice.approver, at=voice.at)
    )


def _who_counts(house: House, ref: Ref, asked: AskedNow) -> PersonId | None:
    """Return the person behind a pseudonym, None if what they say cannot count any more."""
    who = asked.people.get(ref)
    if who is None or not house.people.person(who).counts:
        return None
    return None if _belongs(house, who, asked.request.terms.exclude) else who


def _belongs(house: House, who: PersonId, names: Sequence[str]) -> list[str]:
    """Return those of `names` that somebody belongs to, as read just now."""
    return [name for name in names if who in house.people.members(name, max_age=EFFECT_AGE)]
