"""Puts the product together without Slack: memory, definitions, policy, actions, engine.

The serving bot builds on it, and so does a command that commits by itself while nobody
serves. Everything that a test wants otherwise is an argument.
"""

import logging
import os
import secrets
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, cast

from bot.catalog_desk import CatalogDesk
from bot.checked_files import CheckedFiles
from bot.continuing import RunDispatcher, dispatcher_for
from bot.daily_head import DailyHeads
from bot.digest import Digests
from bot.following import follow
from bot.later import Later
from bot.library import Library
from bot.modelling import desk_of
from bot.opening import Memory
from bot.policy_in_force import in_force
from bot.secret_sources.held import HeldSecrets
from bot.secret_sources.parts import given_sources, held_secrets
from bot.secret_sources.port import redactor_of
from bot.settings import Settings
from bot.vault import lazy_vault
from storage.journal import utc_now
from storage.levels import heal_levels
from storage.published import policy_text, was_published
from storage.sealing import Sealer
from storage.store import SqlStore
from workflows.actions.access import PORT as ACCESS
from workflows.actions.access import Reported
from workflows.actions.base import Action
from workflows.actions.erase import PORT as PAYLOADS
from workflows.actions.publish import PORT as CATALOG
from workflows.actions.registry import all_actions
from workflows.engine import Engine
from workflows.errors import PeopleUnreadableError
from workflows.house import House
from workflows.model.desk import ModelDesk
from workflows.people import People, Person, PersonId, Roster
from workflows.policy import Policy
from workflows.redaction import Redactor
from workflows.references import NoReferences, References
from workflows.roles import RolesNow
from workflows.run import DIED
from workflows.store import Due

if TYPE_CHECKING:
    from storage.retention.payloads import LogPayloads
    from storage.rows import DatabaseRows
    from workflows.actions.base import Rows

log = logging.getLogger(__name__)

