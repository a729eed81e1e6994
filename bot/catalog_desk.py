"""What `interlock.publish`, `retire` and `policy` work with: the catalog of an open log.

Owner and deputy are those of the version that is active now, so nobody gives a workflow to
themselves and then agrees; of a new workflow they are its own.
"""

from collections.abc import Callable, Mapping

from bot.library import (
    NEW,
    POLICY,
    Actions,
    Library,
    activated,
    changed_bindings,
    policy_change,
)
from bot.stored_texts import read_policy_text
from storage.catalog_history import (
    answering_for,
    open_runs,
    policy_was_changed_by,
    was_changed_by,
)
from storage.listing import listed_run
from storage.published import (
    active_policy,
    active_version,
    bound_roles,
    policy_text,
    publisher_of,
)
from storage.store import SqlStore
from storage.unit import SqlUnit
from workflows.actions.base import Concern, Plan
from workflows.actions.publish import PolicyChange, Publication, Retirement
from workflows.definition import Definition
from workflows.entry import SYSTEM, Draft, Json, Ref, RunId
from workflows.errors import (
    ActionFailedError,
    InDoubtError,
    InterlockError,
    StorageError,
    UnknownWorkflowError,
    UnreadableVersionError,
)
from workflows.own_workflows import POLICY as POLICY_RUN
from workflows.own_workflows import PUBLISH, RETIRE, publication_title
from workflows.people import CLICK_AGE, People, PersonId
from workflows.policy import Policy
from workflows.policy_roles import Role
from workflows.roles import RolesNow

RETIRED_BY_PEOPLE = "decided"  # Other than `file_removed`, where nobody was asked.


