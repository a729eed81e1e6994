"""Whether an approval that was given still counts, by who people are at this moment."""

from collections.abc import Sequence

from workflows.entry import Ref
from workflows.house import House
from workflows.people import EFFECT_AGE, PersonId
from workflows.run import Voice


def may_still_decide(house: House, voice: Voice, groups: Sequence[str]) -> bool:
    """Say whether an approval still counts for `groups`, those that were asked in its stage.

    Of one that was given in another's place both have to count: that other as a member, and
    whoever spoke as somebody who stood in for them when they did.

    Raises:
        PeopleUnreadableError: the directory did not answer.
    """
    if voice.stands_for is None:
        return _is_still_member(house, voice.approver, groups)
    return (
        house.store.stood_in(voice.stands_for, voice.approver, at=voice.at)
        and _who_counts(house, voice.approver) is not None
        and _is_still_member(house, voice.stands_for, groups)
    )


def _is_still_member(house: House, ref: Ref, groups: Sequence[str]) -> bool:
    who = _who_counts(house, ref)
    return who is not None and any(
        who in house.people.members(name, max_age=EFFECT_AGE) for name in groups
    )


def _who_counts(house: House, ref: Ref) -> PersonId | None:
    """Return the person behind a pseudonym, None if what they say cannot count any more."""
    who = house.store.person(ref)
    return who if who is not None and house.people.person(who).counts else None
