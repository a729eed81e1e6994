"""Tells owners once of what has drifted, and deputies of workflows that nobody answers for.

It looks when the process starts, when somebody starts a workflow whose file has changed, and
each day. What was told stands in the outbox under the finding's own key, so it is told once.
"""

import hashlib
import logging
import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bot.drift import Drift, What
from bot.logs import attributed
from bot.responsible import Answering, answering, first_of
from bot.timetable import Schedule, minute_of
from bot.wording import bold, escape, joined
from storage.retention.holds import refs_known_as
from storage.store import SqlStore
from workflows.definition import Definition
from workflows.entry import Json, Ref
from workflows.errors import InterlockError, PeopleUnreadableError
from workflows.own_workflows import is_own
from workflows.people import People, PersonId
from workflows.store import Message, Subject
from workflows.triggers import Missed, Trigger

NAME = "catalog-watch"
MOST_TOLD = 10
STOP_SECONDS = 10.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching:
    """What it looks at: all that has drifted, the active definitions and their files.

    `used` are the findings of what runs were for, which takes a while to read. `drifts` reads
    the files afresh, or goes by what they said when the process began. `refuse` records that
    the policy file says what nobody agreed to.
    """

    drifts: Callable[[bool], list[Drift]]
    used: Callable[[], list[Drift]]
    refuse: Callable[[Drift], None]
    definitions: Callable[[], Iterable[Definition]]
    files: Callable[[], Mapping[str, str]]
    people: People
    governors: tuple[str, ...]
    channel: str


class CatalogWatch:
    """A part of each long-lived process that knows people."""

    def __init__(self, store: SqlStore, watching: Watching) -> None:
        self._store = store
        self._watching = watching
        self._drifted: tuple[Drift, ...] = ()  # At the last look.
        self._used: tuple[Drift, ...] = ()
        self._ownerless: tuple[str, ...] = ()
        self._guard = threading.Lock()
        self._looking: threading.Thread | None = None  # Only while it looks: hosts have many.
        self._is_stopping = False
        self._seen = {name: _looks(file) for name, file in watching.files().items()}

    @property
    def found(self) -> tuple[Drift, ...]:
        """Return what was found at the last look."""
        return (*self._drifted, *self._used)

    def start(self) -> None:
        """Look at once, beside everything else."""
        self._look_soon(afresh=False)

    def stop(self) -> None:
        """Look no more; a look that is under way is finished."""
        with self._guard:
            self._is_stopping = True
            looking = self._looking
        if looking is not None:
            looking.join(STOP_SECONDS)

    def note(self, workflow: str) -> None:
        """Look again if the file of a workflow that is about to start has changed. Cheap."""
        file = self._watching.files().get(workflow)
        if file is None or (looks := _looks(file)) == self._seen.get(workflow):
            return
        if self._look_soon(afresh=True):
            self._seen[workflow] = looks

    def schedule(self, log_id: str) -> Schedule:
        """Return when it looks each day: at a minute of the log's own, as all such looks."""

        def begin(_due: datetime) -> None:
            self.look()

        minute = minute_of(log_id)
        return Schedule(
            name=NAME,
            workflow=NAME,
            title="Comparison of workflows with their files",
            trigger=Trigger(cron=f"{minute} 6 * * *", missed=Missed.SKIP),
            begin=begin,
        )

    def look(self) -> None:
        """Tell what has drifted, what stands for something else, and what nobody answers for.

        Raises:
            PeopleUnreadableError: Slack did not say whom to tell.
            StorageError: not all of it was told.
        """
        self.look_for_drift()
        self._used = tuple(self._watching.used())
        self._tell_owners(self._used)
        for one, found in self._without_owner():
            self._tell(f"orphan/{one.workflow}/{one.owner}", _orphan(one), found.people)

    def findings(self, afresh: bool) -> Sequence[str]:  # noqa: FBT001 - digests call it.
        """Return which workflows have no owner, or stand for something else, a sentence each.

        They are those of the last look, unless it is to look `afresh` and Slack answers.
        """
        if afresh:
            self._used = tuple(self._watching.used())
            with suppress(PeopleUnreadableError):
                self._without_owner()
        return (*self._ownerless, *(f"{one.workflow}: {one.words}." for one in self._used))

    def _without_owner(self) -> list[tuple[Definition, Answering]]:
        """Return the workflows whose owner is nobody, each with who answers for it instead.

        Raises:
            PeopleUnreadableError: Slack did not answer.
        """
        governors, people = self._watching.governors, self._watching.people
        every = [(one, answering(one, governors, people)) for one in self._watching.definitions()]
        found = [(one, who) for one, who in every if who.is_orphan]
        self._ownerless = tuple(
            f"{one.title} has no owner: {one.owner} is nobody who counts." for one, _ in found
        )
        return found

    def look_for_drift(self, *, afresh: bool = True) -> None:
        """Tell owners what has drifted.

        Raises:
            PeopleUnreadableError, StorageError: not all of it was told.
        """
        self._drifted = tuple(self._watching.drifts(afresh))
        for one in self._drifted:
            if one.what is What.POLICY:
                self._watching.refuse(one)
        self._tell_owners(self._drifted)

    def _tell_owners(self, found: Sequence[Drift]) -> None:
        """Tell whoever answers for a workflow what was found of it; the channel of the others."""
        by_name = {one.workflow: one for one in self._watching.definitions()}
        self._tell_of_new([one for one in found if one.what is What.NEW], by_name)
        of_nobody: list[Drift] = []
        for drift in (one for one in found if one.what is not What.NEW):
            log.warning("a workflow has drifted", extra={"workflow": drift.workflow})
            people = self._answering(by_name.get(drift.workflow), drift)
            if people:
                self._tell(f"drift/{drift.key}", f"🧭 {_line(drift)}", people)
            else:
                of_nobody.append(drift)
        if of_nobody:
            self._tell(_key(of_nobody), _lines(of_nobody), ())

    def _tell_of_new(self, found: Sequence[Drift], active: Collection[str]) -> None:
        """Say which files nobody has agreed to yet: in the log, where the command is typed.

        The channel is told as well, but not while no workflow is active: whoever begins knows.
        """
        if not found:
            return
        names = [one.workflow for one in found]
        log.warning("files wait to be agreed to: `interlock publish`", extra={"workflows": names})
        if any(not is_own(one) for one in active):
            self._tell(_key(found), _lines_of_new(names), ())

    def _answering(self, owned: Definition | None, drift: Drift) -> Collection[PersonId]:
        """Return whom a finding is for; what has no owner yet is for the channel."""
        people, governors = self._watching.people, self._watching.governors
        if owned is not None:
            return answering(owned, governors, people).people
        if drift.what is What.POLICY:
            return first_of(governors, people)[0]
        return ()

    def _look_soon(self, *, afresh: bool) -> bool:
        """Begin a look beside everything else; False while another one goes on."""
        with self._guard:
            if self._is_stopping or (self._looking is not None and self._looking.is_alive()):
                return False
            self._looking = threading.Thread(
                target=attributed(self._look_aside),
                kwargs={"afresh": afresh},
                name=NAME,
                daemon=True,
            )
            self._looking.start()
        return True

    def _look_aside(self, *, afresh: bool) -> None:
        try:
            self.look_for_drift(afresh=afresh)
        except PeopleUnreadableError:
            log.warning("owners are told of drift later", exc_info=True)
        except InterlockError:
            log.exception("whether workflows have drifted was not found out")

    def _tell(self, key: str, text: str, people: Collection[PersonId]) -> None:
        """Tell these people, or the channel where there are none, each once."""
        to: list[str] = [*sorted(people)] or [self._watching.channel]
        for one in to:
            named = f"{key}/{self._name(one) if people else one}"
            if not one or self._store.outbox.find(Subject.NOTICE, named) is not None:
                continue
            with self._store.begin() as unit:
                body: Json = {"text": text}
                unit.send(Message(subject=Subject.NOTICE, key=named, channel=one, body=body))

    def _name(self, person: str) -> Ref:
        """Return somebody's pseudonym, under which the log may say that they were not told."""
        with self._store.database.read() as connection:
            known = refs_known_as(connection, person)
        if known:
            return Ref(known[0])
        with self._store.begin() as unit:
            return unit.ref(PersonId(person))