class CatalogDesk:
    """The catalog, for changes that were agreed to. Of two that race, the second is refused."""

    def __init__(
        self,
        store: SqlStore,
        library: Library,
        people: People,
        *,
        actions: Actions,
        policy: Policy,
    ) -> None:
        self._store = store
        self._library = library
        self._people = people
        self._actions = actions
        self._policy = policy
        self._overtaken: Callable[[RunId, str], None] = lambda _run, _why: None

    def on_overtaken(self, cancel: Callable[[RunId, str], None]) -> None:
        """Have `cancel` called for runs that propose to replace what has been replaced."""
        self._overtaken = cancel

    def publication_concern(self, what: Publication) -> Concern:
        self._version(what.version, of=what.workflow)
        active = self._active_version(what.workflow)
        return self._concern(active or what.version, self._authors(what))

    def retirement_concern(self, what: Retirement) -> Concern:
        self._version(what.version, of=what.workflow)
        return self._concern(what.version, frozenset())

    def publication_plan(self, what: Publication, *, by_run: str) -> Plan:
        from workflows.comparing import MARK, difference  # noqa: PLC0415 - only for a card.
        from workflows.hidden import hidden  # noqa: PLC0415 - as above.
        from workflows.portrait_brief import brief  # noqa: PLC0415 - as above.

        after = self._version(what.version, of=what.workflow)
        before = self._active(what.workflow)
        self._check(what.workflow, self._active_version(what.workflow), what.replaces)
        self._refuse_ungoverned(after, what, by_run)
        known = self._library.known()
        changes = difference(before, after, known)
        if what.replaces == what.version:
            changes = [f"{MARK}the file is as it was; its actions are other code than then"]
        # A card that is too small for all shows what comes first.
        lines = [
            *(one for one in changes if one.startswith(MARK)),
            *(MARK + one for one in hidden(after, self._library.definitions(), self._actions)),
            *self._started_by(what.workflow),
            *(f"Check: {one}" for one in (what.notes or "").splitlines()),
            *(brief(after, known) if before is None else ()),
            *(one for one in changes if not one.startswith(MARK)),
        ]
        return Plan(
            summary=publication_title(what.workflow, what.version, what.replaces),
            lines=tuple(lines),
            data={
                "workflow": what.workflow,
                "version": what.version,
                "replaces": what.replaces,
                "lines": list(lines),
            },
        )

    def _refuse_ungoverned(self, after: Definition, what: Publication, run: str) -> None:
        """Return unless this takes protection away by now, and nobody who governs proposed it."""
        from bot.governed_changes import refusal_of  # noqa: PLC0415 - only for a card.

        if what.replaces == what.version:
            return
        governors = self._policy.governors
        refused = refusal_of(after, self._store, self._library, self._actions, governors=governors)
        found = None if refused is None else listed_run(self._store.database, RunId(run))
        if refused is None or found is None:
            return
        roles = RolesNow(policy=self._policy, people=self._people)
        if not roles.holds(PersonId(found.requester), Role.GOVERNOR):
            raise ActionFailedError(refused.message, error_class=refused.why, hint=refused.hint)

    def retirement_plan(self, what: Retirement) -> Plan:
        self._check(what.workflow, self._active_version(what.workflow), what.version)
        lines = self._started_by(what.workflow)
        return Plan(
            summary=f"Retire {what.workflow}: nobody can start it any more",
            lines=("Runs that have begun go on.", *lines),
            data={"workflow": what.workflow, "version": what.version, "lines": list(lines)},
        )

    def publish(self, what: Publication, *, by_run: str) -> None:
        definition = self._version(what.version, of=what.workflow)

        def change(unit: SqlUnit, before: str | None) -> None:
            self._check(what.workflow, before, what.replaces)
            level = unit.hold_level(what.workflow, what.version) or NEW
            told = activated(definition, before, self._actions, level=level)
            data = {**told, "by_run": by_run}
            unit.append(Draft(kind="workflow.activated", actor=SYSTEM, data=data))

        self._change(what.workflow, change)
        self._cancel_overtaken(what.workflow, by_run)

    def retire(self, what: Retirement, *, by_run: str) -> None:
        def change(unit: SqlUnit, before: str | None) -> None:
            self._check(what.workflow, before, what.version)
            data: Mapping[str, Json] = {
                "workflow": what.workflow,
                "version": what.version,
                "reason": RETIRED_BY_PEOPLE,
                "by_run": by_run,
            }
            unit.append(Draft(kind="workflow.retired", actor=SYSTEM, data=data))

        self._change(what.workflow, change)
        self._cancel_overtaken(what.workflow, by_run)

    def policy_concern(self, what: PolicyChange) -> Concern:
        governors = self._policy.governors
        return Concern(owner=governors[0], deputy=governors[-1], authors=self._named(what.author))

    def policy_plan(self, what: PolicyChange) -> Plan:
        from workflows.comparing_policies import policy_difference  # noqa: PLC0415 - as above.

        self._check("The policy", active_policy(self._store.database, POLICY), what.replaces)
        lines = policy_difference(self._policy, self._kept(what.policy))
        return Plan(
            summary=f"Put policy {what.policy[:8]} in force",
            lines=tuple(lines),
            data={"policy": what.policy, "replaces": what.replaces, "lines": list(lines)},
        )

    def change_policy(self, what: PolicyChange, *, by_run: str) -> None:
        policy = self._kept(what.policy)
        try:
            with self._store.begin() as unit:
                before = unit.hold_policy(POLICY)
                self._check("The policy", before, what.replaces)
                data = policy_change(before, what.policy, by_run=by_run)
                unit.append(Draft(kind="policy.changed", actor=SYSTEM, data=data))
                bound = bound_roles(unit.transaction.connection)
                for change in changed_bindings(bound, policy.bindings):
                    unit.append(change)
        except StorageError as error:
            raise InDoubtError(str(error), error_class="reply_lost") from error
        self._cancel_all(POLICY_RUN, lambda _: True, by_run, "The policy")

    def policy_was_changed_by(self, run: str) -> bool:
        return policy_was_changed_by(self._store.database, run)

    def _kept(self, digest: str) -> Policy:
        text = policy_text(self._store.database, digest)
        if text is None:
            raise ActionFailedError(
                "The text of this policy is not there.", error_class="unknown_version"
            )
        try:
            return read_policy_text(text, digest)
        except UnreadableVersionError as error:
            raise ActionFailedError(
                error.message, error_class="unknown_version", hint=error.hint
            ) from error

    def was_changed_by(self, workflow: str, run: str) -> bool:
        return was_changed_by(self._store.database, workflow, run)

    def _change(self, workflow: str, change: Callable[[SqlUnit, str | None], None]) -> None:
        try:
            with self._store.begin() as unit:
                change(unit, unit.hold_workflow(workflow))
        except StorageError as error:
            raise InDoubtError(str(error), error_class="reply_lost") from error
        self._library.follow()

    def _cancel_overtaken(self, workflow: str, by_run: str) -> None:
        for own in (PUBLISH, RETIRE):
            self._cancel_all(own, lambda given: given.get("workflow") == workflow, by_run, workflow)

    def _cancel_all(
        self, own: str, is_about: Callable[[Mapping[str, Json]], bool], by_run: str, what: str
    ) -> None:
        """Cancel proposals of others that `what` is about: what they were to replace is gone.

        One that is missed here, since the process ends now, is refused once it was approved.
        """
        why = f"{what} has changed meanwhile, by the run {by_run}."
        for run, given in open_runs(self._store.database, own).items():
            if run != by_run and is_about(given):
                self._overtaken(run, why)

    def _check(self, workflow: str, active: str | None, replaces: str | None) -> None:
        if active == replaces:
            return
        now = "none is active" if active is None else f"{active[:8]} is active"
        was = "no version" if replaces is None else replaces[:8]
        raise ActionFailedError(
            f"{workflow} has changed meanwhile: this replaces {was}, and by now {now}.",
            error_class="replaced",
            hint="Propose it again, on top of what is active now.",
        )

    def _active_version(self, workflow: str) -> str | None:
        return active_version(self._store.database, workflow)

    def _active(self, workflow: str) -> Definition | None:
        """Return the active definition; None where there is none, or its text was altered."""
        self._library.follow()
        try:
            return self._library.active(workflow)
        except (UnknownWorkflowError, UnreadableVersionError):
            return None

    def _version(self, version: str, *, of: str) -> Definition:
        try:
            found = self._library.version(version)
        except InterlockError as error:
            raise ActionFailedError(str(error), error_class="unknown_version") from error
        if found.workflow != of:
            raise ActionFailedError(
                f"The version {version[:8]} is one of {found.workflow}, and not of {of}.",
                error_class="unknown_version",
            )
        return found

    def _concern(self, version: str, authors: frozenset[Ref]) -> Concern:
        """Return who answers for a version, as the log says: its text may have been altered."""
        found = answering_for(self._store.database, version)
        if found is None:
            raise ActionFailedError(
                f"Nobody answers for the version {version[:8]}.", error_class="unknown_version"
            )
        return Concern(owner=found[0], deputy=found[1], authors=authors)

    def _authors(self, what: Publication) -> frozenset[Ref]:
        publisher = publisher_of(self._store.database, what.version)
        found = frozenset() if publisher is None else frozenset({publisher})
        return found | self._named(what.author)

    def _named(self, author: str | None) -> frozenset[Ref]:
        """Return who is behind the name of an author."""
        if author is None:
            return frozenset()
        people = self._people.members(author, max_age=CLICK_AGE)
        with self._store.begin() as unit:
            return frozenset(unit.ref(one) for one in people)

    def _started_by(self, workflow: str) -> tuple[str, ...]:
        from workflows.comparing import dependents  # noqa: PLC0415 - as above.

        names = dependents(workflow, self._library.definitions(), self._library.known())
        return (f"Is started by: {', '.join(names)}.",) if names else ()
