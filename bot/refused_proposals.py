"""A proposal that was refused leaves an entry: who wanted what of which workflow, and why not.

It changes nothing, and whoever tries the same again within two days leaves no second one. A
file that merely has faults leaves none: its writer corrects it. A policy file that says what
nobody agreed to is refused as well; who wrote it, nobody here knows.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from bot.core import Core
from bot.drift import Drift
from bot.library import POLICY
from storage.catalog_history import NOT_AGREED, REFUSED, open_runs, policy_was_refused
from storage.store import SqlStore
from workflows.entry import SYSTEM, Actor, ActorKind, Draft, Json, Part
from workflows.errors import InterlockError, MisleadingNameError, NotAllowedError
from workflows.operators import proposing
from workflows.own_workflows import POLICY as OWN_POLICY
from workflows.people import PersonId
from workflows.store import Delivery

log = logging.getLogger(__name__)


@contextmanager
def noting_refusals(core: Core, account: PersonId, about: Mapping[str, Json]) -> Iterator[None]:
    """Record it where what is done here is refused; the refusal goes on to whoever asked.

    `about` says what was `wanted` (`publish`, `activate`, `retire` or `policy`) of which
    `workflow`, and which `version` or `policy` was proposed, where that can be read.
    """
    try:
        yield
    except (NotAllowedError, MisleadingNameError) as refused:
        try:
            _note(core, account, about, refused)
        except InterlockError:
            log.warning("a refused proposal was not recorded", exc_info=True)
        raise


def note_policy_file(store: SqlStore, drift: Drift) -> None:
    """Record that the policy file says what nobody agreed to, and counts for nothing.

    It is one entry for whatever the file says, until another policy comes into force, and none
    while that is before people or cannot be used at all.

    Raises:
        StorageError: it was not recorded.
    """
    put = (given.get("policy") for given in open_runs(store.database, OWN_POLICY).values())
    if not drift.here or drift.here in put:
        return
    with store.begin() as unit:
        in_force = unit.hold_policy(POLICY)
        connection = unit.transaction.connection
        if in_force != drift.active or policy_was_refused(connection, drift.here):
            return
        about: dict[str, Json] = {"wanted": "policy", "workflow": "", "policy": drift.here}
        told = Part(value=f"Nobody agreed to it: {drift.words}.".encode())
        unit.append(
            Draft(
                kind=REFUSED,
                actor=SYSTEM,
                data={**about, "why": NOT_AGREED},
                parts={"reason": told},
            )
        )


def _note(
    core: Core,
    account: PersonId,
    about: Mapping[str, Json],
    refused: NotAllowedError | MisleadingNameError,
) -> None:
    who, name = _behind(core, account)
    with core.store.begin() as unit:
        ref = unit.ref(who, name)
        key = "/".join(map(str, (ref, *about.values(), refused.why)))
        if unit.is_repeat(Delivery(team="", kind=REFUSED, key=key)):
            return
        unit.append(
            Draft(
                kind=REFUSED,
                actor=Actor(kind=ActorKind.USER, ref=ref),
                data={**about, "why": refused.why},
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
