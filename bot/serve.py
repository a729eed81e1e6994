"""`interlock serve`: takes the right to serve, puts the bot together, runs it until stopped."""

import logging
from base64 import b64encode
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from functools import partial

from bot.app import Bot, build_bot
from bot.core import Core, Means, read_redactor
from bot.head_watch import HeadWatch
from bot.logs import configure_logs
from bot.opening import open_memory
from bot.release import RELEASE
from bot.running import leave_no_core_dump, run_until, until_signalled
from bot.settings import Settings, SettingsError, require_tokens
from bot.workspace import enter_workspace
from storage.heads import head
from storage.history import read_entries
from storage.lock_file import ServeLock
from workflows.entry import SYSTEM, Draft, Json
from workflows.moments import stamp
from workflows.redaction import Redactor

log = logging.getLogger(__name__)


def serve_until_stopped(settings: Settings, *, continues_runs: bool = True) -> None:
    """Serve until SIGTERM or SIGINT; what is under way is finished first.

    Raises:
        SettingsError: a token is missing or not taken, or nobody could continue the runs.
        HeldElsewhereError: another process serves this home.
        StorageError, SigningKeyError: the log cannot be opened.
        BrokenDownError: a part can no longer do its work.
    """
    require_workers(settings, continues_runs=continues_runs)
    require_tokens(settings)
    means = Means()
    redact = read_redactor(settings, means)
    configure_logs(settings.log_level, redact, form=settings.log_format)
    leave_no_core_dump()
    with ExitStack() as stack:
        stopping = stack.enter_context(until_signalled())
        means = replace(means, is_stopping=stopping.is_set)
        bot = put_together(settings, means, stack, redact=redact, continues_runs=continues_runs)
        told: dict[str, Json] = {
            "over": _way(bot),
            "home": str(settings.home),
            "continues_runs": continues_runs,
        }
        run_until(
            stopping,
            bot.parts,
            problem=bot.problem,
            begun=partial(_tell, bot, told),
            grace=settings.stop_grace,
        )
    log.info("stopped")


def require_workers(settings: Settings, *, continues_runs: bool) -> None:
    """Return if somebody can continue the runs.

    Raises:
        SettingsError: this process does not, and on SQLite nobody else can.
    """
    if settings.is_sqlite and not continues_runs:
        raise SettingsError(
            "On SQLite nobody else can continue the runs.",
            hint="Leave --no-worker out, or set INTERLOCK_DATABASE_URL to postgresql://….",
        )


def put_together(
    settings: Settings,
    means: Means,
    stack: ExitStack,
    *,
    redact: Redactor | None = None,
    continues_runs: bool = True,
    receives: bool = True,
    awaits_invitation: Callable[[], bool] = lambda: False,
) -> Bot:
    """Take the right to serve, open the log, and return a bot whose parts can be started.

    `stack` gives all of it back.

    Raises:
        SettingsError: Slack does not take the token, or cannot be reached.
        HeldElsewhereError: another process serves this home.
        StorageError, SigningKeyError: the log cannot be opened.
    """
    stack.enter_context(ServeLock.take(settings.home, now=means.clock()))
    workspace = enter_workspace(settings)
    memory = open_memory(settings)
    stack.callback(memory.database.close)
    if memory.is_new:
        log.warning("a new log has begun; keep its key outside", extra={"vkey": memory.vkey})
    watch = HeadWatch(memory, workspace.witness)
    watch.look()
    bot = build_bot(
        workspace,
        memory,
        means,
        watch=watch,
        continues_runs=continues_runs,
        receives=receives,
        awaits_invitation=awaits_invitation,
        redact=redact,
    )
    note_start(bot.core)
    return bot


def note_start(core: Core) -> None:
    """Record that a process began to serve or work: the time in which none did then shows."""
    with core.memory.database.read() as connection:
        found = head(connection)
        newest = read_entries(connection, found.size - 1, found.size)
    data: dict[str, Json] = {
        "release": RELEASE,
        "size": found.size,
        "root": b64encode(found.root).decode(),
        "last": stamp(newest[0].at) if newest else None,
    }
    with core.store.begin() as unit:
        unit.append(Draft(kind="service.started", actor=SYSTEM, data=data))


def _tell(bot: Bot, told: Mapping[str, Json]) -> bool:
    """Say that it serves, once what people do in Slack can reach it."""
    if bot.unconnected() is not None:
        return False
    log.info("serving", extra=dict(told))
    return True


def _way(bot: Bot) -> str:
    return "http" if bot.core.settings.http else "socket mode"
