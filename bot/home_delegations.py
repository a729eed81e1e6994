"""What Home knows of being away: the reader's own word, and in whose place they decide."""

from collections.abc import Mapping, Sequence

from bot.desk import Desk
from bot.views.app_home import DelegationLine
from bot.views.delegations import DELEGATION_END
from bot.views.pieces import button
from bot.wording import Who, mention, when, who_of
from storage.listing import people_of
from workflows.delegation import Delegation
from workflows.entry import Ref


def in_place_of(desk: Desk, reader: Ref) -> frozenset[Ref]:
    """Return those for whom `reader` decides now."""
    return frozenset(one.giver for one in _standing_in(desk, reader))


def delegation_lines(desk: Desk, reader: Ref) -> list[DelegationLine]:
    """Return the reader's own absence, with a button to end it, then whom they stand in for."""
    own = desk.store.away([reader]).get(reader)
    others = _standing_in(desk, reader)
    named = [one.giver for one in others]
    if own is not None and own.stand_in is not None:
        named.append(own.stand_in)
    people = _known(desk, named)
    lines = [] if own is None else [_own(own, people)]
    return [*lines, *(_other(one, people) for one in others)]


def _standing_in(desk: Desk, reader: Ref) -> Sequence[Delegation]:
    person = desk.store.person(reader)
    return () if person is None else desk.store.standing_in(person, at=desk.now())


def _known(desk: Desk, refs: Sequence[Ref]) -> Mapping[str, Who]:
    found = people_of(desk.store.database, refs) if refs else {}
    return {ref: who_of(external, name) for ref, (external, name) in found.items()}


def _own(word: Delegation, people: Mapping[str, Who]) -> DelegationLine:
    stand_in = _who(word.stand_in, people)
    meanwhile = f"{stand_in} decides in your place" if stand_in else "nobody decides in your place"
    return DelegationLine(
        words=f"You are away until {when(word.until)}; {meanwhile}.",
        buttons=[button("I am back", DELEGATION_END, word.entry)],
    )


def _other(word: Delegation, people: Mapping[str, Who]) -> DelegationLine:
    giver = _who(word.giver, people)
    return DelegationLine(words=f"You decide in the place of {giver} until {when(word.until)}.")


def _who(ref: Ref | None, people: Mapping[str, Who]) -> str:
    return "" if ref is None else mention(people.get(ref, Who(name="somebody")))
