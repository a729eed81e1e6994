"""How far the version of a run is trusted, read from how its runs went whenever it matters.

Nothing has to be running for a level to change: it is judged anew before each effect and at the
end of each run, and recorded where it is another than before.
"""

import logging

from workflows.definition import Definition
from workflows.entry import INTERLOCK, Draft, Json, Part, PartClass
from workflows.errors import StorageError
from workflows.house import House
from workflows.own_workflows import is_ours
from workflows.policy_production import MOST_RUNS
from workflows.redacted_json import redacted_json
from workflows.soak import Level, Readiness, Reason, Soak, certificate, readiness
from workflows.store import Message, Subject

log = logging.getLogger(__name__)


def watchers(house: House, definition: Definition) -> tuple[str, ...]:
    """Return who has to agree to effects while a version is on trial, nobody once it is not.

    Where the policy has no bar for production, nobody is asked on its account.

    Raises:
        StorageError: how its runs went could not be read.
    """
    rule = house.policy().production
    if is_ours(definition.workflow):
        return ()  # Each asks people by a gate of its own.
    if rule is None or level_now(house, definition) is Level.UNATTENDED:
        return ()
    return rule.watchers(definition.owner, definition.deputy)


def level_now(house: House, definition: Definition) -> Level:
    """Return the level that a version has by its runs, and record it where it changed.

    Raises:
        StorageError: it could not be read or recorded.
    """
    found = readiness_of(house, definition)
    if found is None:
        return Level.TRIAL
    if found.change is not None:
        _record(house, found)
    return found.level


def review_level(house: House, definition: Definition) -> None:
    """Record the level of a version whose run has just ended, if that changed it.

    What cannot be recorded now is judged anew before the next effect.
    """
    try:
        level_now(house, definition)
    except StorageError:
        log.warning("a level was not judged", extra={"workflow": definition.workflow})


def readiness_of(house: House, definition: Definition) -> Readiness | None:
    """Return where a version stands, None without a bar or where it never was active.

    Raises:
        StorageError: it could not be read.
    """
    rule = house.policy().production
    if rule is None:
        return None
    soak = house.store.soak(definition.version, most=MOST_RUNS)
    if soak is None:
        return None
    return readiness(soak, rule, takes_inputs=bool(definition.inputs), now=house.now())


def _record(house: House, found: Readiness) -> None:
    """Record the change, unless another process did so meanwhile."""
    soak, change = found.soak, found.change
    if change is None:
        return
    level, reason = change
    data: dict[str, Json] = {
        "workflow": soak.workflow,
        "version": soak.version,
        "from": soak.level.value,
        "to": level.value,
        "reason": reason.value,
    }
    shown = redacted_json(certificate(found), house.redact).encode()
    parts = {"evidence": Part(value=shown, cls=PartClass.BUSINESS)}
    with house.store.begin() as unit:
        if unit.hold_level(soak.workflow, soak.version) != soak.level.value:
            return
        told = Draft(kind="workflow.level_changed", actor=INTERLOCK, data=data, parts=parts)
        entry = unit.append(told)
        if house.alerts:
            said: Json = {"text": _words(soak, reason)}
            key = f"level/{entry.id}"
            unit.send(Message(subject=Subject.NOTICE, key=key, channel=house.alerts, body=said))
    log.info("a level changed", extra={"workflow": soak.workflow, "level": level.value})


def _words(soak: Soak, reason: Reason) -> str:
    named = f"{soak.workflow} {soak.version[:8]}"
    if reason is Reason.EARNED:
        return f"{named} runs unattended from now on: {len(soak.streak)} clean runs in a row."
    why = "a verification failed" if reason is Reason.UNVERIFIED else "too many of its runs failed"
    return f"{named} is on trial again, since {why}: somebody has to agree to each of its effects."
