"""The definitions and the policy in force: read from files, published into the trail.

A run stays on its version, so every version that was ever published can be found again,
whatever became of its file. Checking files is for `workflows.check`.
"""

import hashlib
import json
import logging
import threading
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from storage.published import active_policy, active_versions, bound_roles, canonical_of
from storage.store import SqlStore
from storage.unit import SqlUnit
from workflows.actions.access import ACCESS_REVIEW
from workflows.actions.base import Action, Effect
from workflows.catalog import Catalog
from workflows.definition import Definition
from workflows.definition_flow import Call
from workflows.definition_steps import Undo, raised
from workflows.entry import SYSTEM, Draft, Json
from workflows.errors import DefinitionError, UnknownWorkflowError, UnreadableVersionError
from workflows.policy import Policy
from workflows.policy_roles import Binding
from workflows.soak import Level

POLICY = "policy"
NEW = Level.TRIAL.value  # A version begins on trial (DESIGN section 9).

log = logging.getLogger(__name__)

Actions = Mapping[str, Action[Any, Any]]


class Library:
    """Finds definitions by name and by version. Safe to share between threads."""

    def __init__(self, store: SqlStore, actions: Actions) -> None:
        self._store = store
        self._catalog = Catalog(())
        self._actions = actions
        self._versions: dict[str, Definition] = {}
        self._guard = threading.Lock()

    def publish(self, catalog: Catalog, policy: Policy) -> None:
        """Bring the trail up to what the files say: new versions, retired ones, the policy.

        A workflow whose file has faults keeps the version it has; nothing is retired while
        any file cannot be read, since nobody knows which workflow it holds.

        Raises:
            StorageError: some of it was not recorded; publishing again goes on from there.
        """
        self._publish_policy(policy)
        for definition in catalog.definitions():
            self._publish(definition)
        for fault in catalog.faults:
            log.warning("a workflow file needs work", extra={"fault": str(fault)})
        active = active_versions(self._store.database)
        if all(fault.is_warning for fault in catalog.faults):
            for name in active.keys() - {*catalog.names(), ACCESS_REVIEW}:
                self._retire(name)
        self._take_up(catalog)

    def publish_own(self, definition: Definition) -> None:
        """Publish a workflow that the product brings itself; no file has to hold it.

        Raises:
            StorageError: it was not recorded.
        """
        self._publish(definition)
        others = [one for one in self.definitions() if one.workflow != definition.workflow]
        self._take_up(Catalog([*others, definition], self._catalog.faults))

    def follow(self) -> None:
        """Take up what other processes published meanwhile; nothing is published here."""
        self._take_up(Catalog((), self._catalog.faults))

    def active(self, name: str) -> Definition:
        return self._catalog.find(name)

    def definitions(self) -> tuple[Definition, ...]:
        """Return every active definition, in order of their names."""
        return self._catalog.definitions()

    def version(self, digest: str) -> Definition:
        with self._guard:
            found = self._versions.get(digest)
        if found is not None:
            return found
        stored = canonical_of(self._store.database, digest)
        if not stored:
            raise UnknownWorkflowError(f"The version {digest[:8]} was never published here.")
        definition = _read(stored)
        with self._guard:
            self._versions[digest] = definition
        return definition

    def is_destructive(self, definition: Definition) -> bool:
        """Say whether something it does cannot be undone, as far as arguments tell beforehand.

        What the workflows do that it starts counts as its own.
        """
        return any(self._has_destructive_step(one) for one in self._started_by(definition))

    def _has_destructive_step(self, definition: Definition) -> bool:
        return any(
            raised(self._actions[step.uses].effect_of(step.arguments), step.effect)
            is Effect.DESTRUCTIVE
            for step in definition.works
            if step.uses in self._actions
        )

    def _started_by(self, definition: Definition) -> Iterable[Definition]:
        """Return the definition and all that it starts, directly or through others."""
        found = {definition.workflow: definition}
        waiting = [definition]
        known = {one.workflow: one for one in self.definitions()}
        while waiting:
            steps = (node.step for node in waiting.pop().outline.values())
            names = {one.workflow for one in steps if isinstance(one, Call)} - found.keys()
            news = [known[name] for name in names if name in known]
            found |= {one.workflow: one for one in news}
            waiting += news
        return found.values()

    def _take_up(self, catalog: Catalog) -> None:
        known = {one.workflow: one for one in catalog.definitions()}
        for name, version in active_versions(self._store.database).items():
            if name not in known and (found := self._readable(version)) is not None:
                known[name] = found
        with self._guard:
            self._versions |= {one.version: one for one in known.values()}
            self._catalog = Catalog(known.values(), catalog.faults)

    def _readable(self, version: str) -> Definition | None:
        try:
            return self.version(version)
        except UnreadableVersionError as error:
            log.warning("a workflow is for a newer release", extra={"fault": str(error)})
            return None

    def _publish(self, definition: Definition) -> None:
        is_new = canonical_of(self._store.database, definition.version) is None
        with self._store.begin() as unit:
            before = unit.hold_workflow(definition.workflow)
            if before == definition.version:
                return
            if is_new:
                unit.append(_fact("workflow.published", _published(definition, self._actions)))
                unit.add_definition(definition.version, definition.canonical.decode())
            # One that was active before has what it had earned then.
            level = unit.hold_level(definition.workflow, definition.version) or NEW
            unit.append(_fact("workflow.activated", _activated(definition, before, level=level)))
        log.info("workflow published", extra={"workflow": definition.workflow})

    def _retire(self, name: str) -> None:
        with self._store.begin() as unit:
            version = unit.hold_workflow(name)
            if version is None:
                return
            data: dict[str, Json] = {"workflow": name, "version": version, "reason": "file_removed"}
            unit.append(_fact("workflow.retired", data))
        log.info("workflow retired", extra={"workflow": name})

    def _publish_policy(self, policy: Policy) -> None:
        before = active_policy(self._store.database, POLICY)
        with self._store.database.read() as connection:
            news = list(changed_bindings(bound_roles(connection), policy.bindings))
        if before == policy.digest and not news:
            return
        with self._store.begin() as unit:
            if before != policy.digest:
                _change_policy(unit, before, policy.digest)
            for change in news:
                unit.append(change)
        log.info("policy changed", extra={"digest": policy.digest})


