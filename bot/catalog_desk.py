"""What `interlock.publish` and `interlock.retire` work with: the catalog of an open log.

Owner and deputy are those of the version that is active now, so nobody gives a workflow to
themselves and then agrees; of a new workflow they are its own.
"""

from collections.abc import Callable, Mapping

from bot.library import Actions, Library, activated
from storage.catalog_history import was_changed_by
from storage.published import active_version, publisher_of
from storage.store import SqlStore
from storage.unit import SqlUnit
from workflows.actions.base import Concern, Plan
from workflows.actions.publish import Publication, Retirement
from workflows.comparing import dependents, difference
from workflows.definition import Definition
from workflows.entry import SYSTEM, Draft, Json, Ref
from workflows.errors import (
    ActionFailedError,
    InDoubtError,
    InterlockError,
    StorageError,
    UnknownWorkflowError,
)
from workflows.people import CLICK_AGE, People

RETIRED_BY_PEOPLE = "decided"  # Other than `file_removed`, where nobody was asked.


class CatalogDesk:
    """The catalog, for changes that were agreed to. Of two that race, the second is refused."""

    def __init__(self, store: SqlStore, library: Library, people: People, actions: Actions) -> None:
        self._store = store
        self._library = library
        self._people = people
        self._actions = actions

    def publication_concern(self, what: Publication) -> Concern:
        answering = self._active(what.workflow) or self._version(what.version)
        return _concern(answering, self._authors(what))

    def retirement_concern(self, what: Retirement) -> Concern:
        return _concern(self._version(what.version), frozenset())

    def publication_plan(self, what: Publication) -> Plan:
        before, after = self._active(what.workflow), self._version(what.version)
        self._check(what.workflow, self._active_version(what.workflow), what.replaces)
        known = self._library.known()
        lines = [*difference(before, after, known), *self._started_by(what.workflow)]
        verb = "Publish" if before is None else "Change"
        return Plan(
            summary=f"{verb} {what.workflow}: version {what.version[:8]}",
            lines=(*lines, *(what.notes or "").splitlines()),
            data={
                "workflow": what.workflow,
                "version": what.version,
                "replaces": what.replaces,
                "lines": list(lines),
            },
        )

    def retirement_plan(self, what: Retirement) -> Plan:
        self._check(what.workflow, self._active_version(what.workflow), what.version)
        lines = self._started_by(what.workflow)
        return Plan(
            summary=f"Retire {what.workflow}: nobody can start it any more",
            lines=("Runs that have begun go on.", *lines),
            data={"workflow": what.workflow, "version": what.version, "lines": list(lines)},
        )

    def publish(self, what: Publication, *, by_run: str) -> None:
        definition = self._version(what.version)

        def change(unit: SqlUnit, before: str | None) -> None:
            self._check(what.workflow, before, what.replaces)
            data = {**activated(definition, before, self._actions), "by_run": by_run}
            unit.append(Draft(kind="workflow.activated", actor=SYSTEM, data=data))

        self._change(what.workflow, change)

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

    def was_changed_by(self, workflow: str, run: str) -> bool:
        return was_changed_by(self._store.database, workflow, run)

    def _change(self, workflow: str, change: Callable[[SqlUnit, str | None], None]) -> None:
        try:
            with self._store.begin() as unit:
                change(unit, unit.hold_workflow(workflow))
        except StorageError as error:
            raise InDoubtError(str(error), error_class="reply_lost") from error
        self._library.follow()

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
        self._library.follow()
        try:
            return self._library.active(workflow)
        except UnknownWorkflowError:
            return None

    def _version(self, version: str) -> Definition:
        try:
            return self._library.version(version)
        except InterlockError as error:
            raise ActionFailedError(str(error), error_class="unknown_version") from error

    def _authors(self, what: Publication) -> frozenset[Ref]:
        publisher = publisher_of(self._store.database, what.version)
        found = frozenset() if publisher is None else frozenset({publisher})
        if what.author is None:
            return found
        people = self._people.members(what.author, max_age=CLICK_AGE)
        with self._store.begin() as unit:
            return found | {unit.ref(one) for one in people}

    def _started_by(self, workflow: str) -> tuple[str, ...]:
        names = dependents(workflow, self._library.definitions(), self._library.known())
        return (f"Is started by: {', '.join(names)}.",) if names else ()


def _concern(answering: Definition, authors: frozenset[Ref]) -> Concern:
    return Concern(owner=answering.owner, deputy=answering.deputy, authors=authors)
