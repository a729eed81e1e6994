"""Draws what people are told about one-time codes: whose wait, whose count, and whose do not."""

from bot.views.codes import CodesCard, codes_card
from bot.views.pieces import Rendered
from bot.wording import Who, who_of
from storage.listing import people_of
from storage.step_up import codes_story
from storage.transaction import Database


def draw_codes(key: str, database: Database) -> Rendered | None:
    """Return the card of codes for whoever a message is for; `key` is `enrolment/person`."""
    enrolment, _, reader = key.partition("/")
    story = codes_story(database, enrolment)
    if story is None:
        return None
    refs = [one for one in (story.person, story.confirmed_by, story.ended_by) if one is not None]
    people = {ref: who_of(*found) for ref, found in people_of(database, refs).items()}
    somebody = Who(name="somebody")
    return codes_card(
        CodesCard(
            enrolment=enrolment,
            person=people.get(story.person, somebody),
            is_for_person=reader == story.person,
            confirmed_at=story.confirmed_at,
            confirmed_by=people.get(story.confirmed_by, somebody) if story.confirmed_by else None,
            ended_at=story.ended_at,
            ended_by=people.get(story.ended_by, somebody) if story.ended_by else None,
            ended_how=story.ended_how,
        )
    )
