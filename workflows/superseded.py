"""A request whose place another one took because somebody changed what is asked."""

from collections.abc import Mapping, Sequence

from workflows.definition import Definition
from workflows.entry import Entry, Json, RequestId
from workflows.errors import StaleRequestError
from workflows.preview import changed_values
from workflows.quick_json import loaded

EDITED = "approval.edited"


def edit_of(entries: Sequence[Entry], request: RequestId) -> Entry | None:
    """Return the entry that changed what `request` asks for, if one did."""
    return next(
        (one for one in entries if one.kind == EDITED and one.data["request"] == request), None
    )


def next_of(edited: Entry) -> RequestId:
    """Return what the request is called that takes the place of the edited one."""
    return RequestId(str(edited.data["next"]))


def changed_by(definition: Definition, entries: Sequence[Entry], edited: Entry) -> list[str]:
    """Say what an edit changed, nothing once the values were erased."""
    before = (one for one in entries if one.rseq < edited.rseq and "input" in one.parts)
    values = [_values(one) for one in (*before, edited)]
    if len(values) < 2 or None in values[-2:]:  # noqa: PLR2004 - what it was, and what it became.
        return []
    return changed_values(definition, values[-2] or {}, values[-1] or {})


def _values(entry: Entry) -> Mapping[str, Json] | None:
    value = entry.parts["input"].value if "input" in entry.parts else None
    return None if value is None else loaded(value)


def stale(edited: Entry, editor: str) -> StaleRequestError:
    """Return the refusal of whatever is still said about a request that `editor` changed."""
    return StaleRequestError(
        f"{editor} has changed what is asked here ({edited.at:%Y-%m-%d %H:%M} UTC).",
        next_request=next_of(edited),
        hint="Look at the newest card in the thread; your click changed nothing.",
    )