def _read(stored: str) -> Definition:
    try:
        return Definition.from_canonical(stored.encode())
    except DefinitionError as error:
        raise UnreadableVersionError(
            "This workflow was published by a newer release, which has to go on with it.",
            hint="Bring every process to that release.",
        ) from error


def _change_policy(unit: SqlUnit, before: str | None, after: str) -> None:
    data: dict[str, Json] = {"name": POLICY, "before": before, "after": after, "by_run": None}
    unit.append(_fact("policy.changed", data))


def changed_bindings(before: AbstractSet[Binding], after: AbstractSet[Binding]) -> Iterator[Draft]:
    """Yield what a policy takes from whom by its roles, and then what it gives.

    It is for the transaction in which the policy takes effect.
    """
    for kind, which in (("role.revoked", before - after), ("role.granted", after - before)):
        for one in sorted(which):
            yield _fact(kind, {"role": one.role.value, "to": one.to, "scope": one.scope})


def _fact(kind: str, data: Mapping[str, Json]) -> Draft:
    return Draft(kind=kind, actor=SYSTEM, data=data)


def _published(definition: Definition, actions: Actions) -> dict[str, Json]:
    return {
        "workflow": definition.workflow,
        "version": definition.version,
        "owner": definition.owner,
        "deputy": definition.deputy,
        "actions": actions_digest(definition, actions),
    }


def _activated(definition: Definition, before: str | None, *, level: str) -> dict[str, Json]:
    return {
        "workflow": definition.workflow,
        "version": definition.version,
        "replaces": before,
        "level": level,
    }


def actions_digest(definition: Definition, actions: Actions) -> str:
    """Return the digest of the actions' code versions, so that their drift shows."""
    used = {step.uses for step in definition.works}
    used |= {step.verify.uses for step in definition.works if step.verify is not None}
    used |= {step.undo.uses for step in definition.works if isinstance(step.undo, Undo)}
    versions = {name: actions[name].code_version for name in sorted(used) if name in actions}
    return hashlib.sha256(json.dumps(versions, sort_keys=True).encode()).hexdigest()
