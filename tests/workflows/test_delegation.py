"""How long somebody's word that they are away stands, and when nobody is there who could decide."""

from dataclasses import replace
from datetime import datetime, timedelta

from tests.world import NOON
from workflows.delegation import Delegation, deserted_until
from workflows.entry import Ref

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
ANA, BEN, ZOE = Ref("s:ana"), Ref("s:ben"), Ref("s:zoe")


def away(
    giver: Ref, *, until: datetime = NOON + HOUR, stand_in: Ref | None = None
) -> dict[Ref, Delegation]:
    word = Delegation(entry="1", giver=giver, stand_in=stand_in, given_at=NOON, until=until)
    return {giver: word}


def test_a_word_stands_until_its_end_or_until_it_is_taken_back_and_no_moment_longer() -> None:
    word = away(ANA, stand_in=ZOE)[ANA]
    taken_back = replace(word, ended_at=NOON + MINUTE)
    replaced_late = replace(word, ended_at=word.until + MINUTE)

    for one, ends in ((word, word.until), (taken_back, NOON + MINUTE), (replaced_late, word.until)):
        assert one.stands_at(ends - timedelta(microseconds=1))
        assert not one.stands_at(ends)


def test_nobody_is_there_only_if_all_are_away_and_nobody_stands_in_for_any() -> None:
    first, later = away(ANA), away(BEN, until=NOON + 2 * HOUR)

    assert deserted_until([ANA, BEN], later | first) == NOON + HOUR
    assert deserted_until([ANA, BEN], first) is None
    assert deserted_until([ANA, BEN], first | away(BEN, stand_in=ZOE)) is None
    assert deserted_until([], first) is None
