"""Who may read what stands behind a card: whoever has a part in the request, and viewers.

A card in a channel is seen by everybody there, guests and people of other workspaces too. What
did not fit on it is for fewer: the whole plan can name every customer that a step touches.
"""

from bot.desk import Desk
from bot.payloads import Caller
from bot.previews import preview_of
from storage.listing import refs_of
from workflows.entry import Ref
from workflows.errors import NotAllowedError
from workflows.gate import ApprovalRequest
from workflows.people import CLICK_AGE, Person


def admit_reader(desk: Desk, caller: Caller, asked: ApprovalRequest) -> None:
    """Return if somebody may read all of a request.

    Raises:
        NotAllowedError: they have no part in it, and may not look at runs of its workflow either.
        PeopleUnreadableError: who they are could not be read.
    """
    person = desk.directory.person(caller.person)
    if person.is_foreign:
        raise NotAllowedError(
            "Somebody from another workspace reads no more of it than the card shows.",
            hint="Ask one of those who are asked to decide.",
        )
    if not _has_part(desk, person, asked):
        desk.roles.admit_viewer(person.id, desk.store.run(asked.run).workflow)


def _has_part(desk: Desk, person: Person, asked: ApprovalRequest) -> bool:
    """Say whether they asked, were asked, stand in for somebody who was, or may break the glass."""
    behind = {Ref(asked.requester)}.union(*(stage.everybody for stage in asked.stages))
    givers = {one.giver for one in desk.store.standing_in(person.id, at=desk.now())}
    if not behind.isdisjoint(refs_of(desk.store.database, person.id) | givers):
        return True
    glass = preview_of(desk.store, asked.id).glass
    names = glass.names if glass is not None else ()
    return any(person.id in desk.directory.members(one, max_age=CLICK_AGE) for one in names)
