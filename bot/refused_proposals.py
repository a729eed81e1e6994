"""A proposal that was refused leaves an entry: who wanted what of which workflow, and why not.

It changes nothing, and whoever tries the same again within two days leaves no second one. A
file that merely has faults leaves none: its writer corrects it.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from bot.core import Core
from workflows.entry import Actor, ActorKind, Draft, Json, Part
from workflows.errors import InterlockError, MisleadingNameError, NotAllowedError
from workflows.operators import proposing
from workflows.people import PersonId
from workflows.store import Delivery

REFUSED = "proposal.refused"
ALIKE, NOT_ALLOWED = "name_alike", "not_allowed"

log = logging.getLogger(__name__)


@contextmanager
def noting_refusals(core: Core, account: PersonId, *, wanted: str, workflow: str) -> Iterator[None]:
    """Record it where what is done here is refused; the refusal goes on to whoever asked.

    `wanted` is `publish`, `activate`, `retire` or `policy`.
    """
    try:
        yield
    except (NotAllowedError, MisleadingNameError) as refused:
        try:
            _note(core, account, {"wanted": wanted, "workflow": workflow}, refused)
        except InterlockError:
            log.warning("a refused proposal was not recorded", exc_info=True)
        raise


def _note(core: Core, account: PersonId, about: dict[str, Json], refused: InterlockError) -> None:
    why = ALIKE if isinstance(refused, MisleadingNameError) else NOT_ALLOWED
    who, name = _behind(core, account)
    with core.store.begin() as unit:
        ref = unit.ref(who, name)
        key = f"{ref}/{about['wanted']}/{about['workflow']}/{why}"
        if unit.is_repeat(Delivery(team="", kind=REFUSED, key=key)):
            return
        unit.append(
            Draft(
                kind=REFUSED,
                actor=Actor(kind=ActorKind.USER, ref=ref),
                data={**about, "why": why},
                parts={"reason": Part(value=core.redact(str(refused)).encode())},
            )
        )


def _behind(core: Core, account: PersonId) -> tuple[PersonId, str]:
    """Return the person of an account, or the account itself where it is nobody's."""
    try:
        person = core.people.person(proposing(account, core.policy, core.people))
    except InterlockError:
        return account, ""
    return person.id, person.name
