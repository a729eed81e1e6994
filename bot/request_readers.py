"""Who may read what stands behind a card: whoever has a part in the request, and viewers.

A card in a channel is seen by everybody there, guests and people of other workspaces too. What
did not fit on it is for fewer: the whole plan can name every customer that a step touches.
"""

from collections.abc import Collection

from bot.desk import Desk
from bot.payloads import Caller
from bot.previews import preview_of
from storage.listing import refs_of
from workflows.batching import batch_in
from workflows.entry import Ref
from workflows.errors import NotAllowedError
from workflows.gate import ApprovalRequest
from workflows.people import CLICK_AGE, Person
from workflows.telling import DECIDED


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
    """Say whether they asked, were asked, stand in for such a one, decided, or have the glass."""
    behind = {Ref(asked.requester)}.union(*(stage.everybody for stage in asked.stages))
    givers = {one.giver for one in desk.store.standing_in(person.id, at=desk.now())}
    own = refs_of(desk.store.database, person.id)
    if not behind.isdisjoint(own | givers) or _has_decided(desk, own, asked):
        return True
    glass = preview_of(desk.store, asked.id).glass
    names = glass.names if glass is not None else ()
    return any(person.id in desk.directory.members(one, max_age=CLICK_AGE) for one in names)


def _has_decided(desk: Desk, own: Collection[Ref], asked: ApprovalRequest) -> bool:
    """Say whether they decided any of what is on the card, for whomever: that can be taken back."""
    _, entries = desk.store.history(asked.run)
    return any(
        one.kind in DECIDED
        and one.actor.ref in own
        and asked.card in (one.data["request"], batch_in(one))
        for one in entries
    )
