"""Which changes of a workflow an author may not put to people: those that take protection away.

A version that asks fewer people, or proves less, than the one before it, one by which something
destructive happens unsaid, and a new name that is one slip from another's are for somebody who
governs to propose, with a reason. It then goes to the same people as any other. What a first
version is held against are the workflows that it nearly repeats. It is asked when somebody
proposes it and again when it is judged, since others may have become active meanwhile.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bot.library import Actions, Library
from bot.wording import clip, joined
from storage.published import known_workflows, last_version
from storage.store import SqlStore
from workflows.alike import slip_of
from workflows.copies import is_copy
from workflows.definition import Definition
from workflows.errors import (
    HiddenEffectError,
    InterlockError,
    LoweredGateError,
    NearNameError,
    NotAllowedError,
    UnreadableVersionError,
)
from workflows.hidden import hidden
from workflows.lowering import lowered
from workflows.people import PersonId
from workflows.policy_roles import Role

if TYPE_CHECKING:
    from bot.core import Core  # It puts together what asks here once more.

MOST_TOLD = 1_500  # Characters of what is lowered or hidden; the difference tells all.


class ProposalError(InterlockError):
    """A change of the catalog cannot be put to people."""


def admit_change(core: "Core", definition: Definition, *, by: PersonId, reason: str) -> None:
    """Return if somebody may propose this version, seen by what it takes away.

    Raises:
        LoweredGateError, HiddenEffectError, NearNameError: only somebody who governs may.
        ProposalError: they do govern, and did not say why.
        PeopleUnreadableError: Slack did not say whether they do.
    """
    governors = core.policy.governors
    refused = refusal_of(definition, core.store, core.library, core.actions, governors=governors)
    if refused is None:
        return
    if not core.roles.holds(by, Role.GOVERNOR):
        raise refused
    if not reason.strip():
        raise ProposalError(refused.message, hint="Whoever governs says why: `--reason WHY`.")


def refusal_of(
    definition: Definition,
    store: SqlStore,
    library: Library,
    actions: Actions,
    *,
    governors: Sequence[str],
) -> NotAllowedError | None:
    """Return why a version is for somebody who governs to propose, None where it is not."""
    named = joined(list(governors), "or")
    alone = f"have somebody of {named} propose it, with `--reason`; others then decide."
    names = known_workflows(store.database)
    near = None if definition.workflow in names else slip_of(definition.workflow, names)
    if near is not None:
        return NearNameError(
            f"{definition.workflow} is one slip away from {near}.",
            hint=f"Choose a name that nobody types for the other, or {alone}",
        )
    less = _lowered(definition, store, library)
    if less:
        what = clip("; ".join(less), MOST_TOLD)
        return LoweredGateError(
            f"It asks fewer people or proves less than before. {what}.",
            hint=f"Keep it as strict, or {alone}",
        )
    unsaid = hidden(definition, library.definitions(), actions)
    if not unsaid:
        return None
    return HiddenEffectError(
        f"It would do unsaid what cannot be undone. {clip('; '.join(unsaid), MOST_TOLD)}.",
        hint=f"Write `effect: destructive` beside each such `workflow:`, or {alone}",
    )


def _lowered(definition: Definition, store: SqlStore, library: Library) -> Sequence[str]:
    known = library.known()
    last = last_version(store.database, definition.workflow)
    if last is not None:
        try:
            return lowered(library.version(last), definition, known)
        except UnreadableVersionError as error:
            return [f"what counted before cannot be compared: {error.message.rstrip('.')}"]
    copied = [one for one in library.definitions() if is_copy(definition, one)]
    return [
        f"beside {one.workflow}, which it nearly repeats, {what}"
        for one in copied
        for what in lowered(one, definition, known)
    ]