LIVE_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What comes from outside the product: time, ids, the environment."""

    now: Callable[[], datetime] | None = None  # None: the database's own clock.
    new_id: Callable[[], str] = lambda: secrets.token_hex(16)
    random: Callable[[], bytes] = lambda: secrets.token_bytes(32)  # For what must never be guessed.
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    live_seconds: float = LIVE_SECONDS  # How often a run's first message may change.
    ticks: Callable[[], float] = time.monotonic  # What Slack's limits are counted by.
    remembered: Callable[[], datetime] = utc_now  # The clock beside the database, once it is open.
    is_stopping: Callable[[], bool] = lambda: False  # Whether the process was told to end.

    @property
    def clock(self) -> Callable[[], datetime]:
        """Return how this process tells the time."""
        return self.now or self.remembered


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """The parts every door needs."""

    settings: Settings
    memory: Memory
    store: SqlStore
    library: Library
    files: CheckedFiles
    policy: Policy
    people: People
    secrets: HeldSecrets = field(repr=False)
    vault: Callable[[], Sealer] = field(repr=False)
    actions: Mapping[str, Action[Any, Any]]
    redact: Redactor
    desk: ModelDesk
    dispatcher: RunDispatcher
    engine: Engine
    digests: Digests
    heads: DailyHeads
    retold: SimpleQueue[Due | None]  # Runs whose story a model is to tell anew.
    means: Means
    name: str

    @property
    def roles(self) -> RolesNow:
        """Return what people are by the policy in force."""
        return RolesNow(policy=self.policy, people=self.people)


class NobodyReadable:
    """People, for a process without Slack: only those of this machine are known."""

    def person(self, who: PersonId) -> Person:
        if who.startswith("os:"):
            return Person(id=who, name=who.removeprefix("os:"))
        raise PeopleUnreadableError("Slack is not asked here.", hint="Start `interlock serve`.")

    def members(self, name: str, *, max_age: timedelta) -> frozenset[PersonId]:
        del max_age
        return frozenset(one.id for one in self.everybody(name))

    def everybody(self, name: str) -> tuple[Person, ...]:
        del name
        raise PeopleUnreadableError(
            "Who belongs to which group is known only to a bot with its Slack token.",
            hint="Start `interlock serve`, or set SLACK_BOT_TOKEN.",
        )


def read_redactor(settings: Settings, means: Means) -> Redactor:
    """Return what takes out of texts whatever this process was given in secret.

    What it comes to hold later, it tells the redactor that was handed to `build_core`.

    Raises:
        SecretError: a value cannot be read or is too short.
    """
    redact = redactor_of(settings.tokens)
    for refusal in HeldSecrets(given_sources(settings, means.environment), redact).learn():
        raise refusal
    return redact


def build_core(
    settings: Settings,
    memory: Memory,
    *,
    people: People,
    means: Means,
    publishes: bool = True,
    effects_wait: Callable[[], str | None] = lambda: None,
    references: References | None = None,
    redact: Redactor | None = None,
) -> Core:
    """Put the parts together, and publish what the files say into the trail.

    One that does not publish takes up what others did, and the policy has to be theirs.
    `effects_wait` says why nothing may be changed just now, if so. `redact` is the one by which
    the process logs, if it does.

    Raises:
        DefinitionError: the policy cannot be used.
        SettingsError: it is not the policy that others published.
        SecretError: a secret cannot be read or is too short.
        StorageError: what the files say could not be recorded.
    """
    means = replace(means, remembered=memory.clock)
    redact = redact or read_redactor(settings, means)
    vault = lazy_vault(settings, memory.database, now=means.clock)
    given = given_sources(settings, means.environment)
    held = held_secrets(settings, given, memory.database, vault, redact, now=means.clock)
    checked = CheckedFiles(
        settings.home,
        is_published=lambda version: was_published(memory.database, version),
        stored_policy=lambda digest: policy_text(memory.database, digest),
    )
    policy = in_force(memory.database, lambda: checked.policy(settings.policy_file))
    _warn_of_missing(held, policy)
    desk = desk_of(settings, memory, redact=redact, new_id=means.new_id, now=means.clock)
    rows = cast("Rows", Later(lambda: _rows(means)))
    actions = all_actions(policy.targets, rows, desk)
    store = SqlStore(memory.database, memory.journal, now=means.now)
    library = Library(store, actions)
    dispatcher = dispatcher_for(store, threads=settings.threads, now=means.clock)
    catalog = CatalogDesk(store, library, people, actions=actions, policy=policy)
    name = _process_name(means)
    retold: SimpleQueue[Due | None] = SimpleQueue()
    engine = Engine(
        House(
            store=store,
            dispatcher=dispatcher,
            definitions=library,
            policy=lambda: policy,
            actions=actions,
            people=people,
            secrets=held,
            redact=redact,
            holds_secret=redact.holds,
            new_id=means.new_id,
            now=means.clock,
            name=name,
            most_runs=settings.most_runs,
            effects_wait=effects_wait,
            vault=vault,
            references=references or NoReferences(),
            alerts=settings.channel,
            retells=retold.put if settings.tells_stories else None,
            ports={
                PAYLOADS: Later(lambda: _payloads(store, policy)),
                CATALOG: catalog,
                ACCESS: lambda: _access(store, library, policy, people, now=means.clock()),
            },
        )
    )
    catalog.on_overtaken(lambda run, why: engine.cancel_overtaken(run, why=why))
    dispatcher.on_stuck(lambda run: engine.give_up(run, error_class=DIED))
    heal_levels(memory.database)
    if publishes:
        library.publish(checked.catalog(settings.definitions, actions, policy), policy)
    else:
        follow(library, policy, memory.database)
    return Core(
        settings=settings,
        memory=memory,
        store=store,
        library=library,
        files=checked,
        policy=policy,
        people=people,
        secrets=held,
        vault=vault,
        actions=actions,
        redact=redact,
        desk=desk,
        dispatcher=dispatcher,
        engine=engine,
        digests=Digests(
            store,
            library.definitions,
            version=library.version,
            now=means.clock,
            channel=settings.channel,
            is_mailed=bool(settings.digest_mail),
            redact=redact,
        ),
        heads=DailyHeads(store, channel=settings.channel),
        retold=retold,
        means=means,
        name=name,
    )


def _access(
    store: SqlStore, library: Library, policy: Policy, people: People, *, now: datetime
) -> Reported:
    from bot.access import report_access  # noqa: PLC0415 - only a review of access needs it.

    if not isinstance(people, Roster):
        raise PeopleUnreadableError("Who belongs to which group is not known here.")
    found = report_access(people, policy, library.definitions(), store.database, now=now)
    return found.reported


def _process_name(means: Means) -> str:
    """Return a name that no other process has: two containers may share host and number."""
    return f"{socket.gethostname()}:{os.getpid()}:{means.new_id()[:8]}"


def _rows(means: Means) -> "DatabaseRows":
    from storage.rows import DatabaseRows  # noqa: PLC0415 - with the first statement of a step.

    return DatabaseRows(now=means.clock)


def _payloads(store: SqlStore, policy: Policy) -> "LogPayloads":
    from storage.retention.payloads import LogPayloads  # noqa: PLC0415 - few runs erase anybody.

    return LogPayloads(store, policy=lambda: policy.digest)


def _warn_of_missing(held: HeldSecrets, policy: Policy) -> None:
    for name in held.missing(policy.needed_secrets):
        log.warning("a secret is not set; steps that need it will fail", extra={"secret": name})
