"""`interlock worker`: continues runs on Postgres, beside other workers and those that serve.

It runs segments, the clock and the sequencing. It receives nothing from Slack and delivers
nothing: it only asks Slack, under the bot's token, who may still decide.
"""

import logging
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from bot.catalog_watch import CatalogWatch
from bot.clock import Clock
from bot.clock_parts import (
    catalog_watch_of,
    clock_of,
    retelling_of,
    self_check_of,
    sequencing_of,
    watching_of,
)
from bot.core import Core, Means, build_core, read_redactor
from bot.directory import Directory
from bot.following import PolicyWatch
from bot.head_watch import HeadWatch
from bot.logs import configure_logs
from bot.opening import Memory, open_memory
from bot.references import references_of
from bot.running import Part, leave_no_core_dump, run_until, until_signalled
from bot.secret_watch import SecretWatch
from bot.segments import Segments
from bot.self_check import SelfCheck
from bot.serve import note_start
from bot.settings import Settings, SettingsError, require_bot_token, require_one
from bot.story_reading import StoryReading
from bot.token_trouble import TokenTrouble, complain
from bot.watching import Watching
from bot.workspace import enter_workspace
from bot.workspaces.beside import TokenWatch, with_token
from storage.lock_file import ServeLock
from workflows.people import People
from workflows.redaction import Redactor
from workflows.references import References

if TYPE_CHECKING:
    from bot.http import HttpServer  # Most workers listen nowhere.

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """A worker, put together."""

    core: Core
    check: SelfCheck
    compare: CatalogWatch
    clock: Clock
    segments: Segments
    policy: PolicyWatch
    watch: HeadWatch | None = None
    watched: "HttpServer | None" = None  # Where those have an address who watch.

    @property
    def parts(self) -> list[Part]:
        """Return what to start, in order."""
        watching = watching_of(self.core, self.watch)
        doors: list[Part] = [] if self.watched is None else [self.watched]
        others = [*sequencing_of(self.core), *retelling_of(self.core)]
        return [
            self.segments,
            self.check,
            self.compare,
            self.clock,
            SecretWatch(self.core.secrets),
            StoryReading(self.core.memory.database),
            *others,
            *watching,
            *doors,
        ]

    def problem(self) -> str | None:
        """Return why the process had better be started again, if so."""
        journal = self.core.memory.journal
        watched = (self.watch, self.segments, self.policy, journal, self.watched)
        found = (one.problem() for one in watched if one is not None)
        return next((one for one in found if one is not None), None)


def work_until_stopped(settings: Settings) -> None:
    """Continue runs until SIGTERM or SIGINT; what is under way is finished first.

    Raises:
        SettingsError: no Postgres, no bot token, or another policy than the one in force.
        HeldElsewhereError: another process uses this home.
        StorageError, SigningKeyError: the log cannot be opened.
        BrokenDownError: it can no longer do its work.
    """
    if settings.is_sqlite:
        raise SettingsError(
            "A worker needs Postgres: on SQLite the one process that serves continues the runs.",
            hint="Run `interlock serve`, or set INTERLOCK_DATABASE_URL to postgresql://….",
        )
    require_one(settings)
    settings = with_token(settings) if settings.workspace else settings
    require_bot_token(settings)
    means = Means()
    redact = read_redactor(settings, means)
    configure_logs(settings.log_level, redact, form=settings.log_format)
    leave_no_core_dump()
    with ExitStack() as stack:
        stopping = stack.enter_context(until_signalled())
        stack.enter_context(ServeLock.take(settings.home, now=means.clock()))
        workspace = enter_workspace(settings)
        memory = open_memory(settings)
        stack.callback(memory.database.close)
        watch = HeadWatch(memory, workspace.witness)
        watch.look()
        workspace.client.on_refused(TokenTrouble(complain))
        people = Directory(workspace.client, team=workspace.team)
        worker = build_worker(
            settings,
            memory,
            people=people,
            means=replace(means, is_stopping=stopping.is_set),
            watch=watch,
            references=references_of(workspace.client, people),
            redact=redact,
        )
        people.admit(worker.core.policy.connect or ())
        note_start(worker.core)
        tokens = [TokenWatch(settings, workspace.client.use)] if settings.workspace else []
        run_until(
            stopping,
            [*tokens, *worker.parts],
            problem=worker.problem,
            begun=partial(_tell, settings),
        )
    log.info("stopped")


def _tell(settings: Settings) -> bool:
    log.info("working", extra={"threads": settings.threads, "home": str(settings.home)})
    return True


def build_worker(
    settings: Settings,
    memory: Memory,
    *,
    people: People,
    means: Means,
    watch: HeadWatch | None = None,
    references: References | None = None,
    redact: Redactor | None = None,
) -> Worker:
    """Put a worker together; nothing works until its parts are started.

    With `watch`, effects wait until it has compared the log with what Slack shows.

    Raises:
        InterlockError: the policy, a secret or the database cannot be used.
    """
    core = build_core(
        settings,
        memory,
        people=people,
        means=means,
        publishes=False,
        effects_wait=watch.effects_wait if watch is not None else lambda: None,
        references=references,
        redact=redact,
    )
    check = self_check_of(core)
    compare = catalog_watch_of(core, people)
    clock = clock_of(core, people, check, compare)
    core.store.on_due(clock.due_at)
    return Worker(
        core=core,
        check=check,
        compare=compare,
        clock=clock,
        segments=Segments(core),
        policy=PolicyWatch(core.policy, memory.database),
        watch=watch,
        watched=Watching(core, head=watch).server(),
    )
