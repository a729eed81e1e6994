"""A request whose place another one took because somebody changed what is asked."""

from collections.abc import Sequence

from workflows.entry import Entry, Ref, RequestId
from workflows.errors import StaleRequestError
from workflows.store import Unit

EDITED = "approval.edited"


def edit_of(entries: Sequence[Entry], request: RequestId) -> Entry | None:
    """Return the entry that changed what `request` asks for, if one did."""
    return next(
        (one for one in entries if one.kind == EDITED and one.data["request"] == request), None
    )


def next_of(edited: Entry) -> RequestId:
    """Return what the request is called that takes the place of the edited one."""
    return RequestId(str(edited.data["next"]))


def stale(unit: Unit, edited: Entry) -> StaleRequestError:
    """Return the refusal of whatever is still said about the edited request."""
    return StaleRequestError(
        f"{unit.name(Ref(edited.actor.ref))} has changed what is asked here.",
        next_request=next_of(edited),
        hint="Look at the newest card in the thread; your click changed nothing.",
    )
