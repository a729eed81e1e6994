"""The definitions and the policy in force: read from files, published into the trail.

A run stays on its version, so every version that was ever published can be found again,
whatever became of its file. Under a policy with a `publish` section files publish nothing by
themselves: that is for people, by way of `bot.proposing`. Checking files is for `workflows.check`.
"""

import hashlib
import json
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

from bot.stored_texts import read_policy_text, read_version, webhooks_in
from storage.catalog_history import code_of_versions, told_active
from storage.published import (
    active_policy,
    active_version,
    active_versions,
    bound_roles,
    canonical_of,
    policy_text,
)
from storage.store import SqlStore
from workflows.actions.base import Action, Effect
from workflows.catalog import Catalog
from workflows.definition import Definition
from workflows.definition_steps import Undo, raised
from workflows.entry import SYSTEM, Draft, Json
from workflows.errors import (
    AlteredVersionError,
    UnknownWorkflowError,
    UnreadableVersionError,
    UnusableDatabaseError,
)
from workflows.own_workflows import ACCESS_REVIEW, is_own, own_workflows
from workflows.policy import Policy
from workflows.policy_roles import Binding
from workflows.portrait import Known, starts
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
        self._confirmed: dict[str, str] = {}  # The version of each that the log was seen to name.
        self._deaf: frozenset[str] = frozenset()
        self._guard = threading.Lock()
        self._on_use: Callable[[str], None] = lambda _name: None
        self._has_fellows = store.database.dialect != "sqlite"  # Others may publish meanwhile.
        self.of_files: Catalog | None = None  # What they said; None: it was not told.

    def on_use(self, tell: Callable[[str], None]) -> None:
        """Have `tell` called with the name of each workflow that somebody is about to start."""
        self._on_use = tell

    @property
    def files(self) -> Mapping[str, str]:
        """Return where each workflow stands that was read from a file."""
        return self._catalog.files

    def publish(self, catalog: Catalog, policy: Policy) -> None:
        """Bring the trail up to what the files say: new versions, retired ones, the policy.

        Where the policy gates publications, only Interlock's own workflows are published here.
        A workflow whose file has faults keeps the version it has; nothing is retired while
        any file cannot be read, since nobody knows which workflow it holds.

        Raises:
            StorageError: some of it was not recorded; publishing again goes on from there.
        """
        self.of_files = catalog
        self._publish_policy(policy)
        for fault in catalog.faults:
            log.warning("a workflow file needs work", extra={"fault": str(fault)})
        if policy.publish is not None:
            for definition in own_workflows(policy.governors):
                self._publish(definition)
            self._take_up(catalog)
            return
        code = code_of_versions(self._store.database)
        for definition in catalog.definitions():
            digest = actions_digest(definition, self._actions)
            has_code = code.get(definition.version, digest) == digest
            file = catalog.files.get(definition.workflow)
            self._publish(definition, has_code=has_code, file=file)
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
        self.follow()

    def follow(self) -> None:
        """Take up what other processes published meanwhile; nothing is published here."""
        self._take_up(Catalog((), self._catalog.faults, self._catalog.files))

    def active(self, name: str) -> Definition:
        """Return the active version.

        Raises:
            UnknownWorkflowError: there is none; the nearest name is suggested.
            UnreadableVersionError: there is one, and its text cannot be read, or somebody altered
                it, or which one it is.
        """
        self._on_use(name)
        if self._has_fellows:
            self._catch_up(name)
        found = self._found(name)
        if self._confirmed.get(name) != found.version:
            found = self._confirm(found)
        return found

    def _confirm(self, found: Definition) -> Definition:
        """Return the version of this workflow that is active by the log too, if it is.

        Raises:
            AlteredVersionError: the log says another one, so somebody changed the table.
        """
        name = found.workflow
        told = told_active(self._store.database, name).get(name)
        if told != found.version:
            self.follow()  # Another one may have become active this very moment.
            found = self._found(name)
            told = told_active(self._store.database, name).get(name)
        if told != found.version:
            raise AlteredVersionError(
                f"Which version of {name} is active was changed in the database: it names"
                f" {found.version[:8]}, and the log {'none' if told is None else told[:8]}."
                " Nothing starts from it.",
                hint="Publish the right version again.",
            )
        self._confirmed[name] = told
        return found

    def _found(self, name: str) -> Definition:
        try:
            return self._catalog.find(name)
        except UnknownWorkflowError:
            version = active_version(self._store.database, name)
            if version is None:
                raise
            return self.version(version)

    def _catch_up(self, name: str) -> None:
        """Take up what another process published, if it is another version of this workflow."""
        found = active_version(self._store.database, name)
        known = self._catalog.find(name).version if name in self._catalog.names() else None
        if found != known:
            self.follow()

    def is_replaced(self, name: str, version: str) -> bool:
        """Say whether new runs of a workflow take another version than this one."""
        active = self._catalog.find(name) if name in self._catalog.names() else None
        return active is not None and active.version != version

    def definitions(self) -> tuple[Definition, ...]:
        """Return every active definition, in order of their names, without Interlock's own."""
        return tuple(one for one in self._catalog.definitions() if not is_own(one.workflow))

    def version(self, digest: str) -> Definition:
        with self._guard:
            found = self._versions.get(digest)
        if found is not None:
            return found
        stored = canonical_of(self._store.database, digest)
        if not stored:
            raise UnknownWorkflowError(f"The version {digest[:8]} was never published here.")
        definition = read_version(stored, digest)
        with self._guard:
            self._versions[digest] = definition
        return definition

    def is_deaf(self, webhook: str) -> bool:
        """Say whether some workflow listens to a webhook and cannot be read here."""
        with self._guard:
            return webhook in self._deaf

    def is_destructive(self, definition: Definition) -> bool:
        """Say whether something it does cannot be undone, as far as arguments tell beforehand.

        What the workflows do that it starts counts as its own.
        """
        inner = starts(definition, self.known().find)
        return any(self._has_destructive_step(one) for one in (definition, *inner))

    def _has_destructive_step(self, definition: Definition) -> bool:
        return any(
            raised(self._actions[step.uses].effect_of(step.arguments), step.effect)
            is Effect.DESTRUCTIVE
            for step in definition.works
            if step.uses in self._actions
        )

    def known(self) -> Known:
        """Return what is needed to say what definitions do, as the catalog stands now."""
        by_name = {one.workflow: one for one in self.definitions()}
        return Known(actions=self._actions, find=by_name.get)

    def _take_up(self, catalog: Catalog) -> None:
        with self._guard:
            self._versions |= {one.version: one for one in catalog.definitions()}
        active = active_versions(self._store.database).values()
        read = {version: self._readable(version) for version in active}
        known = [one for one in read.values() if one is not None]
        unread = [version for version, one in read.items() if one is None]
        texts = [canonical_of(self._store.database, version) or "" for version in unread]
        with self._guard:
            self._catalog = Catalog(known, catalog.faults, catalog.files)
            self._deaf = frozenset(one for text in texts for one in webhooks_in(text))

    def _readable(self, version: str) -> Definition | None:
        try:
            return self.version(version)
        except UnreadableVersionError as error:
            log.warning("a workflow cannot be run here", extra={"fault": str(error)})
            return None

    def _publish(
        self, definition: Definition, *, has_code: bool = True, file: str | None = None
    ) -> None:
        """Make a version active, unless it is already and by the code that is here."""
        is_new = canonical_of(self._store.database, definition.version) is None
        origin = _origin(file) if is_new and file is not None else {}
        with self._store.begin() as unit:
            before = unit.hold_workflow(definition.workflow)
            if before == definition.version and has_code:
                return
            if is_new and not unit.is_published(definition.version):
                told = {**published(definition, self._actions), **origin}
                unit.append(_fact("workflow.published", told))
                unit.add_definition(definition.version, definition.canonical.decode())
            # One that was active before has what it had earned then.
            level = unit.hold_level(definition.workflow, definition.version) or NEW
            data = activated(definition, before, self._actions, level=level)
            unit.append(_fact("workflow.activated", data))
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
        if self._is_recorded(policy):
            return
        with self._store.begin() as unit:
            before = unit.hold_policy(POLICY)
            self._refuse_to_overrule(before, policy)
            unit.keep_policy(policy.digest, policy.canonical.decode())
            if before != policy.digest:
                unit.append(_fact("policy.changed", policy_change(before, policy.digest)))
            bound = bound_roles(unit.transaction.connection)
            for change in changed_bindings(bound, policy.bindings):
                unit.append(change)
        log.info("policy changed", extra={"digest": policy.digest})

    def _refuse_to_overrule(self, before: str | None, policy: Policy) -> None:
        """Return unless people agreed to another policy since this process read which one counts.

        Raises:
            UnusableDatabaseError: they did, or nobody here can tell.
        """
        text = None if before is None else policy_text(self._store.database, before)
        if before in (None, policy.digest) or text is None:
            return
        try:
            known = read_policy_text(text, before)
        except UnreadableVersionError as error:
            raise UnusableDatabaseError(error.message, hint=error.hint) from error
        if known.publish is not None and known.digest != policy.digest:
            raise UnusableDatabaseError(
                "People agreed to another policy while this process began.",
                hint="Start it again; it then goes by that one.",
            )

    def _is_recorded(self, policy: Policy) -> bool:
        """Say whether the trail knows the policy already, and its roles."""
        database = self._store.database
        if active_policy(database, POLICY) != policy.digest:
            return False
        with database.read() as connection:
            is_bound = bound_roles(connection) == policy.bindings
        return is_bound and policy_text(database, policy.digest) is not None