def _line(drift: Drift) -> str:
    return f"{bold(drift.workflow, 80)}: {escape(drift.words, 500)}."


def _key(found: Sequence[Drift]) -> str:
    """Return the same for the same findings."""
    named = hashlib.sha256("\n".join(one.key for one in found).encode()).hexdigest()
    return f"drift/{named[:32]}"


def _lines_of_new(names: Sequence[str]) -> str:
    more = len(names) - MOST_TOLD
    told = joined([*(bold(one, 80) for one in names[:MOST_TOLD]), *([f"{more} more"] * (more > 0))])
    return (
        f"🧭 Nobody has agreed to {told} yet. `interlock publish`, typed on my machine, puts"
        f" {'it' if len(names) == 1 else 'them'} to people."
    )


def _lines(found: Sequence[Drift]) -> str:
    """Return findings that nobody answers for yet, in one message."""
    told = [_line(one) for one in found[:MOST_TOLD]]
    more = len(found) - len(told)
    rest = [f"… and {more} more: `interlock check --drift` names them all."] if more else []
    return "\n".join(["🧭 These have changed, and nobody answers for them:", *told, *rest])


def _orphan(one: Definition) -> str:
    return (
        f"🧭 {bold(one.title, 150)} ({escape(one.workflow, 80)}) has no owner any more:"
        f" {escape(one.owner, 90)} is nobody who counts. Name another in its file, and publish it."
    )


def _looks(file: str) -> tuple[int, int]:
    """Return what shows that a file was written again."""
    try:
        found = Path(file).stat()
    except OSError:
        return (0, 0)
    return (found.st_mtime_ns, found.st_size)