def policy_change(before: str | None, after: str, *, by_run: str | None = None) -> dict[str, Json]:
    """Return what the trail is told of another policy."""
    return {"name": POLICY, "before": before, "after": after, "by_run": by_run}


def changed_bindings(before: AbstractSet[Binding], after: AbstractSet[Binding]) -> Iterator[Draft]:
    """Yield what a policy takes from whom by its roles, and then what it gives.

    It is for the transaction in which the policy takes effect.
    """
    for kind, which in (("role.revoked", before - after), ("role.granted", after - before)):
        for one in sorted(which):
            yield _fact(kind, {"role": one.role.value, "to": one.to, "scope": one.scope})


def _fact(kind: str, data: Mapping[str, Json]) -> Draft:
    return Draft(kind=kind, actor=SYSTEM, data=data)


def _origin(file: str) -> dict[str, Json]:
    from bot.git_commit import commit_of  # noqa: PLC0415 - only for versions that are new.

    found = commit_of(Path(file))
    return {} if found is None else {"commit": found.id, "committed": found.is_committed}


def published(definition: Definition, actions: Actions) -> dict[str, Json]:
    """Return what the trail is told of a new version."""
    return {
        "workflow": definition.workflow,
        "version": definition.version,
        "owner": definition.owner,
        "deputy": definition.deputy,
        "actions": actions_digest(definition, actions),
    }


def activated(
    definition: Definition, before: str | None, actions: Actions, *, level: str = NEW
) -> dict[str, Json]:
    """Return what it is told of the version that runs take from now on, by which code."""
    return {
        "workflow": definition.workflow,
        "version": definition.version,
        "replaces": before,
        "level": level,
        "actions": actions_digest(definition, actions),
    }


def actions_digest(definition: Definition, actions: Actions) -> str:
    """Return the digest of the actions' code versions, so that their drift shows."""
    used = {step.uses for step in definition.works}
    used |= {step.verify.uses for step in definition.works if step.verify is not None}
    used |= {step.undo.uses for step in definition.works if isinstance(step.undo, Undo)}
    versions = {name: actions[name].code_version for name in sorted(used) if name in actions}
    return hashlib.sha256(json.dumps(versions, sort_keys=True).encode()).hexdigest()
